// SPDX-License-Identifier: MIT
#include "bench/samples.h"

#include "base/embed.h"
#include "base/machine.h"
#include "bench/cost.h"
#include "bench/run.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { LOOK_NS = 20 * 1000 * 1000, SECOND_NS = 1000 * 1000 * 1000, FILE_BYTES = 16 * 1024 };
#define NO_ARM (-1)

/* Counters of the machine since it started. */
struct counters {
    struct machine_ticks ticks;
    double read_bytes, written_bytes, received_bytes, sent_bytes;
};

struct bench_sampler {
    struct arena *arena;  /* the thread's */
    struct arena *result; /* the caller's */
    PGconn *connections[BENCH_ARMS];
    pid_t postmasters[BENCH_ARMS];
    uint64_t start_ns;
    pthread_t thread;
    atomic_int arm;
    atomic_bool is_ending;
    struct bench_samples samples;
    struct counters first, last;
    double ours_ns;                      /* CPU of the servers and of us before the start */
    double sums[BENCH_ARMS][WAIT_KINDS]; /* of the second that is under way */
    uint64_t looks[BENCH_ARMS];
};

/* --- the machine ---------------------------------------------------------------------------- */

static const char *
read_file(const char *path, char *text)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, text, FILE_BYTES - 1);

    if (fd >= 0)
        close(fd);
    text[got < 0 ? 0 : got] = '\0';
    return text;
}

/* The number that follows key at the begin of a line; 0: it is not there. */
static double
number_after(const char *text, const char *key)
{
    for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, key, strlen(key)) == 0)
            return strtod(line + strlen(key), NULL);
        if (*line == '\0')
            break;
    }
    return 0;
}

static void
read_network(struct counters *counters, char *text)
{
    /* Two lines of headings, then "name: received ..." with sent as the ninth number. */
    for (const char *line = read_file("/proc/net/dev", text); line != NULL;
         line = strchr(line, '\n')) {
        line += *line == '\n';
        const char *colon = strchr(line, ':');
        const char *end = strchr(line, '\n');
        if (colon == NULL || (end != NULL && colon > end) ||
            strstr(line, "lo:") == line + strspn(line, " "))
            continue;
        char *at = (char *)colon + 1;
        for (int column = 0; column < 9; column++) {
            double value = strtod(at, &at);
            counters->received_bytes += column == 0 ? value : 0;
            counters->sent_bytes += column == 8 ? value : 0;
        }
    }
}

static struct counters
read_counters(void)
{
    struct counters counters = {0};
    char text[FILE_BYTES];

    counters.ticks = machine_read_ticks();
    read_file("/proc/vmstat", text);
    counters.read_bytes = number_after(text, "pgpgin ") * 1024;
    counters.written_bytes = number_after(text, "pgpgout ") * 1024;
    read_network(&counters, text);
    return counters;
}

static void
add_moment(struct bench_sampler *sampler, double at_s)
{
    struct bench_moment *moment = LIST_ADD(sampler->arena, &sampler->samples.moments);
    struct counters now = read_counters();
    double total = now.ticks.total - sampler->last.ticks.total;
    char text[FILE_BYTES];

    moment->at_s = at_s;
    if (total > 0) {
        moment->busy = (now.ticks.busy - sampler->last.ticks.busy) / total;
        moment->iowait = (now.ticks.iowait - sampler->last.ticks.iowait) / total;
        moment->steal = (now.ticks.steal - sampler->last.ticks.steal) / total;
    }
    moment->read_bytes = now.read_bytes - sampler->last.read_bytes;
    moment->written_bytes = now.written_bytes - sampler->last.written_bytes;
    moment->received_bytes = now.received_bytes - sampler->last.received_bytes;
    moment->sent_bytes = now.sent_bytes - sampler->last.sent_bytes;
    moment->memory_available_bytes =
        (double)machine_read_kb("/proc/meminfo", "MemAvailable") * 1024;
    moment->load = strtod(read_file("/proc/loadavg", text), NULL);
    for (size_t i = 0; i < (size_t)BENCH_ARMS * WAIT_KINDS; i++) {
        size_t arm = i / WAIT_KINDS;
        if (sampler->looks[arm] > 0)
            moment->waits[arm][i % WAIT_KINDS] =
                sampler->sums[arm][i % WAIT_KINDS] / (double)sampler->looks[arm];
    }
    memset(sampler->sums, 0, sizeof(sampler->sums));
    memset(sampler->looks, 0, sizeof(sampler->looks));
    sampler->last = now;
}

