// SPDX-License-Identifier: MIT
#include "index/watch.h"

#include "base/embed.h"
#include "base/interrupt.h"
#include "base/text.h"
#include "pg/script.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char application[] = "pgdeck build ";

/* One run of a statement. */
struct run {
    struct index_watch *watch;
    long long begun_ms;
    long long waiting_since_ms; /* 0: nobody is in the way */
    long long waited_ms;        /* before that */
    bool is_cancelled;
    char blockers[768];
};

static long long
now_monotonic_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* --- how far ------------------------------------------------------------------------------ */

/* The share of a whole build that each phase is, roughly: reading the table twice is most. */
static const struct phase {
    const char *name;
    double begin, end;
} phases[] = {
    {"initializing", 0, 0},
    {"waiting for writers before build", 0, 0},
    {"building index: initializing", 0, 0},
    {"building index: scanning table", 0, 0.45},
    {"building index: sorting live tuples", 0.45, 0.5},
    {"building index: sorting dead tuples", 0.5, 0.5},
    {"building index: loading tuples in tree", 0.5, 0.7},
    {"building index", 0, 0.7}, /* other access methods */
    {"waiting for writers before validation", 0.7, 0.7},
    {"index validation: scanning index", 0.7, 0.77},
    {"index validation: sorting tuples", 0.77, 0.8},
    {"index validation: scanning table", 0.8, 1},
    {"waiting for old snapshots", 1, 1},
    {"waiting for readers before marking dead", 1, 1},
    {"waiting for readers before dropping", 1, 1},
};

double
index_progress(const char *phase, double blocks_done, double blocks_total, double tuples_done,
               double tuples_total)
{
    double done = 0;

    if (blocks_total > 0)
        done = blocks_done / blocks_total;
    else if (tuples_total > 0)
        done = tuples_done / tuples_total;
    if (done > 1)
        done = 1;
    for (size_t i = 0; i < sizeof(phases) / sizeof(phases[0]); i++) {
        if (strcmp(phases[i].name, phase) == 0)
            return phases[i].begin + (phases[i].end - phases[i].begin) * done;
    }
    return -1;
}

/* "38 %, about 12 s left", from how long the work has taken without the waits. */
static void
add_progress(const struct run *run, const PGresult *result, struct text *line)
{
    const char *phase = pg_value(result, 0, "phase");
    long long now_ms = now_monotonic_ms();
    double worked_s = (double)(now_ms - run->begun_ms - run->waited_ms -
                               (run->waiting_since_ms == 0 ? 0 : now_ms - run->waiting_since_ms)) /
                      1000;

    if (phase == NULL)
        return;
    double done = index_progress(phase, (double)pg_integer(result, 0, "blocks_done"),
                                 (double)pg_integer(result, 0, "blocks_total"),
                                 (double)pg_integer(result, 0, "tuples_done"),
                                 (double)pg_integer(result, 0, "tuples_total"));
    text_appendf(line, ": %s", phase);
    if (done > 0)
        text_appendf(line, ", %.0f %%", done * 100);
    if (done >= 0.05 && done < 1 && worked_s >= 1)
        text_appendf(line, ", about %.0f s left", worked_s * (1 - done) / done);
}

static void
tell(struct index_watch *watch, const char *line)
{
    struct change_execution *execution = watch->execution;

    if (execution->progress == NULL || strcmp(line, watch->last_line) == 0)
        return;
    snprintf(watch->last_line, sizeof(watch->last_line), "%s", line);
    execution->progress(execution->progress_sink, line);
}

/* --- who is in the way -------------------------------------------------------------------- */

static void
describe(const PGresult *result, int row, struct text *text)
{
    const char *gid = pg_value(result, row, "gid");
    const char *role = pg_value(result, row, "role");
    const char *query = pg_value(result, row, "query");

    text_append(text, text->length == 0 ? "" : "; ");
    if (gid != NULL) {
        text_append(text, "prepared transaction '");
        text_append_visible(text, gid);
        text_append(text, "'");
    } else {
        text_appendf(text, "pid %s (", pg_value(result, row, "pid"));
        text_append_visible(text, pg_value(result, row, "application"));
        text_append(text, ")");
    }
    text_append(text, " of role ");
    text_append_visible(text, role == NULL ? "?" : role);
    text_append(text, ", ");
    text_append_visible(text, pg_value(result, row, "state"));
    text_appendf(text, " for %lld s", pg_integer(result, row, "seconds"));
    if (query == NULL || query[0] == '\0')
        return;
    text_append(text, ": ");
    text_append_visible(text, query);
}

