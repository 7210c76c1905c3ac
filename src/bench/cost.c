// SPDX-License-Identifier: MIT
#include "bench/cost.h"

#include "base/embed.h"
#include "base/interrupt.h"
#include "base/machine.h"
#include "bench/run.h"
#include "pg/connection.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Before PostgreSQL 15 counters are up to half a second old. */
enum { SETTLE_MS = 1000, SETTLE_STEP_MS = 5, COLLECTOR_MS = 600 };
enum { FAMILY_TRIES = 100 };

/* --- processes ------------------------------------------------------------------------------ */

struct process_times {
    pid_t parent;
    uint64_t own, of_children; /* clock ticks; the latter of children that have ended */
};

/* /proc/PID/stat (proc(5)): the name, in parentheses, may hold anything. */
static bool
read_times(pid_t pid, struct process_times *ret_times)
{
    char path[64];
    char text[1024];
    uint64_t fields[16] = {0};

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t got = read(fd, text, sizeof(text) - 1);
    close(fd);
    if (got <= 0)
        return false;
    text[got] = '\0';
    char *at = strrchr(text, ')');
    if (at == NULL || at[1] != ' ' || at[2] == '\0')
        return false;
    at += 3; /* past the state: the fields from the 4th on */
    for (size_t i = 0; i < 16; i++)
        fields[i] = strtoull(at, &at, 10);
    *ret_times = (struct process_times){
        .parent = (pid_t)fields[0],
        .own = fields[10] + fields[11],
        .of_children = fields[12] + fields[13],
    };
    return true;
}

/* On a CPU until now, all threads together, exactly: fields of stat are rounded to ticks of 10 ms,
 * which is much for a block of a hundred sessions. 0: not known. */
static uint64_t
own_cpu_ns(pid_t pid)
{
    char path[300];
    char text[128];
    uint64_t sum_ns = 0;

    snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
    DIR *folder = opendir(path);
    if (folder == NULL)
        return 0;
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        if (!isdigit((unsigned char)entry->d_name[0]))
            continue;
        snprintf(path, sizeof(path), "/proc/%d/task/%.20s/schedstat", (int)pid, entry->d_name);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
        if (fd >= 0)
            close(fd);
        text[got < 0 ? 0 : got] = '\0';
        sum_ns += strtoull(text, NULL, 10);
    }
    closedir(folder);
    return sum_ns;
}

static uint64_t
cpu_ns_of(pid_t pid, const struct process_times *times)
{
    uint64_t tick_ns = UINT64_C(1000000000) / (uint64_t)sysconf(_SC_CLK_TCK);
    uint64_t own_ns = own_cpu_ns(pid);

    return (own_ns > 0 ? own_ns : times->own * tick_ns) + times->of_children * tick_ns;
}

/* Of the children that are there. */
static uint64_t
children_cpu_ns(pid_t parent)
{
    struct process_times times;
    uint64_t sum_ns = 0;

    DIR *folder = opendir("/proc");
    if (folder == NULL)
        return 0;
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        pid_t pid = (pid_t)atoi(entry->d_name);
        if (isdigit((unsigned char)entry->d_name[0]) && read_times(pid, &times) &&
            times.parent == parent)
            sum_ns += cpu_ns_of(pid, &times);
    }
    closedir(folder);
    return sum_ns;
}

/* A child that ends while they are counted is in neither sum, and with it all that it ever did: so
 * once more then. */
uint64_t
bench_family_cpu_ns(pid_t parent)
{
    struct process_times before, after;
    uint64_t sum_ns = 0;

    if (!read_times(parent, &before))
        return 0;
    for (int tries = 0; tries < FAMILY_TRIES; tries++) {
        sum_ns = cpu_ns_of(parent, &before) + children_cpu_ns(parent);
        if (!read_times(parent, &after))
            return 0;
        if (after.of_children == before.of_children)
            break;
        before = after;
    }
    return sum_ns;
}

static void
add_memory(struct bench_memory *memory, pid_t pid, const PGresult *others, pid_t client)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    int64_t own_bytes = machine_read_kb(path, "RssAnon") * 1024;
    int64_t shared_bytes = machine_read_kb(path, "RssShmem") * 1024;
    if (own_bytes < 0) /* it has just ended */
        return;
    if (shared_bytes > memory->shared_bytes)
        memory->shared_bytes = shared_bytes;
    if (pid == client) {
        memory->client_bytes = own_bytes;
        return;
    }
    for (int row = 0; row < PQntuples(others); row++) {
        if (pg_integer(others, row, "pid") == pid)
            return;
    }
    memory->own_bytes += own_bytes;
    memory->processes++;
}

