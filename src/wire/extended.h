/* Messages of the extended protocol that name a statement or a portal: read, and written again
 * under another name. No I/O; everything borrowed from the message. */
#pragma once
#include "wire/writer.h"

struct wire_parse {
    const char *name;
    const char *sql;
    const uint8_t *types; /* the count of types, then an OID each: as on the wire */
    size_t types_bytes;
};
bool wire_read_parse(const uint8_t *body, size_t count, struct wire_parse *ret_parse) MUST_CHECK;

/* The names at the front of a Bind; the rest goes through as it is. The body may be cut behind
 * the names: whole says whether all of it is there, and then all of it is checked. */
struct wire_bind {
    const char *portal;
    const char *statement;
    size_t names_bytes; /* both with their NULs */
};
bool wire_read_bind(const uint8_t *body, size_t count, bool is_whole,
                    struct wire_bind *ret_bind) MUST_CHECK;

/* Describe and Close: kind S (statement) or P (portal). */
struct wire_target {
    char kind;
    const char *name;
};
bool wire_read_target(const uint8_t *body, size_t count, struct wire_target *ret_target) MUST_CHECK;

/* Execute. */
bool wire_read_execute(const uint8_t *body, size_t count, const char **ret_portal) MUST_CHECK;

void wire_put_parse(struct wire_writer *writer, const char *name, const char *sql,
                    const uint8_t *types, size_t types_bytes);
/* type D or C. */
void wire_put_target(struct wire_writer *writer, uint8_t type, char kind, const char *name);
/* The head of a Bind whose body had body_bytes, up to and with the names. */
void wire_put_bind_head(struct wire_writer *writer, const struct wire_bind *bind,
                        uint32_t body_bytes, const char *statement);

/* ParameterStatus: ret_name and ret_value. */
bool wire_read_parameter(const uint8_t *body, size_t count, const char **ret_name,
                         const char **ret_value) MUST_CHECK;
