// SPDX-License-Identifier: MIT
/* The pool's figures in the text format of Prometheus: a table of metrics, each with a function
 * that gives a value of a group. */
#include "pool/console.h"
#include "pool/total.h"
#include "pool/web.h"

#include <stdio.h>

#define US_S 1e-6
#define NS_S 1e-9

/* Bounds of the histograms' buckets. */
static const uint64_t bounds_ns[] = {
    50000,      100000,     250000,      500000,      1000000,     2500000,   5000000,
    10000000,   25000000,   50000000,    100000000,   250000000,   500000000, 1000000000,
    2500000000, 5000000000, 10000000000, 30000000000, 60000000000,
};
enum { BOUND_COUNT = sizeof(bounds_ns) / sizeof(bounds_ns[0]) };

/* name{environment=,service=,database=,user=[,more=]} value */
static void
append_sample(struct text *text, const char *name, const struct pool_total *total,
              const char *more[2], double value)
{
    const struct pool_route *route = total->group->route;

    text_appendf(text, "%s{", name);
    text_append_label(text, "environment", route->environment);
    text_append(text, ",");
    text_append_label(text, "service", route->service);
    text_append(text, ",");
    text_append_label(text, "database", route->database);
    text_append(text, ",");
    text_append_label(text, "user", route->user);
    if (more != NULL) {
        text_append(text, ",");
        text_append_label(text, more[0], more[1]);
    }
    text_appendf(text, "} %.9g\n", value);
}

/* --- single values ------------------------------------------------------------------------- */

static double
clients(const struct pool_total *total)
{
    return total->clients;
}

static double
waiting(const struct pool_total *total)
{
    return total->waiting;
}

static double
servers(const struct pool_total *total)
{
    return total->servers;
}

static double
servers_idle(const struct pool_total *total)
{
    return total->server_idle;
}

static double
servers_max(const struct pool_total *total)
{
    return total->group->route->max;
}

static double
transactions(const struct pool_total *total)
{
    return (double)total->statistics.transactions;
}

static double
queries(const struct pool_total *total)
{
    return (double)total->statistics.queries;
}

static double
received(const struct pool_total *total)
{
    return (double)(total->statistics.received_bytes + total->live_received_bytes);
}

static double
sent(const struct pool_total *total)
{
    return (double)(total->statistics.sent_bytes + total->live_sent_bytes);
}

static double
target(const struct pool_total *total)
{
    return (double)total->group->route->target_p95_ms * 1e-3;
}

struct metric {
    const char *name, *type, *help;
    double (*value)(const struct pool_total *total);
};

static const struct metric metrics[] = {
    {"pgdeck_pool_clients", "gauge", "Clients that are logged in.", clients},
    {"pgdeck_pool_clients_waiting", "gauge", "Clients that wait for a server connection.", waiting},
    {"pgdeck_pool_servers", "gauge", "Server connections.", servers},
    {"pgdeck_pool_servers_idle", "gauge", "Server connections that are free.", servers_idle},
    {"pgdeck_pool_servers_max", "gauge", "Server connections at most.", servers_max},
    {"pgdeck_pool_transactions_total", "counter", "Times that a client had a server.",
     transactions},
    {"pgdeck_pool_queries_total", "counter", "Queries that were sent on.", queries},
    {"pgdeck_pool_received_bytes_total", "counter", "Bytes from clients.", received},
    {"pgdeck_pool_sent_bytes_total", "counter", "Bytes to clients.", sent},
    {"pgdeck_pool_query_p95_target_seconds", "gauge",
     "The deck's target of the 95th percentile; 0: none.", target},
};

/* What is appended of each pool, by its own thread. */
struct appending {
    struct text *text;
    const void *metric; /* of the tables here */
};

static void
append_values(struct pool *pool, void *context)
{
    const struct appending *appending = context;
    const struct metric *metric = appending->metric;

    POOL_EACH(node, &pool->groups)
    {
        struct pool_total total;
        if (!pool_total_of(POOL_ENTRY(node, struct pool_group, node), &total))
            continue;
        append_sample(appending->text, metric->name, &total, NULL, metric->value(&total));
    }
}

static void
append_metrics(struct text *text, struct pool *pool)
{
    for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++) {
        const struct metric *metric = &metrics[i];
        text_appendf(text, "# HELP %s %s\n# TYPE %s %s\n", metric->name, metric->help, metric->name,
                     metric->type);
        pool_visit_all(pool, append_values, &(struct appending){text, metric});
    }
}

/* --- errors -------------------------------------------------------------------------------- */

static const char errors_name[] = "pgdeck_pool_errors_total";

static void
append_group_errors(struct pool *pool, void *context)
{
    const char *name = errors_name;
    struct text *text = context;

    POOL_EACH(node, &pool->groups)
    {
        struct pool_total total;
        if (!pool_total_of(POOL_ENTRY(node, struct pool_group, node), &total))
            continue;
        const struct pool_measures *measures = total.measures;
        for (size_t i = 0; i < measures->error_count; i++)
            append_sample(text, name, &total,
                          (const char *[]){"sqlstate", measures->errors[i].sqlstate},
                          (double)measures->errors[i].count);
        if (measures->other_errors > 0)
            append_sample(text, name, &total, (const char *[]){"sqlstate", "other"},
                          (double)measures->other_errors);
    }
}

