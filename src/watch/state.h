/* What a running watch knows. A generation is made of the decks and thrown away whole at SIGHUP;
 * what has to outlive it (series, counters of statements) is in the memory, by name. Collectors
 * write with `lock` held, never while they ask a database; the publisher reads with it. */
#pragma once
#include "watch/forecast.h"
#include "watch/host.h"
#include "watch/session.h"
#include "watch/statements.h"
#include "watch/target.h"
#include "watch/watch.h"

#include <pthread.h>

enum {
    WATCH_EVENTS = 12,
    WATCH_STEP_S = 10,
    WATCH_STEPS = 360,
    WATCH_DAY_STEP_S = 300,
    WATCH_DAY_STEPS = 288,
    WATCH_TASKS = 24
};

/* Sessions by wait event: the busiest events have a column, the rest share the last one. */
struct watch_load {
    char *events[WATCH_EVENTS]; /* "CPU", "IO:DataFileRead"; [0] CPU, last one "other" */
    struct watch_load_step {
        int64_t step; /* time / length of the step; 0: nothing */
        float samples;
        float sessions[WATCH_EVENTS]; /* sums over the samples */
    } hour[WATCH_STEPS], day[WATCH_DAY_STEPS];
};

/* One thing that is kept by name for as long as the process runs. */
struct watch_kept {
    char *name; /* "DECK/ENVIRONMENT/cache_hit", "DECK/SERVER" */
    void *value;
    void (*release)(void *value);
    struct watch_kept *next;
};

struct watch_counters { /* of one database, as the server says them */
    double counted_since;
    double commits, rollbacks, blocks_hit, blocks_read, temp_files, temp_bytes, deadlocks,
        conflicts;
    double rows_read, rows_inserted, rows_updated, rows_deleted, checksum_failures;
};
enum { WATCH_COUNTERS = 13 }; /* all but counted_since */

struct watch_server {
    const struct deck *deck;
    const struct deck_server *server;
    struct watch_collector *leader; /* who asks for all of the server; NULL: nobody can */
    struct watch_collector *statements_leader;
    struct watch_load *load; /* this and the next two are the memory's */
    struct watch_statements *statements;
    struct watch_server_log *log;
    char version[32];
    char grant_sql[192]; /* without it nobody sees what others' sessions do; "": granted */
    bool is_known, is_in_recovery;
    double started_at, replay_lag_s, xid_age, multixact_age, wal_bytes;
    int max_connections, reserved_connections;
    double sampled_at; /* of the newest activity */
    double sessions, active, idle_in_transaction, waiting_for_lock;
    double oldest_transaction_s;
    json_t *blocking; /* sessions that wait or are waited for; NULL: nobody */
    double blocking_at;
    int cores; /* 0: unknown */
    struct watch_host host;
};

struct watch_collector { /* of one database */
    struct watch *watch;
    struct watch_generation *generation;
    const struct deck_database *database;
    struct watch_server *server;
    struct watch_session session;
    pthread_t thread;
    bool is_started;
    long long due_ms[WATCH_TASKS], host_due_ms, explain_due_ms;
    unsigned prepared;              /* bits by task, of this session */
    char faults[WATCH_TASKS][1024]; /* why a task knows nothing; "" : it does */
    bool was_asked, is_reachable;
    char error[1024];
    double since; /* of is_reachable */
    unsigned oid;
    /* of the newest samples */
    bool has_counters;
    struct watch_counters counters, totals; /* as read; summed over resets since the start */
    double sessions, active, idle_in_transaction, xid_age;
    /* what can be asked here */
    bool is_probed, may_read_log, has_stats_since, has_history, has_recorder, has_targets,
        has_ai_tasks, has_growth, may_record_growth;
    char statements_schema[64]; /* "": no pg_stat_statements */
    double ai_since, ai_until;  /* what the question of ai_tasks is about */
    int64_t remembering;        /* the batch that ends before is being written */
    double recorded_at;         /* into the history of the database; 0: never */
    char record_said[256];
    double forecast_at;
    size_t forecast_count;
    struct watch_forecast forecasts[WATCH_FORECASTS];
};

