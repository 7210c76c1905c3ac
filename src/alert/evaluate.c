// SPDX-License-Identifier: MIT
#include "alert/evaluate.h"

#include "base/embed.h"
#include "base/text.h"

#include <math.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
static const double IDS = 2147483648.0; /* of transactions and of multixacts */
enum {
    MS = 1000,
    PERCENT = 100,
    MIN_MS = 60 * MS,
    HOUR_MS = 60 * MIN_MS,
    DAY_MS = 24 * HOUR_MS,
    QUERY_SHOWN = 120
};

struct evaluation {
    struct arena *arena;
    const struct deck *deck;
    const json_t *blocking, *queries;
    struct alert_findings *findings;
    int64_t measured_ms; /* of the server that is looked at */
};

/* --- levels --------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    struct alert_levels levels;
} defaults[] = {
    {"connections", {0.8, 0.95, "share"}},
    {"query_mean", {1 * MS, 5 * MS, "ms"}},
    {"ai_task_errors", {0.05, 0.1, "share"}},
    {"cache_hit", {0.9, 0.8, "share"}},
    {"lock_wait", {MIN_MS, 5 * MIN_MS, "ms"}},
    {"long_transaction", {30 * MIN_MS, 4 * HOUR_MS, "ms"}},
    {"replication_lag", {30 * MS, 5 * MIN_MS, "ms"}},
    {"xid_age", {0.5, 0.8, "share"}},
    {"runs_out", {30.0 * DAY_MS, 7.0 * DAY_MS, "ms"}},
};

static const char *
unit_name(enum deck_level_unit unit)
{
    static const char *const names[] = {
        [LEVEL_SHARE] = "share",
        [LEVEL_DURATION] = "ms",
        [LEVEL_SIZE] = "bytes",
        [LEVEL_COUNT] = "count",
    };

    return names[unit];
}

bool
alert_levels_of(const struct deck *deck, const char *name, struct alert_levels *ret_levels)
{
    for (size_t i = 0; i < deck->alerts.count; i++) {
        const struct deck_alert *alert = &deck->alerts.items[i];
        if (strcmp(alert->name, name) != 0)
            continue;
        *ret_levels =
            (struct alert_levels){alert->warning, alert->critical, unit_name(alert->unit)};
        return true;
    }
    for (size_t i = 0; i < COUNT_OF(defaults); i++) {
        if (strcmp(defaults[i].name, name) == 0) {
            *ret_levels = defaults[i].levels;
            return true;
        }
    }
    return false;
}

static enum alert_level
level_of(double value, const struct alert_levels *levels)
{
    if (levels->critical < levels->warning)
        return value <= levels->critical  ? ALERT_CRITICAL
               : value <= levels->warning ? ALERT_WARNING
                                          : ALERT_NONE;
    return value >= levels->critical  ? ALERT_CRITICAL
           : value >= levels->warning ? ALERT_WARNING
                                      : ALERT_NONE;
}

static const char *
value_text(struct arena *arena, double value, const char *unit)
{
    if (strcmp(unit, "share") == 0)
        return arena_printf(arena, "%.3g %%", value * PERCENT);
    if (strcmp(unit, "ms") == 0)
        return value >= MS ? arena_printf(arena, "%.3g s", value / MS)
                           : arena_printf(arena, "%.3g ms", value);
    return arena_printf(arena, "%.6g", value);
}

const char *
alert_fix(struct arena *arena, const char *name)
{
    static const struct {
        const char *name, *path;
    } files[] = {
        {"connections", "alert/sql/connections.sql"},
        {"query_mean", "alert/sql/query_mean.sql"},
        {"query_p95", "alert/sql/query_mean.sql"},
        {"cache_hit", "alert/sql/cache_hit.sql"},
        {"ai_task", "alert/sql/ai_task.sql"},
        {"ai_task_errors", "alert/sql/ai_task_errors.sql"},
        {"lock_wait", "alert/sql/lock_wait.sql"},
        {"long_transaction", "alert/sql/long_transaction.sql"},
        {"replication_lag", "alert/sql/replication_lag.sql"},
        {"xid_age", "alert/sql/xid_age.sql"},
        {"runs_out", "alert/sql/runs_out.sql"},
    };

    for (size_t i = 0; i < COUNT_OF(files); i++) {
        if (strcmp(files[i].name, name) != 0)
            continue;
        const char *text = embedded_file(files[i].path)->text;
        while (strncmp(text, "--", 2) == 0)
            text += strcspn(text, "\n") + 1;
        size_t length = strlen(text);
        return arena_strndup(arena, text, length > 0 ? length - 1 : 0);
    }
    return NULL;
}

/* --- json ----------------------------------------------------------------------------------- */

