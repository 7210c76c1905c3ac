// SPDX-License-Identifier: MIT
#include "partition/part.h"

#include "base/text.h"
#include "change/name.h"
#include "partition/period.h"
#include "pg/connection.h"
#include "pg/script.h"

#include <string.h>

const char *
partition_kind_word(enum deck_partition_kind kind)
{
    static const char *const words[] = {
        [PARTITION_RANGE] = "RANGE", [PARTITION_LIST] = "LIST", [PARTITION_HASH] = "HASH"};

    return words[kind];
}

const char *
partition_divisor_word(const struct deck_partition *partition)
{
    if (partition->kind != PARTITION_RANGE)
        return NULL;
    return partition->unit == UNIT_ID ? "ids" : partition->is_uuidv7 ? "uuids" : "time";
}

static struct partition_part *
add(struct arena *arena, const struct deck_partition *partition, const char *suffix,
    const char *clause, struct partition_parts *parts)
{
    struct partition_part *part = LIST_ADD(arena, &parts->list);

    part->name = change_name(arena, partition->table, arena_printf(arena, "_%s", suffix));
    part->clause = clause;
    if (!partition_bound_parse(arena, clause, &part->bound))
        part->bound.kind = partition->kind; /* cannot be: the clause is of the same form */
    return part;
}

static void
bound_uuids(const struct deck_partition *partition, long long today, int offset,
            struct partition_period *period)
{
    enum deck_unit unit = partition->unit;

    partition_uuid_text(partition_period_first(unit, partition->every, today, offset),
                        period->lower, sizeof(period->lower));
    partition_uuid_text(partition_period_first(unit, partition->every, today, offset + 1),
                        period->upper, sizeof(period->upper));
}

/* Whether there are ids in that period: none beyond the ends of bigint. */
static bool
has_room(const struct deck_partition *partition, long long today, int offset)
{
    return partition_period_first(partition->unit, partition->every, today, offset) <
           partition_period_first(partition->unit, partition->every, today, offset + 1);
}

static void
add_range(struct arena *arena, const struct deck_partition *partition,
          const struct partition_days *days, struct partition_parts *parts)
{
    long long end = days->today > days->last ? days->today : days->last;
    int past = partition->past;
    int ahead = partition->premake;

    while (partition_period_first(partition->unit, partition->every, days->today, -past) >
           days->first)
        past++;
    while (partition_period_first(partition->unit, partition->every, days->today, ahead + 1) <=
               end &&
           has_room(partition, days->today, ahead + 1))
        ahead++;
    for (int offset = -past; offset <= ahead; offset++) {
        if (!has_room(partition, days->today, offset))
            continue;
        struct partition_period period =
            partition_period_at(partition->unit, partition->every, days->today, offset);
        if (partition->is_uuidv7)
            bound_uuids(partition, days->today, offset, &period);
        add(arena, partition, period.suffix,
            pg_script(arena, "partition/sql/bound_range.sql",
                      PG_VARIABLES({"lower", period.lower}, {"upper", period.upper})),
            parts);
    }
}

struct partition_edge
partition_edge_at(struct arena *arena, const struct deck_partition *partition, long long position,
                  int offset)
{
    struct partition_period period =
        partition_period_at(partition->unit, partition->every, position, offset);
    char sorted[48];

    if (partition->is_uuidv7)
        bound_uuids(partition, position, offset, &period);
    partition_day_text(partition->unit,
                       partition_period_first(partition->unit, partition->every, position, offset),
                       sorted, sizeof(sorted));
    return (struct partition_edge){arena_strdup(arena, period.lower), arena_strdup(arena, sorted)};
}

static void
add_list(struct arena *arena, const struct deck_partition *partition, struct partition_parts *parts)
{
    for (size_t i = 0; i < partition->parts.count; i++) {
        const struct deck_partition_part *declared = &partition->parts.items[i];
        AUTO_TEXT values = {0};
        for (size_t j = 0; j < declared->values.count; j++)
            text_appendf(&values, "%s%s", j == 0 ? "" : ", ",
                         pg_literal(arena, declared->values.items[j]));
        add(arena, partition, declared->name,
            pg_script(arena, "partition/sql/bound_list.sql",
                      PG_VARIABLES({"values", text_chars(&values)})),
            parts);
    }
}

static void
add_hash(struct arena *arena, const struct deck_partition *partition, struct partition_parts *parts)
{
    for (int i = 0; i < partition->modulus; i++) {
        const char *remainder = arena_printf(arena, "%d", i);
        add(arena, partition, arena_printf(arena, "h%d", i),
            pg_script(arena, "partition/sql/bound_hash.sql",
                      PG_VARIABLES({"modulus", arena_printf(arena, "%d", partition->modulus)},
                                   {"remainder", remainder})),
            parts);
    }
}

