// SPDX-License-Identifier: MIT
/* How long the answers to each query took, as the pool counted it: the only true p95 of a query.
 * The pool counts from its start, by fingerprint, database and user; what came since the reading
 * before goes to the statement of that fingerprint, database and role. */
#include "watch/pools.h"
#include "watch/state.h"

#include <stdlib.h>
#include <string.h>

enum { QUERIES_MAX = 2000, CHAINS = 4096, DECIMAL = 10, HEX = 16 };

struct watch_pool_query {
    char database[WATCH_POOL_LABEL], user[WATCH_POOL_LABEL];
    uint64_t fingerprint;
    uint32_t counts[WATCH_TIMES_BUCKETS], before[WATCH_TIMES_BUCKETS]; /* as read */
    bool was_read, is_new; /* in this reading; it is the first that has it */
    size_t next;           /* of its chain, + 1; 0: none */
};

struct watch_pool_queries { /* of one deck; kept */
    struct watch_pool_query *items;
    size_t count;
    size_t chains[CHAINS]; /* by fingerprint: the first, + 1; 0: none */
};

void *
watch_pool_queries_new(void)
{
    struct watch_pool_queries *queries = calloc(1, sizeof(*queries));

    if (queries == NULL)
        abort();
    return queries;
}

void
watch_pool_queries_free(void *value)
{
    struct watch_pool_queries *queries = value;

    free(queries->items);
    free(queries);
}

static struct watch_pool_query *
find(struct watch_pool_queries *queries, uint64_t fingerprint, const char *database,
     const char *user)
{
    for (size_t at = queries->chains[fingerprint % CHAINS]; at > 0;) {
        struct watch_pool_query *query = &queries->items[at - 1];
        at = query->next;
        if (query->fingerprint == fingerprint && strcmp(query->database, database) == 0 &&
            strcmp(query->user, user) == 0)
            return query;
    }
    return NULL;
}

static void
chain(struct watch_pool_queries *queries, size_t i)
{
    size_t *first = &queries->chains[queries->items[i].fingerprint % CHAINS];

    queries->items[i].next = *first;
    *first = i + 1;
}

/* The one of that line, made where it is new; NULL: not one of a text, or there is no room. */
static struct watch_pool_query *
query_of(struct watch_pool_queries *queries, const char *labels)
{
    struct watch_pool_query one = {0};
    char fingerprint[WATCH_POOL_LABEL];

    watch_pool_label(labels, "fingerprint", fingerprint);
    watch_pool_label(labels, "database", one.database);
    watch_pool_label(labels, "user", one.user);
    one.fingerprint = strlen(fingerprint) == HEX ? strtoull(fingerprint, NULL, HEX) : 0;
    if (one.fingerprint == 0)
        return NULL;
    struct watch_pool_query *found = find(queries, one.fingerprint, one.database, one.user);
    if (found != NULL || queries->count == QUERIES_MAX)
        return found;
    struct watch_pool_query *items =
        realloc(queries->items, (queries->count + 1) * sizeof(*queries->items));
    if (items == NULL)
        abort();
    queries->items = items;
    items[queries->count] = one;
    items[queries->count].is_new = true;
    chain(queries, queries->count);
    return &items[queries->count++];
}

/* MICROSECONDS:COUNT ...; two texts may have one fingerprint. */
static void
read_times(struct watch_pool_query *query, const char *at)
{
    if (!query->was_read) {
        memcpy(query->before, query->counts, sizeof(query->before));
        memset(query->counts, 0, sizeof(query->counts));
    }
    query->was_read = true;
    for (;;) {
        char *end;
        uint64_t time_us = strtoull(at, &end, DECIMAL);
        if (end == at || *end != ':')
            return;
        at = end + 1;
        uint64_t count = strtoull(at, &end, DECIMAL);
        if (end == at)
            return;
        at = end;
        query->counts[watch_times_bucket(time_us)] += (uint32_t)count;
    }
}

static void
read_lines(struct watch_pool_queries *queries, char *answer)
{
    static const char name[] = "pgdeck_pool_query_times{";
    char *rest = NULL;

    for (char *line = strtok_r(answer, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        char *end = strrchr(line, '}');
        if (end == NULL || strncmp(line, name, strlen(name)) != 0)
            continue;
        *end = '\0';
        struct watch_pool_query *query = query_of(queries, line + strlen(name));
        if (query != NULL)
            read_times(query, end + 1);
    }
}

/* Since the reading before. A bucket that shrank says nothing: the pool began anew, or gave the
 * place of one of the query's texts away. */
static void
add_recent(struct watch_statement *statement, const struct watch_pool_query *query, double now)
{
    uint32_t recent[WATCH_TIMES_BUCKETS];

    for (size_t i = 0; i < WATCH_TIMES_BUCKETS; i++)
        recent[i] = query->counts[i] > query->before[i] ? query->counts[i] - query->before[i] : 0;
    watch_statement_times(statement, recent, now);
}

static void
add_to_server(struct watch_pool_queries *queries, struct watch_server *server, double now)
{
    const struct watch_statements *statements = server->statements;

    for (size_t i = 0; i < statements->capacity && server->leader != NULL; i++) {
        struct watch_statement *statement = &statements->table[i];
        if (statement->day == NULL || statement->fingerprint == 0 || statement->role == NULL)
            continue;
        const struct watch_collector *database =
            watch_find_database(server->leader, statement->key.database_oid);
        const struct watch_pool_query *query =
            database == NULL
                ? NULL
                : find(queries, statement->fingerprint, database->database->name, statement->role);
        if (query != NULL && !query->is_new) /* nobody knows since when it counts */
            add_recent(statement, query, now);
    }
}

void
watch_pool_queries_read(struct watch_scraper *scraper, struct text *answer, double now)
{
    struct watch_pool_queries *queries = scraper->queries;
    struct watch_generation *generation = scraper->generation;

    for (size_t i = 0; i < queries->count; i++)
        queries->items[i].was_read = queries->items[i].is_new = false;
    if (answer->length > 0)
        read_lines(queries, answer->chars);
    for (size_t i = 0; i < queries->count;) {
        if (queries->items[i].was_read)
            i++;
        else
            queries->items[i] = queries->items[--queries->count];
    }
    memset(queries->chains, 0, sizeof(queries->chains));
    for (size_t i = 0; i < queries->count; i++)
        chain(queries, i);
    for (size_t i = 0; i < generation->servers.count; i++) {
        if (generation->servers.items[i].deck == scraper->deck)
            add_to_server(queries, &generation->servers.items[i], now);
    }
}
