// SPDX-License-Identifier: MIT
#include "partition/upkeep.h"

#include "base/embed.h"
#include "pg/script.h"

#include <string.h>

static struct change
change_of(const struct partition_live_advice *about)
{
    const struct place no_place = {0};

    return (struct change){
        .server = about->advice->server->name,
        .database = about->database->name,
        .phase = CHANGE_PARTITION,
        .action = CHANGE_RUN,
        .place = about->partition == NULL ? no_place : about->partition->place,
    };
}

static void
add(const struct partition_live_advice *about, const PGresult *result, int row)
{
    struct arena *arena = about->advice->arena;
    const struct deck_partition *partition = about->partition;
    bool is_pending = strcmp(pg_value(result, row, "what"), "pending") == 0;
    const char *schema = arena_strdup(arena, pg_value(result, row, "schema"));
    const char *name = arena_strdup(arena, pg_value(result, row, "name"));
    struct change change = change_of(about);

    change.key = arena_printf(arena, "%s %s", pg_value(result, row, "what"),
                              pg_qualified(arena, schema, name));
    change.what = is_pending
                      ? arena_printf(arena, "finish detaching %s from %s", name, partition->table)
                      : arena_printf(arena, "analyze %s as a whole", name);
    change.why = arena_strdup(arena, pg_value(result, row, "why"));
    change.sql = is_pending
                     ? pg_script(arena, "partition/sql/detach.sql",
                                 PG_VARIABLES({"parent_schema", partition->schema},
                                              {"parent", partition->table}, {"schema", schema},
                                              {"table", name}, {"how", "FINALIZE"}))
                     : pg_script(arena, "partition/sql/analyze.sql",
                                 PG_VARIABLES({"schema", schema}, {"table", name}));
    change.lock = is_pending ? arena_printf(arena, "ACCESS EXCLUSIVE on %s", name)
                             : arena_printf(arena, "SHARE UPDATE EXCLUSIVE on %s", name);
    change_list_add(about->advice->changes, &change);
}

bool
partition_upkeep_advise(const struct partition_live_advice *about, struct error *err)
{
    AUTO_PGRESULT result = NULL;
    const char *parameters[2] = {about->partition->schema, about->partition->table};

    if (!pg_query(about->connection, embedded_file("partition/sql/upkeep.sql")->text, 2, parameters,
                  &result, err))
        return false;
    for (int row = 0; row < PQntuples(result); row++)
        add(about, result, row);
    return true;
}

static const char *
set_partman(struct arena *arena, const char *schema, const char *parent, const char *state)
{
    return pg_script(arena, "partition/sql/partman_set.sql",
                     PG_VARIABLES({"config_schema", schema}, {"parent", parent}, {"state", state}));
}

bool
partition_take_over_advise(const struct partition_live_advice *about, struct error *err)
{
    struct arena *arena = about->advice->arena;
    const struct deck_partition *partition = about->partition;
    const struct catalog_database *catalog =
        catalog_find_database(about->advice->catalog, about->database->name);
    const char *parent = arena_printf(arena, "%s.%s", partition->schema, partition->table);
    const char *schema = NULL;
    AUTO_PGRESULT result = NULL;
    struct change change = change_of(about);

    for (size_t i = 0; i < catalog->extensions.count; i++) {
        if (strcmp(catalog->extensions.items[i].name, "pg_partman") == 0)
            schema = catalog->extensions.items[i].schema;
    }
    if (schema == NULL)
        return true;
    const char *sql = pg_script(arena, "partition/sql/partman.sql",
                                PG_VARIABLES({"config_schema", schema}, {"parent", parent}));
    if (!pg_query(about->connection, sql, 0, NULL, &result, err))
        return false;
    if (PQntuples(result) == 0 || !pg_bool(result, 0, "is_on"))
        return true;
    change.key = arena_printf(arena, "take over %s",
                              pg_qualified(arena, partition->schema, partition->table));
    change.action = CHANGE_ALTER;
    change.what = arena_printf(arena, "take %s over from pg_partman", partition->table);
    change.why = "the deck has it: two that make and drop its partitions are one too many";
    change.sql = set_partman(arena, schema, parent, "off");
    change.undo = set_partman(arena, schema, parent, "on");
    change.is_transactional = true;
    change_list_add(about->advice->changes, &change);
    return true;
}

bool
partition_remains_advise(const struct partition_live_advice *about, struct error *err)
{
    struct arena *arena = about->advice->arena;
    const struct deck_partitions *partitions = about->database->partitions;
    size_t count = partitions == NULL ? 0 : partitions->list.count;
    const char **schemas = ARENA_ARRAY(arena, const char *, count + 1);
    const char **tables = ARENA_ARRAY(arena, const char *, count + 1);
    AUTO_PGRESULT there = NULL;
    AUTO_PGRESULT result = NULL;

    for (size_t i = 0; i < count; i++) {
        schemas[i] = partitions->list.items[i].schema;
        tables[i] = partitions->list.items[i].table;
    }
    const char *parameters[3] = {pg_text_array(arena, schemas, count),
                                 pg_text_array(arena, tables, count),
                                 about->advice->scope == ADVICE_REMAINS_ALL ? "true" : "false"};
    if (!pg_query(about->connection, embedded_file("partition/sql/live_there.sql")->text, 0, NULL,
                  &there, err))
        return false;
    if (!pg_bool(there, 0, "is_there"))
        return true;
    if (!pg_query(about->connection, embedded_file("partition/sql/remains.sql")->text, 3,
                  parameters, &result, err))
        return false;
    for (int row = 0; row < PQntuples(result); row++) {
        struct change change = change_of(about);
        const char *id = arena_strdup(arena, pg_value(result, row, "id"));
        change.key = arena_printf(arena, "remains %s", id);
        change.action = CHANGE_DROP;
        change.what = arena_strdup(arena, pg_value(result, row, "what"));
        change.why = arena_strdup(arena, pg_value(result, row, "why"));
        change.sql = pg_script(arena, "partition/sql/remove.sql", PG_VARIABLES({"id", id}));
        change.lock = "ACCESS EXCLUSIVE on the table in use, for a moment: its trigger goes";
        change.is_transactional = true;
        change.is_destructive = true;
        change_list_add(about->advice->changes, &change);
    }
    return true;
}
