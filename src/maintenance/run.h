/* One run in one database, as what finds and does its tasks sees it. */
#pragma once
#include "maintenance/maintenance.h"

struct maintenance_run {
    struct arena *arena;
    const struct maintenance_options *options;
    const struct deck_database *database;
    const struct deck_maintenance *wanted;
    const struct pg_target *target;
    PGconn *connection; /* holds the lock on the database's maintenance */
    struct maintenance_report *report;
    const char *id;        /* of the record; NULL: dry */
    bool has_record;       /* the tables of the record are there */
    long long deadline_ms; /* monotonic */
    const char *task_name; /* of its record */
    int64_t wal_left_bytes;
};

/* Adds a task and returns it. */
struct maintenance_task *
maintenance_add(struct maintenance_run *run, const char *task, const char *what, const char *why);
void maintenance_find(struct maintenance_run *run, enum maintenance_severity severity,
                      const char *sql, const char *format, ...) PRINTF_LIKE(4, 5);
/* Runs the file's query with text parameters on the run's connection. */
bool maintenance_query(struct maintenance_run *run, const char *path, int parameter_count,
                       const char *const *parameters, PGresult **ret_result,
                       struct error *err) MUST_CHECK;
void maintenance_tell(const struct maintenance_run *run, const char *format, ...) PRINTF_LIKE(2, 3);
long long maintenance_now_ms(void); /* monotonic */
/* Until the window ends; 0: it has. */
long long maintenance_left_ms(const struct maintenance_run *run);
bool maintenance_is_over(const struct error *err, const struct maintenance_run *run);

/* What looks for work: each adds tasks and findings, none changes anything. */
typedef bool maintenance_finder(struct maintenance_run *run, struct error *err);
maintenance_finder maintenance_find_tables, maintenance_find_invalid, maintenance_find_partitions,
    maintenance_find_defaults, maintenance_find_retention, maintenance_find_backup,
    maintenance_find_bloat, maintenance_find_unused, maintenance_find_autovacuum,
    maintenance_find_review;

/* --- record.c --- */
bool maintenance_record_there(struct maintenance_run *run, struct error *err) MUST_CHECK;
bool maintenance_record_ensure(struct maintenance_run *run, struct error *err) MUST_CHECK;
/* Begins the run's record or goes on with the window's one that was broken off; ret_id NULL: it has
 * been done before. */
bool maintenance_record_begin(struct maintenance_run *run, struct error *err) MUST_CHECK;
bool maintenance_record_end(struct maintenance_run *run, struct error *err) MUST_CHECK;
bool maintenance_record_task(struct maintenance_run *run, const struct maintenance_task *task,
                             const char **ret_seq, struct error *err) MUST_CHECK;
bool maintenance_record_outcome(struct maintenance_run *run, struct maintenance_task *task,
                                const char *seq, struct error *err) MUST_CHECK;