void
partition_parts_wanted(struct arena *arena, const struct deck_partition *partition, long long today,
                       struct partition_parts *ret_parts)
{
    /* clocks of clients, and columns without a time zone, may be a day behind or ahead */
    int slack = partition->unit == UNIT_ID ? 0 : 1;
    partition_parts_over(arena, partition,
                         &(struct partition_days){today, today - slack, today + slack}, ret_parts);
}

static void
add_first_level(struct arena *arena, const struct deck_partition *partition,
                const struct partition_days *days, struct partition_parts *parts)
{
    if (partition->kind == PARTITION_RANGE)
        add_range(arena, partition, days, parts);
    else if (partition->kind == PARTITION_LIST)
        add_list(arena, partition, parts);
    else
        add_hash(arena, partition, parts);
}

void
partition_parts_over(struct arena *arena, const struct deck_partition *partition,
                     const struct partition_days *days, struct partition_parts *ret_parts)
{
    *ret_parts = (struct partition_parts){0};
    add_first_level(arena, partition, days, ret_parts);
    if (partition->then_range == NULL)
        return;
    size_t count = ret_parts->list.count;
    for (size_t i = 0; i < count; i++) {
        const char *name = ret_parts->list.items[i].name;
        size_t first = ret_parts->list.count;
        ret_parts->list.items[i].partition_by = arena_printf(
            arena, "PARTITION BY RANGE (%s)", pg_identifier(arena, partition->then_range));
        add_range(arena, partition_inner(arena, partition, name), days, ret_parts);
        for (size_t j = first; j < ret_parts->list.count; j++)
            ret_parts->list.items[j].parent = name;
    }
}

const struct deck_partition *
partition_inner(struct arena *arena, const struct deck_partition *partition, const char *part)
{
    if (partition->then_range == NULL)
        return NULL;
    struct deck_partition *inner = ARENA_NEW(arena, struct deck_partition);
    *inner = *partition;
    inner->table = part;
    inner->kind = PARTITION_RANGE;
    inner->column = partition->then_range;
    inner->then_range = NULL;
    return inner;
}

const char *
partition_key_text(struct arena *arena, const struct deck_partition *partition)
{
    const char *first =
        arena_printf(arena, "%s (%s)", partition_kind_word(partition->kind), partition->column);

    return partition->then_range == NULL
               ? first
               : arena_printf(arena, "%s, then RANGE (%s)", first, partition->then_range);
}

const char *
partition_columns(struct arena *arena, const struct deck_partition *partition)
{
    const char *columns[2] = {partition->column, partition->then_range};

    return pg_text_array(arena, columns, partition->then_range == NULL ? 1 : 2);
}

const char *
partition_range_column(const struct deck_partition *partition)
{
    return partition->kind == PARTITION_RANGE ? partition->column : partition->then_range;
}

const char *
partition_keep_text(struct arena *arena, const struct deck_partition *partition)
{
    enum { HOUR_MS = 3600000, DAY_HOURS = 24 };
    long long hours = partition->keep_ms / HOUR_MS;

    if (hours >= DAY_HOURS)
        return arena_printf(arena, "%lld days", hours / DAY_HOURS);
    return arena_printf(arena, "%lld h", hours);
}

const char *
partition_part_names(struct arena *arena, const struct partition_parts *parts)
{
    const char **names = ARENA_ARRAY(arena, const char *, parts->list.count + 1);

    for (size_t i = 0; i < parts->list.count; i++)
        names[i] = parts->list.items[i].name;
    return pg_text_array(arena, names, parts->list.count);
}

const char *
partition_part_clauses(struct arena *arena, const struct partition_parts *parts)
{
    const char **clauses = ARENA_ARRAY(arena, const char *, parts->list.count + 1);

    for (size_t i = 0; i < parts->list.count; i++)
        clauses[i] = parts->list.items[i].clause;
    return pg_text_array(arena, clauses, parts->list.count);
}

const char *
partition_part_parents(struct arena *arena, const struct partition_parts *parts)
{
    const char **parents = ARENA_ARRAY(arena, const char *, parts->list.count + 1);

    for (size_t i = 0; i < parts->list.count; i++)
        parents[i] = parts->list.items[i].parent;
    return pg_text_array(arena, parents, parts->list.count);
}

const char *
partition_part_keys(struct arena *arena, const struct partition_parts *parts)
{
    const char **keys = ARENA_ARRAY(arena, const char *, parts->list.count + 1);

    for (size_t i = 0; i < parts->list.count; i++)
        keys[i] = parts->list.items[i].partition_by;
    return pg_text_array(arena, keys, parts->list.count);
}

const char *
partition_numbered_name(struct arena *arena, const char *name, int number)
{
    const char *last = arena_printf(arena, "_%d", number - 1);
    size_t length = strlen(name);
    size_t cut =
        number > 2 && length > strlen(last) && strcmp(name + length - strlen(last), last) == 0
            ? strlen(last)
            : 0;

    return change_name(arena, arena_strndup(arena, name, length - cut),
                       arena_printf(arena, "_%d", number));
}
