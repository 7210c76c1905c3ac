/* A log of PostgreSQL: lines of text (log_destination stderr), CSV, or JSON. Reads what servers
 * wrote, which may have any text of clients in it, whole or from any byte on. Nothing is kept. */
#pragma once
#include "base/arena.h"

#include <stddef.h>

enum workload_log_format { WORKLOAD_LOG_TEXT, WORKLOAD_LOG_CSV, WORKLOAD_LOG_JSON };

struct workload_log_entry {
    const char *severity; /* "ERROR", as the server's lc_messages says it; "": not known */
    const char *sqlstate; /* this and the next: "": not known */
    const char *database;
    const char *message;
    const char *detail; /* NULL: there is none */
    size_t line;        /* of the text, from 1 */
};

struct workload_log {
    enum workload_log_format format;
    const char *prefix; /* log_line_prefix of lines of text; NULL: not known */
    void (*take)(void *sink, const struct workload_log_entry *entry);
    void *sink;
};

/* By the ending of its name, or the first character of it. */
enum workload_log_format workload_log_format_of(const char *path, const char *text);
/* Takes all entries that have an end; returns the bytes that they are. is_cut: the text may end
 * within an entry though a line ends there. */
size_t workload_log_read(const struct workload_log *log, const char *text, bool is_cut);
/* Where the first entry begins in a text that may begin within one; its end: nowhere. */
const char *workload_log_resume(enum workload_log_format format, const char *text);

/* What a message says of a statement. One that has a statement is one of
 *     duration: 12.3 ms  statement: SELECT ...
 *     duration: 12.3 ms  execute name: SELECT ...
 *     statement: SELECT ...
 *     execute name: SELECT ...
 *     duration: 12.3 ms  plan: (of auto_explain) with a Query Text, as text or JSON
 * and its detail may say with what: parameters: $1 = '7', $2 = NULL */
struct workload_log_statement {
    const char *sql;    /* NULL: the message has none */
    const char *values; /* NULL: it does not say */
    const char *plan;   /* of auto_explain; NULL */
    double ms;
};
struct workload_log_statement
workload_log_statement_in(struct arena *arena, const struct workload_log_entry *entry);
