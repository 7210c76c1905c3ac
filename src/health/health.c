// SPDX-License-Identifier: MIT
#include "health/health.h"

#include "backup/backup.h"
#include "base/embed.h"
#include "base/text.h"
#include "health/certificate.h"
#include "health/inline.h"
#include "health/run.h"
#include "pg/script.h"
#include "plan/plan.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* One database and its connection. The first one of a server that can be reached asks for the
 * server as well. */
struct session {
    const struct deck_database *deck;
    const char *server;
    bool asks_for_server;
    struct health_names installed;
    struct health_names missing_columns;
    LIST_OF(const struct monitoring_object *) checks; /* of the queue's jobs */
};

struct look {
    struct arena *arena;
    const struct health_options *options;
    struct health_report *report;
    struct monitoring_objects objects, checks;
    double deadline; /* of all, in seconds */
    size_t count;
    struct session *sessions;
    struct pg_target *targets;
    PGconn **connections;
    struct error *errors;
    struct health_queue *queues;
    const char *columns[2]; /* text[]: relations and columns that checks need */
    struct health_names column_names;
};

enum { MS = 1000, CERTIFICATE_MS = 500 }; /* MS: in a second */

/* A check that no SQL can make. It comes before what can wait until tomorrow. */
static const char backup_check[] = "backup";
static const char backup_rank[] = "9";

static const char role_limit[] = "not measurable with this role";

static const char *const severity_names[] = {
    [HEALTH_CRITICAL] = "critical", [HEALTH_WARNING] = "warning", [HEALTH_UNKNOWN] = "unknown",
    [HEALTH_INFO] = "info",         [HEALTH_OK] = "ok",
};

const char *
health_severity_name(enum health_severity severity)
{
    return severity_names[severity];
}

/* --- who is asked ------------------------------------------------------------------------- */

static bool
is_chosen(const char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(names[i], name) == 0)
            return true;
    }
    return count == 0;
}

static bool
check_options(const struct look *look, struct error *err)
{
    const struct health_options *options = look->options;
    const struct deck *deck = options->deck;

    for (size_t i = 0; i < options->database_count; i++) {
        bool is_known = false;
        for (size_t j = 0; j < deck->databases.count; j++)
            is_known |= strcmp(options->databases[i], deck->databases.items[j].name) == 0;
        if (!is_known)
            return error_set(err, ERROR_USAGE, "the deck has no database \"%s\"",
                             options->databases[i]);
    }
    for (size_t i = 0; i < options->check_count; i++) {
        bool is_known = strcmp(options->checks[i], backup_check) == 0 ||
                        strcmp(options->checks[i], HEALTH_CERTIFICATE) == 0;
        for (size_t j = 0; j < look->checks.list.count; j++)
            is_known |= strcmp(options->checks[i], look->checks.list.items[j].name) == 0;
        if (!is_known)
            return error_set(err, ERROR_USAGE, "there is no check \"%s\"", options->checks[i]);
    }
    return true;
}

static void
choose_databases(struct look *look)
{
    const struct health_options *options = look->options;
    const struct deck *deck = options->deck;
    size_t room = deck->databases.count + 1;

    look->sessions = ARENA_ARRAY(look->arena, struct session, room);
    look->targets = ARENA_ARRAY(look->arena, struct pg_target, room);
    look->connections = ARENA_ARRAY(look->arena, PGconn *, room);
    look->errors = ARENA_ARRAY(look->arena, struct error, room);
    look->queues = ARENA_ARRAY(look->arena, struct health_queue, room);
    for (size_t i = 0; i < deck->databases.count; i++) {
        const struct deck_database *database = &deck->databases.items[i];
        if (!is_chosen(options->databases, options->database_count, database->name))
            continue;
        look->sessions[look->count].deck = database;
        look->sessions[look->count].server = database->environment->server->name;
        look->targets[look->count++] = plan_target(database->environment->server, database->name);
    }
}

static bool
is_first_of_server(const struct look *look, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (look->connections[i] != NULL &&
            strcmp(look->sessions[i].server, look->sessions[index].server) == 0)
            return false;
    }
    return true;
}

static bool
is_first_on_server(const struct look *look, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (strcmp(look->sessions[i].server, look->sessions[index].server) == 0)
            return false;
    }
    return true;
}

/* --- findings ----------------------------------------------------------------------------- */

/* What a server says before a session has an encoding, and what was cut off, need not be UTF-8;
 * JSON takes nothing else. */
