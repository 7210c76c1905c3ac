/* Inside of bench/: the program pgbench as the engine of a suite. It works in a database of its
 * own, so that nobody's tables are touched, with the settings of the deck's database. */
#pragma once
#include "bench/cost.h"
#include "bench/run.h"

/* One server that pgbench works on. */
struct pgbench_place {
    const char *name;         /* of the scratch database; both arms may be one server */
    PGconn *server;           /* in the arm's database */
    PGconn *database;         /* in the scratch database; NULL: not made */
    struct bench_meter meter; /* on database */
    const char *const *environment;
    uint64_t checkpoint_lsn; /* WAL position after the last CHECKPOINT */
};

struct pgbench {
    struct bench_run *run;
    const char *program;
    const char *folder; /* temporary: logs, scripts */
    struct pgbench_place places[BENCH_ARMS];
};

/* pgbench_place.c */
/* For data, WAL and bloat. */
int64_t pgbench_needed_megabytes(const struct bench_options *options);
/* Finds the program and looks at the servers; changes nothing. */
bool pgbench_check(struct pgbench *pgbench, struct error *err) MUST_CHECK;
/* Makes the scratch databases and fills them. */
bool pgbench_make(struct pgbench *pgbench, struct error *err) MUST_CHECK;
/* Removes them, and the folder. */
void pgbench_remove(struct pgbench *pgbench);

/* What one execution of the program is to do. */
struct pgbench_order {
    const struct pgbench_script *script;
    size_t arm;
    uint64_t transactions; /* of each client; 0: for so many seconds */
    int seconds;
    uint64_t seed;
};
struct pgbench_script {
    const char *name, *class_name, *what;
    const char *option; /* "-S"; a file is given to -f */
    const char *file;   /* embedded; NULL: built into pgbench */
};
/* What it did. */
struct pgbench_outcome {
    struct histogram *service;
    struct histogram *response; /* NULL: no schedule */
    uint64_t done, serialization, deadlock, other_failures;
    double seconds, driver_cpu_ns;
    double sum_ns; /* of the latencies */
    struct bench_cost cost;
};

/* pgbench_program.c */
/* Runs the program; histograms must be there, and are added to. */
bool pgbench_run(struct pgbench *pgbench, const struct pgbench_order *order,
                 struct pgbench_outcome *outcome, struct error *err) MUST_CHECK;
/* pgbench -i */
bool pgbench_fill(struct pgbench *pgbench, size_t arm, struct error *err) MUST_CHECK;
/* Reads one log of pgbench -l. False: not in its form. */
bool pgbench_read_log(const char *text, bool has_schedule, struct pgbench_outcome *outcome);
/* How the program is called, for the reader. */
const char *pgbench_command(struct pgbench *pgbench, const struct pgbench_script *script);
