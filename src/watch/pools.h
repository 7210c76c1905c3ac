/* What the pool of a deck says of itself: its figures at /metrics, its queries at /queries. Read by
 * one thread a deck (watch_scrape), kept over reloads. */
#pragma once
#include "base/text.h"

enum { WATCH_POOL_LABEL = 128 };

struct watch_scraper;

/* --- pools.c --- */
void *watch_pools_new(void);
void watch_pools_free(void *pools);
void *watch_scrape(void *scraper); /* a thread */
/* The label's value, without escapes; "" where there is none. */
void watch_pool_label(const char *labels, const char *name, char value[WATCH_POOL_LABEL]);

/* --- pool_queries.c --- */
void *watch_pool_queries_new(void);
void watch_pool_queries_free(void *queries);
/* What the pool says of each query, to the statements that they are. With the lock. */
void watch_pool_queries_read(struct watch_scraper *scraper, struct text *answer, double now);
