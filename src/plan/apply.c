// SPDX-License-Identifier: MIT
#include "plan/apply.h"

#include "base/crash.h"
#include "base/interrupt.h"
#include "base/parallel.h"
#include "pg/host.h"
#include "plan/journal.h"
#include "plan/lock.h"
#include "plan/restart.h"
#include "plan/retry.h"
#include "plan/session.h"
#include "settings/configuration.h"
#include "settings/rehearsal.h"

#include <pthread.h>
#include <string.h>

struct run {
    struct arena *arena; /* of the plan; of a change that runs beside others: its own */
    const struct plan *plan;
    const struct apply_options *options;
    struct apply_outcome *outcome;
    const struct plan_server *server;
    PGconn *lock;
    struct plan_sessions sessions;
    char id[APPLY_ID_LENGTH + 1];
    int seq;
    struct error apart; /* the first of a change that stands apart */
    size_t total;       /* changes to run, over all servers */
    bool *is_done;      /* of each change of the plan: it ran beside others, before its turn */
};

/* --- one change --------------------------------------------------------------------------- */

static bool
perform(struct run *run, const struct change *change, PGconn *connection, struct error *err)
{
    const struct pg_target target = plan_target(run->server->deck, change->database);
    struct change_execution execution = {
        .arena = run->arena,
        .connection = connection,
        .target = &target,
        .change = change,
        .apply_id = run->id,
        .progress = run->options->on_progress,
        .progress_sink = run->options->sink,
    };

    if (change->procedure != NULL)
        return change->procedure->run(&execution, err);
    return pg_execute(connection, change->sql, err);
}

static bool
observe(struct run *run, const struct change *change, PGconn *connection, const char **ret_observed,
        struct error *err)
{
    AUTO_PGRESULT result = NULL;

    *ret_observed = NULL;
    if (change->observe == NULL)
        return true;
    if (!pg_query(connection, change->observe, 0, NULL, &result, err))
        return false;
    if (PQntuples(result) == 1 && !PQgetisnull(result, 0, 0))
        *ret_observed = arena_strdup(run->arena, PQgetvalue(result, 0, 0));
    return true;
}

/* Change and journal in one transaction: they cannot disagree. */
static bool
try_transaction(struct run *run, const struct change *change, PGconn *connection,
                const struct plan_retry *retry, struct error *err)
{
    const char *observed;
    struct error ignored;

    if (!plan_retry_begin(retry, connection, err))
        return false;
    crash_point();
    if (journal_start_change(connection, run->id, run->seq, change, err) &&
        perform(run, change, connection, err) &&
        /* what the script set for itself (role, search_path) does not reach the journal */
        pg_execute(connection, "RESET ROLE; SET LOCAL search_path = pg_catalog, pg_temp", err) &&
        observe(run, change, connection, &observed, err) &&
        journal_end_change(connection, run->id, run->seq, "done", observed, NULL, err) &&
        pg_execute(connection, "COMMIT", err)) {
        crash_point();
        return true;
    }
    if (PQstatus(connection) == CONNECTION_OK && !pg_execute(connection, "ROLLBACK", &ignored))
        return false;
    return false;
}

static bool
run_alone(struct run *run, const struct change *change, PGconn *connection, struct error *err)
{
    const char *observed;

    if (!journal_start_change(connection, run->id, run->seq, change, err))
        return false;
    crash_point();
    if (!perform(run, change, connection, err))
        return false;
    crash_point();
    return observe(run, change, connection, &observed, err) &&
           journal_end_change(connection, run->id, run->seq, "done", observed, NULL, err);
}

static bool
run_with_retries(struct run *run, const struct change *change, PGconn *connection,
                 struct error *err)
{
    struct plan_retry retry;

    plan_retry_init(&retry, run->plan->deck);
    for (;;) {
        bool is_done = change->is_transactional
                           ? try_transaction(run, change, connection, &retry, err)
                           : run_alone(run, change, connection, err);
        if (is_done)
            return true;
        if (!plan_retry_again(&retry, err))
            return false;
    }
}

