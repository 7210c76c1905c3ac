// SPDX-License-Identifier: MIT
#include "workload/fingerprint.h"

#include <pg_query.h>

uint64_t
workload_fingerprint(const char *sql)
{
    PgQueryFingerprintResult result = pg_query_fingerprint(sql);
    uint64_t fingerprint = result.error == NULL ? result.fingerprint : 0;

    pg_query_free_fingerprint_result(result);
    return fingerprint;
}

char *
workload_normalize(struct arena *arena, const char *sql)
{
    PgQueryNormalizeResult result = pg_query_normalize(sql);
    char *text = result.error == NULL ? arena_strdup(arena, result.normalized_query) : NULL;

    pg_query_free_normalize_result(result);
    return text;
}
