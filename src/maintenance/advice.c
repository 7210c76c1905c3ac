// SPDX-License-Identifier: MIT
/* What is told and not done: indexes that nobody uses, and settings of autovacuum for tables with
 * which the defaults cannot keep up. */
#include "maintenance/run.h"

#include "backup/backup.h"
#include "index/status.h"

#include <string.h>

static bool
add_replicas(struct maintenance_run *run, struct index_report *report, struct error *err)
{
    const struct deck_server *server = run->database->environment->server;

    for (size_t i = 0; i < server->replicas.count; i++) {
        struct pg_target target = *run->target;
        AUTO_PGCONN replica = NULL;
        struct error fault = {0};
        target.conninfo = server->replicas.items[i].conninfo;
        target.place = server->replicas.items[i].conninfo_place;
        if (pg_connect(&target, &replica, &fault) &&
            index_report_add_replica(run->arena, replica, run->connection, report, &fault))
            continue;
        if (fault.code == ERROR_INTERRUPTED) {
            *err = fault;
            return false;
        }
        report->lacks_replica = true;
    }
    return true;
}

bool
maintenance_find_unused(struct maintenance_run *run, struct error *err)
{
    struct index_report report;

    if (!index_report_read(run->arena, run->connection, run->options->deck, run->database, &report,
                           err) ||
        !add_replicas(run, &report, err) ||
        !index_report_judge(run->arena, run->connection, &report, err))
        return false;
    for (size_t i = 0; i < report.findings.count; i++) {
        const struct index_finding *finding = &report.findings.items[i];
        if (finding->verdict == INDEX_UNUSED || finding->verdict == INDEX_DUPLICATE)
            maintenance_find(run, MAINTENANCE_INFO, finding->sql, "index %s.%s is %s: %s",
                             finding->schema, finding->name, index_verdict_name(finding->verdict),
                             finding->evidence);
    }
    return true;
}

bool
maintenance_find_autovacuum(struct maintenance_run *run, struct error *err)
{
    AUTO_PGRESULT result = NULL;

    if (!maintenance_query(run, "maintenance/sql/autovacuum.sql", 0, NULL, &result, err))
        return false;
    for (int row = 0; row < PQntuples(result); row++)
        maintenance_find(run, MAINTENANCE_INFO, pg_keep(run->arena, result, row, "sql"), "%s",
                         pg_value(result, row, "text"));
    return true;
}

bool
maintenance_find_backup(struct maintenance_run *run, struct error *err)
{
    enum { ASK_TIMEOUT_MS = 60000 };
    const struct deck_environment *environment = run->database->environment;
    enum maintenance_severity bad =
        backup_is_vital(environment) ? MAINTENANCE_CRITICAL : MAINTENANCE_WARNING;
    struct backup_report report;

    if (!backup_look(run->arena, environment, run->connection, ASK_TIMEOUT_MS, &report, err))
        return false;
    if (report.text != NULL)
        maintenance_find(run, report.is_good ? MAINTENANCE_INFO : bad, NULL, "%s", report.text);
    if (report.fault != NULL)
        maintenance_find(run, bad, NULL, "of the backups %s", report.fault);
    return true;
}
