// SPDX-License-Identifier: MIT
/* The machine of a server, where that is this one: CPU, memory, load, room of its folders. Who
 * leads the server looks, each WATCH_HOST_MS. */
#include "watch/document.h"

#include "pg/host.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KB = 1024 };

void
watch_read_folders(struct watch_collector *collector, const PGresult *result, double now)
{
    struct watch_server *server = collector->server;
    struct watch_host *host = &server->host;

    (void)now;
    host->disk_count = 0;
    if (PQntuples(result) == 0)
        return;
    host->backend_pid = (int)pg_integer(result, 0, "backend_pid");
    host->is_here = host_has_backend(collector->session.connection, host->backend_pid);
    for (int row = 0; row < PQntuples(result) && host->is_here && row < WATCH_DISKS; row++) {
        struct watch_disk *disk = &host->disks[host->disk_count++];
        char name[512];
        const char *folder = pg_value(result, row, "folder");
        if (strcmp(disk->folder, folder) != 0)
            *disk = (struct watch_disk){0};
        snprintf(disk->name, sizeof(disk->name), "%s", pg_value(result, row, "name"));
        snprintf(disk->folder, sizeof(disk->folder), "%s", folder);
        snprintf(name, sizeof(name), "%s/%s/disk/%s", server->deck->name, server->server->name,
                 disk->name);
        disk->left = watch_keep_series(collector->watch, name, 2);
    }
}

/* --- looking -------------------------------------------------------------------------------- */

static void
count_ticks(struct watch_host *host)
{
    struct machine_ticks now = machine_read_ticks(), before = host->ticks;
    double total = now.total - before.total;
    bool is_known = before.total > 0 && total > 0;

    host->cpu = is_known ? (now.busy - before.busy) / total : NAN;
    host->iowait = is_known ? fmax(0, now.iowait - before.iowait) / total : NAN;
    host->steal = is_known ? fmax(0, now.steal - before.steal) / total : NAN;
    host->ticks = now;
}

static void
look_at_disk(struct watch_disk *disk)
{
    disk->problem[0] = '\0';
    if (machine_read_room(disk->folder, &disk->room))
        return;
    disk->room = (struct machine_room){0};
    snprintf(disk->problem, sizeof(disk->problem), "%s",
             errno == 0 ? "it has no size" : strerror(errno));
}

static double
bytes_of(const char *key)
{
    long long kb = machine_read_kb("/proc/meminfo", key);

    return kb < 0 ? NAN : (double)kb * KB;
}

void
watch_look_at_host(struct watch_collector *collector)
{
    struct watch_server *server = collector->server;
    struct watch_host *host;
    double loads[1] = {NAN};

    pthread_mutex_lock(&collector->watch->lock);
    bool is_wanted = server->leader == collector && server->host.is_here;
    host = is_wanted ? malloc(sizeof(*host)) : NULL;
    if (host != NULL)
        *host = server->host;
    pthread_mutex_unlock(&collector->watch->lock);
    if (host == NULL)
        return;
    count_ticks(host);
    host->memory_bytes = bytes_of("MemTotal");
    host->memory_available_bytes = bytes_of("MemAvailable");
    host->load = getloadavg(loads, 1) == 1 ? loads[0] : NAN;
    for (size_t i = 0; i < host->disk_count; i++)
        look_at_disk(&host->disks[i]);
    pthread_mutex_lock(&collector->watch->lock);
    host->read_at = watch_now();
    server->host = *host;
    for (size_t i = 0; i < host->disk_count; i++) {
        if (host->disks[i].room.size_bytes > 0)
            watch_series_add(host->disks[i].left, host->read_at,
                             (const double[]){host->disks[i].room.free_bytes, 1});
    }
    pthread_mutex_unlock(&collector->watch->lock);
    free(host);
}

/* --- the document ---------------------------------------------------------------------------- */

static json_t *
disk_of(const struct watch_disk *disk)
{
    bool is_known = disk->room.size_bytes > 0;

    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "name", watch_json(disk->name), "folder",
                     watch_json(disk->folder), "free_bytes",
                     watch_number(is_known ? disk->room.free_bytes : NAN), "size_bytes",
                     watch_number(is_known ? disk->room.size_bytes : NAN), "device",
                     is_known ? json_integer((json_int_t)disk->room.device) : json_null(),
                     "problem", watch_json(is_known ? NULL : disk->problem));
}

bool
watch_has_host(const struct watch_server *server)
{
    return server->host.is_here && server->host.read_at > 0 && server->leader != NULL;
}

json_t *
watch_host_of(const struct watch_server *server)
{
    const struct watch_host *host = &server->host;
    json_t *disks;

    if (!watch_has_host(server))
        return json_null();
    disks = json_array();
    for (size_t i = 0; i < host->disk_count; i++)
        json_array_append_new(disks, disk_of(&host->disks[i]));
    return json_pack("{s:f, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "at", host->read_at, "cpu",
                     watch_number(host->cpu), "iowait", watch_number(host->iowait), "steal",
                     watch_number(host->steal), "memory_bytes", watch_number(host->memory_bytes),
                     "memory_available_bytes", watch_number(host->memory_available_bytes), "load",
                     watch_number(host->load), "disks", disks);
}
