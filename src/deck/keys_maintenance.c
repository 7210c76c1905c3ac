// SPDX-License-Identifier: MIT
/* The keys of `maintenance:`. */
#include "deck/keys.h"

#include <stddef.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define AT(type, field) offsetof(struct type, field)

static const char *const backup_words[] = {"none",  "pgbackrest", "barman",
                                           "wal-g", "command",    NULL};

static const struct deck_key backup_keys[] = {
    {.name = "kind",
     .type = KEY_CHOICE,
     .offset = AT(deck_backup, kind),
     .help = "what makes them; default: nothing that pgdeck knows of",
     .words = backup_words},
    {.name = "name",
     .type = KEY_TEXT,
     .offset = AT(deck_backup, name),
     .help = "pgBackRest's stanza, Barman's server; default: all that it has"},
    {.name = "command",
     .type = KEY_TEXT,
     .offset = AT(deck_backup, command),
     .help = "of kind command: prints when the newest good backup was made"},
    {.name = "max_age",
     .type = KEY_DURATION,
     .offset = AT(deck_backup, max_age_ms),
     .help = "an older one is a fault; default 26h",
     .min = INT64_C(60) * 1000},
};
static const struct deck_table backup_table = {
    .what = "backup", .keys = backup_keys, .count = COUNT_OF(backup_keys)};

static const struct deck_key maintenance_keys[] = {
    {.name = "daily",
     .type = KEY_SCHEDULE,
     .offset = AT(deck_maintenance, daily),
     .help = "time, such as \"00:30\"",
     .min = SCHEDULE_DAILY},
    {.name = "weekly",
     .type = KEY_SCHEDULE,
     .offset = AT(deck_maintenance, weekly),
     .help = "day and time, such as \"sun 02:00\"",
     .min = SCHEDULE_WEEKLY},
    {.name = "monthly",
     .type = KEY_SCHEDULE,
     .offset = AT(deck_maintenance, monthly),
     .help = "which day and time, such as \"first sun 03:00\"",
     .min = SCHEDULE_MONTHLY},
    {.name = "time_zone",
     .type = KEY_TIME_ZONE,
     .offset = AT(deck_maintenance, time_zone),
     .help = "of these times, such as Europe/Berlin; default UTC"},
    {.name = "window",
     .type = KEY_DURATION,
     .offset = AT(deck_maintenance, window_ms),
     .help = "how long a window lasts, at most a day; default 3h",
     .min = INT64_C(60) * 1000,
     .max = INT64_C(24) * 60 * 60 * 1000},
    {.name = "dead_rows",
     .type = KEY_SHARE,
     .offset = AT(deck_maintenance, dead_rows),
     .help = "share of dead rows from which on a table is vacuumed; default 10%"},
    {.name = "changed_rows",
     .type = KEY_SHARE,
     .offset = AT(deck_maintenance, changed_rows),
     .help = "share of changed rows from which on it is analyzed; default 10%"},
    {.name = "freeze_age",
     .type = KEY_SHARE,
     .offset = AT(deck_maintenance, freeze_age),
     .help = "share of autovacuum_freeze_max_age from which on its rows are frozen; default 75%"},
    {.name = "index_bloat",
     .type = KEY_SHARE,
     .offset = AT(deck_maintenance, index_bloat),
     .help = "share of an index that a REINDEX must give back; default 30%"},
    {.name = "index_size",
     .type = KEY_SIZE,
     .offset = AT(deck_maintenance, index_size_bytes),
     .help = "smaller indexes are never rebuilt; default 10MB",
     .min = 1 << 20},
    {.name = "wal",
     .type = KEY_SIZE,
     .offset = AT(deck_maintenance, wal_bytes),
     .help = "how much WAL the rebuilding of indexes may write in a run; default 10GB",
     .min = 1 << 20},
    {.name = "replica_lag",
     .type = KEY_DURATION,
     .offset = AT(deck_maintenance, replica_lag_ms),
     .help = "it waits while a replica is further behind; default 30s",
     .min = 1000},
    {.name = "drop",
     .type = KEY_FLAG,
     .offset = AT(deck_maintenance, has_drop),
     .help = "monthly drops the partitions that retain lets go; default false"},
    {.name = "backup",
     .type = KEY_MAPPING,
     .offset = AT(deck_maintenance, backup),
     .help = "what makes the backups, to see that they are there",
     .table = &backup_table},
};
const struct deck_table deck_maintenance_table = {
    .what = "maintenance", .keys = maintenance_keys, .count = COUNT_OF(maintenance_keys)};
