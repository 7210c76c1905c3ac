// SPDX-License-Identifier: MIT
#include "pool/statement.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <xxhash.h>

static struct pool_statement *
find(struct pool_statement *one, uint64_t hash, const struct wire_parse *parse)
{
    while (one != NULL &&
           (one->hash != hash || strcmp(one->text, parse->sql) != 0 ||
            one->types_bytes != parse->types_bytes ||
            memcmp(pool_statement_types(one), parse->types, parse->types_bytes) != 0))
        one = one->next;
    return one;
}

struct pool_statement *
pool_statement_make(struct pool_statement_table *table, const struct wire_parse *parse,
                    bool has_backslashes)
{
    size_t text_bytes = strlen(parse->sql) + 1;
    uint64_t hash =
        XXH64(parse->sql, text_bytes, XXH64(parse->types, parse->types_bytes, has_backslashes));
    struct pool_statement **bucket = &table->buckets[hash % POOL_STATEMENT_BUCKETS];

    struct pool_statement *same = find(*bucket, hash, parse);
    if (same != NULL)
        return pool_statement_keep(same);
    struct pool_statement *statement = malloc(sizeof(*statement) + text_bytes + parse->types_bytes);
    if (statement == NULL)
        return NULL;
    *statement = (struct pool_statement){.next = *bucket,
                                         .hash = hash,
                                         .references = 1,
                                         .types_bytes = (uint32_t)parse->types_bytes,
                                         .text_bytes = (uint32_t)text_bytes};
    memcpy(statement->text, parse->sql, text_bytes);
    memcpy(statement->text + text_bytes, parse->types, parse->types_bytes);
    pool_sql_scan(statement->text, text_bytes - 1, has_backslashes, &statement->sql);
    *bucket = statement;
    table->count++;
    table->bytes += sizeof(*statement) + text_bytes + parse->types_bytes;
    return statement;
}

struct pool_statement *
pool_statement_keep(struct pool_statement *statement)
{
    statement->references++;
    return statement;
}

void
pool_statement_drop(struct pool_statement_table *table, struct pool_statement *statement)
{
    if (statement == NULL)
        return;
    assert(statement->references > 0);
    if (--statement->references > 0)
        return;
    struct pool_statement **at = &table->buckets[statement->hash % POOL_STATEMENT_BUCKETS];
    while (*at != statement)
        at = &(*at)->next;
    *at = statement->next;
    table->count--;
    table->bytes -= sizeof(*statement) + statement->text_bytes + statement->types_bytes;
    free(statement);
}

struct pool_statement *
pool_statement_copy(const struct pool_statement *statement)
{
    size_t bytes = sizeof(*statement) + statement->text_bytes + statement->types_bytes;
    struct pool_statement *copy = malloc(bytes);

    if (copy == NULL)
        return NULL;
    memcpy(copy, statement, bytes);
    copy->next = NULL;
    copy->references = 1;
    for (size_t i = 0; i < copy->sql.name_count; i++)
        copy->sql.names[i].at = copy->text + (statement->sql.names[i].at - statement->text);
    if (copy->sql.prepared.at != NULL)
        copy->sql.prepared.at = copy->text + (statement->sql.prepared.at - statement->text);
    return copy;
}

struct pool_statement *
pool_statement_adopt(struct pool_statement_table *table, struct pool_statement *copy)
{
    const struct wire_parse parse = {
        .sql = copy->text, .types = pool_statement_types(copy), .types_bytes = copy->types_bytes};
    struct pool_statement **bucket = &table->buckets[copy->hash % POOL_STATEMENT_BUCKETS];
    struct pool_statement *same = find(*bucket, copy->hash, &parse);

    if (same != NULL) {
        free(copy);
        return pool_statement_keep(same);
    }
    copy->next = *bucket;
    *bucket = copy;
    table->count++;
    table->bytes += sizeof(*copy) + copy->text_bytes + copy->types_bytes;
    return copy;
}

