/* Values of parameters in PostgreSQL's units: compared, checked against what this server allows,
 * written. Pure. */
#pragma once
#include "pg/catalog.h"

/* "64MB" of a parameter in unit 8kB is 8192; without a unit it is in the parameter's own. False
 * when it is no number or the unit is of another kind. */
bool setting_number(const char *text, const char *unit, double *ret_number) MUST_CHECK;
/* In any way that PostgreSQL takes: on, TRUE, y, 0. */
bool setting_boolean(const char *text, bool *ret_value) MUST_CHECK;
/* Whether a server takes the value for this parameter, words of enums that depend on how it was
 * built included when is_any_build. Else err says what is wrong with the value, with a hint. */
bool setting_verify(const struct catalog_setting *setting, const char *value, bool is_any_build,
                    struct error *err) MUST_CHECK;
/* Whether a database may have a value of its own. */
bool setting_is_of_sessions(const struct catalog_setting *setting);
/* Whether it is a list of words, each of which PostgreSQL quotes by itself. */
bool setting_is_list(const char *name);
/* Whether both mean the same to this parameter. */
bool setting_is_equal(const struct catalog_setting *setting, const char *a, const char *b);
/* A parameter of memory, in bytes; false for any other. */
bool setting_bytes(const struct catalog_setting *setting, const char *value,
                   int64_t *ret_bytes) MUST_CHECK;
bool setting_allows(const struct catalog_setting *setting, const char *word); /* an enum's word */

/* What the server would use for value: itself, or its nearest limit (then *ret_is_limited).
 * NULL: not a value for this parameter on this server. */
const char *setting_clamp(struct arena *arena, const struct catalog_setting *setting,
                          const char *value, bool *ret_is_limited);
/* Whether this session has a value of its own, of its database, role or connection. */
bool setting_is_hidden(const struct catalog_setting *setting);
/* What holds for the server as a whole, whatever the session or its database and role say. */
const char *setting_server_value(const struct catalog_setting *setting);
/* Whether the configuration files say anything of it, as far as they can be read. */
bool setting_is_in_files(const struct catalog_setting *setting);
/* What will hold for the server after a reload and a restart. */
const char *setting_next_value(const struct catalog_setting *setting);

/* The words of a list such as shared_preload_libraries, without quotes and blanks. */
size_t setting_words(struct arena *arena, const char *list, char ***ret_words);

/* In the largest unit that holds it exactly: 1200MB, 4GB, 15min, 250ms. */
const char *setting_size(struct arena *arena, int64_t bytes);
/* For sums: of 10 MB and more only whole megabytes. */
const char *setting_rounded_size(struct arena *arena, int64_t bytes);
/* A value for the reader: "16384" in unit 8kB is 128MB. */
const char *
setting_readable(struct arena *arena, const struct catalog_setting *setting, const char *value);
const char *setting_duration(struct arena *arena, int64_t milliseconds);