static const char *
valid_text(struct look *look, const char *text)
{
    if (text == NULL || text_utf8_length(text, strlen(text)) == strlen(text))
        return text;
    char *valid = arena_strdup(look->arena, text);
    for (size_t at = 0, length = strlen(valid); at < length; at++) {
        at += text_utf8_length(valid + at, length - at);
        if (at < length)
            valid[at] = '?';
    }
    return valid;
}

static void
add_finding(struct look *look, const struct health_finding *finding)
{
    struct health_finding *added = LIST_ADD(look->arena, &look->report->findings);

    *added = *finding;
    added->finding = valid_text(look, finding->finding);
    added->evidence = valid_text(look, finding->evidence);
    if (finding->fix_sql != NULL && valid_text(look, finding->fix_sql) != finding->fix_sql)
        added->fix_sql = NULL; /* with other bytes it would be of something else */
    look->report->counts[finding->severity]++;
    look->report->role_limit_count +=
        finding->severity == HEALTH_UNKNOWN && finding->confidence != NULL &&
        strncmp(finding->confidence, role_limit, strlen(role_limit)) == 0;
}

static enum health_severity
read_severity(const char *name)
{
    for (int i = 0; i < HEALTH_SEVERITIES; i++) {
        if (name != NULL && strcmp(severity_names[i], name) == 0)
            return (enum health_severity)i;
    }
    return HEALTH_UNKNOWN; /* a function in the database may be of another pgdeck */
}

/* Whether no database of this one's server can be reached, all for the same reason. */
static bool
is_server_gone(const struct look *look, size_t index)
{
    for (size_t i = 0; i < look->count; i++) {
        if (strcmp(look->sessions[i].server, look->sessions[index].server) == 0 &&
            (look->connections[i] != NULL ||
             strcmp(look->errors[i].message, look->errors[index].message) != 0))
            return false;
    }
    return true;
}

static void
add_unreachable(struct look *look, size_t index)
{
    const struct session *session = &look->sessions[index];
    const struct error *fault = &look->errors[index];
    bool is_gone = is_server_gone(look, index);

    if (is_gone && !is_first_on_server(look, index))
        return;
    add_finding(look, &(struct health_finding){
                          .severity = HEALTH_CRITICAL,
                          .server = session->server,
                          .database = is_gone ? NULL : session->deck->name,
                          .check = "reachable",
                          .finding = arena_printf(look->arena, "%s %s cannot be reached",
                                                  is_gone ? "server" : "database",
                                                  is_gone ? session->server : session->deck->name),
                          .evidence = arena_printf(look->arena, "%s%s%s", fault->message,
                                                   fault->hint[0] != '\0' ? ". " : "", fault->hint),
                          .confidence = "measured",
                      });
}

static void
add_fault(struct look *look, const struct session *session, const struct monitoring_object *check,
          const struct error *fault)
{
    const char *finding = "this check failed";

    if (fault->code == ERROR_LOCKED)
        finding = "not measurable now: another session holds or waits for a lock";
    else if (fault->code == ERROR_PRIVILEGE)
        finding = role_limit;
    else if (strcmp(fault->sqlstate, "57014") == 0 || fault->code == ERROR_UNREACHABLE)
        finding = "not measurable now: it took too long";
    add_finding(look, &(struct health_finding){
                          .severity = HEALTH_UNKNOWN,
                          .rank = atoi(check->rank),
                          .server = session->server,
                          .database = check->is_server_wide ? NULL : session->deck->name,
                          .check = check->name,
                          .finding = finding,
                          .evidence = arena_strdup(look->arena, fault->message),
                          .confidence = finding == role_limit ? role_limit : "not measured",
                      });
}

static const char *
cell(struct look *look, const PGresult *result, int row, const char *column)
{
    const char *value = pg_value(result, row, column);

    return value == NULL || *value == '\0' ? NULL : arena_strdup(look->arena, value);
}

static void
add_rows(struct look *look, const struct session *session, const struct monitoring_object *check,
         const PGresult *result)
{
    struct health_finding finding = {
        .severity = HEALTH_OK,
        .rank = atoi(check->rank),
        .server = session->server,
        .database = check->is_server_wide ? NULL : session->deck->name,
        .check = check->name,
        .finding = "nothing found",
    };

    if (PQntuples(result) == 0)
        add_finding(look, &finding);
    for (int row = 0; row < PQntuples(result); row++) {
        finding.severity = read_severity(pg_value(result, row, "severity"));
        finding.finding = cell(look, result, row, "finding");
        if (finding.finding == NULL)
            finding.finding = "";
        finding.evidence = cell(look, result, row, "evidence");
        finding.confidence = cell(look, result, row, "confidence");
        finding.fix_sql = cell(look, result, row, "fix_sql");
        finding.fix_database = finding.fix_sql == NULL ? NULL : session->deck->name;
        add_finding(look, &finding);
    }
}

