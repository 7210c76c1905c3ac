// SPDX-License-Identifier: MIT
#include "rollup/advisor.h"

#include "base/embed.h"
#include "base/text.h"
#include "change/name.h"
#include "change/script.h"
#include "pg/script.h"
#include "rollup/refresh.h"

#include <string.h>

/* One rollup in one database. */
struct item {
    const struct change_scope *scope;
    const struct deck_rollup *rollup;
    const char *key, *source; /* source: schema.table */
    const char *every, *settle, *by, *figures, *places;
    const char *time_type; /* NULL: the table is not there yet */
    bool is_secured, has_other_readers;
};

/* --- SQL ----------------------------------------------------------------------------------- */

/* What it is called, and all that belongs to it. */
static const char *
script(const struct item *item, const char *path)
{
    const struct deck_rollup *rollup = item->rollup;
    struct arena *arena = item->scope->advice->arena;
    const char *name = rollup->name;

    return pg_script(
        arena, path,
        PG_VARIABLES({"name", name}, {"changed", arena_printf(arena, "%s_changed", name)},
                     {"state", arena_printf(arena, "%s_state", name)},
                     {"refresh", arena_printf(arena, "%s_refresh", name)},
                     {"mark", arena_printf(arena, "%s_mark", name)},
                     {"marked", arena_printf(arena, "pgdeck.marked_%s", name)},
                     {"insert_trigger", arena_printf(arena, "%s_insert", name)},
                     {"update_trigger", arena_printf(arena, "%s_update", name)},
                     {"delete_trigger", arena_printf(arena, "%s_delete", name)},
                     {"truncate_trigger", arena_printf(arena, "%s_truncate", name)},
                     {"schema", rollup->schema}, {"table", rollup->table}, {"time", rollup->time},
                     {"every", item->every}, {"settle", item->settle}, {"by", item->by},
                     {"figures", item->figures}, {"places", item->places}));
}

static const char *
observe_sql(const struct item *item)
{
    struct arena *arena = item->scope->advice->arena;

    return pg_script(
        arena, "rollup/sql/observe.sql",
        PG_VARIABLES({"name", item->rollup->name},
                     {"function", pg_qualified(arena, item->rollup->schema, item->rollup->name)}));
}

static struct item
item_of(const struct change_scope *scope, const struct deck_rollup *rollup)
{
    struct arena *arena = scope->advice->arena;
    AUTO_TEXT by = {0};
    AUTO_TEXT figures = {0};
    AUTO_TEXT places = {0};

    text_append(&places, "1");
    for (size_t i = 0; i < rollup->by.count; i++) {
        text_appendf(&by, "%s, ", rollup->by.items[i]);
        text_appendf(&places, ", %zu", i + 2);
    }
    for (size_t i = 0; i < rollup->figures.count; i++)
        text_appendf(&figures, "%s%s", i == 0 ? "" : ", ", rollup->figures.items[i]);
    return (struct item){
        .scope = scope,
        .rollup = rollup,
        .key = arena_printf(arena, "rollup %s", rollup->name),
        .source = pg_qualified(arena, rollup->schema, rollup->table),
        .every = arena_printf(arena, "%lld seconds", (long long)rollup->every_ms / 1000),
        .settle = arena_printf(arena, "%lld seconds", (long long)(rollup->settle_ms + 999) / 1000),
        .by = arena_strdup(arena, text_chars(&by)),
        .figures = arena_strdup(arena, text_chars(&figures)),
        .places = arena_strdup(arena, text_chars(&places)),
    };
}

/* --- what is there ------------------------------------------------------------------------- */

static const struct catalog_table *
table_of(const struct item *item)
{
    return catalog_find_table(item->scope->catalog, item->rollup->schema, item->rollup->table);
}

static bool
is_made_by_this_plan(const struct item *item)
{
    const struct change_scope *scope = item->scope;

    return change_find(scope->advice, scope->database->name,
                       change_table_key(scope->advice->arena, item->rollup->schema,
                                        item->rollup->table)) != NULL;
}

