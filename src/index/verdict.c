// SPDX-License-Identifier: MIT
/* Which indexes deserve a second look. In doubt for the index: what is called superfluous here can
 * be dropped without a query or a rule losing anything that it had. */
#include "index/status.h"

#include "pg/script.h"

#include <stdio.h>
#include <string.h>

struct judgement {
    struct arena *arena;
    struct index_report *report;
    bool *is_unused; /* of each index */
    bool *is_going;  /* found superfluous beside another one */
};

const char *
index_verdict_name(enum index_verdict verdict)
{
    static const char *const names[INDEX_VERDICTS] = {"unused", "duplicate", "overlapping",
                                                      "invalid", "missing"};
    return names[verdict];
}

static const char *
amount(struct arena *arena, int64_t size_bytes)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
    size_t unit = 0;

    while (size_bytes >= 10240 && unit + 1 < sizeof(units) / sizeof(units[0])) {
        size_bytes /= 1024;
        unit++;
    }
    return arena_printf(arena, "%lld %s", (long long)size_bytes, units[unit]);
}

static const char *
drop_sql(struct arena *arena, const struct index_status *index)
{
    const char *sql = pg_script(
        arena, index->is_partitioned ? "index/sql/drop.sql" : "index/sql/drop_concurrently.sql",
        PG_VARIABLES({"schema", index->schema}, {"name", index->name}));

    return arena_printf(arena, "%s;", sql);
}

static const char *
place_text(struct arena *arena, const struct index_status *index)
{
    if (index->declared.line == 0)
        return "";
    return arena_printf(arena, " The deck declares it (%s:%d): take it out there first.",
                        index->declared.file, index->declared.line);
}

static struct index_finding *
add(struct judgement *judgement, const struct index_status *index, enum index_verdict verdict)
{
    struct index_finding *finding = LIST_ADD(judgement->arena, &judgement->report->findings);

    *finding = (struct index_finding){
        .verdict = verdict,
        .index = index,
        .schema = index->schema,
        .table = index->table,
        .name = index->name,
        .sql = drop_sql(judgement->arena, index),
        .is_drop = true,
    };
    return finding;
}

/* --- unused ------------------------------------------------------------------------------- */

/* It has another task than to make queries fast. */
static bool
is_needed(const struct index_status *index)
{
    return index->is_unique || index->constraint_type != 0 || index->is_replica_identity ||
           index->referenced_by[0] != '\0' || index->foreign_key[0] != '\0' ||
           index->is_clustered || index->is_extension;
}

static void
judge_use(struct judgement *judgement, size_t at)
{
    struct index_report *report = judgement->report;
    const struct index_status *index = &report->indexes.items[at];

    if (!index->is_valid || index->is_being_built || index->scans > 0 || is_needed(index) ||
        report->lacks_replica || report->age_seconds < 0 ||
        report->age_seconds * 1000 < report->review_ms)
        return;
    if (index->built_seconds >= 0 && index->built_seconds * 1000 < report->review_ms)
        return; /* it has not had the time */
    judgement->is_unused[at] = true;
    struct index_finding *finding = add(judgement, index, INDEX_UNUSED);
    finding->evidence = arena_printf(judgement->arena,
                                     "Not scanned once since %s (%lld days)%s; %s. It enforces "
                                     "nothing and serves no foreign key.%s",
                                     report->since, (long long)report->age_seconds / 86400,
                                     report->replicas == 0 ? "" : ", nor on a replica",
                                     amount(judgement->arena, index->size_bytes),
                                     place_text(judgement->arena, index));
}

/* --- one beside another ------------------------------------------------------------------- */

static bool
has_text(char *const *texts, size_t count, const char *text)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(texts[i], text) == 0)
            return true;
    }
    return false;
}

/* All columns that small carries along are somewhere in large. */
static bool
carries(const struct index_status *large, const struct index_status *small)
{
    for (size_t i = 0; i < small->included_count; i++) {
        if (!has_text(large->included, large->included_count, small->included[i]) &&
            !has_text(large->key_columns, large->key_count, small->included[i]))
            return false;
    }
    return true;
}

static bool
begins_with(const struct index_status *large, const struct index_status *small)
{
    if (strcmp(large->table_oid, small->table_oid) != 0 ||
        strcmp(large->method, small->method) != 0 ||
        strcmp(large->predicate, small->predicate) != 0 || large->key_count < small->key_count)
        return false;
    for (size_t i = 0; i < small->key_count; i++) {
        if (strcmp(large->keys[i], small->keys[i]) != 0)
            return false;
    }
    return carries(large, small);
}

/* What other demands on the data, small demands too, or makes none. */
static bool
enforces(const struct index_status *other, const struct index_status *small)
{
    if (small->is_replica_identity || small->is_clustered || small->is_extension ||
        small->referenced_by[0] != '\0' || small->constraint_type == 'x')
        return false;
    if (small->constraint_type != 0 && other->constraint_type == 0)
        return false;
    return !small->is_unique || (other->is_unique && other->key_count == small->key_count &&
                                 other->has_equal_nulls == small->has_equal_nulls &&
                                 (other->is_immediate || !small->is_immediate));
}

static bool
is_duplicate(const struct index_status *other, const struct index_status *index)
{
    return begins_with(other, index) && begins_with(index, other) &&
           other->is_unique == index->is_unique && enforces(other, index);
}

static bool
is_covered(const struct index_status *other, const struct index_status *index)
{
    return strcmp(index->method, "btree") == 0 && !index->is_unique && begins_with(other, index) &&
           enforces(other, index);
}

