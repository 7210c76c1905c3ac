/* pgdeck demo: two private servers with the same data, `stock` as PostgreSQL comes and `deck` as
 * the deck wants it, compared by a benchmark. Inner side of cmd_demo.c; the steps run in the
 * order of its table, each sees what those before it have filled in. */
#pragma once
#include "base/arena.h"
#include "base/error.h"
#include "bench/bench.h"
#include "cli/command.h"
#include "deck/deck.h"
#include "local/server.h"
#include <time.h>

enum demo_role { DEMO_STOCK, DEMO_DECK, DEMO_SERVERS };

struct demo {
    struct cli *cli;
    /* Options. */
    const char *template_path; /* --deck: the deck to show; NULL: the shipped one */
    long size;                 /* of the data in the database that is measured */
    bool is_kept, is_quick;
    /* Filled in by the steps. */
    struct timespec started;
    double shown_s;     /* when the last line of progress was */
    const char *folder; /* STATE/demo: what is left for the reader */
    const char *report_folder;
    const char *deck_path;                /* the deck that is written */
    const char *data_sql;                 /* text of data.sql */
    const struct deck *deck;              /* as written */
    const struct deck_database *measured; /* the database of the benchmark */
    struct local_server servers[DEMO_SERVERS];
    bool is_made[DEMO_SERVERS];
    bool has_pool;       /* the deck has services, which come in through it */
    const char *service; /* conninfo of a service's login; NULL: the deck has none */
    const struct bench_results *results;
    const char *dashboard; /* its URL; NULL: none */
    const char *load;      /* what is said of it */
};

/* Steps. */
bool demo_prepare(struct demo *demo, struct error *err) MUST_CHECK;      /* deck found, space */
bool demo_make_servers(struct demo *demo, struct error *err) MUST_CHECK; /* and the deck file */
bool demo_make_stock(struct demo *demo, struct error *err) MUST_CHECK;
bool demo_plan(struct demo *demo, struct error *err) MUST_CHECK;
bool demo_apply(struct demo *demo, struct error *err) MUST_CHECK;
bool demo_load(struct demo *demo, struct error *err) MUST_CHECK;
bool demo_secure(struct demo *demo, struct error *err) MUST_CHECK;
bool demo_measure(struct demo *demo, struct error *err) MUST_CHECK;
/* With --keep, at the end: pgdeck pool and watch, and what the deck's load/ has for pgbench. */
bool demo_go_live(struct demo *demo, struct error *err) MUST_CHECK;

/* Where in a session of an application SQL is sent to; conninfo in the command's arena. */
struct pg_target demo_target(const struct demo *demo, enum demo_role role, const char *database);
/* Runs this program with a command and the demo's deck. transcript: file for its stdout; NULL:
 * ours. */
bool demo_run(struct demo *demo, const char *const words[4], const char *transcript,
              int *ret_status, struct error *err) MUST_CHECK;
/* The last line of a transcript: the outcome in one sentence. */
void demo_print_last_line(struct demo *demo, const char *path);
/* The error whose exit status that is. */
enum error_code demo_code_of_status(int status);
/* A line of progress for a long step: about each second on a terminal, each 10 s elsewhere. */
void demo_progress(struct demo *demo, const char *line);
