// SPDX-License-Identifier: MIT
#include "monitoring/advisor.h"

#include "base/text.h"
#include "change/script.h"
#include "monitoring/install.h"
#include "monitoring/search_path.h"
#include "pg/script.h"

#include <string.h>

static const char extension[] = "pg_stat_statements";
static const char extension_key[] = "extension pg_stat_statements";

/* What every change of this advisor has in common. */
static struct change
new_change(const struct monitoring_site *site)
{
    return (struct change){
        .server = site->advice->server->name,
        .database = site->deck->name,
        .action = CHANGE_CREATE,
        .place = site->deck->place,
        .is_transactional = true,
    };
}

static void
advise_schema(const struct monitoring_site *site)
{
    struct arena *arena = site->advice->arena;
    struct change change = new_change(site);
    bool is_there = catalog_has_schema(site->catalog, "monitoring");

    if (is_there && monitoring_may_use(site, "monitoring"))
        return;
    change.key = "schema monitoring";
    change.phase = CHANGE_EXTENSION;
    change.sql = pg_script(arena, "monitoring/sql/schema.sql", NULL, 0);
    if (is_there) {
        change.action = CHANGE_ALTER;
        change.what = "let pg_monitor use schema monitoring";
        change.why = "its views are for roles that have pg_monitor";
        change.undo = pg_script(arena, "monitoring/sql/revoke_schema.sql", NULL, 0);
    } else {
        change.what = "create schema monitoring";
        change.why = "for views and health checks that psql can read";
        change.undo = pg_script(arena, "monitoring/sql/drop_schema.sql", NULL, 0);
        change.undo_guard = pg_script(arena, "monitoring/sql/schema_guard.sql", NULL, 0);
    }
    change_list_add(site->advice->changes, &change);
}

/* --- pg_stat_statements -------------------------------------------------------------------- */

static bool
has_extension(const struct monitoring_site *site)
{
    const struct deck_sql_file *file = site->deck->schema;

    for (size_t i = 0; i < site->catalog->extensions.count; i++) {
        if (strcmp(site->catalog->extensions.items[i].name, extension) == 0)
            return true;
    }
    for (size_t i = 0; file != NULL && i < file->statements.count; i++) {
        if (file->statements.items[i].kind == STATEMENT_CREATE_EXTENSION &&
            strcmp(file->statements.items[i].name, extension) == 0)
            return true;
    }
    return change_find(site->advice, site->deck->name, extension_key) != NULL;
}

static bool
is_available(const struct catalog_server *catalog)
{
    for (size_t i = 0; i < catalog->available_extension_count; i++) {
        if (strcmp(catalog->available_extensions[i], extension) == 0)
            return true;
    }
    return false;
}

static void
advise_extension(const struct monitoring_site *site)
{
    struct arena *arena = site->advice->arena;
    struct change change = new_change(site);

    if (has_extension(site) || !is_available(site->advice->catalog))
        return;
    if (!site->advice->catalog->is_superuser) {
        change_list_note(site->advice->changes, change.server, change.database, change.place,
                         "Slow queries cannot be seen: the extension %s is missing and takes a "
                         "superuser. Let one run: CREATE EXTENSION %s",
                         extension, extension);
        return;
    }
    change.key = extension_key;
    change.phase = CHANGE_EXTENSION;
    change.what = "create extension pg_stat_statements";
    change.why = "v_slow_queries reads it";
    change.sql = pg_script(arena, "monitoring/sql/extension.sql", NULL, 0);
    change.undo = pg_script(arena, "monitoring/sql/drop_extension.sql", NULL, 0);
    change.undo_guard = pg_script(arena, "monitoring/sql/extension_guard.sql", NULL, 0);
    change_list_add(site->advice->changes, &change);
}

/* --- rights on the product's tables -------------------------------------------------------- */

static const char *
list_columns(struct arena *arena, const struct monitoring_names *columns)
{
    AUTO_TEXT list = {0};

    for (size_t i = 0; i < columns->list.count; i++)
        text_appendf(&list, "%s%s", i == 0 ? "" : ", ",
                     pg_identifier(arena, columns->list.items[i]));
    return arena_strdup(arena, text_chars(&list));
}

static void
advise_grant(const struct monitoring_site *site, const struct monitoring_object *object,
             const struct monitoring_grant *grant, const struct monitoring_table *table)
{
    struct arena *arena = site->advice->arena;
    struct change change = new_change(site);
    const char *columns = list_columns(arena, &grant->columns);
    const char *name = pg_qualified(arena, table->schema, table->name);
    const struct pg_variable variables[] = {
        {"columns", columns}, {"schema", table->schema}, {"table", table->name}};

    change.key = arena_printf(arena, "monitoring grant %s (%s)", name, columns);
    if (monitoring_may_read(site, table, &grant->columns) ||
        change_find(site->advice, change.database, change.key) != NULL)
        return;
    change.phase = CHANGE_GRANT;
    change.what = arena_printf(arena, "let pg_monitor read %s (%s)", name, columns);
    change.why = arena_printf(arena, "monitoring.%s counts there", object->name);
    change.sql = pg_script(arena, "monitoring/sql/grant.sql", variables, 3);
    change.undo = pg_script(arena, "monitoring/sql/revoke.sql", variables, 3);
    change_list_add(site->advice->changes, &change);
}