static const char *
text_at(const json_t *json, const char *key)
{
    return json_string_value(json_object_get(json, key));
}

static double
number_at(const json_t *json, const char *key)
{
    const json_t *value = json_object_get(json, key);

    return json_is_number(value) ? json_number_value(value) : NAN;
}

static bool
is_text(const json_t *json, const char *key, const char *wanted)
{
    const char *text = text_at(json, key);

    return text != NULL && strcmp(text, wanted) == 0;
}

/* --- findings ------------------------------------------------------------------------------- */

static struct alert_finding *
add(const struct evaluation *evaluation, const char *name, const char *server)
{
    struct alert_finding *finding = LIST_ADD(evaluation->arena, &evaluation->findings->list);

    *finding = (struct alert_finding){.name = name,
                                      .server = server,
                                      .value = NAN,
                                      .warning = NAN,
                                      .critical = NAN,
                                      .message = "all is well"};
    return finding;
}

/* A value against the levels of that name; NULL: not known, or nobody asked. */
static struct alert_finding *
judge(const struct evaluation *evaluation, const char *name, const char *server, double value)
{
    struct alert_levels levels;
    struct arena *arena = evaluation->arena;

    if (!isfinite(value) || !alert_levels_of(evaluation->deck, name, &levels))
        return NULL;
    struct alert_finding *finding = add(evaluation, name, server);
    finding->level = level_of(value, &levels);
    finding->measured_ms = evaluation->measured_ms;
    finding->value = value;
    finding->warning = levels.warning;
    finding->critical = levels.critical;
    finding->unit = levels.unit;
    finding->message = arena_printf(
        arena, "%s is at %s, %s at %s", name, value_text(arena, value, levels.unit),
        finding->level == ALERT_CRITICAL ? "critical" : "warning",
        value_text(arena, finding->level == ALERT_CRITICAL ? levels.critical : levels.warning,
                   levels.unit));
    if (finding->level != ALERT_NONE)
        finding->fix_sql = alert_fix(arena, name);
    return finding;
}

static void
add_reachable(const struct evaluation *evaluation, struct alert_finding where, bool is_reachable,
              const char *error)
{
    struct alert_finding *finding = add(evaluation, "unreachable", where.server);

    finding->environment = where.environment;
    finding->database = where.database;
    if (is_reachable)
        return;
    finding->level = ALERT_CRITICAL;
    finding->message = arena_printf(evaluation->arena, "does not answer: %s",
                                    error == NULL ? "no connection" : error);
    if (error != NULL && (strstr(error, "too many clients") != NULL ||
                          strstr(error, "remaining connection slots") != NULL))
        finding->fix_sql = alert_fix(evaluation->arena, "connections"); /* of a superuser's slot */
}

/* The statement that took the most time of the environment in the last hour. */
static const json_t *
costliest(const struct evaluation *evaluation, const char *environment)
{
    size_t at, query_at;
    const json_t *server, *query;

    json_array_foreach(json_object_get(evaluation->queries, "servers"), at, server)
    {
        if (!is_text(server, "deck", evaluation->deck->name))
            continue;
        json_array_foreach(json_object_get(server, "queries"), query_at, query)
        {
            if (is_text(query, "environment", environment))
                return query;
        }
    }
    return NULL;
}

static void
name_culprit(const struct evaluation *evaluation, struct alert_finding *finding)
{
    const json_t *query = costliest(evaluation, finding->environment);
    const char *text = text_at(query, "query");
    AUTO_TEXT line = {0};

    if (text == NULL)
        return;
    for (size_t i = 0; i < QUERY_SHOWN && text[i] != '\0'; i++)
        text_append_bytes(&line, text[i] == '\n' || text[i] == '\t' ? " " : text + i, 1);
    const char *shown = arena_strndup(evaluation->arena, text_chars(&line),
                                      text_utf8_length(text_chars(&line), line.length));
    finding->message =
        arena_printf(evaluation->arena, "%s; most time went into: %s (mean %s)", finding->message,
                     shown, value_text(evaluation->arena, number_at(query, "mean_ms"), "ms"));
    finding->fix_database = text_at(query, "database");
    if (text_at(query, "query_id") != NULL)
        finding->fix_sql =
            arena_printf(evaluation->arena, "-- What is wrong with it: pgdeck explain %s\n%s",
                         text_at(query, "query_id"), finding->fix_sql);
}