/* Of two that are the same: the one to keep. */
static bool
is_better(const struct index_status *left, const struct index_status *right)
{
    const int64_t ranks[][2] = {
        {left->constraint_type == 'p', right->constraint_type == 'p'},
        {left->constraint_type != 0, right->constraint_type != 0},
        {!enforces(right, left), !enforces(left, right)},
        {left->declared.line != 0, right->declared.line != 0},
        {left->scans, right->scans},
    };

    for (size_t i = 0; i < sizeof(ranks) / sizeof(ranks[0]); i++) {
        if (ranks[i][0] != ranks[i][1])
            return ranks[i][0] > ranks[i][1];
    }
    return strlen(left->oid) != strlen(right->oid) ? strlen(left->oid) < strlen(right->oid)
                                                   : strcmp(left->oid, right->oid) < 0;
}

static void
judge_pair(struct judgement *judgement, const struct index_status *other,
           const struct index_status *index, enum index_verdict verdict)
{
    struct arena *arena = judgement->arena;
    struct index_finding *finding = add(judgement, index, verdict);

    const char *difference =
        verdict == INDEX_DUPLICATE && strcmp(other->parameters, index->parameters) != 0
            ? arena_printf(arena, " They differ in storage parameters: (%s), this one (%s).",
                           other->parameters, index->parameters)
            : "";
    finding->evidence = arena_printf(
        arena, "%s %s (%s, %lld scans); this one is %s, %lld scans.%s%s",
        verdict == INDEX_DUPLICATE ? "The same as" : "All that it gives, is in",
        pg_qualified(arena, other->schema, other->name), amount(arena, other->size_bytes),
        (long long)other->scans, amount(arena, index->size_bytes), (long long)index->scans,
        difference, place_text(arena, index));
    if (index->constraint_type == 0)
        return;
    finding->is_drop = false;
    finding->sql = arena_printf(arena, "ALTER TABLE %s DROP CONSTRAINT %s;",
                                pg_qualified(arena, index->table_schema, index->table),
                                pg_identifier(arena, index->constraint_name));
}

/* The others of a table lie side by side. */
static void
judge_beside(struct judgement *judgement, size_t at)
{
    const struct index_report *report = judgement->report;
    const struct index_status *index = &report->indexes.items[at];
    const struct index_status *cover = NULL;
    enum index_verdict verdict = INDEX_OVERLAPPING;

    if (!index->is_valid)
        return;
    for (size_t i = 0; i < report->indexes.count; i++) {
        const struct index_status *other = &report->indexes.items[i];
        /* what goes itself, or what nobody uses and so may go, is no reason to drop another */
        if (i == at || !other->is_valid || judgement->is_going[i] ||
            (judgement->is_unused[i] && !judgement->is_unused[at]))
            continue;
        if (is_duplicate(other, index) && is_better(other, index)) {
            cover = other;
            verdict = INDEX_DUPLICATE;
            break;
        }
        if (cover == NULL && !is_duplicate(other, index) && is_covered(other, index))
            cover = other;
    }
    if (cover == NULL)
        return;
    judgement->is_going[at] = true;
    judge_pair(judgement, cover, index, verdict);
}

/* --- invalid ------------------------------------------------------------------------------ */

/* REINDEX CONCURRENTLY leaves these when it is broken off. */
static bool
is_leftover(const char *name)
{
    const char *suffix = strstr(name, "_ccnew");

    if (suffix == NULL)
        suffix = strstr(name, "_ccold");
    return suffix != NULL && strspn(suffix + 6, "0123456789") == strlen(suffix + 6);
}

static const struct index_status *
find_valid_twin(const struct index_report *report, const struct index_status *index)
{
    for (size_t i = 0; i < report->indexes.count; i++) {
        const struct index_status *other = &report->indexes.items[i];
        if (other->is_valid && strcmp(other->table_oid, index->table_oid) == 0 &&
            strcmp(other->canonical, index->canonical) == 0)
            return other;
    }
    return NULL;
}

static void
judge_validity(struct judgement *judgement, size_t at)
{
    struct arena *arena = judgement->arena;
    const struct index_status *index = &judgement->report->indexes.items[at];
    const struct index_status *twin = find_valid_twin(judgement->report, index);
    const char *qualified = pg_qualified(arena, index->schema, index->name);

    if (index->is_valid || index->is_being_built)
        return;
    struct index_finding *finding = add(judgement, index, INDEX_INVALID);
    finding->evidence = arena_printf(
        arena, "Its build was broken off: it costs writes (%s) and serves no query.%s",
        amount(arena, index->size_bytes),
        twin == NULL ? "" : arena_printf(arena, " %s is the same, and valid.", twin->name));
    if (index->is_partitioned)
        finding->evidence = "Not all partitions have a valid part of it, so that no query over the "
                            "whole table can count on it.";
    if (index->constraint_type == 0 && (twin != NULL || is_leftover(index->name)))
        return;
    finding->is_drop = false;
    if (index->declared.line != 0)
        finding->sql = "pgdeck apply --only index";
    else if (!index->is_partitioned)
        finding->sql = arena_printf(arena, "REINDEX INDEX CONCURRENTLY %s;", qualified);
    else
        finding->sql = arena_printf(arena, "DROP INDEX %s;", qualified);
}

void
index_judge(struct arena *arena, struct index_report *report)
{
    size_t count = report->indexes.count;
    struct judgement judgement = {
        .arena = arena,
        .report = report,
        .is_unused = ARENA_ARRAY(arena, bool, count + 1),
        .is_going = ARENA_ARRAY(arena, bool, count + 1),
    };

    for (size_t i = 0; i < count; i++)
        judge_use(&judgement, i);
    for (size_t i = 0; i < count; i++)
        judge_beside(&judgement, i);
    for (size_t i = 0; i < count; i++)
        judge_validity(&judgement, i);
}