static int
compare_texts(const char *left, const char *right)
{
    return strcmp(left == NULL ? "" : left, right == NULL ? "" : right);
}

static int
what_hurts_first(const void *left_item, const void *right_item)
{
    const struct health_finding *left = left_item, *right = right_item;

    if (left->severity != right->severity)
        return (int)left->severity - (int)right->severity;
    if (left->rank != right->rank)
        return left->rank - right->rank;
    int order = compare_texts(left->server, right->server);
    if (order == 0)
        order = compare_texts(left->database, right->database);
    return order != 0 ? order : compare_texts(left->finding, right->finding);
}

/* --- asking ------------------------------------------------------------------------------- */

static void
collect_columns(struct look *look)
{
    const struct monitoring_objects *both[] = {&look->objects, &look->checks};
    struct {
        LIST_OF(const char *) relations, columns;
    } found = {0};

    for (size_t i = 0; i < 2; i++) {
        for (size_t j = 0; j < both[i]->list.count; j++) {
            const struct monitoring_object *object = &both[i]->list.items[j];
            for (size_t k = 0; k < object->needs.count; k++) {
                const struct monitoring_need *need = &object->needs.items[k];
                if (need->kind != MONITORING_NEEDS_COLUMN)
                    continue;
                const char *column = need->columns.list.items[0];
                *LIST_ADD(look->arena, &found.relations) = need->relation;
                *LIST_ADD(look->arena, &found.columns) = column;
                *LIST_ADD(look->arena, &look->column_names.list) =
                    arena_printf(look->arena, "%s.%s", need->relation, column);
            }
        }
    }
    look->columns[0] = pg_text_array(look->arena, found.relations.items, found.relations.count);
    look->columns[1] = pg_text_array(look->arena, found.columns.items, found.columns.count);
}

enum { JOB_SESSION, JOB_PROBE, JOB_COLUMNS, FIRST_JOBS };

static void
queue_first_jobs(struct look *look)
{
    const char *timeout = arena_printf(look->arena, "%d", look->options->timeout_ms);
    const char *set =
        pg_script(look->arena, "health/sql/session.sql", PG_VARIABLES({"timeout", timeout}));

    for (size_t i = 0; i < look->count; i++) {
        struct health_job *jobs = ARENA_ARRAY(look->arena, struct health_job, FIRST_JOBS);
        jobs[JOB_SESSION].sql = set;
        jobs[JOB_PROBE].sql = embedded_file("health/sql/probe.sql")->text;
        jobs[JOB_COLUMNS].sql = embedded_file("monitoring/sql/columns.sql")->text;
        jobs[JOB_COLUMNS].parameters = look->columns;
        jobs[JOB_COLUMNS].parameter_count = 2;
        look->queues[i] = (struct health_queue){
            .connection = look->connections[i], .jobs = jobs, .count = FIRST_JOBS};
    }
}

/* A session that cannot even answer that is not asked further. */
static void
read_first_jobs(struct look *look, size_t index)
{
    struct session *session = &look->sessions[index];
    struct health_job *jobs = look->queues[index].jobs;

    for (size_t i = 0; i < FIRST_JOBS && look->connections[index] != NULL; i++) {
        if (jobs[i].error.code == ERROR_NONE)
            continue;
        look->errors[index] = jobs[i].error;
        PQfinish(look->connections[index]);
        look->connections[index] = NULL;
    }
    if (look->connections[index] != NULL) {
        for (int row = 0; row < PQntuples(jobs[JOB_PROBE].result); row++)
            *LIST_ADD(look->arena, &session->installed.list) =
                cell(look, jobs[JOB_PROBE].result, row, "name");
        for (int row = 0; row < PQntuples(jobs[JOB_COLUMNS].result); row++) {
            if (!pg_bool(jobs[JOB_COLUMNS].result, row, "is_there"))
                *LIST_ADD(look->arena, &session->missing_columns.list) =
                    look->column_names.list.items[row];
        }
    }
    for (size_t i = 0; i < FIRST_JOBS; i++)
        PQclear(jobs[i].result);
}

