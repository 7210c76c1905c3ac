/* The partitions that a declared table should have today. Pure. */
#pragma once
#include "partition/bound.h"

struct partition_part {
    const char *name;
    const char *clause;       /* SQL: "FOR VALUES FROM ('..') TO ('..')" */
    const char *parent;       /* second level: name of the part that it is in; NULL: first level */
    const char *partition_by; /* "PARTITION BY RANGE (at)"; NULL: holds rows */
    struct partition_bound bound;
};

struct partition_parts {
    LIST_OF(struct partition_part) list;
};

/* Days since 1970-01-01 in UTC: today, and those of the oldest and the newest row. Of ids: the
 * newest twice, and the oldest one. */
struct partition_days {
    long long today, first, last;
};
/* The same for a table with rows: RANGE has all periods from the first to the last of them. */
void partition_parts_over(struct arena *arena, const struct deck_partition *partition,
                          const struct partition_days *days, struct partition_parts *ret_parts);

/* Bound of the period `offset` after that of the position (today, or the newest id): as SQL text,
 * and as bounds compare. */
struct partition_edge {
    const char *text, *sorted;
};
struct partition_edge partition_edge_at(struct arena *arena, const struct deck_partition *partition,
                                        long long position, int offset);

/* today: days since 1970-01-01 in UTC, or the newest id. RANGE: the current period, `past` before
 * and `premake` after it; also those of yesterday and tomorrow. */
void partition_parts_wanted(struct arena *arena, const struct deck_partition *partition,
                            long long today, struct partition_parts *ret_parts);

/* What a part of the first level is by itself: a table partitioned by then_range, with the part's
 * name. NULL: it holds rows. */
const struct deck_partition *
partition_inner(struct arena *arena, const struct deck_partition *partition, const char *part);
/* "LIST (status), then RANGE (created_at)" */
const char *partition_key_text(struct arena *arena, const struct deck_partition *partition);
/* The partition columns as a text[] parameter; the one of them that is a range's, or NULL. */
const char *partition_columns(struct arena *arena, const struct deck_partition *partition);
const char *partition_range_column(const struct deck_partition *partition);
/* "RANGE", "LIST", "HASH" */
const char *partition_kind_word(enum deck_partition_kind kind);
/* What a range is divided by: "time", "ids", "uuids"; NULL: it is none. */
const char *partition_divisor_word(const struct deck_partition *partition);
/* How long the old table of a conversion stays: "7 days". */
const char *partition_keep_text(struct arena *arena, const struct deck_partition *partition);
/* Another name, for when it is taken: name_2, then name_3 and so on, by its number from 2. */
const char *partition_numbered_name(struct arena *arena, const char *name, int number);
/* Names and clauses as text[] parameters. */
const char *partition_part_names(struct arena *arena, const struct partition_parts *parts);
const char *partition_part_clauses(struct arena *arena, const struct partition_parts *parts);
const char *partition_part_parents(struct arena *arena, const struct partition_parts *parts);
const char *partition_part_keys(struct arena *arena, const struct partition_parts *parts);
