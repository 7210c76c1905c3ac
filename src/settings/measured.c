// SPDX-License-Identifier: MIT
#include "settings/measured.h"

#include "base/embed.h"
#include "settings/value.h"
#include "settings/wanted.h"

#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#define GIGABYTE (INT64_C(1) << 30)

/* Seconds before figures count, and checkpoints before their shares do. */
enum { LEAST_SECONDS = 3600, LEAST_CHECKPOINTS = 10, SECONDS_OF_HOUR = 3600 };

/* --- reading ------------------------------------------------------------------------------ */

static double
number_of(const PGresult *result, int row, const char *column)
{
    const char *text = pg_value(result, row, column);

    return text == NULL ? 0 : strtod(text, NULL);
}

static void
read_server(struct settings_input *input)
{
    const char *path =
        input->catalog->major >= 17 ? "settings/sql/measured_17.sql" : "settings/sql/measured.sql";
    AUTO_PGRESULT result = NULL;
    struct error err;

    if (!pg_query(input->catalog->connection, embedded_file(path)->text, 0, NULL, &result, &err) ||
        PQntuples(result) != 1)
        return;
    input->measured = (struct settings_measured){
        .seconds = number_of(result, 0, "wal_seconds"),
        .wal_bytes = number_of(result, 0, "wal_bytes"),
        .timed = number_of(result, 0, "timed"),
        .requested = number_of(result, 0, "requested"),
        .standbys = (int)number_of(result, 0, "standbys"),
        .since = pg_value(result, 0, "since") == NULL
                     ? ""
                     : arena_strdup(input->arena, pg_value(result, 0, "since")),
    };
}

static struct settings_environment *
environment_of(const struct settings_input *input, const char *database)
{
    for (size_t i = 0; i < input->environments.count; i++) {
        struct settings_environment *environment = &input->environments.items[i];
        for (size_t j = 0; j < environment->databases.count; j++) {
            if (strcmp(environment->databases.items[j], database) == 0)
                return environment;
        }
    }
    return NULL;
}

static void
read_databases(struct settings_input *input)
{
    AUTO_PGRESULT result = NULL;
    struct error err;
    double all = 0;

    if (!pg_query(input->catalog->connection, embedded_file("settings/sql/databases.sql")->text, 0,
                  NULL, &result, &err))
        return;
    for (int row = 0; row < PQntuples(result); row++) {
        const char *since = pg_value(result, row, "since");
        struct settings_environment *environment =
            environment_of(input, pg_value(result, row, "name"));
        double seconds = number_of(result, row, "seconds");
        if (pg_value(result, row, "size") == NULL)
            return; /* a sum without it would be wrong */
        all += number_of(result, row, "size");
        if (environment == NULL || seconds < LEAST_SECONDS)
            continue;
        environment->temp_files += number_of(result, row, "temp_files");
        environment->temp_bytes += number_of(result, row, "temp_bytes");
        if (seconds > environment->temp_seconds) {
            environment->temp_seconds = seconds;
            environment->temp_since = since == NULL ? "" : arena_strdup(input->arena, since);
        }
    }
    if (input->databases_bytes == 0) {
        input->databases_bytes = (int64_t)all;
        input->databases_from = "measured";
    }
}

void
settings_measured_read(struct settings_input *input)
{
    input->databases_bytes = input->deck->database_bytes;
    input->databases_from = "the deck says so";
    if (input->catalog->connection == NULL)
        return;
    read_server(input);
    read_databases(input);
}

/* For the reader: whole megabytes, of little whole kilobytes. */
static const char *
rounded(const struct settings_input *input, double bytes)
{
    int64_t whole = (int64_t)bytes;

    return setting_rounded_size(input->arena, whole < 1024 ? whole : whole >> 10 << 10);
}

/* --- what follows from it ----------------------------------------------------------------- */

/* The deck's, else that of the rule. */
static double
checkpoint_seconds(const struct settings_input *input)
{
    enum { OF_RULE = 900 };
    const struct deck_setting *wanted = settings_wanted(input, NULL, "checkpoint_timeout");
    double seconds;

    return wanted != NULL && setting_number(wanted->value, "s", &seconds) ? seconds : OF_RULE;
}

