/* The server to compare with, made for the occasion: a private one of the same version, with
 * PostgreSQL's defaults, the schema as its file says (no indexes but those of its keys, no
 * partitions) and a copy of the data. Main thread. */
#pragma once
#include "bench/bench.h"
#include "local/server.h"

struct bench_stock_order {
    struct pg_target source;                           /* the deck's database */
    const char *database;                              /* its name; stock's is called the same */
    const char *schema_path;                           /* NULL: no tables and no data are needed */
    int64_t suites_megabytes;                          /* what the suites will write there */
    void (*progress)(void *context, const char *line); /* NULL: none */
    void *progress_context;
};
struct bench_stock {
    struct local_server server;
    bool is_made;
    const char *conninfo;
};

/* Whether it can be made: room, programs of that version, nobody else's. Makes nothing; removes
 * what a killed run has left. */
bool bench_stock_check(struct arena *arena, const struct bench_stock_order *order,
                       struct error *err) MUST_CHECK;
/* Nothing is left on failure. Errors: ERROR_DISK_FULL before anything is made, ERROR_FILE without
 * the programs of that version, ERROR_LOCKED when another one is in use. */
bool bench_stock_make(struct arena *arena, const struct bench_stock_order *order,
                      struct bench_stock *ret_stock, struct error *err) MUST_CHECK;
void bench_stock_remove(struct bench_stock *stock);
