// SPDX-License-Identifier: MIT
#include "alert/evaluate.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

/* What is looked at more often, by a level of its own. */
static const char *const watched[] = {
    "reachable", "connections", "query mean",      "ai tasks",          "cache hit",
    "xid age",   "lock waits",  "replication lag", "long transactions", "forecast",
};

static bool
is_watched(const char *check)
{
    for (size_t i = 0; i < sizeof(watched) / sizeof(watched[0]); i++) {
        if (strcmp(watched[i], check) == 0)
            return true;
    }
    return false;
}

/* "wait events" is the alert "health_wait_events". */
static const char *
name_of(struct arena *arena, const char *check)
{
    char *name = arena_printf(arena, "%s%s", ALERT_HEALTH, check);

    for (char *at = name; *at != '\0'; at++)
        *at = isalnum((unsigned char)*at) ? *at : '_';
    return name;
}

static const char *
environment_of(const struct deck *deck, const char *database)
{
    for (size_t i = 0; database != NULL && i < deck->databases.count; i++) {
        if (strcmp(deck->databases.items[i].name, database) == 0)
            return deck->databases.items[i].environment->name;
    }
    return NULL;
}

static const char *
text_at(const json_t *json, const char *key)
{
    return json_string_value(json_object_get(json, key));
}

static bool
has_server(const struct deck *deck, const char *name)
{
    for (size_t i = 0; name != NULL && i < deck->servers.count; i++) {
        if (strcmp(deck->servers.items[i].name, name) == 0)
            return true;
    }
    return false;
}

static void
add(struct arena *arena, const struct deck *deck, const json_t *check, int64_t measured_ms,
    struct alert_findings *ret_findings)
{
    const char *name = text_at(check, "check"), *severity = text_at(check, "severity");
    const char *finding = text_at(check, "finding"), *evidence = text_at(check, "evidence");
    const char *server = text_at(check, "server"), *database = text_at(check, "database");
    const char *environment = environment_of(deck, database);
    bool is_of_deck = has_server(deck, server) && (database == NULL || environment != NULL);

    if (!is_of_deck || name == NULL || severity == NULL || is_watched(name) ||
        strcmp(severity, "unknown") == 0)
        return;
    bool is_critical = strcmp(severity, "critical") == 0;
    struct alert_finding *added = LIST_ADD(arena, &ret_findings->list);
    *added = (struct alert_finding){
        .name = name_of(arena, name),
        .server = server,
        .environment = environment,
        .database = database,
        .level = is_critical ? ALERT_CRITICAL : ALERT_NONE,
        .value = NAN,
        .warning = NAN,
        .critical = NAN,
        .message = finding == NULL || finding[0] == '\0' ? name : finding,
        .fix_sql = text_at(check, "fix_sql"),
        .fix_database = text_at(check, "fix_database"),
        .measured_ms = measured_ms,
    };
    if (evidence != NULL)
        added->message = arena_printf(arena, "%s: %s", added->message, evidence);
}

static const json_t *
look_of(const struct deck *deck, const json_t *health)
{
    size_t at;
    const json_t *one;

    json_array_foreach(json_object_get(health, "decks"), at, one)
    {
        const char *file = text_at(one, "deck_file");
        if (file != NULL && strcmp(file, deck->file) == 0)
            return one;
    }
    return NULL;
}

void
alert_evaluate_health(struct arena *arena, const struct deck *deck, const json_t *health,
                      struct alert_findings *ret_findings)
{
    static const double ms = 1000;
    const json_t *one = look_of(deck, health), *check;
    int64_t measured_ms = (int64_t)(json_number_value(json_object_get(one, "at")) * ms);
    size_t at;

    json_array_foreach(json_object_get(one, "checks"), at, check)
    {
        add(arena, deck, check, measured_ms, ret_findings);
    }
}

static bool
is_same(const char *one, const char *other)
{
    return one == NULL || other == NULL ? one == other : strcmp(one, other) == 0;
}

bool
alert_health_is_over(const struct deck *deck, const json_t *health,
                     const struct alert_finding *alert)
{
    AUTO_ARENA arena = arena_new();
    const json_t *one = look_of(deck, health), *check;
    bool was_there = false;
    size_t at;

    if (strncmp(alert->name, ALERT_HEALTH, strlen(ALERT_HEALTH)) != 0)
        return false;
    json_array_foreach(json_object_get(one, "checks"), at, check)
    {
        const char *name = text_at(check, "check"), *severity = text_at(check, "severity");
        const char *database = text_at(check, "database");
        if (name == NULL || severity == NULL || !is_same(alert->server, text_at(check, "server")))
            continue;
        if (strcmp(name, "reachable") == 0 && strcmp(severity, "ok") != 0)
            return false;
        if (!is_same(alert->database, database))
            continue;
        if (strcmp(alert->name, name_of(arena, name)) == 0)
            return false;
        was_there = true;
    }
    return was_there;
}
