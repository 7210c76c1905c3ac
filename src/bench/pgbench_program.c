// SPDX-License-Identifier: MIT
#include "bench/pgbench.h"

#include "base/embed.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "base/process.h"

#include <glob.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    FILL_TIMEOUT_MS = 3600 * 1000,
    GRACE_MS = 120 * 1000, /* to connect and to finish what has begun */
    SETTLE_MS = 1000,
    SETTLE_STEP_MS = 5,
    COLLECTOR_MS = 600, /* before PostgreSQL 15 counters are up to half a second old */
    MAX_ARGUMENTS = 40,
};

struct arguments {
    struct arena *arena;
    const char *items[MAX_ARGUMENTS];
    size_t count;
};

static void
add(struct arguments *arguments, const char *text)
{
    if (arguments->count < MAX_ARGUMENTS - 1)
        arguments->items[arguments->count++] = text;
}

static void
add_number(struct arguments *arguments, const char *name, uint64_t value)
{
    add(arguments, arena_printf(arguments->arena, "%s%" PRIu64, name, value));
}

/* --- what it prints and writes -------------------------------------------------------------- */

/* client transaction time script epoch microseconds [lag] [retries]; times in microseconds, time
 * from the schedule where there is one. Failures have a word in place of the time. */
static bool
read_line(char *line, bool has_schedule, struct pgbench_outcome *outcome)
{
    char *fields[8] = {NULL};
    size_t count = 0;
    char *kept;

    for (char *at = strtok_r(line, " ", &kept); at != NULL && count < 8;
         at = strtok_r(NULL, " ", &kept))
        fields[count++] = at;
    if (count < 6 || (has_schedule && count < 7))
        return false;
    if (strcmp(fields[2], "serialization") == 0)
        outcome->serialization++;
    else if (strcmp(fields[2], "deadlock") == 0)
        outcome->deadlock++;
    else if (strcmp(fields[2], "failed") == 0 || strcmp(fields[2], "skipped") == 0)
        outcome->other_failures++;
    else {
        uint64_t took_ns = strtoull(fields[2], NULL, 10) * 1000;
        uint64_t lag_ns = has_schedule ? strtoull(fields[6], NULL, 10) * 1000 : 0;
        if (outcome->response != NULL)
            histogram_record(outcome->response, took_ns);
        histogram_record(outcome->service, took_ns > lag_ns ? took_ns - lag_ns : 0);
        outcome->sum_ns += (double)took_ns;
        outcome->done++;
    }
    return true;
}

bool
pgbench_read_log(const char *text, bool has_schedule, struct pgbench_outcome *outcome)
{
    char line[256];

    for (const char *at = text; *at != '\0';) {
        size_t length = strcspn(at, "\n");
        if (length >= sizeof(line))
            return false;
        memcpy(line, at, length);
        line[length] = '\0';
        if (!read_line(line, has_schedule, outcome))
            return false;
        at += length + (at[length] == '\n');
    }
    return true;
}

static bool
read_logs(struct pgbench *pgbench, struct pgbench_outcome *outcome, struct error *err)
{
    AUTO_ARENA scratch = arena_new();
    bool has_schedule = pgbench->run->options->rate > 0;
    bool is_fine = true;
    glob_t files;

    if (glob(arena_printf(scratch, "%s/log.*", pgbench->folder), 0, NULL, &files) != 0)
        return error_set(err, ERROR_INTERNAL, "pgbench wrote no log");
    for (size_t i = 0; i < files.gl_pathc; i++) {
        char *text;
        size_t length;
        is_fine = is_fine && file_read(scratch, files.gl_pathv[i], &text, &length, err) &&
                  (pgbench_read_log(text, has_schedule, outcome) ||
                   error_set(err, ERROR_INTERNAL, "a log of pgbench in an unknown form"));
        unlink(files.gl_pathv[i]);
    }
    globfree(&files);
    return is_fine;
}

/* "tps = 1234.5 (without initial connection time)"; 0: not said */
static double
rate_in(const char *output)
{
    const char *at = strstr(output, "\ntps = ");

    return at == NULL ? 0 : strtod(at + strlen("\ntps = "), NULL);
}

/* --- running it ----------------------------------------------------------------------------- */

static bool
execute(struct pgbench *pgbench, size_t arm, const struct arguments *arguments, int timeout_ms,
        struct text *output, struct error *err)
{
    const struct process_spec spec = {.arguments = arguments->items,
                                      .environment = pgbench->places[arm].environment};
    int status;

    if (!process_run(&spec, timeout_ms, output, &status, err))
        return false;
    if (status == 0)
        return true;
    error_set(err, ERROR_SQL, "pgbench failed on server \"%s\"",
              pgbench->run->options->arms[arm].label);
    const char *fault = strstr(text_chars(output), "error: ");
    return error_detail(err, "%.400s", fault == NULL ? text_chars(output) : fault);
}

