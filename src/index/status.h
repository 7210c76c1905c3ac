/* What indexes a database has, what they are for and what they cost, and which of them deserve a
 * second look. Reads only. A report lives in the arena that it was read into. */
#pragma once
#include "deck/deck.h"
#include "pg/connection.h"

struct index_status {
    const char *oid, *table_oid;
    const char *schema, *name, *table_schema, *table;
    const char *method;     /* "btree" */
    const char *definition; /* pg_get_indexdef */
    const char *canonical;  /* as in struct index_wanted */
    const char *predicate;  /* "" : none */
    const char *parameters; /* "fillfactor=70"; "" : none */
    const char *extra_off;  /* SQL that takes off what CREATE INDEX does not make; "" : nothing */
    const char *extra_on;   /* and puts it on again */
    char **keys;            /* column, operators, collation and order of each key column */
    char **key_columns;     /* the column or expression alone */
    size_t key_count;
    char **included;
    size_t included_count;
    bool is_partitioned; /* figures are those of its parts together */
    bool is_unique, is_immediate, has_equal_nulls, is_valid, is_being_built;
    bool is_replica_identity, is_clustered;
    bool is_extension;           /* it or its table belongs to an extension */
    const char *constraint_name; /* "" : none */
    char constraint_type;        /* as in pg_constraint; 0: none */
    const char *referenced_by;   /* a foreign key that points at its columns; "" : none */
    const char *foreign_key;     /* one whose columns it has in front; "" : none */
    int part_count;              /* of a partitioned index; else 1 */
    char **parts;                /* oids of what has storage; part_count */
    int64_t size_bytes;
    int64_t scans;
    const char *last_scan; /* UTC; "" : never seen; NULL: not known before PostgreSQL 16 */
    int64_t built_seconds; /* how long ago pgdeck built it; negative: unknown */
    double write_share;    /* of the bytes that writing to its table writes; negative: none known */
    double bloat;          /* share of its size that a new one would not take; negative: unknown */
    bool is_bloat_measured; /* with pgstattuple; else estimated */
    struct place declared;  /* in the deck's files; line 0: not there */
    bool is_hidden;         /* not asked for */
};

enum index_verdict {
    INDEX_UNUSED,
    INDEX_DUPLICATE,
    INDEX_OVERLAPPING,
    INDEX_INVALID,
    INDEX_MISSING, /* on a foreign key */
    INDEX_VERDICTS
};

struct index_finding {
    enum index_verdict verdict;
    const struct index_status *index; /* NULL: there is none */
    const char *schema, *table;
    const char *name;     /* of the index; of the foreign key where there is none */
    const char *evidence; /* one or two sentences */
    const char *sql;      /* what would mend it */
    bool is_drop;         /* sql drops the index */
};

struct index_report {
    const char *database;
    const char *since;   /* since when all of the servers count, UTC; NULL: unknown */
    int64_t age_seconds; /* how long that is; negative: unknown */
    size_t replicas;     /* whose scans are in the figures */
    bool lacks_replica;  /* another one could not be read */
    int64_t review_ms;   /* the deck's index_review */
    LIST_OF(struct index_status) indexes; /* by table */
    LIST_OF(struct index_finding) findings;
};

const char *index_verdict_name(enum index_verdict verdict);

/* Reads a database of the deck through a connection to it. What follows adds to the report. */
bool index_report_read(struct arena *arena, PGconn *connection, const struct deck *deck,
                       const struct deck_database *database, struct index_report *ret_report,
                       struct error *err) MUST_CHECK;

/* Adds the scans of a replica, through a connection to the same database there. Errors:
 * ERROR_REFUSED when it is no replica of the server that primary leads to. */
bool index_report_add_replica(struct arena *arena, PGconn *replica, PGconn *primary,
                              struct index_report *report, struct error *err) MUST_CHECK;

/* Adds bloat to the indexes of the report. */
bool index_report_bloat(struct arena *arena, PGconn *connection, struct index_report *report,
                        struct error *err) MUST_CHECK;

/* Adds the findings about the indexes that are in the report, and about those that are missing. */
bool index_report_judge(struct arena *arena, PGconn *connection, struct index_report *report,
                        struct error *err) MUST_CHECK;
void index_judge(struct arena *arena, struct index_report *report);
