// SPDX-License-Identifier: MIT
#include "security/checklist.h"

#include "base/embed.h"
#include "pg/certificate.h"
#include "security/facts.h"

#include <stdlib.h>
#include <string.h>

#define FOLDER "security/checks/"

static const char *const state_names[] = {
    [SECURITY_FAIL] = "fail",
    [SECURITY_WARN] = "warn",
    [SECURITY_UNKNOWN] = "unknown",
    [SECURITY_OK] = "ok",
};

const char *
security_state_name(enum security_state state)
{
    return state_names[state];
}

void
security_add_item(struct security_checklist *list, const struct security_item *item)
{
    *LIST_ADD(list->arena, &list->items) = *item;
    list->counts[item->state]++;
}

static enum security_state
read_state(const char *name)
{
    for (int i = 0; i < SECURITY_STATES; i++) {
        if (strcmp(state_names[i], name) == 0)
            return (enum security_state)i;
    }
    return SECURITY_UNKNOWN;
}

/* --- one check ---------------------------------------------------------------------------- */

struct check {
    const struct embedded_file *file;
    const char *item, *good;
    bool is_of_database;
};

static const char *
header(struct arena *arena, const struct embedded_file *file, const char *key)
{
    char value[256] = "";

    embedded_header(file, key, value, sizeof(value));
    return arena_strdup(arena, value);
}

static void
add_rows(struct security_checklist *list, const struct check *check, struct security_item item,
         const PGresult *result)
{
    if (PQntuples(result) == 0) {
        item.state = SECURITY_OK;
        item.finding = check->good;
        security_add_item(list, &item);
    }
    for (int row = 0; row < PQntuples(result); row++) {
        item.state = read_state(pg_value(result, row, "state"));
        item.finding = pg_keep_text(list->arena, result, row, "finding");
        item.evidence = pg_keep_text(list->arena, result, row, "evidence");
        item.fix = pg_keep(list->arena, result, row, "fix");
        security_add_item(list, &item);
    }
}

/* database NULL: of the server. */
static bool
run_check(struct security_checklist *list, const struct check *check, const struct advice *advice,
          const struct catalog_database *database, struct error *err)
{
    const char *facts = security_facts(list->arena, advice);
    PGconn *connection = database != NULL ? database->connection : advice->catalog->connection;
    AUTO_PGRESULT result = NULL;
    struct security_item item = {
        .server = advice->server->name,
        .database = database != NULL ? database->name : NULL,
        .item = check->item,
        .evidence = "",
    };

    if (pg_query(connection, check->file->text, 1, &facts, &result, err)) {
        add_rows(list, check, item, result);
        return true;
    }
    if (err->code == ERROR_INTERRUPTED || err->code == ERROR_CONNECTION_LOST)
        return false;
    item.state = SECURITY_UNKNOWN;
    item.finding =
        err->code == ERROR_PRIVILEGE ? "not measurable with this role" : "not measurable here";
    item.evidence = arena_strdup(list->arena, err->message);
    security_add_item(list, &item);
    error_clear(err);
    return true;
}

static bool
run_in_databases(struct security_checklist *list, const struct check *check,
                 const struct advice *advice, struct error *err)
{
    const struct catalog_server *catalog = advice->catalog;

    for (size_t i = 0; i < catalog->snapshots.count; i++) {
        const struct catalog_database *database = &catalog->snapshots.items[i];
        if (database->exists && !run_check(list, check, advice, database, err))
            return false;
    }
    return true;
}

/* --- how pgdeck itself gets there --------------------------------------------------------- */

static const char *
option_value(const PQconninfoOption *options, const char *keyword)
{
    for (; options->keyword != NULL; options++) {
        if (strcmp(options->keyword, keyword) == 0)
            return options->val == NULL ? "" : options->val;
    }
    return "";
}