/* --- environments --------------------------------------------------------------------------- */

static const struct deck_environment *
find_environment(const struct deck *deck, const char *name)
{
    for (size_t i = 0; name != NULL && i < deck->environments.count; i++) {
        if (strcmp(deck->environments.items[i].name, name) == 0)
            return &deck->environments.items[i];
    }
    return NULL;
}

/* Whether a better row of the same name is there: an estimate counts only without one. */
static bool
is_surplus(const json_t *targets, const json_t *target)
{
    size_t at;
    const json_t *other;

    if (!json_is_true(json_object_get(target, "is_estimate")))
        return false;
    json_array_foreach(targets, at, other)
    {
        if (other != target && is_text(other, "name", text_at(target, "name")) &&
            json_is_number(json_object_get(other, "measured")))
            return true;
    }
    return false;
}

/* Where SQL about the environment is to be run, if that is clear. */
static const char *
only_database(const json_t *environment)
{
    const json_t *databases = json_object_get(environment, "databases");

    return json_array_size(databases) == 1 ? text_at(json_array_get(databases, 0), "name") : NULL;
}

static void
judge_targets(const struct evaluation *evaluation, const struct deck_environment *environment,
              const json_t *json)
{
    size_t at;
    const json_t *target, *targets = json_object_get(json, "targets");

    json_array_foreach(targets, at, target)
    {
        const char *name = text_at(target, "name");
        double value = number_at(target, "measured");
        if (name == NULL || is_surplus(targets, target))
            continue;
        if (strcmp(name, "connections") == 0)
            value = environment->max_connections > 0 ? value / environment->max_connections : NAN;
        struct alert_finding *finding =
            json_is_true(json_object_get(target, "is_idle"))
                ? add(evaluation, name, environment->server->name)
                : judge(evaluation, name, environment->server->name, value);
        if (finding == NULL)
            continue;
        finding->measured_ms = (int64_t)(number_at(target, "measured_at") * MS);
        finding->environment = environment->name;
        if (finding->level == ALERT_NONE)
            continue;
        finding->fix_database = only_database(json);
        if (json_is_true(json_object_get(target, "is_estimate")))
            finding->message = arena_printf(evaluation->arena, "%s (estimate)", finding->message);
        if (strncmp(name, "query_", 6) == 0)
            name_culprit(evaluation, finding);
    }
}

static void
judge_environment(const struct evaluation *evaluation, const json_t *json, bool has_server)
{
    size_t at;
    const json_t *database;
    const struct deck_environment *environment =
        find_environment(evaluation->deck, text_at(json, "environment"));

    if (environment == NULL)
        return;
    json_array_foreach(json_object_get(json, "databases"), at, database)
    {
        struct alert_finding where = {.server = environment->server->name,
                                      .environment = environment->name,
                                      .database = text_at(database, "name")};
        bool is_reachable = json_is_true(json_object_get(database, "is_reachable"));
        /* One that is down with its server is told once. */
        if (json_is_true(json_object_get(database, "was_asked")) && (is_reachable || has_server))
            add_reachable(evaluation, where, is_reachable, text_at(database, "error"));
    }
    judge_targets(evaluation, environment, json);
}

/* --- servers -------------------------------------------------------------------------------- */

static const json_t *
find_session(const json_t *sessions, double pid)
{
    size_t at;
    const json_t *session;

    json_array_foreach(sessions, at, session)
    {
        if (number_at(session, "pid") == pid)
            return session;
    }
    return NULL;
}

/* Who holds up this one and waits for nobody: it is the one to end. NULL: they wait in a circle. */
static const json_t *
holder_of(const json_t *sessions, const json_t *session)
{
    for (size_t i = 0; i < json_array_size(sessions) && session != NULL; i++) {
        const json_t *blockers = json_object_get(session, "blockers");
        if (json_array_size(blockers) == 0)
            return session;
        session = find_session(sessions, json_number_value(json_array_get(blockers, 0)));
    }
    return NULL;
}