static void
record_failure(struct run *run, const struct change *change, PGconn *connection,
               const struct error *err)
{
    struct error ignored;

    if (is_interrupted() || PQstatus(connection) != CONNECTION_OK)
        return; /* the row stays as it is: the next apply looks for itself */
    if (change->is_transactional &&
        !journal_start_change(connection, run->id, run->seq, change, &ignored))
        return;
    if (!journal_end_change(connection, run->id, run->seq, "failed", NULL, err->message, &ignored))
        return;
}

/* The restart ends all sessions, so it has its own way through the journal. */
static bool
run_restart(struct run *run, const struct change *change, struct error *err)
{
    PGconn *connection;

    if (!plan_session_open(&run->sessions, NULL, &connection, err) ||
        !journal_start_change(connection, run->id, run->seq, change, err))
        return false;
    plan_sessions_close(&run->sessions);
    crash_point();
    const struct settings_configuration *configuration = change->argument;
    if (!plan_restart(run->plan->arena, run->server->deck, &run->server->catalog,
                      &configuration->host, err))
        return false;
    return plan_session_open(&run->sessions, NULL, &connection, err) &&
           journal_end_change(connection, run->id, run->seq, "done", NULL, NULL, err);
}

static bool
run_change(struct run *run, const struct change *change, struct error *err)
{
    PGconn *connection;

    run->seq++;
    if (change->phase == CHANGE_RESTART)
        return run_restart(run, change, err);
    if ((change->queue == NULL && !plan_lock_is_held(run->lock, err)) ||
        !plan_session_open(&run->sessions, change->database, &connection, err))
        return false;
    if (run_with_retries(run, change, connection, err))
        return true;
    record_failure(run, change, connection, err);
    return false;
}

/* --- changes that are done together ------------------------------------------------------- */

/* How many changes from this one on are of its kind; 1 when it is done alone. */
static size_t
count_joint(const struct run *run, const struct change *change)
{
    const struct change_list *list = &run->plan->changes;
    const struct change *end = list->changes.items + list->changes.count;
    const struct change *next = change + 1;

    while (change->is_joint && next < end && next->is_joint &&
           next->procedure == change->procedure && next->argument == change->argument)
        next++;
    return (size_t)(next - change);
}

static bool
journal_each(struct run *run, const struct change *changes, size_t count, const char *state,
             PGconn *connection, struct error *err)
{
    int first = run->seq - (int)count + 1;

    for (size_t i = 0; i < count; i++) {
        int seq = first + (int)i;
        if (state == NULL ? !journal_start_change(connection, run->id, seq, &changes[i], err)
                          : !journal_end_change(connection, run->id, seq, state, NULL, NULL, err))
            return false;
    }
    return true;
}

/* One commit for the journal's rows of all: they begin (state NULL) and end together. */
static bool
journal_joint(struct run *run, const struct change *changes, size_t count, const char *state,
              PGconn *connection, struct error *err)
{
    struct error ignored;

    if (!pg_execute(connection, "BEGIN", err))
        return false;
    if (journal_each(run, changes, count, state, connection, err) &&
        pg_execute(connection, "COMMIT", err))
        return true;
    if (PQstatus(connection) == CONNECTION_OK && !pg_execute(connection, "ROLLBACK", &ignored))
        return false;
    return false;
}

static bool
run_joint(struct run *run, const struct change *changes, size_t count, struct error *err)
{
    PGconn *connection;
    struct error ignored;

    run->seq += (int)count;
    if (!plan_lock_is_held(run->lock, err) ||
        !plan_session_open(&run->sessions, changes->database, &connection, err) ||
        !journal_joint(run, changes, count, NULL, connection, err))
        return false;
    crash_point();
    if (perform(run, changes, connection, err)) {
        crash_point();
        return journal_joint(run, changes, count, "done", connection, err);
    }
    if (!is_interrupted() && !journal_joint(run, changes, count, "failed", connection, &ignored))
        return false;
    return false;
}

