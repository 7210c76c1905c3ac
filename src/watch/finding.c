// SPDX-License-Identifier: MIT
/* What is bad in the newest figures, by the levels of each deck, without the memory that alerts
 * have; what was not measured is left out. */
#include "watch/document.h"

#include "alert/finding.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MINUTES = 5, FRESH_S = 30, SHARE = 100, MS = 1000 };

struct rule {
    const char *name;         /* as under `alerts:` */
    double warning, critical; /* unless the deck says others; NAN: only where it does */
    const char *unit;
    bool is_low_bad;
    const char *fix_sql; /* NULL: none */
};

enum rule_name {
    CONNECTIONS,
    QUERY_MEAN,
    QUERY_P95,
    AI_TASK,
    AI_TASK_ERRORS,
    CACHE_HIT,
    LONG_TRANSACTION,
    LOCK_WAIT,
    XID_AGE,
    REPLICATION_LAG,
    RULES
};

static const char end_idle[] =
    "SELECT pid, usename, application_name, pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE state LIKE 'idle in transaction%' AND state_change < now() - interval '5 minutes';";
static const char costliest[] =
    "SELECT queryid, calls, mean_exec_time, query FROM pg_stat_statements "
    "ORDER BY total_exec_time DESC LIMIT 5; -- then pgdeck explain QUERYID";

static const struct rule rules[RULES] = {
    [CONNECTIONS] = {"connections", 0.80, 0.95, "share", false, end_idle},
    [QUERY_MEAN] = {"query_mean", 1000, 5000, "ms", false, costliest},
    [QUERY_P95] = {"query_p95", NAN, NAN, "ms", false, costliest},
    [AI_TASK] = {"ai_task", NAN, NAN, "ms", false,
                 "SELECT id, task_type, started_at FROM ai_tasks WHERE status = 'running' "
                 "ORDER BY started_at LIMIT 10;"},
    [AI_TASK_ERRORS] = {"ai_task_errors", 0.05, 0.10, "share", false,
                        "SELECT task_type, error_message, count(*) FROM ai_tasks WHERE status = "
                        "'failed' AND created_at > now() - interval '1 hour' GROUP BY 1, 2 "
                        "ORDER BY 3 DESC LIMIT 10;"},
    [CACHE_HIT] = {"cache_hit", 0.90, 0.80, "share", true,
                   "SELECT queryid, shared_blks_read, calls, query FROM pg_stat_statements "
                   "ORDER BY shared_blks_read DESC LIMIT 5; -- then pgdeck index advise"},
    [LONG_TRANSACTION] = {"long_transaction", NAN, NAN, "ms", false,
                          "SELECT pid, usename, state, xact_start, pg_terminate_backend(pid) FROM "
                          "pg_stat_activity WHERE backend_type = 'client backend' "
                          "ORDER BY xact_start LIMIT 1;"},
    [LOCK_WAIT] = {"lock_wait", NAN, NAN, "ms", false, NULL},
    [XID_AGE] = {"xid_age", NAN, NAN, "share", false,
                 "VACUUM (FREEZE); -- in the database of the greatest age(datfrozenxid)"},
    [REPLICATION_LAG] = {"replication_lag", NAN, NAN, "ms", false, NULL},
};

struct round {
    struct arena *arena;
    const struct deck *deck;
    double now;
    LIST_OF(struct alert_finding) list;
};

struct place_of { /* what a finding is of; NULL: none */
    const char *server, *environment, *database;
};

/* The levels that hold; false: nobody asked for this. */
static bool
levels_of(const struct deck *deck, enum rule_name name, double *ret_warning, double *ret_critical)
{
    *ret_warning = rules[name].warning;
    *ret_critical = rules[name].critical;
    for (size_t i = 0; i < deck->alerts.count; i++) {
        const struct deck_alert *alert = &deck->alerts.items[i];
        if (strcmp(alert->name, rules[name].name) == 0) {
            *ret_warning = alert->warning;
            *ret_critical = alert->critical;
        }
    }
    return !isnan(*ret_critical);
}

static const char *
shown(struct arena *arena, enum rule_name name, double value)
{
    if (strcmp(rules[name].unit, "share") == 0)
        return arena_printf(arena, "%.1f %%", value * SHARE);
    return value < MS ? arena_printf(arena, "%.3g ms", value)
                      : arena_printf(arena, "%.3g s", value / MS);
}