static bool
query(const struct item *item, const char *sql, int count, const char *const *parameters,
      PGresult **ret_result, struct error *err)
{
    return pg_query(item->scope->catalog->connection, sql, count, parameters, ret_result, err) ||
           error_wrap(err, "database \"%s\": rollup %s", item->scope->database->name,
                      item->rollup->name);
}

static bool
read_state(struct item *item, struct error *err)
{
    const char *parameters[4] = {item->rollup->name, item->rollup->schema, item->rollup->table,
                                 item->rollup->time};
    AUTO_PGRESULT result = NULL;

    if (!query(item, embedded_file("rollup/sql/state.sql")->text, 4, parameters, &result, err))
        return false;
    item->time_type = pg_keep_text(item->scope->advice->arena, result, 0, "time_type");
    item->is_secured = pg_bool(result, 0, "is_secured");
    item->has_other_readers = pg_bool(result, 0, "has_other_readers");
    return true;
}

static bool
is_by(const struct deck_rollup *rollup, const char *column)
{
    for (size_t i = 0; column != NULL && i < rollup->by.count; i++) {
        if (strcmp(rollup->by.items[i], column) == 0)
            return true;
    }
    return false;
}

/* Whether the server takes it, asked before anything is made. */
static bool
probe(const struct item *item, struct error *err)
{
    AUTO_PGRESULT result = NULL;

    if (strcmp(item->time_type, "timestamp with time zone") != 0) {
        error_set(err, ERROR_DECK, "rollup %s: column \"%s\" of %s is %s, not timestamptz",
                  item->rollup->name, item->rollup->time, item->source,
                  item->time_type[0] == '\0' ? "not there" : item->time_type);
        return error_place(err, item->rollup->place);
    }
    if (query(item, script(item, "rollup/sql/probe.sql"), 0, NULL, &result, err))
        return true;
    err->code = ERROR_DECK;
    return error_place(err, item->rollup->place);
}

/* --- changes ------------------------------------------------------------------------------- */

static struct change
change_of(const struct item *item)
{
    return (struct change){
        .server = item->scope->advice->server->name,
        .database = item->scope->database->name,
        .key = item->key,
        .phase = CHANGE_VIEW,
        .action = CHANGE_CREATE,
        .place = item->rollup->place,
        .is_transactional = true,
    };
}

/* "by the hour", "by 15min". */
static const char *
bucket_words(const struct item *item)
{
    long long seconds = (long long)item->rollup->every_ms / 1000;
    enum { MINUTE_S = 60, HOUR_S = 60 * MINUTE_S, DAY_S = 24 * HOUR_S };

    if (seconds == HOUR_S)
        return "the hour";
    if (seconds == DAY_S)
        return "the day";
    return arena_printf(item->scope->advice->arena, "%lld s", seconds);
}

static void
add_creation(const struct item *item, const char *why_replaced)
{
    struct arena *arena = item->scope->advice->arena;
    struct change change = change_of(item);
    const char *create = script(item, "rollup/sql/create.sql");

    change.what = arena_printf(
        arena, "%s rollup %s of %s, by %s%s%s", why_replaced == NULL ? "create" : "replace",
        item->rollup->name, item->rollup->table, bucket_words(item),
        item->rollup->by.count > 0 ? " and " : "",
        item->rollup->by.count > 0 ? arena_strndup(arena, item->by, strlen(item->by) - 2) : "");
    change.why = why_replaced != NULL ? why_replaced
                                      : "queries over long times read figures instead of rows";
    if (why_replaced != NULL) {
        change.action = CHANGE_ALTER;
        change.warning =
            "It is computed anew: what it has of rows that the table has no more goes.";
        create = arena_printf(arena, "%s;\n%s", script(item, "rollup/sql/drop.sql"), create);
    }
    change.sql = create;
    change.undo = script(item, "rollup/sql/drop.sql");
    change.lock =
        arena_printf(arena, "SHARE ROW EXCLUSIVE on %s, for a moment", item->rollup->table);
    change.declared = change_hash(arena, script(item, "rollup/sql/create.sql"));
    change.observe = observe_sql(item);
    change_list_add(item->scope->advice->changes, &change);
}

