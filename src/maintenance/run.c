// SPDX-License-Identifier: MIT
#include "maintenance/run.h"

#include "base/crash.h"
#include "base/embed.h"
#include "base/interrupt.h"
#include "plan/plan.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { ON_DAILY = 1 << MAINTENANCE_DAILY, ON_WEEKLY = 1 << MAINTENANCE_WEEKLY };
enum { ON_MONTHLY = 1 << MAINTENANCE_MONTHLY, ALWAYS = ON_DAILY | ON_WEEKLY | ON_MONTHLY };

/* In the order in which the work is done: what frees room and keeps writers going first. */
static const struct {
    unsigned kinds;
    maintenance_finder *find;
    const char *what;
} finders[] = {
    {ALWAYS, maintenance_find_invalid, "indexes left invalid"},
    {ALWAYS, maintenance_find_partitions, "partitions to be made"},
    {ALWAYS, maintenance_find_defaults, "default partitions"},
    {ON_MONTHLY, maintenance_find_retention, "partitions past their time"},
    {ALWAYS, maintenance_find_tables, "tables"},
    {ON_WEEKLY, maintenance_find_bloat, "bloat of indexes"},
    {ON_WEEKLY | ON_MONTHLY, maintenance_find_unused, "unused indexes"},
    {ON_WEEKLY | ON_MONTHLY, maintenance_find_autovacuum, "settings of autovacuum"},
    {ALWAYS, maintenance_find_backup, "backups"},
    {ON_MONTHLY, maintenance_find_review, "the page of the month"},
};

const char *
maintenance_kind_name(enum maintenance_kind kind)
{
    static const char *const names[] = {"daily", "weekly", "monthly"};

    return names[kind];
}

const char *
maintenance_state_name(enum maintenance_state state)
{
    static const char *const names[] = {"planned", "done", "failed", "stopped", "left"};

    return names[state];
}

const char *
maintenance_severity_name(enum maintenance_severity severity)
{
    static const char *const names[] = {"info", "warning", "critical"};

    return names[severity];
}

long long
maintenance_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

long long
maintenance_left_ms(const struct maintenance_run *run)
{
    long long left_ms = run->deadline_ms - maintenance_now_ms();

    return left_ms > 0 ? left_ms : 0;
}

/* The statement was cancelled by its timeout, which is the window's end. */
bool
maintenance_is_over(const struct error *err, const struct maintenance_run *run)
{
    enum { CLOCKS_DIFFER_MS = 100 };

    return strcmp(err->sqlstate, "57014") == 0 && maintenance_left_ms(run) <= CLOCKS_DIFFER_MS;
}

void
maintenance_tell(const struct maintenance_run *run, const char *format, ...)
{
    va_list args;

    if (run->options->on_progress == NULL)
        return;
    va_start(args, format);
    run->options->on_progress(run->options->sink, arena_vprintf(run->arena, format, args));
    va_end(args);
}

struct maintenance_task *
maintenance_add(struct maintenance_run *run, const char *task, const char *what, const char *why)
{
    struct maintenance_task *added = LIST_ADD(run->arena, &run->report->tasks);

    *added = (struct maintenance_task){
        .task = task, .what = what, .why = why, .sql = "", .gained = "", .error = ""};
    return added;
}

void
maintenance_find(struct maintenance_run *run, enum maintenance_severity severity, const char *sql,
                 const char *format, ...)
{
    struct maintenance_finding *finding = LIST_ADD(run->arena, &run->report->findings);
    va_list args;

    va_start(args, format);
    finding->severity = severity;
    finding->text = arena_vprintf(run->arena, format, args);
    finding->sql = sql;
    va_end(args);
}

bool
maintenance_query(struct maintenance_run *run, const char *path, int parameter_count,
                  const char *const *parameters, PGresult **ret_result, struct error *err)
{
    return pg_query(run->connection, embedded_file(path)->text, parameter_count, parameters,
                    ret_result, err);
}

/* --- the session -------------------------------------------------------------------------- */

/* The session that works holds the lock, so that nobody takes over what a killed pgdeck began
 * before the server has noticed and ended it. Losing the last records in a crash of the server
 * costs no more than doing that work again. */
static bool
open_session(struct maintenance_run *run, bool *ret_is_taken, struct error *err)
{
    /* Another run's session, the one before in this program, too, may be about to end. */
    enum { RETRY_MS = 200, RETRIES = 10 };
    char host[64] = "", name[64];
    const char *parameters[2] = {name, run->options->is_gentle ? "2ms" : "0"};
    AUTO_PGRESULT named = NULL;

    gethostname(host, sizeof(host) - 1);
    snprintf(name, sizeof(name), "pgdeck maintain %.30s:%d", host, (int)getpid());
    if (!pg_connect(run->target, &run->connection, err))
        return false;
    if (!pg_query(run->connection,
                  "SELECT set_config('application_name', $1, false), "
                  "set_config('synchronous_commit', 'off', false), "
                  "set_config('vacuum_cost_delay', $2, false)",
                  2, parameters, &named, err))
        return false;
    for (int tries = 0; tries <= RETRIES; tries++) {
        AUTO_PGRESULT result = NULL;
        if ((tries > 0 && !interrupt_sleep_ms(RETRY_MS, err)) ||
            !maintenance_query(run, "maintenance/sql/lock.sql", 0, NULL, &result, err))
            return false;
        *ret_is_taken = pg_bool(result, 0, "is_taken");
        if (*ret_is_taken || run->options->is_dry_run)
            return true;
    }
    return true;
}

