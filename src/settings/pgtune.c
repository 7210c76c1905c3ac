// SPDX-License-Identifier: MIT
#include "settings/pgtune.h"

#include "settings/value.h"

#include <string.h>

#define KILOBYTE (INT64_C(1) << 10)
#define MEGABYTE (INT64_C(1) << 20)
#define GIGABYTE (INT64_C(1) << 30)

enum { LEAST_CPUS = 4 }; /* with fewer it says nothing of workers */

typedef const char *derive_function(struct arena *arena, const struct pgtune_input *input);

static const char *
number(struct arena *arena, int64_t value)
{
    return arena_printf(arena, "%lld", (long long)value);
}

static int64_t
lower(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int
connections(const struct pgtune_input *input)
{
    static const int by_workload[] = {
        [WORKLOAD_WEB] = 200,   [WORKLOAD_OLTP] = 300,   [WORKLOAD_ANALYTICS] = 40,
        [WORKLOAD_MIXED] = 100, [WORKLOAD_DESKTOP] = 20,
    };
    return input->connections > 0 ? input->connections : by_workload[input->workload];
}

static int64_t
buffers(const struct pgtune_input *input)
{
    return input->memory_bytes / (input->workload == WORKLOAD_DESKTOP ? 16 : 4);
}

static int64_t
maintenance(const struct pgtune_input *input)
{
    return lower(input->memory_bytes / (input->workload == WORKLOAD_ANALYTICS ? 8 : 16),
                 8 * GIGABYTE);
}

static const char *
max_connections(struct arena *arena, const struct pgtune_input *input)
{
    return number(arena, connections(input));
}

static const char *
shared_buffers(struct arena *arena, const struct pgtune_input *input)
{
    return setting_size(arena, buffers(input) / KILOBYTE * KILOBYTE);
}

static const char *
effective_cache_size(struct arena *arena, const struct pgtune_input *input)
{
    int64_t bytes =
        input->workload == WORKLOAD_DESKTOP ? input->memory_bytes / 4 : input->memory_bytes / 4 * 3;
    return setting_size(arena, bytes / KILOBYTE * KILOBYTE);
}

static const char *
maintenance_work_mem(struct arena *arena, const struct pgtune_input *input)
{
    return setting_size(arena, maintenance(input) / KILOBYTE * KILOBYTE);
}

static const char *
autovacuum_work_mem(struct arena *arena, const struct pgtune_input *input)
{
    (void)arena;
    return maintenance(input) >= 2 * GIGABYTE ? "2GB" : NULL;
}

static const char *
checkpoint_completion_target(struct arena *arena, const struct pgtune_input *input)
{
    (void)arena;
    (void)input;
    return "0.9";
}

static const char *
wal_buffers(struct arena *arena, const struct pgtune_input *input)
{
    int64_t bytes = buffers(input) / 100 * 3 / KILOBYTE * KILOBYTE;

    if (bytes > 14 * MEGABYTE)
        bytes = 16 * MEGABYTE;
    return setting_size(arena, bytes < 32 * KILOBYTE ? 32 * KILOBYTE : bytes);
}

static const char *
default_statistics_target(struct arena *arena, const struct pgtune_input *input)
{
    (void)arena;
    return input->workload == WORKLOAD_ANALYTICS ? "500" : "100";
}

/* It asks for less, about the same, or more than memory; where "about" ends is ours. */
static bool
is_smaller_than_memory(const struct pgtune_input *input)
{
    return input->database_bytes > 0 && input->database_bytes < input->memory_bytes / 4 * 3;
}

static bool
is_larger_than_memory(const struct pgtune_input *input)
{
    return input->database_bytes > input->memory_bytes / 4 * 5;
}

static const char *
random_page_cost(struct arena *arena, const struct pgtune_input *input)
{
    bool is_cheap = is_smaller_than_memory(input) ||
                    (input->storage != STORAGE_HDD && input->workload != WORKLOAD_ANALYTICS);

    (void)arena;
    return is_cheap ? "1.1" : "4";
}

static const char *
effective_io_concurrency(struct arena *arena, const struct pgtune_input *input)
{
    static const char *const by_storage[] = {
        [STORAGE_NVME] = "1000", [STORAGE_SSD] = "200", [STORAGE_SAN] = "300", [STORAGE_HDD] = "2"};
    (void)arena;
    return by_storage[input->storage];
}

static const char *
work_mem(struct arena *arena, const struct pgtune_input *input)
{
    int workers = input->cpus >= LEAST_CPUS ? input->cpus : 8;
    int64_t kilobytes =
        (input->memory_bytes - buffers(input)) / KILOBYTE / 3 / (connections(input) + workers);

    if (input->workload == WORKLOAD_ANALYTICS || input->workload == WORKLOAD_MIXED)
        kilobytes /= 2;
    else if (input->workload == WORKLOAD_DESKTOP)
        kilobytes /= 6;
    if (is_smaller_than_memory(input))
        kilobytes = kilobytes * 13 / 10;
    else if (is_larger_than_memory(input))
        kilobytes = kilobytes * 9 / 10;
    return setting_size(arena, (kilobytes < 4096 ? 4096 : kilobytes) * KILOBYTE);
}

static const char *
huge_pages(struct arena *arena, const struct pgtune_input *input)
{
    (void)arena;
    return buffers(input) >= 2 * GIGABYTE ? "try" : "off";
}

static const char *
min_wal_size(struct arena *arena, const struct pgtune_input *input)
{
    static const char *const by_workload[] = {
        [WORKLOAD_WEB] = "1GB",   [WORKLOAD_OLTP] = "2GB",      [WORKLOAD_ANALYTICS] = "4GB",
        [WORKLOAD_MIXED] = "1GB", [WORKLOAD_DESKTOP] = "100MB",
    };
    (void)arena;
    return by_workload[input->workload];
}

static const char *
max_wal_size(struct arena *arena, const struct pgtune_input *input)
{
    static const char *const by_workload[] = {
        [WORKLOAD_WEB] = "4GB",   [WORKLOAD_OLTP] = "8GB",    [WORKLOAD_ANALYTICS] = "16GB",
        [WORKLOAD_MIXED] = "4GB", [WORKLOAD_DESKTOP] = "2GB",
    };
    (void)arena;
    return by_workload[input->workload];
}

static const char *
workers(struct arena *arena, const struct pgtune_input *input)
{
    return input->cpus >= LEAST_CPUS ? number(arena, input->cpus) : NULL;
}

static const char *
workers_per_gather(struct arena *arena, const struct pgtune_input *input)
{
    int half = (input->cpus + 1) / 2;

    if (input->cpus < LEAST_CPUS)
        return NULL;
    return number(arena, input->workload == WORKLOAD_ANALYTICS ? half : lower(half, 4));
}

static const char *
maintenance_workers(struct arena *arena, const struct pgtune_input *input)
{
    return input->cpus >= LEAST_CPUS ? number(arena, lower((input->cpus + 1) / 2, 4)) : NULL;
}

static const char *
wal_level(struct arena *arena, const struct pgtune_input *input)
{
    (void)arena;
    return input->workload == WORKLOAD_DESKTOP ? "minimal" : NULL;
}

static const char *
max_wal_senders(struct arena *arena, const struct pgtune_input *input)
{
    (void)arena;
    return input->workload == WORKLOAD_DESKTOP ? "0" : NULL;
}

static const char *
jit(struct arena *arena, const struct pgtune_input *input)
{
    bool is_off = input->workload == WORKLOAD_WEB || input->workload == WORKLOAD_OLTP ||
                  input->workload == WORKLOAD_MIXED;
    (void)arena;
    return is_off ? "off" : NULL;
}

static const char *
wal_compression(struct arena *arena, const struct pgtune_input *input)
{
    (void)arena;
    return input->major >= 15 ? "lz4" : "on";
}

static const char *
autovacuum_max_workers(struct arena *arena, const struct pgtune_input *input)
{
    (void)arena;
    return input->cpus >= 32 ? "5" : input->cpus >= 16 ? "4" : NULL;
}

static const char *
io_method(struct arena *arena, const struct pgtune_input *input)
{
    (void)arena;
    return input->major >= 18 ? "io_uring" : NULL;
}

static const struct {
    const char *parameter;
    derive_function *derive;
    const char *way;
} rows[] = {
    {"max_connections", max_connections, "by workload, if not given"},
    {"shared_buffers", shared_buffers, "1/4 of memory, desktop 1/16"},
    {"effective_cache_size", effective_cache_size, "3/4 of memory, desktop 1/4"},
    {"maintenance_work_mem", maintenance_work_mem, "1/16 of memory, analytics 1/8, at most 8GB"},
    {"autovacuum_work_mem", autovacuum_work_mem, "2GB, if maintenance_work_mem is more"},
    {"checkpoint_completion_target", checkpoint_completion_target, "always"},
    {"wal_buffers", wal_buffers, "3 % of shared_buffers, at most 16MB"},
    {"default_statistics_target", default_statistics_target, "analytics 500, else 100"},
    {"random_page_cost", random_page_cost, "4 for hdd and analytics, else 1.1"},
    {"effective_io_concurrency", effective_io_concurrency,
     "by storage; for nvme the largest number there is"},
    {"work_mem", work_mem,
     "memory without shared_buffers / 3 / (connections and workers), mixed and analytics half"},
    {"huge_pages", huge_pages, "try from 2GB of shared_buffers on"},
    {"min_wal_size", min_wal_size, "by workload"},
    {"max_wal_size", max_wal_size, "by workload"},
    {"max_worker_processes", workers, "one for each CPU"},
    {"max_parallel_workers_per_gather", workers_per_gather, "half of the CPUs, at most 4"},
    {"max_parallel_workers", workers, "one for each CPU"},
    {"max_parallel_maintenance_workers", maintenance_workers, "half of the CPUs, at most 4"},
    {"wal_level", wal_level, "minimal for desktop: no standby, no recovery to a point in time"},
    {"max_wal_senders", max_wal_senders, "0 for desktop"},
    {"jit", jit, "off for web, oltp and mixed"},
    {"wal_compression", wal_compression, "lz4 from 15 on, whether the server was built with it"},
    {"autovacuum_max_workers", autovacuum_max_workers, "4 from 16 CPUs on, 5 from 32"},
    {"io_method", io_method, "io_uring, whether the server can use it"},
};

const char *
pgtune_parameter(size_t i)
{
    return i < sizeof(rows) / sizeof(rows[0]) ? rows[i].parameter : NULL;
}

static size_t
find(const char *parameter)
{
    size_t i = 0;

    while (pgtune_parameter(i) != NULL && strcmp(rows[i].parameter, parameter) != 0)
        i++;
    return i;
}

const char *
pgtune_value(struct arena *arena, const struct pgtune_input *input, const char *parameter)
{
    size_t i = find(parameter);

    return pgtune_parameter(i) == NULL ? NULL : rows[i].derive(arena, input);
}

const char *
pgtune_way(const char *parameter)
{
    size_t i = find(parameter);

    return pgtune_parameter(i) == NULL ? NULL : rows[i].way;
}
