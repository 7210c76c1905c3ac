/* What the live server shows of its load, since its statistics were last reset: used where it beats
 * a formula. Less than an hour is no evidence. */
#pragma once
#include "settings/input.h"

/* Fills in input->measured and that of its environments; without a connection nothing. */
void settings_measured_read(struct settings_input *input);

/* Bytes that max_wal_size should be by what was measured, at least base (the formula's); why, when
 * it is more than base: with the figures. */
int64_t
settings_measured_wal(const struct settings_input *input, int64_t base, const char **ret_why);
/* Twice the usual where sorts and hashes often did not fit; how says so. Else usual. */
int64_t settings_measured_work_mem(const struct settings_input *input,
                                   const struct settings_environment *environment, int64_t usual,
                                   const char **ret_how);
/* Whether all databases of the server together fit into its memory beside what else is there. */
bool settings_is_all_cached(const struct settings_input *input);
