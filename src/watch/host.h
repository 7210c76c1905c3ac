/* The machine of a server that runs on this one, and what room its folders have. Owned by the
 * server; under the lock of watch. */
#pragma once
#include "base/machine.h"
#include "watch/series.h"

#include <jansson.h>

enum { WATCH_DISKS = 8, WATCH_HOST_MS = 10000 };

struct watch_disk { /* where a server keeps something */
    char name[64];  /* "data", "WAL", of a tablespace */
    char folder[1024];
    struct machine_room room; /* size_bytes 0: it cannot be looked at */
    char problem[128];
    struct watch_series *left; /* free bytes and samples; the memory's */
};

struct watch_host { /* of a server that runs on this machine; shares of all CPUs */
    bool is_here;
    int backend_pid; /* of the session that said so */
    double read_at;
    struct machine_ticks ticks;
    double cpu, iowait, steal; /* NAN: not known yet */
    double memory_bytes, memory_available_bytes, load;
    size_t disk_count;
    struct watch_disk disks[WATCH_DISKS];
};

struct watch_collector;
struct watch_server;
/* Looks at the machine; without the lock, since a file system may hang. */
void watch_look_at_host(struct watch_collector *collector);
bool watch_has_host(const struct watch_server *server);   /* it runs here, and is known */
json_t *watch_host_of(const struct watch_server *server); /* JSON null: on another machine */
