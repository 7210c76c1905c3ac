/* Names of the objects that pgdeck makes beside others: base, then suffix, never longer than
 * PostgreSQL's 63 bytes and never cut within a UTF-8 character. */
#pragma once
#include "base/arena.h"

enum { CHANGE_NAME_MAX_BYTES = 63 };

/* base + suffix where that fits; else the beginning of base, "_" and six digits of its hash, and
 * the suffix, so that two long names that begin alike stay two. */
const char *change_name(struct arena *arena, const char *base, const char *suffix);
/* Sixteen hexadecimal digits of a text: for `declared` of struct change. */
const char *change_hash(struct arena *arena, const char *text);
