// SPDX-License-Identifier: MIT
#include "pg/catalog.h"

#include "base/embed.h"
#include "pg/host.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <xxhash.h>

enum { CONNECT_PARALLEL = 8 };

/* --- rows into the snapshot --------------------------------------------------------------- */

/* Everything that was read but columns named stat_*, which change without anyone changing
 * anything. */
static uint64_t
add_to_fingerprint(uint64_t fingerprint, const PGresult *result)
{
    for (int column = 0; column < PQnfields(result); column++) {
        if (strncmp(PQfname(result, column), "stat_", 5) == 0)
            continue;
        for (int row = 0; row < PQntuples(result); row++)
            fingerprint =
                XXH3_64bits_withSeed(PQgetvalue(result, row, column),
                                     (size_t)PQgetlength(result, row, column) + 1, fingerprint);
    }
    return fingerprint;
}

static void
read_settings(struct arena *arena, struct catalog_server *server, const PGresult *result)
{
    for (int row = 0; row < PQntuples(result); row++) {
        struct catalog_setting *setting = LIST_ADD(arena, &server->settings);
        setting->name = pg_keep_text(arena, result, row, "name");
        setting->setting = pg_keep_text(arena, result, row, "setting");
        setting->unit = pg_keep_text(arena, result, row, "unit");
        setting->context = pg_keep_text(arena, result, row, "context");
        setting->vartype = pg_keep_text(arena, result, row, "vartype");
        setting->source = pg_keep_text(arena, result, row, "source");
        setting->boot_value = pg_keep_text(arena, result, row, "boot_value");
        setting->reset_value = pg_keep_text(arena, result, row, "reset_value");
        setting->min_value = pg_keep_text(arena, result, row, "min_value");
        setting->max_value = pg_keep_text(arena, result, row, "max_value");
        setting->enum_values = pg_keep_text(arena, result, row, "enum_values");
        setting->source_file = pg_keep_text(arena, result, row, "source_file");
        setting->source_line = (int)pg_integer(result, row, "source_line");
        setting->is_pending_restart = pg_bool(result, row, "is_pending_restart");
    }
}

/* Names in files may be written in any case. */
static struct catalog_setting *
find_named(struct catalog_server *server, const char *name)
{
    for (size_t i = 0; i < server->settings.count; i++) {
        if (strcasecmp(server->settings.items[i].name, name) == 0)
            return &server->settings.items[i];
    }
    return NULL;
}

/* Of several entries the last one counts. */
static void
read_file_settings(struct arena *arena, struct catalog_server *server, const PGresult *result)
{
    static const char base_file[] = "/postgresql.base.conf";

    for (int row = 0; row < PQntuples(result); row++) {
        struct catalog_file_setting *entry = ARENA_NEW(arena, struct catalog_file_setting);
        entry->file = pg_keep_text(arena, result, row, "file");
        entry->line = (int)pg_integer(result, row, "line");
        entry->name = pg_keep_text(arena, result, row, "name");
        entry->setting = pg_keep_text(arena, result, row, "setting");
        entry->error = pg_keep_text(arena, result, row, "error");
        *LIST_ADD(arena, &server->file_settings) = *entry;
        size_t length = strlen(entry->file), base_length = strlen(base_file);
        if (server->patroni[0] == '\0' && length > base_length &&
            strcmp(entry->file + length - base_length, base_file) == 0)
            server->patroni = "postgresql.base.conf is read";
        struct catalog_setting *setting = find_named(server, entry->name);
        if (setting == NULL)
            continue;
        setting->in_files = entry;
        if (pg_bool(result, row, "is_auto"))
            setting->auto_value = entry->setting;
    }
    for (size_t i = 0; i < server->settings.count; i++) {
        struct catalog_setting *setting = &server->settings.items[i];
        setting->is_line_gone =
            setting->in_files == NULL && strcmp(setting->source, "configuration file") == 0;
    }
}