static struct alert_finding *
add(struct round *round, enum rule_name name, struct place_of place, double value, const char *what)
{
    const struct rule *rule = &rules[name];
    double warning, critical;

    if (isnan(value) || !levels_of(round->deck, name, &warning, &critical))
        return NULL;
    bool is_critical = rule->is_low_bad ? value < critical : value > critical;
    bool is_warning = rule->is_low_bad ? value < warning : value > warning;
    struct alert_finding *finding = LIST_ADD(round->arena, &round->list);
    *finding = (struct alert_finding){
        .name = rule->name,
        .server = place.server,
        .environment = place.environment,
        .database = place.database,
        .level = is_critical  ? ALERT_CRITICAL
                 : is_warning ? ALERT_WARNING
                              : ALERT_NONE,
        .value = value,
        .warning = warning,
        .critical = critical,
        .unit = rule->unit,
        .fix_sql = rule->fix_sql,
    };
    finding->message = arena_printf(round->arena, "%s of %s%s is %s", what,
                                    place.environment == NULL ? "server " : "",
                                    place.environment == NULL ? place.server : place.environment,
                                    shown(round->arena, name, value));
    return finding;
}

/* --- environments ---------------------------------------------------------------------------- */

/* The statement that cost most in the environment's databases. */
static const struct watch_statement *
costliest_of(const struct watch_generation *generation, const struct watch_server *server,
             const struct deck_environment *environment, double now)
{
    struct watch_statement *top[WATCH_TOP];
    struct watch_work all;
    size_t count = watch_statements_top(server->statements, now, top, &all);

    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < generation->collectors.count; j++) {
            const struct watch_collector *one = &generation->collectors.items[j];
            if (one->database->environment == environment && one->server == server &&
                one->oid == top[i]->key.database_oid && top[i]->query != NULL)
                return top[i];
        }
    }
    return NULL;
}

static void
blame_statement(struct round *round, struct alert_finding *finding,
                const struct watch_statement *statement)
{
    if (finding == NULL || finding->level == ALERT_NONE || statement == NULL)
        return;
    finding->message =
        arena_printf(round->arena, "%s; costliest: %.*s (pgdeck explain %lld)", finding->message,
                     120, statement->query, (long long)statement->key.query_id);
}

static void
look_at_environment(struct round *round, struct watch *watch, const struct watch_server *server,
                    const struct deck_environment *environment)
{
    const struct {
        enum rule_name rule;
        enum watch_target_name target;
        const char *what;
    } figures[] = {
        {QUERY_MEAN, WATCH_QUERY_MEAN, "mean query time"},
        {QUERY_P95, WATCH_QUERY_P95, "query p95"},
        {AI_TASK, WATCH_AI_TASK, "AI task p95"},
        {AI_TASK_ERRORS, WATCH_AI_TASK_ERRORS, "share of failed AI tasks"},
        {CACHE_HIT, WATCH_CACHE_HIT, "cache hit ratio"},
    };
    struct place_of place = {server->server->name, environment->name, NULL};

    for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++) {
        double value = watch_target_figure(watch, round->deck, environment, figures[i].target,
                                           round->now, MINUTES);
        struct alert_finding *finding = add(round, figures[i].rule, place, value, figures[i].what);
        if (figures[i].rule == QUERY_MEAN || figures[i].rule == QUERY_P95)
            blame_statement(round, finding,
                            costliest_of(watch->generation, server, environment, round->now));
    }
}

/* --- servers --------------------------------------------------------------------------------- */

static void
look_at_blocking(struct round *round, const struct watch_server *server)
{
    double longest_s = 0;
    const char *fix_sql = NULL, *query = NULL;
    size_t at;
    json_t *session;

    json_array_foreach(server->blocking, at, session)
    {
        double waiting_s = json_number_value(json_object_get(session, "waiting_s"));
        longest_s = waiting_s > longest_s ? waiting_s : longest_s;
        if (json_array_size(json_object_get(session, "blockers")) == 0) { /* a head of the tree */
            fix_sql = json_string_value(json_object_get(session, "fix_sql"));
            query = json_string_value(json_object_get(session, "query"));
        }
    }
    struct alert_finding *finding =
        add(round, LOCK_WAIT, (struct place_of){server->server->name, NULL, NULL}, longest_s * MS,
            "longest wait for a lock");
    if (finding == NULL)
        return;
    finding->fix_sql = fix_sql == NULL ? NULL : arena_strdup(round->arena, fix_sql);
    if (query != NULL)
        finding->message =
            arena_printf(round->arena, "%s; in the way: %.120s", finding->message, query);
}