static bool
open_second(struct index_watch *watch, struct error *err)
{
    if (watch->second != NULL && PQstatus(watch->second) != CONNECTION_OK)
        index_watch_release(watch);
    return watch->second != NULL || pg_connect(watch->execution->target, &watch->second, err);
}

void
index_watch_release(struct index_watch *watch)
{
    PQfinish(watch->second);
    watch->second = NULL;
}

static bool
read_blockers(struct run *run, struct error *err)
{
    struct index_watch *watch = run->watch;
    char pid[16];
    const char *parameters[1] = {pid};
    AUTO_PGRESULT result = NULL;
    AUTO_TEXT text = {0};

    snprintf(pid, sizeof(pid), "%d", PQbackendPID(watch->execution->connection));
    if (!pg_query(watch->second, embedded_file("index/sql/blockers.sql")->text, 1, parameters,
                  &result, err))
        return false;
    for (int row = 0; row < PQntuples(result); row++)
        describe(result, row, &text);
    snprintf(run->blockers, sizeof(run->blockers), "%s", text_chars(&text));
    if (PQntuples(result) > 0 && run->waiting_since_ms == 0) {
        run->waiting_since_ms = now_monotonic_ms();
    } else if (PQntuples(result) == 0 && run->waiting_since_ms != 0) {
        run->waited_ms += now_monotonic_ms() - run->waiting_since_ms;
        run->waiting_since_ms = 0;
    }
    return true;
}

/* A wait that costs nobody else anything may take as long as the work that would be lost; one
 * behind which others queue up may not. */
static bool
has_waited_enough(const struct run *run, bool has_queue)
{
    long long now_ms = now_monotonic_ms();
    long long worked_ms = run->waiting_since_ms - run->begun_ms - run->waited_ms;
    long long patience_ms = run->watch->give_up_ms;

    if (run->waiting_since_ms == 0)
        return false;
    if (worked_ms > patience_ms)
        patience_ms = worked_ms;
    return has_queue || now_ms - run->waiting_since_ms > patience_ms;
}

static bool
cancel(struct run *run, struct error *err)
{
    char pid[16];
    const char *parameters[1] = {pid};
    AUTO_PGRESULT result = NULL;

    run->is_cancelled = true;
    snprintf(pid, sizeof(pid), "%d", PQbackendPID(run->watch->execution->connection));
    return pg_query(run->watch->second, "SELECT pg_cancel_backend($1::int)", 1, parameters, &result,
                    err);
}

static bool
look(struct run *run, struct error *err)
{
    struct index_watch *watch = run->watch;
    char pid[16], block[24];
    const char *parameters[2] = {pid, block};
    AUTO_PGRESULT result = NULL;
    AUTO_TEXT line = {0};

    snprintf(pid, sizeof(pid), "%d", PQbackendPID(watch->execution->connection));
    snprintf(block, sizeof(block), "%lld", (long long)watch->max_block_ms);
    if (!open_second(watch, err) || !read_blockers(run, err) ||
        !pg_query(watch->second, embedded_file("index/sql/progress.sql")->text, 2, parameters,
                  &result, err))
        return false;
    text_append_visible(&line, watch->label);
    add_progress(run, result, &line);
    if (run->waiting_since_ms != 0 &&
        now_monotonic_ms() - run->waiting_since_ms >= watch->max_block_ms)
        text_appendf(&line, "; waits for %s", run->blockers);
    if (pg_integer(result, 0, "behind") > 0)
        text_appendf(&line, "; %lld wait behind it", pg_integer(result, 0, "behind"));
    tell(watch, text_chars(&line));
    if (run->is_cancelled || !has_waited_enough(run, pg_integer(result, 0, "behind") > 0))
        return true;
    return cancel(run, err);
}

bool
index_watch_run(struct index_watch *watch, const char *sql, struct error *err)
{
    enum { FIRST_LOOK_MS = 250, LOOK_MS = 1000 };
    PGconn *connection = watch->execution->connection;
    struct run run = {.watch = watch, .begun_ms = now_monotonic_ms()};
    AUTO_PGRESULT result = NULL;
    bool is_ready = false;
    int pause_ms = FIRST_LOOK_MS;

    if (!pg_send(connection, sql, err))
        return false;
    while (!is_ready) {
        struct error ignored = {0};
        if (!pg_wait(connection, pause_ms, &is_ready, err))
            return false;
        /* a second connection that is lost is opened again at the next look */
        if (!is_ready && !look(&run, &ignored) && ignored.code == ERROR_INTERRUPTED)
            break;
        pause_ms = pause_ms * 2 < LOOK_MS ? pause_ms * 2 : LOOK_MS;
    }
    if (pg_receive(connection, &result, err))
        return true;
    if (!run.is_cancelled || strcmp(err->sqlstate, "57014") != 0)
        return false;
    error_set(err, ERROR_LOCKED, "%s was in the way of others, or others in its way, for too long",
              watch->label);
    return error_detail(err, "%s", run.blockers);
}