static bool
fill(struct change_execution *execution, struct error *err)
{
    const struct deck_rollup *rollup = execution->change->argument;

    return rollup_refresh(execution->connection, rollup->name, err);
}

static const struct change_procedure fill_procedure = {"fill rollup", fill};

static void
add_fill(const struct item *item)
{
    struct arena *arena = item->scope->advice->arena;
    const char *name = item->rollup->name;
    struct change change = change_of(item);

    change.key = arena_printf(arena, "fill of rollup %s", name);
    change.action = CHANGE_RUN;
    change.what = arena_printf(arena, "fill rollup %s", name);
    change.why = "100 buckets at a time; nobody waits for it";
    change.sql = pg_script(arena, "rollup/sql/refresh.sql",
                           PG_VARIABLES({"refresh", arena_printf(arena, "%s_refresh", name)}));
    change.procedure = &fill_procedure;
    change.argument = item->rollup;
    change.undo = "SELECT 1";
    change.is_transactional = false;
    change_list_add(item->scope->advice->changes, &change);
}

/* The security advisor gives rights in this plan, from which those on the rollup follow. */
static bool
are_rights_given(const struct item *item)
{
    static const char prefix[] = "rights of ";
    const struct change_list *list = item->scope->advice->changes;

    for (size_t i = 0; i < list->changes.count; i++) {
        const struct change *change = &list->changes.items[i];
        if (change->database != NULL &&
            strcmp(change->database, item->scope->database->name) == 0 &&
            strcmp(change->server, item->scope->advice->server->name) == 0 &&
            strncmp(change->key, prefix, strlen(prefix)) == 0)
            return true;
    }
    return false;
}

static void
add_readers(const struct item *item)
{
    struct arena *arena = item->scope->advice->arena;
    struct change change = change_of(item);

    change.key = arena_printf(arena, "readers of rollup %s", item->rollup->name);
    change.phase = CHANGE_GRANT;
    change.action = CHANGE_ALTER;
    change.what = arena_printf(arena, "let the readers of %s read its rollup %s",
                               item->rollup->table, item->rollup->name);
    change.why = "and nobody else";
    change.sql = script(item, "rollup/sql/readers.sql");
    change.undo = "SELECT 1";
    change_list_add(item->scope->advice->changes, &change);
}

static void
add_obstacle(const struct item *item)
{
    struct arena *arena = item->scope->advice->arena;

    change_list_manual(
        item->scope->advice->changes,
        &(struct change_manual){
            .server = item->scope->advice->server->name,
            .database = item->scope->database->name,
            .place = item->rollup->place,
            .key = item->key,
            .what = arena_printf(arena, "create rollup %s of %s", item->rollup->name,
                                 item->rollup->table),
            .why = "queries over long times read figures instead of rows",
            .obstacle = "the table has row-level security that is not the deck's, and a rollup "
                        "would show figures of all rows",
            .remedy = "take the rollup out of the deck, or let the deck's tenants have the table",
        });
}

/* --- one rollup ---------------------------------------------------------------------------- */

/* NULL: it is as the deck says. */
static bool
compare(const struct item *item, const char **ret_why, struct error *err)
{
    const struct catalog_memo *memo =
        catalog_find_memo(item->scope->advice->catalog, item->scope->catalog, item->key);
    const char *declared =
        change_hash(item->scope->advice->arena, script(item, "rollup/sql/create.sql"));
    AUTO_PGRESULT result = NULL;

    *ret_why = NULL;
    if (!query(item, observe_sql(item), 0, NULL, &result, err))
        return false;
    const char *observed = PQntuples(result) == 0 ? "" : pg_value(result, 0, "observed");
    if (memo == NULL)
        *ret_why = "there is one that pgdeck's journal does not know";
    else if (strcmp(memo->declared, declared) != 0)
        *ret_why = "the deck has another";
    else if (strcmp(memo->observed, observed) != 0)
        *ret_why = "it was changed since pgdeck made it";
    return true;
}