static void
add_missing(struct look *look, const struct session *session, const struct monitoring_object *check,
            const char *function)
{
    if (check->needs.count > 0)
        return; /* it is about tables that are not there */
    add_finding(look, &(struct health_finding){
                          .severity = HEALTH_INFO,
                          .rank = atoi(check->rank),
                          .server = session->server,
                          .database = session->deck->name,
                          .check = check->name,
                          .finding = "not measured: takes a function of the schema monitoring",
                          .evidence = arena_printf(look->arena,
                                                   "monitoring.%s() is not there, or "
                                                   "this role may not run it",
                                                   function),
                          .confidence = "pgdeck apply installs it",
                      });
}

static void
queue_checks(struct look *look, size_t index)
{
    struct session *session = &look->sessions[index];
    struct health_queue *queue = &look->queues[index];
    const struct health_options *options = look->options;
    const struct health_inline in = {
        .arena = look->arena,
        .deck = options->deck,
        .objects = &look->objects,
        .missing_columns = &session->missing_columns,
        .installed = &session->installed,
    };
    const char *missing;

    *queue = (struct health_queue){
        .connection = look->connections[index],
        .jobs = ARENA_ARRAY(look->arena, struct health_job, look->checks.list.count)};
    if (look->connections[index] == NULL)
        return;
    session->asks_for_server = is_first_of_server(look, index);
    for (size_t i = 0; i < look->checks.list.count; i++) {
        const struct monitoring_object *check = &look->checks.list.items[i];
        if (!is_chosen(options->checks, options->check_count, check->name) ||
            (check->is_server_wide && !session->asks_for_server) || !health_is_served(&in, check))
            continue;
        const char *sql = health_inline_sql(&in, check, &missing);
        if (missing != NULL) {
            add_missing(look, session, check, missing);
            continue;
        }
        queue->jobs[queue->count++].sql = sql;
        *LIST_ADD(look->arena, &session->checks) = check;
    }
}

static void
read_checks(struct look *look, size_t index)
{
    const struct session *session = &look->sessions[index];
    struct health_queue *queue = &look->queues[index];

    for (size_t i = 0; i < queue->count; i++) {
        struct health_job *job = &queue->jobs[i];
        if (job->result != NULL)
            add_rows(look, session, session->checks.items[i], job->result);
        else
            add_fault(look, session, session->checks.items[i], &job->error);
        PQclear(job->result);
    }
}

/* The deck wants TLS on the server of the session, and there is none: NULL, or the environment. */
static const char *
find_missing_tls(const struct look *look, size_t index)
{
    const struct deck *deck = look->options->deck;
    const struct deck_server *server = look->sessions[index].deck->environment->server;
    const char *sql = embedded_file("health/sql/has_tls.sql")->text;
    AUTO_PGRESULT result = NULL;
    struct error ignored;

    for (size_t i = 0; i < deck->environments.count; i++) {
        const struct deck_environment *environment = &deck->environments.items[i];
        if (environment->server != server || !environment->has_tls_required)
            continue;
        bool is_missing = pg_query(look->connections[index], sql, 0, NULL, &result, &ignored) &&
                          !pg_bool(result, 0, "has_tls");
        return is_missing ? environment->name : NULL;
    }
    return NULL;
}

/* Through the first connection of each server. */
static void
look_at_certificates(struct look *look, int timeout_ms)
{
    const struct health_options *options = look->options;

    if (!is_chosen(options->checks, options->check_count, HEALTH_CERTIFICATE))
        return;
    for (size_t i = 0; i < look->count; i++) {
        struct health_finding finding;
        bool has_tls, is_known = look->connections[i] == NULL;
        for (size_t j = 0; j < i; j++)
            is_known |= look->connections[j] != NULL &&
                        strcmp(look->sessions[j].server, look->sessions[i].server) == 0;
        if (is_known)
            continue;
        health_certificate(look->arena, look->connections[i], timeout_ms, &finding, &has_tls);
        finding.server = look->sessions[i].server;
        const char *missing = has_tls ? NULL : find_missing_tls(look, i);
        if (missing != NULL) {
            finding.severity = HEALTH_CRITICAL;
            finding.finding = "the deck says tls: required, and the server has no TLS";
            finding.evidence = arena_printf(look->arena, "environment %s; ssl = off", missing);
            finding.confidence = "measured";
        }
        if (has_tls || missing != NULL)
            add_finding(look, &finding);
    }
}

static double
seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int
left_ms(const struct look *look)
{
    int left = (int)((look->deadline - seconds()) * MS);

    return left < 1 ? 1 : left;
}

/* --- backups ------------------------------------------------------------------------------ */

