// SPDX-License-Identifier: MIT
/* Whether there is a backup that is new enough: what makes them is asked, here where pgdeck runs.
 * pgBackRest, Barman and WAL-G tell in JSON; a command of the deck's prints the time. */
#include "backup/backup.h"

#include "base/embed.h"
#include "base/process.h"
#include "base/text.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_ARGUMENTS = 8 };

struct backups {
    const char *newest; /* when the newest good one ended: seconds since 1970, or a time as text */
    const char *fault;  /* of the newest one of all; NULL: it is good */
};

static const char *
number(struct arena *arena, const json_t *value)
{
    return arena_printf(arena, "%lld", (long long)json_integer_value(value));
}

/* [{"name": "main", "backup": [{"error": false, "timestamp": {"stop": 1700000000}}, ...]}] in the
 * order in which they were made. */
static bool
read_pgbackrest(struct arena *arena, const json_t *root, struct backups *backups)
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
            backups->newest = number(arena, stop);
        }
    }
    return true;
}

/* {"main": [{"status": "DONE", "end_time_timestamp": "1700000000", "end_time": "..."}, ...]}, the
 * newest first. */
static bool
read_barman(struct arena *arena, json_t *root, struct backups *backups)
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
            backups->newest = arena_strdup(arena, end);
        }
    }
    return true;
}

/* [{"backup_name": "base_..", "finish_time": "2026-01-01T00:00:00Z"}, ...]; such times sort as
 * texts. */
static bool
read_walg(struct arena *arena, const json_t *root, struct backups *backups)
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
            backups->newest = arena_strdup(arena, end);
    }
    return true;
}

static bool
read_answer(struct arena *arena, enum deck_backup_kind kind, const char *answer,
            struct backups *backups)
{

    if (kind == BACKUP_COMMAND) {
        size_t length = strcspn(answer, "\r\n");
        backups->newest = length == 0 ? NULL : arena_strndup(arena, answer, length);
        return true;
    }
    /* warnings may come first */
    json_t *root = json_loads(answer + strcspn(answer, "[{"), JSON_DISABLE_EOF_CHECK, NULL);
    bool is_read = kind == BACKUP_PGBACKREST ? read_pgbackrest(arena, root, backups)
                   : kind == BACKUP_BARMAN   ? read_barman(arena, root, backups)
                                             : read_walg(arena, root, backups);
    json_decref(root);
    return is_read;
}

static void
make_arguments(struct arena *arena, const struct deck_backup *backup,
               const char *arguments[MOST_ARGUMENTS])
{
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
            arguments[count++] = arena_printf(arena, "--stanza=%s", backup->name);
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

bool
backup_is_vital(const struct deck_environment *environment)
{
    return strncmp(environment->name, "prod", 4) == 0;
}

const char *
backup_fix(struct arena *arena, const struct deck_environment *environment)
{
    static const char *const makers[] = {
        [BACKUP_UNKNOWN] = ("Say in the deck what makes the backups: maintenance: {backup: {kind: "
                            "pgbackrest, name: main}}"),
        [BACKUP_PGBACKREST] = "Make one: pgbackrest backup --stanza=",
        [BACKUP_BARMAN] = "Make one: barman backup ",
        [BACKUP_WALG] = "Make one: wal-g backup-push, with the server's data folder",
        [BACKUP_COMMAND] = "Run what makes the backups, then pgdeck health --check backup",
    };
    const struct deck_backup *wanted = &environment->maintenance.backup;
    bool has_name = wanted->kind == BACKUP_PGBACKREST || wanted->kind == BACKUP_BARMAN;
    const char *name =
        wanted->name == NULL || strpbrk(wanted->name, "\r\n") != NULL ? "NAME" : wanted->name;

    return arena_printf(arena, "-- %s%s", makers[wanted->kind], has_name ? name : "");
}

static bool
judge(struct arena *arena, const struct deck_backup *wanted, const struct backups *backups,
      PGconn *connection, struct backup_report *report, struct error *err)
{
    const char *parameters[1] = {backups->newest};
    AUTO_PGRESULT result = NULL;

    report->fault = backups->fault;
    report->text = "there is no good backup";
    if (backups->newest == NULL)
        return true;
    if (!pg_query(connection, embedded_file("backup/sql/age.sql")->text, 1, parameters, &result,
                  err))
        return error_wrap(err, "when the newest backup was made, \"%s\"", backups->newest);
    double age_h = strtod(pg_value(result, 0, "seconds"), NULL) / 3600;
    double most_h = (double)wanted->max_age_ms / 3600000;
    report->is_good = age_h <= most_h;
    report->text =
        report->is_good
            ? arena_printf(arena, "the newest good backup is %.1f hours old", age_h)
            : arena_printf(arena, "the newest good backup is %.1f hours old, more than %.1f", age_h,
                           most_h);
    return true;
}

bool
backup_look(struct arena *arena, const struct deck_environment *environment, PGconn *connection,
            int timeout_ms, struct backup_report *ret_report, struct error *err)
{
    const struct deck_backup *wanted = &environment->maintenance.backup;
    const char *arguments[MOST_ARGUMENTS] = {NULL};
    const struct process_spec spec = {.arguments = arguments};
    struct backups backups = {0};
    struct error fault = {0};
    AUTO_TEXT answer = {0};
    int status = 0;

    *ret_report = (struct backup_report){0};
    if (wanted->kind == BACKUP_UNKNOWN) {
        if (!backup_is_vital(environment))
            return true;
        ret_report->text = "there is no backup that pgdeck knows of";
        return true;
    }
    make_arguments(arena, wanted, arguments);
    if (!process_run(&spec, timeout_ms, &answer, &status, &fault)) {
        if (fault.code == ERROR_INTERRUPTED) {
            *err = fault;
            return false;
        }
        ret_report->is_late = true;
        ret_report->text =
            arena_printf(arena, "the backups cannot be asked for: %s", fault.message);
        return true;
    }
    if (status == 0 && read_answer(arena, wanted->kind, text_chars(&answer), &backups))
        return judge(arena, wanted, &backups, connection, ret_report, err);
    ret_report->text =
        arena_printf(arena, "the backups cannot be asked for: exit status %d, \"%.200s\"", status,
                     text_chars(&answer));
    return true;
}