static void
read_parameter_rights(struct catalog_server *server, const PGresult *result)
{
    for (int row = 0; row < PQntuples(result); row++) {
        struct catalog_setting *setting = find_named(server, pg_value(result, row, "name"));
        if (setting == NULL)
            continue;
        setting->can_set = pg_bool(result, row, "can_set");
        setting->can_alter_system = pg_bool(result, row, "can_alter_system");
    }
}

static void
read_roles(struct arena *arena, struct catalog_server *server, const PGresult *result)
{
    for (int row = 0; row < PQntuples(result); row++) {
        struct catalog_role *role = LIST_ADD(arena, &server->roles);
        role->oid = (uint32_t)pg_integer(result, row, "oid");
        role->name = pg_keep_text(arena, result, row, "name");
        role->can_login = pg_bool(result, row, "can_login");
        role->is_superuser = pg_bool(result, row, "is_superuser");
        role->can_create_database = pg_bool(result, row, "can_create_database");
        role->can_create_role = pg_bool(result, row, "can_create_role");
        role->connection_limit = (int)pg_integer(result, row, "connection_limit");
        role->member_of_count =
            pg_array(arena, pg_value(result, row, "member_of"), &role->member_of);
    }
}

static void
read_role_settings(struct arena *arena, struct catalog_server *server, const PGresult *result)
{
    for (int row = 0; row < PQntuples(result); row++) {
        struct catalog_role_setting *setting = LIST_ADD(arena, &server->role_settings);
        setting->database = pg_keep_text(arena, result, row, "database");
        setting->role = pg_keep_text(arena, result, row, "role");
        setting->name = pg_keep_text(arena, result, row, "name");
        setting->value = pg_keep_text(arena, result, row, "value");
    }
}

static void
read_databases(struct arena *arena, struct catalog_server *server, const PGresult *result)
{
    for (int row = 0; row < PQntuples(result); row++) {
        struct catalog_database_entry *entry = LIST_ADD(arena, &server->databases);
        entry->oid = (uint32_t)pg_integer(result, row, "oid");
        entry->name = pg_keep_text(arena, result, row, "name");
        entry->owner = pg_keep_text(arena, result, row, "owner");
        entry->can_connect = pg_bool(result, row, "can_connect");
        entry->is_own = pg_bool(result, row, "is_own");
        entry->connection_limit = (int)pg_integer(result, row, "connection_limit");
        entry->acl = pg_keep_text(arena, result, row, "acl");
    }
}

static size_t
read_texts(struct arena *arena, const PGresult *result, const char *column, char ***ret_texts)
{
    size_t count = (size_t)PQntuples(result);
    char **texts = ARENA_ARRAY(arena, char *, count + 1);

    for (size_t row = 0; row < count; row++)
        texts[row] = arena_strdup(arena, pg_value(result, (int)row, column));
    *ret_texts = texts;
    return count;
}

#define READ_MEMOS(arena, list, result)                                                            \
    for (int row = 0; row < PQntuples(result); row++) {                                            \
        struct catalog_memo *memo = LIST_ADD((arena), (list));                                     \
        memo->key = pg_keep_text((arena), (result), row, "key");                                   \
        memo->declared = pg_keep_text((arena), (result), row, "declared");                         \
        memo->observed = pg_keep_text((arena), (result), row, "observed");                         \
        memo->done_at = pg_keep_text((arena), (result), row, "done_at");                           \
    }

#define READ_DONE(arena, list, result)                                                             \
    for (int row = 0; row < PQntuples(result); row++) {                                            \
        struct catalog_done *done = LIST_ADD((arena), (list));                                     \
        done->key = pg_keep_text((arena), (result), row, "key");                                   \
        done->sql = pg_keep_text((arena), (result), row, "sql");                                   \
        done->done_at = pg_keep_text((arena), (result), row, "done_at");                           \
    }

