// SPDX-License-Identifier: MIT
#include "pg/host.h"

#include <inttypes.h>
#include <limits.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
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

/* --- what a control group leaves ---------------------------------------------------------- */

/* One version of control groups and what it says of one resource. */
struct hierarchy {
    const char *mount;
    int64_t (*read)(const char *folder);
};

/* The two versions. */
struct resource {
    const char *controller;
    struct hierarchy unified, by_controller;
};

/* The first line; "" without the file. */
static void
read_line(const char *folder, const char *name, char line[64])
{
    char path[8400];

    line[0] = '\0';
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return;
    if (fgets(line, 64, file) == NULL)
        line[0] = '\0';
    fclose(file);
}

/* No limit is "max" or -1, or with memory in v1 a number beyond all memory. */
static int64_t
limit_of(const char *line)
{
    return line[0] >= '0' && line[0] <= '9' ? strtoll(line, NULL, 10) : INT64_MAX;
}

static int64_t
read_memory_unified(const char *folder)
{
    char line[64];

    read_line(folder, "memory.max", line);
    return limit_of(line);
}

static int64_t
read_memory_by_controller(const char *folder)
{
    char line[64];

    read_line(folder, "memory.limit_in_bytes", line);
    return limit_of(line);
}

/* Thousandths of a CPU, from microseconds of each period. */
static int64_t
cpu_share(const char *quota, const char *period)
{
    int64_t quota_us = limit_of(quota), period_us = limit_of(period);

    if (quota_us == INT64_MAX || period_us == INT64_MAX || period_us == 0)
        return INT64_MAX;
    return quota_us * 1000 / period_us;
}

static int64_t
read_cpu_unified(const char *folder)
{
    char line[64]; /* "200000 100000" */

    read_line(folder, "cpu.max", line);
    const char *blank = strchr(line, ' ');
    return blank == NULL ? INT64_MAX : cpu_share(line, blank + 1);
}

static int64_t
read_cpu_by_controller(const char *folder)
{
    char quota[64], period[64];

    read_line(folder, "cpu.cfs_quota_us", quota);
    read_line(folder, "cpu.cfs_period_us", period);
    return cpu_share(quota, period);
}

static const struct resource memory = {
    .controller = "memory",
    .unified = {"/sys/fs/cgroup", read_memory_unified},
    .by_controller = {"/sys/fs/cgroup/memory", read_memory_by_controller},
};
static const struct resource cpu = {
    .controller = "cpu",
    .unified = {"/sys/fs/cgroup", read_cpu_unified},
    .by_controller = {"/sys/fs/cgroup/cpu", read_cpu_by_controller},
};

/* The lowest of the group's limit and its parents'. In a container the group may be one of the
 * host's that is not to be seen here: the mount's own limit is the container's. */
static int64_t
lowest_limit(const char *root, const struct hierarchy *hierarchy, char *group)
{
    int64_t limit = INT64_MAX;

    for (;;) {
        char folder[8192];
        char *slash = strrchr(group, '/');
        if (slash != NULL && slash[1] == '\0')
            *slash = '\0'; /* "/": the mount itself */
        snprintf(folder, sizeof(folder), "%s%s%s", root, hierarchy->mount, group);
        int64_t here = hierarchy->read(folder);
        if (here < limit)
            limit = here;
        slash = strrchr(group, '/');
        if (slash == NULL)
            return limit;
        *slash = '\0';
    }
}

/* Whether the word is in "a,b,c". */
static bool
has_word(const char *list, size_t length, const char *word)
{
    while (length > 0) {
        size_t end = strcspn(list, ",:");
        if (end == strlen(word) && strncmp(list, word, end) == 0)
            return true;
        end += end < length;
        list += end;
        length -= end;
    }
    return false;
}

/* Lines are "0::/group" (v2) and "4:memory:/group" (v1). */
static int64_t
resource_limit(const char *root, const struct resource *resource)
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
            hierarchy = &resource->unified;
        else if (has_word(controllers, (size_t)(group - controllers), resource->controller))
            hierarchy = &resource->by_controller;
        int64_t here = hierarchy == NULL ? INT64_MAX : lowest_limit(root, hierarchy, group + 1);
        if (here < limit)
            limit = here;
    }
    fclose(file);
    return limit;
}

int64_t
host_memory_limit(const char *root)
{
    return resource_limit(root, &memory);
}

int
host_cpu_limit(const char *root)
{
    int64_t thousandths = resource_limit(root, &cpu);

    if (thousandths > (int64_t)INT_MAX * 1000)
        return INT_MAX;
    return thousandths <= 1000 ? 1 : (int)((thousandths + 999) / 1000);
}

int64_t
host_memory_bytes(void)
{
    long pages = sysconf(_SC_PHYS_PAGES);
    long page_bytes = sysconf(_SC_PAGESIZE);
    int64_t limit = host_memory_limit("");

    if (pages <= 0 || page_bytes <= 0)
        return 0;
    int64_t all = (int64_t)pages * page_bytes;
    return limit < all ? limit : all;
}

int
host_cpus(void)
{
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof(set), &set) != 0)
        return 1;
    int count = CPU_COUNT(&set), limit = host_cpu_limit("");
    if (count > limit)
        count = limit;
    return count > 0 ? count : 1;
}

/* Whether both ends of the connection have the same address, or it is a Unix socket. */
static bool
is_same_address(const PGconn *connection)
{
    struct sockaddr_storage ours = {0}, theirs = {0};
    socklen_t ours_length = sizeof(ours), theirs_length = sizeof(theirs);
    int fd = PQsocket(connection);

    if (getsockname(fd, (struct sockaddr *)&ours, &ours_length) != 0 ||
        getpeername(fd, (struct sockaddr *)&theirs, &theirs_length) != 0 ||
        ours.ss_family != theirs.ss_family)
        return false;
    if (ours.ss_family == AF_INET)
        return ((struct sockaddr_in *)&ours)->sin_addr.s_addr ==
               ((struct sockaddr_in *)&theirs)->sin_addr.s_addr;
    if (ours.ss_family == AF_INET6)
        return memcmp(&((struct sockaddr_in6 *)&ours)->sin6_addr,
                      &((struct sockaddr_in6 *)&theirs)->sin6_addr, sizeof(struct in6_addr)) == 0;
    return ours.ss_family == AF_UNIX;
}

bool
host_has_backend(const PGconn *connection, int backend_pid)
{
    char path[64], name[32] = "";

    if (!is_same_address(connection))
        return false;
    snprintf(path, sizeof(path), "/proc/%d/comm", backend_pid);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    bool is_read = fgets(name, sizeof(name), file) != NULL;
    fclose(file);
    return is_read && strncmp(name, "postgres", strlen("postgres")) == 0;
}