/* --- waits ---------------------------------------------------------------------------------- */

static enum bench_wait_kind
kind_of(const char *type)
{
    static const char *const names[] = {"CPU", "IO", "Lock", "LWLock"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(names[i], type) == 0)
            return (enum bench_wait_kind)i;
    }
    return WAIT_OTHER;
}

static void
count_wait(struct bench_sampler *sampler, size_t arm, const char *type, const char *event,
           uint64_t count)
{
    struct bench_samples *samples = &sampler->samples;

    sampler->sums[arm][kind_of(type)] += (double)count;
    for (size_t i = 0; i < samples->waits.count; i++) {
        struct bench_wait *wait = &samples->waits.items[i];
        if (strcmp(wait->type, type) != 0 || strcmp(wait->event, event) != 0)
            continue;
        wait->count[arm] += count;
        return;
    }
    struct bench_wait *added = LIST_ADD(sampler->arena, &samples->waits);
    added->type = arena_strdup(sampler->arena, type);
    added->event = arena_strdup(sampler->arena, event);
    added->count[arm] = count;
}

/* A server that does not answer any more is not looked at again: who measures it finds out why. */
static void
look(struct bench_sampler *sampler, int arm)
{
    AUTO_PGRESULT rows = NULL;
    struct error ignored;

    if (arm < 0 || sampler->connections[arm] == NULL)
        return;
    if (!pg_send_prepared(sampler->connections[arm], "waits", 0, NULL, &ignored) ||
        !pg_receive(sampler->connections[arm], &rows, &ignored)) {
        PQfinish(sampler->connections[arm]);
        sampler->connections[arm] = NULL;
        return;
    }
    sampler->looks[arm]++;
    sampler->samples.looks[arm]++;
    for (int row = 0; row < PQntuples(rows); row++) {
        uint64_t sessions = (uint64_t)pg_integer(rows, row, "sessions");
        if (pg_bool(rows, row, "is_other"))
            sampler->samples.other_sessions[arm] += sessions;
        else
            count_wait(sampler, (size_t)arm, pg_value(rows, row, "type"),
                       pg_value(rows, row, "event"), sessions);
    }
}

/* --- the thread ----------------------------------------------------------------------------- */

static void *
run_sampler(void *context)
{
    struct bench_sampler *sampler = context;
    uint64_t second_ns = bench_clock_ns() + SECOND_NS;

    while (!atomic_load(&sampler->is_ending)) {
        const struct timespec pause = {.tv_nsec = LOOK_NS};
        look(sampler, atomic_load(&sampler->arm));
        uint64_t now_ns = bench_clock_ns();
        if (now_ns >= second_ns) {
            add_moment(sampler, (double)(now_ns - sampler->start_ns) / 1e9);
            second_ns += SECOND_NS;
        }
        nanosleep(&pause, NULL);
    }
    return NULL;
}

