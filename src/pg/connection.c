// SPDX-License-Identifier: MIT
#include "pg/connection.h"

#include "base/file.h"
#include "base/interrupt.h"
#include "base/text.h"

#include <assert.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { OLDEST_VERSION = 140000, CONNECT_TIMEOUT_MS = 15000 };

/* What every session starts with. client_connection_check_interval lets the server notice that
 * pgdeck was killed while a long statement runs. Queries of catalogs are short however large their
 * estimates are: compiling them (jit) takes longer than they do. */
static const char session_options[] =
    "-c search_path=pg_catalog,pg_temp -c TimeZone=UTC -c DateStyle=ISO -c IntervalStyle=postgres "
    "-c lock_timeout=5s -c statement_timeout=0 -c extra_float_digits=1 -c bytea_output=hex "
    "-c client_connection_check_interval=2s -c default_transaction_read_only=off "
    "-c standard_conforming_strings=on -c row_security=off -c jit_above_cost=-1";

/* What an application gets, in output formats that can be compared between servers. */
static const char application_options[] =
    "-c TimeZone=UTC -c DateStyle=ISO -c IntervalStyle=postgres -c extra_float_digits=1 "
    "-c bytea_output=hex -c client_connection_check_interval=2s";

enum error_code
pg_error_code(const char *sqlstate)
{
    static const struct {
        const char *prefix;
        enum error_code code;
    } codes[] = {
        {"28", ERROR_AUTHENTICATION},     {"3D000", ERROR_NO_DATABASE},
        {"42501", ERROR_PRIVILEGE},       {"53100", ERROR_DISK_FULL},
        {"53300", ERROR_UNREACHABLE},     {"57P01", ERROR_CONNECTION_LOST},
        {"57P02", ERROR_CONNECTION_LOST}, {"57P03", ERROR_UNREACHABLE},
        {"08", ERROR_CONNECTION_LOST},    {"55P03", ERROR_LOCKED},
    };

    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        if (strncmp(sqlstate, codes[i].prefix, strlen(codes[i].prefix)) == 0)
            return codes[i].code;
    }
    return ERROR_SQL;
}

/* libpq's texts end in a line break and may have several lines: the first is the message. */
static void
set_from_text(struct error *err, enum error_code code, const char *text)
{
    assert(text != NULL);
    const char *end = strchr(text, '\n');
    size_t length = end == NULL ? strlen(text) : (size_t)(end - text);

    error_set(err, code, "%.*s", (int)length, text);
    while (end != NULL && (*end == '\n' || *end == '\t' || *end == ' '))
        end++;
    if (end != NULL && *end != '\0') {
        length = strlen(end);
        while (length > 0 && end[length - 1] == '\n')
            length--;
        error_detail(err, "%.*s", (int)length, end);
    }
}

bool
pg_fault(PGconn *connection, const PGresult *result, struct error *err)
{
    const char *sqlstate = result == NULL ? NULL : PQresultErrorField(result, PG_DIAG_SQLSTATE);

    if (sqlstate == NULL) {
        bool is_lost = connection == NULL || PQstatus(connection) == CONNECTION_BAD;
        const char *text = connection == NULL ? "out of memory" : PQerrorMessage(connection);
        set_from_text(err, is_lost ? ERROR_CONNECTION_LOST : ERROR_SQL, text);
        if (is_lost)
            error_hint(err, "The server ended or the network broke. Run the command again: it "
                            "continues where it stopped.");
        return false;
    }
    error_set(err, pg_error_code(sqlstate), "%s",
              PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY));
    snprintf(err->sqlstate, sizeof(err->sqlstate), "%s", sqlstate);
    const char *detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
    const char *context = PQresultErrorField(result, PG_DIAG_CONTEXT);
    const char *hint = PQresultErrorField(result, PG_DIAG_MESSAGE_HINT);
    if (detail != NULL || context != NULL)
        error_detail(err, "%s", detail != NULL ? detail : context);
    if (hint != NULL)
        error_hint(err, "%s", hint);
    return false;
}

/* --- connecting -------------------------------------------------------------------------- */