bool
bench_memory_of(PGconn *connection, struct bench_memory *ret_memory)
{
    struct bench_memory memory = {0};
    struct process_times times;
    struct error ignored;
    AUTO_PGRESULT others = NULL;
    pid_t postmaster = connection == NULL ? 0 : bench_postmaster_of(connection);

    if (postmaster == 0 || !pg_query(connection, embedded_file("bench/sql/other_clients.sql")->text,
                                     0, NULL, &others, &ignored))
        return false;
    DIR *folder = opendir("/proc");
    if (folder == NULL)
        return false;
    add_memory(&memory, postmaster, others, PQbackendPID(connection));
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        pid_t pid = (pid_t)atoi(entry->d_name);
        if (pid > 0 && read_times(pid, &times) && times.parent == postmaster)
            add_memory(&memory, pid, others, PQbackendPID(connection));
    }
    closedir(folder);
    *ret_memory = memory;
    return true;
}

pid_t
bench_postmaster_of(PGconn *connection)
{
    struct process_times times;

    if (!bench_is_backend_here(connection) || !read_times((pid_t)PQbackendPID(connection), &times))
        return 0;
    return times.parent;
}

bool
bench_check_room(PGconn *connection, const char *folder, int64_t needed_megabytes,
                 struct error *err)
{
    static const double megabyte = 1 << 20;
    struct machine_room room;

    if (folder == NULL || bench_postmaster_of(connection) == 0 ||
        !machine_read_room(folder, &room) || room.free_bytes / megabyte >= (double)needed_megabytes)
        return true;
    return error_set(err, ERROR_DISK_FULL, "needs %lld MB in \"%s\", %.0f MB are free",
                     (long long)needed_megabytes, folder, room.free_bytes / megabyte);
}

/* --- the server's own counters -------------------------------------------------------------- */

static double
number(const PGresult *rows, const char *column)
{
    const char *value = pg_value(rows, 0, column);

    return value == NULL ? -1 : strtod(value, NULL);
}

struct bench_cost
bench_cost_now(const struct bench_meter *meter)
{
    struct bench_cost cost = {-1, -1, -1, -1, -1};
    AUTO_PGRESULT rows = NULL;
    struct error ignored;

    if (meter->postmaster > 0) {
        uint64_t cpu_ns = bench_family_cpu_ns(meter->postmaster);
        cost.cpu_ns = cpu_ns == 0 ? -1 : (double)cpu_ns;
    }
    if (!pg_query(meter->connection, embedded_file("bench/sql/cost.sql")->text, 0, NULL, &rows,
                  &ignored) ||
        PQntuples(rows) == 0)
        return cost;
    cost.wal_bytes = number(rows, "wal_bytes");
    cost.buffers = number(rows, "buffers");
    cost.buffers_read = number(rows, "buffers_read");
    cost.temp_bytes = number(rows, "temp_bytes");
    return cost;
}

void
bench_cost_settle(const struct bench_meter *meter, const int *processes, size_t count)
{
    AUTO_TEXT list = {0};
    struct error ignored;

    for (size_t i = 0; i < count; i++)
        text_appendf(&list, "%s%d", i == 0 ? "{" : ",", processes[i]);
    text_append(&list, count == 0 ? "{}" : "}");
    const char *const values[] = {text_chars(&list)};
    for (int waited_ms = 0; waited_ms < SETTLE_MS; waited_ms += SETTLE_STEP_MS) {
        AUTO_PGRESULT rows = NULL;
        if (!pg_query(meter->connection, embedded_file("bench/sql/sessions.sql")->text, 1, values,
                      &rows, &ignored) ||
            pg_integer(rows, 0, "sessions") == 0 || !interrupt_sleep_ms(SETTLE_STEP_MS, &ignored))
            break;
    }
    if (PQserverVersion(meter->connection) < 150000)
        (void)!interrupt_sleep_ms(COLLECTOR_MS, &ignored);
}

static void
add(double *into, double start, double end)
{
    if (*into < 0)
        return;
    if (start < 0 || end < start)
        *into = -1;
    else
        *into += end - start;
}

void
bench_cost_add(struct bench_cost *into, const struct bench_cost *start,
               const struct bench_cost *end)
{
    add(&into->cpu_ns, start->cpu_ns, end->cpu_ns);
    add(&into->wal_bytes, start->wal_bytes, end->wal_bytes);
    add(&into->buffers, start->buffers, end->buffers);
    add(&into->buffers_read, start->buffers_read, end->buffers_read);
    add(&into->temp_bytes, start->temp_bytes, end->temp_bytes);
}
