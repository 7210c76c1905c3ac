// SPDX-License-Identifier: MIT
/* The thread of one database: connects, asks what is due, and begins again after a fault, later and
 * later. */
#include "watch/state.h"

#include "base/embed.h"
#include "base/interrupt.h"
#include "plan/plan.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

enum {
    FIRST_PAUSE_MS = 1000,
    LONGEST_PAUSE_MS = 30000,
    IDLE_MS = 10000,
    LOOK_AGAIN_MS = 3000 /* at what was not wanted */
};

/* Sleeps until then; false: the thread is to end. */
static bool
pause_until(const struct watch_collector *collector, long long until_ms)
{
    struct pollfd waits[] = {
        {.fd = collector->session.stop, .events = POLLIN},
        {.fd = interrupt_descriptor(), .events = POLLIN},
    };
    long long left = until_ms - watch_now_ms();

    poll(waits, 2, left < 0 ? 0 : (int)left);
    return waits[0].revents == 0 && waits[1].revents == 0;
}

/* --- reachable or not ----------------------------------------------------------------------- */

static void
set_reachable(struct watch_collector *collector, bool is_reachable, const struct error *fault)
{
    struct watch *watch = collector->watch;

    pthread_mutex_lock(&watch->lock);
    bool has_changed = !collector->was_asked || collector->is_reachable != is_reachable;
    if (has_changed)
        collector->since = watch_now();
    collector->was_asked = true;
    collector->is_reachable = is_reachable;
    collector->error[0] = '\0';
    if (!is_reachable) {
        snprintf(collector->error, sizeof(collector->error), "%s", fault->message);
        if (collector->server->leader == collector)
            collector->server->leader = NULL;
        if (collector->server->statements_leader == collector)
            collector->server->statements_leader = NULL;
    }
    pthread_mutex_unlock(&watch->lock);
    if (has_changed)
        watch_log(watch, "%s: %s", collector->database->name,
                  is_reachable ? "connected" : fault->message);
}

static long long
interval_of(const struct watch_collector *collector, size_t index)
{
    const char *deck = (const char *)&collector->server->deck->watch;
    const struct watch_task *task = &watch_tasks[index];

    return task->interval_of_deck == 0
               ? task->interval_ms
               : *(const int *)(const void *)(deck + task->interval_of_deck);
}

/* All of a host look at the same time. */
static long long
next_due(long long now_ms, long long interval_ms)
{
    return now_ms - now_ms % interval_ms + interval_ms;
}

static bool
connect_now(struct watch_collector *collector, struct error *err)
{
    const struct pg_target target =
        plan_target(collector->database->environment->server, collector->database->name);

    collector->prepared = 0;
    memset(collector->due_ms, 0, sizeof(collector->due_ms));
    collector->host_due_ms = collector->explain_due_ms = 0;
    if (!watch_session_open(&collector->session, &target, err))
        return false;
    set_reachable(collector, true, NULL);
    return true;
}

/* --- asking --------------------------------------------------------------------------------- */

/* The first collector of a server that can asks for all of it. */
static bool
has_lead(struct watch_collector *collector, enum watch_scope scope)
{
    struct watch_server *server = collector->server;
    struct watch_collector **leader =
        scope == WATCH_OF_SERVER ? &server->leader : &server->statements_leader;

    if (scope == WATCH_OF_DATABASE)
        return true;
    if (scope == WATCH_OF_STATEMENTS && collector->statements_schema[0] == '\0') {
        if (*leader == collector)
            *leader = NULL;
        return false;
    }
    if (*leader == NULL)
        *leader = collector;
    return *leader == collector;
}

static bool
is_due(struct watch_collector *collector, size_t index, long long now_ms)
{
    const struct watch_task *task = &watch_tasks[index];
    long long interval_ms = interval_of(collector, index);

    if (collector->due_ms[index] > now_ms)
        return false;
    pthread_mutex_lock(&collector->watch->lock);
    bool is_wanted =
        has_lead(collector, task->scope) && (task->is_wanted == NULL || task->is_wanted(collector));
    pthread_mutex_unlock(&collector->watch->lock);
    if (!is_wanted && interval_ms > LOOK_AGAIN_MS)
        interval_ms = LOOK_AGAIN_MS;
    collector->due_ms[index] = next_due(now_ms, interval_ms);
    return is_wanted;
}