static bool
read_password(const struct pg_target *target, char *password, size_t size, struct error *err)
{
    AUTO_ARENA arena = arena_new();
    char *text;
    size_t length;

    if (!file_read_secret(arena, target->password_file, &text, &length, err))
        return error_wrap(err, "cannot read the password");
    snprintf(password, size, "%.*s", (int)strcspn(text, "\r\n"), text);
    explicit_bzero(text, length);
    return true;
}

static bool
start_connect(const struct pg_target *target, PGconn **ret_connection, struct error *err)
{
    char password[1024] = "";
    const char *keywords[] = {"dbname",
                              "options",
                              "fallback_application_name",
                              "client_encoding",
                              "connect_timeout",
                              NULL,
                              NULL,
                              NULL};
    const char *values[] = {
        target->conninfo, session_options, "pgdeck", "UTF8", "10", NULL, NULL, NULL};
    size_t at = 5;

    if (target->is_application)
        values[1] = application_options;
    if (target->password_file != NULL) {
        if (!read_password(target, password, sizeof(password), err))
            return error_place(err, target->place);
        keywords[at] = "password";
        values[at++] = password;
    }
    if (target->database != NULL) {
        keywords[at] = "dbname";
        values[at] = target->database;
    }
    /* expand_dbname applies to the first dbname only: a database's name is never a conninfo. */
    *ret_connection = PQconnectStartParams(keywords, values, 1);
    explicit_bzero(password, sizeof(password));
    if (*ret_connection == NULL)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    return true;
}

/* libpq 15 has no SQLSTATE for a failed connection: its message is all there is. */
static bool
connect_fault(const struct pg_target *target, PGconn *connection, struct error *err)
{
    static const struct {
        const char *part;
        enum error_code code;
        const char *hint;
    } faults[] = {
        {"password authentication failed", ERROR_AUTHENTICATION,
         "Check the role and its password: pgpass file, PGPASSWORD or password_file."},
        {"no password supplied", ERROR_AUTHENTICATION,
         "Give the password in the pgpass file, PGPASSWORD or password_file."},
        {"no pg_hba.conf entry", ERROR_AUTHENTICATION, "pg_hba.conf must allow this connection."},
        {"pg_hba.conf rejects", ERROR_AUTHENTICATION, "A line of pg_hba.conf keeps it out."},
        {"authentication failed", ERROR_AUTHENTICATION, "Check role and pg_hba.conf."},
        {"is not permitted to log in", ERROR_AUTHENTICATION, "The role needs LOGIN."},
        {"permission denied for database", ERROR_PRIVILEGE, "The role needs CONNECT on it."},
        {"permission denied", ERROR_PRIVILEGE, NULL},
        {"unsupported startup parameter", ERROR_REFUSED,
         "A connection pooler is between: give host and port of the server itself."},
        {"too many connections", ERROR_UNREACHABLE, "All connection slots are taken."},
        {"too many clients", ERROR_UNREACHABLE, "All connection slots are taken."},
        {"does not exist", ERROR_NO_DATABASE, NULL},
    };
    const char *text = PQerrorMessage(connection);

    set_from_text(err, ERROR_UNREACHABLE, text);
    error_hint(err, "Is the server running there, and do host and port fit?");
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        if (strstr(text, faults[i].part) == NULL)
            continue;
        err->code = faults[i].code;
        error_hint(err, "%s", faults[i].hint == NULL ? "" : faults[i].hint);
        break;
    }
    if (err->code == ERROR_NO_DATABASE && strstr(text, "role \"") != NULL)
        err->code = ERROR_AUTHENTICATION;
    return error_place(err, target->place);
}

static bool
check_session(const struct pg_target *target, PGconn *connection, struct error *err)
{
    int version = PQserverVersion(connection);

    if (version < OLDEST_VERSION) {
        error_set(err, ERROR_SERVER_VERSION, "server is PostgreSQL %d.%d, pgdeck needs 14 or newer",
                  version / 10000, version % 10000);
        error_hint(err, "PostgreSQL 14 is the oldest version that pgdeck knows.");
        return error_place(err, target->place);
    }
    return true;
}

static long long
monotonic_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* Drives the handshakes of a group of connections until each is made or has failed. */
struct handshake {
    PGconn *connection;
    PostgresPollingStatusType status;
    bool is_done;
};

