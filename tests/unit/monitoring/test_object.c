// SPDX-License-Identifier: MIT
#include "base/file.h"
#include "monitoring/object.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char *
deck_folder(struct arena *arena)
{
    return arena_printf(arena, "%s/decks/saas-control-deck/monitoring", getenv("PGDECK_SOURCE"));
}

static const struct monitoring_object *
find(const struct monitoring_objects *objects, const char *path)
{
    for (size_t i = 0; i < objects->list.count; i++) {
        if (strstr(objects->list.items[i].path, path) != NULL)
            return &objects->list.items[i];
    }
    fail_msg("no %s", path);
    return NULL;
}

static void
reads_every_header(void **state)
{
    struct monitoring_objects objects;
    AUTO_ARENA arena = arena_new();

    (void)state;
    struct error err = {0};
    assert_true(monitoring_objects_read(arena, deck_folder(arena), &objects, &err));
    assert_true(objects.list.count >= 20);
    for (size_t i = 0; i < objects.list.count; i++) {
        const struct monitoring_object *object = &objects.list.items[i];
        bool is_table = strcmp(object->kind, "table") == 0;
        assert_true(is_table || strcmp(object->kind, "view") == 0 ||
                    strcmp(object->kind, "function") == 0 ||
                    strcmp(object->kind, "procedure") == 0);
        assert_non_null(strstr(object->sql, is_table ? "CREATE TABLE " : "CREATE OR REPLACE "));
        assert_null(strstr(object->sql, "-- what:"));
    }
    const struct monitoring_object *scans =
        find(&objects, "monitoring/objects/src_index_scans__before_16.sql");
    assert_string_equal(scans->kind, "view");
    assert_string_equal(scans->name, "src_index_scans");
    assert_int_equal(scans->needs.count, 1);
    assert_false(scans->needs.items[0].is_wanted);
    assert_int_equal(scans->needs.items[0].kind, MONITORING_NEEDS_COLUMN);
    assert_string_equal(scans->needs.items[0].relation, "pg_catalog.pg_stat_all_indexes");
    assert_string_equal(scans->needs.items[0].columns.list.items[0], "last_idx_scan");
}

static void
reads_tables_and_rights(void **state)
{
    struct monitoring_objects objects;
    AUTO_ARENA arena = arena_new();

    (void)state;
    struct error err = {0};
    assert_true(monitoring_objects_read(arena, deck_folder(arena), &objects, &err));
    const struct monitoring_object *orphans = find(&objects, "monitoring/orphaned_results.sql");
    assert_string_equal(orphans->name, "orphaned_results()");
    assert_int_equal(orphans->needs.count, 2);
    assert_true(orphans->needs.items[1].is_wanted);
    assert_int_equal(orphans->needs.items[1].kind, MONITORING_NEEDS_TABLE);
    assert_string_equal(orphans->needs.items[1].relation, "ai_results");
    assert_int_equal(orphans->grants.count, 2);
    assert_string_equal(orphans->grants.items[1].table, "ai_results");
    assert_string_equal(orphans->grants.items[1].columns.list.items[0], "task_id");
    const struct monitoring_object *tasks = find(&objects, "monitoring/ai_task_performance.sql");
    assert_int_equal(tasks->grants.items[0].columns.list.count, 5);
    assert_string_equal(tasks->grants.items[0].columns.list.items[4], "completed_at");
}

static void
reads_checks_by_rank(void **state)
{
    struct monitoring_objects checks;
    AUTO_ARENA arena = arena_new();

    (void)state;
    struct error err = {0};
    assert_true(monitoring_checks_read(arena, deck_folder(arena), &checks, &err));
    assert_true(checks.list.count >= 10);
    for (size_t i = 0; i < checks.list.count; i++) {
        const struct monitoring_object *check = &checks.list.items[i];
        assert_string_equal(check->kind, "check");
        assert_null(strchr(check->sql + strlen(check->sql) - 1, ';'));
        assert_true(i == 0 || atoi(check[-1].rank) <= atoi(check->rank));
    }
    assert_string_equal(checks.list.items[0].name, "checksums");
    assert_true(checks.list.items[0].is_server_wide);
}

static void
a_fault_in_the_decks_folder_has_its_place(void **state)
{
    static const char *const texts[] = {
        "-- what: x\n-- object: view other.v\nSELECT 1;\n",
        "-- what: x\n-- needs: column nothing\n",
        "-- what: x\n-- needs: table t(a\n",
        "-- what: x\n-- colour: blue\n",
        "-- what: x\nSELECT 1;\n",
        "-- what: x\n-- check: y\nSELECT 1;\n",
        "-- what: x\n-- check: y\n-- rank: 1\nSELECT 1\n",
        "-- what: x\n-- object: view monitoring.v_slow_queries\nCREATE VIEW x;\n",
        "-- what: x\n-- object: table monitoring.t\nCREATE TABLE monitoring.t ();\n",
    };
    AUTO_ARENA arena = arena_new();
    char folder[] = "/tmp/test_object_XXXXXX";

    (void)state;
    assert_non_null(mkdtemp(folder));
    const char *path = arena_printf(arena, "%s/mine.sql", folder);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct monitoring_objects objects;
        struct error err = {0};
        assert_true(file_write(path, texts[i], strlen(texts[i]), 0600, &err));
        assert_false(monitoring_objects_read(arena, folder, &objects, &err));
        assert_int_equal(err.code, ERROR_DECK);
        assert_string_equal(err.file, path);
        assert_true(err.line >= 1);
    }
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
}

static void
puts_each_behind_what_it_reads(void **state)
{
    struct monitoring_objects objects;
    AUTO_ARENA arena = arena_new();
    size_t links = 0;

    (void)state;
    struct error err = {0};
    assert_true(monitoring_objects_read(arena, deck_folder(arena), &objects, &err));
    for (size_t i = 0; i < objects.list.count; i++) {
        for (size_t j = 0; j < objects.list.count; j++) {
            if (!monitoring_names_have(&objects.list.items[i].after, objects.list.items[j].name))
                continue;
            assert_true(j < i);
            links++;
        }
        assert_true(objects.list.items[i].after.list.count <= links);
    }
    assert_true(links >= 20);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_header),
        cmocka_unit_test(reads_tables_and_rights),
        cmocka_unit_test(reads_checks_by_rank),
        cmocka_unit_test(a_fault_in_the_decks_folder_has_its_place),
        cmocka_unit_test(puts_each_behind_what_it_reads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
