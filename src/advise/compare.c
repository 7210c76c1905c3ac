// SPDX-License-Identifier: MIT
#include "advise/fault.h"

#include "pg/script.h"

#include <string.h>

static bool
is_fatal(const struct error *fault)
{
    return fault->code == ERROR_CONNECTION_LOST || fault->code == ERROR_INTERRUPTED;
}

static bool
count_differences(struct advise *run, PGconn *connection, const char *one, const char *other,
                  long long *ret_count, struct error *err)
{
    AUTO_PGRESULT result = NULL;
    struct error ignored = {0};

    if (!pg_execute(connection, "BEGIN", err))
        return false;
    bool is_fine = pg_query(connection,
                            pg_script(run->arena, "advise/sql/compare.sql",
                                      PG_VARIABLES({"one", one}, {"other", other})),
                            0, NULL, &result, err);
    if (!pg_execute(connection, "ROLLBACK", is_fine ? err : &ignored) || !is_fine)
        return false;
    *ret_count = pg_integer(result, 0, "differences");
    return true;
}

/* Both with one set of values; NULL: there is no such set. */
static bool
fill_in(struct advise *run, const struct advise_statement *statement, const char *rewritten,
        size_t sample, const char **ret_one, const char **ret_other)
{
    struct advise_statement other = *statement;

    if (statement->prepared == NULL) {
        *ret_one = statement->sql;
        *ret_other = rewritten;
        return sample == 0;
    }
    /* The server may have needed another form of the statement: then of this one, too. */
    other.sql = statement->sql == statement->text ? rewritten : tree_rewrite(run->arena, rewritten);
    if (other.sql == NULL)
        return false;
    *ret_one = advise_with_values(run->arena, statement, sample);
    *ret_other = advise_with_values(run->arena, &other, sample);
    return *ret_one != NULL && *ret_other != NULL;
}

bool
advise_compare(struct advise *run, struct advise_copy *copy, const struct advise_fault *fault,
               enum advise_equality *ret_equality, const char **ret_why, struct error *err)
{
    const struct advise_statement *statement = &run->statements.items[fault->statement];
    const char *rewritten = fault->checked != NULL ? fault->checked : fault->rewritten;
    const char *one;
    const char *other;

    *ret_equality = ADVISE_NOT_COMPARED;
    *ret_why = "no values are known for its parameters";
    if (rewritten == NULL || (fault->kind == ADVISE_OFFSET && fault->checked == NULL)) {
        *ret_why = rewritten == NULL ? "no other form is known" : "its offset is a parameter";
        return true;
    }
    for (size_t sample = 0;
         sample < ADVISE_SAMPLES && fill_in(run, statement, rewritten, sample, &one, &other);
         sample++) {
        struct error problem = {0};
        long long differences;
        if (!count_differences(run, copy->connection, one, other, &differences, &problem)) {
            if (is_fatal(&problem)) {
                *err = problem;
                return false;
            }
            *ret_equality = ADVISE_NOT_COMPARED;
            *ret_why = arena_strdup(run->arena, problem.message);
            return true;
        }
        *ret_equality = differences == 0 ? ADVISE_EQUAL_ROWS : ADVISE_OTHER_ROWS;
        if (differences > 0)
            return true;
    }
    return true;
}
