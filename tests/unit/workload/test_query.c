// SPDX-License-Identifier: MIT
#include "workload/query.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define HEAD "-- name: q\n-- class: c\n"

static void
a_whole_file(void **state)
{
    static const char text[] =
        "-- name: project_dashboard\n"
        "-- class: dashboard\n"
        "-- what: tasks of a project: all of them\n"
        "-- uses: a_idx, b_idx\n"
        "-- A remark, that is all.\n"
        "-- $1 project uuid: SELECT id::text FROM projects ORDER BY 1 LIMIT 10\n"
        "-- $2 since timestamp with time zone: SELECT now()\n"
        "\n"
        "SELECT ';', '$9', \"$8\", $tag$ $7; $tag$, E'\\'$6' -- $5;\n"
        "/* $4; /* $3; */ ; */ FROM t\n"
        "WHERE a = $1 AND b$1 > $2;\n"
        "-- the end\n";
    AUTO_ARENA arena = arena_new();
    struct workload_query query;
    struct error err = {0};

    (void)state;
    bool is_fine = workload_read_query(arena, "w/a.sql", text, &query, &err);
    assert_string_equal(err.message, "");
    assert_true(is_fine);
    assert_string_equal(query.name, "project_dashboard");
    assert_string_equal(query.class_name, "dashboard");
    assert_string_equal(query.what, "tasks of a project: all of them");
    assert_int_equal(query.uses.count, 2);
    assert_string_equal(query.uses.items[1], "b_idx");
    assert_int_equal(query.parameters.count, 2);
    assert_string_equal(query.parameters.items[0].name, "project");
    assert_string_equal(query.parameters.items[0].type, "uuid");
    assert_string_equal(query.parameters.items[0].candidates,
                        "SELECT id::text FROM projects ORDER BY 1 LIMIT 10");
    assert_string_equal(query.parameters.items[1].type, "timestamp with time zone");
    assert_int_equal(query.sql_place.line, 9);
    assert_int_equal(query.sql[strlen(query.sql) - 1], '2');
}

static void
places_count_characters(void **state)
{
    struct place place = workload_place((struct place){"f", 9, 5}, "ab\ncd\xc3\xa4x", 7);

    (void)state;
    assert_int_equal(place.line, 10);
    assert_int_equal(place.column, 4);
    place = workload_place((struct place){"f", 9, 5}, "ab", 2);
    assert_int_equal(place.line, 9);
    assert_int_equal(place.column, 6);
}

static void
bad_files_have_place_and_message(void **state)
{
    static const struct {
        const char *text;
        const char *fault; /* line:column: message [hint] */
    } bad[] = {
        {"", "1:1: query without a name [Add a line \"-- name: ...\" at the top of the file.]"},
        {"-- name: x\nSELECT 1",
         "1:1: query without a class [Add a line \"-- class: ...\" at the top of the file.]"},
        {"-- name:\n", "1:9: header line without a value []"},
        {"-- name: x\n-- name: y\n", "2:9: header line is there twice "
                                     "[Only one line \"-- name: ...\" may be there.]"},
        {"-- name: x\n-- clas: y\n", "2:4: unknown header line \"clas\" [Did you mean \"class\"?]"},
        {HEAD, "3:1: no statement []"},
        {HEAD "-- just this\n;", "4:1: no statement []"},
        {HEAD "SELECT 1; SELECT 2", "3:11: more than one statement "
                                    "[A workload file holds one statement; make another file of "
                                    "this one.]"},
        {HEAD "SELECT 1;;", "3:10: more than one statement "
                            "[A workload file holds one statement; make another file of this "
                            "one.]"},
        {HEAD "SELECT '\xc3\xa4', $1", "3:13: parameter $1 is not declared "
                                       "[Add a line \"-- $1 name type: SELECT ...\" above the "
                                       "statement.]"},
        {HEAD "-- $1 a int: SELECT 1\nSELECT 1",
         "3:9: parameter $1 (a) is declared but not used []"},
        {HEAD "-- $2 a int: SELECT 1\nSELECT $2",
         "3:4: parameters must be declared in order [Here $1 is due, and there are at most 64.]"},
        {HEAD "-- $1 a: SELECT 1\nSELECT $1",
         "3:7: parameter without name, type or candidates "
         "[A parameter is declared as: -- $1 name type: SELECT ...]"},
        {HEAD "-- $1 a int:\nSELECT $1",
         "3:7: parameter without name, type or candidates "
         "[A parameter is declared as: -- $1 name type: SELECT ...]"},
        {HEAD "-- $1\nSELECT $1", "3:4: parameter without name, type or candidates "
                                  "[A parameter is declared as: -- $1 name type: SELECT ...]"},
        {HEAD "-- $x a int: SELECT 1\nSELECT 1",
         "3:4: parameters must be declared in order [Here $1 is due, and there are at most 64.]"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        AUTO_ARENA arena = arena_new();
        struct workload_query query;
        struct error err = {0};
        char found[4096];
        assert_false(workload_read_query(arena, "bad.sql", bad[i].text, &query, &err));
        snprintf(found, sizeof(found), "%d:%d: %s [%s]", err.line, err.column, err.message,
                 err.hint);
        assert_string_equal(found, bad[i].fault);
        assert_int_equal(err.code, ERROR_DECK);
        assert_string_equal(err.file, "bad.sql");
    }
}

/* Text that ends in the middle of anything must not be read past its end (ASan build). */
static void
cut_off_files_end_where_they_end(void **state)
{
    static const char text[] = HEAD "-- $1 a int: SELECT 1\nSELECT $t$ x $t$, 'a''\\', E'\\'', "
                                    "\"b\" /* c /* d */ */ -- e\n, $1;";

    (void)state;
    for (size_t length = 0; length <= strlen(text); length++) {
        AUTO_ARENA arena = arena_new();
        struct workload_query query;
        struct error err = {0};
        char *cut = test_malloc(length + 1);
        memcpy(cut, text, length);
        cut[length] = '\0';
        if (!workload_read_query(arena, "cut.sql", cut, &query, &err))
            assert_int_equal(err.code, ERROR_DECK);
        test_free(cut);
    }
}

static void
a_folder_without_queries_is_an_error(void **state)
{
    AUTO_ARENA arena = arena_new();
    struct workload workload;
    struct error err = {0};

    (void)state;
    assert_false(workload_load(arena, "/nowhere/at/all", &workload, &err));
    assert_int_equal(err.code, ERROR_FILE);
    assert_false(workload_load(arena, "/proc/self/fd", &workload, &err));
    assert_int_equal(err.code, ERROR_DECK);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_file),
        cmocka_unit_test(places_count_characters),
        cmocka_unit_test(bad_files_have_place_and_message),
        cmocka_unit_test(cut_off_files_end_where_they_end),
        cmocka_unit_test(a_folder_without_queries_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
