// SPDX-License-Identifier: MIT
#include "bench/stock.h"

#include "base/embed.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "base/machine.h"
#include "base/state.h"
#include "base/text.h"
#include "bench/cost.h"
#include "pg/connection.h"
#include "pg/script.h"

#include <stdio.h>
#include <string.h>

#define NAME "bench-stock"
#define MEGABYTE ((int64_t)1 << 20)
enum { SPARE_MEGABYTES = 600, WAL_FACTOR_PERCENT = 160 };

struct work {
    struct arena *arena;
    const struct bench_stock_order *order;
    struct bench_stock *stock;
    PGconn *source, *copy;
};

static void
progress(const struct work *work, const char *format, const char *name)
{
    if (work->order->progress == NULL)
        return;
    AUTO_TEXT line = {0};
    text_appendf(&line, "stock: %s%s", format, name);
    work->order->progress(work->order->progress_context, text_chars(&line));
}

static bool
ask(PGconn *connection, const char *file, const char *parameter, PGresult **ret_rows,
    struct error *err)
{
    return pg_query(connection, embedded_file(file)->text, parameter != NULL, &parameter, ret_rows,
                    err);
}

/* --- the server ----------------------------------------------------------------------------- */

/* Whether the deck's server is on the same file system: the suites write in both servers. */
static bool
is_beside(PGconn *source, const char *data_directory, const struct machine_room *room)
{
    struct machine_room other;

    return data_directory != NULL && bench_postmaster_of(source) != 0 &&
           machine_read_room(data_directory, &other) && other.device == room->device;
}

static bool
check_space(const struct work *work, struct error *err)
{
    AUTO_PGRESULT rows = NULL;
    struct machine_room room;
    const char *folder;

    if (!state_folder(work->arena, &folder, err) ||
        !ask(work->source, "bench/sql/server.sql", NULL, &rows, err))
        return false;
    int64_t size = work->order->schema_path == NULL ? 0 : pg_integer(rows, 0, "size_bytes");
    int64_t spare = work->order->suites_megabytes > SPARE_MEGABYTES ? work->order->suites_megabytes
                                                                    : SPARE_MEGABYTES;
    int64_t needed = size * WAL_FACTOR_PERCENT / 100 + spare * MEGABYTE;
    if (!machine_read_room(folder, &room))
        return error_errno(err, "cannot tell the free space of \"%s\"", folder);
    if (is_beside(work->source, pg_value(rows, 0, "data_directory"), &room))
        needed += work->order->suites_megabytes * MEGABYTE;
    int64_t available = (int64_t)room.free_bytes;
    if (available >= needed)
        return true;
    error_set(err, ERROR_DISK_FULL,
              "a copy of \"%s\" and the suites need %lld MB in \"%s\", %lld MB are free",
              work->order->database, (long long)(needed / MEGABYTE), folder,
              (long long)(available / MEGABYTE));
    return error_hint(err, "Set PGDECK_STATE_DIR to a folder with more, or compare with a server "
                           "that is there: --before.");
}

/* What a killed run has left goes; one that runs is somebody's. */
static bool
make_room(struct work *work, struct error *err)
{
    struct local_server server;
    bool is_there;

    if (!local_server_find(work->arena, NAME, &server, &is_there, err))
        return false;
    if (!is_there)
        return true;
    if (!server.is_demo)
        return error_set(err, ERROR_REFUSED, "server \"" NAME "\" is there and is not a bench's");
    if (local_server_pid(&server) == 0)
        return local_server_destroy(&server, err);
    error_set(err, ERROR_LOCKED, "another pgdeck bench --stock is running");
    return error_hint(err, "If not, it was killed: pgdeck down " NAME " --destroy.");
}

static bool
find_programs(struct work *work, struct local_programs *ret_programs, struct error *err)
{
    int major = PQserverVersion(work->source) / 10000;

    return local_programs_find(work->arena, major, ret_programs, err) || error_wrap(err, "--stock");
}

static bool
check(struct work *work, struct error *err)
{
    struct local_programs ignored;
    int lock;

    if (!pg_connect(&work->order->source, &work->source, err) || !check_space(work, err) ||
        !find_programs(work, &ignored, err) || !local_lock(work->arena, &lock, err))
        return false;
    bool is_fine = make_room(work, err);
    local_unlock(lock);
    return is_fine;
}

static bool
make_server(struct work *work, struct error *err)
{
    struct local_recipe recipe = {.name = NAME, .is_demo = true, .is_brief = true};
    int lock;

    if (!find_programs(work, &recipe.programs, err) || !local_lock(work->arena, &lock, err))
        return false;
    struct bench_stock *stock = work->stock;
    bool is_fine =
        make_room(work, err) && local_server_create(work->arena, &recipe, &stock->server, err);
    stock->is_made = is_fine;
    is_fine = is_fine && local_server_start(work->arena, &stock->server, err);
    local_unlock(lock);
    return is_fine;
}

static bool
make_database(struct work *work, struct error *err)
{
    const char *database = work->order->database;
    AUTO_PGCONN first = NULL;
    struct pg_target server = {.conninfo =
                                   local_server_conninfo(work->arena, &work->stock->server, NULL)};

    work->stock->conninfo = local_server_conninfo(work->arena, &work->stock->server, database);
    if (!pg_connect(&server, &first, err))
        return false;
    const char *name = pg_identifier(work->arena, database);
    /* The mark is what suites that write look for. */
    return pg_execute(first, arena_printf(work->arena, "CREATE DATABASE %s", name), err) &&
           pg_execute(
               first,
               arena_printf(work->arena, "COMMENT ON DATABASE %s IS 'made by pgdeck bench'", name),
               err);
}

