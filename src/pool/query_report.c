// SPDX-License-Identifier: MIT
/* Queries by fingerprint: when they begin and end, and what is told of them: each once, however
 * many threads have measured it. */
#include "pool/console.h"
#include "pool/query.h"
#include "pool/total.h"
#include "pool/web.h"

#include "workload/fingerprint.h"

#include <stdio.h>
#include <stdlib.h>

/* --- when they begin and end --------------------------------------------------------------- */

static struct pool_query *
find(const struct pool_server *server, uint64_t hash)
{
    return pool_queries_find(server->group->measures->queries, hash);
}

void
pool_query_begin(struct pool_server *server, uint64_t hash, const char *text, size_t length)
{
    struct pool_query *query =
        pool_queries_touch(server->group->measures->queries, hash, text, length);

    if (server->first_query != 0)
        return;
    server->first_query = hash;
    pool_times_record(&query->wait, server->waited_us);
}

static uint64_t
received(const struct pool_server *server)
{
    return server->link.received_bytes - pool_link_unread(&server->link);
}

void
pool_query_mark(struct pool_server *server)
{
    server->mark_us = server->pool->now_us;
    server->mark_received = received(server);
    server->mark_sent = server->link.sent_bytes;
}

void
pool_query_end(struct pool_server *server, uint64_t hash)
{
    struct pool_query *query = find(server, hash);

    pool_times_record(&query->query, server->pool->now_us - server->mark_us);
    query->received_bytes += received(server) - server->mark_received;
    query->sent_bytes += server->link.sent_bytes - server->mark_sent;
    pool_query_mark(server);
}

void
pool_query_leave(struct pool_server *server, uint64_t duration_us)
{
    if (server->first_query != 0)
        pool_times_record(&find(server, server->first_query)->transaction, duration_us);
    server->first_query = 0;
}

/* --- all of them --------------------------------------------------------------------------- */

struct row {
    const struct pool_route *route;
    uint64_t id;
    struct pool_query query;
};

struct list {
    struct row **items;
    size_t count, capacity;
    bool is_by_fingerprint; /* texts that differ in more than constants may have the same one */
};

static void
list_release(struct list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
}

static uint64_t
fingerprint_of(struct pool_query *query)
{
    if (!query->has_fingerprint && query->whole != NULL)
        query->fingerprint = workload_fingerprint(query->whole);
    query->has_fingerprint = true;
    free(query->whole);
    query->whole = NULL;
    return query->fingerprint;
}

static struct row *
row_of(struct list *list, const struct pool_route *route, uint64_t id)
{
    for (size_t i = 0; i < list->count; i++) {
        struct row *row = list->items[i];
        if (row->id == id && strcmp(row->route->database, route->database) == 0 &&
            strcmp(row->route->user, route->user) == 0)
            return row;
    }
    if (list->count == list->capacity) {
        size_t capacity = list->capacity == 0 ? 64 : list->capacity * 2;
        struct row **items = realloc(list->items, capacity * sizeof(*items));
        if (items == NULL)
            return NULL;
        list->items = items;
        list->capacity = capacity;
    }
    struct row *made = calloc(1, sizeof(*made));
    if (made != NULL) {
        made->route = route;
        made->id = id;
        list->items[list->count++] = made;
    }
    return made;
}

static void
add_query(struct list *list, const struct pool_route *route, struct pool_query *query)
{
    bool is_used = query->query.total > 0 || query->error_count > 0 || query->other_errors > 0;
    uint64_t fingerprint = fingerprint_of(query);
    bool has_fingerprint = list->is_by_fingerprint && fingerprint != 0;
    struct row *row =
        is_used ? row_of(list, route, has_fingerprint ? fingerprint : query->hash) : NULL;

    if (row == NULL)
        return;
    row->query.hash = query->hash;
    pool_query_add(&row->query, query);
    memcpy(row->query.text, query->hash == 0 ? "other" : query->text, sizeof("other"));
    if (query->hash != 0)
        memcpy(row->query.text, query->text, sizeof(query->text));
    row->query.fingerprint = fingerprint;
}

static void
collect(struct pool *pool, void *context)
{
    POOL_EACH(node, &pool->groups)
    {
        const struct pool_group *group = POOL_ENTRY(node, struct pool_group, node);
        struct pool_queries *queries = group->measures->queries;
        for (size_t i = 0; i < queries->count; i++)
            add_query(context, group->route, queries->items[i]);
        add_query(context, group->route, &queries->other);
    }
}

