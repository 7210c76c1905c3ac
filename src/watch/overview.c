// SPDX-License-Identifier: MIT
/* The first document: each environment with its targets, each server, reachable or not. */
#include "watch/document.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

json_t *
watch_json(const char *text)
{
    if (text == NULL)
        return json_null();
    size_t length = strlen(text);
    if (text_utf8_length(text, length) == length)
        return json_stringn_nocheck(text, length);
    char *valid = strdup(text);
    if (valid == NULL)
        abort();
    for (size_t at = 0; at < length; at++) {
        at += text_utf8_length(valid + at, length - at);
        if (at < length)
            valid[at] = '?';
    }
    json_t *json = json_stringn_nocheck(valid, length);
    free(valid);
    return json;
}

json_t *
watch_number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *
database_of(const struct watch_collector *collector)
{
    json_t *one = json_pack("{s:o, s:b, s:b, s:f}", "name", watch_json(collector->database->name),
                            "was_asked", collector->was_asked, "is_reachable",
                            collector->is_reachable, "since", collector->since);

    json_object_set_new(one, "error",
                        collector->error[0] == '\0' ? json_null() : watch_json(collector->error));
    json_object_set_new(one, "sessions", watch_number(collector->sessions));
    json_object_set_new(one, "active", watch_number(collector->active));
    json_object_set_new(one, "idle_in_transaction", watch_number(collector->idle_in_transaction));
    json_t *faults = json_object();
    for (size_t i = 0; i < watch_task_count; i++) {
        if (collector->faults[i][0] != '\0')
            json_object_set_new(faults, watch_tasks[i].name, watch_json(collector->faults[i]));
    }
    json_object_set_new(one, "not_measured", faults);
    return one;
}

static json_t *
environment_of(struct watch *watch, const struct deck *deck,
               const struct deck_environment *environment, double now)
{
    struct watch_generation *generation = watch->generation;
    json_t *databases = json_array();
    const struct watch_collector *unreachable = NULL;

    for (size_t i = 0; i < generation->collectors.count; i++) {
        const struct watch_collector *collector = &generation->collectors.items[i];
        if (collector->database->environment != environment)
            continue;
        json_array_append_new(databases, database_of(collector));
        if (collector->was_asked && !collector->is_reachable && unreachable == NULL)
            unreachable = collector;
    }
    char id[WATCH_ID_BYTES];
    return json_pack("{s:s, s:o, s:o, s:o, s:b, s:o, s:o, s:o}", "id",
                     watch_environment_id(deck, environment, id), "deck", watch_json(deck->name),
                     "environment", watch_json(environment->name), "server",
                     watch_json(environment->server->name), "is_reachable", unreachable == NULL,
                     "error", unreachable == NULL ? json_null() : watch_json(unreachable->error),
                     "databases", databases, "targets",
                     watch_targets(watch, deck, environment, now));
}

/* One of its databases answers, whether or not somebody asks for all of the server already. */
static bool
is_server_reachable(const struct watch *watch, const struct watch_server *server)
{
    for (size_t i = 0; i < watch->generation->collectors.count; i++) {
        const struct watch_collector *collector = &watch->generation->collectors.items[i];
        if (collector->server == server && collector->was_asked && collector->is_reachable)
            return true;
    }
    return false;
}

static json_t *
server_of(const struct watch *watch, const struct watch_server *server)
{
    json_t *one = json_pack("{s:o, s:o, s:b}", "deck", watch_json(server->deck->name), "server",
                            watch_json(server->server->name), "is_reachable",
                            is_server_reachable(watch, server));
    const struct {
        const char *name;
        double value;
    } numbers[] = {
        {"started_at", server->started_at},
        {"max_connections", server->max_connections},
        {"reserved_connections", server->reserved_connections},
        {"sampled_at", server->sampled_at},
        {"sessions", server->sessions},
        {"active", server->active},
        {"idle_in_transaction", server->idle_in_transaction},
        {"waiting_for_lock", server->waiting_for_lock},
        {"oldest_transaction_s", server->oldest_transaction_s},
        {"replay_lag_s", server->is_in_recovery ? server->replay_lag_s : NAN},
        {"xid_age", server->xid_age},
        {"multixact_age", server->multixact_age},
        {"cores", server->cores > 0 ? (double)server->cores : NAN},
    };

    json_object_set_new(one, "version",
                        server->is_known ? watch_json(server->version) : json_null());
    json_object_set_new(one, "is_in_recovery",
                        server->is_known ? json_boolean(server->is_in_recovery) : json_null());
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        json_object_set_new(one, numbers[i].name,
                            watch_number(server->is_known ? numbers[i].value : NAN));
    json_object_set_new(one, "host", watch_host_of(server));
    return one;
}

json_t *
watch_overview(struct watch *watch, double now)
{
    struct watch_generation *generation = watch->generation;
    json_t *environments = json_array(), *servers = json_array();

    for (size_t i = 0; i < generation->decks.list.count; i++) {
        const struct deck *deck = generation->decks.list.items[i];
        for (size_t j = 0; j < deck->environments.count; j++)
            json_array_append_new(environments,
                                  environment_of(watch, deck, &deck->environments.items[j], now));
    }
    for (size_t i = 0; i < generation->servers.count; i++)
        json_array_append_new(servers, server_of(watch, &generation->servers.items[i]));
    return json_pack("{s:f, s:{s:s, s:f, s:i}, s:o, s:o}", "at", now, "watch", "version",
                     PGDECK_VERSION, "started_at", watch->started_at, "pid", (int)getpid(),
                     "environments", environments, "servers", servers);
}