/* Who has waited longest for a lock, and the SQL that ends who is in its way. */
static void
judge_lock_wait(const struct evaluation *evaluation, const char *server)
{
    size_t at, session_at;
    const json_t *one, *session, *holder = NULL;
    double longest = 0;
    bool is_known = false;

    json_array_foreach(json_object_get(evaluation->blocking, "servers"), at, one)
    {
        if (!is_text(one, "deck", evaluation->deck->name) || !is_text(one, "server", server))
            continue;
        is_known = true;
        json_array_foreach(json_object_get(one, "sessions"), session_at, session)
        {
            double waiting = number_at(session, "waiting_s");
            if (!isfinite(waiting) || waiting <= longest)
                continue;
            longest = waiting;
            holder = holder_of(json_object_get(one, "sessions"), session);
        }
    }
    struct alert_finding *finding =
        judge(evaluation, "lock_wait", server, is_known ? longest * MS : NAN);
    if (finding != NULL && finding->level != ALERT_NONE && text_at(holder, "fix_sql") != NULL) {
        finding->fix_sql = text_at(holder, "fix_sql");
        finding->fix_database = text_at(holder, "database");
    }
}

static void
judge_server(const struct evaluation *evaluation, const char *name, const json_t *json)
{
    double sessions = number_at(json, "sessions");
    double most = number_at(json, "max_connections");
    struct alert_finding *finding =
        judge(evaluation, "connections", name, most > 0 ? sessions / most : NAN);

    if (finding != NULL && finding->level != ALERT_NONE)
        finding->message =
            arena_printf(evaluation->arena, "%.0f of %.0f connections are in use", sessions, most);
    judge(evaluation, "long_transaction", name, number_at(json, "oldest_transaction_s") * MS);
    judge(evaluation, "replication_lag", name, number_at(json, "replay_lag_s") * MS);
    judge(evaluation, "xid_age", name,
          fmax(number_at(json, "xid_age"), number_at(json, "multixact_age")) / IDS);
    judge_lock_wait(evaluation, name);
}

/* Whether any database of that server was asked; ret_error: why none answers. */
static bool
was_asked(const struct evaluation *evaluation, const json_t *overview, const char *server,
          const char **ret_error)
{
    size_t at, database_at;
    const json_t *environment, *database;
    bool is_asked = false;

    json_array_foreach(json_object_get(overview, "environments"), at, environment)
    {
        if (!is_text(environment, "deck", evaluation->deck->name) ||
            !is_text(environment, "server", server))
            continue;
        json_array_foreach(json_object_get(environment, "databases"), database_at, database)
        {
            is_asked |= json_is_true(json_object_get(database, "was_asked"));
            if (*ret_error == NULL)
                *ret_error = text_at(database, "error");
        }
    }
    return is_asked;
}

void
alert_evaluate(struct arena *arena, const struct deck *deck, const json_t *overview,
               const json_t *blocking, const json_t *queries, struct alert_findings *ret_findings)
{
    struct evaluation evaluation = {arena, deck, blocking, queries, ret_findings, 0};
    size_t at, environment_at;
    const json_t *server, *environment;

    json_array_foreach(json_object_get(overview, "servers"), at, server)
    {
        const char *name = text_at(server, "server"), *error = NULL;
        bool is_reachable = json_is_true(json_object_get(server, "is_reachable"));
        if (name == NULL || !is_text(server, "deck", deck->name) ||
            !was_asked(&evaluation, overview, name, &error))
            continue;
        add_reachable(&evaluation, (struct alert_finding){.server = name}, is_reachable, error);
        double sampled_at = number_at(server, "sampled_at");
        evaluation.measured_ms = isfinite(sampled_at) ? (int64_t)(sampled_at * MS) : 0;
        if (is_reachable)
            judge_server(&evaluation, name, server);
        json_array_foreach(json_object_get(overview, "environments"), environment_at, environment)
        {
            if (is_text(environment, "deck", deck->name) && is_text(environment, "server", name))
                judge_environment(&evaluation, environment, is_reachable);
        }
    }
}
