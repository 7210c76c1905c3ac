/* The objects of the schema monitoring: one file each, pgdeck's own (embedded) and those of the
 * deck's folder, read by its header lines, whose grammar is in docs/design/monitoring-sql.md. Knows
 * no server. In the arena; constant. */
#pragma once
#include "base/arena.h"

struct monitoring_names {
    LIST_OF(const char *) list;
};

enum monitoring_need_kind { MONITORING_NEEDS_COLUMN, MONITORING_NEEDS_TABLE };

struct monitoring_need { /* `needs: [no] column RELATION.COLUMN`, `needs: [no] table NAME(..)` */
    enum monitoring_need_kind kind;
    bool is_wanted;       /* false: `no` */
    const char *relation; /* a column's: as regclass reads it; a table's: its bare name */
    struct monitoring_names columns;
};

struct monitoring_grant { /* `grant: select (COLUMN, ...) on TABLE` */
    const char *table;
    struct monitoring_names columns;
};

struct monitoring_object {
    const char *path; /* "monitoring/objects/v_x.sql" */
    const char *kind; /* "view", "function", "table"; "check" of a health check */
    const char *name; /* "v_x", "f(a text)": as in struct catalog_object; "dead rows" */
    const char *what; /* one line */
    const char *sql;  /* the file without its header */
    LIST_OF(struct monitoring_need) needs;
    struct monitoring_names after; /* names of what it reads */
    LIST_OF(struct monitoring_grant) grants;
    /* of a health check: */
    const char *rank; /* digits; what hurts more has the lower one */
    bool is_server_wide;
};

struct monitoring_objects {
    LIST_OF(struct monitoring_object) list; /* each behind those that it reads */
};

/* Reads all of them; folder: the deck's, or NULL. A header that does not follow the grammar is an
 * error in a file of the deck (ERROR_DECK with its place); in an embedded one it ends the program.
 */
bool monitoring_objects_read(struct arena *arena, const char *folder,
                             struct monitoring_objects *ret_objects, struct error *err) MUST_CHECK;
/* The health checks, by rank: each one SELECT of severity, finding, evidence, confidence, fix_sql,
 * without a semicolon. */
bool monitoring_checks_read(struct arena *arena, const char *folder,
                            struct monitoring_objects *ret_checks, struct error *err) MUST_CHECK;
bool monitoring_names_have(const struct monitoring_names *names, const char *name);
