// SPDX-License-Identifier: MIT
#include "pg/host.h"

#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool
host_has_data_directory(const char *data_directory, const char *system_identifier)
{
    char path[4096];
    char text[32];
    uint64_t identifier = 0;

    if (data_directory[0] == '\0')
        return false;
    snprintf(path, sizeof(path), "%s/global/pg_control", data_directory);
    FILE *file = fopen(path, "rbe");
    if (file == NULL)
        return false;
    size_t got = fread(&identifier, sizeof(identifier), 1, file);
    fclose(file);
    /* pg_control_system() shows it as a signed number. */
    snprintf(text, sizeof(text), "%" PRId64, (int64_t)identifier);
    return got == 1 && strcmp(text, system_identifier) == 0;
}

/* --- memory that a control group leaves ---------------------------------------------------- */

/* How the two versions of control groups say it. No limit is "max" in v2 and, in v1, a number
 * beyond all memory. */
struct hierarchy {
    const char *mount, *file;
};
static const struct hierarchy unified = {"/sys/fs/cgroup", "memory.max"};
static const struct hierarchy by_controller = {"/sys/fs/cgroup/memory", "memory.limit_in_bytes"};

static int64_t
read_limit(const char *root, const struct hierarchy *hierarchy, const char *group)
{
    char path[8192];
    char text[64] = "";

    snprintf(path, sizeof(path), "%s%s%s/%s", root, hierarchy->mount, group, hierarchy->file);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return INT64_MAX;
    if (fgets(text, sizeof(text), file) == NULL)
        text[0] = '\0';
    fclose(file);
    return text[0] >= '0' && text[0] <= '9' ? strtoll(text, NULL, 10) : INT64_MAX;
}

/* The lowest of the group's limit and its parents'. In a container the group may be one of the
 * host's that is not to be seen here: the mount's own limit is the container's. */
static int64_t
lowest_limit(const char *root, const struct hierarchy *hierarchy, char *group)
{
    int64_t limit = INT64_MAX;

    for (;;) {
        char *slash = strrchr(group, '/');
        if (slash != NULL && slash[1] == '\0')
            *slash = '\0'; /* "/": the mount itself */
        int64_t here = read_limit(root, hierarchy, group);
        if (here < limit)
            limit = here;
        slash = strrchr(group, '/');
        if (slash == NULL)
            return limit;
        *slash = '\0';
    }
}

static bool
is_memory(const char *controllers, size_t length)
{
    while (length > 0) {
        size_t word = strcspn(controllers, ",:");
        if (word == 6 && strncmp(controllers, "memory", 6) == 0)
            return true;
        word += word < length;
        controllers += word;
        length -= word;
    }
    return false;
}

/* Lines are "0::/group" (v2) and "4:memory:/group" (v1). */
int64_t
host_memory_limit(const char *root)
{
    char line[4096], path[4200];
    int64_t limit = INT64_MAX;

    snprintf(path, sizeof(path), "%s/proc/self/cgroup", root);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return limit;
    while (fgets(line, sizeof(line), file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        char *controllers = strchr(line, ':');
        char *group = controllers == NULL ? NULL : strchr(++controllers, ':');
        if (group == NULL)
            continue;
        const struct hierarchy *hierarchy = NULL;
        if (group == controllers)
            hierarchy = &unified;
        else if (is_memory(controllers, (size_t)(group - controllers)))
            hierarchy = &by_controller;
        int64_t here = hierarchy == NULL ? INT64_MAX : lowest_limit(root, hierarchy, group + 1);
        if (here < limit)
            limit = here;
    }
    fclose(file);
    return limit;
}

int64_t
host_memory_bytes(void)
{
    long pages = sysconf(_SC_PHYS_PAGES);
    long page_bytes = sysconf(_SC_PAGESIZE);
    int64_t limit = host_memory_limit("");

    if (pages <= 0 || page_bytes <= 0)
        return 0;
    int64_t memory = (int64_t)pages * page_bytes;
    return limit < memory ? limit : memory;
}

int
host_cpus(void)
{
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof(set), &set) != 0)
        return 1;
    int count = CPU_COUNT(&set);
    return count > 0 ? count : 1;
}