static bool
prepare(struct watch_collector *collector, struct arena *arena, size_t index, struct error *err)
{
    const struct watch_task *task = &watch_tasks[index];
    const char *path = arena_printf(arena, "watch/sql/%s.sql", task->name);
    const char *sql;

    if ((collector->prepared & 1U << index) != 0)
        return true;
    if (task->sql == NULL) {
        sql = embedded_file(path)->text;
    } else {
        pthread_mutex_lock(&collector->watch->lock);
        sql = task->sql(collector, arena);
        pthread_mutex_unlock(&collector->watch->lock);
    }
    if (!watch_session_prepare(&collector->session, task->name, sql, err))
        return false;
    collector->prepared |= 1U << index;
    return true;
}

/* What it relies on may have changed: it is prepared anew next time. */
static void
forget(struct watch_collector *collector, struct arena *arena, size_t index)
{
    AUTO_PGRESULT result = NULL;
    struct error ignored;

    if ((collector->prepared & 1U << index) != 0 && collector->session.connection != NULL &&
        watch_session_run(&collector->session,
                          arena_printf(arena, "DEALLOCATE \"%s\"", watch_tasks[index].name),
                          WATCH_ANSWER_MS, &result, &ignored))
        collector->prepared &= ~(1U << index);
}

static bool
ask(struct watch_collector *collector, size_t index, PGresult **ret_result, struct error *err)
{
    const struct watch_task *task = &watch_tasks[index];
    const char *parameters[WATCH_PARAMETERS_MAX];
    int count = 0;
    AUTO_ARENA arena = arena_new();

    if (!prepare(collector, arena, index, err))
        return false;
    if (task->parameters != NULL) {
        pthread_mutex_lock(&collector->watch->lock);
        count = task->parameters(collector, arena, parameters);
        pthread_mutex_unlock(&collector->watch->lock);
    }
    if (watch_session_ask(&collector->session, task->name, count, parameters, ret_result, err))
        return true;
    forget(collector, arena, index);
    return false;
}

static void
note_fault(struct watch_collector *collector, size_t index, const char *message)
{
    char *fault = collector->faults[index];
    const char *grant = collector->server->grant_sql;

    if (message == NULL && watch_tasks[index].needs_statistics && grant[0] != '\0')
        snprintf(fault, sizeof(collector->faults[index]),
                 "the sessions of other roles are counted, but what they do is not to be seen: %s",
                 grant);
    else
        snprintf(fault, sizeof(collector->faults[index]), "%s", message == NULL ? "" : message);
}

/* One that fails loses its own figures only; false: so did the session. */
static bool
run_task(struct watch_collector *collector, size_t index, struct error *err)
{
    AUTO_PGRESULT result = NULL;
    bool is_answered = ask(collector, index, &result, err);

    if (collector->session.connection == NULL)
        return false;
    pthread_mutex_lock(&collector->watch->lock);
    if (is_answered)
        watch_tasks[index].read(collector, result, watch_now());
    note_fault(collector, index, is_answered ? NULL : err->message);
    pthread_mutex_unlock(&collector->watch->lock);
    return true;
}

/* Asks all that is due; ret_next_ms: when the next one is. */
static bool
run_round(struct watch_collector *collector, long long *ret_next_ms, struct error *err)
{
    *ret_next_ms = watch_now_ms() + IDLE_MS;
    for (size_t i = 0; i < watch_task_count; i++) {
        if (is_due(collector, i, watch_now_ms()) && !run_task(collector, i, err))
            return false;
        if (collector->due_ms[i] < *ret_next_ms)
            *ret_next_ms = collector->due_ms[i];
    }
    if (collector->host_due_ms <= watch_now_ms()) {
        watch_look_at_host(collector);
        collector->host_due_ms = next_due(watch_now_ms(), WATCH_HOST_MS);
    }
    if (collector->explain_due_ms <= watch_now_ms()) {
        collector->explain_due_ms =
            next_due(watch_now_ms(), 2LL * collector->server->deck->watch.statements_ms);
        return watch_explain_next(collector, err);
    }
    return true;
}

void *
watch_collect(void *argument)
{
    struct watch_collector *collector = argument;
    long long next_ms = 0, pause_ms = FIRST_PAUSE_MS;
    struct error err = {0};

    do {
        bool is_fine = collector->session.connection != NULL || connect_now(collector, &err);
        if (is_fine && run_round(collector, &next_ms, &err)) {
            pause_ms = FIRST_PAUSE_MS;
            continue;
        }
        if (err.code == ERROR_INTERRUPTED)
            break;
        set_reachable(collector, false, &err);
        next_ms = watch_now_ms() + pause_ms;
        pause_ms = pause_ms * 2 < LONGEST_PAUSE_MS ? pause_ms * 2 : LONGEST_PAUSE_MS;
    } while (pause_until(collector, next_ms));
    watch_session_close(&collector->session);
    return NULL;
}