struct watch_pools;
struct watch_pool_queries;
struct watch_scraper { /* of a deck whose pool shows its metrics */
    struct watch *watch;
    struct watch_generation *generation;
    const struct deck *deck;
    struct watch_pools *pools; /* this and the next are the memory's */
    struct watch_pool_queries *queries;
    pthread_t thread;
    bool is_started;
};

struct watch_generation {
    struct watch_decks decks;
    LIST_OF(struct watch_server) servers;
    LIST_OF(struct watch_collector) collectors; /* of all databases */
    LIST_OF(struct watch_scraper) scrapers;
    int stop; /* eventfd: readable when the collectors are to end */
};

struct watch {
    const struct watch_options *options;
    struct watch_board *board;
    struct watch_generation *generation;
    pthread_mutex_t lock;
    struct watch_kept *kept;
    double started_at;
    bool is_ending;
    pthread_t publisher;
    int publisher_stop;
};

/* --- daemon.c --- */
double watch_now(void);       /* Unix seconds */
long long watch_now_ms(void); /* monotonic */
void watch_log(struct watch *watch, const char *format, ...) PRINTF_LIKE(2, 3);
/* What is kept under that name, made where it is not there yet. With the lock. */
void *watch_keep(struct watch *watch, const char *name, void *(*make)(void),
                 void (*release)(void *value));
struct watch_series *watch_keep_series(struct watch *watch, const char *name, size_t width);

void *watch_collect(void *collector); /* collector.c: a thread */
/* --- task.c --- */
typedef void watch_reader(struct watch_collector *collector, const PGresult *result, double now);
typedef bool watch_condition(const struct watch_collector *collector);
enum watch_scope { WATCH_OF_DATABASE, WATCH_OF_SERVER, WATCH_OF_STATEMENTS };
enum { WATCH_PARAMETERS_MAX = 3 };
typedef int watch_parameters(struct watch_collector *collector, struct arena *arena,
                             const char *ret_parameters[WATCH_PARAMETERS_MAX]);
struct watch_task {
    const char *name; /* also of the file: watch/sql/NAME.sql */
    int interval_ms;
    size_t interval_of_deck;    /* in struct deck_watch, an int; 0: none */
    enum watch_scope scope;     /* of the server: its leader asks; of its statements: the leader of
                                 * those databases that can */
    watch_reader *read;         /* with the lock */
    watch_condition *is_wanted; /* whether it is worth asking now; NULL: always. With the lock */
    bool needs_statistics;      /* of the sessions of all */
    /* With the lock: the statement, where it is not the file as it is; its parameters, returned as
     * their number. */
    const char *(*sql)(const struct watch_collector *collector, struct arena *arena);
    watch_parameters *parameters;
};
extern const struct watch_task watch_tasks[];
extern const size_t watch_task_count;
/* --- activity.c, blocking.c, counters.c, query.c, ai_task.c, history.c, host.c --- */
watch_reader watch_read_activity, watch_read_server, watch_read_databases, watch_read_blocking,
    watch_read_probe, watch_read_statements, watch_read_texts, watch_read_yesterday,
    watch_read_ai_tasks, watch_read_recall, watch_read_remember, watch_read_record,
    watch_read_folders, watch_read_forecast;
watch_condition watch_is_blocked, watch_lacks_texts, watch_has_history, watch_has_ai_tasks,
    watch_wants_recall, watch_wants_remember, watch_wants_record, watch_has_growth,
    watch_wants_room;
void *watch_load_new(void);
void watch_load_free(void *load);
const char *watch_statements_sql(const struct watch_collector *collector, struct arena *arena);
const char *watch_texts_sql(const struct watch_collector *collector, struct arena *arena);
watch_parameters watch_texts_parameters, watch_ai_parameters, watch_remember_parameters,
    watch_record_parameters, watch_room_parameters;
/* A number of a result; 0 for an SQL null. */
double watch_value(const PGresult *result, int row, const char *column);
struct watch_collector *watch_find_database(struct watch_collector *collector, unsigned oid);
/* --- explain.c --- */
/* Plans the costliest statement of the database whose plan nobody has looked at for a while. False:
 * the session is lost. Without the lock. */
bool watch_explain_next(struct watch_collector *collector, struct error *err) MUST_CHECK;
/* --- publish.c --- */
void *watch_publish(void *watch); /* a thread */
/* --- target.c --- */
void watch_add_connections(struct watch_collector *collector, double now);
