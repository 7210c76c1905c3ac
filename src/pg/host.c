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

static int64_t
read_limit(const char *folder)
{
    char path[4200];
    char text[64] = "";

    snprintf(path, sizeof(path), "/sys/fs/cgroup%s/memory.max", folder);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return INT64_MAX;
    if (fgets(text, sizeof(text), file) == NULL)
        text[0] = '\0';
    fclose(file);
    return text[0] >= '0' && text[0] <= '9' ? strtoll(text, NULL, 10) : INT64_MAX;
}

static int64_t
cgroup_limit(void)
{
    char line[4096];
    int64_t limit = INT64_MAX;
    FILE *file = fopen("/proc/self/cgroup", "re");

    if (file == NULL)
        return limit;
    while (fgets(line, sizeof(line), file) != NULL) {
        if (strncmp(line, "0::", 3) != 0)
            continue;
        line[strcspn(line, "\n")] = '\0';
        char *folder = line + 3;
        for (;;) {
            int64_t here = read_limit(strcmp(folder, "/") == 0 ? "" : folder);
            if (here < limit)
                limit = here;
            char *slash = strrchr(folder, '/');
            if (slash == NULL || slash == folder)
                break;
            *slash = '\0';
        }
    }
    fclose(file);
    return limit;
}

int64_t
host_memory_bytes(void)
{
    long pages = sysconf(_SC_PHYS_PAGES);
    long page_bytes = sysconf(_SC_PAGESIZE);
    int64_t limit = cgroup_limit();

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