static size_t
prepare_poll(const struct handshake *handshakes, size_t count, struct pollfd *waits)
{
    size_t waiting = 0;

    for (size_t i = 0; i < count; i++) {
        waits[i].fd = -1;
        waits[i].revents = 0;
        if (handshakes[i].is_done)
            continue;
        waits[i].fd = PQsocket(handshakes[i].connection);
        waits[i].events = handshakes[i].status == PGRES_POLLING_READING ? POLLIN : POLLOUT;
        waiting++;
    }
    waits[count] = (struct pollfd){.fd = interrupt_descriptor(), .events = POLLIN};
    return waiting;
}

static bool
shake_hands(struct handshake *handshakes, size_t count, int timeout_ms, struct error *err)
{
    enum { GROUP = 64 };
    struct pollfd waits[GROUP + 1];
    long long deadline = monotonic_ms() + timeout_ms;

    while (prepare_poll(handshakes, count, waits) > 0) {
        long long left = deadline - monotonic_ms();
        if (left <= 0)
            return true; /* whoever is not done has failed */
        poll(waits, count + 1, (int)left);
        if (is_interrupted())
            return interrupt_error(err);
        for (size_t i = 0; i < count; i++) {
            if (handshakes[i].is_done || waits[i].revents == 0)
                continue;
            handshakes[i].status = PQconnectPoll(handshakes[i].connection);
            handshakes[i].is_done = handshakes[i].status == PGRES_POLLING_OK ||
                                    handshakes[i].status == PGRES_POLLING_FAILED;
        }
    }
    return true;
}

static bool
connect_group(const struct pg_target *targets, size_t count, int timeout_ms, PGconn **connections,
              struct error *errors, struct error *err)
{
    enum { GROUP = 64 };
    struct handshake handshakes[GROUP];

    for (size_t i = 0; i < count; i++) {
        handshakes[i] = (struct handshake){.status = PGRES_POLLING_WRITING};
        if (!start_connect(&targets[i], &connections[i], &errors[i])) {
            handshakes[i].is_done = true;
            continue;
        }
        handshakes[i].connection = connections[i];
        handshakes[i].is_done = PQstatus(connections[i]) == CONNECTION_BAD;
    }
    bool is_fine = shake_hands(handshakes, count, timeout_ms, err);
    for (size_t i = 0; i < count; i++) {
        PGconn *connection = handshakes[i].connection;
        if (connection == NULL)
            continue;
        if (is_fine && PQstatus(connection) == CONNECTION_OK &&
            check_session(&targets[i], connection, &errors[i]))
            continue;
        if (is_fine && PQstatus(connection) != CONNECTION_OK) {
            connect_fault(&targets[i], connection, &errors[i]);
            if (!handshakes[i].is_done)
                error_set(&errors[i], ERROR_UNREACHABLE, "no answer from the server within %.1f s",
                          timeout_ms / 1000.0);
        }
        PQfinish(connection);
        connections[i] = NULL;
    }
    return is_fine;
}

bool
pg_connect_all(const struct pg_target *targets, size_t count, const struct pg_connecting *how,
               PGconn **connections, struct error *errors, struct error *err)
{
    enum { GROUP = 64 };
    size_t parallel = how->parallel;
    int timeout_ms = how->timeout_ms > 0 ? how->timeout_ms : CONNECT_TIMEOUT_MS;

    if (parallel == 0 || parallel > GROUP)
        parallel = GROUP;
    memset(connections, 0, count * sizeof(PGconn *));
    for (size_t at = 0; at < count; at += parallel) {
        size_t group = count - at < parallel ? count - at : parallel;
        if (!connect_group(targets + at, group, timeout_ms, connections + at, errors + at, err))
            return false;
    }
    return true;
}

static void
drop_notice(void *argument, const PGresult *result)
{
    (void)argument;
    (void)result;
}

bool
pg_connect(const struct pg_target *target, PGconn **ret_connection, struct error *err)
{
    PGconn *connection = NULL;
    struct error fault = {0};

    if (!pg_connect_all(target, 1, &(struct pg_connecting){0}, &connection, &fault, err))
        return false;
    if (connection == NULL) {
        *err = fault;
        return false;
    }
    PQsetNoticeReceiver(connection, drop_notice, NULL);
    *ret_connection = connection;
    return true;
}

