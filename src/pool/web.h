/* Answers GET of /metrics and /queries by HTTP/1.x, one request a connection; anything else is
 * refused. What it holds is bounded: requests of 4 kB, 32 connections, 5 s each. */
#pragma once
#include "base/text.h"
#include "pool/state.h"

/* A client of /metrics. */
struct pool_web {
    struct pool_object object;
    struct pool_node node;
    struct pool *pool;
    struct pool_link link;
    bool is_answered, is_closed;
    uint64_t deadline_us;
};

/* A new connection, whose stream is then attached by the caller: web->link.stream. NULL: too many,
 * or no memory. */
struct pool_web *pool_web_new(struct pool *pool);
void pool_web_event(struct pool_web *web);
void pool_web_close(struct pool_web *web);
/* Closes those that take too long. */
void pool_web_tick(struct pool *pool);

/* metrics.c: appends the pool's figures. */
void pool_metrics(struct pool *pool, struct text *text);
/* query_report.c: how long the answers to each query took, for `pgdeck watch`: a line a query,
 * name{labels} and MICROSECONDS:COUNT of each bucket that has any, since the start. */
void pool_queries_times(struct pool *pool, struct text *text);