/* Those that took most time first. */
static int
compare(const void *a, const void *b)
{
    const struct row *left = *(struct row *const *)a, *right = *(struct row *const *)b;
    uint64_t left_us = left->query.query.sum_us, right_us = right->query.query.sum_us;

    return (left_us < right_us) - (left_us > right_us);
}

static struct list
list_all(struct pool *pool, bool is_by_fingerprint)
{
    struct list list = {.is_by_fingerprint = is_by_fingerprint};

    pool_visit_all(pool, collect, &list);
    if (list.count > 0)
        qsort(list.items, list.count, sizeof(struct row *), compare);
    return list;
}

/* --- on the console ------------------------------------------------------------------------ */

static void
show_times(struct rows *rows, const struct pool_times *times)
{
    static const double shares[] = {0.5, 0.95, 0.99};

    for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++)
        pool_rows_number(rows, pool_times_percentile_us(times, shares[i]));
    pool_rows_number(rows, times->max_us);
}

static void
fingerprint_text(const struct pool_query *query, char text[20])
{
    if (query->hash == 0)
        snprintf(text, 20, "other");
    else /* what is no SQL has its own, so that it is told from others */
        snprintf(text, 20, "%016llx",
                 (unsigned long long)(query->fingerprint == 0 ? query->hash : query->fingerprint));
}

static void
errors_text(const struct pool_query *query, char *text, size_t size)
{
    size_t used = 0;

    text[0] = '\0';
    for (size_t i = 0; i < query->error_count && used < size; i++)
        used +=
            (size_t)snprintf(text + used, size - used, "%s%s:%llu", i > 0 ? " " : "",
                             query->errors[i].sqlstate, (unsigned long long)query->errors[i].count);
    if (query->other_errors > 0 && used < size)
        snprintf(text + used, size - used, "%sother:%llu", used > 0 ? " " : "",
                 (unsigned long long)query->other_errors);
}

void
pool_errors_show(struct rows *rows)
{
    POOL_EACH(node, &pool_rows_pool(rows)->groups)
    {
        struct pool_group *group = POOL_ENTRY(node, struct pool_group, node);
        struct pool_total total;
        if (!pool_total_of(group, &total))
            continue;
        for (size_t i = 0; i < total.measures->error_count; i++) {
            pool_rows_text(rows, group->route->database);
            pool_rows_text(rows, group->route->user);
            pool_rows_text(rows, total.measures->errors[i].sqlstate);
            pool_rows_number(rows, total.measures->errors[i].count);
            pool_rows_end(rows);
        }
    }
}

void
pool_queries_show(struct rows *rows)
{
    struct list list = list_all(pool_rows_pool(rows), false);

    for (size_t i = 0; i < list.count; i++) {
        const struct pool_query *query = &list.items[i]->query;
        const struct pool_route *route = list.items[i]->route;
        uint64_t target_us = (uint64_t)route->target_p95_ms * 1000;
        char fingerprint[20], errors[128];
        fingerprint_text(query, fingerprint);
        errors_text(query, errors, sizeof(errors));
        pool_rows_text(rows, route->environment);
        pool_rows_text(rows, route->service);
        pool_rows_text(rows, route->database);
        pool_rows_text(rows, route->user);
        pool_rows_text(rows, fingerprint);
        pool_rows_number(rows, query->query.total);
        show_times(rows, &query->query);
        pool_rows_number(rows, pool_times_percentile_us(&query->transaction, 0.95));
        pool_rows_number(rows, pool_times_percentile_us(&query->wait, 0.95));
        pool_rows_number(rows, query->sent_bytes);
        pool_rows_number(rows, query->received_bytes);
        pool_rows_text(rows, errors);
        pool_rows_number(rows, target_us);
        bool is_met = pool_times_percentile_us(&query->query, 0.95) <= target_us;
        pool_rows_text(rows, target_us == 0 ? "" : is_met ? "met" : "missed");
        pool_rows_whole(rows, query->text);
        pool_rows_end(rows);
    }
    list_release(&list);
}

/* --- /metrics ------------------------------------------------------------------------------ */

struct sample {
    struct text *text;
    const char *name;
    const struct row *row;
};

/* name{environment=...,fingerprint=...[,label=label_value]} */
static void
append_name(const struct sample *sample, const char *label, const char *label_value)
{
    const struct pool_route *route = sample->row->route;
    char fingerprint[20];
    const char *labels[][2] = {{"environment", route->environment}, {"service", route->service},
                               {"database", route->database},       {"user", route->user},
                               {"fingerprint", fingerprint},        {label, label_value}};

    fingerprint_text(&sample->row->query, fingerprint);
    text_append(sample->text, sample->name);
    for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]) && labels[i][0] != NULL; i++) {
        text_append(sample->text, i == 0 ? "{" : ",");
        text_append_label(sample->text, labels[i][0], labels[i][1]);
    }
    text_append(sample->text, "}");
}

