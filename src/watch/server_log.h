/* What a server's log said: errors by SQLSTATE, slow statements by fingerprint, plans of
 * auto_explain. Read over the connection, from where it ended when watch began. All is bounded;
 * owned by the memory of watch, under its lock. */
#pragma once
#include "watch/document.h"

enum {
    WATCH_LOG_ERRORS = 64,   /* SQLSTATEs; the last one is "other" */
    WATCH_LOG_QUERIES = 100, /* the longest unseen makes room */
    WATCH_LOG_SLOTS = 12,
    WATCH_LOG_NAME = 64 /* bytes of a database's name, with its end */
};

struct watch_log_error {
    char sqlstate[8]; /* "unknown": the log does not say */
    char database[WATCH_LOG_NAME], message[400];
    double total, last_at; /* since watch began; message and database are of the last one */
    struct {
        int64_t step; /* time / WATCH_SLOT_S */
        double count;
    } slots[WATCH_LOG_SLOTS];
};

struct watch_log_query {
    uint64_t fingerprint;
    char database[WATCH_LOG_NAME]; /* "": the log does not say */
    char *text;
    double calls, total_ms, max_ms, last_at;
    unsigned explained; /* runs that auto_explain told, and nothing else since */
    struct watch_plans plans;
};

struct watch_server_log {
    char *file; /* NULL: nothing was read yet */
    long long position;
    char problem[256];
    double at, skipped_bytes, left_out; /* left_out: statements that nobody had time for */
    struct watch_log_error errors[WATCH_LOG_ERRORS];
    size_t error_count;
    struct watch_log_query queries[WATCH_LOG_QUERIES];
    size_t query_count;
};

void *watch_server_log_new(void);
void watch_server_log_free(void *log);
watch_reader watch_read_log;
watch_condition watch_may_read_log;
watch_parameters watch_log_parameters;
json_t *watch_log_document(struct watch *watch, double now);
/* What the log said of the runs of a statement that were slow; JSON null: nothing. */
json_t *
watch_log_runs(const struct watch_server_log *log, uint64_t fingerprint, const char *database);
/* The plans of a statement that auto_explain wrote into the log; an array. */
json_t *
watch_log_plans(const struct watch_server_log *log, uint64_t fingerprint, const char *database);