static bool
blame(const struct change *change, struct error *err)
{
    if (err->line == 0)
        error_place(err, change->place);
    return error_wrap(err, "%s%s%s", change->database ? change->database : "",
                      change->database ? ": " : "",
                      change->is_joint ? change->procedure->name : change->what);
}

/* --- side by side ------------------------------------------------------------------------- */

/* Changes with a queue, each in a thread and with sessions of its own. */
struct side_by_side {
    struct run *run;
    pthread_mutex_t mutex; /* for the run's lock, its outcome and what is told */
    struct apply_options options;
    LIST_OF(const struct change *) changes;
    size_t begun;
};

static void
tell_in_turn(void *sink, const char *line)
{
    struct side_by_side *group = sink;
    const struct apply_options *options = group->run->options;

    pthread_mutex_lock(&group->mutex);
    options->on_progress(options->sink, line);
    pthread_mutex_unlock(&group->mutex);
}

static bool
begin_beside(struct side_by_side *group, const struct change *change, struct error *err)
{
    const struct run *run = group->run;

    pthread_mutex_lock(&group->mutex);
    bool is_held = plan_lock_is_held(run->lock, err);
    if (is_held && run->options->on_change != NULL)
        run->options->on_change(run->options->sink, ++group->begun, run->total, change);
    pthread_mutex_unlock(&group->mutex);
    return is_held;
}

static bool
run_beside(void *context, size_t task, struct error *err)
{
    struct side_by_side *group = context;
    const struct change *change = group->changes.items[task];
    AUTO_ARENA arena = arena_new();
    struct run own = *group->run;

    own.arena = arena;
    own.options = &group->options;
    own.seq += (int)task;
    own.sessions = (struct plan_sessions){.arena = arena, .server = own.server->deck};
    if (!begin_beside(group, change, err))
        return false;
    bool is_fine = run_change(&own, change, err);
    plan_sessions_close(&own.sessions);
    if (!is_fine)
        return blame(change, err);
    pthread_mutex_lock(&group->mutex);
    group->run->outcome->done++;
    pthread_mutex_unlock(&group->mutex);
    return true;
}

/* Half of the CPUs: the other half is for those who use the databases. */
static size_t
width_of(const struct plan_server *server)
{
    int cpus = server->deck->cpus;

    if (server->deck->parallel > 0)
        return (size_t)server->deck->parallel;
    if (cpus == 0 && server->catalog.is_local)
        cpus = host_cpus();
    return cpus < 2 ? 1 : (size_t)cpus / 2;
}

static bool
is_left_out(const struct run *run, const struct change *change)
{
    return (change->phase == CHANGE_RESTART && !run->options->has_restart) ||
           (change->is_destructive && !run->options->has_drop) ||
           (change->is_revocation && !run->options->has_revoke);
}

/* All changes from that one on that may run beside it. */
static bool
run_side_by_side(struct run *run, size_t first, struct error *err)
{
    const struct change_list *plan = &run->plan->changes;
    const struct change *change = &plan->changes.items[first];
    struct side_by_side group = {
        .run = run, .mutex = PTHREAD_MUTEX_INITIALIZER, .begun = run->outcome->done};
    PGconn *connection;

    group.options = *run->options;
    group.options.sink = &group;
    group.options.on_progress = run->options->on_progress == NULL ? NULL : tell_in_turn;
    for (size_t i = first; i < plan->changes.count; i++) {
        const struct change *other = &plan->changes.items[i];
        if (other->queue == NULL || other->phase != change->phase ||
            strcmp(other->server, change->server) != 0 || is_left_out(run, other))
            continue;
        run->is_done[i] = true;
        *LIST_ADD(run->arena, &group.changes) = other;
        /* makes the journal, which two at once could not */
        if (!plan_session_open(&run->sessions, other->database, &connection, err))
            return false;
    }
    struct parallel_task *tasks =
        ARENA_ARRAY(run->arena, struct parallel_task, group.changes.count);
    for (size_t i = 0; i < group.changes.count; i++)
        tasks[i].queue = arena_printf(run->arena, "%s %s", group.changes.items[i]->database,
                                      group.changes.items[i]->queue);
    const struct parallel parallel = {width_of(run->server), run_beside, &group};
    bool is_fine = parallel_run(&parallel, tasks, group.changes.count, err);
    run->seq += (int)group.changes.count;
    return is_fine;
}

