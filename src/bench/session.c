// SPDX-License-Identifier: MIT
#include "bench/run.h"

#include "base/embed.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- the server process's CPU time --------------------------------------------------------- */

static bool
is_on_this_machine(PGconn *connection)
{
    const char *host = PQhost(connection);

    return host == NULL || host[0] == '/' || host[0] == '@' || host[0] == '\0' ||
           strcmp(host, "localhost") == 0 || strncmp(host, "127.", 4) == 0 ||
           strcmp(host, "::1") == 0;
}

/* A forwarded port or another PID namespace can make the PID somebody else's: only a process that
 * calls itself a PostgreSQL backend is believed. */
bool
bench_is_backend_here(PGconn *connection)
{
    char path[64];
    char title[16] = "";

    if (!is_on_this_machine(connection))
        return false;
    snprintf(path, sizeof(path), "/proc/%d/cmdline", PQbackendPID(connection));
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t got = read(fd, title, sizeof(title) - 1);
    close(fd);
    return got > 0 && strncmp(title, "postgres: ", 10) == 0;
}

/* The descriptor of /proc/PID/schedstat: nanoseconds on a CPU, and nanoseconds that it waited for
 * one. */
static int
open_cpu_clock(PGconn *connection)
{
    char path[64];

    if (!bench_is_backend_here(connection))
        return -1;
    snprintf(path, sizeof(path), "/proc/%d/schedstat", PQbackendPID(connection));
    return open(path, O_RDONLY | O_CLOEXEC);
}

static struct bench_cpu
read_cpu(int cpu_clock)
{
    char numbers[128] = "";
    struct bench_cpu cpu = {0};
    char *rest;

    if (cpu_clock < 0 || pread(cpu_clock, numbers, sizeof(numbers) - 1, 0) <= 0)
        return cpu;
    cpu.ran_ns = strtoull(numbers, &rest, 10);
    cpu.waited_ns = strtoull(rest, NULL, 10);
    return cpu;
}

struct bench_cpu
bench_cpu_of(const struct bench_session *session)
{
    return read_cpu(session->cpu_clock);
}

struct bench_cpu
bench_cpu_of_us(void)
{
    int clock = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
    struct bench_cpu cpu = read_cpu(clock);

    if (clock >= 0)
        close(clock);
    return cpu;
}

/* --- sessions ------------------------------------------------------------------------------ */

bool
bench_ask(struct bench_session *session, const char *path, const char *parameter,
          PGresult **ret_result, struct error *err)
{
    if (pg_query(session->connection, embedded_file(path)->text, parameter != NULL, &parameter,
                 ret_result, err))
        return true;
    return error_wrap(err, "server \"%s\"", session->label);
}

static bool
open_session(struct bench_run *run, size_t arm, struct error *err)
{
    struct bench_session *session = &run->sessions[arm];
    struct pg_target target = run->options->arms[arm].target;
    char timeout[32];

    session->label = run->options->arms[arm].label;
    target.is_application = true;
    if (!pg_connect(&target, &session->connection, err))
        return error_wrap(err, "server \"%s\"", session->label);
    session->cpu_clock = open_cpu_clock(session->connection);
    snprintf(timeout, sizeof(timeout), "%d", run->options->timeout_ms);
    AUTO_PGRESULT result = NULL;
    return bench_ask(session, "bench/sql/session.sql", timeout, &result, err);
}

bool
bench_open(struct bench_run *run, struct error *err)
{
    for (size_t arm = 0; arm < BENCH_ARMS; arm++)
        run->sessions[arm] = (struct bench_session){.cpu_clock = -1};
    for (size_t arm = 0; arm < BENCH_ARMS; arm++) {
        if (!open_session(run, arm, err))
            return false;
        run->results->servers[arm].is_local = run->sessions[arm].cpu_clock >= 0;
    }
    return true;
}

void
bench_close(struct bench_run *run)
{
    for (size_t arm = 0; arm < BENCH_ARMS; arm++) {
        if (run->sessions[arm].cpu_clock >= 0)
            close(run->sessions[arm].cpu_clock);
        PQfinish(run->sessions[arm].connection);
        run->sessions[arm] = (struct bench_session){.cpu_clock = -1};
    }
}

/* --- statements ---------------------------------------------------------------------------- */

const char *
bench_statement_name(const struct bench_run *run, const struct bench_query *query, char name[32])
{
    snprintf(name, 32, "bench_%zu", (size_t)(query - run->results->queries.items));
    return name;
}

static bool
find_types(struct bench_session *session, const struct workload_query *query, Oid *types,
           struct error *err)
{
    for (size_t i = 0; i < query->parameters.count; i++) {
        const struct workload_parameter *parameter = &query->parameters.items[i];
        AUTO_PGRESULT result = NULL;
        if (!bench_ask(session, "bench/sql/type_oid.sql", parameter->type, &result, err))
            return error_place(err, parameter->place);
        types[i] = (Oid)pg_integer(result, 0, "oid");
        if (types[i] != 0)
            continue;
        error_set(err, ERROR_DECK, "type \"%s\" of parameter $%zu does not exist", parameter->type,
                  i + 1);
        error_detail(err, "Server \"%s\" does not know it.", session->label);
        return error_place(err, parameter->place);
    }
    return true;
}

bool
bench_statement_of(struct bench_run *run, size_t arm, const struct workload_query *query,
                   struct bench_statement *ret_statement, struct error *err)
{
    bool is_other = arm == BENCH_BEFORE && query->before_sql != NULL;
    Oid *types = ARENA_ARRAY(run->arena, Oid, query->parameters.count + 1);

    if (!find_types(&run->sessions[arm], query, types, err))
        return false;
    *ret_statement = (struct bench_statement){
        .name = query->name,
        .sql = is_other ? query->before_sql : query->sql,
        .parameter_count = (int)query->parameters.count,
        .types = types,
        .place = is_other ? query->before_place : query->sql_place,
    };
    return true;
}

static bool
prepare_query(struct bench_run *run, size_t arm, struct bench_query *query, struct error *err)
{
    struct bench_session *session = &run->sessions[arm];
    struct bench_statement statement;
    char name[32];
    int position;

    if (!bench_statement_of(run, arm, query->query, &statement, err))
        return false;
    if (pg_prepare(session->connection, bench_statement_name(run, query, name), statement.sql,
                   statement.parameter_count, statement.types, &position, err))
        return true;
    error_wrap(err, "query \"%s\" on server \"%s\"", statement.name, session->label);
    return error_place(err, workload_place(statement.place, statement.sql, position));
}

bool
bench_prepare(struct bench_run *run, struct error *err)
{
    for (size_t arm = 0; arm < BENCH_ARMS; arm++) {
        for (size_t i = 0; i < run->results->queries.count; i++) {
            if (!prepare_query(run, arm, &run->results->queries.items[i], err))
                return false;
        }
    }
    return true;
}
