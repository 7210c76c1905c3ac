// SPDX-License-Identifier: MIT
/* Whether there is a backup that is new enough: what makes them is asked, here where pgdeck runs.
 * pgBackRest, Barman and WAL-G tell in JSON; a command of the deck's prints the time. */
#include "maintenance/run.h"

#include "base/process.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ASK_TIMEOUT_MS = 60000, MOST_ARGUMENTS = 8 };

struct backups {
    const char *newest; /* when the newest good one ended: seconds since 1970, or a time as text */
    const char *fault;  /* of the newest one of all; NULL: it is good */
};

static const char *
number(struct maintenance_run *run, const json_t *value)
{
    return arena_printf(run->arena, "%lld", (long long)json_integer_value(value));
}

/* [{"name": "main", "backup": [{"error": false, "timestamp": {"stop": 1700000000}}, ...]}] in the
 * order in which they were made. */
static bool
read_pgbackrest(struct maintenance_run *run, const json_t *root, struct backups *backups)
{
    json_int_t newest = -1;
    size_t i, j;
    json_t *stanza, *backup;

    if (!json_is_array(root))
        return false;
    json_array_foreach(root, i, stanza)
    {
        json_array_foreach(json_object_get(stanza, "backup"), j, backup)
        {
            const json_t *stop = json_object_get(json_object_get(backup, "timestamp"), "stop");
            bool is_bad = json_is_true(json_object_get(backup, "error"));
            backups->fault = is_bad ? "the newest has faulty pages" : NULL;
            if (is_bad || !json_is_integer(stop) || json_integer_value(stop) <= newest)
                continue;
            newest = json_integer_value(stop);
            backups->newest = number(run, stop);
        }
    }
    return true;
}

/* {"main": [{"status": "DONE", "end_time_timestamp": "1700000000", "end_time": "..."}, ...]}, the
 * newest first. */
static bool
read_barman(struct maintenance_run *run, json_t *root, struct backups *backups)
{
    const char *server;
    json_t *list, *backup;
    long long newest = -1;
    size_t i;

    if (!json_is_object(root))
        return false;
    json_object_foreach(root, server, list)
    {
        json_array_foreach(list, i, backup)
        {
            const char *status = json_string_value(json_object_get(backup, "status"));
            const char *end = json_string_value(json_object_get(backup, "end_time_timestamp"));
            bool is_bad = status == NULL || strcmp(status, "DONE") != 0;
            if (is_bad && i == 0 && (status == NULL || strcmp(status, "FAILED") == 0))
                backups->fault = "the newest has failed";
            if (is_bad || end == NULL || strtoll(end, NULL, 10) <= newest)
                continue;
            newest = strtoll(end, NULL, 10);
            backups->newest = arena_strdup(run->arena, end);
        }
    }
    return true;
}

/* [{"backup_name": "base_..", "finish_time": "2026-01-01T00:00:00Z"}, ...]; such times sort as
 * texts. */
static bool
read_walg(struct maintenance_run *run, const json_t *root, struct backups *backups)
{
    json_t *backup;
    size_t i;

    if (!json_is_array(root))
        return false;
    json_array_foreach(root, i, backup)
    {
        const char *end = json_string_value(json_object_get(backup, "finish_time"));
        if (end == NULL)
            end = json_string_value(json_object_get(backup, "time"));
        if (end != NULL && (backups->newest == NULL || strcmp(end, backups->newest) > 0))
            backups->newest = arena_strdup(run->arena, end);
    }
    return true;
}

static bool
read_answer(struct maintenance_run *run, const char *answer, struct backups *backups)
{
    enum deck_backup_kind kind = run->wanted->backup.kind;

    if (kind == BACKUP_COMMAND) {
        size_t length = strcspn(answer, "\r\n");
        backups->newest = length == 0 ? NULL : arena_strndup(run->arena, answer, length);
        return true;
    }
    /* warnings may come first */
    json_t *root = json_loads(answer + strcspn(answer, "[{"), JSON_DISABLE_EOF_CHECK, NULL);
    bool is_read = kind == BACKUP_PGBACKREST ? read_pgbackrest(run, root, backups)
                   : kind == BACKUP_BARMAN   ? read_barman(run, root, backups)
                                             : read_walg(run, root, backups);
    json_decref(root);
    return is_read;
}

