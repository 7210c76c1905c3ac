// SPDX-License-Identifier: MIT
#include "plan/plan_json.h"

#include "base/json_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FORMAT = 1 };

static json_t *
place_json(struct place place)
{
    if (place.file == NULL)
        return json_null();
    return json_pack("{s:s, s:i, s:i}", "file", place.file, "line", place.line, "column",
                     place.column);
}

/* The part of a change that a plan file promises. */
static json_t *
promise_json(const struct change *change)
{
    json_t *object = json_object();

    json_object_set_new(object, "advisor", json_string(change->advisor));
    json_object_set_new(object, "server", json_string(change->server));
    json_object_set_new(object, "database", json_text(change->database));
    json_object_set_new(object, "key", json_string(change->key));
    json_object_set_new(object, "phase", json_string(change_phase_name(change->phase)));
    json_object_set_new(object, "action", json_string(change_action_sign(change->action)));
    json_object_set_new(object, "sql", json_text(change->sql));
    json_object_set_new(object, "file", json_text(change->file));
    json_object_set_new(object, "procedure",
                        json_text(change->procedure ? change->procedure->name : NULL));
    json_object_set_new(object, "undo", json_text(change->undo));
    json_object_set_new(object, "lock", json_text(change->lock));
    json_object_set_new(object, "transactional", json_boolean(change->is_transactional));
    json_object_set_new(object, "reload", json_boolean(change->needs_reload));
    json_object_set_new(object, "restart", json_boolean(change->needs_restart));
    json_object_set_new(object, "destructive", json_boolean(change->is_destructive));
    json_object_set_new(object, "revocation", json_boolean(change->is_revocation));
    return object;
}

static json_t *
change_json(const struct change *change)
{
    json_t *object = promise_json(change);

    json_object_set_new(object, "what", json_string(change->what));
    json_object_set_new(object, "why", json_text(change->why));
    json_object_set_new(object, "warning", json_text(change->warning));
    json_object_set_new(object, "drift", json_text(change->drift));
    json_object_set_new(object, "place", place_json(change->place));
    return object;
}

static json_t *
fingerprint_json(uint64_t fingerprint)
{
    char hex[20];

    snprintf(hex, sizeof(hex), "%016" PRIx64, fingerprint);
    return json_string(hex);
}

static json_t *
server_json(const struct plan_server *server)
{
    json_t *databases = json_array();

    for (size_t i = 0; i < server->catalog.snapshots.count; i++) {
        const struct catalog_database *database = &server->catalog.snapshots.items[i];
        json_array_append_new(databases, json_pack("{s:s, s:b, s:o}", "name", database->name,
                                                   "exists", database->exists, "fingerprint",
                                                   fingerprint_json(database->fingerprint)));
    }
    return json_pack("{s:s, s:i, s:s, s:o, s:o}", "name", server->deck->name, "version",
                     server->catalog.version, "system_identifier",
                     server->catalog.system_identifier, "fingerprint",
                     fingerprint_json(server->catalog.fingerprint), "databases", databases);
}

static json_t *
note_json(const struct change_note *note)
{
    return json_pack("{s:s, s:s, s:o, s:s, s:o}", "advisor", note->advisor, "server", note->server,
                     "database", json_text(note->database), "text", note->text, "place",
                     place_json(note->place));
}

static json_t *
manual_json(const struct change_manual *manual)
{
    return json_pack("{s:s, s:s, s:o, s:s, s:s, s:o, s:o, s:s, s:s, s:o, s:b, s:o}", "advisor",
                     manual->advisor, "server", manual->server, "database",
                     json_text(manual->database), "key", manual->key, "what", manual->what, "why",
                     json_text(manual->why), "drift", json_text(manual->drift), "obstacle",
                     manual->obstacle, "remedy", manual->remedy, "form", json_text(manual->form),
                     "restart", manual->needs_restart, "place", place_json(manual->place));
}

void
plan_write_json(const struct plan *plan, struct text *text)
{
    json_t *servers = json_array();
    json_t *changes = json_array();
    json_t *notes = json_array();
    json_t *manual = json_array();
    struct plan_summary summary = plan_summarize(plan);

    for (size_t i = 0; i < plan->servers.count; i++)
        json_array_append_new(servers, server_json(&plan->servers.items[i]));
    for (size_t i = 0; i < plan->changes.changes.count; i++)
        json_array_append_new(changes, change_json(&plan->changes.changes.items[i]));
    for (size_t i = 0; i < plan->changes.notes.count; i++)
        json_array_append_new(notes, note_json(&plan->changes.notes.items[i]));
    for (size_t i = 0; i < plan->changes.manual.count; i++)
        json_array_append_new(manual, manual_json(&plan->changes.manual.items[i]));
    char *path = realpath(plan->deck->file, NULL);
    json_t *document = json_pack(
        "{s:i, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:{s:I, s:I, s:I, s:I, s:I}}", "pgdeck_plan",
        FORMAT, "pgdeck", PGDECK_VERSION, "deck", plan->deck->name, "deck_file",
        path == NULL ? plan->deck->file : path, "servers", servers, "changes", changes, "manual",
        manual, "notes", notes, "summary", "create", (json_int_t)summary.create, "alter",
        (json_int_t)summary.alter, "drop", (json_int_t)summary.drop, "run", (json_int_t)summary.run,
        "manual", (json_int_t)plan->changes.manual.count);
    char *dump = json_dumps(document, JSON_INDENT(2));
    text_append(text, dump == NULL ? "{}" : dump);
    text_append(text, "\n");
    free(dump);
    free(path);
    json_decref(document);
}

