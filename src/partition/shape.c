// SPDX-License-Identifier: MIT
#include "partition/shape.h"

#include "partition/period.h"
#include "pg/script.h"

#include <string.h>

bool
partition_is_alike(struct arena *arena, const struct deck_partition *partition,
                   const struct catalog_table *table)
{
    const char *open = strchr(table->partition_key, '(');
    const char *word = partition_kind_word(partition->kind);
    size_t length = strlen(word);

    if (open == NULL || strncmp(table->partition_key, word, length) != 0)
        return false;
    /* the server quotes what must be, pgdeck what might have to be */
    const char *bare = arena_printf(arena, "(%s)", partition->column);
    const char *quoted = arena_printf(arena, "(%s)", pg_identifier(arena, partition->column));
    return strcmp(open, bare) == 0 || strcmp(open, quoted) == 0;
}

static bool
is_period(const struct deck_partition *partition, const struct partition_bound *bound)
{
    long long day;
    char lower[48];
    char upper[48];

    if (!partition_day_of_text(partition->unit, bound->lower, &day))
        return false;
    partition_day_text(partition->unit,
                       partition_period_first(partition->unit, partition->every, day, 0), lower,
                       sizeof(lower));
    partition_day_text(partition->unit,
                       partition_period_first(partition->unit, partition->every, day, 1), upper,
                       sizeof(upper));
    return strcmp(lower, bound->lower) == 0 && strcmp(upper, bound->upper) == 0;
}

static bool
is_wanted(const struct partition_parts *wanted, const struct partition_bound *bound)
{
    for (size_t i = 0; i < wanted->list.count; i++) {
        if (wanted->list.items[i].parent == NULL &&
            partition_bound_compare(bound, &wanted->list.items[i].bound) == BOUND_SAME)
            return true;
    }
    return false;
}

static bool
has_rows(const struct partition_live_advice *about, const struct catalog_table *part,
         bool *ret_has_rows, struct error *err)
{
    AUTO_PGRESULT result = NULL;
    const char *sql = pg_script(about->advice->arena, "partition/sql/has_rows.sql",
                                PG_VARIABLES({"schema", part->schema}, {"table", part->name}));

    if (!pg_query(about->connection, sql, 0, NULL, &result, err))
        return false;
    *ret_has_rows = pg_bool(result, 0, "has_rows");
    return true;
}

/* What is different at one partition of the first level. */
static bool
look_at(const struct partition_live_advice *about, const struct catalog_table *part,
        const struct partition_parts *wanted, const char **ret_difference, struct error *err)
{
    struct arena *arena = about->advice->arena;
    const struct deck_partition *partition = about->partition;
    const struct deck_partition *inner = partition_inner(arena, partition, part->name);
    struct partition_bound bound;
    bool is_filled;

    if (!partition_bound_parse(arena, part->partition_bound, &bound))
        return true;
    if (bound.is_default) {
        if (!has_rows(about, part, &is_filled, err))
            return false;
        if (is_filled)
            *ret_difference = arena_printf(arena, "its default partition %s has rows", part->name);
        return true;
    }
    bool is_fine = partition->kind == PARTITION_RANGE ? is_period(partition, &bound)
                                                      : is_wanted(wanted, &bound);
    if (!is_fine)
        *ret_difference =
            arena_printf(arena, "its partition %s is %s", part->name, part->partition_bound);
    else if ((inner != NULL) != (part->kind == 'p') ||
             (inner != NULL && !partition_is_alike(arena, inner, part)))
        *ret_difference =
            arena_printf(arena, "its partition %s is divided in another way", part->name);
    else if (inner != NULL) {
        struct partition_live_advice within = *about;
        within.partition = inner;
        return partition_find_difference(&within, part, ret_difference, err);
    }
    return true;
}

bool
partition_find_difference(const struct partition_live_advice *about,
                          const struct catalog_table *table, const char **ret_difference,
                          struct error *err)
{
    const struct catalog_database *catalog =
        catalog_find_database(about->advice->catalog, about->database->name);
    struct partition_parts wanted;

    *ret_difference = NULL;
    partition_parts_wanted(about->advice->arena, about->partition, 0, &wanted);
    for (size_t i = 0; i < catalog->tables.count && *ret_difference == NULL; i++) {
        const struct catalog_table *part = &catalog->tables.items[i];
        if (part->parent_oid == table->oid && !look_at(about, part, &wanted, ret_difference, err))
            return false;
    }
    return true;
}