/* --- locks that are refused --------------------------------------------------------------- */

void
index_watch_application(char *name, size_t size)
{
    char host[64] = "";

    gethostname(host, sizeof(host) - 1);
    snprintf(name, size, "%s%.30s:%d", application, host, (int)getpid());
}

/* A build of a process of this host that is no more. The server notices by itself, but only when
 * it looks. */
static bool
is_orphan(const char *name)
{
    char own[64];
    const char *colon = strrchr(name, ':');

    index_watch_application(own, sizeof(own));
    size_t length = (size_t)(strrchr(own, ':') - own) + 1;
    if (colon == NULL || strncmp(name, own, length) != 0)
        return false;
    pid_t pid = (pid_t)atoi(colon + 1);
    return pid > 0 && kill(pid, 0) != 0 && errno == ESRCH;
}

static void
end_orphan(struct index_watch *watch, const char *pid)
{
    const char *parameters[1] = {pid};
    AUTO_PGRESULT result = NULL;
    struct error ignored;

    if (!pg_query(watch->second, "SELECT pg_terminate_backend($1::int, 2000)", 1, parameters,
                  &result, &ignored))
        return; /* it is named, and asked for the lock again */
}

/* Who holds a lock, into err's detail. */
static void
name_holders(struct index_watch *watch, const char *schema, const char *table, long long waited_ms,
             struct error *err)
{
    struct error ignored = {0};
    const char *parameters[2] = {schema, table};
    AUTO_PGRESULT result = NULL;
    AUTO_TEXT text = {0};
    AUTO_TEXT line = {0};

    if (!open_second(watch, &ignored) ||
        !pg_query(watch->second, embedded_file("index/sql/holders.sql")->text, 2, parameters,
                  &result, &ignored))
        return;
    for (int row = 0; row < PQntuples(result); row++) {
        describe(result, row, &text);
        if (is_orphan(pg_value(result, row, "application")))
            end_orphan(watch, pg_value(result, row, "pid"));
    }
    if (text.length == 0)
        return;
    error_detail(err, "%s", text_chars(&text));
    text_append_visible(&line, watch->label);
    text_appendf(&line, ": no lock yet; waits for %s", text_chars(&text));
    if (waited_ms >= watch->max_block_ms)
        tell(watch, text_chars(&line));
}

bool
index_watch_timeout(struct index_watch *watch, int64_t timeout_ms, struct error *err)
{
    char statement[64];

    snprintf(statement, sizeof(statement), "SET lock_timeout = '%lldms'", (long long)timeout_ms);
    return pg_execute(watch->execution->connection, statement, err);
}

bool
index_watch_pause(int *pause_ms, int longest_ms, struct error *err)
{
    int now_ms = *pause_ms / 2 + rand() % (*pause_ms / 2 + 1);

    *pause_ms = *pause_ms * 2 > longest_ms ? longest_ms : *pause_ms * 2;
    return interrupt_sleep_ms(now_ms, err);
}

bool
index_watch_lock(struct index_watch *watch, const char *schema, const char *table,
                 struct error *err)
{
    enum { FIRST_PAUSE_MS = 50, LONGEST_PAUSE_MS = 2000 };
    PGconn *connection = watch->execution->connection;
    const char *lock = pg_script(watch->execution->arena, "index/sql/lock.sql",
                                 PG_VARIABLES({"schema", schema}, {"table", table}));
    long long begun_ms = now_monotonic_ms();
    int pause_ms = FIRST_PAUSE_MS;

    if (!index_watch_timeout(watch, watch->lock_wait_ms, err))
        return false;
    for (;;) {
        struct error interrupted;
        if (pg_execute(connection, lock, err))
            return true;
        /* Of a materialized view, LOCK wants to know nothing: the statement itself is watched. */
        if (strcmp(err->sqlstate, "42809") == 0) {
            error_clear(err);
            return pg_execute(connection, "ROLLBACK", err);
        }
        if (err->code != ERROR_LOCKED)
            return false;
        long long waited_ms = now_monotonic_ms() - begun_ms;
        name_holders(watch, schema, table, waited_ms, err);
        if (waited_ms >= watch->give_up_ms)
            return error_hint(err, "Tried for %lld s.", waited_ms / 1000);
        if (!pg_execute(connection, "ROLLBACK", &interrupted) ||
            !index_watch_pause(&pause_ms, LONGEST_PAUSE_MS, &interrupted)) {
            *err = interrupted;
            return false;
        }
        error_clear(err);
    }
}