/* --- statements -------------------------------------------------------------------------- */

static void
cancel(PGconn *connection)
{
    char message[256];
    PGcancel *handle = PQgetCancel(connection);

    if (handle != NULL)
        PQcancel(handle, message, sizeof(message));
    PQfreeCancel(handle);
}

/* Waits until a result can be had without blocking; an interrupt cancels the statement. */
static bool
wait_for_result(PGconn *connection, struct error *err)
{
    bool is_cancelled = false;

    for (;;) {
        int unsent = PQflush(connection);
        if (unsent < 0 || (unsent == 0 && PQconsumeInput(connection) == 0))
            return pg_fault(connection, NULL, err);
        if (unsent == 0 && PQisBusy(connection) == 0)
            return is_cancelled ? interrupt_error(err) : true;
        struct pollfd waits[2] = {
            {.fd = PQsocket(connection), .events = (short)(POLLIN | (unsent ? POLLOUT : 0))},
            {.fd = is_cancelled ? -1 : interrupt_descriptor(), .events = POLLIN},
        };
        poll(waits, 2, -1);
        if (is_interrupted() && !is_cancelled) {
            cancel(connection);
            is_cancelled = true;
        }
        if (waits[0].revents != 0 && PQconsumeInput(connection) == 0)
            return pg_fault(connection, NULL, err);
    }
}

/* The last result of what was sent; NULL (with err set) on a fault. */
static PGresult *
collect(PGconn *connection, struct error *err)
{
    PGresult *last = NULL;
    bool is_fine = true;

    for (;;) {
        if (is_fine && !wait_for_result(connection, err))
            is_fine = false;
        PGresult *result = PQgetResult(connection);
        if (result == NULL)
            break;
        ExecStatusType status = PQresultStatus(result);
        if (is_fine && status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK &&
            status != PGRES_EMPTY_QUERY)
            is_fine = pg_fault(connection, result, err);
        PQclear(last);
        last = result;
        if (PQstatus(connection) == CONNECTION_BAD)
            break;
    }
    if (is_fine && last != NULL)
        return last;
    PQclear(last);
    if (is_fine)
        pg_fault(connection, NULL, err);
    return NULL;
}

bool
pg_execute(PGconn *connection, const char *sql, struct error *err)
{
    if (is_interrupted())
        return interrupt_error(err);
    if (PQsendQuery(connection, sql) == 0)
        return pg_fault(connection, NULL, err);
    PGresult *result = collect(connection, err);
    PQclear(result);
    return result != NULL;
}

bool
pg_query(PGconn *connection, const char *sql, int parameter_count, const char *const *parameters,
         PGresult **ret_result, struct error *err)
{
    if (is_interrupted())
        return interrupt_error(err);
    if (PQsendQueryParams(connection, sql, parameter_count, NULL, parameters, NULL, NULL, 0) == 0)
        return pg_fault(connection, NULL, err);
    PGresult *result = collect(connection, err);
    if (result == NULL)
        return false;
    *ret_result = result;
    return true;
}

bool
pg_prepare(PGconn *connection, const char *name, const char *sql, int parameter_count,
           const Oid *types, int *ret_position, struct error *err)
{
    if (ret_position != NULL)
        *ret_position = 0;
    if (is_interrupted())
        return interrupt_error(err);
    AUTO_PGRESULT result = PQprepare(connection, name, sql, parameter_count, types);
    if (PQresultStatus(result) == PGRES_COMMAND_OK)
        return true;
    const char *position = PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION);
    if (ret_position != NULL && position != NULL)
        *ret_position = atoi(position);
    return pg_fault(connection, result, err);
}

bool
pg_send_prepared(PGconn *connection, const char *name, int parameter_count,
                 const char *const *parameters, struct error *err)
{
    if (is_interrupted())
        return interrupt_error(err);
    if (PQsendQueryPrepared(connection, name, parameter_count, parameters, NULL, NULL, 0) == 0)
        return pg_fault(connection, NULL, err);
    return PQflush(connection) >= 0 || pg_fault(connection, NULL, err);
}

