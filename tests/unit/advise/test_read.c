// SPDX-License-Identifier: MIT
#include "advise/read.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct advise_column columns[] = {
    {.name = "id", .type = "integer", .category = 'N'},
    {.name = "at", .type = "timestamp with time zone", .category = 'D'},
    {.name = "name", .type = "character varying(20)", .category = 'S'},
    {.name = "payload", .type = "jsonb", .category = 'U'},
    {.name = "labels", .type = "text[]", .category = 'A'},
};
static struct advise_table table_t = {.oid = 1, .schema = "public", .name = "t", .kind = 'r'};
static struct advise_table table_u = {.oid = 2, .schema = "public", .name = "u", .kind = 'r'};
static struct advise_table view_v = {.oid = 3, .schema = "public", .name = "v", .kind = 'v'};

struct fixture {
    struct arena *arena;
    struct advise_tables tables;
    struct advise_statement statement;
    json_t *tree, *view;
    char text[2000];
};

static void
add_table(struct fixture *fixture, const char *written, struct advise_table *table)
{
    table->columns.items = columns;
    table->columns.count = sizeof(columns) / sizeof(columns[0]);
    *LIST_ADD(fixture->arena, &fixture->tables.written) = pg_identifier(fixture->arena, written);
    *LIST_ADD(fixture->arena, &fixture->tables.list) = table;
}

static const char *
word(const struct advise_clause *clause)
{
    static const char *const words[] = {"=",  "in", "join", "<>", "like", "infix",
                                        "@>", "?",  "<@",   "c=", "&&",   "@@"};

    return words[clause->use];
}

static void
add(struct fixture *fixture, const char *text)
{
    strncat(fixture->text, text, sizeof(fixture->text) - strlen(fixture->text) - 1);
}

static void
show(struct fixture *fixture)
{
    for (size_t i = 0; i < fixture->statement.references.count; i++) {
        const struct advise_reference *reference = &fixture->statement.references.items[i];
        add(fixture, i == 0 ? "" : "; ");
        add(fixture, reference->table->name);
        add(fixture, ":");
        for (size_t j = 0; j < reference->clauses.count; j++) {
            add(fixture, " ");
            add(fixture, reference->clauses.items[j].key);
            add(fixture, word(&reference->clauses.items[j]));
            add(fixture, reference->clauses.items[j].is_in_or ? "|" : "");
        }
        for (size_t j = 0; j < reference->order.count; j++) {
            add(fixture, j == 0 ? " by " : ",");
            add(fixture, reference->order.items[j].key);
            add(fixture, reference->order.items[j].is_descending ? "-" : "");
        }
        for (size_t j = 0; j < reference->row.count; j++) {
            add(fixture, j == 0 ? " row " : ",");
            add(fixture, reference->row.items[j]);
        }
    }
}

/* What is read of sql, as "t: id= at<> by at-; u: id-join". */
static const char *
read(struct fixture *fixture, const char *sql)
{
    struct error err;

    arena_free(fixture->arena);
    json_decref(fixture->tree);
    json_decref(fixture->view);
    *fixture = (struct fixture){.arena = arena_new()};
    assert_true(tree_parse("SELECT t.id AS number, t.at, t.name FROM t WHERE labels && '{a}'",
                           &fixture->view, &err));
    view_v.query = fixture->view;
    add_table(fixture, "t", &table_t);
    add_table(fixture, "u", &table_u);
    add_table(fixture, "v", &view_v);
    assert_true(tree_parse(sql, &fixture->tree, &err));
    advise_read_statement(fixture->arena, fixture->tree, &fixture->tables, &fixture->statement);
    show(fixture);
    return fixture->text;
}

static int
setup(void **state)
{
    static struct fixture fixture;

    *state = &fixture;
    fixture = (struct fixture){0};
    fixture.arena = arena_new();
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *fixture = *state;

    arena_free(fixture->arena);
    json_decref(fixture->tree);
    json_decref(fixture->view);
    return 0;
}

