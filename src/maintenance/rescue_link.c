// SPDX-License-Identifier: MIT
#include "maintenance/rescue_link.h"

#include "base/embed.h"
#include "maintenance/rescue_message.h"
#include "plan/plan.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

/* Longer than any query of rescue's may take; the door may be busy with another rescue. */
enum { ANSWER_S = 15 };

/* --- opening ------------------------------------------------------------------------------ */

bool
rescue_link_open_door(const struct deck_server *server, struct rescue_link *ret_link,
                      struct error *err)
{
    const struct timeval patience = {.tv_sec = ANSWER_S};
    struct rescue_address address;

    *ret_link = (struct rescue_link){.door = -1};
    if (!rescue_address_find(server->conninfo, &address, err))
        return false;
    int door = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool is_open =
        door >= 0 && setsockopt(door, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) == 0 &&
        setsockopt(door, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) == 0 &&
        connect(door, (const struct sockaddr *)&address.socket, sizeof(address.socket)) == 0;
    if (is_open)
        ret_link->door = door;
    else
        error_errno(err, "no pgdeck watch holds a connection to server \"%s\"", server->name);
    if (!is_open && door >= 0)
        close(door);
    close(address.folder);
    return is_open;
}

/* A session that sees what rescue looks at. */
static bool
connect_to(const struct deck_server *server, const char *database, struct rescue_link *ret_link,
           struct error *err)
{
    const struct pg_target target = plan_target(server, database);
    struct rescue_link link = {.door = -1, .elsewhere = database};
    AUTO_PGRESULT sessions = NULL;

    if (!pg_connect(&target, &link.connection, err))
        return false;
    if (rescue_link_execute(&link, "maintenance/sql/rescue_session.sql", err) &&
        rescue_link_query(&link, "maintenance/sql/rescue_sessions.sql", 0, NULL, &sessions, err)) {
        *ret_link = link;
        return true;
    }
    rescue_link_close(&link);
    return false;
}

static bool
is_full(const struct error *err)
{
    return strcmp(err->sqlstate, "53300") == 0 || strstr(err->message, "too many") != NULL ||
           strstr(err->message, "remaining connection slots") != NULL;
}

/* Who waits for a lock of the catalog, or takes very long in it; while the session begins, libpq
 * gives no SQLSTATE. */
static bool
is_catalog_slow(const struct error *err)
{
    return err->code == ERROR_LOCKED || strcmp(err->sqlstate, "57014") == 0 ||
           (err->code == ERROR_UNREACHABLE && !is_full(err) && strstr(err->message, "FATAL:"));
}

static bool
connect_elsewhere(const struct deck *deck, const struct deck_server *server,
                  struct rescue_link *ret_link)
{
    struct error ignored;

    for (size_t i = 0; deck != NULL && i < deck->databases.count; i++) {
        const struct deck_database *database = &deck->databases.items[i];
        if (database->environment->server == server &&
            connect_to(server, database->name, ret_link, &ignored))
            return true;
    }
    return connect_to(server, "postgres", ret_link, &ignored) ||
           connect_to(server, "template1", ret_link, &ignored);
}

bool
rescue_link_open(const struct deck *deck, const struct deck_server *server,
                 struct rescue_link *ret_link, struct error *err)
{
    struct error no_door;

    if (connect_to(server, NULL, ret_link, err))
        return true;
    if (err->code == ERROR_INTERRUPTED)
        return false;
    if ((is_catalog_slow(err) && connect_elsewhere(deck, server, ret_link)) ||
        rescue_link_open_door(server, ret_link, &no_door)) {
        error_clear(err);
        return true;
    }
    if (is_full(err))
        error_hint(err, "Use a superuser, a role with pg_use_reserved_connections (16 and later), "
                        "or run pgdeck watch, which holds one: pgdeck rescue --check tells.");
    return false;
}

void
rescue_link_close(struct rescue_link *link)
{
    PQfinish(link->connection);
    if (link->door >= 0)
        close(link->door);
    *link = (struct rescue_link){.door = -1};
}

