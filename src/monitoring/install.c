// SPDX-License-Identifier: MIT
#include "monitoring/install.h"

#include "base/embed.h"
#include "base/text.h"
#include "change/name.h"
#include "monitoring/fill.h"
#include "pg/script.h"

#include <string.h>

/* An object that this database gets, beside what is there. */
struct item {
    const struct monitoring_object *object;
    const struct catalog_object *found; /* NULL: it is not there */
    const char *key;
    const char *sql;
    const char *declared;
    /* It is there but another: it goes and comes anew, with all that reads it, since CREATE OR
     * REPLACE refuses other columns. NULL: it stays. */
    const char *why_replaced;
    const char *warning;
    bool is_consequence; /* only because of what it reads */
};

struct install {
    const struct monitoring_site *site;
    struct arena *arena;
    LIST_OF(struct item) items;  /* each behind those that it reads */
    const char *old_definitions; /* of all that is replaced; NULL: nothing is */
};

static const struct catalog_object *
find_object(const struct monitoring_site *site, const struct monitoring_object *object)
{
    for (size_t i = 0; i < site->catalog->monitoring.count; i++) {
        const struct catalog_object *found = &site->catalog->monitoring.items[i];
        if (strcmp(found->kind, object->kind) == 0 && strcmp(found->name, object->name) == 0)
            return found;
    }
    return NULL;
}

/* --- what is to be done -------------------------------------------------------------------- */

/* A table with history stays as it is: a newer pgdeck adds tables, it does not change them. */
static bool
is_kept(const struct monitoring_site *site, const struct monitoring_object *object)
{
    return strcmp(object->kind, "table") == 0 &&
           catalog_find_table(site->catalog, "monitoring", object->name) != NULL;
}

static void
compare(const struct install *install, struct item *item)
{
    const struct monitoring_site *site = install->site;
    const struct catalog_memo *memo =
        catalog_find_memo(site->advice->catalog, site->catalog, item->key);

    if (item->found == NULL)
        return;
    if (memo == NULL) {
        item->why_replaced = "there is one that pgdeck's journal does not know";
        item->warning = "The one that is there is replaced; rollback brings it back.";
    } else if (strcmp(memo->declared, item->declared) != 0) {
        item->why_replaced = "this pgdeck has a newer one";
    } else if (strcmp(memo->observed, item->found->hash) != 0) {
        item->why_replaced = "it was changed since pgdeck made it";
        item->warning = "The change is lost; rollback brings it back.";
    }
}

static void
choose(struct install *install, const struct monitoring_sites *sites)
{
    const struct monitoring_objects *objects = install->site->objects;

    for (size_t i = 0; i < objects->list.count; i++) {
        const struct monitoring_object *object = &objects->list.items[i];
        if (!monitoring_is_served(install->site, sites, object) || is_kept(install->site, object))
            continue;
        struct item *item = LIST_ADD(install->arena, &install->items);
        item->object = object;
        item->found = find_object(install->site, object);
        item->key = arena_printf(install->arena, "%s monitoring.%s", object->kind, object->name);
        item->sql = monitoring_fill(install->site, sites, object);
        item->declared = change_hash(install->arena, item->sql);
        compare(install, item);
        for (size_t j = 0; j + 1 < install->items.count; j++) {
            const struct item *read = &install->items.items[j];
            if (item->found != NULL && item->why_replaced == NULL && read->why_replaced != NULL &&
                monitoring_names_have(&object->after, read->object->name)) {
                item->why_replaced = arena_printf(install->arena, "it reads %s, which is replaced",
                                                  read->object->name);
                item->is_consequence = true;
            }
        }
    }
}

/* --- SQL ----------------------------------------------------------------------------------- */

static const char *
drop_sql(struct arena *arena, const struct monitoring_object *object)
{
    return pg_script(arena, "monitoring/sql/drop.sql",
                     PG_VARIABLES({"kind", object->kind}, {"name", object->name}));
}