static void
make_arguments(struct maintenance_run *run, const char *arguments[MOST_ARGUMENTS])
{
    const struct deck_backup *backup = &run->wanted->backup;
    size_t count = 0;

    if (backup->kind == BACKUP_COMMAND) {
        arguments[count++] = "/bin/sh";
        arguments[count++] = "-c";
        arguments[count++] = backup->command;
        return;
    }
    arguments[count++] = "/usr/bin/env";
    if (backup->kind == BACKUP_PGBACKREST) {
        arguments[count++] = "pgbackrest";
        arguments[count++] = "--output=json";
        if (backup->name != NULL)
            arguments[count++] = arena_printf(run->arena, "--stanza=%s", backup->name);
        arguments[count++] = "info";
    } else if (backup->kind == BACKUP_BARMAN) {
        arguments[count++] = "barman";
        arguments[count++] = "-f";
        arguments[count++] = "json";
        arguments[count++] = "list-backups";
        arguments[count++] = backup->name == NULL ? "all" : backup->name;
    } else {
        arguments[count++] = "wal-g";
        arguments[count++] = "backup-list";
        arguments[count++] = "--detail";
        arguments[count++] = "--json";
    }
}

/* Production cannot do without; elsewhere somebody may have decided so. */
static enum maintenance_severity
severity(const struct maintenance_run *run)
{
    return strncmp(run->database->environment->name, "prod", 4) == 0 ? MAINTENANCE_CRITICAL
                                                                     : MAINTENANCE_WARNING;
}

static bool
judge(struct maintenance_run *run, const struct backups *backups, struct error *err)
{
    const struct deck_backup *wanted = &run->wanted->backup;
    const char *parameters[1] = {backups->newest};
    AUTO_PGRESULT result = NULL;

    if (backups->newest == NULL) {
        maintenance_find(run, severity(run), NULL, "there is no good backup");
        return true;
    }
    if (!maintenance_query(run, "maintenance/sql/backup_age.sql", 1, parameters, &result, err))
        return error_wrap(err, "when the newest backup was made, \"%s\"", backups->newest);
    double age_h = strtod(pg_value(result, 0, "seconds"), NULL) / 3600;
    double most_h = (double)wanted->max_age_ms / 3600000;
    if (age_h > most_h)
        maintenance_find(run, severity(run), NULL,
                         "the newest good backup is %.1f hours old, more than %.1f", age_h, most_h);
    else
        maintenance_find(run, MAINTENANCE_INFO, NULL, "the newest good backup is %.1f hours old",
                         age_h);
    if (backups->fault != NULL)
        maintenance_find(run, severity(run), NULL, "of the backups %s", backups->fault);
    return true;
}

bool
maintenance_find_backup(struct maintenance_run *run, struct error *err)
{
    const char *arguments[MOST_ARGUMENTS] = {NULL};
    const struct process_spec spec = {.arguments = arguments};
    struct backups backups = {0};
    struct error fault = {0};
    AUTO_TEXT answer = {0};
    int status = 0;

    if (run->wanted->backup.kind == BACKUP_UNKNOWN) {
        if (severity(run) == MAINTENANCE_CRITICAL)
            maintenance_find(run, MAINTENANCE_CRITICAL, NULL,
                             "environment %s has no backup that pgdeck knows of: give "
                             "maintenance.backup in the deck",
                             run->database->environment->name);
        return true;
    }
    make_arguments(run, arguments);
    if (!process_run(&spec, ASK_TIMEOUT_MS, &answer, &status, &fault)) {
        if (fault.code == ERROR_INTERRUPTED) {
            *err = fault;
            return false;
        }
        maintenance_find(run, severity(run), NULL, "the backups cannot be asked for: %s",
                         fault.message);
        return true;
    }
    if (status != 0 || !read_answer(run, text_chars(&answer), &backups)) {
        maintenance_find(run, severity(run), NULL,
                         "the backups cannot be asked for: exit status %d, \"%.200s\"", status,
                         text_chars(&answer));
        return true;
    }
    return judge(run, &backups, err);
}