bool
pgbench_fill(struct pgbench *pgbench, size_t arm, struct error *err)
{
    AUTO_ARENA scratch = arena_new();
    AUTO_TEXT output = {0};
    struct arguments arguments = {.arena = scratch};

    add(&arguments, pgbench->program);
    add(&arguments, "-i");
    add(&arguments, "-q");
    add_number(&arguments, "--scale=", (uint64_t)pgbench->run->options->scale);
    return execute(pgbench, arm, &arguments, FILL_TIMEOUT_MS, &output, err);
}

/* The script as a file that the program can read. */
static bool
write_script(struct pgbench *pgbench, const struct pgbench_script *script, const char *path,
             struct error *err)
{
    const struct embedded_file *file = script->file == NULL ? NULL : embedded_file(script->file);

    (void)pgbench;
    return file == NULL || file_exists(path) ||
           file_write(path, file->text, file->length, 0644, err);
}

static const char *
script_path(struct pgbench *pgbench, const struct pgbench_script *script, struct arena *arena)
{
    const char *folder = pgbench->folder == NULL ? "." : pgbench->folder;

    return script->file == NULL
               ? NULL
               : arena_printf(arena, "%s/%s", folder, strrchr(script->file, '/') + 1);
}

static void
put_order(struct pgbench *pgbench, const struct pgbench_script *script, struct arguments *arguments)
{
    const struct bench_options *options = pgbench->run->options;

    add(arguments, pgbench->program);
    add(arguments, "--no-vacuum");
    add(arguments, "--protocol=prepared");
    add_number(arguments, "--scale=", (uint64_t)options->scale);
    add_number(arguments, "--client=", (uint64_t)options->clients);
    add_number(arguments, "--jobs=", options->clients > 8 ? 2 : 1);
    if (options->rate > 0)
        add_number(arguments, "--rate=", (uint64_t)options->rate);
    add(arguments, script->option);
    if (script->file != NULL)
        add(arguments, script_path(pgbench, script, arguments->arena));
}

const char *
pgbench_command(struct pgbench *pgbench, const struct pgbench_script *script)
{
    struct arguments arguments = {.arena = pgbench->run->arena};
    AUTO_TEXT line = {0};

    put_order(pgbench, script, &arguments);
    for (size_t i = 0; i < arguments.count; i++)
        text_appendf(&line, "%s%s", i == 0 ? "" : " ", arguments.items[i]);
    return arena_strdup(pgbench->run->arena, text_chars(&line));
}

/* The program's sessions count what they did when they end, which is after it has ended. */
static bool
settle(struct pgbench_place *place, struct error *err)
{
    for (int waited_ms = 0; waited_ms < SETTLE_MS; waited_ms += SETTLE_STEP_MS) {
        AUTO_PGRESULT rows = NULL;
        if (!pg_query(place->database, embedded_file("bench/sql/others.sql")->text, 0, NULL, &rows,
                      err))
            return false;
        if (pg_integer(rows, 0, "others") == 0)
            return PQserverVersion(place->database) >= 150000 ||
                   interrupt_sleep_ms(COLLECTOR_MS, err);
        if (!interrupt_sleep_ms(SETTLE_STEP_MS, err))
            return false;
    }
    return true;
}

static double
children_cpu_ns(void)
{
    struct rusage usage;

    getrusage(RUSAGE_CHILDREN, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e9 +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e3;
}

bool
pgbench_run(struct pgbench *pgbench, const struct pgbench_order *order,
            struct pgbench_outcome *outcome, struct error *err)
{
    AUTO_ARENA scratch = arena_new();
    AUTO_TEXT output = {0};
    struct pgbench_place *place = &pgbench->places[order->arm];
    struct arguments arguments = {.arena = scratch};
    uint64_t done = outcome->done;

    put_order(pgbench, order->script, &arguments);
    add(&arguments, "--log");
    add(&arguments, arena_printf(scratch, "--log-prefix=%s/log", pgbench->folder));
    add_number(&arguments, "--random-seed=", order->seed);
    if (order->transactions > 0)
        add_number(&arguments, "--transactions=", order->transactions);
    else
        add_number(&arguments, "--time=", (uint64_t)order->seconds);
    if (order->script->file != NULL &&
        !write_script(pgbench, order->script, script_path(pgbench, order->script, scratch), err))
        return false;
    struct bench_cost before = bench_cost_now(&place->meter);
    double cpu_ns = children_cpu_ns();
    bool is_run = execute(pgbench, order->arm, &arguments,
                          pgbench->run->options->pgbench_block_ms * 20 + GRACE_MS, &output, err);
    outcome->driver_cpu_ns += children_cpu_ns() - cpu_ns;
    if (!is_run || !read_logs(pgbench, outcome, err) || !settle(place, err))
        return false;
    struct bench_cost after = bench_cost_now(&place->meter);
    bench_cost_add(&outcome->cost, &before, &after);
    double rate = rate_in(text_chars(&output));
    if (rate <= 0 || outcome->done == done)
        return error_set(err, ERROR_INTERNAL, "pgbench finished no transaction");
    outcome->seconds += (double)(outcome->done - done) / rate;
    return true;
}
