// SPDX-License-Identifier: MIT
#include "alert/evaluate.h"

#include "base/text.h"
#include "deck/keys.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { SCRAPE_S = 15, MINUTE_S = 60 };

/* What is held against the levels of that name; %s: matchers of the deck. */
static const struct rule {
    const char *name, *expression;
} rules[] = {
    {"connections", "pgdeck_server_sessions{%s} / pgdeck_server_connections_max{%s}"},
    {"query_mean", "pgdeck_target_value{%s,target=\"query_mean\"}"},
    {"query_p95", "pgdeck_target_value{%s,target=\"query_p95\"}"},
    {"ai_task", "pgdeck_target_value{%s,target=\"ai_task\"}"},
    {"ai_task_errors", "pgdeck_target_value{%s,target=\"ai_task_errors\"}"},
    {"cache_hit", "pgdeck_target_value{%s,target=\"cache_hit\"}"},
    {"long_transaction", "pgdeck_server_oldest_transaction_seconds{%s} * 1000"},
    {"replication_lag", "pgdeck_server_replay_lag_seconds{%s} * 1000"},
    {"runs_out", "(pgdeck_runs_out_time_seconds{%s} - time()) * 1000"},
    {"xid_age", "pgdeck_server_transaction_id_age{%s} / 2147483648"},
};
static const struct rule outages[] = {
    {"server_unreachable", "pgdeck_server_up{%s} == 0"},
    {"database_unreachable",
     "(pgdeck_database_up{%s} == 0) unless on (deck, server) (pgdeck_server_up{%s} == 0)"},
};

/* A scalar of YAML, quoted as JSON does it. */
static void
append_quoted(struct text *text, const char *key, const char *value)
{
    json_t *json = json_string(value);
    char *quoted = json == NULL ? NULL : json_dumps(json, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);

    text_appendf(text, "%s: %s\n", key, quoted == NULL ? "\"\"" : quoted);
    free(quoted);
    json_decref(json);
}

/* deck="NAME" as PromQL reads it. */
static const char *
matcher_of(struct arena *arena, const char *deck)
{
    AUTO_TEXT text = {0};

    text_append(&text, "deck=\"");
    for (; *deck != '\0'; deck++) {
        if (*deck == '\n')
            text_append(&text, "\\n");
        else
            text_appendf(&text, *deck == '"' || *deck == '\\' ? "\\%c" : "%c", *deck);
    }
    text_append(&text, "\"");
    return arena_strdup(arena, text_chars(&text));
}

static char *
fill(struct arena *arena, const char *expression, const char *matcher)
{
    AUTO_TEXT text = {0};

    for (const char *at = expression; *at != '\0'; at++) {
        bool is_matcher = at[0] == '%' && at[1] == 's';
        text_append_bytes(&text, is_matcher ? matcher : at, is_matcher ? strlen(matcher) : 1);
        at += is_matcher;
    }
    return arena_strdup(arena, text_chars(&text));
}

struct rendered {
    const char *name, *expression, *severity, *summary, *fix;
    struct deck_alert counts;
    int measured_s; /* 0: at each scrape */
};

static void
append_rule(struct text *text, const struct rendered *rule)
{
    append_quoted(text, "      - alert", rule->name);
    append_quoted(text, "        expr", rule->expression);
    int measured_s = rule->measured_s == 0 ? SCRAPE_S : rule->measured_s;
    text_appendf(text, "        for: %ds\n", (rule->counts.fire - 1) * measured_s);
    text_appendf(text, "        keep_firing_for: %ds\n", rule->counts.clear * measured_s);
    text_appendf(text, "        labels: {severity: %s}\n        annotations:\n", rule->severity);
    append_quoted(text, "          summary", rule->summary);
    if (rule->fix != NULL)
        append_quoted(text, "          fix_sql", rule->fix);
}

static struct deck_alert
counts_of(const struct deck *deck, const char *name)
{
    for (size_t i = 0; i < deck->alerts.count; i++) {
        if (strcmp(deck->alerts.items[i].name, name) == 0)
            return deck->alerts.items[i];
    }
    return (struct deck_alert){.fire = DECK_ALERT_FIRE, .clear = DECK_ALERT_CLEAR};
}

static void
append_levels(struct arena *arena, struct text *text, const struct deck *deck,
              const struct rule *rule)
{
    struct alert_levels levels;

    if (!alert_levels_of(deck, rule->name, &levels))
        return;
    bool is_low_bad = levels.critical < levels.warning;
    char *expression = fill(arena, rule->expression, matcher_of(arena, deck->name));
    struct rendered one = {
        .name = rule->name,
        .summary = arena_printf(arena,
                                "%s is {{ $value | printf \"%%.4g\" }} (%s) in "
                                "{{ $labels.environment }}{{ $labels.server }}",
                                rule->name, levels.unit),
        .fix = alert_fix(arena, rule->name),
        .counts = counts_of(deck, rule->name),
        .measured_s = strstr(rule->expression, "pgdeck_target_value") != NULL ? MINUTE_S : 0,
    };

    one.severity = "warning";
    one.expression = arena_printf(arena, "(%s %s %.15g) %s %.15g", expression,
                                  is_low_bad ? "<=" : ">=", levels.warning, is_low_bad ? ">" : "<",
                                  levels.critical);
    append_rule(text, &one);
    one.severity = "critical";
    one.expression =
        arena_printf(arena, "%s %s %.15g", expression, is_low_bad ? "<=" : ">=", levels.critical);
    append_rule(text, &one);
}

char *
alert_prometheus_rules(struct arena *arena, const struct deck *deck)
{
    AUTO_TEXT text = {0};

    text_append(&text, "# Made by pgdeck alerts rules. For the metrics of pgdeck watch.\n"
                       "groups:\n");
    append_quoted(&text, "  - name", arena_printf(arena, "pgdeck %s", deck->name));
    text_append(&text, "    rules:\n");
    for (size_t i = 0; i < sizeof(outages) / sizeof(outages[0]); i++)
        append_rule(&text, &(struct rendered){
                               .name = outages[i].name,
                               .expression = fill(arena, outages[i].expression,
                                                  matcher_of(arena, deck->name)),
                               .severity = "critical",
                               .summary = "{{ $labels.database }} on {{ $labels.server }} does "
                                          "not answer",
                               .counts = counts_of(deck, "unreachable"),
                           });
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
        append_levels(arena, &text, deck, &rules[i]);
    append_rule(&text, &(struct rendered){
                           .name = "notify_target_failing",
                           .expression = fill(arena, "pgdeck_notify_target_failing{%s} == 1",
                                              matcher_of(arena, deck->name)),
                           .severity = "warning",
                           .summary = "pgdeck watch cannot tell {{ $labels.target }} of alerts",
                           .counts = {.fire = DECK_ALERT_FIRE, .clear = DECK_ALERT_CLEAR},
                       });
    append_rule(&text, &(struct rendered){
                           .name = "pgdeck_watch_absent",
                           .expression = "absent(pgdeck_watch_start_time_seconds)",
                           .severity = "critical",
                           .summary = "nobody sees pgdeck watch",
                           .counts = counts_of(deck, "unreachable"),
                       });
    return arena_strdup(arena, text_chars(&text));
}
