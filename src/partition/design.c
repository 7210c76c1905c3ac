// SPDX-License-Identifier: MIT
#include "partition/design.h"

#include "base/embed.h"
#include "base/text.h"
#include "deck/units.h"
#include "partition/period.h"
#include "pg/script.h"

#include <limits.h>
#include <string.h>
#include <sys/statvfs.h>

enum {
    MANY_PARTITIONS = 500,
    FEW_ROWS = 10000,
    MOST_PERIODS = 10000,
    LOOK_MS = 3000,
    DISK_TENTHS = 22, /* of the table's size, until the old one goes */
};

static void
add_rows(struct text *text, const PGresult *result)
{
    for (int row = 0; row < PQntuples(result); row++)
        text_appendf(text, "%s%s", text->length == 0 ? "" : "; ", PQgetvalue(result, row, 0));
}

static bool
doubt_statistics(const struct partition_live_advice *about, size_t parts, struct text *doubts,
                 struct error *err)
{
    const struct deck_partition *partition = about->partition;
    AUTO_PGRESULT result = NULL;
    const char *parameters[6] = {
        partition->schema,
        partition->table,
        partition->column,
        partition_kind_word(partition->kind),
        arena_printf(about->advice->arena, "%d", partition->modulus),
        arena_printf(about->advice->arena, "%zu", parts),
    };

    if (!pg_query(about->connection, embedded_file("partition/sql/design.sql")->text, 6, parameters,
                  &result, err))
        return false;
    add_rows(doubts, result);
    return true;
}

/* Adds what a script says of pg_stat_statements, where that is there and may be read. */
static bool
ask_statements(const struct partition_live_advice *about, const char *path, struct text *doubts,
               struct error *err)
{
    struct arena *arena = about->advice->arena;
    const struct deck_partition *partition = about->partition;
    const struct catalog_database *catalog =
        catalog_find_database(about->advice->catalog, about->database->name);
    const char *schema = NULL;
    AUTO_PGRESULT result = NULL;

    for (size_t i = 0; i < catalog->extensions.count; i++) {
        if (strcmp(catalog->extensions.items[i].name, "pg_stat_statements") == 0)
            schema = catalog->extensions.items[i].schema;
    }
    if (schema == NULL)
        return true;
    const char *sql =
        pg_script(arena, path,
                  PG_VARIABLES({"extension_schema", schema}, {"schema", partition->schema},
                               {"table", partition->table}, {"column", partition->column},
                               {"columns", partition_columns(arena, partition)}));
    if (pg_query(about->connection, sql, 0, NULL, &result, err)) {
        add_rows(doubts, result);
        return true;
    }
    /* 55000: the library is not loaded */
    if (strcmp(err->sqlstate, "55000") != 0 && err->code != ERROR_PRIVILEGE)
        return false;
    error_clear(err);
    return true;
}

bool
partition_find_reliance(const struct partition_live_advice *about, const char **ret_reliance,
                        struct error *err)
{
    AUTO_TEXT reliance = {0};

    if (!ask_statements(about, "partition/sql/design_uniqueness.sql", &reliance, err))
        return false;
    *ret_reliance =
        reliance.length == 0 ? NULL : arena_strdup(about->advice->arena, text_chars(&reliance));
    return true;
}

bool
partition_find_doubts(const struct partition_live_advice *about, size_t parts,
                      const char **ret_doubts, struct error *err)
{
    struct partition_live_size size;
    AUTO_TEXT doubts = {0};

    if (!partition_live_size(about->advice->arena, about->connection, about->partition, &size,
                             err) ||
        !doubt_statistics(about, parts, &doubts, err) ||
        !ask_statements(about, "partition/sql/design_statements.sql", &doubts, err) ||
        !ask_statements(about, "partition/sql/design_uniqueness.sql", &doubts, err))
        return false;
    if (parts > MANY_PARTITIONS)
        text_appendf(&doubts, "%s%zu partitions make every plan slower: take longer periods",
                     doubts.length == 0 ? "" : "; ", parts);
    else if (size.rows > 0 && parts > 12 && size.rows / (long long)parts < FEW_ROWS)
        text_appendf(&doubts, "%sabout %lld rows a partition are few: take longer periods",
                     doubts.length == 0 ? "" : "; ", size.rows / (long long)parts);
    *ret_doubts =
        doubts.length == 0 ? NULL : arena_strdup(about->advice->arena, text_chars(&doubts));
    return true;
}

/* --- misfits ------------------------------------------------------------------------------ */

/* A look that takes too long is given up (NULL): the conversion itself would find it. */
static bool
look(const struct partition_live_advice *about, const char *sql, PGresult **ret_result,
     struct error *err)
{
    struct error ignored;
    bool is_known = pg_execute(about->connection,
                               arena_printf(about->advice->arena,
                                            "BEGIN; SET LOCAL statement_timeout = %d", LOOK_MS),
                               err) &&
                    pg_query(about->connection, sql, 0, NULL, ret_result, err);
    bool is_late = !is_known && strcmp(err->sqlstate, "57014") == 0;

    if (!pg_execute(about->connection, "ROLLBACK", is_known || is_late ? err : &ignored))
        return false;
    if (is_late)
        error_clear(err);
    return is_known || is_late;
}

