// SPDX-License-Identifier: MIT
#include "health/run.h"

#include "base/interrupt.h"
#include "pg/connection.h"

#include <poll.h>
#include <stdlib.h>
#include <time.h>

static long long
now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static bool
is_done(const struct health_queue *queue)
{
    return queue->connection == NULL || queue->next == queue->count;
}

/* Nothing more can come from there. */
static void
give_up(struct health_queue *queue, const struct error *fault)
{
    for (; !is_done(queue); queue->next++) {
        struct health_job *job = &queue->jobs[queue->next];
        PQclear(job->result);
        job->result = NULL;
        job->error = *fault;
    }
}

static void
lose(struct health_queue *queue)
{
    struct error fault = {0};

    pg_fault(queue->connection, NULL, &fault);
    give_up(queue, &fault);
}

static void
send_next(struct health_queue *queue)
{
    const struct health_job *job = &queue->jobs[queue->next];
    int is_fine = job->parameters == NULL
                      ? PQsendQuery(queue->connection, job->sql)
                      : PQsendQueryParams(queue->connection, job->sql, job->parameter_count, NULL,
                                          job->parameters, NULL, NULL, 0);

    queue->is_sent = true;
    if (is_fine == 0 || PQflush(queue->connection) < 0)
        lose(queue);
}

static void
keep_result(struct health_queue *queue, PGresult *result)
{
    struct health_job *job = &queue->jobs[queue->next];
    ExecStatusType status = PQresultStatus(result);

    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK && job->error.code == ERROR_NONE)
        pg_fault(queue->connection, result, &job->error);
    PQclear(job->result);
    job->result = result;
    if (job->error.code == ERROR_NONE)
        return;
    PQclear(job->result);
    job->result = NULL;
}

/* Takes what has arrived; sends the next job when one has ended. */
static void
receive(struct health_queue *queue)
{
    if (PQconsumeInput(queue->connection) == 0) {
        lose(queue);
        return;
    }
    while (!is_done(queue) && queue->is_sent && PQisBusy(queue->connection) == 0) {
        PGresult *result = PQgetResult(queue->connection);
        if (result != NULL) {
            keep_result(queue, result);
            if (PQstatus(queue->connection) == CONNECTION_BAD)
                lose(queue);
            continue;
        }
        queue->next++;
        queue->is_sent = false;
    }
    if (!is_done(queue) && !queue->is_sent)
        send_next(queue);
}

static size_t
prepare_waits(struct health_queue *queues, size_t count, struct pollfd *waits)
{
    size_t waiting = 0;

    for (size_t i = 0; i < count; i++) {
        waits[i] = (struct pollfd){.fd = -1};
        if (is_done(&queues[i]))
            continue;
        int unsent = PQflush(queues[i].connection);
        waits[i].fd = PQsocket(queues[i].connection);
        waits[i].events = (short)(POLLIN | (unsent > 0 ? POLLOUT : 0));
        waiting++;
    }
    waits[count] = (struct pollfd){.fd = interrupt_descriptor(), .events = POLLIN};
    return waiting;
}

static void
end_all(struct health_queue *queues, size_t count, int timeout_ms)
{
    struct error fault = {0};

    error_set(&fault, ERROR_UNREACHABLE, "no answer from the server within %.1f s",
              timeout_ms / 1000.0);
    for (size_t i = 0; i < count; i++)
        give_up(&queues[i], &fault);
}

bool
health_run(struct health_queue *queues, size_t count, int timeout_ms, struct error *err)
{
    struct pollfd *waits = calloc(count + 1, sizeof(*waits));
    long long deadline = now_ms() + timeout_ms;
    bool is_fine = true;

    if (waits == NULL)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    for (size_t i = 0; i < count; i++) {
        if (!is_done(&queues[i]))
            send_next(&queues[i]);
    }
    while (is_fine && prepare_waits(queues, count, waits) > 0) {
        long long left = deadline - now_ms();
        if (left <= 0) {
            end_all(queues, count, timeout_ms);
            break;
        }
        poll(waits, count + 1, (int)left);
        if (is_interrupted())
            is_fine = interrupt_error(err);
        for (size_t i = 0; is_fine && i < count; i++) {
            if (waits[i].revents != 0)
                receive(&queues[i]);
        }
    }
    free(waits);
    return is_fine;
}
