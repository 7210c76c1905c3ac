// SPDX-License-Identifier: MIT
#include "index/status.h"

#include "base/embed.h"
#include "index/wanted.h"
#include "pg/script.h"

#include <stdlib.h>
#include <string.h>

static void
read_row(struct arena *arena, const PGresult *result, int row, struct index_status *index)
{
    const char *share = pg_value(result, row, "write_share");

    *index = (struct index_status){
        .oid = pg_keep_text(arena, result, row, "oid"),
        .table_oid = pg_keep_text(arena, result, row, "table_oid"),
        .schema = pg_keep_text(arena, result, row, "schema"),
        .name = pg_keep_text(arena, result, row, "name"),
        .table_schema = pg_keep_text(arena, result, row, "table_schema"),
        .table = pg_keep_text(arena, result, row, "table"),
        .method = pg_keep_text(arena, result, row, "method"),
        .definition = pg_keep_text(arena, result, row, "definition"),
        .canonical = pg_keep_text(arena, result, row, "canonical"),
        .predicate = pg_keep_text(arena, result, row, "predicate"),
        .parameters = pg_keep_text(arena, result, row, "parameters"),
        .extra_off = pg_keep_text(arena, result, row, "extra_off"),
        .extra_on = pg_keep_text(arena, result, row, "extra_on"),
        .is_partitioned = strcmp(pg_value(result, row, "kind"), "I") == 0,
        .is_unique = pg_bool(result, row, "is_unique"),
        .is_immediate = pg_bool(result, row, "is_immediate"),
        .has_equal_nulls = pg_bool(result, row, "has_equal_nulls"),
        .is_valid = pg_bool(result, row, "is_valid"),
        .is_being_built = pg_bool(result, row, "is_being_built"),
        .is_replica_identity = pg_bool(result, row, "is_replica_identity"),
        .is_clustered = pg_bool(result, row, "is_clustered"),
        .is_extension = pg_bool(result, row, "is_extension"),
        .constraint_name = pg_keep_text(arena, result, row, "constraint_name"),
        .constraint_type = pg_value(result, row, "constraint_type")[0],
        .referenced_by = pg_keep_text(arena, result, row, "referenced_by"),
        .foreign_key = pg_keep_text(arena, result, row, "foreign_key"),
        .part_count = (int)pg_integer(result, row, "part_count"),
        .size_bytes = pg_integer(result, row, "size_bytes"),
        .scans = pg_integer(result, row, "scans"),
        .write_share = share == NULL ? -1 : strtod(share, NULL),
        .bloat = -1,
        .built_seconds = -1,
    };
    index->key_count = pg_array(arena, pg_value(result, row, "keys"), &index->keys);
    pg_array(arena, pg_value(result, row, "key_columns"), &index->key_columns);
    index->included_count = pg_array(arena, pg_value(result, row, "included"), &index->included);
    pg_array(arena, pg_value(result, row, "parts"), &index->parts);
}

static bool
read_indexes(struct arena *arena, PGconn *connection, struct index_report *report,
             struct error *err)
{
    AUTO_PGRESULT result = NULL;

    if (!pg_query(connection, embedded_file("index/sql/status.sql")->text, 0, NULL, &result, err))
        return false;
    for (int row = 0; row < PQntuples(result); row++)
        read_row(arena, result, row, LIST_ADD(arena, &report->indexes));
    return true;
}

/* The parts of all indexes, one after the other. */
static const char *
all_parts(struct arena *arena, const struct index_report *report)
{
    LIST_OF(const char *) oids = {0};

    for (size_t i = 0; i < report->indexes.count; i++) {
        for (int part = 0; part < report->indexes.items[i].part_count; part++)
            *LIST_ADD(arena, &oids) = report->indexes.items[i].parts[part];
    }
    return pg_text_array(arena, oids.items, oids.count);
}

/* The latest of its parts and of what is known of other servers. */
static const char *
later_scan(struct arena *arena, const struct index_status *index, const PGresult *result, int at)
{
    const char *last = index->last_scan == NULL ? "" : index->last_scan;

    for (int i = 0; i < index->part_count; i++) {
        const char *scan = pg_value(result, at + i, "last_scan");
        if (scan != NULL && strcmp(scan, last) > 0)
            last = scan;
    }
    return arena_strdup(arena, last);
}

static bool
read_last_scans(struct arena *arena, PGconn *connection, struct index_report *report,
                struct error *err)
{
    const struct embedded_file *file = embedded_file("index/sql/last_scans.sql");
    const char *parameters[1] = {all_parts(arena, report)};
    AUTO_PGRESULT result = NULL;
    int at = 0;

    if (PQserverVersion(connection) / 10000 < file->min_version)
        return true;
    if (!pg_query(connection, file->text, 1, parameters, &result, err))
        return false;
    for (size_t i = 0; i < report->indexes.count; i++) {
        struct index_status *index = &report->indexes.items[i];
        index->last_scan = later_scan(arena, index, result, at);
        at += index->part_count;
    }
    return true;
}

/* All servers count since the one that began last. */
static bool
read_age(struct arena *arena, PGconn *connection, struct index_report *report, struct error *err)
{
    AUTO_PGRESULT result = NULL;

    if (!pg_query(connection, embedded_file("index/sql/statistics_age.sql")->text, 0, NULL, &result,
                  err))
        return false;
    const char *since = pg_value(result, 0, "since");
    long long age_seconds = since == NULL ? -1 : pg_integer(result, 0, "age_seconds");
    if (report->replicas > 0 && report->age_seconds <= age_seconds)
        return true;
    report->since = since == NULL ? NULL : arena_strdup(arena, since);
    report->age_seconds = age_seconds;
    return true;
}

