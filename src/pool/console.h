/* Rows of what the console shows, for views that are not in console_show.c. Worker 0's thread, or
 * another's while worker 0 waits for it. */
#pragma once
#include "base/text.h"
#include "pool/pool.h"

struct rows;
void pool_rows_text(struct rows *rows, const char *value);
void pool_rows_number(struct rows *rows, uint64_t value);
/* value: not cut; it must stay up to the row's end. */
void pool_rows_whole(struct rows *rows, const char *value);
struct pool *pool_rows_pool(const struct rows *rows); /* whose they are */
void pool_rows_end(struct rows *rows);

/* console_show.c: what can be shown, by number; NULL: there is no more. */
const char *pool_view_name(size_t number);
void pool_view_show(struct pool_client *client, size_t number);
/* console.c: its rows of HELP. */
void pool_help_show(struct rows *rows);

/* query_report.c: SHOW QUERIES of all threads' pools. */
void pool_queries_show(struct rows *rows);
void pool_errors_show(struct rows *rows);
void pool_queries_metrics(struct pool *pool, struct text *text);