static void
read_schemas(struct arena *arena, struct catalog_database *database, const PGresult *result)
{
    database->schema_count = read_texts(arena, result, "name", &database->schemas);
    database->schema_acl_count = database->schema_count;
    database->schema_acls = ARENA_ARRAY(arena, char *, database->schema_count + 1);
    for (int row = 0; row < PQntuples(result); row++)
        database->schema_acls[row] =
            arena_printf(arena, "%s|%s|%s", pg_value(result, row, "name"),
                         pg_value(result, row, "owner"), pg_value(result, row, "acl"));
}

static void
read_tables(struct arena *arena, struct catalog_database *database, const PGresult *result)
{
    for (int row = 0; row < PQntuples(result); row++) {
        struct catalog_table *table = LIST_ADD(arena, &database->tables);
        table->oid = (uint32_t)pg_integer(result, row, "oid");
        table->schema = pg_keep_text(arena, result, row, "schema");
        table->name = pg_keep_text(arena, result, row, "name");
        table->owner = pg_keep_text(arena, result, row, "owner");
        table->kind = pg_keep_text(arena, result, row, "kind")[0];
        table->parent_oid = (uint32_t)pg_integer(result, row, "parent_oid");
        table->partition_strategy = pg_keep_text(arena, result, row, "partition_strategy")[0];
        table->partition_key = pg_keep_text(arena, result, row, "partition_key");
        table->partition_bound = pg_keep_text(arena, result, row, "partition_bound");
        table->row_estimate = atof(pg_value(result, row, "stat_rows"));
        table->pages = atof(pg_value(result, row, "stat_pages"));
        table->column_count = pg_array(arena, pg_value(result, row, "columns"), &table->columns);
        table->acl = pg_keep_text(arena, result, row, "acl");
    }
}

static void
read_indexes(struct arena *arena, struct catalog_database *database, const PGresult *result)
{
    for (int row = 0; row < PQntuples(result); row++) {
        struct catalog_index *index = LIST_ADD(arena, &database->indexes);
        index->oid = (uint32_t)pg_integer(result, row, "oid");
        index->table_oid = (uint32_t)pg_integer(result, row, "table_oid");
        index->schema = pg_keep_text(arena, result, row, "schema");
        index->name = pg_keep_text(arena, result, row, "name");
        index->kind = pg_keep_text(arena, result, row, "kind")[0];
        index->is_unique = pg_bool(result, row, "is_unique");
        index->is_primary = pg_bool(result, row, "is_primary");
        index->is_valid = pg_bool(result, row, "is_valid");
        index->is_ready = pg_bool(result, row, "is_ready");
        index->is_partition = pg_bool(result, row, "is_partition");
        index->is_constraint = pg_bool(result, row, "is_constraint");
        index->definition = pg_keep_text(arena, result, row, "definition");
    }
}

static void
read_monitoring(struct arena *arena, struct catalog_database *database, const PGresult *result)
{
    for (int row = 0; row < PQntuples(result); row++) {
        struct catalog_object *object = LIST_ADD(arena, &database->monitoring);
        object->kind = pg_keep_text(arena, result, row, "kind");
        object->name = pg_keep_text(arena, result, row, "name");
        object->hash = pg_keep_text(arena, result, row, "hash");
    }
}

static void
read_extensions(struct arena *arena, struct catalog_database *database, const PGresult *result)
{
    for (int row = 0; row < PQntuples(result); row++) {
        struct catalog_extension *extension = LIST_ADD(arena, &database->extensions);
        extension->name = pg_keep_text(arena, result, row, "name");
        extension->schema = pg_keep_text(arena, result, row, "schema");
        extension->version = pg_keep_text(arena, result, row, "version");
    }
}

/* --- the server --------------------------------------------------------------------------- */

static void
clear_results(struct pg_statement *batch, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        PQclear(batch[i].result);
        batch[i].result = NULL;
    }
}

/* One batch on one connection. */
static bool
query_batch(PGconn *connection, struct pg_statement *batch, size_t count, struct error *err)
{
    struct error fault = {0};

    if (!pg_query_batch(&connection, &batch, 1, count, &fault, err))
        return false;
    if (fault.code != ERROR_NONE) {
        *err = fault;
        return false;
    }
    return true;
}

