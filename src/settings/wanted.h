/* Parameters that the deck sets itself: they win over the rules. */
#pragma once
#include "settings/rules.h"

/* What the deck says for the sessions of an environment, or with NULL for the server as a whole:
 * what belongs to the whole server counts for it too when an environment has the server for itself.
 * NULL: nothing. */
const struct deck_setting *settings_wanted(const struct settings_input *input,
                                           const struct settings_environment *environment,
                                           const char *name);
/* Of input->rules; NULL: none sets it there. */
const struct settings_rule *
settings_find_rule(const struct settings_input *input, const char *name, enum settings_scope scope);
/* Fills in input->rules. */
void settings_rules_read(struct settings_input *input);
/* As the deck says it, in bytes (of an amount of memory) or as a number; false: it says nothing,
 * or -1, with which PostgreSQL derives it from another. */
bool settings_wanted_bytes(const struct settings_input *input,
                           const struct settings_environment *environment, const char *name,
                           int64_t *ret_bytes);
bool settings_wanted_count(const struct settings_input *input, const char *name, int *ret_count);
/* What the server says of a parameter; of an extension that is not loaded, what is known of it.
 * NULL: there is no such parameter. */
const struct catalog_setting *settings_find(const struct settings_input *input, const char *name);