/* Whether items[reader] reads items[read], directly or through others. */
static bool
reads(const struct install *install, size_t reader, size_t read)
{
    const struct item *items = install->items.items;

    if (reader == read)
        return true;
    for (size_t i = read; i < reader; i++) {
        if (monitoring_names_have(&items[reader].object->after, items[i].object->name) &&
            reads(install, i, read))
            return true;
    }
    return false;
}

/* Drops of what is replaced and reads items[read], itself included, the last one first. */
static void
append_drops(const struct install *install, size_t read, bool is_all, struct text *script)
{
    for (size_t i = install->items.count; i-- > 0;) {
        const struct item *item = &install->items.items[i];
        if (item->why_replaced != NULL && (is_all || (i >= read && reads(install, i, read))))
            text_appendf(script, "%s;\n", drop_sql(install->arena, item->object));
    }
}

static bool
is_replaced(const struct install *install, const char *kind, const char *name)
{
    for (size_t i = 0; i < install->items.count; i++) {
        const struct item *item = &install->items.items[i];
        if (item->why_replaced != NULL && strcmp(item->object->kind, kind) == 0 &&
            strcmp(item->object->name, name) == 0)
            return true;
    }
    return false;
}

static bool
read_definitions(const struct install *install, PGresult **ret_result, struct error *err)
{
    if (pg_query(install->site->catalog->connection,
                 embedded_file("monitoring/sql/definitions.sql")->text, 0, NULL, ret_result, err))
        return true;
    return error_wrap(err, "database \"%s\": cannot read the schema monitoring",
                      install->site->deck->name);
}

static bool
read_old_definitions(struct install *install, struct error *err)
{
    AUTO_PGRESULT result = NULL;
    AUTO_TEXT script = {0};

    append_drops(install, 0, true, &script);
    if (script.length == 0)
        return true;
    if (!read_definitions(install, &result, err))
        return false;
    for (int row = 0; row < PQntuples(result); row++) {
        if (is_replaced(install, pg_value(result, row, "kind"), pg_value(result, row, "name")))
            text_appendf(&script, "%s\n", pg_value(result, row, "sql"));
    }
    install->old_definitions = arena_strdup(install->arena, text_chars(&script));
    return true;
}

/* --- changes ------------------------------------------------------------------------------- */

static const char *
observe_sql(struct arena *arena, const struct monitoring_object *object)
{
    const char *objects = pg_script(arena, "pg/sql/monitoring_objects.sql", NULL, 0);

    return pg_script(
        arena, "monitoring/sql/observe.sql",
        PG_VARIABLES({"objects", objects}, {"kind", object->kind}, {"name", object->name}));
}

/* Undone from the last to the first: each goes, and the first of those that were replaced brings
 * all the old ones back. */
static const char *
undo_sql(struct install *install, const struct item *item)
{
    if (item->why_replaced == NULL || install->old_definitions == NULL)
        return drop_sql(install->arena, item->object);
    const char *undo = install->old_definitions;
    install->old_definitions = NULL;
    return undo;
}

static void
add_change(struct install *install, size_t index)
{
    const struct item *item = &install->items.items[index];
    const struct monitoring_object *object = item->object;
    bool is_new = item->why_replaced == NULL;
    bool is_table = strcmp(object->kind, "table") == 0;
    AUTO_TEXT script = {0};

    if (!is_new)
        append_drops(install, index, false, &script);
    text_append(&script, item->sql);
    change_list_add(
        install->site->advice->changes,
        &(struct change){
            .server = install->site->advice->server->name,
            .database = install->site->deck->name,
            .key = item->key,
            .phase = CHANGE_VIEW,
            .action = is_new ? CHANGE_CREATE : CHANGE_ALTER,
            .what = arena_printf(install->arena, "%s %s monitoring.%s",
                                 is_new ? "create" : "replace", object->kind, object->name),
            .why = is_new ? object->what : item->why_replaced,
            .warning = item->warning,
            .place = install->site->deck->place,
            .sql = arena_strdup(install->arena, text_chars(&script)),
            .undo = undo_sql(install, item),
            .undo_guard = is_table ? pg_script(install->arena, "monitoring/sql/table_guard.sql",
                                               PG_VARIABLES({"name", object->name}))
                                   : NULL,
            .lock = is_new ? NULL
                           : arena_printf(install->arena, "ACCESS EXCLUSIVE on monitoring.%s",
                                          object->name),
            .is_transactional = true,
            .is_consequence = item->is_consequence,
            .declared = is_table ? NULL : item->declared,
            .observe = is_table ? NULL : observe_sql(install->arena, object),
        });
}

