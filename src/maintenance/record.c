// SPDX-License-Identifier: MIT
#include "maintenance/run.h"

#include "base/embed.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

bool
maintenance_record_there(struct maintenance_run *run, struct error *err)
{
    AUTO_PGRESULT result = NULL;

    if (!maintenance_query(run, "maintenance/sql/there.sql", 0, NULL, &result, err))
        return false;
    run->has_record = pg_bool(result, 0, "is_there");
    return true;
}

bool
maintenance_record_ensure(struct maintenance_run *run, struct error *err)
{
    if (!maintenance_record_there(run, err))
        return false;
    if (!run->has_record &&
        !pg_execute(run->connection, embedded_file("maintenance/sql/create.sql")->text, err))
        return false;
    run->has_record = true;
    return true;
}

bool
maintenance_record_begin(struct maintenance_run *run, struct error *err)
{
    char host[64] = "", pid[16];
    const char *parameters[5] = {maintenance_kind_name(run->options->kind),
                                 run->database->environment->name, run->options->window_begin, host,
                                 pid};
    AUTO_PGRESULT broken_off = NULL;
    AUTO_PGRESULT result = NULL;

    gethostname(host, sizeof(host) - 1);
    snprintf(pid, sizeof(pid), "%d", (int)getpid());
    if (!maintenance_record_ensure(run, err) ||
        !maintenance_query(run, "maintenance/sql/broken_off.sql", 0, NULL, &broken_off, err) ||
        !maintenance_query(run, "maintenance/sql/run_begin.sql", 5, parameters, &result, err))
        return false;
    run->id = PQntuples(result) == 0 ? NULL : pg_keep(run->arena, result, 0, "id");
    return true;
}

/* Stopped beats failed: there is more to do. */
static const char *
outcome(const struct maintenance_report *report)
{
    const char *state = "done";

    for (size_t i = 0; i < report->tasks.count; i++) {
        if (report->tasks.items[i].state == MAINTENANCE_STOPPED)
            return "stopped";
        if (report->tasks.items[i].state == MAINTENANCE_FAILED)
            state = "failed";
    }
    return state;
}

bool
maintenance_record_end(struct maintenance_run *run, struct error *err)
{
    json_t *findings = json_array();
    AUTO_PGRESULT result = NULL;

    for (size_t i = 0; i < run->report->findings.count; i++) {
        const struct maintenance_finding *finding = &run->report->findings.items[i];
        json_array_append_new(findings, json_pack("{s:s, s:s, s:s?}", "severity",
                                                  maintenance_severity_name(finding->severity),
                                                  "text", finding->text, "sql", finding->sql));
    }
    char *text = json_dumps(findings, 0);
    json_decref(findings);
    const char *parameters[3] = {run->id, outcome(run->report), text == NULL ? "[]" : text};
    bool is_fine =
        pg_execute(run->connection, "SET statement_timeout = 0", err) &&
        maintenance_query(run, "maintenance/sql/run_end.sql", 3, parameters, &result, err);
    free(text);
    return is_fine;
}

bool
maintenance_record_task(struct maintenance_run *run, const struct maintenance_task *task,
                        const char **ret_seq, struct error *err)
{
    char timeout[24];
    const char *parameters[7] = {run->id,   task->task, task->relation, task->what,
                                 task->why, task->sql,  timeout};
    AUTO_PGRESULT result = NULL;

    long long left_ms = maintenance_left_ms(run);
    snprintf(timeout, sizeof(timeout), "%lld", left_ms > 0 ? left_ms : 1); /* 0 would be no limit */
    if (!maintenance_query(run, "maintenance/sql/task_begin.sql", 7, parameters, &result, err))
        return false;
    *ret_seq = pg_keep(run->arena, result, 0, "seq");
    return true;
}

bool
maintenance_record_outcome(struct maintenance_run *run, struct maintenance_task *task,
                           const char *seq, struct error *err)
{
    const char *parameters[4] = {run->id, seq, maintenance_state_name(task->state), task->error};
    AUTO_PGRESULT result = NULL;

    if (!pg_execute(run->connection, "SET statement_timeout = '10s'", err) ||
        !maintenance_query(run, "maintenance/sql/task_end.sql", 4, parameters, &result, err))
        return false;
    if (task->gained[0] == '\0')
        task->gained = pg_keep_text(run->arena, result, 0, "gained");
    task->took_s = strtod(pg_value(result, 0, "seconds"), NULL);
    run->wal_left_bytes -= pg_integer(result, 0, "wal_bytes");
    return true;
}