/* --- which come again ---------------------------------------------------------------------- */

bool
pool_seen_often(struct pool_seen *seen, const struct pool_statement *statement)
{
    uint8_t *count = &seen->counts[statement->hash % POOL_SEEN_SLOTS];

    if (++seen->total > POOL_SEEN_SLOTS) {
        for (size_t i = 0; i < POOL_SEEN_SLOTS; i++)
            seen->counts[i] /= 2;
        seen->total = 0;
    }
    if (*count < UINT8_MAX)
        ++*count;
    return *count >= POOL_SEEN_OFTEN;
}

/* --- a client's names ---------------------------------------------------------------------- */

static struct pool_name **
name_bucket(const struct pool_names *names, const char *name)
{
    return &names->buckets[XXH64(name, strlen(name), 0) % POOL_NAME_BUCKETS];
}

struct pool_statement *
pool_names_find(const struct pool_names *names, const char *name)
{
    if (names->buckets == NULL)
        return NULL;
    for (struct pool_name *one = *name_bucket(names, name); one != NULL; one = one->next) {
        if (strcmp(one->text, name) == 0)
            return one->statement;
    }
    return NULL;
}

uint32_t
pool_names_add(struct pool_names *names, struct pool_statement_table *table, const char *name,
               struct pool_statement *statement)
{
    size_t bytes = strlen(name) + 1;
    struct pool_name *added = NULL;

    if (names->buckets == NULL)
        names->buckets = calloc(POOL_NAME_BUCKETS, sizeof(*names->buckets));
    if (names->buckets != NULL && names->count < POOL_CLIENT_STATEMENTS_MAX)
        added = malloc(sizeof(*added) + bytes);
    if (added == NULL) {
        pool_statement_drop(table, statement);
        return 0;
    }
    struct pool_name **bucket = name_bucket(names, name);
    *added =
        (struct pool_name){.next = *bucket, .statement = statement, .number = ++names->last_number};
    memcpy(added->text, name, bytes);
    *bucket = added;
    names->count++;
    return added->number;
}

static struct pool_name *
unlink_name(struct pool_names *names, struct pool_name **at)
{
    struct pool_name *one = *at;

    *at = one->next;
    names->count--;
    return one;
}

struct pool_name *
pool_names_detach(struct pool_names *names, const char *name)
{
    if (names->buckets == NULL)
        return NULL;
    for (struct pool_name **at = name_bucket(names, name); *at != NULL; at = &(*at)->next) {
        if (strcmp((*at)->text, name) == 0)
            return unlink_name(names, at);
    }
    return NULL;
}

void
pool_name_free(struct pool_statement_table *table, struct pool_name *name)
{
    if (name == NULL)
        return;
    pool_statement_drop(table, name->statement);
    free(name);
}

void
pool_names_attach(struct pool_names *names, struct pool_statement_table *table,
                  struct pool_name *name)
{
    if (names->buckets == NULL)
        names->buckets = calloc(POOL_NAME_BUCKETS, sizeof(*names->buckets));
    if (names->buckets == NULL) {
        pool_name_free(table, name);
        return;
    }
    struct pool_name **bucket = name_bucket(names, name->text);
    name->next = *bucket;
    *bucket = name;
    names->count++;
}

uint32_t
pool_name_key(const char *name)
{
    uint32_t key = (uint32_t)XXH64(name, strlen(name), 0);

    return key == 0 ? 1 : key;
}

void
pool_names_remove(struct pool_names *names, struct pool_statement_table *table, const char *name)
{
    pool_name_free(table, pool_names_detach(names, name));
}

void
pool_names_undo(struct pool_names *names, struct pool_statement_table *table, uint32_t number)
{
    for (size_t i = 0; names->buckets != NULL && i < POOL_NAME_BUCKETS; i++) {
        for (struct pool_name **at = &names->buckets[i]; *at != NULL; at = &(*at)->next) {
            if ((*at)->number == number) {
                pool_name_free(table, unlink_name(names, at));
                return;
            }
        }
    }
}

