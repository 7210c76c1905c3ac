// SPDX-License-Identifier: MIT
#include "plan/retry.h"

#include "base/interrupt.h"
#include "pg/connection.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { FIRST_PAUSE_MS = 50, LONGEST_PAUSE_MS = 2000 };

static long long
now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

void
plan_retry_init(struct plan_retry *retry, const struct deck *deck)
{
    *retry = (struct plan_retry){
        .deck = deck,
        .deadline_ms = now_ms() + deck->give_up_ms,
        .pause_ms = FIRST_PAUSE_MS,
    };
}

bool
plan_retry_begin(const struct plan_retry *retry, PGconn *connection, struct error *err)
{
    char begin[160];

    snprintf(begin, sizeof(begin),
             "BEGIN; SET LOCAL lock_timeout = '%dms'; SET LOCAL synchronous_commit = off",
             retry->deck->lock_wait_ms);
    return pg_execute(connection, begin, err);
}

/* Pauses double, with jitter (half to whole of the pause). */
bool
plan_retry_again(struct plan_retry *retry, struct error *err)
{
    struct error interrupted;

    if (err->code != ERROR_LOCKED || is_interrupted())
        return false;
    if (now_ms() >= retry->deadline_ms)
        return err->hint[0] == '\0' &&
               error_hint(err,
                          "Tried for %lld s. See who holds the table: "
                          "SELECT * FROM pg_locks JOIN pg_stat_activity USING (pid).",
                          (long long)retry->deck->give_up_ms / 1000);
    if (!interrupt_sleep_ms(retry->pause_ms / 2 + rand() % (retry->pause_ms / 2 + 1),
                            &interrupted)) {
        *err = interrupted;
        return false;
    }
    retry->pause_ms =
        retry->pause_ms * 2 > LONGEST_PAUSE_MS ? LONGEST_PAUSE_MS : retry->pause_ms * 2;
    error_clear(err);
    return true;
}
