/* What a partition holds: read from PostgreSQL's canonical text, or made for the deck. Pure. */
#pragma once
#include "deck/deck.h"

enum partition_relation { BOUND_SAME, BOUND_APART, BOUND_COVERS, BOUND_OVERLAPS };

struct partition_bound {
    enum deck_partition_kind kind;
    bool is_default;
    /* RANGE: "2026-11-01 00:00:00", of ids 20 digits, which sort as text; lower "" is MINVALUE,
     * upper "~" MAXVALUE */
    const char *lower, *upper;
    LIST_OF(const char *) values; /* LIST; NULL is the null value */
    int modulus, remainder;       /* HASH */
};

/* Reads "FOR VALUES ..." or "DEFAULT" of a partition with one key column, as pg_get_expr shows it
 * in UTC with ISO dates. false: not such a text. */
bool
partition_bound_parse(struct arena *arena, const char *text, struct partition_bound *ret_bound);

/* How an existing bound lies to a wanted one: the same, apart, covers it all, or only a part. */
enum partition_relation partition_bound_compare(const struct partition_bound *existing,
                                                const struct partition_bound *wanted);