static void
check_own_connection(struct security_checklist *list, const struct advice *advice)
{
    PGconn *connection = advice->catalog->connection;
    const char *address = PQhostaddr(connection);
    const char *host = PQhost(connection);
    PQconninfoOption *options = PQconninfo(connection);
    struct security_item item = {.state = SECURITY_OK,
                                 .server = advice->server->name,
                                 .item = "pgdeck's connection",
                                 .finding = "does not leave this host, or knows its server",
                                 .evidence = ""};
    bool is_near =
        (host != NULL && host[0] == '/') ||
        (address != NULL && (strncmp(address, "127.", 4) == 0 || strcmp(address, "::1") == 0));

    if (options == NULL)
        return;
    const char *mode = option_value(options, "sslmode");
    item.evidence = arena_printf(list->arena, "sslmode=%s", mode);
    if (!is_near && PQsslInUse(connection) == 0) {
        item.state = SECURITY_FAIL;
        item.finding = "pgdeck reaches the server in clear text";
    } else if (!is_near && strcmp(mode, "verify-full") != 0) {
        item.state = SECURITY_WARN;
        item.finding = "pgdeck takes anybody's certificate for the server's";
    }
    if (item.state != SECURITY_OK)
        item.fix = "-- sslmode=verify-full sslrootcert=FILE in the deck's conninfo";
    PQconninfoFree(options);
    security_add_item(list, &item);
}

/* --- the server's certificate --------------------------------------------------------------- */

static bool
check_certificate(struct security_checklist *list, const struct advice *advice, struct error *err)
{
    AUTO_PGRESULT result = NULL;
    struct security_item item = {.state = SECURITY_UNKNOWN,
                                 .server = advice->server->name,
                                 .item = "certificate",
                                 .finding = "not measurable with this role",
                                 .evidence = ""};
    struct pg_certificate certificate;

    if (!pg_query(advice->catalog->connection, embedded_file("security/sql/certificate.sql")->text,
                  0, NULL, &result, err)) {
        if (err->code == ERROR_INTERRUPTED || err->code == ERROR_CONNECTION_LOST)
            return false;
        item.evidence = arena_strdup(list->arena, err->message);
        error_clear(err);
        security_add_item(list, &item);
        return true;
    }
    if (PQntuples(result) == 0)
        return true; /* no TLS, as its own item says */
    item.evidence = pg_keep_text(list->arena, result, 0, "path");
    if (!pg_certificate_read(list->arena, pg_value(result, 0, "text"), &certificate, err)) {
        error_clear(err);
        item.finding = "its file is no certificate";
        item.state = SECURITY_FAIL;
    } else {
        int days = certificate.days;
        item.state = days < 0                          ? SECURITY_FAIL
                     : days < PG_CERTIFICATE_DAYS_LEFT ? SECURITY_WARN
                                                       : SECURITY_OK;
        item.finding = days < 0 ? "the server's certificate has expired"
                                : arena_printf(list->arena,
                                               "the server's certificate holds for %d days", days);
    }
    if (item.state != SECURITY_OK)
        item.fix = "-- put a new one there, then SELECT pg_reload_conf();";
    security_add_item(list, &item);
    return true;
}

/* --- all ---------------------------------------------------------------------------------- */

bool
security_check_server(const struct advice *advice, struct security_checklist *list,
                      struct error *err)
{
    int major = advice->catalog->major;

    check_own_connection(list, advice);
    if (!check_certificate(list, advice, err))
        return false;
    for (size_t i = 0; i < embedded_file_count; i++) {
        const struct embedded_file *file = &embedded_files[i];
        if (strncmp(file->path, FOLDER, strlen(FOLDER)) != 0 || major < file->min_version ||
            (file->max_version != 0 && major > file->max_version))
            continue;
        struct check check = {.file = file,
                              .item = header(list->arena, file, "item"),
                              .good = header(list->arena, file, "ok")};
        check.is_of_database = strcmp(header(list->arena, file, "scope"), "database") == 0;
        bool is_run = check.is_of_database ? run_in_databases(list, &check, advice, err)
                                           : run_check(list, &check, advice, NULL, err);
        if (!is_run)
            return error_wrap(err, "cannot check the security of server \"%s\"",
                              advice->server->name);
    }
    return true;
}

/* Insertion: stable, and there are few. */
void
security_sort(struct security_checklist *list)
{
    for (size_t i = 1; i < list->items.count; i++) {
        struct security_item item = list->items.items[i];
        size_t at = i;
        for (; at > 0 && list->items.items[at - 1].state > item.state; at--)
            list->items.items[at] = list->items.items[at - 1];
        list->items.items[at] = item;
    }
}
