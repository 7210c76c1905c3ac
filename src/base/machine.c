// SPDX-License-Identifier: MIT
#include "base/machine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

struct machine_ticks
machine_read_ticks(void)
{
    enum { USER, NICE, SYSTEM, IDLE, IOWAIT, IRQ, SOFTIRQ, STEAL, KINDS }; /* guests are in USER */
    struct machine_ticks ticks = {0};
    double kinds[KINDS] = {0};
    FILE *file = fopen("/proc/stat", "re");

    if (file == NULL)
        return ticks;
    int count = fscanf(file, "cpu");
    for (int i = 0; i < KINDS && count >= 0; i++) {
        count = fscanf(file, "%lf", &kinds[i]);
        ticks.total += kinds[i];
    }
    fclose(file);
    ticks.iowait = kinds[IOWAIT];
    ticks.steal = kinds[STEAL];
    ticks.busy = ticks.total - kinds[IDLE] - ticks.iowait - ticks.steal;
    return ticks;
}

long long
machine_read_kb(const char *path, const char *key)
{
    char line[256];
    long long kb = -1;
    size_t length = strlen(key);
    FILE *file = fopen(path, "re");

    if (file == NULL)
        return -1;
    while (kb < 0 && fgets(line, sizeof(line), file) != NULL) {
        if (strncmp(line, key, length) == 0 && line[length] == ':')
            kb = strtoll(line + length + 1, NULL, 10);
    }
    fclose(file);
    return kb;
}

bool
machine_read_room(const char *folder, struct machine_room *ret_room)
{
    struct statvfs space;
    struct stat status;

    errno = 0;
    if (statvfs(folder, &space) != 0 || stat(folder, &status) != 0 || space.f_blocks == 0)
        return false;
    *ret_room = (struct machine_room){
        .free_bytes = (double)space.f_bavail * (double)space.f_frsize,
        .size_bytes = (double)space.f_blocks * (double)space.f_frsize,
        .device = status.st_dev,
    };
    return true;
}
