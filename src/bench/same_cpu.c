// SPDX-License-Identifier: MIT
#include "bench/run.h"

#include <errno.h>
#include <string.h>

/* Its descriptor reads nothing any more when the process has ended: its number may be another's. */
static bool
set_cpus(const struct bench_session *session, const cpu_set_t *cpus)
{
    if (bench_cpu_of(session).ran_ns == 0) {
        errno = ESRCH;
        return false;
    }
    return sched_setaffinity(PQbackendPID(session->connection), sizeof(*cpus), cpus) == 0;
}

/* Of those that both may use the number-th, counted round. */
static bool
choose_cpu(struct bench_session sessions[BENCH_ARMS], int number, cpu_set_t *ret_cpu)
{
    cpu_set_t both;

    for (size_t arm = 0; arm < BENCH_ARMS; arm++) {
        struct bench_session *session = &sessions[arm];
        if (session->cpu_clock < 0 || sched_getaffinity(PQbackendPID(session->connection),
                                                        sizeof(session->cpus), &session->cpus) != 0)
            return false;
    }
    CPU_AND(&both, &sessions[BENCH_BEFORE].cpus, &sessions[BENCH_AFTER].cpus);
    if (CPU_COUNT(&both) == 0)
        return false;
    size_t cpu = 0;
    for (int left = number % CPU_COUNT(&both); !CPU_ISSET(cpu, &both) || left-- > 0;)
        cpu++;
    CPU_ZERO(ret_cpu);
    CPU_SET(cpu, ret_cpu);
    return true;
}

static bool
hold(struct bench_run *run, int number)
{
    cpu_set_t cpu;

    if (!choose_cpu(run->sessions, number, &cpu))
        return false;
    for (size_t arm = 0; arm < BENCH_ARMS; arm++) {
        struct bench_session *session = &run->sessions[arm];
        session->is_on_one_cpu = set_cpus(session, &cpu);
        if (session->is_on_one_cpu)
            continue;
        if (run->results->pairs_apart == 0)
            bench_log(run, "server \"%s\": its process runs on any CPU: %s", session->label,
                      strerror(errno));
        bench_to_any_cpu(run);
        return false;
    }
    return true;
}

void
bench_to_same_cpu(struct bench_run *run, int number)
{
    run->results->pairs_apart += !hold(run, number);
}

void
bench_to_any_cpu(struct bench_run *run)
{
    for (size_t arm = 0; arm < BENCH_ARMS; arm++) {
        struct bench_session *session = &run->sessions[arm];
        if (session->is_on_one_cpu)
            set_cpus(session, &session->cpus);
        session->is_on_one_cpu = false;
    }
}