static void
add_backup(struct look *look, const struct deck_environment *environment,
           const struct backup_report *report)
{
    struct health_finding finding = {
        .severity = HEALTH_OK,
        .rank = atoi(backup_rank),
        .server = environment->server->name,
        .check = backup_check,
        .finding = report->text,
        .evidence = report->fault == NULL
                        ? arena_printf(look->arena, "environment %s", environment->name)
                        : arena_printf(look->arena, "environment %s; of the backups %s",
                                       environment->name, report->fault),
        .confidence = report->is_late ? "not measured" : "measured",
    };

    if (report->is_late)
        finding.severity = HEALTH_UNKNOWN;
    else if (!report->is_good || report->fault != NULL)
        finding.severity = backup_is_vital(environment) ? HEALTH_CRITICAL : HEALTH_WARNING;
    if (finding.severity == HEALTH_CRITICAL || finding.severity == HEALTH_WARNING)
        finding.fix_sql = backup_fix(look->arena, environment);
    if (report->text != NULL)
        add_finding(look, &finding);
}

static bool
look_at_backup(struct look *look, size_t index, struct error *err)
{
    const struct monitoring_object check = {
        .name = backup_check, .rank = backup_rank, .is_server_wide = true};
    const struct session *session = &look->sessions[index];
    struct backup_report report;
    struct error fault = {0};

    if (backup_look(look->arena, session->deck->environment, look->connections[index],
                    left_ms(look), &report, &fault)) {
        add_backup(look, session->deck->environment, &report);
        return true;
    }
    if (fault.code == ERROR_INTERRUPTED) {
        *err = fault;
        return false;
    }
    add_fault(look, session, &check, &fault);
    return true;
}

/* Once for each environment, of the databases that can be reached. */
static bool
look_at_backups(struct look *look, struct error *err)
{
    if (!is_chosen(look->options->checks, look->options->check_count, backup_check))
        return true;
    for (size_t i = 0; i < look->count; i++) {
        const struct deck_environment *environment = look->sessions[i].deck->environment;
        bool is_first = look->connections[i] != NULL;
        for (size_t j = 0; j < i && is_first; j++)
            is_first =
                look->connections[j] == NULL || look->sessions[j].deck->environment != environment;
        if (is_first && !look_at_backup(look, i, err))
            return false;
    }
    return true;
}

/* --- all ---------------------------------------------------------------------------------- */

/* Each step may take half of what is left, so that a server that does not answer leaves time for
 * the others. */
static bool
ask(struct look *look, struct error *err)
{
    const struct pg_connecting connecting = {.timeout_ms = left_ms(look) / 2};

    if (!pg_connect_all(look->targets, look->count, &connecting, look->connections, look->errors,
                        err))
        return false;
    collect_columns(look);
    queue_first_jobs(look);
    if (!health_run(look->queues, look->count, left_ms(look) / 2, err))
        return false;
    for (size_t i = 0; i < look->count; i++)
        read_first_jobs(look, i);
    for (size_t i = 0; i < look->count; i++)
        queue_checks(look, i);
    if (!health_run(look->queues, look->count, left_ms(look), err))
        return false;
    for (size_t i = 0; i < look->count; i++) {
        if (look->connections[i] == NULL)
            add_unreachable(look, i);
        else
            read_checks(look, i);
    }
    look_at_certificates(look, CERTIFICATE_MS);
    return look_at_backups(look, err);
}

bool
health_look(struct arena *arena, const struct health_options *options,
            struct health_report *ret_report, struct error *err)
{
    struct look look = {.arena = arena, .options = options, .report = ret_report};
    double begin = seconds();

    look.deadline = begin + (double)options->timeout_ms / MS;
    memset(ret_report, 0, sizeof(*ret_report));
    if (!monitoring_objects_read(arena, options->deck->views, &look.objects, err) ||
        !monitoring_checks_read(arena, options->deck->views, &look.checks, err) ||
        !check_options(&look, err))
        return false;
    choose_databases(&look);
    bool is_fine = ask(&look, err);
    for (size_t i = 0; i < look.count; i++)
        PQfinish(look.connections[i]);
    if (!is_fine)
        return false;
    if (ret_report->findings.count > 0)
        qsort(ret_report->findings.items, ret_report->findings.count,
              sizeof(*ret_report->findings.items), what_hurts_first);
    for (size_t i = 0; i < look.count; i++)
        ret_report->server_count += is_first_on_server(&look, i);
    ret_report->database_count = look.count;
    ret_report->check_count = look.checks.list.count + 1; /* of backups */
    ret_report->took_s = seconds() - begin;
    return true;
}
