/* What the kernel tells of this machine: /proc/stat, meminfo, loadavg, and the room of a folder's
 * file system. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/* Clock ticks of all CPUs since the machine started; all of them 0: unknown. Numbers that may also
 * go back a little (iowait). */
struct machine_ticks {
    double total, iowait, steal;
    double busy; /* neither idle nor waiting for disks nor stolen by the hypervisor */
};

struct machine_room {
    double free_bytes, size_bytes; /* free for those who are not root */
    uint64_t device;               /* equal: the same file system */
};

struct machine_ticks machine_read_ticks(void);
/* A line of /proc/meminfo or /proc/PID/status in kB, by its key without colon; -1: not there. */
long long machine_read_kb(const char *path, const char *key);
/* False: it cannot be looked at (errno), or its file system has no size (errno 0). */
bool machine_read_room(const char *folder, struct machine_room *ret_room);
