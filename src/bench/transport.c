// SPDX-License-Identifier: MIT
#include "bench/transport.h"

#include "base/embed.h"
#include "base/text.h"
#include "bench/cost.h"

#include <string.h>

static const char *
transport_of(struct arena *arena, PGconn *connection)
{
    const char *host = PQhost(connection);
    const char *protocol = PQsslAttribute(connection, "protocol");

    if (host != NULL && host[0] == '/')
        return "Unix socket";
    if (PQsslInUse(connection) != 0)
        return arena_printf(arena, "TCP, %s", protocol == NULL ? "encrypted" : protocol);
    return PQgssEncInUse(connection) != 0 ? "TCP, encrypted" : "TCP";
}

static void
put_option(struct text *out, const char *keyword, const char *value)
{
    text_appendf(out, "%s='", keyword);
    for (; *value != '\0'; value++) {
        text_append(out, *value == '\'' || *value == '\\' ? "\\" : "");
        text_append_bytes(out, value, 1);
    }
    text_append(out, "' ");
}

/* Whether the same login comes to the same server by its socket. */
static bool
try_socket(struct arena *arena, PGconn *connection, struct pg_target *target)
{
    AUTO_PGRESULT rows = NULL;
    AUTO_PGCONN by_socket = NULL;
    AUTO_TEXT conninfo = {0};
    struct error refused = {0};
    struct pg_target other = *target;
    pid_t postmaster = bench_postmaster_of(connection);

    if (postmaster == 0 || !pg_query(connection, embedded_file("bench/sql/socket.sql")->text, 0,
                                     NULL, &rows, &refused))
        return false;
    if (PQntuples(rows) == 0 || pg_value(rows, 0, "folder") == NULL)
        return false;
    put_option(&conninfo, "host", pg_value(rows, 0, "folder"));
    put_option(&conninfo, "port", pg_value(rows, 0, "port"));
    put_option(&conninfo, "user", PQuser(connection));
    put_option(&conninfo, "dbname", PQdb(connection));
    if (PQpass(connection) != NULL && PQpass(connection)[0] != '\0')
        put_option(&conninfo, "password", PQpass(connection));
    other.conninfo = arena_strdup(arena, text_chars(&conninfo));
    if (!pg_connect(&other, &by_socket, &refused) || bench_postmaster_of(by_socket) != postmaster)
        return false;
    *target = other;
    return true;
}

/* Both by their sockets, or neither. */
static void
align(struct bench_run *run, struct bench_options *options, PGconn *const *connections)
{
    struct pg_target targets[BENCH_ARMS];
    struct bench_server *servers = run->results->servers;

    for (size_t arm = 0; arm < BENCH_ARMS; arm++) {
        targets[arm] = options->arms[arm].target;
        if (strcmp(servers[arm].reached_by, "Unix socket") != 0 &&
            !try_socket(run->arena, connections[arm], &targets[arm]))
            return;
    }
    for (size_t arm = 0; arm < BENCH_ARMS; arm++) {
        options->arms[arm].target = targets[arm];
        if (strcmp(servers[arm].reached_by, "Unix socket") == 0)
            continue;
        bench_log(run, "%s: by its Unix socket, not %s: both servers are to be reached alike",
                  options->arms[arm].label, servers[arm].reached_by);
        servers[arm].reached_by =
            arena_printf(run->arena, "Unix socket (the conninfo: %s)", servers[arm].reached_by);
    }
    run->results->is_reached_alike = true;
}

bool
bench_align_transports(struct bench_run *run, struct bench_options *options, struct error *err)
{
    PGconn *connections[BENCH_ARMS] = {NULL};
    struct bench_server *servers = run->results->servers;
    bool is_fine = true;

    for (size_t arm = 0; is_fine && arm < BENCH_ARMS; arm++) {
        is_fine = pg_connect(&options->arms[arm].target, &connections[arm], err) ||
                  error_wrap(err, "server \"%s\"", options->arms[arm].label);
        if (is_fine)
            servers[arm].reached_by = transport_of(run->arena, connections[arm]);
    }
    if (is_fine) {
        run->results->is_reached_alike =
            strcmp(servers[BENCH_BEFORE].reached_by, servers[BENCH_AFTER].reached_by) == 0;
        if (!run->results->is_reached_alike)
            align(run, options, connections);
    }
    for (size_t arm = 0; arm < BENCH_ARMS; arm++)
        PQfinish(connections[arm]);
    return is_fine;
}
