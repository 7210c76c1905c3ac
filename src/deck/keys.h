/* The keys of a deck, as tables: what they are called, what they hold, where it goes. The reader
 * (read.c) and the JSON Schema (json_schema.c) both work from them, so they cannot disagree.
 * Constant. */
#pragma once
#include "deck/deck.h"

enum deck_key_type {
    KEY_TEXT,             /* const char * */
    KEY_NAME,             /* const char *: a name that PostgreSQL takes */
    KEY_NAMES,            /* LIST_OF(const char *) */
    KEY_TEXTS,            /* LIST_OF(const char *): any texts, at most max */
    KEY_FLAG,             /* bool */
    KEY_SWITCH,           /* bool: words[0] false, words[1] true */
    KEY_COUNT,            /* int, min..max */
    KEY_SIZE,             /* int64_t bytes, at least min */
    KEY_DURATION,         /* int64_t ms, at least min */
    KEY_WAIT,             /* int ms, at least min */
    KEY_SHARE,            /* double */
    KEY_RANGE,            /* two ints side by side */
    KEY_PERIOD,           /* int and enum deck_unit side by side */
    KEY_CHOICE,           /* enum: index into words */
    KEY_SET,              /* unsigned: bits by index into words */
    KEY_SCHEDULE,         /* const char *; min: enum deck_schedule */
    KEY_TIME_ZONE,        /* const char *: has the form of a name that PostgreSQL knows */
    KEY_NETWORKS,         /* LIST_OF(const char *), CIDR */
    KEY_LEVEL,            /* double: a share, a duration in ms, bytes or a count */
    KEY_CONNINFO,         /* const char * and struct place side by side */
    KEY_FILE,             /* const char *: path beside the file in which it is written */
    KEY_FOLDER,           /* likewise, must be there */
    KEY_SQL,              /* const struct deck_sql_file *; min: is it a file of indexes */
    KEY_REFERENCE,        /* a name, resolved by check.c; nothing is stored */
    KEY_PARTITION_COLUMN, /* struct deck_partition whole: kind (min) and column */
    KEY_PARTITION_PARTS,  /* struct deck_partition whole: modulus or parts */
    KEY_PARTITIONS,       /* const struct deck_partitions *: a list of mappings */
    KEY_SETTINGS,         /* struct deck_settings: names and values of parameters */
    KEY_EXTENDS,          /* done before the tables are looked at */
    KEY_MAPPING,          /* struct at offset, by table */
    KEY_MAP,              /* LIST_OF(struct) by table, each named by its key */
    KEY_TYPES
};

enum deck_schedule { SCHEDULE_DAILY, SCHEDULE_WEEKLY, SCHEDULE_MONTHLY };

struct deck_table;

struct deck_key {
    const char *name;
    enum deck_key_type type;
    size_t offset;
    const char *help; /* for editors; a phrase */
    bool is_required;
    bool can_be_none; /* null or none: nothing, although the deck has it */
    int64_t min, max;
    const char *const *words;       /* NULL-terminated */
    const struct deck_table *table; /* KEY_MAPPING, KEY_MAP, KEY_PARTITIONS */
};

struct deck_table {
    const char *what; /* "server" */
    const struct deck_key *keys;
    size_t count;
    /* of a KEY_MAP or KEY_PARTITIONS: */
    size_t item_bytes;
    size_t name_offset;   /* const char *; KEY_MAP only */
    size_t place_offset;  /* struct place */
    const void *defaults; /* an item; NULL: zeroes */
    bool has_role_names;
};

/* What the root of the file is read into. */
struct deck_root {
    struct deck deck;
    const struct deck_sql_file *schema;
    const struct deck_sql_file *indexes;
    const struct deck_partitions *partitions;
    const char *workload;
};

extern const struct deck_table deck_root_table;
extern const struct deck_table deck_maintenance_table, deck_watch_table;
#define DECK_WATCH_DEFAULTS                                                                        \
    {                                                                                              \
        .mean_time = 0.3, .errors = 0.01, .checkpoints = 5, .swap_bytes = 64 << 20,                \
        .sample_ms = 1000, .statements_ms = 30000, .history_ms = 600000, .alerts_ms = 5000,        \
        .advice_ms = 6 * 60 * 60 * 1000, .log_ms = 5000,                                           \
    }
extern const struct deck_table deck_partition_table, deck_notify_table;
extern const struct deck_table deck_security_table, deck_tenants_table, deck_rollup_table;
/* For files of a pooler alone: the keys of `pooler:`, and those of a pool that are not min and max.
 */
extern const struct deck_table deck_pooler_table;
extern const struct deck_pooler deck_pooler_defaults;
extern const char *const deck_pool_mode_words[],
    *const deck_pool_reset_words[], *const deck_pool_state_words[], *const deck_pool_auth_words[];

const struct deck_key *deck_key_find(const struct deck_table *table, const char *name);

/* Alerts that there are. */
struct deck_alert_kind {
    const char *name;
    enum deck_level_unit unit;
    bool is_low_bad; /* critical is below warning */
};
enum { DECK_ALERT_FIRE = 3, DECK_ALERT_CLEAR = 5 };
extern const struct deck_alert_kind deck_alert_kinds[];
extern const size_t deck_alert_kind_count;