static bool
find_values(const struct partition_live_advice *about, struct text *misfits, struct error *err)
{
    struct arena *arena = about->advice->arena;
    const struct deck_partition *partition = about->partition;
    AUTO_PGRESULT result = NULL;
    AUTO_TEXT values = {0};

    if (partition->kind != PARTITION_LIST)
        return true;
    for (size_t i = 0; i < partition->parts.count; i++) {
        for (size_t j = 0; j < partition->parts.items[i].values.count; j++)
            text_appendf(&values, "%s%s", values.length == 0 ? "" : ", ",
                         pg_literal(arena, partition->parts.items[i].values.items[j]));
    }
    const char *sql =
        pg_script(arena, "partition/sql/misfits.sql",
                  PG_VARIABLES({"schema", partition->schema}, {"table", partition->table},
                               {"column", partition->column}, {"values", text_chars(&values)}));
    if (!look(about, sql, &result, err))
        return false;
    if (result != NULL && pg_value(result, 0, "misfits") != NULL)
        text_appendf(misfits, "rows have values of %s that no part has: %s. Add them to parts",
                     partition->column, pg_value(result, 0, "misfits"));
    return true;
}

static bool
find_uuids(const struct partition_live_advice *about, struct text *misfits, struct error *err)
{
    struct arena *arena = about->advice->arena;
    const struct deck_partition *partition = about->partition;
    AUTO_PGRESULT result = NULL;

    if (!partition->is_uuidv7)
        return true;
    const char *sql =
        pg_script(arena, "partition/sql/misfits_uuids.sql",
                  PG_VARIABLES({"schema", partition->schema}, {"table", partition->table},
                               {"column", partition_range_column(partition)}));
    if (!look(about, sql, &result, err))
        return false;
    if (result != NULL && PQntuples(result) > 0)
        text_appendf(misfits,
                     "%s in its column \"%s\" is no uuid of version 7, and tells no time: take "
                     "hash, or another column",
                     pg_value(result, 0, "id"), partition_range_column(partition));
    return true;
}

/* Bounds are values of the column's type: it must have those of the first and the last period. */
static bool
has_bounds(const struct deck_partition *partition, const struct partition_extent *extent)
{
    enum deck_unit unit = partition->unit;

    return partition_period_first(unit, partition->every, extent->first, -partition->past) >=
               -extent->highest &&
           partition_period_first(unit, partition->every, extent->last, partition->premake + 1) <
               extent->highest;
}

bool
partition_find_end(const struct partition_live_advice *live, const char **ret_reason,
                   struct error *err)
{
    struct arena *arena = live->advice->arena;
    const struct deck_partition *partition = live->partition;
    struct partition_extent extent;

    *ret_reason = NULL;
    if (partition_range_column(partition) == NULL)
        return true;
    if (!partition_read_extent(arena, live->connection, partition, &extent, err))
        return false;
    if (extent.is_endless)
        *ret_reason = "it has rows of infinity, which no period takes: mend them";
    else if (partition->unit == UNIT_ID && extent.has_rows && !has_bounds(partition, &extent))
        *ret_reason = arena_printf(
            arena,
            "its ids are from %lld to %lld, so near the end of their type (%lld) that it lacks the "
            "bounds of the partitions: give the column a larger type, or mend the rows that are "
            "far off",
            extent.first, extent.last, extent.highest);
    return true;
}

/* A row that is far off wants all the partitions between it and the others. */
static bool
find_periods(const struct partition_live_advice *about, struct text *misfits, struct error *err)
{
    struct arena *arena = about->advice->arena;
    const struct deck_partition *partition = about->partition;
    struct partition_extent extent;

    if (partition_range_column(partition) == NULL)
        return true;
    if (!partition_read_extent(arena, about->connection, partition, &extent, err))
        return false;
    long long days = deck_period_days((struct deck_period){partition->every, partition->unit});
    long long periods;
    if (__builtin_sub_overflow(extent.last / days, extent.first / days, &periods))
        periods = LLONG_MAX;
    if (periods <= MOST_PERIODS)
        return true;
    char first[48];
    char last[48];
    partition_period_text(partition->unit, extent.first, first, sizeof(first));
    partition_period_text(partition->unit, extent.last, last, sizeof(last));
    text_appendf(misfits,
                 "%sits rows are from %s to %s, which would need %lld partitions: take longer "
                 "periods, or mend the rows that are far off",
                 misfits->length == 0 ? "" : "; ", first, last, periods);
    return true;
}

static void
find_disk(const struct partition_live_advice *about, const struct partition_live_size *size,
          struct text *misfits)
{
    const struct catalog_server *server = about->advice->catalog;
    struct statvfs disk;

    if (!server->is_local || statvfs(server->data_directory, &disk) != 0)
        return;
    unsigned long long free_bytes = (unsigned long long)disk.f_bavail * disk.f_frsize;
    unsigned long long needed = (unsigned long long)size->bytes * DISK_TENTHS / 10;
    if (needed > free_bytes)
        text_appendf(misfits, "%sit needs %llu MB of disk and there are %llu MB",
                     misfits->length == 0 ? "" : "; ", needed >> 20, free_bytes >> 20);
}

bool
partition_find_misfits(const struct partition_live_advice *about,
                       const struct partition_live_size *size, const char **ret_misfits,
                       struct error *err)
{
    AUTO_TEXT misfits = {0};

    if (!find_values(about, &misfits, err) || !find_uuids(about, &misfits, err) ||
        !find_periods(about, &misfits, err))
        return false;
    find_disk(about, size, &misfits);
    *ret_misfits =
        misfits.length == 0 ? NULL : arena_strdup(about->advice->arena, text_chars(&misfits));
    return true;
}
