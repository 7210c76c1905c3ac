/* One run of the advisor: the sessions, what was read, what is proposed, and the steps from one to
 * the other, in the order in which advise_run takes them. */
#pragma once
#include "advise/advise.h"
#include "advise/read.h"

struct advise_replaced { /* an index that is there, and may be dropped then */
    const char *name, *drop_sql;
};

struct advise_choice { /* an index that is proposed */
    size_t candidate;
    LIST_OF(size_t) helped; /* statements whose cost it lowers */
    LIST_OF(size_t) unhot;  /* updates that would no longer be HOT */
    LIST_OF(struct advise_replaced) replaced;
    const char *name, *create_sql, *drop_sql;
};

struct advise {
    struct arena *arena;
    struct pg_target target;
    const char *search_path; /* NULL: what the session gets */
    double budget_bytes;     /* of all proposed indexes; 0: none */
    void (*progress)(void *sink, const char *line);
    void *progress_sink;

    PGconn *catalog; /* reads catalogs */
    PGconn *planner; /* plans the statements, as an application's session */
    const char *database;
    const char *schemas; /* of the search path, text[] */
    const char *hypopg;  /* its schema; NULL: by rules */
    const char *words;   /* default_text_search_config */
    bool has_sessions;
    LIST_OF(const char *) sessions; /* what others ran last; read when it is needed */
    int major;
    LIST_OF(struct advise_statement) statements;
    struct advise_tables tables;
    LIST_OF(struct advise_candidate) candidates;
    LIST_OF(struct advise_choice) choices;
    LIST_OF(const char *) notes; /* that the user should know, each once */
    double before, after;        /* of all statements, times their calls */
    int recoveries;              /* connections lost and opened again */
    size_t plan_count;           /* how often the planner was asked */
};

void advise_note(struct advise *run, const char *format, ...) PRINTF_LIKE(2, 3);
void advise_progress(struct advise *run, const char *format, ...) PRINTF_LIKE(2, 3);

bool advise_open_planner(struct advise *run, struct error *err) MUST_CHECK;
/* After a fault: when the connection was lost, opens it again and prepares what was prepared, so
 * that what failed can be tried again (three times a run); else err is the fault. */
bool advise_recover(struct advise *run, const struct error *fault, struct error *err) MUST_CHECK;
/* Opens the sessions. */
bool advise_open(struct advise *run, struct error *err) MUST_CHECK;
/* Adds statements. The same one twice counts once, with the calls of both. */
void advise_add(struct advise *run, const struct advise_statement *statement);
/* Reads, plans, chooses. Statements with a problem are passed over. Errors: the connection. */
bool advise_run(struct advise *run, struct error *err) MUST_CHECK;
void advise_close(struct advise *run);

/* The steps. */
bool advise_parse(struct advise *run, struct error *err) MUST_CHECK;
/* Reads the queries of the views among the tables, and the tables behind them. */
bool advise_read_views(struct advise *run, struct error *err) MUST_CHECK;
/* Puts the constants that an index on an expression needs in the place of the parameters that
 * pg_stat_statements made of them, where they can be known; else the hint says which are not. */
bool advise_find_constants(struct advise *run, struct advise_statement *statement,
                           struct error *err) MUST_CHECK;
bool advise_bind(struct advise *run, struct error *err) MUST_CHECK;
bool advise_propose(struct advise *run, struct error *err) MUST_CHECK;
void advise_charge(struct advise *run);
/* Whether its updates would no longer be HOT: each then writes into every index of the table. */
bool advise_breaks_hot(struct advise *run, const struct advise_candidate *candidate,
                       const struct advise_statement *statement);
void advise_charge_one(struct advise *run, struct advise_candidate *candidate);
bool advise_select(struct advise *run, struct error *err) MUST_CHECK;
void advise_finish(struct advise *run);
const char *advise_drop_sql(struct arena *arena, const char *name, bool is_partitioned);

/* Estimated cost of one run of a statement with these candidates there, on average over its
 * parameters; from memory when it was asked before. */
bool advise_cost(struct advise *run, struct advise_statement *statement, const size_t *set,
                 size_t count, double *ret_cost, struct error *err) MUST_CHECK;
/* Whether the server takes the candidate; sets its size. */
bool
advise_try(struct advise *run, struct advise_candidate *candidate, struct error *err) MUST_CHECK;
enum { ADVISE_SAMPLES = 3 };
/* The statement with literals in the place of its parameters; NULL: a value is not known. */
const char *
advise_with_values(struct arena *arena, const struct advise_statement *statement, size_t sample);

/* The plan of sql (NULL: the statement's generic one), which is not run, with the indexes that are
 * live. */
bool advise_explain(struct advise *run, const struct advise_statement *statement, const char *sql,
                    struct advise_plan *ret_plan, struct error *err) MUST_CHECK;

/* Cost of a plan when, besides, there are candidates of the set that the planner cannot be shown:
 * by rules from the plan's scans and the tables' statistics. */
double advise_rule_cost(const struct advise *run, const struct advise_plan *plan, double cost,
                        const size_t *set, size_t count);
double advise_rule_size(const struct advise_candidate *candidate);
/* Candidates that are no plain btree: GIN for documents, arrays, words and parts of words, BRIN for
 * what comes in order. */
void advise_propose_special(struct advise *run, size_t statement,
                            const struct advise_reference *reference);
/* Adds the candidate unless the index is there; one that is known gets the statement (SIZE_MAX:
 * none). Returns its number; SIZE_MAX: the index is there. */
size_t
advise_add_candidate(struct advise *run, size_t statement, struct advise_candidate candidate);
/* Builds the candidate on a sample of its table's rows (share 0: none), in a transaction that is
 * rolled back, and sets its size, or is_bad. */
bool
advise_sample(struct advise *run, struct advise_candidate *candidate, struct error *err) MUST_CHECK;
/* Whether hypopg shows the planner such an index. */
bool advise_is_shown(const struct advise *run, const struct advise_candidate *candidate);

/* The proposed indexes as lines for a deck's file of indexes, each with what it is for. */
void advise_write_accepted(const struct advise *run, struct text *text);
