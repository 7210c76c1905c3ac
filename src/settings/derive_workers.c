// SPDX-License-Identifier: MIT
#include "settings/derive.h"
#include "settings/measured.h"
#include "settings/value.h"
#include "settings/wanted.h"

#include <limits.h>
#include <stdlib.h>

enum { PRODUCTION_PARALLEL_WORKERS = 6, WORKERS_BESIDE_PARALLEL = 4 };

static int
clamp(int value, int least, int most)
{
    return value < least ? least : value > most ? most : value;
}

static const char *
number(const struct settings_case *of, int value)
{
    return arena_printf(of->input->arena, "%d", value);
}

static const char *
storage_name(const struct settings_case *of)
{
    static const char *const names[] = {
        [STORAGE_NVME] = "nvme",
        [STORAGE_SSD] = "ssd",
        [STORAGE_SAN] = "san",
        [STORAGE_HDD] = "hdd",
    };
    return names[of->input->deck->storage];
}

/* --- storage ------------------------------------------------------------------------------ */

/* What one kind of storage stands for; PostgreSQL 18 counts reads in flight, before it counted
 * pages asked for ahead. */
struct storage_figures {
    const char *random_page_cost;
    int concurrency, concurrency_async, maintenance_concurrency;
    int vacuum_cost_limit, bgwriter_maxpages;
};

static const struct storage_figures storages[] = {
    [STORAGE_NVME] = {"1.1", 256, 128, 128, 2000, 500},
    [STORAGE_SSD] = {"1.1", 200, 64, 64, 1000, 400},
    [STORAGE_SAN] = {"1.1", 200, 64, 64, 1000, 400},
    [STORAGE_HDD] = {"4", 2, 16, 10, 400, 100},
};

static const char *
by_storage(const struct settings_case *of, const char *what)
{
    return arena_printf(of->input->arena, "%s, for %s", what, storage_name(of));
}

bool
derive_random_page_cost(const struct settings_case *of, struct settings_proposal *proposal)
{
    proposal->value = storages[of->input->deck->storage].random_page_cost;
    proposal->why = by_storage(of, "what a page read at random costs, against 1 in sequence");
    if (settings_is_all_cached(of->input) && of->input->deck->storage == STORAGE_HDD) {
        proposal->value = storages[STORAGE_SSD].random_page_cost;
        proposal->why = arena_printf(
            of->input->arena,
            "%s: all databases together, %s, fit into %s of memory: pages are rarely read "
            "from the hdd",
            of->input->databases_from,
            setting_rounded_size(of->input->arena, of->input->databases_bytes),
            setting_size(of->input->arena, of->input->memory_bytes));
    }
    return true;
}

bool
derive_io_concurrency(const struct settings_case *of, struct settings_proposal *proposal)
{
    proposal->value = number(of, storages[of->input->deck->storage].concurrency);
    proposal->why = by_storage(of, "pages that a bitmap scan asks for ahead of time");
    return true;
}

bool
derive_io_concurrency_async(const struct settings_case *of, struct settings_proposal *proposal)
{
    proposal->value = number(of, storages[of->input->deck->storage].concurrency_async);
    proposal->why = by_storage(of, "reads that one query keeps in flight");
    return true;
}

bool
derive_maintenance_io_concurrency(const struct settings_case *of,
                                  struct settings_proposal *proposal)
{
    proposal->value = number(of, storages[of->input->deck->storage].maintenance_concurrency);
    proposal->why = by_storage(of, "reads ahead of VACUUM and its like");
    return true;
}

bool
derive_io_workers(const struct settings_case *of, struct settings_proposal *proposal)
{
    if (of->input->cpus == 0)
        return false;
    proposal->value = number(of, clamp(of->input->cpus / 4, 3, 32));
    proposal->why =
        arena_printf(of->input->arena, "a quarter of %d CPUs, at least 3", of->input->cpus);
    return true;
}

/* --- parallel work ------------------------------------------------------------------------ */

static bool
is_production_alone(const struct settings_input *input)
{
    const struct settings_environment *sole = settings_sole(input);

    return sole != NULL && sole->deck->logging == LOGGING_MINIMAL;
}

static int
derived_parallel_workers(const struct settings_input *input)
{
    int least = is_production_alone(input) ? PRODUCTION_PARALLEL_WORKERS : 2;

    if (input->cpus == 0)
        return is_production_alone(input) ? least : 0;
    return input->cpus > least ? input->cpus : least;
}

int
settings_parallel_workers(const struct settings_input *input)
{
    int wanted;

    return settings_wanted_count(input, "max_parallel_workers", &wanted)
               ? wanted
               : derived_parallel_workers(input);
}

