// SPDX-License-Identifier: MIT
#include "advise/run.h"

#include "pg/script.h"

#include <stdlib.h>
#include <string.h>

/* Rows that are enough to know an index by. */
enum { SAMPLE_ROWS = 10000 };

static bool
build(struct advise *run, const struct advise_candidate *candidate, double share,
      double *ret_size_bytes, struct error *err)
{
    const struct advise_table *table = candidate->table;
    AUTO_PGRESULT result = NULL;
    char percent[32];
    const char *extension = candidate->extension == NULL
                                ? ""
                                : pg_script(run->arena, "advise/sql/sample_extension.sql",
                                            PG_VARIABLES({"extension", candidate->extension}));

    snprintf(percent, sizeof(percent), "%.4f", 100 * share);
    if (!pg_execute(run->planner,
                    pg_script(run->arena, "advise/sql/sample.sql",
                              PG_VARIABLES(
                                  {"schema", table->schema}, {"table", table->name},
                                  {"percent", percent}, {"limit", share == 0 ? "0" : "10000"},
                                  {"extension", extension}, {"definition", candidate->definition})),
                    err) ||
        !pg_query(run->planner, pg_script(run->arena, "advise/sql/sample_size.sql", NULL, 0), 0,
                  NULL, &result, err))
        return false;
    double rows = strtod(pg_value(result, 0, "rows"), NULL);
    *ret_size_bytes = strtod(pg_value(result, 0, "size_bytes"), NULL) *
                      (rows > 0 && table->rows > rows ? table->rows / rows : 1);
    return true;
}

bool
advise_sample(struct advise *run, struct advise_candidate *candidate, struct error *err)
{
    const struct advise_table *table = candidate->table;
    bool is_gin = strcmp(candidate->method, "gin") == 0;
    double wanted = table->rows > 0 ? 1.2 * SAMPLE_ROWS / table->rows : 1;
    double share = !is_gin ? 0 : wanted > 1 ? 1 : wanted;
    struct error fault = {0};
    double size_bytes = 0;
    bool is_built = build(run, candidate, share, &size_bytes, &fault);

    if (fault.code == ERROR_CONNECTION_LOST || fault.code == ERROR_INTERRUPTED) {
        *err = fault;
        return false;
    }
    candidate->is_bad = !is_built;
    if (is_built && is_gin) {
        candidate->size_bytes = size_bytes;
        candidate->is_sampled = true;
    }
    if (!is_built && fault.code == ERROR_PRIVILEGE)
        advise_note(run, "Not tried on a sample of the rows, so not advised: %s (%s).",
                    candidate->definition, fault.message);
    return pg_execute(run->planner, "ROLLBACK", err);
}
