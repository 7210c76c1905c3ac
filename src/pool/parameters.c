// SPDX-License-Identifier: MIT
#include "pool/parameters.h"

#include "pool/sql.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <xxhash.h>

static int
compare_names(const char *a, const char *b)
{
    return a[0] == POOL_PARAMETER_STATEMENT ? strcmp(a, b) : strcasecmp(a, b);
}

static int
compare(const void *left, const void *right)
{
    const struct pool_parameter *a = left, *b = right;

    return compare_names(a->name, b->name);
}

/* Sorted, the last one of each name. */
static size_t
settle(struct pool_parameter *sorted, const struct pool_parameter *items, size_t count)
{
    size_t kept = 0;

    for (size_t i = 0; i < count; i++) {
        bool is_last = true;
        for (size_t j = i + 1; j < count && is_last; j++)
            is_last = compare_names(items[i].name, items[j].name) != 0;
        if (is_last)
            sorted[kept++] = items[i];
    }
    qsort(sorted, kept, sizeof(*sorted), compare);
    return kept;
}

static bool
is_same(const struct pool_parameters *set, const struct pool_parameter *items, size_t count)
{
    if (set->count != count)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(set->items[i].name, items[i].name) != 0 ||
            strcmp(set->items[i].value, items[i].value) != 0)
            return false;
    }
    return true;
}

static struct pool_parameters *
build(const struct pool_parameter *items, size_t count, size_t text_bytes)
{
    struct pool_parameters *set = malloc(sizeof(*set) + count * sizeof(set->items[0]) + text_bytes);

    if (set == NULL)
        return NULL;
    char *text = (char *)&set->items[count];
    *set = (struct pool_parameters){
        .references = 1, .count = (unsigned)count, .text_bytes = (unsigned)text_bytes};
    for (size_t i = 0; i < count; i++) {
        size_t name_bytes = strlen(items[i].name) + 1, value_bytes = strlen(items[i].value) + 1;
        set->items[i] = (struct pool_parameter){text, text + name_bytes};
        memcpy(text, items[i].name, name_bytes);
        memcpy(text + name_bytes, items[i].value, value_bytes);
        text += name_bytes + value_bytes;
        set->has_backslashes |= strcasecmp(items[i].name, "standard_conforming_strings") == 0 &&
                                strcmp(items[i].value, "off") == 0;
        if (!pool_parameter_is_statement(&set->items[i]))
            continue;
        struct pool_sql sql;
        pool_sql_scan(set->items[i].value, value_bytes - 1, false, &sql);
        set->signs |= sql.signs & ~(unsigned)POOL_SQL_STATEMENTS;
    }
    return set;
}

const struct pool_parameters *
pool_parameters_make(struct pool_parameter_table *table, const struct pool_parameter *items,
                     size_t count)
{
    struct pool_parameter sorted[POOL_PARAMETERS_MAX];
    uint64_t hash = 0;
    size_t bytes = 0;

    if (count > POOL_PARAMETERS_MAX)
        return NULL;
    count = settle(sorted, items, count);
    for (size_t i = 0; i < count; i++) {
        size_t name_bytes = strlen(sorted[i].name) + 1, value_bytes = strlen(sorted[i].value) + 1;
        hash = XXH64(sorted[i].name, name_bytes, hash);
        hash = XXH64(sorted[i].value, value_bytes, hash);
        bytes += name_bytes + value_bytes;
    }
    if (bytes > POOL_PARAMETERS_BYTES_MAX)
        return NULL;
    struct pool_parameters **bucket = &table->buckets[hash % POOL_PARAMETER_BUCKETS];
    for (struct pool_parameters *set = *bucket; set != NULL; set = set->next) {
        if (set->hash == hash && is_same(set, sorted, count)) {
            set->references++;
            return set;
        }
    }
    struct pool_parameters *set = build(sorted, count, bytes);
    if (set == NULL)
        return NULL;
    set->hash = hash;
    set->next = *bucket;
    *bucket = set;
    table->count++;
    return set;
}

const struct pool_parameters *
pool_parameters_with(struct pool_parameter_table *table, const struct pool_parameters *set,
                     const char *name, const char *value)
{
    struct pool_parameter items[POOL_PARAMETERS_MAX + 1];

    if (set->count > 0)
        memcpy(items, set->items, set->count * sizeof(items[0]));
    items[set->count] = (struct pool_parameter){name, value};
    if (set->count == POOL_PARAMETERS_MAX && pool_parameters_find(set, name) == NULL)
        return NULL;
    if (set->count < POOL_PARAMETERS_MAX)
        return pool_parameters_make(table, items, set->count + 1);
    for (size_t i = 0; i < set->count; i++) {
        if (strcasecmp(items[i].name, name) == 0)
            items[i].value = value;
    }
    return pool_parameters_make(table, items, set->count);
}

const char *
pool_parameters_find(const struct pool_parameters *set, const char *name)
{
    struct pool_parameter key = {name, NULL};
    const struct pool_parameter *found =
        bsearch(&key, set->items, set->count, sizeof(set->items[0]), compare);

    return found == NULL ? NULL : found->value;
}

bool
pool_parameters_have_statement(const struct pool_parameters *set, const char *name)
{
    bool has = false;

    for (unsigned i = 0; i < set->count && !has; i++)
        has = pool_parameter_is_statement(&set->items[i]) &&
              (name == NULL || strcmp(set->items[i].name + 1, name) == 0);
    return has;
}

struct pool_parameters *
pool_parameters_copy(const struct pool_parameters *set)
{
    struct pool_parameters *copy = build(set->items, set->count, set->text_bytes);

    if (copy != NULL)
        copy->hash = set->hash;
    return copy;
}

const struct pool_parameters *
pool_parameters_adopt(struct pool_parameter_table *table, struct pool_parameters *copy)
{
    struct pool_parameters **bucket = &table->buckets[copy->hash % POOL_PARAMETER_BUCKETS];

    for (struct pool_parameters *set = *bucket; set != NULL; set = set->next) {
        if (set->hash == copy->hash && is_same(set, copy->items, copy->count)) {
            free(copy);
            set->references++;
            return set;
        }
    }
    copy->next = *bucket;
    *bucket = copy;
    table->count++;
    return copy;
}

const struct pool_parameters *
pool_parameters_keep(const struct pool_parameters *set)
{
    ((struct pool_parameters *)set)->references++;
    return set;
}

void
pool_parameters_drop(struct pool_parameter_table *table, const struct pool_parameters *set)
{
    if (set == NULL)
        return;
    struct pool_parameters *own = (struct pool_parameters *)set;
    assert(own->references > 0);
    if (--own->references > 0)
        return;
    struct pool_parameters **at = &table->buckets[own->hash % POOL_PARAMETER_BUCKETS];
    while (*at != own)
        at = &(*at)->next;
    *at = own->next;
    table->count--;
    free(own);
}

void
pool_parameters_move(struct pool_parameter_table *table, const struct pool_parameters **target,
                     const struct pool_parameters *set)
{
    const struct pool_parameters *old = *target;

    *target = set;
    pool_parameters_drop(table, old);
}