static void
append_errors(struct text *text, struct pool *pool)
{
    text_appendf(text, "# HELP %s Errors of the server, by SQLSTATE.\n# TYPE %s counter\n",
                 errors_name, errors_name);
    pool_visit_all(pool, append_group_errors, text);
}

/* --- histograms ---------------------------------------------------------------------------- */

static const struct histogram *
wait_of(const struct pool_total *total, uint64_t *ret_sum_us)
{
    *ret_sum_us = total->statistics.wait_us;
    return &total->measures->wait;
}

static const struct histogram *
transaction_of(const struct pool_total *total, uint64_t *ret_sum_us)
{
    *ret_sum_us = total->statistics.transaction_us;
    return &total->measures->transaction;
}

static const struct histogram *
query_of(const struct pool_total *total, uint64_t *ret_sum_us)
{
    *ret_sum_us = total->statistics.query_us;
    return &total->measures->query;
}

struct histogram_metric {
    const char *name, *bucket, *sum, *count, *quantile, *help;
    const struct histogram *(*get)(const struct pool_total *total, uint64_t *ret_sum_us);
};

#define HISTOGRAM(word, help, get)                                                                 \
    {                                                                                              \
        "pgdeck_pool_" word "_seconds", "pgdeck_pool_" word "_seconds_bucket",                     \
            "pgdeck_pool_" word "_seconds_sum", "pgdeck_pool_" word "_seconds_count",              \
            "pgdeck_pool_" word "_quantile_seconds", help, get                                     \
    }
static const struct histogram_metric histograms[] = {
    HISTOGRAM("wait", "How long clients waited for a server.", wait_of),
    HISTOGRAM("transaction", "How long clients had a server.", transaction_of),
    HISTOGRAM("query", "How long servers took to answer.", query_of),
};

static void
append_buckets(struct text *text, const struct histogram_metric *metric,
               const struct pool_total *total)
{
    uint64_t counts[BOUND_COUNT], sum_us;
    const struct histogram *histogram = metric->get(total, &sum_us);
    char bound[32];

    pool_measure_below(histogram, bounds_ns, BOUND_COUNT, counts);
    for (size_t i = 0; i < BOUND_COUNT; i++) {
        snprintf(bound, sizeof(bound), "%g", (double)bounds_ns[i] * NS_S);
        append_sample(text, metric->bucket, total, (const char *[]){"le", bound},
                      (double)counts[i]);
    }
    append_sample(text, metric->bucket, total, (const char *[]){"le", "+Inf"},
                  (double)histogram->total);
    append_sample(text, metric->sum, total, NULL, (double)sum_us * US_S);
    append_sample(text, metric->count, total, NULL, (double)histogram->total);
}

static void
append_quantiles(struct text *text, const struct histogram_metric *metric,
                 const struct pool_total *total)
{
    static const struct {
        const char *label;
        double share;
    } quantiles[] = {{"0.5", 0.5}, {"0.95", 0.95}, {"0.99", 0.99}, {"1", 1}};
    uint64_t sum_us;
    const struct histogram *histogram = metric->get(total, &sum_us);

    for (size_t i = 0; i < sizeof(quantiles) / sizeof(quantiles[0]); i++)
        append_sample(text, metric->quantile, total,
                      (const char *[]){"quantile", quantiles[i].label},
                      (double)histogram_percentile(histogram, quantiles[i].share) * NS_S);
}

static void
append_all_buckets(struct pool *pool, void *context)
{
    const struct appending *appending = context;

    POOL_EACH(node, &pool->groups)
    {
        struct pool_total total;
        if (!pool_total_of(POOL_ENTRY(node, struct pool_group, node), &total))
            continue;
        append_buckets(appending->text, appending->metric, &total);
    }
}

static void
append_all_quantiles(struct pool *pool, void *context)
{
    const struct appending *appending = context;

    POOL_EACH(node, &pool->groups)
    {
        struct pool_total total;
        if (!pool_total_of(POOL_ENTRY(node, struct pool_group, node), &total))
            continue;
        append_quantiles(appending->text, appending->metric, &total);
    }
}

static void
append_histograms(struct text *text, struct pool *pool)
{
    for (size_t i = 0; i < sizeof(histograms) / sizeof(histograms[0]); i++) {
        const struct histogram_metric *metric = &histograms[i];
        text_appendf(text, "# HELP %s %s\n# TYPE %s histogram\n", metric->name, metric->help,
                     metric->name);
        pool_visit_all(pool, append_all_buckets, &(struct appending){text, metric});
        text_appendf(text, "# HELP %s The same since the start, to 0.1 %%.\n# TYPE %s summary\n",
                     metric->quantile, metric->quantile);
        pool_visit_all(pool, append_all_quantiles, &(struct appending){text, metric});
    }
}

void
pool_metrics(struct pool *pool, struct text *text)
{
    pool_total_collect(pool);
    append_metrics(text, pool);
    append_errors(text, pool);
    append_histograms(text, pool);
    pool_queries_metrics(pool, text);
}
