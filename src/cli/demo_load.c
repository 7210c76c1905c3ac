// SPDX-License-Identifier: MIT
#include "cli/demo.h"

#include "base/file.h"
#include "base/interrupt.h"
#include "base/text.h"
#include "pg/connection.h"
#include "rollup/refresh.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { POLL_MS = 200, SMALL = 1 };

/* One thing to send to one database. */
struct load_item {
    const char *database;
    const char *what; /* for the progress */
    const char *sql;
};

/* What one server has to do, one after the other; the servers work side by side. */
struct lane {
    enum demo_role role;
    LIST_OF(struct load_item) items;
    size_t at;
    const char *database; /* that connection is for */
    PGconn *connection;   /* busy with items[at] unless NULL */
};

/* --- one lane ----------------------------------------------------------------------------- */

static void
add_item(struct arena *arena, struct lane *lane, const char *database, const char *what,
         const char *sql)
{
    *LIST_ADD(arena, &lane->items) =
        (struct load_item){.database = database, .what = what, .sql = sql};
}

/* Equal size, seed and now give equal rows. VACUUM ANALYZE reaches the parents of partitions too,
 * and cannot share its statement. */
static void
add_database(struct demo *demo, struct lane *lane, const struct deck_database *database, long size,
             const char *now)
{
    struct arena *arena = demo->cli->arena;

    add_item(arena, lane, database->name, "data",
             arena_printf(arena,
                          "SET statement_timeout = 0; SET pgdeck.size = %ld; "
                          "SET pgdeck.seed = 1; SET pgdeck.now = '%s'; %s",
                          size, now, demo->data_sql));
    for (size_t i = 0; lane->role == DEMO_DECK && i < demo->deck->rollups.count; i++)
        add_item(arena, lane, database->name, "rollups",
                 rollup_refresh_loop(arena, demo->deck->rollups.items[i].name));
    add_item(arena, lane, database->name, "vacuum analyze", "VACUUM ANALYZE");
}

/* Sends the item that the lane is at. */
static bool
send_item(struct demo *demo, struct lane *lane, struct error *err)
{
    const struct load_item *item = &lane->items.items[lane->at];

    if (lane->connection == NULL || strcmp(lane->database, item->database) != 0) {
        const struct pg_target target = demo_target(demo, lane->role, item->database);
        PQfinish(lane->connection);
        lane->connection = NULL;
        if (!pg_connect(&target, &lane->connection, err))
            return false;
        lane->database = item->database;
    }
    return PQsendQuery(lane->connection, item->sql) == 1 || pg_fault(lane->connection, NULL, err);
}

/* Reads what has come; goes on to the next item at the end of one. */
static bool
advance(struct demo *demo, struct lane *lane, struct error *err)
{
    const struct load_item *item = &lane->items.items[lane->at];

    if (PQconsumeInput(lane->connection) == 0)
        return pg_fault(lane->connection, NULL, err);
    while (PQisBusy(lane->connection) == 0) {
        AUTO_PGRESULT result = PQgetResult(lane->connection);
        ExecStatusType status = PQresultStatus(result);
        if (result == NULL) {
            lane->at++;
            return lane->at == lane->items.count || send_item(demo, lane, err);
        }
        if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK &&
            status != PGRES_EMPTY_QUERY) {
            pg_fault(lane->connection, result, err);
            return error_wrap(err, "%s: %s", item->database, item->what);
        }
    }
    return true;
}

/* --- both --------------------------------------------------------------------------------- */

static void
show_lanes(struct demo *demo, const struct lane *lanes, size_t count)
{
    static const char *const labels[DEMO_SERVERS] = {"stock", "deck"};
    AUTO_TEXT line = {0};

    for (size_t i = 0; i < count; i++) {
        const struct lane *lane = &lanes[i];
        text_appendf(&line, "%s%s: ", i == 0 ? "" : "   ", labels[lane->role]);
        if (lane->at == lane->items.count)
            text_append(&line, "done");
        else
            text_appendf(&line, "%s %s", lane->items.items[lane->at].database,
                         lane->items.items[lane->at].what);
    }
    demo_progress(demo, text_chars(&line));
}

