/* The workload: the queries that matter, one file each in a folder, as psql shows them:
 *     -- name: project_dashboard
 *     -- class: dashboard
 *     -- what: tasks per project in the last 24 hours
 *     -- uses: ai_tasks_project_id_failed_idx
 *     -- $1 project uuid: SELECT id FROM projects ORDER BY id LIMIT 100
 *     SELECT ... WHERE project_id = $1;
 *     -- before: the same without what the deck adds
 *     SELECT ...
 * name, class and one statement must be there; uses names the indexes that it needs; each $n has
 * a type and a SELECT whose first column gives the values it may take. Any other remark may stand
 * between. Constant once loaded; lives in the arena. */
#pragma once
#include "base/arena.h"
#include "base/error.h"

struct workload_parameter {
    const char *name;
    const char *type;       /* as SQL spells it: "uuid", "timestamp with time zone" */
    const char *candidates; /* a SELECT */
    struct place place;     /* of the type */
    struct place candidates_place;
};

struct workload_query {
    const char *name;
    const char *class_name; /* kind of work: shown together */
    const char *what;       /* one line for people; "" : none */
    struct place place;     /* of the name */
    LIST_OF(const char *) uses;
    LIST_OF(struct workload_parameter) parameters; /* $1 first */
    const char *sql;                               /* without the final semicolon */
    struct place sql_place;
    /* The same question to a server without the deck, which lacks what sql reads; NULL: it can
     * answer sql itself. */
    const char *before_sql;
    struct place before_place;
};

struct workload {
    const char *folder;
    LIST_OF(struct workload_query) queries; /* in the order of the files' names */
};

/* Reads all *.sql files of folder. The first fault is the error: ERROR_DECK with its place and a
 * hint, ERROR_FILE when a file or the folder cannot be read. */
bool workload_load(struct arena *arena, const char *folder, struct workload *ret_workload,
                   struct error *err) MUST_CHECK;
/* Reads one file's text; path is for the places. */
bool workload_read_query(struct arena *arena, const char *path, const char *text,
                         struct workload_query *ret_query, struct error *err) MUST_CHECK;
/* Where the character number position (from 1, as servers report faults) of a text that begins
 * at start is. */
struct place workload_place(struct place start, const char *text, int position);