/* --- one server --------------------------------------------------------------------------- */

/* When an apply is taken over, numbering goes on behind what it used in any database. */
static bool
continue_numbering(struct run *run, struct error *err)
{
    const struct catalog_server *catalog = &run->server->catalog;
    PGconn *connection;
    int seq;

    if (!plan_session_open(&run->sessions, NULL, &connection, err) ||
        !journal_last_seq(connection, run->id, &run->seq, err))
        return false;
    for (size_t i = 0; i < catalog->snapshots.count; i++) {
        if (!catalog->snapshots.items[i].exists)
            continue;
        if (!plan_session_open(&run->sessions, catalog->snapshots.items[i].name, &connection,
                               err) ||
            !journal_last_seq(connection, run->id, &seq, err))
            return false;
        if (seq > run->seq)
            run->seq = seq;
    }
    return true;
}

/* How many changes of the phase there are for the server under work; all phases: CHANGE_PHASES. */
static size_t
count_phase(const struct run *run, enum change_phase phase)
{
    size_t count = 0;

    for (size_t i = 0; i < run->plan->changes.changes.count; i++) {
        const struct change *change = &run->plan->changes.changes.items[i];
        count += (phase == CHANGE_PHASES || change->phase == phase) && !is_left_out(run, change) &&
                 strcmp(change->server, run->server->deck->name) == 0;
    }
    return count;
}

static bool
begin_server(struct run *run, struct error *err)
{
    PGconn *connection;
    bool is_resumed;
    const struct settings_configuration *configuration =
        settings_configuration_of(&run->plan->changes, run->server->deck->name);
    bool is_only_restart = count_phase(run, CHANGE_RESTART) == count_phase(run, CHANGE_PHASES);

    if (!plan_session_open(&run->sessions, NULL, &connection, err) ||
        !journal_begin(connection, run->plan->deck, run->server->deck->name, is_only_restart,
                       run->id, &is_resumed, err))
        return false;
    run->seq = 0;
    if (count_phase(run, CHANGE_SERVER_SETTING) > 0 && configuration != NULL &&
        !plan_keep_configuration(run->plan->arena, &run->server->catalog, &configuration->host,
                                 run->id, err))
        return false;
    run->outcome->is_resumed = run->outcome->is_resumed || (is_resumed && !is_only_restart);
    return !is_resumed || continue_numbering(run, err);
}

static bool
run_group(struct run *run, const struct change *change, size_t count, struct error *err)
{
    for (size_t i = 0; i < count && run->options->on_change != NULL; i++)
        run->options->on_change(run->options->sink, run->outcome->done + i + 1, run->total,
                                &change[i]);
    if (count > 1 ? run_joint(run, change, count, err) : run_change(run, change, err)) {
        run->outcome->done += count;
        return true;
    }
    return blame(change, err);
}

/* Whether the others are done all the same. The first error of a change that stands apart is the
 * apply's, further ones are told. */
static bool
is_passed_over(struct run *run, const struct change *change, const struct error *err)
{
    if (is_interrupted() || err->code == ERROR_CONNECTION_LOST)
        return false;
    if (run->options->goes_on)
        run->options->on_failure(run->options->sink, change, err);
    else if (!change->is_apart)
        return false;
    else if (run->apart.code == ERROR_NONE)
        run->apart = *err;
    else if (run->options->on_note != NULL)
        run->options->on_note(run->options->sink, err->message);
    run->outcome->failed++;
    return true;
}