static void
look_at_server(struct round *round, const struct watch_server *server)
{
    static const double ids = 2147483648.0;
    struct place_of place = {server->server->name, NULL, NULL};
    int room = server->max_connections - server->reserved_connections;

    if (!server->is_known || server->sampled_at < round->now - FRESH_S)
        return;
    struct alert_finding *finding =
        add(round, CONNECTIONS, place, room > 0 ? server->sessions / room : NAN,
            "share of the connections in use");
    if (finding != NULL && finding->level != ALERT_NONE)
        finding->message = arena_printf(
            round->arena, "%s: %.0f of %d, %.0f at work, %.0f idle in transaction",
            finding->message, server->sessions, room, server->active, server->idle_in_transaction);
    add(round, LONG_TRANSACTION, place, server->oldest_transaction_s * MS, "oldest transaction");
    add(round, XID_AGE, place, server->xid_age / ids, "used transaction ids");
    if (server->is_in_recovery)
        add(round, REPLICATION_LAG, place, server->replay_lag_s * MS, "lag");
    look_at_blocking(round, server);
}

/* --- reachable ------------------------------------------------------------------------------- */

static void
look_at_database(struct round *round, const struct watch_collector *collector)
{
    struct alert_finding *finding;

    if (!collector->was_asked)
        return;
    finding = LIST_ADD(round->arena, &round->list);
    *finding = (struct alert_finding){
        .name = "reachable",
        .server = collector->server->server->name,
        .environment = collector->database->environment->name,
        .database = collector->database->name,
        .level = collector->is_reachable ? ALERT_NONE : ALERT_CRITICAL,
        .value = NAN,
        .warning = NAN,
        .critical = NAN,
        .message = collector->is_reachable
                       ? "the database answers"
                       : arena_printf(round->arena, "database %s cannot be reached: %s",
                                      collector->database->name, collector->error),
    };
}

static void
look_at_deck(struct round *round, struct watch *watch)
{
    const struct watch_generation *generation = watch->generation;

    for (size_t i = 0; i < generation->servers.count; i++) {
        const struct watch_server *server = &generation->servers.items[i];
        if (server->deck != round->deck)
            continue;
        look_at_server(round, server);
        for (size_t j = 0; j < round->deck->environments.count; j++) {
            if (round->deck->environments.items[j].server == server->server)
                look_at_environment(round, watch, server, &round->deck->environments.items[j]);
        }
    }
    for (size_t i = 0; i < generation->collectors.count; i++) {
        if (generation->collectors.items[i].server->deck == round->deck)
            look_at_database(round, &generation->collectors.items[i]);
    }
}

static void
append_bad(json_t *list, const struct round *round)
{
    for (size_t i = 0; i < round->list.count; i++) {
        const struct alert_finding *finding = &round->list.items[i];
        if (finding->level == ALERT_NONE)
            continue;
        json_array_append_new(
            list,
            json_pack("{s:o, s:s, s:s, s:o, s:o, s:o, s:o, s:o}", "deck",
                      watch_json(round->deck->name), "name", finding->name, "level",
                      finding->level == ALERT_CRITICAL ? "critical" : "warning", "server",
                      watch_json(finding->server), "environment", watch_json(finding->environment),
                      "database", watch_json(finding->database), "message",
                      watch_json(finding->message), "fix_sql", watch_json(finding->fix_sql)));
    }
}

void
watch_find(struct watch *watch, double now)
{
    const struct watch_generation *generation = watch->generation;
    json_t *bad = json_array();

    for (size_t i = 0; i < generation->decks.list.count; i++) {
        AUTO_ARENA arena = arena_new();
        struct round round = {.arena = arena, .deck = generation->decks.list.items[i], .now = now};
        look_at_deck(&round, watch);
        append_bad(bad, &round);
    }
    watch_board_put_json(watch->board, "findings",
                         json_pack("{s:f, s:o}", "at", now, "findings", bad));
}