static void
conditions(void **state)
{
    static const struct {
        const char *sql, *read;
    } cases[] = {
        {"SELECT 1", ""},
        {"SELECT * FROM t WHERE id = $1 AND $2 < at", "t: id= at<>"},
        {"SELECT * FROM t WHERE id = 1 OR name LIKE 'a%'", "t: id=| namelike|"},
        {"SELECT * FROM t WHERE name LIKE '%a' AND id IN (1, 2)", "t: nameinfix idin"},
        {"SELECT * FROM t WHERE lower(name) = $1", "t: lower(name)="},
        {"SELECT * FROM t WHERE name::text = $1", "t: name="},
        {"SELECT * FROM t WHERE payload @> $1 AND labels && $2", "t: payload@> labels&&"},
        {"SELECT * FROM t WHERE $1 = ANY (labels)", "t: labelsc="},
        {"SELECT * FROM t WHERE payload ->> 'a' = $1", "t: (payload ->> 'a')="},
        {"SELECT * FROM t WHERE at IS NULL AND id BETWEEN 1 AND 2", "t: at= id<>"},
        {"SELECT * FROM t WHERE NOT (id = 1)", "t:"},
        {"SELECT * FROM t WHERE id <> 1", "t:"},
        {"SELECT * FROM t WHERE id = at", "t:"},
        {"SELECT * FROM nowhere WHERE id = 1", ""},
        {"WITH t AS (SELECT 1 AS id) SELECT * FROM t WHERE id = 1", ""},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_string_equal(read(*state, cases[i].sql), cases[i].read);
}

static void
several_tables(void **state)
{
    assert_string_equal(read(*state, "SELECT * FROM t JOIN u ON t.id = u.id WHERE u.name = $1"),
                        "t: idjoin; u: idjoin name=");
    assert_string_equal(read(*state, "SELECT * FROM t JOIN u USING (id)"), "t: idjoin; u: idjoin");
    assert_string_equal(
        read(*state, "SELECT * FROM t WHERE id IN (SELECT id FROM u WHERE u.at > t.at)"),
        "t: idjoin; u: at<>");
    assert_string_equal(read(*state, "SELECT at FROM t UNION SELECT at FROM u WHERE id = 1"),
                        "t:; u: id=");
}

static void
order(void **state)
{
    assert_string_equal(read(*state, "SELECT at AS x FROM t WHERE id = 1 ORDER BY x DESC, 1"),
                        "t: id= by at-,at");
    assert_string_equal(read(*state, "SELECT 1 FROM t, u ORDER BY t.at, u.id, t.id"),
                        "t: by at; u:");
}

static void
rows(void **state)
{
    assert_string_equal(read(*state, "SELECT 1 FROM t WHERE (at, id) > ($1, $2)"),
                        "t: at<> row at,id");
    assert_string_equal(read(*state, "SELECT 1 FROM t WHERE (at, id) = ($1, $2)"), "t: at= id=");
    assert_string_equal(read(*state, "SELECT 1 FROM t WHERE (at, id) IN (($1, $2), ($3, $4))"),
                        "t: atin idin");
    assert_string_equal(read(*state, "SELECT 1 FROM t, u WHERE (t.id, t.at) = (u.id, 1)"),
                        "t:; u:");
}

static void
subqueries_and_views(void **state)
{
    assert_string_equal(read(*state,
                             "SELECT 1 FROM (SELECT id AS n, max(at) AS m FROM t GROUP BY id) s "
                             "WHERE n = $1 AND m > $2 ORDER BY n"),
                        "t: id= by id");
    assert_string_equal(read(*state, "SELECT 1 FROM (SELECT * FROM t) s WHERE s.id = 1"), "t: id=");
    assert_string_equal(read(*state, "SELECT 1 FROM (SELECT id FROM t LIMIT 5) s WHERE id = 1"),
                        "t:");
    assert_string_equal(read(*state, "SELECT 1 FROM v WHERE number = $1 AND v.at > $2 ORDER BY at"),
                        "t: labels&& id= at<> by at");
    assert_string_equal(read(*state, "SELECT 1 FROM u JOIN v x ON x.number = u.id WHERE id = 2"),
                        "u: idjoin id=; t: labels&& idjoin");
    assert_string_equal(read(*state, "SELECT 1 FROM v WHERE lower(number::text) = 'a'"),
                        "t: labels&&");
}

static void
writes(void **state)
{
    struct fixture *fixture = *state;

    assert_string_equal(read(fixture, "UPDATE t SET at = now(), name = $1 WHERE id = $2"),
                        "t: id=");
    assert_ptr_equal(fixture->statement.target, &table_t);
    assert_int_equal(fixture->statement.assigned.count, 2);
    assert_string_equal(
        read(fixture,
             "MERGE INTO t USING u ON t.id = u.id WHEN MATCHED AND u.name = 'a' THEN DELETE "
             "WHEN MATCHED THEN UPDATE SET at = u.at WHEN NOT MATCHED THEN DO NOTHING"),
        "t: idjoin; u: idjoin");
    assert_int_equal(fixture->statement.kind, ADVISE_UPDATE);
    assert_int_equal(fixture->statement.assigned.count, 1);
    assert_string_equal(fixture->statement.assigned.items[0], "at");
}

static void
unknown_constants(void **state)
{
    struct fixture *fixture = *state;

    assert_string_equal(read(fixture, "SELECT 1 FROM t WHERE payload ->> $1 = $2 AND "
                                      "to_tsvector($3, name) @@ plainto_tsquery($4) AND "
                                      "coalesce(name, $5) = $6"),
                        "t:");
    assert_int_equal(fixture->statement.unknowns.count, 3);
    assert_int_equal(fixture->statement.unknowns.items[0].kind, ADVISE_DOCUMENT_KEY);
    assert_int_equal(fixture->statement.unknowns.items[1].kind, ADVISE_WORDS);
    assert_int_equal(fixture->statement.unknowns.items[1].parameter, 3);
    assert_non_null(fixture->statement.hint);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(conditions, setup, teardown),
        cmocka_unit_test_setup_teardown(several_tables, setup, teardown),
        cmocka_unit_test_setup_teardown(order, setup, teardown),
        cmocka_unit_test_setup_teardown(rows, setup, teardown),
        cmocka_unit_test_setup_teardown(subqueries_and_views, setup, teardown),
        cmocka_unit_test_setup_teardown(writes, setup, teardown),
        cmocka_unit_test_setup_teardown(unknown_constants, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