bool
rescue_link_is_lost(const struct rescue_link *link)
{
    return link->door < 0 && PQstatus(link->connection) != CONNECTION_OK;
}

/* --- through the door --------------------------------------------------------------------- */

static bool
take_fault(json_t *answer, struct error *err)
{
    const char *sqlstate, *message;
    int code;

    if (json_unpack(answer, "{s:i, s:s, s:s}", "code", &code, "sqlstate", &sqlstate, "message",
                    &message) != 0)
        return error_set(err, ERROR_INTERNAL, "pgdeck watch gave no answer that can be read");
    error_set(err, (enum error_code)code, "%s", message);
    snprintf(err->sqlstate, sizeof(err->sqlstate), "%s", sqlstate);
    return false;
}

static bool
take_columns(const json_t *columns, PGresult *result)
{
    PGresAttDesc described[32];
    size_t count = json_array_size(columns);

    memset(described, 0, sizeof(described));
    if (count > sizeof(described) / sizeof(described[0]))
        return false;
    for (size_t i = 0; i < count; i++) {
        described[i].name = (char *)json_string_value(json_array_get(columns, i));
        if (described[i].name == NULL)
            return false;
    }
    return PQsetResultAttrs(result, (int)count, described) == 1;
}

static bool
take_rows(const json_t *rows, PGresult *result)
{
    int columns = PQnfields(result);
    size_t row, column;
    const json_t *cells, *cell;

    json_array_foreach(rows, row, cells)
    {
        if (row >= INT_MAX || json_array_size(cells) != (size_t)columns)
            return false;
        json_array_foreach(cells, column, cell)
        {
            char *value = (char *)json_string_value(cell);
            if (PQsetvalue(result, (int)row, (int)column, value,
                           value == NULL ? -1 : (int)json_string_length(cell)) != 1)
                return false;
        }
    }
    return true;
}

static bool
take_result(const json_t *answer, PGresult **ret_result, struct error *err)
{
    AUTO_PGRESULT result = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);

    if (result == NULL || !take_columns(json_object_get(answer, "columns"), result) ||
        !take_rows(json_object_get(answer, "rows"), result))
        return error_set(err, ERROR_INTERNAL, "pgdeck watch gave no answer that can be read");
    *ret_result = result;
    result = NULL;
    return true;
}

/* parameters NULL: the file is run, and there is no result. */
static bool
ask(struct rescue_link *link, const char *path, json_t *parameters, PGresult **ret_result,
    struct error *err)
{
    json_t *answer = NULL;
    bool is_fine =
        rescue_message_send(
            link->door, json_pack("{s:s, s:o*}", "file", path, "parameters", parameters), err) &&
        rescue_message_receive(link->door, &answer, err);

    if (is_fine && answer == NULL)
        is_fine = error_set(err, ERROR_CONNECTION_LOST, "it closed the door");
    if (!is_fine) {
        close(link->door);
        link->door = -1;
        return error_wrap(err, "pgdeck watch");
    }
    if (json_object_get(answer, "message") != NULL)
        is_fine = take_fault(answer, err);
    else if (ret_result != NULL)
        is_fine = take_result(answer, ret_result, err);
    json_decref(answer);
    return is_fine;
}

/* --- both --------------------------------------------------------------------------------- */

bool
rescue_link_query(struct rescue_link *link, const char *path, int parameter_count,
                  const char *const *parameters, PGresult **ret_result, struct error *err)
{
    if (link->door < 0)
        return pg_query(link->connection, embedded_file(path)->text, parameter_count, parameters,
                        ret_result, err);
    json_t *list = json_array();
    for (int i = 0; i < parameter_count; i++)
        json_array_append_new(list,
                              parameters[i] == NULL ? json_null() : json_string(parameters[i]));
    return ask(link, path, list, ret_result, err);
}

bool
rescue_link_execute(struct rescue_link *link, const char *path, struct error *err)
{
    if (link->door < 0)
        return pg_execute(link->connection, embedded_file(path)->text, err);
    return ask(link, path, NULL, NULL, err);
}