bool
derive_max_parallel_workers(const struct settings_case *of, struct settings_proposal *proposal)
{
    const struct settings_input *input = of->input;
    int workers = derived_parallel_workers(input);

    if (workers == 0)
        return false;
    proposal->value = number(of, workers);
    if (workers == input->cpus) {
        proposal->why = arena_printf(input->arena, "one for each of %d CPUs", input->cpus);
        return true;
    }
    proposal->why = is_production_alone(input) ? "as for production with a server of its own"
                                               : "no fewer than 2";
    if (is_production_alone(input) && input->cpus > 0)
        proposal->warning = arena_printf(
            input->arena, "%d parallel workers on %d CPUs: one for each CPU would be %d", workers,
            input->cpus, input->cpus);
    return true;
}

bool
derive_max_worker_processes(const struct settings_case *of, struct settings_proposal *proposal)
{
    int workers = settings_parallel_workers(of->input);

    if (workers == 0)
        return false;
    proposal->value = number(of, clamp(workers + WORKERS_BESIDE_PARALLEL, 8, 262143));
    proposal->why = arena_printf(of->input->arena,
                                 "%d parallel workers and %d for extensions and replication, "
                                 "no fewer than 8",
                                 workers, WORKERS_BESIDE_PARALLEL);
    return true;
}

bool
derive_max_parallel_maintenance_workers(const struct settings_case *of,
                                        struct settings_proposal *proposal)
{
    if (of->input->cpus == 0)
        return false;
    proposal->value = number(of, clamp(of->input->cpus / 2, 1, 4));
    proposal->why = arena_printf(of->input->arena, "half of %d CPUs, at most 4", of->input->cpus);
    return true;
}

bool
derive_parallel_per_gather(const struct settings_case *of, struct settings_proposal *proposal)
{
    bool is_analytic = of->environment->deck->workload == WORKLOAD_ANALYTICS;

    if (is_analytic && of->input->cpus > 0) {
        proposal->value = number(of, clamp(of->input->cpus / 2, 2, 8));
        proposal->why = arena_printf(of->input->arena,
                                     "half of %d CPUs, at most 8: analytic queries are few and "
                                     "long",
                                     of->input->cpus);
        return true;
    }
    proposal->value = "2";
    proposal->why = "enough for one query while others run";
    return true;
}

bool
derive_jit(const struct settings_case *of, struct settings_proposal *proposal)
{
    proposal->value = of->environment->deck->workload == WORKLOAD_ANALYTICS ? "on" : "off";
    return true;
}

/* --- autovacuum --------------------------------------------------------------------------- */

static int
derived_autovacuum_workers(const struct settings_input *input)
{
    return input->cpus >= 32 ? 5 : input->cpus >= 16 ? 4 : 3;
}

int
settings_autovacuum_workers(const struct settings_input *input)
{
    int wanted;

    return settings_wanted_count(input, "autovacuum_max_workers", &wanted)
               ? wanted
               : derived_autovacuum_workers(input);
}

bool
derive_autovacuum_max_workers(const struct settings_case *of, struct settings_proposal *proposal)
{
    if (of->input->cpus == 0)
        return false;
    proposal->value = number(of, derived_autovacuum_workers(of->input));
    proposal->why = arena_printf(of->input->arena,
                                 "for %d CPUs; the workers share one cost limit, so that more of "
                                 "them are not faster",
                                 of->input->cpus);
    return true;
}

bool
derive_autovacuum_cost_limit(const struct settings_case *of, struct settings_proposal *proposal)
{
    proposal->value = number(of, storages[of->input->deck->storage].vacuum_cost_limit);
    proposal->why = by_storage(of, "how much vacuum may read and write between two pauses");
    return true;
}

/* --- background writer, partitions -------------------------------------------------------- */

bool
derive_bgwriter_maxpages(const struct settings_case *of, struct settings_proposal *proposal)
{
    proposal->value = number(of, storages[of->input->deck->storage].bgwriter_maxpages);
    proposal->why = by_storage(of, "pages that the background writer writes in one round");
    return true;
}

bool
derive_partitionwise(const struct settings_case *of, struct settings_proposal *proposal)
{
    proposal->value = "on";
    return of->input->has_partitions && of->environment->deck->workload == WORKLOAD_ANALYTICS;
}

/* No lower than it is: somebody had a reason. */
bool
derive_max_locks(const struct settings_case *of, struct settings_proposal *proposal)
{
    enum { LOCKS_WITH_PARTITIONS = 128 };
    int there = atoi(of->current->setting);

    proposal->value = number(of, clamp(there, LOCKS_WITH_PARTITIONS, INT_MAX));
    return of->input->has_partitions;
}
