// SPDX-License-Identifier: MIT
/* What the kernel tells of the host: /proc/stat, loadavg, meminfo, pressure, diskstats. */
#include "maintenance/rescue_run.h"

#include "base/interrupt.h"
#include "base/machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLE_MS = 300 };

struct disk {
    char name[64];
    unsigned long long busy_ms;
};

/* Disks themselves and not their partitions: those that the kernel lists with a busy time. */
static size_t
read_disks(struct disk *disks, size_t most)
{
    char line[512];
    size_t count = 0;
    FILE *file = fopen("/proc/diskstats", "re");

    if (file == NULL)
        return 0;
    while (count < most && fgets(line, sizeof(line), file) != NULL) {
        struct disk *disk = &disks[count];
        if (sscanf(line, "%*u %*u %63s %*u %*u %*u %*u %*u %*u %*u %*u %*u %llu", disk->name,
                   &disk->busy_ms) == 2 &&
            strncmp(disk->name, "loop", 4) != 0 && strncmp(disk->name, "ram", 3) != 0)
            count++;
    }
    fclose(file);
    return count;
}

long long
rescue_memory_of(const char *pid)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/%s/status", pid);
    long long kb = machine_read_kb(path, "RssAnon");
    return kb < 0 ? 0 : kb * 1024;
}

double
rescue_memory_left(void)
{
    long long total = machine_read_kb("/proc/meminfo", "MemTotal");
    long long left = machine_read_kb("/proc/meminfo", "MemAvailable");

    return total <= 0 || left < 0 ? 1 : (double)left / (double)total;
}

/* "cpu 80 %": the share of the last ten seconds in which something had to wait for it. */
static void
read_pressure(char *text, size_t size)
{
    static const char *const kinds[] = {"cpu", "memory", "io"};
    size_t length = 0;

    text[0] = '\0';
    for (size_t i = 0; i < 3; i++) {
        char path[32];
        double share;
        snprintf(path, sizeof(path), "/proc/pressure/%s", kinds[i]);
        FILE *file = fopen(path, "re");
        if (file == NULL)
            continue;
        if (fscanf(file, "some avg10=%lf", &share) == 1 && length < size)
            length += (size_t)snprintf(text + length, size - length, "%s%s %.0f %%",
                                       length == 0 ? "" : ", ", kinds[i], share);
        fclose(file);
    }
}

static void
say_disks(struct rescue *rescue, const struct disk *before, size_t count)
{
    enum { MOST = 64 };
    struct disk after[MOST];
    size_t now = read_disks(after, MOST);
    const char *name = NULL;
    double worst = -1;

    for (size_t i = 0; i < count && i < now; i++) {
        double busy = 100.0 * (double)(after[i].busy_ms - before[i].busy_ms) / SAMPLE_MS;
        if (strcmp(after[i].name, before[i].name) == 0 && busy > worst) {
            worst = busy;
            name = after[i].name;
        }
    }
    if (name != NULL)
        rescue_say(rescue, "host", worst >= 90 ? "warning" : "info", NULL,
                   "disk: %s is busiest, %.0f %% of the time", name, worst > 100 ? 100 : worst);
}

void
rescue_look_at_host(struct rescue *rescue)
{
    enum { MOST = 64 };
    struct disk disks[MOST];
    char pressure[128];
    double load[3] = {0};
    struct error ignored;
    struct machine_ticks before = machine_read_ticks();
    size_t count = read_disks(disks, MOST);

    if (!interrupt_sleep_ms(SAMPLE_MS, &ignored))
        return;
    struct machine_ticks after = machine_read_ticks();
    double all = after.total - before.total;
    double taken = after.busy + after.steal - before.busy - before.steal;
    if (getloadavg(load, 3) < 1 || all <= 0)
        return;
    double busy = 100 * taken / all;
    rescue_say(rescue, "host", busy >= 90 ? "warning" : "info", NULL,
               "CPU: %.0f %% busy, %.0f %% waiting for disks; load %.1f %.1f %.1f", busy,
               100 * (after.iowait - before.iowait) / all, load[0], load[1], load[2]);
    double left = rescue_memory_left();
    rescue_say(rescue, "host",
               left < 0.05  ? "critical"
               : left < 0.1 ? "warning"
                            : "info",
               NULL, "memory: %.0f %% of %.1f GB can be had, %lld MB are swapped out", left * 100,
               (double)machine_read_kb("/proc/meminfo", "MemTotal") / 1048576,
               (machine_read_kb("/proc/meminfo", "SwapTotal") -
                machine_read_kb("/proc/meminfo", "SwapFree")) /
                   1024);
    say_disks(rescue, disks, count);
    read_pressure(pressure, sizeof(pressure));
    if (pressure[0] != '\0')
        rescue_say(rescue, "host", "info", NULL, "waiting, of the last ten seconds: %s", pressure);
}

static const char *
value_of(const PQconninfoOption *options, const char *keyword, const char *variable)
{
    while (options != NULL && options->keyword != NULL && strcmp(options->keyword, keyword) != 0)
        options++;
    if (options == NULL || options->keyword == NULL)
        return NULL;
    return options->val == NULL ? getenv(variable) : options->val;
}

static bool
is_this_host(const char *host)
{
    return host == NULL || host[0] == '/' || host[0] == '\0' || strcmp(host, "localhost") == 0 ||
           strcmp(host, "::1") == 0 || strncmp(host, "127.", 4) == 0;
}

bool
rescue_is_local(const struct deck_server *server)
{
    PGconn *connection = NULL;
    PQconninfoOption *options = PQconninfoParse(server->conninfo, NULL);

    if (value_of(options, "service", "PGSERVICE") != NULL) {
        /* what is in its file only a connection tells, if only begun */
        PQconninfoFree(options);
        connection = PQconnectStart(server->conninfo);
        options = PQconninfo(connection);
    }
    bool is_local = is_this_host(value_of(options, "host", "PGHOST")) &&
                    is_this_host(value_of(options, "hostaddr", "PGHOSTADDR"));
    PQconninfoFree(options);
    PQfinish(connection);
    return is_local;
}