/* A quarter of the disk that the data directory is on, where that can be known. */
static int64_t
most_wal(const struct settings_input *input)
{
    const int64_t otherwise = 64 * GIGABYTE;
    struct statvfs disk;

    if (!input->catalog->is_local || statvfs(input->catalog->data_directory, &disk) != 0)
        return otherwise;
    int64_t quarter = (int64_t)(disk.f_blocks * disk.f_frsize / 4);
    return quarter < otherwise ? quarter / GIGABYTE * GIGABYTE : otherwise;
}

/* In steps of two, so that a rate that changes a little does not change it. */
static int64_t
next_step(int64_t bytes)
{
    int64_t step = GIGABYTE;

    while (step < bytes)
        step *= 2;
    return step;
}

static int64_t
now_bytes(const struct settings_input *input, const char *name)
{
    const struct catalog_setting *setting = catalog_find_setting(input->catalog, name);
    int64_t bytes;

    return setting != NULL && setting_bytes(setting, setting_next_value(setting), &bytes) ? bytes
                                                                                          : 0;
}

int64_t
settings_measured_wal(const struct settings_input *input, int64_t base, const char **ret_why)
{
    const struct settings_measured *measured = &input->measured;
    double all = measured->timed + measured->requested;
    int64_t most = most_wal(input), now = now_bytes(input, "max_wal_size");

    if (measured->seconds < LEAST_SECONDS)
        return base;
    double rate = measured->wal_bytes / measured->seconds;
    double seconds = checkpoint_seconds(input);
    int64_t needed = next_step((int64_t)(rate * seconds * 2));
    if (needed > base && base < most) {
        needed = needed > most ? most : needed;
        *ret_why = arena_printf(
            input->arena,
            "measured: %s of log a second since %s; checkpoints every %s need twice of what is "
            "written between them, %s%s",
            rounded(input, rate), measured->since,
            setting_duration(input->arena, (int64_t)(seconds * 1000)),
            setting_size(input->arena, needed), needed == most ? ", a quarter of the disk" : "");
        return needed;
    }
    /* One that was raised for it stays, as long as some still are requested. */
    bool is_raised = now >= 2 * base;
    double share = all < LEAST_CHECKPOINTS ? 0 : measured->requested / all;
    if (share <= (is_raised ? 0.05 : 0.2) || 2 * base > most)
        return base;
    *ret_why =
        arena_printf(input->arena,
                     "measured: %.0f of %.0f checkpoints since %s came by the volume "
                     "written, not by the clock: twice %s",
                     measured->requested, all, measured->since, setting_size(input->arena, base));
    return 2 * base;
}

/* What a database of the environment has as its own now; 0: nothing. */
static int64_t
own_work_mem(const struct settings_input *input, const struct settings_environment *environment)
{
    const struct catalog_setting *setting = catalog_find_setting(input->catalog, "work_mem");
    int64_t bytes;

    for (size_t i = 0; i < environment->databases.count && setting != NULL; i++) {
        const char *value = catalog_role_setting_value(
            input->catalog, environment->databases.items[i], "", "work_mem");
        if (value != NULL && setting_bytes(setting, value, &bytes))
            return bytes;
    }
    return 0;
}

int64_t
settings_measured_work_mem(const struct settings_input *input,
                           const struct settings_environment *environment, int64_t usual,
                           const char **ret_how)
{
    if (environment->temp_seconds < LEAST_SECONDS || environment->temp_files == 0)
        return usual;
    double an_hour = environment->temp_files / environment->temp_seconds * SECONDS_OF_HOUR;
    bool is_raised = own_work_mem(input, environment) > usual;
    if (an_hour < (is_raised ? 0.1 : 1))
        return usual;
    *ret_how = arena_printf(
        input->arena,
        "measured: %.0f temporary files of %s on average since %s, which did not fit into work_mem",
        environment->temp_files, rounded(input, environment->temp_bytes / environment->temp_files),
        environment->temp_since);
    return 2 * usual;
}

bool
settings_is_all_cached(const struct settings_input *input)
{
    int64_t all = input->databases_bytes;

    /* Databases that have just begun say nothing. */
    return all >= GIGABYTE && input->memory_bytes > 0 && all <= input->memory_bytes / 4 * 3;
}