static bool
name_holder(struct maintenance_run *run, struct error *err)
{
    AUTO_PGRESULT result = NULL;

    run->report->is_held = true;
    run->report->holder = "";
    if (!maintenance_query(run, "maintenance/sql/holder.sql", 0, NULL, &result, err))
        return false;
    if (PQntuples(result) > 0)
        run->report->holder = pg_keep_text(run->arena, result, 0, "holder");
    return true;
}

/* --- finding and doing -------------------------------------------------------------------- */

static bool
find_all(struct maintenance_run *run, struct error *err)
{
    for (size_t i = 0; i < sizeof(finders) / sizeof(finders[0]); i++) {
        struct error fault = {0};
        if ((finders[i].kinds & 1U << run->options->kind) == 0 || finders[i].find(run, &fault))
            continue;
        if (fault.code == ERROR_INTERRUPTED || PQstatus(run->connection) != CONNECTION_OK) {
            *err = fault;
            return false;
        }
        struct maintenance_task *task =
            maintenance_add(run, "look", arena_printf(run->arena, "look at %s", finders[i].what),
                            "whether there is work");
        task->state = MAINTENANCE_FAILED;
        task->error = arena_strdup(run->arena, fault.message);
    }
    return true;
}

static void
settle(struct maintenance_run *run, struct maintenance_task *task, const struct error *fault)
{
    task->state = MAINTENANCE_DONE;
    if (fault->code == ERROR_NONE)
        return;
    if (fault->code == ERROR_REFUSED) {
        task->state = MAINTENANCE_LEFT;
        task->error = arena_strdup(run->arena, fault->message);
    } else if (maintenance_is_over(fault, run)) {
        task->state = MAINTENANCE_STOPPED;
        task->error = "the window ended";
    } else {
        task->state = MAINTENANCE_FAILED;
        task->error = fault->detail[0] == '\0'
                          ? arena_strdup(run->arena, fault->message)
                          : arena_printf(run->arena, "%s (%s)", fault->message, fault->detail);
    }
}

/* Fails when nothing more can be done: interrupted, or the connection is gone. */
static bool
perform(struct maintenance_run *run, struct maintenance_task *task, struct error *err)
{
    struct error fault = {0};
    const char *seq;

    if (!maintenance_record_task(run, task, &seq, err))
        return false;
    crash_point();
    bool is_fine = task->perform != NULL ? task->perform(run, task, &fault)
                                         : pg_execute(run->connection, task->sql, &fault);
    crash_point();
    if (!is_fine && (fault.code == ERROR_INTERRUPTED || is_interrupted() ||
                     PQstatus(run->connection) != CONNECTION_OK)) {
        *err = fault;
        return error_wrap(err, "%s", task->what);
    }
    settle(run, task, &fault);
    return maintenance_record_outcome(run, task, seq, err);
}

static bool
perform_all(struct maintenance_run *run, struct error *err)
{
    size_t count = run->report->tasks.count;

    for (size_t i = 0; i < count; i++) {
        struct maintenance_task *task = &run->report->tasks.items[i];
        if (task->state != MAINTENANCE_PLANNED)
            continue;
        if (maintenance_left_ms(run) == 0) {
            task->state = MAINTENANCE_STOPPED;
            task->error = "the window ended";
            continue;
        }
        maintenance_tell(run, "[%zu/%zu] %s: %s", i + 1, count, run->database->name, task->what);
        if (!perform(run, task, err))
            return false;
    }
    return true;
}

static bool
tend(struct maintenance_run *run, struct error *err)
{
    bool is_taken;

    if (!open_session(run, &is_taken, err))
        return false;
    if (!is_taken && !run->options->is_dry_run)
        return name_holder(run, err);
    if (run->options->is_dry_run ? !maintenance_record_there(run, err)
                                 : !maintenance_record_begin(run, err))
        return false;
    if (!run->options->is_dry_run && run->id == NULL) {
        run->report->is_before = true;
        return true;
    }
    crash_point();
    if (!find_all(run, err))
        return false;
    return run->options->is_dry_run || (perform_all(run, err) && maintenance_record_end(run, err));
}

bool
maintenance_tend(struct arena *arena, const struct maintenance_options *options,
                 const struct deck_database *database, struct maintenance_report *ret_report,
                 struct error *err)
{
    const struct pg_target target = plan_target(database->environment->server, database->name);
    long long begun_ms = maintenance_now_ms();
    struct maintenance_run run = {
        .arena = arena,
        .options = options,
        .database = database,
        .wanted = &database->environment->maintenance,
        .target = &target,
        .report = ret_report,
        .deadline_ms = begun_ms + options->window_ms,
        .wal_left_bytes = database->environment->maintenance.wal_bytes,
    };

    *ret_report = (struct maintenance_report){.environment = database->environment->name,
                                              .database = database->name,
                                              .kind = options->kind};
    bool is_fine = tend(&run, err);
    PQfinish(run.connection);
    ret_report->took_s = (double)(maintenance_now_ms() - begun_ms) / 1000;
    return is_fine || error_wrap(err, "database \"%s\"", database->name);
}
