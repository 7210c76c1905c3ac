/* The verbs of pgdeck index, one function each, and what they share. */
#pragma once
#include "advise/fault.h"
#include "advise/verify.h"
#include "cli/command.h"
#include "cli/run_plan.h"
#include "index/status.h"

cli_run index_status, index_propose, index_verify, index_review;

struct index_reports {
    LIST_OF(struct index_report) list;
};

void index_print_tables(const struct cli *cli, const struct index_reports *reports);
bool index_print_json(const struct index_reports *reports, struct error *err) MUST_CHECK;

/* Where the statements run: a database of the deck, or any other. */
struct index_source {
    const char *database, *from;
    const struct deck_database *declared; /* NULL: of no deck */
};
bool index_find_source(struct cli *cli, struct index_source *source, struct pg_target *ret_target,
                       struct error *err) MUST_CHECK;
/* A statement on one line, cut where it gets long. */
const char *index_one_line(struct arena *arena, const char *sql);

/* A fault in a statement and, when a copy was made, whether the other form gives the same rows. */
struct index_fault {
    struct advise_fault fault;
    enum advise_equality equality;
    const char *why; /* not compared */
};
struct index_faults {
    LIST_OF(struct index_fault) list;
};
void index_print_faults(const struct cli *cli, const struct advise *run,
                        const struct index_faults *faults);
struct json_t *index_faults_json(const struct advise *run, const struct index_faults *faults);

void index_print_advice(const struct cli *cli, const struct advise *run,
                        const struct index_faults *faults);
bool index_print_advice_json(const struct advise *run, const struct index_faults *faults,
                             struct error *err) MUST_CHECK;
void index_print_proof(const struct cli *cli, const struct advise *run,
                       const struct advise_proof *proof, const struct index_faults *faults);
bool index_print_proof_json(const struct advise *run, const struct advise_proof *proof,
                            const struct index_faults *faults, struct error *err) MUST_CHECK;

struct index_consent {
    bool is_yes;
    bool is_named;                 /* each index that is shown was named: all of them or nothing */
    const struct cli_locks *locks; /* of all servers */
};
/* Drops, of the indexes that are shown, those with a finding that says so; journalled, so that
 * rollback brings them back. */
bool index_drop(struct cli *cli, const struct deck *deck, const struct index_reports *reports,
                const struct index_consent *consent, struct error *err) MUST_CHECK;
