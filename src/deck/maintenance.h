/* `maintenance:` of an environment: when its databases are tended, and what is worth doing. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum deck_backup_kind {
    BACKUP_UNKNOWN, /* the deck does not say: nothing checks it */
    BACKUP_PGBACKREST,
    BACKUP_BARMAN,
    BACKUP_WALG,
    BACKUP_COMMAND
};

struct deck_backup { /* pgdeck makes none; it asks when the newest good one was made */
    enum deck_backup_kind kind;
    const char *name;    /* pgBackRest's stanza, Barman's server; NULL: all that it has */
    const char *command; /* of BACKUP_COMMAND; NULL: none */
    int64_t max_age_ms;
};

struct deck_maintenance {
    const char *daily, *weekly, *monthly; /* when a window begins; NULL: never */
    const char *time_zone;                /* of these; as PostgreSQL knows it */
    int64_t window_ms;                    /* how long a window lasts */
    double dead_rows;                     /* share of a table's rows: from there on VACUUM */
    double changed_rows;                  /* likewise ANALYZE */
    double freeze_age;                    /* share of autovacuum_freeze_max_age */
    double index_bloat;                   /* share of an index that its REINDEX must give back */
    int64_t index_size_bytes;             /* smaller indexes are left alone */
    int64_t wal_bytes;                    /* that REINDEX may write in one run */
    int64_t replica_lag_ms;               /* REINDEX waits while a replica is further behind */
    bool has_drop;                        /* monthly drops what `retain` lets go */
    struct deck_backup backup;
};