static void
advise_usage(const struct monitoring_site *site, const struct monitoring_table *table)
{
    struct arena *arena = site->advice->arena;
    struct change change = new_change(site);
    const struct pg_variable variables[] = {{"schema", table->schema}};

    change.key = arena_printf(arena, "monitoring usage %s", pg_identifier(arena, table->schema));
    if (monitoring_may_use(site, table->schema) || strcmp(table->schema, "public") == 0 ||
        change_find(site->advice, change.database, change.key) != NULL)
        return;
    change.phase = CHANGE_GRANT;
    change.what = arena_printf(arena, "let pg_monitor use schema %s", table->schema);
    change.why = "health checks look at tables in it";
    change.sql = pg_script(arena, "monitoring/sql/grant_usage.sql", variables, 1);
    change.undo = pg_script(arena, "monitoring/sql/revoke_usage.sql", variables, 1);
    change_list_add(site->advice->changes, &change);
}

/* The security advisor takes from everybody the right to connect: then pg_monitor needs its own,
 * or, where environments are kept apart, theirs gets one from security. */
static void
advise_connect(const struct monitoring_site *site)
{
    struct arena *arena = site->advice->arena;
    struct change change = new_change(site);
    bool has_own = (site->advice->deck->advisors & ADVISOR_SECURITY) != 0;
    const struct pg_variable variables[] = {{"database", site->deck->name}};

    if ((has_own && site->deck->environment->has_monitoring) ||
        monitoring_may_connect(site, has_own) || (!has_own && !site->catalog->exists))
        return;
    change.key = "monitoring connect";
    change.phase = CHANGE_GRANT;
    change.what = "let pg_monitor connect";
    change.why = "its members look at the views from within the database";
    change.sql = pg_script(arena, "monitoring/sql/grant_connect.sql", variables, 1);
    change.undo = pg_script(arena, "monitoring/sql/revoke_connect.sql", variables, 1);
    change_list_add(site->advice->changes, &change);
}

static void
advise_grants(const struct monitoring_site *site, const struct monitoring_sites *sites)
{
    struct monitoring_tables tables;

    for (size_t i = 0; i < site->objects->list.count; i++) {
        const struct monitoring_object *object = &site->objects->list.items[i];
        if (!monitoring_is_served(site, sites, object))
            continue;
        for (size_t j = 0; j < object->grants.count; j++) {
            const struct monitoring_grant *grant = &object->grants.items[j];
            monitoring_find_tables(site, grant->table, &grant->columns, &tables);
            for (size_t k = 0; k < tables.list.count; k++) {
                advise_usage(site, &tables.list.items[k]);
                advise_grant(site, object, grant, &tables.list.items[k]);
            }
        }
    }
}

/* --- search_path --------------------------------------------------------------------------- */

/* What new sessions have without a setting of the database. */
static const char *
server_search_path(const struct monitoring_site *site, const struct monitoring_sites *sites)
{
    const struct catalog_setting *setting =
        catalog_find_setting(site->advice->catalog, "search_path");

    if (sites->file_search_path != NULL)
        return sites->file_search_path;
    return setting != NULL ? setting->boot_value : "\"$user\", public";
}

static void
advise_search_path(const struct monitoring_site *site, const struct monitoring_sites *sites)
{
    struct arena *arena = site->advice->arena;
    struct change change = new_change(site);
    const char *database = site->deck->name;
    const char *own =
        catalog_role_setting_value(site->advice->catalog, database, "", "search_path");
    const char *path = own != NULL ? own : server_search_path(site, sites);
    const char *old_path, *new_path;

    if (!monitoring_search_path_add(arena, path, "monitoring", &new_path) ||
        !monitoring_search_path_quote(arena, path, &old_path)) {
        change_list_note(site->advice->changes, change.server, database, change.place,
                         "search_path is set to %s and left so: the views are found as "
                         "monitoring.NAME only.",
                         *path == '\0' ? "nothing" : path);
        return;
    }
    if (new_path == NULL)
        return;
    change.key = "database setting search_path";
    change.phase = CHANGE_DATABASE_SETTING;
    change.action = CHANGE_ALTER;
    change.what = arena_printf(arena, "set search_path to %s", new_path);
    change.why = arena_printf(arena, "it is %s: views of monitoring are found by their bare names",
                              old_path);
    if (own == NULL && !sites->is_file_readable)
        change.warning = "This role cannot read the configuration files: a search_path that is set "
                         "there no longer counts in this database.";
    change.sql = pg_script(arena, "monitoring/sql/set_search_path.sql",
                           PG_VARIABLES({"database", database}, {"path", new_path}));
    change.undo = own != NULL ? pg_script(arena, "monitoring/sql/set_search_path.sql",
                                          PG_VARIABLES({"database", database}, {"path", old_path}))
                              : pg_script(arena, "monitoring/sql/reset_search_path.sql",
                                          PG_VARIABLES({"database", database}));
    change_list_add(site->advice->changes, &change);
}

bool
monitoring_advise(struct advice *advice, struct error *err)
{
    struct monitoring_objects objects;
    struct monitoring_sites sites;

    if (!monitoring_objects_read(advice->arena, advice->deck->views, &objects, err) ||
        !monitoring_sites_read(advice, &objects, &sites, err))
        return false;
    if (!is_available(advice->catalog))
        change_list_note(advice->changes, advice->server->name, NULL, advice->server->place,
                         "Slow queries cannot be seen: this server does not have the extension %s "
                         "(Debian's package of the server brings it, others call it contrib).",
                         extension);
    for (size_t i = 0; i < sites.list.count; i++) {
        const struct monitoring_site *site = &sites.list.items[i];
        advise_schema(site);
        advise_extension(site);
        if (!monitoring_install(site, &sites, err))
            return false;
        advise_connect(site);
        advise_grants(site, &sites);
        advise_search_path(site, &sites);
    }
    return true;
}
