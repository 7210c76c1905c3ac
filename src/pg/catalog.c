// SPDX-License-Identifier: MIT
#include "pg/catalog.h"

#include <stdlib.h>
#include <string.h>

void
catalog_release(struct catalog_server *server)
{
    for (size_t i = 0; i < server->snapshots.count; i++) {
        PQfinish(server->snapshots.items[i].connection);
        server->snapshots.items[i].connection = NULL;
    }
    PQfinish(server->connection);
    server->connection = NULL;
}

const struct catalog_database *
catalog_find_database(const struct catalog_server *server, const char *name)
{
    for (size_t i = 0; i < server->snapshots.count; i++) {
        if (strcmp(server->snapshots.items[i].name, name) == 0)
            return &server->snapshots.items[i];
    }
    return NULL;
}

/* bsearch, which must not be given an empty list. */
static const void *
find_sorted(const void *key, const void *items, size_t count, size_t item_bytes,
            int (*compare)(const void *, const void *))
{
    return count == 0 ? NULL : bsearch(key, items, count, item_bytes, compare);
}

static int
compare_setting(const void *name, const void *setting)
{
    return strcmp(name, ((const struct catalog_setting *)setting)->name);
}

const struct catalog_setting *
catalog_find_setting(const struct catalog_server *server, const char *name)
{
    return find_sorted(name, server->settings.items, server->settings.count,
                       sizeof(struct catalog_setting), compare_setting);
}

const struct catalog_role *
catalog_find_role(const struct catalog_server *server, const char *name)
{
    for (size_t i = 0; i < server->roles.count; i++) {
        if (strcmp(server->roles.items[i].name, name) == 0)
            return &server->roles.items[i];
    }
    return NULL;
}

struct table_name {
    const char *schema, *name;
};

static int
compare_table(const void *key, const void *item)
{
    const struct table_name *name = key;
    const struct catalog_table *table = item;
    int order = strcmp(name->schema, table->schema);

    return order != 0 ? order : strcmp(name->name, table->name);
}

const struct catalog_table *
catalog_find_table(const struct catalog_database *database, const char *schema, const char *name)
{
    struct table_name key = {schema, name};

    return find_sorted(&key, database->tables.items, database->tables.count,
                       sizeof(struct catalog_table), compare_table);
}

const struct catalog_table *
catalog_table_by_oid(const struct catalog_database *database, uint32_t oid)
{
    for (size_t i = 0; i < database->tables.count; i++) {
        if (database->tables.items[i].oid == oid)
            return &database->tables.items[i];
    }
    return NULL;
}

static int
compare_index(const void *key, const void *item)
{
    const struct table_name *name = key;
    const struct catalog_index *index = item;
    int order = strcmp(name->schema, index->schema);

    return order != 0 ? order : strcmp(name->name, index->name);
}

const struct catalog_index *
catalog_find_index(const struct catalog_database *database, const char *schema, const char *name)
{
    struct table_name key = {schema, name};

    return find_sorted(&key, database->indexes.items, database->indexes.count,
                       sizeof(struct catalog_index), compare_index);
}

const struct catalog_memo *
catalog_find_memo(const struct catalog_server *server, const struct catalog_database *database,
                  const char *key)
{
    const struct catalog_memo *items = database ? database->memos.items : server->memos.items;
    size_t count = database ? database->memos.count : server->memos.count;

    for (size_t i = 0; i < count; i++) {
        if (strcmp(items[i].key, key) == 0)
            return &items[i];
    }
    return NULL;
}

const char *
catalog_role_setting_value(const struct catalog_server *server, const char *database,
                           const char *role, const char *name)
{
    for (size_t i = 0; i < server->role_settings.count; i++) {
        const struct catalog_role_setting *setting = &server->role_settings.items[i];
        if (strcmp(setting->database, database) == 0 && strcmp(setting->role, role) == 0 &&
            strcmp(setting->name, name) == 0)
            return setting->value;
    }
    return NULL;
}

bool
catalog_has_schema(const struct catalog_database *database, const char *name)
{
    for (size_t i = 0; i < database->schema_count; i++) {
        if (strcmp(database->schemas[i], name) == 0)
            return true;
    }
    return false;
}

bool
catalog_has_object(const struct catalog_database *database, const char *object)
{
    for (size_t i = 0; i < database->object_count; i++) {
        if (strcmp(database->objects[i], object) == 0)
            return true;
    }
    return false;
}
