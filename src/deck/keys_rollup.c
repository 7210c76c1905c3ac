// SPDX-License-Identifier: MIT
/* The keys of an item of `rollups:`. */
#include "deck/keys.h"

#include <stddef.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define AT(type, field) offsetof(struct type, field)

enum { MINUTE_MS = 60000, MAX_COLUMNS = 50 };

static const struct deck_key rollup_keys[] = {
    {.name = "table",
     .type = KEY_NAME,
     .offset = AT(deck_rollup, table),
     .help = "whose rows are rolled up",
     .is_required = true},
    {.name = "schema",
     .type = KEY_NAME,
     .offset = AT(deck_rollup, schema),
     .help = "the table's; default public"},
    {.name = "time",
     .type = KEY_NAME,
     .offset = AT(deck_rollup, time),
     .help = "column that says when a row is of, timestamptz",
     .is_required = true},
    {.name = "every",
     .type = KEY_DURATION,
     .offset = AT(deck_rollup, every_ms),
     .help = "length of a bucket; default 1h",
     .min = MINUTE_MS},
    {.name = "settle",
     .type = KEY_DURATION,
     .offset = AT(deck_rollup, settle_ms),
     .help = "how old a row's time is once it seldom changes any more; default 15min",
     .min = MINUTE_MS},
    {.name = "by",
     .type = KEY_TEXTS,
     .offset = AT(deck_rollup, by),
     .help = "columns, or expressions AS name, that have figures of their own",
     .max = MAX_COLUMNS},
    {.name = "figures",
     .type = KEY_TEXTS,
     .offset = AT(deck_rollup, figures),
     .help = "aggregates, each AS name: count(*) AS tasks",
     .is_required = true,
     .max = MAX_COLUMNS},
};
static const struct deck_rollup rollup_defaults = {
    .schema = "public", .every_ms = 60LL * MINUTE_MS, .settle_ms = 15LL * MINUTE_MS};
const struct deck_table deck_rollup_table = {
    .what = "rollup",
    .keys = rollup_keys,
    .count = COUNT_OF(rollup_keys),
    .item_bytes = sizeof(struct deck_rollup),
    .name_offset = AT(deck_rollup, name),
    .place_offset = AT(deck_rollup, place),
    .defaults = &rollup_defaults,
};
