// SPDX-License-Identifier: MIT
#include "deck/sql.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct arena *arena;
static struct deck_faults faults;

static int
set_up(void **state)
{
    (void)state;
    arena = arena_new();
    memset(&faults, 0, sizeof(faults));
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static const struct deck_sql_file *
read_sql(const char *text, bool is_indexes)
{
    return deck_sql_read(arena, "x.sql", text, strlen(text), is_indexes, &faults);
}

static void
every_kind_is_read(void **state)
{
    static const struct {
        const char *sql;
        enum deck_statement_kind kind;
        const char *schema, *name, *table;
    } cases[] = {
        {"CREATE TABLE \"My Table\" (a int)", STATEMENT_CREATE_TABLE, NULL, "My Table", NULL},
        {"CREATE TABLE s.T (a int)", STATEMENT_CREATE_TABLE, "s", "t", NULL},
        {"CREATE INDEX i ON s.t (a)", STATEMENT_CREATE_INDEX, NULL, "i", "t"},
        {"CREATE TYPE s.e AS ENUM ('a')", STATEMENT_CREATE_TYPE, "s", "e", NULL},
        {"CREATE TYPE c AS (a int)", STATEMENT_CREATE_TYPE, NULL, "c", NULL},
        {"CREATE TYPE r AS RANGE (subtype = int)", STATEMENT_CREATE_TYPE, NULL, "r", NULL},
        {"CREATE DOMAIN d AS int", STATEMENT_CREATE_TYPE, NULL, "d", NULL},
        {"CREATE FUNCTION s.f() RETURNS int LANGUAGE sql AS 'select 1'", STATEMENT_CREATE_FUNCTION,
         "s", "f", NULL},
        {"CREATE TRIGGER g BEFORE INSERT ON t EXECUTE FUNCTION f()", STATEMENT_CREATE_TRIGGER, NULL,
         "g", "t"},
        {"CREATE EXTENSION IF NOT EXISTS hstore", STATEMENT_CREATE_EXTENSION, NULL, "hstore", NULL},
        {"CREATE VIEW v AS SELECT 1", STATEMENT_CREATE_VIEW, NULL, "v", NULL},
        {"CREATE SEQUENCE q", STATEMENT_CREATE_SEQUENCE, NULL, "q", NULL},
        {"CREATE SCHEMA m", STATEMENT_CREATE_SCHEMA, NULL, "m", NULL},
        {"COMMENT ON COLUMN s.t.a IS 'x'", STATEMENT_COMMENT, NULL, "a", "t"},
        {"COMMENT ON TABLE s.t IS 'x'", STATEMENT_COMMENT, "s", "t", NULL},
        {"COMMENT ON FUNCTION f(int) IS 'x'", STATEMENT_COMMENT, NULL, "f", NULL},
        {"COMMENT ON TYPE s.e IS 'x'", STATEMENT_COMMENT, "s", "e", NULL},
        {"COMMENT ON EXTENSION hstore IS 'x'", STATEMENT_COMMENT, NULL, "hstore", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct deck_sql_file *file = read_sql(cases[i].sql, false);
        assert_int_equal(faults.list.count, 0);
        assert_int_equal(file->statements.count, 1);
        const struct deck_statement *statement = &file->statements.items[0];
        assert_int_equal(statement->kind, cases[i].kind);
        assert_string_equal(statement->name, cases[i].name);
        assert_string_equal(statement->schema == NULL ? "-" : statement->schema,
                            cases[i].schema == NULL ? "-" : cases[i].schema);
        assert_string_equal(statement->table == NULL ? "-" : statement->table,
                            cases[i].table == NULL ? "-" : cases[i].table);
        assert_string_equal(statement->sql, cases[i].sql);
    }
}

static void
places_are_those_of_the_first_token(void **state)
{
    const struct deck_sql_file *file = read_sql("-- Größe;\n"
                                                "CREATE TABLE a (x text DEFAULT 'ä;');"
                                                " /* ; */ CREATE TABLE b (y int)\n;\n"
                                                "  CREATE TABLE \"ü;\" ();;",
                                                false);

    (void)state;
    assert_int_equal(faults.list.count, 0);
    assert_int_equal(file->statements.count, 3);
    assert_int_equal(file->statements.items[0].place.line, 2);
    assert_int_equal(file->statements.items[0].place.column, 1);
    assert_int_equal(file->statements.items[1].place.line, 2);
    assert_int_equal(file->statements.items[1].place.column, 47);
    assert_string_equal(file->statements.items[1].sql, "CREATE TABLE b (y int)");
    assert_int_equal(file->statements.items[2].place.line, 4);
    assert_int_equal(file->statements.items[2].place.column, 3);
    assert_string_equal(file->statements.items[2].name, "ü;");
}

static void
bodies_keep_their_semicolons(void **state)
{
    const struct deck_sql_file *file =
        read_sql("CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; "
                 "SELECT CASE WHEN true THEN 1 END; END; "
                 "CREATE FUNCTION g() RETURNS void LANGUAGE plpgsql AS $$BEGIN; END$$; "
                 "CREATE TABLE t ()",
                 false);

    (void)state;
    assert_int_equal(faults.list.count, 0);
    assert_int_equal(file->statements.count, 3);
    assert_string_equal(file->statements.items[2].name, "t");
}

static void
index_words_are_taken_out(void **state)
{
    static const struct {
        const char *sql, *left;
    } cases[] = {
        {"CREATE INDEX CONCURRENTLY i ON t (a)", "CREATE INDEX i ON t (a)"},
        {"create unique index /* x */ concurrently -- y\n if not exists \"index\" on t (a)",
         "create unique index /* x */ \"index\" on t (a)"},
        {"CREATE INDEX IF NOT EXISTS i ON t (a)", "CREATE INDEX i ON t (a)"},
        {"CREATE INDEX \"concurrently\" ON t (a)", "CREATE INDEX \"concurrently\" ON t (a)"},
        {"CREATE INDEX CONCURRENTLY \"if not exists\" ON t (a) WHERE b = 'concurrently'",
         "CREATE INDEX \"if not exists\" ON t (a) WHERE b = 'concurrently'"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct deck_sql_file *file = read_sql(cases[i].sql, true);
        assert_int_equal(faults.list.count, 0);
        assert_string_equal(file->statements.items[0].sql, cases[i].left);
    }
    assert_true(read_sql(cases[0].sql, true)->statements.items[0].is_concurrent);
    assert_false(read_sql(cases[3].sql, true)->statements.items[0].is_concurrent);
}

static void
tables_tell_columns_and_keys(void **state)
{
    const struct deck_sql_file *file =
        read_sql("CREATE TABLE t (id int PRIMARY KEY, a text UNIQUE, b text, UNIQUE (a, b));"
                 "CREATE TABLE u (LIKE t) PARTITION BY HASH (id)",
                 false);
    const struct deck_statement *table = &file->statements.items[0];

    (void)state;
    assert_int_equal(table->columns.count, 3);
    assert_string_equal(table->columns.items[2], "b");
    assert_int_equal(table->keys.count, 3);
    assert_true(table->keys.items[0].is_primary);
    assert_int_equal(table->keys.items[2].columns.count, 2);
    assert_false(table->is_partitioned || table->has_other_columns);
    assert_true(file->statements.items[1].is_partitioned);
    assert_true(file->statements.items[1].has_other_columns);
}

static void
a_fault_does_not_hide_the_rest(void **state)
{
    const struct deck_sql_file *file = read_sql("CREATE TABLE a ();\nCREATE 'ä' TABLE;\n"
                                                "DROP TABLE a;\nCREATE TABLE b ();",
                                                false);

    (void)state;
    assert_int_equal(file->statements.count, 2);
    assert_int_equal(faults.list.count, 2);
    assert_int_equal(faults.list.items[0].line, 2);
    assert_int_equal(faults.list.items[0].column, 8);
    assert_int_equal(faults.list.items[1].line, 3);
}

static void
bad_bytes_are_refused(void **state)
{
    static const char nul[] = "CREATE TABLE a ();\0DROP TABLE a";

    (void)state;
    deck_sql_read(arena, "x.sql", nul, sizeof(nul) - 1, false, &faults);
    assert_int_equal(faults.list.count, 1);
    read_sql("CREATE TABLE \"\xc3\x28\" ()", false);
    assert_int_equal(faults.list.count, 2);
    assert_int_equal(faults.list.items[1].column, 15);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_kind_is_read),           TEST(places_are_those_of_the_first_token),
        TEST(bodies_keep_their_semicolons), TEST(index_words_are_taken_out),
        TEST(tables_tell_columns_and_keys), TEST(a_fault_does_not_hide_the_rest),
        TEST(bad_bytes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