void
pool_names_clear(struct pool_names *names, struct pool_statement_table *table)
{
    for (size_t i = 0; names->buckets != NULL && i < POOL_NAME_BUCKETS; i++) {
        for (struct pool_name *one = names->buckets[i], *next; one != NULL; one = next) {
            next = one->next;
            pool_statement_drop(table, one->statement);
            free(one);
        }
    }
    free(names->buckets);
    names->buckets = NULL;
    names->count = 0;
}

/* --- what a server has --------------------------------------------------------------------- */

struct pool_prepared *
pool_prepared_find(struct pool_prepared_set *set, const struct pool_statement *statement)
{
    for (uint32_t i = 0; i < set->count; i++) {
        if (set->items[i].statement == statement) {
            set->items[i].used = ++set->clock;
            return &set->items[i];
        }
    }
    return NULL;
}

static struct pool_prepared *
oldest(struct pool_prepared_set *set)
{
    struct pool_prepared *found = &set->items[0];

    for (uint32_t i = 1; i < set->count; i++) {
        if (set->clock - set->items[i].used > set->clock - found->used)
            found = &set->items[i];
    }
    return found;
}

struct pool_prepared *
pool_prepared_add(struct pool_prepared_set *set, struct pool_statement_table *table,
                  struct pool_statement *statement, uint32_t *ret_evicted)
{
    struct pool_prepared *place;

    *ret_evicted = 0;
    if (set->items == NULL)
        set->items = calloc(set->capacity, sizeof(*set->items));
    if (set->items == NULL)
        return NULL;
    if (set->count < set->capacity) {
        place = &set->items[set->count++];
    } else {
        place = oldest(set);
        *ret_evicted = place->number;
        pool_statement_drop(table, place->statement);
    }
    *place =
        (struct pool_prepared){pool_statement_keep(statement), ++set->last_number, ++set->clock};
    return place;
}

void
pool_prepared_remove(struct pool_prepared_set *set, struct pool_statement_table *table,
                     uint32_t number)
{
    for (uint32_t i = 0; i < set->count; i++) {
        if (set->items[i].number != number)
            continue;
        pool_statement_drop(table, set->items[i].statement);
        set->items[i] = set->items[--set->count];
        return;
    }
}

void
pool_prepared_clear(struct pool_prepared_set *set, struct pool_statement_table *table)
{
    for (uint32_t i = 0; i < set->count; i++)
        pool_statement_drop(table, set->items[i].statement);
    free(set->items);
    set->items = NULL;
    set->count = 0;
}

bool
pool_prepared_copy(struct pool_prepared_set *set, struct pool_statement_table *table)
{
    struct pool_prepared *items = set->count == 0 ? NULL : calloc(set->capacity, sizeof(*items));
    bool is_fine = set->count == 0 || items != NULL;

    for (uint32_t i = 0; i < set->count && is_fine; i++) {
        items[i] = set->items[i];
        items[i].statement = pool_statement_copy(set->items[i].statement);
        is_fine = items[i].statement != NULL;
    }
    if (is_fine) {
        for (uint32_t i = 0; i < set->count; i++)
            pool_statement_drop(table, set->items[i].statement);
        free(set->items);
        set->items = items;
        return true;
    }
    for (uint32_t i = 0; items != NULL && i < set->count; i++)
        free(items[i].statement);
    free(items);
    return false;
}

void
pool_prepared_adopt(struct pool_prepared_set *set, struct pool_statement_table *table)
{
    for (uint32_t i = 0; i < set->count; i++)
        set->items[i].statement = pool_statement_adopt(table, set->items[i].statement);
}

void
pool_prepared_name(const struct pool_prepared_set *set, uint32_t number,
                   char ret_name[POOL_PREPARED_NAME_BYTES])
{
    snprintf(ret_name, POOL_PREPARED_NAME_BYTES, POOL_PREPARED_PREFIX "%08x_%u", set->tag, number);
}
