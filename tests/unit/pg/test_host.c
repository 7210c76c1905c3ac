// SPDX-License-Identifier: MIT
#include "pg/host.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include <ftw.h>

#define MEGABYTE (INT64_C(1) << 20)

static char root[] = "/tmp/pgdeck-host-XXXXXX";

/* Writes root/path, with the folders above it. */
static void
put(const char *path, const char *text)
{
    char full[512];

    snprintf(full, sizeof(full), "%s%s", root, path);
    for (char *slash = strchr(full + strlen(root) + 1, '/'); slash != NULL;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(full, 0700);
        *slash = '/';
    }
    FILE *file = fopen(full, "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static int
make_root(void **state)
{
    (void)state;
    memcpy(root + sizeof(root) - 7, "XXXXXX", 6);
    return mkdtemp(root) == NULL ? -1 : 0;
}

static int
remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)status;
    (void)kind;
    (void)walk;
    return remove(path);
}

static int
remove_root(void **state)
{
    (void)state;
    return nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void
no_control_group_is_no_limit(void **state)
{
    (void)state;
    assert_true(host_memory_limit(root) == INT64_MAX);
    put("/proc/self/cgroup", "0::/user.slice\n"); /* and no files of it */
    assert_true(host_memory_limit(root) == INT64_MAX);
    put("/proc/self/cgroup", "nothing\n\n:\n");
    assert_true(host_memory_limit(root) == INT64_MAX);
}

static void
the_lowest_of_nested_groups_counts(void **state)
{
    (void)state;
    put("/proc/self/cgroup", "0::/a/b/c\n");
    put("/sys/fs/cgroup/a/b/c/memory.max", "max\n");
    assert_true(host_memory_limit(root) == INT64_MAX);
    put("/sys/fs/cgroup/a/memory.max", "1073741824\n");
    assert_true(host_memory_limit(root) == 1024 * MEGABYTE);
    put("/sys/fs/cgroup/a/b/memory.max", "536870912\n");
    assert_true(host_memory_limit(root) == 512 * MEGABYTE);
    put("/sys/fs/cgroup/a/b/c/memory.max", "2147483648\n");
    assert_true(host_memory_limit(root) == 512 * MEGABYTE);
}

static void
a_container_sees_its_own_limit_at_the_root(void **state)
{
    (void)state;
    put("/proc/self/cgroup", "0::/\n");
    put("/sys/fs/cgroup/memory.max", "268435456\n");
    assert_true(host_memory_limit(root) == 256 * MEGABYTE);
    put("/proc/self/cgroup", "0::/kubepods/of-the-host\n");
    assert_true(host_memory_limit(root) == 256 * MEGABYTE);
}

static void
the_first_version_has_a_folder_for_memory(void **state)
{
    (void)state;
    put("/proc/self/cgroup", "12:cpu,memorylike:/x\n9:hugetlb,memory:/docker/abc\n1:name=x:/y\n");
    put("/sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes", "9223372036854771712\n");
    put("/sys/fs/cgroup/memory/x/memory.limit_in_bytes", "1\n");
    assert_true(host_memory_limit(root) >= INT64_C(9223372036854771712));
    put("/sys/fs/cgroup/memory/docker/memory.limit_in_bytes", "805306368\n");
    assert_true(host_memory_limit(root) == 768 * MEGABYTE);
    put("/sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes", "402653184\n");
    assert_true(host_memory_limit(root) == 384 * MEGABYTE);
    put("/proc/self/cgroup", "9:memory:/of-the-host\n");
    put("/sys/fs/cgroup/memory/memory.limit_in_bytes", "134217728\n");
    assert_true(host_memory_limit(root) == 128 * MEGABYTE);
}

static void
shares_of_cpus_are_rounded_up(void **state)
{
    (void)state;
    assert_int_equal(host_cpu_limit(root), INT_MAX);
    put("/proc/self/cgroup", "0::/a/b\n");
    put("/sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
    assert_int_equal(host_cpu_limit(root), INT_MAX);
    put("/sys/fs/cgroup/a/cpu.max", "350000 100000\n");
    assert_int_equal(host_cpu_limit(root), 4);
    put("/sys/fs/cgroup/a/b/cpu.max", "10000 100000\n");
    assert_int_equal(host_cpu_limit(root), 1);
    put("/proc/self/cgroup", "3:cpu,cpuacct:/x/y\n");
    put("/sys/fs/cgroup/cpu/x/y/cpu.cfs_quota_us", "-1\n");
    put("/sys/fs/cgroup/cpu/x/y/cpu.cfs_period_us", "100000\n");
    assert_int_equal(host_cpu_limit(root), INT_MAX);
    put("/sys/fs/cgroup/cpu/x/cpu.cfs_quota_us", "200000\n");
    put("/sys/fs/cgroup/cpu/x/cpu.cfs_period_us", "100000\n");
    assert_int_equal(host_cpu_limit(root), 2);
}

static void
this_host_has_memory(void **state)
{
    (void)state;
    assert_true(host_memory_bytes() > 0);
    assert_true(host_memory_bytes() <= host_memory_limit(""));
    assert_true(host_cpus() >= 1 && host_cpus() <= host_cpu_limit(""));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(no_control_group_is_no_limit, make_root, remove_root),
        cmocka_unit_test_setup_teardown(the_lowest_of_nested_groups_counts, make_root, remove_root),
        cmocka_unit_test_setup_teardown(a_container_sees_its_own_limit_at_the_root, make_root,
                                        remove_root),
        cmocka_unit_test_setup_teardown(the_first_version_has_a_folder_for_memory, make_root,
                                        remove_root),
        cmocka_unit_test_setup_teardown(shares_of_cpus_are_rounded_up, make_root, remove_root),
        cmocka_unit_test(this_host_has_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