bool
pg_receive(PGconn *connection, PGresult **ret_result, struct error *err)
{
    PGresult *result = collect(connection, err);

    if (result == NULL)
        return false;
    *ret_result = result;
    return true;
}

bool
pg_send(PGconn *connection, const char *sql, struct error *err)
{
    if (is_interrupted())
        return interrupt_error(err);
    if (PQsendQuery(connection, sql) == 0)
        return pg_fault(connection, NULL, err);
    return PQflush(connection) >= 0 || pg_fault(connection, NULL, err);
}

bool
pg_wait(PGconn *connection, int timeout_ms, bool *ret_is_ready, struct error *err)
{
    struct pollfd waits[2] = {
        {.fd = PQsocket(connection), .events = POLLIN},
        {.fd = interrupt_descriptor(), .events = POLLIN},
    };
    long long deadline = monotonic_ms() + timeout_ms;

    for (;;) {
        int unsent = PQflush(connection);
        if (unsent < 0 || PQconsumeInput(connection) == 0)
            return pg_fault(connection, NULL, err);
        *ret_is_ready = is_interrupted() || PQisBusy(connection) == 0;
        long long left = deadline - monotonic_ms();
        if (*ret_is_ready || left <= 0)
            return true;
        waits[0].events = (short)(POLLIN | (unsent ? POLLOUT : 0));
        poll(waits, 2, (int)left);
    }
}

static bool
send_batch(PGconn *connection, const struct pg_statement *batch, size_t count, struct error *err)
{
    if (PQenterPipelineMode(connection) == 0)
        return pg_fault(connection, NULL, err);
    for (size_t i = 0; i < count; i++) {
        if (PQsendQueryParams(connection, batch[i].sql, batch[i].parameter_count, NULL,
                              batch[i].parameters, NULL, NULL, 0) == 0)
            return pg_fault(connection, NULL, err);
    }
    if (PQpipelineSync(connection) == 0)
        return pg_fault(connection, NULL, err);
    return true;
}

/* Reads to the end of the pipeline even after a fault, so that the connection stays usable. */
static bool
receive_batch(PGconn *connection, struct pg_statement *batch, size_t count, struct error *err)
{
    bool is_fine = true;

    for (size_t i = 0; i < count;) {
        if (!wait_for_result(connection, err))
            return false;
        PGresult *result = PQgetResult(connection);
        if (result == NULL) {
            i++;
            continue;
        }
        ExecStatusType status = PQresultStatus(result);
        if (is_fine && (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK)) {
            batch[i].result = result;
            continue;
        }
        if (is_fine)
            is_fine = pg_fault(connection, result, err);
        PQclear(result);
        if (PQstatus(connection) == CONNECTION_BAD)
            return false;
    }
    if (!wait_for_result(connection, is_fine ? err : &(struct error){0}))
        return false;
    PQclear(PQgetResult(connection)); /* PGRES_PIPELINE_SYNC */
    PQexitPipelineMode(connection);
    return is_fine;
}

static void
clear_batch(struct pg_statement *batch, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        PQclear(batch[i].result);
        batch[i].result = NULL;
    }
}

bool
pg_query_batch(PGconn *const *connections, struct pg_statement *const *batches, size_t count,
               size_t statement_count, struct error *errors, struct error *err)
{
    if (is_interrupted())
        return interrupt_error(err);
    for (size_t i = 0; i < count; i++) {
        if (connections[i] != NULL &&
            send_batch(connections[i], batches[i], statement_count, &errors[i]))
            PQflush(connections[i]);
    }
    for (size_t i = 0; i < count; i++) {
        if (connections[i] == NULL)
            continue;
        if (errors[i].code != ERROR_NONE ||
            !receive_batch(connections[i], batches[i], statement_count, &errors[i]))
            clear_batch(batches[i], statement_count);
    }
    if (is_interrupted()) {
        for (size_t i = 0; i < count; i++)
            clear_batch(batches[i], statement_count);
        return interrupt_error(err);
    }
    return true;
}

/* --- values and quoting ------------------------------------------------------------------ */