static bool
run_changes(struct run *run, struct error *err)
{
    const struct change *changes = run->plan->changes.changes.items;
    size_t count = 1;

    for (size_t i = 0; i < run->plan->changes.changes.count; i += count) {
        count = 1;
        if (strcmp(changes[i].server, run->server->deck->name) != 0 ||
            is_left_out(run, &changes[i]))
            continue;
        if (run->is_done[i])
            continue;
        if (changes[i].queue != NULL) {
            if (!run_side_by_side(run, i, err))
                return false;
            continue;
        }
        count = count_joint(run, &changes[i]);
        if (run_group(run, &changes[i], count, err))
            continue;
        if (!is_passed_over(run, &changes[i], err))
            return false;
        error_clear(err);
    }
    return true;
}

static bool
run_server(struct run *run, struct error *err)
{
    PGconn *connection;
    struct error ignored;

    if (!begin_server(run, err)) {
        plan_sessions_close(&run->sessions);
        return false;
    }
    bool is_fine = run_changes(run, err);
    if (is_fine)
        is_fine = plan_session_open(&run->sessions, NULL, &connection, err) &&
                  journal_end(connection, run->id,
                              run->apart.code == ERROR_NONE ? "done" : "failed", err);
    else if (!is_interrupted() && plan_session_open(&run->sessions, NULL, &connection, &ignored) &&
             !journal_end(connection, run->id, "failed", &ignored))
        is_fine = false; /* it stays "running", which the next apply takes over as well */
    plan_sessions_close(&run->sessions);
    return is_fine;
}

static size_t
count_changes(const struct run *run)
{
    size_t count = 0;

    for (size_t i = 0; i < run->plan->changes.changes.count; i++)
        count += !is_left_out(run, &run->plan->changes.changes.items[i]);
    return count;
}

/* Before anything is touched anywhere: whether the servers would start. */
static bool
rehearse(const struct plan *plan, const struct apply_options *options, struct error *err)
{
    const struct settings_listener listener = {options->on_progress, options->on_note,
                                               options->sink};

    for (size_t i = 0; i < plan->servers.count; i++) {
        const struct settings_configuration *configuration =
            settings_configuration_of(&plan->changes, plan->servers.items[i].deck->name);
        if (configuration != NULL &&
            !settings_rehearse(plan->arena, configuration, &listener, err)) {
            if (err->line == 0)
                error_place(err, plan->servers.items[i].deck->place);
            return false;
        }
    }
    return true;
}

bool
plan_apply(const struct plan *plan, const struct apply_options *options,
           struct apply_outcome *ret_outcome, struct error *err)
{
    struct run run = {
        .arena = plan->arena,
        .plan = plan,
        .options = options,
        .outcome = ret_outcome,
        .is_done = ARENA_ARRAY(plan->arena, bool, plan->changes.changes.count + 1),
    };

    memset(ret_outcome, 0, sizeof(*ret_outcome));
    run.total = count_changes(&run);
    ret_outcome->skipped = plan->changes.changes.count - run.total;
    if (!rehearse(plan, options, err))
        return false;
    ret_outcome->is_begun = true;
    bool *touched = ARENA_ARRAY(plan->arena, bool, plan->servers.count + 1);
    ret_outcome->touched = touched;
    for (size_t i = 0; i < plan->servers.count; i++) {
        run.server = &plan->servers.items[i];
        run.lock = options->locks[i];
        run.sessions = (struct plan_sessions){
            .arena = plan->arena, .server = run.server->deck, .needs_journal = true};
        if (count_phase(&run, CHANGE_PHASES) == 0)
            continue;
        touched[i] = true;
        if (!run_server(&run, err))
            return false;
    }
    if (run.apart.code == ERROR_NONE)
        return true;
    *err = run.apart;
    return false;
}