static void
read_identity(struct arena *arena, struct catalog_server *server, const PGresult *result)
{
    server->version = (int)pg_integer(result, 0, "version");
    server->major = server->version / 10000;
    server->version_text = pg_keep_text(arena, result, 0, "version_text");
    server->system_identifier = pg_keep_text(arena, result, 0, "system_identifier");
    server->role = pg_keep_text(arena, result, 0, "role");
    server->conninfo_database = pg_keep_text(arena, result, 0, "database");
    server->is_superuser = pg_bool(result, 0, "is_superuser");
    server->can_create_role = pg_bool(result, 0, "can_create_role");
    server->can_create_database = pg_bool(result, 0, "can_create_database");
    server->is_in_recovery = pg_bool(result, 0, "is_in_recovery");
    server->data_directory = pg_keep_text(arena, result, 0, "data_directory");
    server->patroni = pg_keep_text(arena, result, 0, "patroni");
    server->can_read_files = pg_bool(result, 0, "can_read_files");
    server->can_reload = pg_bool(result, 0, "can_reload");
    server->can_stat_files = pg_bool(result, 0, "can_stat_files");
    server->is_local = host_has_data_directory(server->data_directory, server->system_identifier);
    server->host_memory_bytes = server->is_local ? host_memory_bytes() : 0;
}

/* What only some roles may read, what only some servers have, or what is there only after a first
 * apply. */
static bool
read_more(struct arena *arena, struct catalog_server *server, bool has_journal, struct error *err)
{
    enum { FILES, MEMOS, DONE, RIGHTS, PATRONI, KINDS };
    const struct {
        const char *file;
        bool is_wanted;
    } kinds[KINDS] = {
        [FILES] = {"pg/sql/file_settings.sql", server->can_read_files},
        [MEMOS] = {"pg/sql/memos.sql", has_journal},
        [DONE] = {"pg/sql/done.sql", has_journal},
        [RIGHTS] = {"pg/sql/parameter_rights.sql", !server->is_superuser && server->major >= 15},
        [PATRONI] = {"pg/sql/patroni_file.sql", server->can_stat_files},
    };
    struct pg_statement batch[KINDS] = {{0}};
    size_t at[KINDS] = {0}, count = 0;

    for (size_t i = 0; i < KINDS; i++) {
        if (!kinds[i].is_wanted)
            continue;
        at[i] = count;
        batch[count++].sql = embedded_file(kinds[i].file)->text;
    }
    if (count == 0)
        return true;
    if (!query_batch(server->connection, batch, count, err))
        return false;
    if (kinds[FILES].is_wanted)
        read_file_settings(arena, server, batch[at[FILES]].result);
    if (kinds[MEMOS].is_wanted)
        READ_MEMOS(arena, &server->memos, batch[at[MEMOS]].result);
    if (kinds[DONE].is_wanted)
        READ_DONE(arena, &server->done, batch[at[DONE]].result);
    if (kinds[RIGHTS].is_wanted)
        read_parameter_rights(server, batch[at[RIGHTS]].result);
    if (kinds[PATRONI].is_wanted && pg_bool(batch[at[PATRONI]].result, 0, "is_there"))
        server->patroni = "patroni.dynamic.json is in its data directory";
    clear_results(batch, count);
    return true;
}