/* --- schema and data ------------------------------------------------------------------------ */

static bool
make_schema(struct work *work, struct error *err)
{
    struct pg_target target = {.conninfo = work->stock->conninfo, .is_application = true};
    AUTO_PGCONN session = NULL;
    char *schema;
    size_t length;

    if (!file_read(work->arena, work->order->schema_path, &schema, &length, err) ||
        !pg_connect(&target, &session, err))
        return false;
    return (pg_execute(session, schema, err) &&
            pg_execute(session, embedded_file("bench/sql/drop_indexes.sql")->text, err)) ||
           error_wrap(err, "%s on stock", work->order->schema_path);
}

/* Rows as they come from the one to the other. */
static bool
pass_on(struct work *work, struct error *err)
{
    for (;;) {
        char *row = NULL;
        int length = PQgetCopyData(work->source, &row, 0);
        if (length == -1)
            break;
        if (length < 0)
            return pg_fault(work->source, NULL, err);
        int sent = PQputCopyData(work->copy, row, length);
        PQfreemem(row);
        if (sent != 1)
            return pg_fault(work->copy, NULL, err);
        if (is_interrupted())
            return interrupt_error(err);
    }
    return PQputCopyEnd(work->copy, NULL) == 1 || pg_fault(work->copy, NULL, err);
}

static bool
end_copy(PGconn *connection, struct error *err)
{
    bool is_fine = true;

    for (;;) {
        AUTO_PGRESULT result = PQgetResult(connection);
        if (result == NULL)
            return is_fine;
        if (is_fine && PQresultStatus(result) != PGRES_COMMAND_OK)
            is_fine = pg_fault(connection, result, err);
    }
}

static bool
begin_copy(PGconn *connection, const char *sql, ExecStatusType wanted, struct error *err)
{
    AUTO_PGRESULT result = PQexec(connection, sql);

    return PQresultStatus(result) == wanted || pg_fault(connection, result, err);
}

static bool
copy_table(struct work *work, const PGresult *tables, int row, struct error *err)
{
    const char *table = pg_value(tables, row, "name");
    const char *columns = pg_value(tables, row, "columns");
    const char *out = arena_printf(work->arena, "COPY (SELECT %s FROM %s%s) TO STDOUT", columns,
                                   pg_value(tables, row, "only"), table);
    const char *in = arena_printf(work->arena, "COPY %s (%s) FROM STDIN", table, columns);

    progress(work, "copy of ", table);
    if (!begin_copy(work->source, out, PGRES_COPY_OUT, err))
        return error_wrap(err, "table %s of the deck's database", table);
    if (!begin_copy(work->copy, in, PGRES_COPY_IN, err) || !pass_on(work, err) ||
        !end_copy(work->copy, err) || !end_copy(work->source, err))
        return error_wrap(err, "copy of table %s", table);
    return true;
}

/* Triggers and foreign keys have done their work in the source. */
static bool
copy_data(struct work *work, struct error *err)
{
    AUTO_PGRESULT tables = NULL;
    AUTO_PGRESULT sequences = NULL;

    if (!pg_execute(work->copy, embedded_file("bench/sql/copy_to.sql")->text, err) ||
        !pg_execute(work->source, embedded_file("bench/sql/copy_from.sql")->text, err) ||
        !ask(work->copy, "bench/sql/tables.sql", NULL, &tables, err))
        return false;
    for (int row = 0; row < PQntuples(tables); row++) {
        if (!copy_table(work, tables, row, err))
            return false;
    }
    if (!ask(work->source, "bench/sql/sequences.sql", NULL, &sequences, err))
        return false;
    for (int row = 0; row < PQntuples(sequences); row++) {
        AUTO_PGRESULT done = NULL;
        const char *const parameters[] = {pg_value(sequences, row, "name"),
                                          pg_value(sequences, row, "last_value")};
        if (!pg_query(work->copy, embedded_file("bench/sql/set_sequence.sql")->text, 2, parameters,
                      &done, err))
            return false;
    }
    progress(work, "VACUUM ANALYZE", "");
    return pg_execute(work->copy, "VACUUM ANALYZE", err) &&
           pg_execute(work->copy, "CHECKPOINT", err);
}

static bool
fill(struct work *work, struct error *err)
{
    struct pg_target target = {.conninfo = work->stock->conninfo};

    if (work->order->schema_path == NULL)
        return true;
    progress(work, "schema", "");
    return make_schema(work, err) && pg_connect(&target, &work->copy, err) && copy_data(work, err);
}

bool
bench_stock_check(struct arena *arena, const struct bench_stock_order *order, struct error *err)
{
    struct work work = {.arena = arena, .order = order};
    bool is_fine = check(&work, err);

    PQfinish(work.source);
    return is_fine;
}

bool
bench_stock_make(struct arena *arena, const struct bench_stock_order *order,
                 struct bench_stock *ret_stock, struct error *err)
{
    struct work work = {.arena = arena, .order = order, .stock = ret_stock};

    *ret_stock = (struct bench_stock){0};
    bool is_fine = check(&work, err);
    if (is_fine) {
        progress(&work, "a private server with PostgreSQL's defaults", "");
        is_fine = make_server(&work, err) && make_database(&work, err) && fill(&work, err);
    }
    PQfinish(work.source);
    PQfinish(work.copy);
    if (!is_fine)
        bench_stock_remove(ret_stock);
    return is_fine;
}

void
bench_stock_remove(struct bench_stock *stock)
{
    struct error ignored;

    /* What cannot be removed now the next run removes. */
    if (stock->is_made && local_server_destroy(&stock->server, &ignored))
        stock->is_made = false;
}