static double
ours_ns(const struct bench_sampler *sampler)
{
    static const int whose[] = {RUSAGE_SELF, RUSAGE_CHILDREN};
    double sum = 0;

    for (size_t i = 0; i < 2; i++) {
        struct rusage usage;
        getrusage(whose[i], &usage);
        sum += (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e9 +
               (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e3;
    }
    for (size_t arm = 0; arm < BENCH_ARMS; arm++) {
        bool is_same = arm > 0 && sampler->postmasters[arm] == sampler->postmasters[0];
        if (sampler->postmasters[arm] > 0 && !is_same)
            sum += (double)bench_family_cpu_ns(sampler->postmasters[arm]);
    }
    return sum;
}

static void
open_arm(struct bench_sampler *sampler, size_t arm, const struct pg_target *target)
{
    struct error ignored;
    int position;
    const char *sql = embedded_file("bench/sql/waits.sql")->text;

    if (!pg_connect(target, &sampler->connections[arm], &ignored))
        return;
    sampler->postmasters[arm] = bench_postmaster_of(sampler->connections[arm]);
    if (pg_prepare(sampler->connections[arm], "waits", sql, 0, NULL, &position, &ignored))
        return;
    PQfinish(sampler->connections[arm]);
    sampler->connections[arm] = NULL;
}

bool
bench_sampler_start(struct arena *arena, const struct pg_target targets[BENCH_ARMS],
                    uint64_t start_ns, struct bench_sampler **ret_sampler, struct error *err)
{
    struct bench_sampler *sampler = ARENA_NEW(arena, struct bench_sampler);

    sampler->arena = arena_new();
    sampler->result = arena;
    sampler->start_ns = start_ns;
    atomic_store(&sampler->arm, NO_ARM);
    for (size_t arm = 0; arm < BENCH_ARMS; arm++)
        open_arm(sampler, arm, &targets[arm]);
    sampler->first = sampler->last = read_counters();
    sampler->ours_ns = ours_ns(sampler);
    if (pthread_create(&sampler->thread, NULL, run_sampler, sampler) != 0) {
        arena_free(sampler->arena);
        return error_set(err, ERROR_INTERNAL, "cannot start a thread");
    }
    *ret_sampler = sampler;
    return true;
}

void
bench_sampler_watch(struct bench_sampler *sampler, int arm)
{
    if (sampler != NULL)
        atomic_store(&sampler->arm, arm);
}

static int
by_count(const void *left, const void *right)
{
    const struct bench_wait *a = left;
    const struct bench_wait *b = right;
    uint64_t one = a->count[BENCH_BEFORE] + a->count[BENCH_AFTER];
    uint64_t other = b->count[BENCH_BEFORE] + b->count[BENCH_AFTER];

    return (one < other) - (one > other);
}

/* What the machine did and we did not. Unknown where a server's processes are not to be seen. */
static void
find_means(struct bench_sampler *sampler)
{
    struct bench_samples *samples = &sampler->samples;
    struct counters now = read_counters();
    double total = now.ticks.total - sampler->first.ticks.total;
    double busy = now.ticks.busy - sampler->first.ticks.busy;
    double tick_ns = 1e9 / (double)sysconf(_SC_CLK_TCK);

    samples->others = -1;
    if (total <= 0)
        return;
    samples->busy = busy / total;
    samples->steal = (now.ticks.steal - sampler->first.ticks.steal) / total;
    for (size_t arm = 0; arm < BENCH_ARMS; arm++) {
        if (sampler->postmasters[arm] == 0)
            return;
    }
    double others = busy / total - (ours_ns(sampler) - sampler->ours_ns) / tick_ns / total;
    samples->others = others < 0 ? 0 : others;
}

static void
copy_samples(const struct bench_sampler *sampler, struct bench_samples *samples)
{
    const struct bench_samples *from = &sampler->samples;

    *samples =
        (struct bench_samples){.busy = from->busy, .steal = from->steal, .others = from->others};
    memcpy(samples->looks, from->looks, sizeof(samples->looks));
    memcpy(samples->other_sessions, from->other_sessions, sizeof(samples->other_sessions));
    for (size_t i = 0; i < from->moments.count; i++)
        *LIST_ADD(sampler->result, &samples->moments) = from->moments.items[i];
    for (size_t i = 0; i < from->waits.count; i++) {
        struct bench_wait *wait = LIST_ADD(sampler->result, &samples->waits);
        *wait = from->waits.items[i];
        wait->type = arena_strdup(sampler->result, wait->type);
        wait->event = arena_strdup(sampler->result, wait->event);
    }
}

void
bench_sampler_stop(struct bench_sampler *sampler, struct bench_samples *ret_samples)
{
    if (sampler == NULL)
        return;
    atomic_store(&sampler->is_ending, true);
    pthread_join(sampler->thread, NULL);
    find_means(sampler);
    for (size_t arm = 0; arm < BENCH_ARMS; arm++)
        PQfinish(sampler->connections[arm]);
    if (sampler->samples.waits.count > 0)
        qsort(sampler->samples.waits.items, sampler->samples.waits.count, sizeof(struct bench_wait),
              by_count);
    copy_samples(sampler, ret_samples);
    arena_free(sampler->arena);
}