/* --- replicas ----------------------------------------------------------------------------- */

static bool
check_replica(PGconn *replica, PGconn *primary, struct error *err)
{
    AUTO_PGRESULT there = NULL;
    AUTO_PGRESULT here = NULL;
    const char *sql = embedded_file("index/sql/replica.sql")->text;

    if (!pg_query(replica, sql, 0, NULL, &there, err) ||
        !pg_query(primary, sql, 0, NULL, &here, err))
        return false;
    if (pg_bool(there, 0, "is_in_recovery") &&
        strcmp(pg_value(there, 0, "system"), pg_value(here, 0, "system")) == 0)
        return true;
    return error_set(err, ERROR_REFUSED, "it is no replica of the server");
}

bool
index_report_add_replica(struct arena *arena, PGconn *replica, PGconn *primary,
                         struct index_report *report, struct error *err)
{
    const char *parameters[1] = {all_parts(arena, report)};
    AUTO_PGRESULT result = NULL;
    int at = 0;

    if (!check_replica(replica, primary, err) ||
        !pg_query(replica, embedded_file("index/sql/scans.sql")->text, 1, parameters, &result, err))
        return false;
    report->replicas++;
    if (!read_last_scans(arena, replica, report, err) || !read_age(arena, replica, report, err))
        return false;
    for (size_t i = 0; i < report->indexes.count; i++) {
        for (int part = 0; part < report->indexes.items[i].part_count; part++)
            report->indexes.items[i].scans += pg_integer(result, at++, "scans");
    }
    return true;
}

/* From the journal; where there is none, or not for this role, nothing is known. */
static bool
read_built(PGconn *connection, struct index_report *report, struct error *err)
{
    AUTO_PGRESULT result = NULL;

    if (!pg_query(connection, embedded_file("index/sql/made.sql")->text, 0, NULL, &result, err)) {
        if (strcmp(err->sqlstate, "42P01") != 0 && strcmp(err->sqlstate, "3F000") != 0 &&
            err->code != ERROR_PRIVILEGE)
            return false;
        error_clear(err);
        return true;
    }
    for (size_t i = 0; i < report->indexes.count; i++) {
        struct index_status *index = &report->indexes.items[i];
        for (int row = 0; row < PQntuples(result); row++) {
            const char *schema = pg_value(result, row, "schema");
            const char *name = pg_value(result, row, "name");
            if (schema != NULL && name != NULL && strcmp(schema, index->schema) == 0 &&
                strcmp(name, index->name) == 0)
                index->built_seconds = pg_integer(result, row, "age_seconds");
        }
    }
    return true;
}

static bool
read_missing(struct arena *arena, PGconn *connection, struct index_report *report,
             struct error *err)
{
    AUTO_PGRESULT result = NULL;

    if (!pg_query(connection, embedded_file("index/sql/missing_foreign_keys.sql")->text, 0, NULL,
                  &result, err))
        return false;
    for (int row = 0; row < PQntuples(result); row++) {
        struct index_finding *finding = LIST_ADD(arena, &report->findings);
        const char *parts = !pg_bool(result, row, "is_partitioned")
                                ? ""
                                : arena_printf(arena, " on %lld of %lld partitions",
                                               pg_integer(result, row, "lacking"),
                                               pg_integer(result, row, "parts"));
        *finding = (struct index_finding){
            .verdict = INDEX_MISSING,
            .schema = pg_keep_text(arena, result, row, "schema"),
            .table = pg_keep_text(arena, result, row, "table"),
            .name = pg_keep_text(arena, result, row, "name"),
            .sql = pg_keep_text(arena, result, row, "sql"),
        };
        finding->evidence = arena_printf(
            arena,
            "No index begins with (%s)%s, which refers to %s: each row that goes there, or changes "
            "its key, has this table read whole (%lld rows, %lld kB; %lld rows have gone there).",
            pg_value(result, row, "columns"), parts, pg_value(result, row, "referenced"),
            pg_integer(result, row, "rows"), pg_integer(result, row, "size_bytes") / 1024,
            pg_integer(result, row, "deletes"));
    }
    return true;
}

static void
mark_declared(struct arena *arena, const struct deck_database *database,
              struct index_report *report)
{
    struct index_wanted_list wanted;

    index_collect(arena, database, &wanted);
    for (size_t i = 0; i < report->indexes.count; i++) {
        struct index_status *index = &report->indexes.items[i];
        for (size_t j = 0; j < wanted.list.count; j++) {
            const struct index_wanted *item = &wanted.list.items[j];
            if (strcmp(item->schema, index->schema) == 0 && strcmp(item->name, index->name) == 0)
                index->declared = item->statement->place;
        }
    }
}

bool
index_report_read(struct arena *arena, PGconn *connection, const struct deck *deck,
                  const struct deck_database *database, struct index_report *ret_report,
                  struct error *err)
{
    struct index_report report = {.database = database->name, .review_ms = deck->index_review_ms};

    if (!read_indexes(arena, connection, &report, err) ||
        !read_last_scans(arena, connection, &report, err) ||
        !read_age(arena, connection, &report, err) || !read_built(connection, &report, err) ||
        !index_report_bloat(arena, connection, &report, err))
        return false;
    mark_declared(arena, database, &report);
    *ret_report = report;
    return true;
}

bool
index_report_judge(struct arena *arena, PGconn *connection, struct index_report *report,
                   struct error *err)
{
    index_judge(arena, report);
    return read_missing(arena, connection, report, err);
}
