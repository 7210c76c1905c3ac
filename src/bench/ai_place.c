// SPDX-License-Identifier: MIT
#include "bench/ai.h"

#include "base/embed.h"
#include "bench/cost.h"

static bool
ask(const struct ai_case *one, const char *file, const char *parameter, PGresult **ret_rows,
    struct error *err)
{
    return pg_query(one->connection, embedded_file(file)->text, parameter != NULL, &parameter,
                    ret_rows, err) ||
           error_wrap(err, "server \"%s\"", one->label);
}

static bool
run_file(const struct ai_case *one, const char *file, const char *parameter, struct error *err)
{
    AUTO_PGRESULT rows = NULL;

    return ask(one, file, parameter, &rows, err);
}

/* Tasks of others that are there: only those of a database of pgdeck's own may be ended. */
static bool
refuse_active(const struct ai_case *one, const PGresult *start, struct error *err)
{
    if (one->is_ours || pg_integer(start, 0, "active") == 0)
        return true;
    error_set(err, ERROR_REFUSED,
              "database \"%s\" of server \"%s\" has %lld tasks that wait or run",
              PQdb(one->connection), one->label, pg_integer(start, 0, "active"));
    return error_hint(err, "Others work there, and the suite would be in their way. Measure on a "
                           "copy.");
}

static bool
check_active(const struct ai_case *one, struct error *err)
{
    AUTO_PGRESULT start = NULL;

    return ask(one, "bench/sql/ai_start.sql", NULL, &start, err) && refuse_active(one, start, err);
}

static bool
check_space(const struct ai_suite *suite, const struct ai_case *one, const PGresult *place,
            struct error *err)
{
    if (bench_check_room(one->connection, pg_value(place, 0, "data_directory"),
                         ai_needed_megabytes(suite->run->options), err))
        return true;
    error_wrap(err, "server \"%s\"", one->label);
    return error_hint(err, "Shorter blocks (--block-ms), fewer tasks (--rate) or a shorter "
                           "--snapshot-s need less.");
}

static bool
check_place(const struct ai_suite *suite, struct ai_case *one, struct error *err)
{
    AUTO_PGRESULT place = NULL;
    const char *database = PQdb(one->connection);

    if (!ask(one, "bench/sql/ai_place.sql", NULL, &place, err))
        return false;
    if (pg_bool(place, 0, "is_standby"))
        return error_set(err, ERROR_REFUSED, "server \"%s\" is in recovery: the suite writes",
                         one->label);
    if (!pg_bool(place, 0, "has_tables")) {
        error_set(err, ERROR_REFUSED, "database \"%s\" of server \"%s\" has no AI tasks", database,
                  one->label);
        return error_hint(err,
                          "The suite works with ai_tasks, ai_task_queue (with its column "
                          "place) and ai_results as in the schema of decks/saas-control-deck.");
    }
    one->is_ours = pg_bool(place, 0, "is_ours");
    if (!one->is_ours && !suite->run->options->is_known_to_write) {
        error_set(err, ERROR_REFUSED, "database \"%s\" of server \"%s\" is not pgdeck's own",
                  database, one->label);
        return error_hint(err, "The suite adds tasks to its tables, works them off and removes "
                               "them. --i-know allows that; pgdeck demo --keep makes two servers "
                               "of its own.");
    }
    return check_active(one, err) && check_space(suite, one, place, err);
}

static bool
read_owners(struct ai_suite *suite, struct ai_case *one, struct error *err)
{
    struct arena *arena = suite->run->arena;
    AUTO_PGRESULT rows = NULL;

    if (!ask(one, "bench/sql/ai_owners.sql", NULL, &rows, err))
        return false;
    one->owner_count = (size_t)PQntuples(rows);
    if (one->owner_count == 0)
        return error_set(err, ERROR_REFUSED,
                         "server \"%s\": there are no projects to enqueue tasks for", one->label);
    one->projects = ARENA_ARRAY(arena, const char *, one->owner_count);
    one->users = ARENA_ARRAY(arena, const char *, one->owner_count);
    for (size_t i = 0; i < one->owner_count; i++) {
        one->projects[i] = pg_keep(arena, rows, (int)i, "project_id");
        one->users[i] = pg_keep(arena, rows, (int)i, "user_id");
    }
    return true;
}

bool
ai_open_case(struct ai_suite *suite, struct ai_case *one, struct error *err)
{
    struct pg_target target = suite->run->options->arms[one->arm].target;

    target.is_application = true;
    one->label = suite->run->options->arms[one->arm].label;
    if (!pg_connect(&target, &one->connection, err))
        return error_wrap(err, "server \"%s\"", one->label);
    one->meter = (struct bench_meter){one->connection, bench_postmaster_of(one->connection)};
    return check_place(suite, one, err) && read_owners(suite, one, err) &&
           pg_execute(one->connection, "SET statement_timeout = 0", err);
}

void
ai_close_case(struct ai_case *one)
{
    /* Not through pg_query, which would give up at once. */
    if (one->last != NULL)
        PQclear(PQexecParams(one->connection, embedded_file("bench/sql/ai_clean.sql")->text, 1,
                             NULL, &one->last, NULL, NULL, 0));
    PQfinish(one->connection);
    one->connection = NULL;
    one->last = NULL;
}

bool
ai_put_aside(struct ai_suite *suite, struct ai_case *one, struct error *err)
{
    AUTO_PGRESULT start = NULL;

    if (!ask(one, "bench/sql/ai_start.sql", NULL, &start, err))
        return false;
    one->last = pg_keep(suite->run->arena, start, 0, "last");
    return refuse_active(one, start, err) &&
           (pg_integer(start, 0, "active") == 0 ||
            run_file(one, "bench/sql/ai_put_aside.sql", NULL, err));
}

bool
ai_fill(struct ai_suite *suite, struct ai_case *one, int count, struct error *err)
{
    return run_file(one, "bench/sql/ai_fill.sql", arena_printf(suite->run->arena, "%d", count),
                    err) &&
           pg_execute(one->connection, "VACUUM (ANALYZE) ai_tasks, ai_task_queue", err);
}

/* Workers of an application that enqueues meanwhile take the suite's tasks, too. */
static bool
refuse_others(const struct ai_case *one, long long others, struct error *err)
{
    if (one->is_ours || others == 0)
        return true;
    error_set(err, ERROR_REFUSED,
              "others enqueued %lld tasks in database \"%s\" of server \"%s\" while it ran", others,
              PQdb(one->connection), one->label);
    return error_hint(err, "Theirs were left alone, but what was measured is not the suite's "
                           "alone. Measure on a copy.");
}

bool
ai_settle(struct ai_case *one, bool is_drained, struct error *err)
{
    AUTO_PGRESULT rows = NULL;

    if (!ask(one, "bench/sql/ai_check.sql", one->last, &rows, err))
        return false;
    one->tasks += (uint64_t)pg_integer(rows, 0, is_drained ? "tasks" : "completed");
    one->lost += (uint64_t)pg_integer(rows, 0, "lost");
    one->doubled += (uint64_t)pg_integer(rows, 0, "doubled");
    uint64_t active = is_drained ? (uint64_t)pg_integer(rows, 0, "active") : 0;
    *(pg_bool(rows, 0, "is_going_on") ? &one->unfinished : &one->lost) += active;
    return run_file(one, "bench/sql/ai_clean.sql", one->last, err) &&
           pg_execute(one->connection, "VACUUM (ANALYZE) ai_tasks, ai_task_queue, ai_results",
                      err) &&
           refuse_others(one, pg_integer(rows, 0, "others"), err);
}
