// SPDX-License-Identifier: MIT
#include "partition/attempt.h"

#include "base/crash.h"
#include "base/interrupt.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { FIRST_PAUSE_MS = 20, LONGEST_PAUSE_MS = 1000 };

static bool
once(const struct partition_attempt *attempt, partition_work *work, void *sink, struct error *err)
{
    struct error ignored;
    const char *begin = arena_printf(
        attempt->arena, "BEGIN; SET LOCAL lock_timeout = '%dms'; SET LOCAL statement_timeout = 0",
        attempt->deck->lock_wait_ms);

    if (!pg_execute(attempt->connection, begin, err))
        return false;
    crash_point();
    if (work(sink, err) && pg_execute(attempt->connection, "COMMIT", err)) {
        crash_point();
        return true;
    }
    if (PQstatus(attempt->connection) == CONNECTION_OK &&
        PQtransactionStatus(attempt->connection) != PQTRANS_IDLE &&
        !pg_execute(attempt->connection, "ROLLBACK", &ignored))
        return false;
    return false;
}

static long long
now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

bool
partition_patiently(const struct partition_attempt *attempt, partition_work *work, void *sink,
                    struct error *err)
{
    long long deadline_ms = now_ms() + attempt->deck->give_up_ms;
    int pause_ms = FIRST_PAUSE_MS;

    while (!once(attempt, work, sink, err)) {
        struct error interrupted;
        if (is_interrupted() || (err->code != ERROR_LOCKED && strcmp(err->sqlstate, "40P01") != 0))
            return false;
        if (now_ms() >= deadline_ms)
            return error_detail(err, "What was done so far is kept, and the next time goes on "
                                     "with it.");
        if (!interrupt_sleep_ms(pause_ms / 2 + rand() % (pause_ms / 2 + 1), &interrupted)) {
            *err = interrupted;
            return false;
        }
        pause_ms = pause_ms * 2 > LONGEST_PAUSE_MS ? LONGEST_PAUSE_MS : pause_ms * 2;
        error_clear(err);
    }
    return true;
}

struct script {
    PGconn *connection;
    const char *sql;
};

static bool
run_script(void *sink, struct error *err)
{
    const struct script *script = sink;

    return pg_execute(script->connection, script->sql, err);
}

bool
partition_execute_patiently(const struct partition_attempt *attempt, const char *sql,
                            struct error *err)
{
    struct script script = {attempt->connection, sql};

    return partition_patiently(attempt, run_script, &script, err);
}

bool
partition_execute_long(const struct partition_attempt *attempt, const char *sql, struct error *err)
{
    struct error ignored;
    bool is_done =
        pg_execute(attempt->connection, "SET lock_timeout = 0; SET statement_timeout = 0", err) &&
        pg_execute(attempt->connection, sql, err);

    crash_point();
    if (PQstatus(attempt->connection) == CONNECTION_OK &&
        !pg_execute(attempt->connection, "RESET lock_timeout; RESET statement_timeout",
                    is_done ? err : &ignored))
        return false;
    return is_done;
}