const char *
pg_value(const PGresult *result, int row, const char *column)
{
    int number = PQfnumber(result, column);

    if (number < 0) {
        fprintf(stderr, "pgdeck: internal error: no column %s in the result\n", column);
        abort();
    }
    return PQgetisnull(result, row, number) ? NULL : PQgetvalue(result, row, number);
}

const char *
pg_keep(struct arena *arena, const PGresult *result, int row, const char *column)
{
    const char *value = pg_value(result, row, column);

    return value == NULL ? NULL : arena_strdup(arena, value);
}

const char *
pg_keep_text(struct arena *arena, const PGresult *result, int row, const char *column)
{
    const char *value = pg_value(result, row, column);

    return value == NULL ? "" : arena_strdup(arena, value);
}

bool
pg_bool(const PGresult *result, int row, const char *column)
{
    const char *value = pg_value(result, row, column);

    return value != NULL && value[0] == 't';
}

long long
pg_integer(const PGresult *result, int row, const char *column)
{
    const char *value = pg_value(result, row, column);

    return value == NULL ? 0 : atoll(value);
}

static char *
quote(struct arena *arena, const char *text, char mark)
{
    char *quoted = arena_alloc(arena, strlen(text) * 2 + 4);
    char *out = quoted;

    *out++ = mark;
    for (; *text != '\0'; text++) {
        if (*text == mark)
            *out++ = mark;
        *out++ = *text;
    }
    *out++ = mark;
    return quoted;
}

/* PostgreSQL's key words that must be quoted are plain words of letters, but for the few listed
 * here: a lower-case name with an underscore needs no quotes otherwise. Plain words get them, but
 * for some harmless ones that would be noise to the reader. */
static bool
needs_quotes(const char *name)
{
    bool has_underscore = false;

    if (!(name[0] >= 'a' && name[0] <= 'z') && name[0] != '_')
        return true;
    for (const char *at = name; *at != '\0'; at++) {
        if (*at == '_')
            has_underscore = true;
        else if (!((*at >= 'a' && *at <= 'z') || (*at >= '0' && *at <= '9')))
            return true;
    }
    static const char *const with_underscore[] = {
        "current_catalog", "current_date", "current_role",
        "current_schema",  "current_time", "current_timestamp",
        "current_user",    "session_user", "system_user",
        "merge_action",    "json_array",   "json_arrayagg",
        "json_exists",     "json_object",  "json_objectagg",
        "json_query",      "json_scalar",  "json_serialize",
        "json_table",      "json_value",   NULL};
    static const char *const plain[] = {"public",   "monitoring",    "pgdeck", "postgres", "users",
                                        "projects", "notifications", "id",     "status",   NULL};
    if (!has_underscore) {
        for (size_t i = 0; plain[i] != NULL; i++) {
            if (strcmp(name, plain[i]) == 0)
                return false;
        }
        return true;
    }
    for (size_t i = 0; with_underscore[i] != NULL; i++) {
        if (strcmp(name, with_underscore[i]) == 0)
            return true;
    }
    return false;
}

char *
pg_identifier(struct arena *arena, const char *name)
{
    return needs_quotes(name) ? quote(arena, name, '"') : arena_strdup(arena, name);
}

char *
pg_qualified(struct arena *arena, const char *schema, const char *name)
{
    return arena_printf(arena, "%s.%s", pg_identifier(arena, schema), pg_identifier(arena, name));
}

char *
pg_literal(struct arena *arena, const char *text)
{
    return quote(arena, text, '\'');
}

size_t
pg_array(struct arena *arena, const char *array, char ***ret_items)
{
    LIST_OF(char *) list = {0};
    const char *at = array;

    if (array != NULL && *at == '{')
        at++;
    else
        at = "";
    while (*at != '\0' && *at != '}') {
        char *item = arena_alloc(arena, strlen(at) + 1);
        char *out = item;
        bool is_quoted = *at == '"';
        if (is_quoted)
            at++;
        while (*at != '\0' && (is_quoted ? *at != '"' : (*at != ',' && *at != '}'))) {
            if (*at == '\\' && at[1] != '\0')
                at++;
            *out++ = *at++;
        }
        *LIST_ADD(arena, &list) = item;
        if (is_quoted && *at == '"')
            at++;
        if (*at == ',')
            at++;
    }
    *ret_items = list.items;
    return list.count;
}
