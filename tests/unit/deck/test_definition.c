// SPDX-License-Identifier: MIT
#include "deck/definition.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
columns_are_cut_out_as_written(void **state)
{
    AUTO_ARENA arena = arena_new();
    struct deck_statement statement = {
        .sql = "CREATE TABLE t (a int DEFAULT 3 NOT NULL, -- one, two\n"
               "  b numeric(10, 2) /* (c */, c text DEFAULT $x$a,b)$x$,\n"
               "  \"d,\" text[] DEFAULT '{1,2)}', e timestamptz NOT NULL DEFAULT now(),\n"
               "  f uuid DEFAULT gen_random_uuid(), g bigserial, h int CHECK (h IN (1, 2)),\n"
               "  i int NOT NULL, j int REFERENCES t (a), k jsonb DEFAULT '{}'::jsonb,\n"
               "  l int GENERATED ALWAYS AS IDENTITY, PRIMARY KEY (a, b))",
    };
    static const struct {
        const char *name, *definition;
        bool is_cheap;
    } rows[] = {
        {"a", "a int DEFAULT 3 NOT NULL", true},
        {"b", "b numeric(10, 2)", true},
        {"c", "c text DEFAULT $x$a,b)$x$", true},
        {"d,", "\"d,\" text[] DEFAULT '{1,2)}'", true},
        {"e", "e timestamptz NOT NULL DEFAULT now()", true},
        {"f", "f uuid DEFAULT gen_random_uuid()", false},
        {"g", "g bigserial", false},
        {"h", "h int CHECK (h IN (1, 2))", false},
        {"i", "i int NOT NULL", false},
        {"j", "j int REFERENCES t (a)", false},
        {"k", "k jsonb DEFAULT '{}'::jsonb", true},
        {"l", "l int GENERATED ALWAYS AS IDENTITY", false},
    };
    struct deck_column column;
    struct error err = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_true(deck_table_column(arena, &statement, rows[i].name, &column, &err));
        assert_string_equal(column.definition, rows[i].definition);
        assert_int_equal(column.is_cheap, rows[i].is_cheap);
    }
    assert_false(deck_table_column(arena, &statement, "z", &column, &err));
    assert_int_equal(err.code, ERROR_DECK);
}

static void
the_table_of_an_index_is_found(void **state)
{
    AUTO_ARENA arena = arena_new();
    static const struct {
        const char *sql, *schema, *table;
    } rows[] = {
        {"CREATE INDEX i ON t (a)", NULL, "t"},
        {"CREATE UNIQUE INDEX \"ON t\" ON ONLY s.t(a)", "s", "s.t"},
        {"CREATE INDEX i ON /* s.t */ \"s ü\" -- x\n . \"t \"\"(\" USING gin (b)", "s ü",
         "\"s ü\" -- x\n . \"t \"\"(\""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct deck_statement statement = {.sql = rows[i].sql, .table_schema = rows[i].schema};
        struct deck_span span;
        struct error err = {0};
        assert_true(deck_index_table(arena, &statement, &span, &err));
        assert_string_equal(arena_strndup(arena, rows[i].sql + span.start, span.length),
                            rows[i].table);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_cut_out_as_written),
        cmocka_unit_test(the_table_of_an_index_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