static bool
read_server(struct arena *arena, struct catalog_server *server, struct error *err)
{
    enum { SERVER, SETTINGS, ROLES, ROLE_SETTINGS, DATABASES, AVAILABLE, STATEMENTS };
    static const char *const files[STATEMENTS] = {
        [SERVER] = "pg/sql/server.sql",       [SETTINGS] = "pg/sql/settings.sql",
        [ROLES] = "pg/sql/roles.sql",         [ROLE_SETTINGS] = "pg/sql/role_settings.sql",
        [DATABASES] = "pg/sql/databases.sql", [AVAILABLE] = "pg/sql/available_extensions.sql",
    };
    struct pg_statement batch[STATEMENTS] = {{0}};

    for (size_t i = 0; i < STATEMENTS; i++)
        batch[i].sql = embedded_file(files[i])->text;
    if (!query_batch(server->connection, batch, STATEMENTS, err))
        return false;
    read_identity(arena, server, batch[SERVER].result);
    read_settings(arena, server, batch[SETTINGS].result);
    read_roles(arena, server, batch[ROLES].result);
    read_role_settings(arena, server, batch[ROLE_SETTINGS].result);
    read_databases(arena, server, batch[DATABASES].result);
    server->available_extension_count =
        read_texts(arena, batch[AVAILABLE].result, "name", &server->available_extensions);
    bool has_journal = pg_bool(batch[SERVER].result, 0, "has_journal");
    for (size_t i = 0; i < STATEMENTS; i++) {
        if (i != SERVER)
            server->fingerprint = add_to_fingerprint(server->fingerprint, batch[i].result);
    }
    clear_results(batch, STATEMENTS);
    return read_more(arena, server, has_journal, err);
}

/* --- the databases ------------------------------------------------------------------------ */

enum {
    SCHEMAS,
    TABLES,
    INDEXES,
    MONITORING,
    EXTENSIONS,
    OBJECTS,
    DEFAULT_ACLS,
    DATABASE_STATEMENTS
};

static const char *const database_files[DATABASE_STATEMENTS] = {
    [SCHEMAS] = "pg/sql/schemas.sql",           [TABLES] = "pg/sql/tables.sql",
    [INDEXES] = "pg/sql/indexes.sql",           [MONITORING] = "pg/sql/monitoring_objects.sql",
    [EXTENSIONS] = "pg/sql/extensions.sql",     [OBJECTS] = "pg/sql/objects.sql",
    [DEFAULT_ACLS] = "pg/sql/default_acls.sql",
};

/* Returns whether the journal is there to be read. */
static bool
read_database(struct arena *arena, struct catalog_database *database, struct pg_statement *batch)
{
    bool has_journal = false;

    read_schemas(arena, database, batch[SCHEMAS].result);
    read_tables(arena, database, batch[TABLES].result);
    read_indexes(arena, database, batch[INDEXES].result);
    read_monitoring(arena, database, batch[MONITORING].result);
    read_extensions(arena, database, batch[EXTENSIONS].result);
    database->object_count = read_texts(arena, batch[OBJECTS].result, "object", &database->objects);
    database->default_acl_count =
        read_texts(arena, batch[DEFAULT_ACLS].result, "entry", &database->default_acls);
    for (int row = 0; row < PQntuples(batch[SCHEMAS].result); row++)
        has_journal = has_journal || pg_bool(batch[SCHEMAS].result, row, "has_journal");
    for (size_t i = 0; i < DATABASE_STATEMENTS; i++)
        database->fingerprint = add_to_fingerprint(database->fingerprint, batch[i].result);
    return has_journal;
}

/* Runs the same statements on all the databases at once; false with err set on the first fault. */
static bool
query_databases(struct arena *arena, struct catalog_server *server, const char *const *files,
                size_t statement_count, const bool *is_wanted, struct pg_statement ***ret_batches,
                struct error *err)
{
    size_t count = server->snapshots.count;
    struct pg_statement **batches = ARENA_ARRAY(arena, struct pg_statement *, count + 1);
    PGconn **connections = ARENA_ARRAY(arena, PGconn *, count + 1);
    struct error *errors = ARENA_ARRAY(arena, struct error, count + 1);