static void
append(const struct sample *sample, const char *label, const char *label_value, double value)
{
    append_name(sample, label, label_value);
    text_appendf(sample->text, " %.9g\n", value);
}

static void
append_errors(const struct sample *sample)
{
    const struct pool_query *query = &sample->row->query;

    for (size_t i = 0; i < query->error_count; i++)
        append(sample, "sqlstate", query->errors[i].sqlstate, (double)query->errors[i].count);
    if (query->other_errors > 0)
        append(sample, "sqlstate", "other", (double)query->other_errors);
}

static void
append_quantiles(const struct sample *sample, const struct pool_times *times)
{
    static const struct {
        const char *label;
        double share;
    } quantiles[] = {{"0.5", 0.5}, {"0.95", 0.95}, {"0.99", 0.99}, {"1", 1}};

    for (size_t i = 0; i < sizeof(quantiles) / sizeof(quantiles[0]); i++)
        append(sample, "quantile", quantiles[i].label,
               (double)pool_times_percentile_us(times, quantiles[i].share) * 1e-6);
}

static void
append_query(const struct sample *sample)
{
    append_quantiles(sample, &sample->row->query.query);
}

static void
append_transaction(const struct sample *sample)
{
    append_quantiles(sample, &sample->row->query.transaction);
}

static void
append_wait(const struct sample *sample)
{
    append_quantiles(sample, &sample->row->query.wait);
}

static void
append_count(const struct sample *sample)
{
    append(sample, NULL, NULL, (double)sample->row->query.query.total);
}

static void
append_seconds(const struct sample *sample)
{
    append(sample, NULL, NULL, (double)sample->row->query.query.sum_us * 1e-6);
}

static void
append_received(const struct sample *sample)
{
    append(sample, NULL, NULL, (double)sample->row->query.received_bytes);
}

static void
append_sent(const struct sample *sample)
{
    append(sample, NULL, NULL, (double)sample->row->query.sent_bytes);
}

static const struct {
    const char *name, *type, *help;
    void (*append)(const struct sample *sample);
} metrics[] = {
    {"pgdeck_pool_fingerprint_queries_total", "counter", "Answers, by query.", append_count},
    {"pgdeck_pool_fingerprint_seconds_total", "counter", "How long servers took, by query.",
     append_seconds},
    {"pgdeck_pool_fingerprint_query_quantile_seconds", "summary",
     "How long servers took, by query, to 3 %.", append_query},
    {"pgdeck_pool_fingerprint_transaction_quantile_seconds", "summary",
     "The same of transactions, by their first query.", append_transaction},
    {"pgdeck_pool_fingerprint_wait_quantile_seconds", "summary",
     "How long clients waited for a server, by the first query.", append_wait},
    {"pgdeck_pool_fingerprint_received_bytes_total", "counter", "Bytes from servers, by query.",
     append_received},
    {"pgdeck_pool_fingerprint_sent_bytes_total", "counter", "Bytes to servers, by query.",
     append_sent},
    {"pgdeck_pool_fingerprint_errors_total", "counter", "Errors, by query and SQLSTATE.",
     append_errors},
};

void
pool_queries_metrics(struct pool *pool, struct text *text)
{
    struct list list = list_all(pool, true);

    for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++) {
        text_appendf(text, "# HELP %s %s\n# TYPE %s %s\n", metrics[i].name, metrics[i].help,
                     metrics[i].name, metrics[i].type);
        for (size_t j = 0; j < list.count; j++)
            metrics[i].append(&(struct sample){text, metrics[i].name, list.items[j]});
    }
    list_release(&list);
}

/* --- /queries ------------------------------------------------------------------------------ */

void
pool_queries_times(struct pool *pool, struct text *text)
{
    struct list list = list_all(pool, true);

    for (size_t i = 0; i < list.count; i++) {
        const struct pool_times *times = &list.items[i]->query.query;
        append_name(&(struct sample){text, "pgdeck_pool_query_times", list.items[i]}, NULL, NULL);
        for (size_t j = 0; j < POOL_TIMES_BUCKETS; j++) {
            if (times->counts[j] > 0)
                text_appendf(text, " %llu:%u", (unsigned long long)pool_times_middle_us(j),
                             times->counts[j]);
        }
        text_append(text, "\n");
    }
    list_release(&list);
}
