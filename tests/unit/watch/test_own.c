// SPDX-License-Identifier: MIT
#include "watch/own.h"

#include "base/arena.h"
#include "base/embed.h"
#include "pg/script.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
a_file_is_known_with_and_without_its_header(void **state)
{
    AUTO_ARENA arena = arena_new();

    (void)state;
    assert_true(watch_is_own(embedded_file("watch/sql/activity.sql")->text));
    assert_true(watch_is_own(pg_script(arena, "watch/sql/blocking.sql", NULL, 0)));
}

static void
what_is_filled_in_does_not_matter(void **state)
{
    AUTO_ARENA arena = arena_new();

    (void)state;
    for (int i = 0; i < 2; i++)
        assert_true(watch_is_own(pg_script(
            arena, "watch/sql/statements.sql",
            PG_VARIABLES({"schema", i == 0 ? "public" : "a\"b"}, {"since", i == 0 ? "0" : "x"}))));
    assert_true(watch_is_own(pg_script(arena, "health/sql/inlined.sql",
                                       PG_VARIABLES({"check", "SELECT $1, format($2)"}))));
}

/* As pg_stat_statements shows them. */
static void
constants_do_not_matter(void **state)
{
    (void)state;
    assert_true(
        watch_is_own("SELECT CASE WHEN EXISTS (SELECT FROM monitoring.history_state AS s\n"
                     "                          WHERE s.at > pg_catalog.now()\n"
                     "                                       - pg_catalog.make_interval(secs"
                     " => CAST($1 AS double precision)))\n"
                     "            THEN $2\n"
                     "            ELSE monitoring.record_performance_metrics() END AS "
                     "said"));
}

static void
each_statement_of_a_file_is_known(void **state)
{
    AUTO_ARENA arena = arena_new();
    const char *all =
        pg_script(arena, "watch/sql/explain_begin.sql", PG_VARIABLES({"role_oid", "10"}));

    (void)state;
    assert_true(watch_is_own(all + sizeof("BEGIN READ ONLY;")));
}

static void
what_functions_of_monitoring_run_is_known(void **state)
{
    (void)state;
    assert_true(watch_is_own("SELECT monitoring.keep_history()"));
    assert_true(watch_is_own("CREATE TABLE monitoring.growth_history_20261123 PARTITION OF "
                             "monitoring.growth_history FOR VALUES FROM ($1) TO ($2)"));
    assert_true(watch_is_own("SELECT rollups.tasks_by_hour_refresh() AS has_more"));
    assert_false(watch_is_own("SELECT rollups.tasks_by_hour_read($1)"));
    assert_true(watch_is_own("WITH current AS MATERIALIZED (\n            SELECT "
                             "coalesce(s.query_id, $9) AS query_id, s.role_oid"));
    assert_true(watch_is_own("SELECT s.dbid, s.userid, s.queryid, s.calls, s.total_exec_time, "
                             "s.mean_exec_time,\n                s.min_exec_time, s.max_exec_time"
                             ", s.stddev_exec_time, s.rows, s.blk_read_time"));
}

static void
statements_of_others_are_not(void **state)
{
    static const char *const others[] = {
        NULL,
        "",
        "SELECT $1",
        "SELECT",
        "BEGIN",
        "SELECT pg_sleep($1)",
        "-- what: my report\nSELECT count(*) FROM orders",
        "SELECT s.dbid AS database_oid, s.userid AS role_oid FROM mine AS s",
        "SELECT * FROM monitoring.my_own_table WHERE id = $1",
        "SELECT h.severity, h.finding, h.evidence FROM hospital AS h",
        "DROP TABLE orders",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        assert_false(watch_is_own(others[i]));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_known_with_and_without_its_header),
        cmocka_unit_test(what_is_filled_in_does_not_matter),
        cmocka_unit_test(constants_do_not_matter),
        cmocka_unit_test(each_statement_of_a_file_is_known),
        cmocka_unit_test(what_functions_of_monitoring_run_is_known),
        cmocka_unit_test(statements_of_others_are_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
