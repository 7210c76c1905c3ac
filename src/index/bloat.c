// SPDX-License-Identifier: MIT
/* How much of an index is room that it would not take if it were built anew: measured with
 * pgstattuple where that is there, else estimated, else unknown. */
#include "index/status.h"

#include "base/embed.h"
#include "pg/script.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Measuring reads whole indexes: no longer than that for one, and not for all of a large
 * database. */
enum { MEASURE_TIMEOUT_MS = 5000, MEASURE_ALL_S = 30 };

static double
share(double size_bytes, double needed_bytes)
{
    double bloat = 1 - needed_bytes / size_bytes;

    return bloat < 0 ? 0 : bloat;
}

static double
number(const PGresult *result, int row, const char *column)
{
    const char *value = pg_value(result, row, column);

    return value == NULL ? 0 : strtod(value, NULL);
}

/* --- estimated ---------------------------------------------------------------------------- */

static int
find_row(const PGresult *result, const char *oid)
{
    for (int row = 0; row < PQntuples(result); row++) {
        if (strcmp(pg_value(result, row, "oid"), oid) == 0)
            return row;
    }
    return -1;
}

static void
sum_parts(const PGresult *result, struct index_status *index)
{
    double size_bytes = 0, needed_bytes = 0;

    for (int i = 0; i < index->part_count; i++) {
        int row = find_row(result, index->parts[i]);
        if (row < 0)
            continue;
        size_bytes += number(result, row, "size_bytes");
        needed_bytes += number(result, row, "needed_bytes");
    }
    if (size_bytes > 0)
        index->bloat = share(size_bytes, needed_bytes);
}

static bool
estimate(struct arena *arena, PGconn *connection, struct index_report *report, struct error *err)
{
    LIST_OF(const char *) oids = {0};
    AUTO_PGRESULT result = NULL;

    for (size_t i = 0; i < report->indexes.count; i++) {
        for (int part = 0; part < report->indexes.items[i].part_count; part++)
            *LIST_ADD(arena, &oids) = report->indexes.items[i].parts[part];
    }
    const char *parameters[1] = {pg_text_array(arena, oids.items, oids.count)};
    if (!pg_query(connection, embedded_file("index/sql/bloat_estimate.sql")->text, 1, parameters,
                  &result, err))
        return false;
    for (size_t i = 0; i < report->indexes.count; i++)
        sum_parts(result, &report->indexes.items[i]);
    return true;
}

/* --- measured ----------------------------------------------------------------------------- */

/* false: not permitted, out of time, or the connection is gone: the estimate stays. */
static bool
measure_index(struct arena *arena, PGconn *connection, const char *schema,
              struct index_status *index)
{
    double size_bytes = 0, needed_bytes = 0;
    struct error ignored;

    for (int i = 0; i < index->part_count; i++) {
        AUTO_PGRESULT result = NULL;
        const char *sql = pg_script(arena, "index/sql/bloat_measure.sql",
                                    PG_VARIABLES({"schema", schema}, {"oid", index->parts[i]}));
        if (!pg_query(connection, sql, 0, NULL, &result, &ignored))
            return false;
        size_bytes += number(result, 0, "size_bytes");
        needed_bytes += number(result, 0, "needed_bytes");
    }
    index->bloat = size_bytes > 0 ? share(size_bytes, needed_bytes) : 0;
    index->is_bloat_measured = true;
    return true;
}

static bool
measure(struct arena *arena, PGconn *connection, struct index_report *report, struct error *err)
{
    time_t begun = time(NULL);
    AUTO_PGRESULT extension = NULL;

    if (!pg_query(connection, embedded_file("index/sql/pgstattuple.sql")->text, 0, NULL, &extension,
                  err))
        return false;
    if (PQntuples(extension) == 0)
        return true;
    if (!pg_execute(connection,
                    arena_printf(arena, "SET statement_timeout = %d", MEASURE_TIMEOUT_MS), err))
        return false;
    for (size_t i = 0; i < report->indexes.count && time(NULL) - begun < MEASURE_ALL_S; i++) {
        struct index_status *index = &report->indexes.items[i];
        if (strcmp(index->method, "btree") == 0 && index->is_valid && index->part_count > 0 &&
            !measure_index(arena, connection, pg_value(extension, 0, "schema"), index) &&
            PQstatus(connection) != CONNECTION_OK)
            break;
    }
    return pg_execute(connection, "RESET statement_timeout", err);
}

bool
index_report_bloat(struct arena *arena, PGconn *connection, struct index_report *report,
                   struct error *err)
{
    return estimate(arena, connection, report, err) && measure(arena, connection, report, err);
}
