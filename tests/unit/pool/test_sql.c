// SPDX-License-Identifier: MIT
#include "pool/sql.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static unsigned
signs(const char *text)
{
    struct pool_sql sql;

    pool_sql_scan(text, strlen(text), false, &sql);
    return sql.signs;
}

static void
plain_work_leaves_nothing(void **state)
{
    static const char *const texts[] = {
        "",
        "SELECT 1",
        "UPDATE t SET x = 1 WHERE y = 'SET'",
        "SELECT 'set_config(''a'', ''b'', false)'",
        "-- LISTEN\nSELECT 1",
        "/* LISTEN /* nested */ SET x = 1 */ SELECT 1",
        "SELECT $$; SET x = 1; $$, $tag$; LISTEN x; $tag$",
        "BEGIN; SET LOCAL app.tenant = 'x'; COMMIT",
        "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE",
        "SET CONSTRAINTS ALL DEFERRED",
        "SELECT set_config('app.tenant', $1, true)",
        "SELECT pg_catalog.set_config('a', lower(concat('x', 'y')), true), 2",
        "SELECT pg_advisory_xact_lock(1)",
        "PREPARE TRANSACTION 'x'",
        "INSERT INTO listen VALUES (1)",
        "MERGE /* x */ INTO t USING s ON true WHEN MATCHED THEN DELETE",
        "SELECT \"set\", $1, a.reset FROM t",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_int_equal(signs(texts[i]) & ~(unsigned)POOL_SQL_BLOCK, 0);
}

static void
what_outlives_a_transaction_is_seen(void **state)
{
    static const struct {
        const char *text;
        unsigned signs;
    } cases[] = {
        {"set search_path = x", POOL_SQL_PARAMETERS},
        {"SELECT 1;\n SET x = 1", POOL_SQL_PARAMETERS},
        {"/* a */ RESET ALL", POOL_SQL_PARAMETERS},
        {"SELECT set_config('work_mem', '1MB', false)", POOL_SQL_PARAMETERS},
        {"SELECT set_config('a', 'true', $1)", POOL_SQL_PARAMETERS},
        {"SELECT set_config($1, $2, $3)", POOL_SQL_PARAMETERS | POOL_SQL_UNNAMED},
        {"SELECT set_config('a', 'x', NOT true)", POOL_SQL_PARAMETERS},
        {"SELECT set_config('a', 'x', $1 IS true)", POOL_SQL_PARAMETERS},
        {"SELECT set_config('a', 'x', (f, true))", POOL_SQL_PARAMETERS},
        {"SELECT set_config('a', is_local => false, new_value => true)", POOL_SQL_PARAMETERS},
        {"SELECT set_config('a', 'x', \"true\")", POOL_SQL_PARAMETERS},
        {"SELECT set_config('a', 'x', true", POOL_SQL_PARAMETERS},
        {"SELECT set_config('a' || '.b', 'x', f)", POOL_SQL_PARAMETERS | POOL_SQL_UNNAMED},
        {"SELECT set_config('a.'\n'b', 'x', f)", POOL_SQL_PARAMETERS | POOL_SQL_UNNAMED},
        {"SELECT set_config(E'a\\x2eb', 'x', f)", POOL_SQL_PARAMETERS | POOL_SQL_UNNAMED},
        {"SELECT set_config(lower('a'), 'x', f)", POOL_SQL_PARAMETERS | POOL_SQL_UNNAMED},
        {"SELECT set_config()", POOL_SQL_PARAMETERS | POOL_SQL_UNNAMED},
        {"SELECT U&\"set\\005fconfig\"('a', 'x', f)", POOL_SQL_OPAQUE},
        {"UPDATE pg_settings SET setting = 'x'", POOL_SQL_PARAMETERS},
        {"SET \"a\" . b = 1", POOL_SQL_PARAMETERS | POOL_SQL_UNNAMED},
        {"SET a . b = 1", POOL_SQL_PARAMETERS | POOL_SQL_UNNAMED},
        {"SET U&\"a\\002eb\" = 1", POOL_SQL_PARAMETERS | POOL_SQL_UNNAMED | POOL_SQL_OPAQUE},
        {"SET local.a = 1", POOL_SQL_PARAMETERS},
        {"SET transaction /* x */ . a = 1", POOL_SQL_PARAMETERS | POOL_SQL_UNNAMED},
        {"SELECT E'a'\n'\\''; LISTEN x; --'", POOL_SQL_LISTEN},
        {"SELECT 1 FROM t WHERE \"set_config\"('a', 'b', f) = 'x'", POOL_SQL_PARAMETERS},
        {"SET SESSION AUTHORIZATION x", POOL_SQL_PARAMETERS | POOL_SQL_ROLE},
        {"LISTEN x", POOL_SQL_LISTEN},
        {"UNLISTEN *", POOL_SQL_LISTEN | POOL_SQL_RELEASE},
        {"DECLARE c CURSOR WITH HOLD FOR SELECT 1", POOL_SQL_CURSORS},
        {"CREATE TEMP TABLE t ()", POOL_SQL_TEMPORARY | POOL_SQL_CREATES},
        {"create or replace temporary view v as select 1", POOL_SQL_TEMPORARY | POOL_SQL_CREATES},
        {"SELECT 1 INTO TEMP t", POOL_SQL_TEMPORARY | POOL_SQL_CREATES},
        {"CREATE TABLE pg_temp.t ()", POOL_SQL_TEMPORARY | POOL_SQL_CREATES},
        {"CREATE TABLE t ()", POOL_SQL_CREATES},
        {"EXPLAIN ANALYZE CREATE TABLE t AS SELECT 1", POOL_SQL_CREATES},
        {"SELECT 1 INTO t", POOL_SQL_CREATES},
        {"SELECT pg_try_advisory_lock(1)", POOL_SQL_LOCKS | POOL_SQL_RELEASE},
        {"PREPARE p AS SELECT 1", POOL_SQL_STATEMENTS},
        {"DEALLOCATE ALL", POOL_SQL_FORGET | POOL_SQL_RELEASE},
        {"LOAD 'x'", POOL_SQL_LIBRARY},
        {"SELECT E'\\'; SET x = 1' ; LISTEN x", POOL_SQL_LISTEN},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(signs(cases[i].text), cases[i].signs);
}

static void
backslashes_matter_when_they_are_on(void **state)
{
    static const char text[] = "SELECT 'a\\'; LISTEN x; --'";
    struct pool_sql sql;

    (void)state;
    pool_sql_scan(text, strlen(text), false, &sql);
    assert_int_equal(sql.signs, POOL_SQL_LISTEN);
    pool_sql_scan(text, strlen(text), true, &sql);
    assert_int_equal(sql.signs, 0);
}

static void
a_prepare_is_found_by_its_name(void **state)
{
    static const struct {
        const char *text, *name, *statement; /* NULL: none, or more than one */
    } cases[] = {
        {"PREPARE p AS SELECT 1", "p", "PREPARE p AS SELECT 1"},
        {"SELECT 1; prepare P(int) AS SELECT ';', $1 ;DROP TABLE x", "p",
         "prepare P(int) AS SELECT ';', $1 "},
        {"PREPARE \"P\"\"q\" AS SELECT 1; PREPARE p AS SELECT 2", "P\"q",
         "PREPARE \"P\"\"q\" AS SELECT 1"},
        {"-- PREPARE p\n/* PREPARE p; */ PREPARE p AS SELECT $$;$$", "p",
         "PREPARE p AS SELECT $$;$$"},
        {"PREPARE p AS SELECT 1; PREPARE p AS SELECT 2", "p", NULL},
        {"PREPARE \"P\" AS SELECT 1", "p", NULL},
        {"PREPARE pq AS SELECT 1", "p", NULL},
        {"PREPARE p AS SELECT 1", "pq", NULL},
        {"SELECT 'PREPARE p AS SELECT 1'", "p", NULL},
        {"", "p", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct pool_sql_span text = {cases[i].text, strlen(cases[i].text)}, found = {0};
        struct pool_sql_span name = {cases[i].name, strlen(cases[i].name)};
        bool has = pool_sql_find_prepare(text, false, name, &found);
        assert_int_equal(has, cases[i].statement != NULL);
        if (!has)
            continue;
        assert_int_equal(found.length, strlen(cases[i].statement));
        assert_memory_equal(found.at, cases[i].statement, found.length);
    }
}

static void
names_are_found(void **state)
{
    struct pool_sql sql;
    static const char set[] = "SET app.tenant TO 'x'; SELECT set_config('app.user', 'y', false);"
                              "SET SESSION session.x = 1; RESET local.y";
    static const char deallocate[] = "deallocate prepare \"Some One\"";

    (void)state;
    pool_sql_scan(set, strlen(set), false, &sql);
    assert_int_equal(sql.name_count, 4);
    assert_memory_equal(sql.names[2].at, "session.x =", sql.names[2].length + 2);
    assert_memory_equal(sql.names[3].at, "local.y", sql.names[3].length);
    assert_memory_equal(sql.names[0].at, "app.tenant", sql.names[0].length);
    assert_memory_equal(sql.names[1].at, "app.user", sql.names[1].length);
    pool_sql_scan(deallocate, strlen(deallocate), false, &sql);
    assert_true(sql.is_deallocate);
    assert_int_equal(sql.prepared.length, strlen("\"Some One\""));
    assert_memory_equal(sql.prepared.at, "\"Some One\"", sql.prepared.length);
    static const char two[] = "DEALLOCATE a; DEALLOCATE b";
    pool_sql_scan(two, strlen(two), false, &sql);
    assert_null(sql.prepared.at);
}

/* Cut anywhere, nothing behind the end is looked at (ASan). */
static void
cut_texts_are_fine(void **state)
{
    static const char text[] =
        "SET \"a\".b = E'x\\''; /* x /* y */ */ SELECT $a$ ' $a$, set_config("
        "'a.b', \"c\", true), 'it''s'; DEALLOCATE PREPARE \"x\"";
    struct pool_sql sql;

    (void)state;
    for (size_t length = 0; length < sizeof(text); length++) {
        char *copy = test_malloc(length + 1);
        memcpy(copy, text, length);
        pool_sql_scan(copy, length, length % 2 == 0, &sql);
        test_free(copy);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_work_leaves_nothing),
        cmocka_unit_test(what_outlives_a_transaction_is_seen),
        cmocka_unit_test(backslashes_matter_when_they_are_on),
        cmocka_unit_test(names_are_found),
        cmocka_unit_test(a_prepare_is_found_by_its_name),
        cmocka_unit_test(cut_texts_are_fine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
