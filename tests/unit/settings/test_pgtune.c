// SPDX-License-Identifier: MIT
/* Against what pgtune has published (its own tests): inputs and results. */
#include "settings/pgtune.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define GIGABYTE (INT64_C(1) << 30)

static void
assert_values(const struct pgtune_input *input, const char *const (*pairs)[2])
{
    AUTO_ARENA arena = arena_new();

    for (; (*pairs)[0] != NULL; pairs++) {
        const char *value = pgtune_value(arena, input, (*pairs)[0]);
        if ((*pairs)[1] == NULL) {
            assert_null(value);
            continue;
        }
        assert_non_null(value);
        assert_string_equal(value, (*pairs)[1]);
    }
}

static void
web_with_eight_gigabytes(void **state)
{
    static const char *const pairs[][2] = {{"shared_buffers", "2GB"},
                                           {"effective_cache_size", "6GB"},
                                           {"maintenance_work_mem", "512MB"},
                                           {"work_mem", "10280kB"},
                                           {"min_wal_size", "1GB"},
                                           {"max_wal_size", "4GB"},
                                           {"max_worker_processes", "4"},
                                           {"max_parallel_workers_per_gather", "2"},
                                           {"max_parallel_workers", "4"},
                                           {"max_parallel_maintenance_workers", "2"},
                                           {"max_connections", "200"},
                                           {"autovacuum_max_workers", NULL},
                                           {NULL, NULL}};
    (void)state;
    assert_values(&(struct pgtune_input){18, WORKLOAD_WEB, STORAGE_SSD, 8 * GIGABYTE, 4, 0, 0},
                  pairs);
}

static void
web_with_sixteen_gigabytes(void **state)
{
    static const char *const pairs[][2] = {{"shared_buffers", "4GB"},
                                           {"effective_cache_size", "12GB"},
                                           {"maintenance_work_mem", "1GB"},
                                           {"work_mem", "20164kB"},
                                           {"min_wal_size", "1GB"},
                                           {"max_wal_size", "4GB"},
                                           {"max_worker_processes", "8"},
                                           {"max_parallel_workers_per_gather", "4"},
                                           {"max_parallel_workers", "8"},
                                           {"max_parallel_maintenance_workers", "4"},
                                           {"io_method", NULL},
                                           {"autovacuum_max_workers", NULL},
                                           {NULL, NULL}};
    (void)state;
    assert_values(&(struct pgtune_input){16, WORKLOAD_WEB, STORAGE_SSD, 16 * GIGABYTE, 8, 0, 0},
                  pairs);
}

static void
mixed_with_two_cpus(void **state)
{
    static const char *const pairs[][2] = {{"shared_buffers", "6GB"},
                                           {"effective_cache_size", "18GB"},
                                           {"maintenance_work_mem", "1536MB"},
                                           {"work_mem", "29127kB"},
                                           {"min_wal_size", "1GB"},
                                           {"max_wal_size", "4GB"},
                                           {"max_worker_processes", NULL},
                                           {"max_parallel_workers_per_gather", NULL},
                                           {"max_parallel_workers", NULL},
                                           {"max_parallel_maintenance_workers", NULL},
                                           {NULL, NULL}};
    (void)state;
    assert_values(&(struct pgtune_input){15, WORKLOAD_MIXED, STORAGE_SSD, 24 * GIGABYTE, 2, 0, 0},
                  pairs);
}

static void
by_storage_workload_and_cpus(void **state)
{
    static const struct {
        enum deck_workload workload;
        enum deck_storage storage;
        int cpus;
        const char *pairs[2][2];
    } cases[] = {
        {WORKLOAD_WEB, STORAGE_HDD, 0, {{"random_page_cost", "4"}}},
        {WORKLOAD_WEB, STORAGE_SSD, 0, {{"random_page_cost", "1.1"}}},
        {WORKLOAD_ANALYTICS, STORAGE_SSD, 0, {{"random_page_cost", "4"}}},
        {WORKLOAD_WEB, STORAGE_SSD, 8, {{"autovacuum_max_workers", NULL}}},
        {WORKLOAD_WEB, STORAGE_SSD, 16, {{"autovacuum_max_workers", "4"}}},
        {WORKLOAD_WEB, STORAGE_SSD, 32, {{"autovacuum_max_workers", "5"}}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_values(&(struct pgtune_input){16, cases[i].workload, cases[i].storage, 8 * GIGABYTE,
                                             cases[i].cpus, 0, 0},
                      cases[i].pairs);
}

/* By its rules: its own tests say nothing of work_mem there. 10280kB x 1.3, x 0.9. */
static void
the_size_of_the_database_counts(void **state)
{
    static const char *const less[][2] = {
        {"random_page_cost", "1.1"}, {"work_mem", "13364kB"}, {NULL, NULL}};
    static const char *const more[][2] = {
        {"random_page_cost", "4"}, {"work_mem", "9252kB"}, {NULL, NULL}};
    struct pgtune_input input = {18, WORKLOAD_WEB, STORAGE_HDD, 8 * GIGABYTE, 4, 0, 2 * GIGABYTE};

    (void)state;
    assert_values(&input, less);
    input.database_bytes = 40 * GIGABYTE;
    assert_values(&input, more);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(web_with_eight_gigabytes),
        cmocka_unit_test(web_with_sixteen_gigabytes),
        cmocka_unit_test(mixed_with_two_cpus),
        cmocka_unit_test(by_storage_workload_and_cpus),
        cmocka_unit_test(the_size_of_the_database_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
