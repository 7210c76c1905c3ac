// SPDX-License-Identifier: MIT
#include "plan/watch_counts.h"

#include "base/embed.h"
#include "base/owned_file.h"
#include "local/postmaster.h"
#include "pg/script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SEPARATE_CHECKPOINTER_MAJOR = 17, LOG_LIMIT = 4 << 20 };

/* --- the connection ----------------------------------------------------------------------- */

/* Keeps the connection to the database when pg_stat_statements is in it, or none is open yet. */
static bool
try_database(struct arena *arena, struct watch_server *server, const char *database,
             struct error *err)
{
    struct pg_target target = plan_target(server->server->deck, database);
    AUTO_PGCONN connection = NULL;
    AUTO_PGRESULT result = NULL;

    if (!pg_connect(&target, &connection, err) ||
        !pg_query(connection, embedded_file("plan/sql/watch_schema.sql")->text, 0, NULL, &result,
                  err))
        return false;
    bool is_there = PQntuples(result) > 0;
    if (is_there)
        server->schema = arena_strdup(arena, pg_value(result, 0, "schema"));
    if (is_there || server->connection == NULL) {
        PQfinish(server->connection);
        server->connection = connection;
        connection = NULL;
    }
    return true;
}

static bool
find_log(struct arena *arena, struct watch_server *server, struct error *err)
{
    AUTO_PGRESULT result = NULL;
    struct stat status;

    if (!server->host.is_here)
        return true;
    if (!pg_query(server->connection, "SELECT pg_current_logfile() AS path", 0, NULL, &result, err))
        return false;
    const char *path = pg_value(result, 0, "path");
    if (path == NULL)
        server->log = local_log_of(arena, server->host.data_directory, server->host.postmaster);
    else if (path[0] == '/')
        server->log = arena_strdup(arena, path);
    else
        server->log = arena_printf(arena, "%s/%s", server->host.data_directory, path);
    if (server->log == NULL || stat(server->log, &status) != 0)
        server->log = NULL;
    else
        server->log_read = status.st_size;
    return true;
}

bool
watch_server_open(struct arena *arena, struct watch_server *server, struct error *err)
{
    const struct deck *deck = server->deck;

    if (!try_database(arena, server, NULL, err))
        return false;
    for (size_t i = 0; i < deck->databases.count && server->schema == NULL; i++) {
        const struct deck_database *database = &deck->databases.items[i];
        if (database->environment->server != server->server->deck ||
            try_database(arena, server, database->name, err))
            continue;
        if (err->code != ERROR_NO_DATABASE)
            return false;
        error_clear(err);
    }
    return find_log(arena, server, err);
}

void
watch_server_close(struct watch_server *server)
{
    PQfinish(server->connection);
    server->connection = NULL;
}

/* --- counting ----------------------------------------------------------------------------- */

static double
number(const PGresult *result, int row, const char *column)
{
    const char *value = pg_value(result, row, column);

    return value == NULL ? 0 : strtod(value, NULL);
}

static bool
read_statements(struct arena *arena, struct watch_server *server, struct watch_counts *counts,
                struct error *err)
{
    AUTO_PGRESULT result = NULL;

    if (server->schema == NULL)
        return true;
    if (!pg_query(server->connection,
                  pg_script(arena, "plan/sql/watch_statements.sql",
                            PG_VARIABLES({"schema", server->schema})),
                  0, NULL, &result, err))
        return false;
    counts->has_statements = true;
    for (int row = 0; row < PQntuples(result); row++)
        *LIST_ADD(arena, &counts->statements) =
            (struct watch_statement){arena_strdup(arena, pg_value(result, row, "key")),
                                     number(result, row, "calls"), number(result, row, "total_ms")};
    return true;
}

/* Pages that the host wrote to its swap since it started. */
static double
swapped_bytes(void)
{
    char line[128];
    double pages = 0;
    FILE *file = fopen("/proc/vmstat", "re");

    if (file == NULL)
        return -1;
    while (fgets(line, sizeof(line), file) != NULL) {
        if (strncmp(line, "pswpout ", 8) == 0)
            pages = strtod(line + 8, NULL);
    }
    fclose(file);
    return pages * (double)sysconf(_SC_PAGESIZE);
}

static double
count_words(const char *text, const char *word)
{
    double count = 0;

    for (; (text = strstr(text, word)) != NULL; text += strlen(word))
        count++;
    return count;
}

/* What has been written to the log since the last look; of very much only the end. */
static void
read_log(struct arena *arena, struct watch_server *server, struct watch_counts *counts)
{
    struct stat status;
    char *text;

    if (server->log == NULL || stat(server->log, &status) != 0)
        return;
    if (status.st_size < server->log_read)
        server->log_read = 0; /* begun anew */
    if (status.st_size - server->log_read > LOG_LIMIT)
        server->log_read = status.st_size - LOG_LIMIT;
    if (owned_file_read_from(arena, server->log, &server->host.user, &server->log_read, LOG_LIMIT,
                             &text)) {
        server->errors += count_words(text, "ERROR:  ");
        server->fatals += count_words(text, "FATAL:  ") + count_words(text, "PANIC:  ");
        counts->has_log = true;
    }
    counts->errors = server->errors;
    counts->fatals = server->fatals;
}

bool
watch_counts_read(struct arena *arena, struct watch_server *server, struct watch_counts *ret_counts,
                  struct error *err)
{
    struct watch_counts counts = {.swap_bytes = server->host.is_here ? swapped_bytes() : -1};
    bool is_separate = server->server->catalog.major >= SEPARATE_CHECKPOINTER_MAJOR;
    const char *file =
        is_separate ? "plan/sql/watch_counts.sql" : "plan/sql/watch_counts__before_17.sql";
    AUTO_PGRESULT result = NULL;

    if (!pg_query(server->connection, embedded_file(file)->text, 0, NULL, &result, err) ||
        !read_statements(arena, server, &counts, err))
        return false;
    counts.commits = number(result, 0, "commits");
    counts.rollbacks = number(result, 0, "rollbacks");
    counts.checkpoints = number(result, 0, "checkpoints");
    counts.checkpoint_seconds = number(result, 0, "checkpoint_seconds");
    read_log(arena, server, &counts);
    *ret_counts = counts;
    return true;
}

static int
compare_keys(const void *key, const void *item)
{
    return strcmp(key, ((const struct watch_statement *)item)->key);
}

const struct watch_statement *
watch_find_statement(const struct watch_counts *counts, const char *key)
{
    if (counts->statements.count == 0)
        return NULL;
    return bsearch(key, counts->statements.items, counts->statements.count,
                   sizeof(struct watch_statement), compare_keys);
}