/* --- the promise -------------------------------------------------------------------------- */

static json_t *
read_plan_file(const char *path, struct error *err)
{
    json_error_t fault;
    json_t *document = json_load_file(path, JSON_REJECT_DUPLICATES, &fault);

    if (document == NULL) {
        error_set(err, ERROR_FILE, "cannot read the plan: %s", fault.text);
        error_place(err, (struct place){path, fault.line < 0 ? 0 : fault.line, fault.column});
        return NULL;
    }
    if (json_integer_value(json_object_get(document, "pgdeck_plan")) != FORMAT) {
        json_decref(document);
        error_set(err, ERROR_FILE, "\"%s\" is no plan of this pgdeck", path);
        error_hint(err, "Make one with pgdeck plan --out FILE.");
        return NULL;
    }
    return document;
}

bool
plan_file_deck(struct arena *arena, const char *path, const char **ret_deck, struct error *err)
{
    json_t *document = read_plan_file(path, err);

    if (document == NULL)
        return false;
    const char *deck = json_string_value(json_object_get(document, "deck_file"));
    *ret_deck = arena_strdup(arena, deck == NULL ? "" : deck);
    json_decref(document);
    return true;
}

static bool
is_promised(const json_t *promised, const struct change *change)
{
    json_t *now = promise_json(change);
    const char *key;
    json_t *value;
    bool is_equal = true;

    json_object_foreach(now, key, value)
    {
        is_equal = is_equal && json_equal(value, json_object_get(promised, key));
    }
    json_decref(now);
    return is_equal;
}

static bool
changes_match(const struct plan *plan, const json_t *promised, struct error *err)
{
    size_t count = plan->changes.changes.count;

    for (size_t i = 0; i < count || i < json_array_size(promised); i++) {
        const json_t *then = json_array_get(promised, i);
        const struct change *now = i < count ? &plan->changes.changes.items[i] : NULL;
        if (then != NULL && now != NULL && is_promised(then, now))
            continue;
        const char *what = json_string_value(json_object_get(then, "what"));
        return error_detail(err, "Change %zu was \"%s\" and is \"%s\" now.", i + 1,
                            what == NULL ? "none" : what, now == NULL ? "none" : now->what);
    }
    return true;
}

/* The objects of a list named alike in both; sets the detail at the first difference. */
static bool
servers_match(const json_t *then, const json_t *now, struct error *err)
{
    static const char *const keys[] = {"system_identifier", "version", "fingerprint", NULL};

    for (const char *const *key = keys; *key != NULL; key++) {
        if (!json_equal(json_object_get(then, *key), json_object_get(now, *key)))
            return error_detail(err, "Server \"%s\": its %s is another.",
                                json_string_value(json_object_get(now, "name")),
                                strcmp(*key, "fingerprint") == 0 ? "configuration" : *key);
    }
    const json_t *databases = json_object_get(now, "databases");
    for (size_t i = 0; i < json_array_size(databases); i++) {
        const json_t *database = json_array_get(databases, i);
        const json_t *before = json_array_get(json_object_get(then, "databases"), i);
        if (!json_equal(before, database))
            return error_detail(err, "Database \"%s\" has changed.",
                                json_string_value(json_object_get(database, "name")));
    }
    return true;
}

bool
plan_matches_file(const struct plan *plan, const char *path, struct error *err)
{
    json_t *document = read_plan_file(path, err);
    bool is_same = true;

    if (document == NULL)
        return false;
    error_set(err, ERROR_STALE_PLAN, "the servers are no longer what the plan was made for");
    error_hint(err, "Make a new plan and look at it: pgdeck plan --out %s", path);
    const json_t *servers = json_object_get(document, "servers");
    for (size_t i = 0; i < plan->servers.count && is_same; i++) {
        json_t *now = server_json(&plan->servers.items[i]);
        is_same = servers_match(json_array_get(servers, i), now, err);
        json_decref(now);
    }
    is_same = is_same && changes_match(plan, json_object_get(document, "changes"), err);
    json_decref(document);
    if (is_same)
        error_clear(err);
    return is_same;
}