static bool
advise_rollup(const struct change_scope *scope, const struct deck_rollup *rollup, struct error *err)
{
    struct item item = item_of(scope, rollup);
    const struct catalog_table *table = scope->catalog->exists ? table_of(&item) : NULL;
    bool is_there = scope->catalog->exists &&
                    catalog_find_table(scope->catalog, "rollups", rollup->name) != NULL;
    const char *why_replaced = NULL;

    if (table == NULL) {
        if (is_made_by_this_plan(&item)) {
            add_creation(&item, NULL);
            add_readers(&item);
        }
        return true;
    }
    if (!read_state(&item, err) || (is_there && !compare(&item, &why_replaced, err)))
        return false;
    if (!is_there && item.is_secured && !is_by(rollup, scope->advice->deck->tenants.column)) {
        add_obstacle(&item);
        return true;
    }
    bool is_made = !is_there || why_replaced != NULL;
    if (is_made) {
        if (!probe(&item, err))
            return false;
        add_creation(&item, why_replaced);
        if (table->row_estimate != 0)
            add_fill(&item);
    }
    if (is_made || item.has_other_readers || are_rights_given(&item))
        add_readers(&item);
    return true;
}

/* --- rollups that the deck no longer has --------------------------------------------------- */

static bool
is_wanted(const struct deck *deck, const char *name)
{
    for (size_t i = 0; i < deck->rollups.count; i++) {
        if (strcmp(deck->rollups.items[i].name, name) == 0)
            return true;
    }
    return false;
}

static void
add_drop(const struct change_scope *scope, const struct deck_rollup *rollup)
{
    struct item item = item_of(scope, rollup);
    struct change change = change_of(&item);

    change.action = CHANGE_DROP;
    change.what =
        arena_printf(scope->advice->arena, "drop rollup %s of %s", rollup->name, rollup->table);
    change.why = "pgdeck made it and the deck no longer has it";
    change.sql = script(&item, "rollup/sql/drop.sql");
    change.lock =
        arena_printf(scope->advice->arena, "ACCESS EXCLUSIVE on %s, for a moment", rollup->table);
    change.is_destructive = true;
    change_list_add(scope->advice->changes, &change);
}

static bool
retire(const struct change_scope *scope, struct error *err)
{
    struct arena *arena = scope->advice->arena;
    AUTO_PGRESULT result = NULL;

    if (!scope->catalog->exists || !catalog_has_schema(scope->catalog, "rollups"))
        return true;
    if (!pg_query(scope->catalog->connection, embedded_file("rollup/sql/rollups.sql")->text, 0,
                  NULL, &result, err))
        return error_wrap(err, "database \"%s\": cannot read its rollups", scope->database->name);
    for (int row = 0; row < PQntuples(result); row++) {
        const char *name = pg_keep(arena, result, row, "name");
        const char *key = arena_printf(arena, "rollup %s", name);
        if (!is_wanted(scope->advice->deck, name) &&
            catalog_find_memo(scope->advice->catalog, scope->catalog, key) != NULL)
            add_drop(scope, &(struct deck_rollup){.name = name,
                                                  .schema = pg_keep(arena, result, row, "schema"),
                                                  .table = pg_keep(arena, result, row, "table"),
                                                  .place = scope->database->place});
    }
    return true;
}

bool
rollup_advise(struct advice *advice, struct error *err)
{
    struct change_scope scope;
    size_t at = 0;

    if (advice->scope != ADVICE_ALL)
        return true;
    while (change_next_scope(advice, &at, &scope)) {
        for (size_t i = 0; i < advice->deck->rollups.count; i++) {
            if (!advise_rollup(&scope, &advice->deck->rollups.items[i], err))
                return false;
        }
        if (!retire(&scope, err))
            return false;
    }
    return true;
}
