// SPDX-License-Identifier: MIT
/* The keys of `watch:`. */
#include "deck/keys.h"

#include <stddef.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define AT(type, field) offsetof(struct type, field)

enum { MINUTE_MS = 60000, HOUR_MS = 60 * MINUTE_MS, DAY_MS = 24 * HOUR_MS };

static const struct deck_key watch_keys[] = {
    {.name = "mean_time",
     .type = KEY_SHARE,
     .offset = AT(deck_watch, mean_time),
     .help = "how much the mean time of statements may grow; default 30%"},
    {.name = "errors",
     .type = KEY_SHARE,
     .offset = AT(deck_watch, errors),
     .help = "how much the share of transactions that are rolled back may grow; default 1%"},
    {.name = "checkpoints",
     .type = KEY_COUNT,
     .offset = AT(deck_watch, checkpoints),
     .help = "how many more requested checkpoints than before; default 5",
     .max = 1000000},
    {.name = "swap",
     .type = KEY_SIZE,
     .offset = AT(deck_watch, swap_bytes),
     .help = "how much the host may write to its swap; default 64MB"},
    {.name = "sample",
     .type = KEY_WAIT,
     .offset = AT(deck_watch, sample_ms),
     .help = "pgdeck watch: time between two looks at the sessions; default 1s",
     .min = 100,
     .max = MINUTE_MS},
    {.name = "alerts",
     .type = KEY_WAIT,
     .offset = AT(deck_watch, alerts_ms),
     .help = "time between two looks at the levels of alerts; default 5s",
     .min = 100,
     .max = MINUTE_MS},
    {.name = "statements",
     .type = KEY_WAIT,
     .offset = AT(deck_watch, statements_ms),
     .help = "time between two readings of pg_stat_statements; default 30s",
     .min = 1000,
     .max = HOUR_MS},
    {.name = "log",
     .type = KEY_WAIT,
     .offset = AT(deck_watch, log_ms),
     .help = "time between two readings of the server's log; default 5s",
     .min = 100,
     .max = MINUTE_MS},
    {.name = "history",
     .type = KEY_WAIT,
     .offset = AT(deck_watch, history_ms),
     .help = "time between two samples that are kept in the databases; default 10min",
     .min = 1000,
     .max = DAY_MS},
    {.name = "advice",
     .type = KEY_WAIT,
     .offset = AT(deck_watch, advice_ms),
     .help = "time between two looks for indexes that the costly statements lack; default 6h",
     .min = 1000,
     .max = 7LL * DAY_MS},
};
const struct deck_table deck_watch_table = {
    .what = "watch", .keys = watch_keys, .count = COUNT_OF(watch_keys)};
