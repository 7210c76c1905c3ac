/* The first packet of a connection, which has no type: start-up, request for encryption, or
 * request to cancel; and the packets of that kind that a client sends. No I/O. */
#pragma once
#include "wire/writer.h"

enum wire_startup_kind {
    WIRE_STARTUP,     /* protocol 3.x, parameters */
    WIRE_SSL_REQUEST, /* answered by one byte */
    WIRE_GSS_REQUEST, /* likewise */
    WIRE_CANCEL,
};

enum { WIRE_PROTOCOL_3_0 = 3 << 16, WIRE_STARTUP_PARAMETERS_MAX = 100 };

struct wire_startup_parameter {
    const char *name;
    const char *value;
};

struct wire_startup {
    enum wire_startup_kind kind;
    uint32_t minor;              /* WIRE_STARTUP: of the protocol asked for */
    const char *user, *database; /* database: the user when not given, as in PostgreSQL */
    const char *options;         /* "" when not given */
    const uint8_t *key;          /* WIRE_CANCEL: process and secret as one */
    size_t key_bytes;
    struct wire_startup_parameter parameters[WIRE_STARTUP_PARAMETERS_MAX]; /* all others */
    size_t parameter_count;
    struct wire_startup_parameter protocol_options[WIRE_STARTUP_PARAMETERS_MAX];
    size_t protocol_option_count;
};

/* Reads the packet at bytes. WIRE_WHOLE: ret_bytes says how long it is, strings are borrowed.
 * WIRE_BAD: err is set (SQLSTATE 08P01, 0A000 or 28000). */
enum wire_result wire_read_startup(const uint8_t *bytes, size_t count,
                                   struct wire_startup *ret_startup, size_t *ret_bytes,
                                   struct error *err) MUST_CHECK;

void wire_put_startup(struct wire_writer *writer, const char *user, const char *database,
                      const struct wire_startup_parameter *parameters, size_t count);
void wire_put_ssl_request(struct wire_writer *writer);
void wire_put_cancel(struct wire_writer *writer, const uint8_t *key, size_t key_bytes);
/* NegotiateProtocolVersion: 3.0, and the options of startup that are not known. */
void wire_put_negotiation(struct wire_writer *writer, const struct wire_startup *startup);