    for (size_t i = 0; i < count; i++) {
        batches[i] = ARENA_ARRAY(arena, struct pg_statement, statement_count);
        for (size_t j = 0; j < statement_count; j++)
            batches[i][j].sql = embedded_file(files[j])->text;
        if (is_wanted == NULL || is_wanted[i])
            connections[i] = server->snapshots.items[i].connection;
    }
    if (!pg_query_batch(connections, batches, count, statement_count, errors, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (errors[i].code == ERROR_NONE)
            continue;
        for (size_t j = 0; j < count; j++)
            clear_results(batches[j], statement_count);
        *err = errors[i];
        return error_wrap(err, "database \"%s\"", server->snapshots.items[i].name);
    }
    *ret_batches = batches;
    return true;
}

static bool
read_databases_at_once(struct arena *arena, struct catalog_server *server, struct error *err)
{
    enum { MEMOS, DONE, JOURNAL_STATEMENTS };
    static const char *const journal_files[] = {
        [MEMOS] = "pg/sql/memos.sql", [DONE] = "pg/sql/done.sql"};
    size_t count = server->snapshots.count;
    bool *has_journal = ARENA_ARRAY(arena, bool, count + 1);
    struct pg_statement **batches;

    if (!query_databases(arena, server, database_files, DATABASE_STATEMENTS, NULL, &batches, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        struct catalog_database *database = &server->snapshots.items[i];
        if (database->connection == NULL)
            continue;
        has_journal[i] = read_database(arena, database, batches[i]);
        database->has_journal = has_journal[i];
        clear_results(batches[i], DATABASE_STATEMENTS);
    }
    if (!query_databases(arena, server, journal_files, JOURNAL_STATEMENTS, has_journal, &batches,
                         err))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!has_journal[i])
            continue;
        READ_MEMOS(arena, &server->snapshots.items[i].memos, batches[i][MEMOS].result);
        READ_DONE(arena, &server->snapshots.items[i].done, batches[i][DONE].result);
        clear_results(batches[i], JOURNAL_STATEMENTS);
    }
    return true;
}

static bool
connect_databases(struct arena *arena, const struct pg_target *target,
                  struct catalog_server *server, struct error *err)
{
    size_t count = 0;
    size_t total = server->snapshots.count;
    struct pg_target *targets = ARENA_ARRAY(arena, struct pg_target, total + 1);
    size_t *positions = ARENA_ARRAY(arena, size_t, total + 1);
    PGconn **connections = ARENA_ARRAY(arena, PGconn *, total + 1);
    struct error *errors = ARENA_ARRAY(arena, struct error, total + 1);

    for (size_t i = 0; i < total; i++) {
        if (!server->snapshots.items[i].exists)
            continue;
        targets[count] = *target;
        targets[count].database = server->snapshots.items[i].name;
        positions[count++] = i;
    }
    if (!pg_connect_all(targets, count, &(struct pg_connecting){.parallel = CONNECT_PARALLEL},
                        connections, errors, err))
        return false;
    bool is_fine = true;
    for (size_t i = 0; i < count; i++) {
        server->snapshots.items[positions[i]].connection = connections[i];
        if (connections[i] == NULL && is_fine) {
            *err = errors[i];
            is_fine = error_wrap(err, "database \"%s\"", targets[i].database);
        }
    }
    return is_fine;
}

bool
catalog_read(struct arena *arena, const struct pg_target *target, const char *name,
             const char *const *databases, size_t database_count, struct catalog_server *ret_server,
             struct error *err)
{
    struct catalog_server server = {.name = name};

    if (!pg_connect(target, &server.connection, err) || !read_server(arena, &server, err))
        goto fail;
    for (size_t i = 0; i < database_count; i++) {
        struct catalog_database *database = LIST_ADD(arena, &server.snapshots);
        database->name = databases[i];
        for (size_t j = 0; j < server.databases.count; j++) {
            if (strcmp(server.databases.items[j].name, databases[i]) == 0)
                database->exists = true;
        }
    }
    if (!connect_databases(arena, target, &server, err) ||
        !read_databases_at_once(arena, &server, err))
        goto fail;
    *ret_server = server;
    return true;
fail:
    catalog_release(&server);
    return error_wrap(err, "server \"%s\"", name);
}