static bool
run_lanes(struct demo *demo, struct lane *lanes, size_t count, struct error *err)
{
    struct pollfd waits[DEMO_SERVERS + 1];

    for (size_t i = 0; i < count; i++) {
        if (!send_item(demo, &lanes[i], err))
            return false;
    }
    for (;;) {
        size_t busy = 0;
        show_lanes(demo, lanes, count);
        for (size_t i = 0; i < count; i++) {
            bool is_done = lanes[i].at == lanes[i].items.count;
            waits[i] = (struct pollfd){.fd = is_done ? -1 : PQsocket(lanes[i].connection),
                                       .events = POLLIN};
            busy += !is_done;
        }
        if (busy == 0)
            return true;
        waits[count] = (struct pollfd){.fd = interrupt_descriptor(), .events = POLLIN};
        poll(waits, count + 1, POLL_MS);
        if (is_interrupted())
            return interrupt_error(err);
        for (size_t i = 0; i < count; i++) {
            if (waits[i].revents != 0 && !advance(demo, &lanes[i], err))
                return false;
        }
    }
}

/* --- steps -------------------------------------------------------------------------------- */

/* As somebody without pgdeck has it: a database, the schema by psql, PostgreSQL's defaults. */
bool
demo_make_stock(struct demo *demo, struct error *err)
{
    struct arena *arena = demo->cli->arena;
    const char *name = demo->measured->name;
    const struct pg_target server = demo_target(demo, DEMO_STOCK, NULL);
    const struct pg_target database = demo_target(demo, DEMO_STOCK, name);
    const char *create = arena_printf(arena, "CREATE DATABASE %s", pg_identifier(arena, name));
    AUTO_PGCONN first = NULL;
    AUTO_PGCONN second = NULL;
    char *schema;
    size_t length;

    if (!file_read(arena, demo->measured->schema->path, &schema, &length, err) ||
        !pg_connect(&server, &first, err) || !pg_execute(first, create, err) ||
        !pg_connect(&database, &second, err))
        return false;
    return pg_execute(second, schema, err) ||
           error_wrap(err, "%s on stock", demo->measured->schema->path);
}

bool
demo_load(struct demo *demo, struct error *err)
{
    struct arena *arena = demo->cli->arena;
    struct lane lanes[DEMO_SERVERS] = {{.role = DEMO_STOCK}, {.role = DEMO_DECK}};
    time_t seconds = time(NULL);
    struct tm parts;
    char now[32];

    gmtime_r(&seconds, &parts);
    strftime(now, sizeof(now), "%Y-%m-%d %H:%M:%S+00", &parts);
    for (size_t i = 0; i < DEMO_SERVERS; i++)
        add_database(demo, &lanes[i], demo->measured, demo->size, now);
    for (size_t i = 0; i < demo->deck->databases.count; i++) {
        const struct deck_database *database = &demo->deck->databases.items[i];
        if (database != demo->measured && database->schema != NULL)
            add_database(demo, &lanes[DEMO_DECK], database, SMALL, now);
    }
    const char *mark = arena_printf(arena, "COMMENT ON DATABASE %s IS 'made by pgdeck demo'",
                                    pg_identifier(arena, demo->measured->name));
    for (size_t i = 0; i < DEMO_SERVERS; i++) {
        add_item(arena, &lanes[i], demo->measured->name, "mark", mark); /* bench may write there */
        add_item(arena, &lanes[i], demo->measured->name, "checkpoint", "CHECKPOINT");
    }
    bool is_loaded = run_lanes(demo, lanes, DEMO_SERVERS, err);
    for (size_t i = 0; i < DEMO_SERVERS; i++)
        PQfinish(lanes[i].connection);
    cli_progress_end(demo->cli);
    return is_loaded;
}