/* --- objects that this pgdeck no longer has, or that lost what they need ------------------- */

static bool
is_chosen(const struct install *install, const struct catalog_object *found)
{
    for (size_t i = 0; i < install->items.count; i++) {
        if (install->items.items[i].found == found)
            return true;
    }
    return false;
}

static bool
is_retired(const struct install *install, const struct catalog_object *found)
{
    const struct monitoring_site *site = install->site;
    const char *key = arena_printf(install->arena, "%s monitoring.%s", found->kind, found->name);

    return !is_chosen(install, found) &&
           catalog_find_memo(site->advice->catalog, site->catalog, key) != NULL;
}

static void
add_drop(const struct install *install, const char *kind, const char *name, const char *definition)
{
    change_list_add(
        install->site->advice->changes,
        &(struct change){
            .server = install->site->advice->server->name,
            .database = install->site->deck->name,
            .key = arena_printf(install->arena, "%s monitoring.%s", kind, name),
            .phase = CHANGE_VIEW,
            .action = CHANGE_DROP,
            .what = arena_printf(install->arena, "drop %s monitoring.%s", kind, name),
            .why = "pgdeck made it and no longer has it, or the table that it reads is gone",
            .place = install->site->deck->place,
            .sql = pg_script(install->arena, "monitoring/sql/drop.sql",
                             PG_VARIABLES({"kind", kind}, {"name", name})),
            .undo = definition,
            .lock = arena_printf(install->arena, "ACCESS EXCLUSIVE on monitoring.%s", name),
            .is_transactional = true,
        });
}

/* The youngest first: an object reads older ones only. */
static bool
retire(const struct install *install, struct error *err)
{
    const struct monitoring_site *site = install->site;
    AUTO_PGRESULT result = NULL;
    size_t count = 0;

    for (size_t i = 0; i < site->catalog->monitoring.count; i++)
        count += is_retired(install, &site->catalog->monitoring.items[i]);
    if (count == 0)
        return true;
    if (!read_definitions(install, &result, err))
        return false;
    for (int row = PQntuples(result); row-- > 0;) {
        const char *kind = pg_value(result, row, "kind"), *name = pg_value(result, row, "name");
        for (size_t i = 0; i < site->catalog->monitoring.count; i++) {
            const struct catalog_object *found = &site->catalog->monitoring.items[i];
            if (strcmp(found->kind, kind) == 0 && strcmp(found->name, name) == 0 &&
                is_retired(install, found))
                add_drop(install, found->kind, found->name,
                         arena_strdup(install->arena, pg_value(result, row, "sql")));
        }
    }
    return true;
}

bool
monitoring_install(const struct monitoring_site *site, const struct monitoring_sites *sites,
                   struct error *err)
{
    struct install install = {.site = site, .arena = site->advice->arena};

    choose(&install, sites);
    if (!read_old_definitions(&install, err))
        return false;
    for (size_t i = 0; i < install.items.count; i++) {
        if (install.items.items[i].found == NULL || install.items.items[i].why_replaced != NULL)
            add_change(&install, i);
    }
    return retire(&install, err);
}
