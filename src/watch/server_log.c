// SPDX-License-Identifier: MIT
#include "watch/server_log.h"

#include "workload/fingerprint.h"
#include "workload/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    STATEMENTS_A_ROUND = 500,
    STATEMENT_MAX = 32 * 1024, /* bytes of one that is parsed */
    TEXT_MAX = 4 * 1024,
    SQLSTATE_LENGTH = 5
};

void *
watch_server_log_new(void)
{
    struct watch_server_log *log = calloc(1, sizeof(*log));

    if (log == NULL)
        abort();
    return log;
}

static void
release_query(struct watch_log_query *query)
{
    watch_plans_release(&query->plans);
    free(query->text);
}

void
watch_server_log_free(void *value)
{
    struct watch_server_log *log = value;

    for (size_t i = 0; i < log->query_count; i++)
        release_query(&log->queries[i]);
    free(log->file);
    free(log);
}

static char *
copy_of(const char *text, size_t most)
{
    char *copy = strndup(text, most);

    if (copy == NULL)
        abort();
    return copy;
}

/* --- errors --------------------------------------------------------------------------------- */

static bool
is_sqlstate(const char *text)
{
    return strlen(text) == SQLSTATE_LENGTH &&
           strspn(text, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") == SQLSTATE_LENGTH;
}

static struct watch_log_error *
find_error(struct watch_server_log *log, const char *sqlstate)
{
    bool is_last = log->error_count == WATCH_LOG_ERRORS - 1;

    for (size_t i = 0; i < log->error_count; i++) {
        if (strcmp(log->errors[i].sqlstate, sqlstate) == 0)
            return &log->errors[i];
    }
    if (log->error_count == WATCH_LOG_ERRORS)
        return &log->errors[WATCH_LOG_ERRORS - 1];
    struct watch_log_error *error = &log->errors[log->error_count++];
    snprintf(error->sqlstate, sizeof(error->sqlstate), "%s", is_last ? "other" : sqlstate);
    return error;
}

static void
count_error(struct watch_server_log *log, const struct workload_log_entry *entry, double now)
{
    int64_t step = (int64_t)now / WATCH_SLOT_S;
    size_t slot = (size_t)(step % WATCH_LOG_SLOTS);
    struct watch_log_error *error =
        find_error(log, is_sqlstate(entry->sqlstate) ? entry->sqlstate : "unknown");

    if (error->slots[slot].step != step) {
        error->slots[slot].step = step;
        error->slots[slot].count = 0;
    }
    error->slots[slot].count++;
    error->total++;
    error->last_at = now;
    snprintf(error->message, sizeof(error->message), "%s", entry->message);
    snprintf(error->database, sizeof(error->database), "%s", entry->database);
}

/* --- statements ----------------------------------------------------------------------------- */

static struct watch_log_query *
find_query(struct watch_server_log *log, uint64_t fingerprint, const char *database)
{
    struct watch_log_query *oldest = &log->queries[0];

    for (size_t i = 0; i < log->query_count; i++) {
        struct watch_log_query *query = &log->queries[i];
        if (query->fingerprint == fingerprint && strcmp(query->database, database) == 0)
            return query;
        if (query->last_at < oldest->last_at)
            oldest = query;
    }
    if (log->query_count < WATCH_LOG_QUERIES)
        oldest = &log->queries[log->query_count++];
    else
        release_query(oldest);
    *oldest = (struct watch_log_query){.fingerprint = fingerprint};
    snprintf(oldest->database, sizeof(oldest->database), "%s", database);
    return oldest;
}

struct round {
    struct watch_server_log *log;
    double now;
    size_t statements;
};

static void
take_statement(struct round *round, const struct workload_log_entry *entry)
{
    AUTO_ARENA arena = arena_new();
    struct workload_log_statement found = workload_log_statement_in(arena, entry);

    if (found.sql == NULL || found.ms <= 0)
        return;
    if (round->statements == STATEMENTS_A_ROUND || strlen(found.sql) > STATEMENT_MAX) {
        round->log->left_out++;
        return;
    }
    round->statements++;
    uint64_t fingerprint = workload_fingerprint(found.sql);
    if (fingerprint == 0) {
        round->log->left_out++;
        return;
    }
    struct watch_log_query *query = find_query(round->log, fingerprint, entry->database);
    query->last_at = round->now;
    if (query->text == NULL) {
        const char *text = workload_normalize(arena, found.sql);
        query->text = copy_of(text == NULL ? "" : text, TEXT_MAX);
    }
    if (found.plan != NULL) {
        watch_plans_add(&query->plans, found.plan, found.ms, round->now);
        query->explained++;
    } else if (query->explained > 0) { /* its plan was logged before it */
        query->explained--;
        return;
    }
    query->calls++;
    query->total_ms += found.ms;
    query->max_ms = found.ms > query->max_ms ? found.ms : query->max_ms;
}

static void
take_entry(void *sink, const struct workload_log_entry *entry)
{
    struct round *round = sink;
    const char *severity = entry->severity;

    if (strcmp(severity, "ERROR") == 0 || strcmp(severity, "FATAL") == 0 ||
        strcmp(severity, "PANIC") == 0)
        count_error(round->log, entry, round->now);
    else
        take_statement(round, entry);
}

/* --- following ------------------------------------------------------------------------------ */

int
watch_log_parameters(struct watch_collector *collector, struct arena *arena,
                     const char *ret_parameters[WATCH_PARAMETERS_MAX])
{
    const struct watch_server_log *log = collector->server->log;

    ret_parameters[0] = log->file == NULL ? NULL : arena_strdup(arena, log->file);
    ret_parameters[1] = arena_printf(arena, "%lld", log->position);
    return 2;
}

bool
watch_may_read_log(const struct watch_collector *collector)
{
    return collector->may_read_log;
}

static void
set_problem(struct watch_server_log *log, const PGresult *result)
{
    const char *file = pg_value(result, 0, "file"), *problem = "";
    const char *prefix = pg_value(result, 0, "prefix");

    if (file == NULL)
        problem = "the server keeps no log itself (logging_collector)";
    else if (workload_log_format_of(file, "") == WORKLOAD_LOG_TEXT && strstr(prefix, "%e") == NULL)
        problem = "log_line_prefix has no %e: errors are counted without their SQLSTATE";
    snprintf(log->problem, sizeof(log->problem), "%s", problem);
}

/* Takes the entries of what was read; returns the bytes that it is done with. */
static size_t
take_bytes(struct round *round, const PGresult *result, char *text, size_t length, bool is_cut)
{
    enum workload_log_format format = workload_log_format_of(pg_value(result, 0, "file"), "");
    const struct workload_log log = {.format = format,
                                     .prefix = pg_value(result, 0, "prefix"),
                                     .take = take_entry,
                                     .sink = round};

    for (size_t i = 0; i < length; i++)
        text[i] = text[i] == '\0' ? '?' : text[i];
    size_t before = (size_t)(workload_log_resume(format, text) - text);
    /* An entry of CSV or JSON ends where a line ends; one of text where the next begins, or all. */
    is_cut = is_cut || format != WORKLOAD_LOG_TEXT || (length > 0 && text[length - 1] != '\n');
    size_t taken = workload_log_read(&log, text + before, is_cut);
    return before + taken;
}

void
watch_read_log(struct watch_collector *collector, const PGresult *result, double now)
{
    struct watch_server_log *log = collector->server->log;
    struct round round = {.log = log, .now = now};
    const char *file = pg_value(result, 0, "file"), *bytes = pg_value(result, 0, "bytes");
    long long position = pg_integer(result, 0, "position"), size = pg_integer(result, 0, "size");

    set_problem(log, result);
    log->at = now;
    if (file == NULL)
        return;
    if (log->file != NULL && strcmp(log->file, file) == 0 && position > log->position)
        log->skipped_bytes += (double)(position - log->position);
    if (log->file == NULL || strcmp(log->file, file) != 0) {
        free(log->file);
        log->file = copy_of(file, strlen(file));
    }
    log->position = position;
    if (bytes == NULL)
        return;
    size_t length;
    char *text = (char *)PQunescapeBytea((const unsigned char *)bytes, &length);
    if (text == NULL)
        abort();
    bool is_cut = position + (long long)length < size;
    size_t done = take_bytes(&round, result, text, length, is_cut);
    PQfreemem(text);
    if (done == 0 && is_cut) { /* one entry is longer than what is read at once */
        log->skipped_bytes += (double)length;
        done = length;
    }
    log->position += (long long)done;
}

/* --- documents ------------------------------------------------------------------------------ */

static json_t *
error_of(const struct watch_log_error *error, double now)
{
    int64_t newest = (int64_t)now / WATCH_SLOT_S;
    double hour = 0;

    for (size_t i = 0; i < WATCH_LOG_SLOTS; i++) {
        if (error->slots[i].step > newest - WATCH_LOG_SLOTS)
            hour += error->slots[i].count;
    }
    return json_pack("{s:s, s:f, s:f, s:f, s:o, s:o}", "sqlstate", error->sqlstate, "hour", hour,
                     "total", error->total, "last_at", error->last_at, "database",
                     error->database[0] == '\0' ? json_null() : watch_json(error->database),
                     "message", watch_json(error->message));
}

static json_t *
query_of(const struct watch_log_query *query)
{
    char fingerprint[32];

    snprintf(fingerprint, sizeof(fingerprint), "%016llx", (unsigned long long)query->fingerprint);
    return json_pack(
        "{s:s, s:o, s:o, s:f, s:f, s:f, s:f, s:I}", "fingerprint", fingerprint, "database",
        query->database[0] == '\0' ? json_null() : watch_json(query->database), "query",
        watch_json(query->text), "calls", query->calls, "total_ms", query->total_ms, "max_ms",
        query->max_ms, "last_at", query->last_at, "plans", (json_int_t)query->plans.count);
}

static bool
is_of(const struct watch_log_query *query, uint64_t fingerprint, const char *database)
{
    return fingerprint != 0 && query->fingerprint == fingerprint &&
           (query->database[0] == '\0' || strcmp(query->database, database) == 0);
}

json_t *
watch_log_runs(const struct watch_server_log *log, uint64_t fingerprint, const char *database)
{
    double calls = 0, total_ms = 0, max_ms = 0, last_at = 0;

    for (size_t i = 0; i < log->query_count; i++) {
        const struct watch_log_query *query = &log->queries[i];
        if (!is_of(query, fingerprint, database))
            continue;
        calls += query->calls;
        total_ms += query->total_ms;
        max_ms = query->max_ms > max_ms ? query->max_ms : max_ms;
        last_at = query->last_at > last_at ? query->last_at : last_at;
    }
    if (calls <= 0)
        return json_null();
    return json_pack("{s:f, s:f, s:f, s:f}", "calls", calls, "total_ms", total_ms, "max_ms", max_ms,
                     "last_at", last_at);
}

json_t *
watch_log_plans(const struct watch_server_log *log, uint64_t fingerprint, const char *database)
{
    json_t *list = json_array();

    for (size_t i = 0; i < log->query_count; i++) {
        const struct watch_log_query *query = &log->queries[i];
        if (is_of(query, fingerprint, database))
            watch_plans_append(list, &query->plans, "auto_explain");
    }
    return list;
}

static json_t *
server_of(const struct watch_server *server, double now)
{
    const struct watch_server_log *log = server->log;
    json_t *errors = json_array(), *queries = json_array();

    for (size_t i = 0; i < log->error_count; i++)
        json_array_append_new(errors, error_of(&log->errors[i], now));
    for (size_t i = 0; i < log->query_count; i++)
        json_array_append_new(queries, query_of(&log->queries[i]));
    const struct watch_collector *leader = server->leader;
    bool is_private = leader != NULL && leader->is_probed && !leader->may_read_log;
    const char *problem = is_private ? "the role may not read the server's log: GRANT EXECUTE ON "
                                       "FUNCTION pg_read_binary_file(text, bigint, bigint, "
                                       "boolean), pg_stat_file(text, boolean) TO it"
                          : log->problem[0] == '\0' ? NULL
                                                    : log->problem;
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:f, s:f, s:o, s:o}", "deck",
                     watch_json(server->deck->name), "server", watch_json(server->server->name),
                     "read_at", log->at > 0 ? json_real(log->at) : json_null(), "file",
                     watch_json(log->file), "problem", watch_json(problem), "skipped_bytes",
                     log->skipped_bytes, "left_out", log->left_out, "errors", errors, "queries",
                     queries);
}

json_t *
watch_log_document(struct watch *watch, double now)
{
    struct watch_generation *generation = watch->generation;
    json_t *list = json_array();

    for (size_t i = 0; i < generation->servers.count; i++)
        json_array_append_new(list, server_of(&generation->servers.items[i], now));
    return json_pack("{s:f, s:o}", "at", now, "servers", list);
}
