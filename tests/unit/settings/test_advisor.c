// SPDX-License-Identifier: MIT
#include "settings/advisor.h"

#include "settings/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define GIGABYTE (INT64_C(1) << 30)

static struct fixture *
production(void)
{
    struct fixture *fixture = fixture_new(15);

    fixture_environment(fixture, "production", 4 * GIGABYTE, 150, LOGGING_MINIMAL);
    fixture_database(fixture, "prod db", 0);
    fixture->deck.servers.items[0].cpus = 4;
    return fixture;
}

static void
advise(struct fixture *fixture)
{
    struct error err = {0};

    fixture->changes.changes.count = 0;
    fixture->changes.notes.count = 0;
    fixture->changes.manual.count = 0;
    assert_true(settings_advise(&fixture->advice, &err));
}

static const struct change_manual *
manual(const struct fixture *fixture, const char *key)
{
    for (size_t i = 0; i < fixture->changes.manual.count; i++) {
        if (strcmp(fixture->changes.manual.items[i].key, key) == 0)
            return &fixture->changes.manual.items[i];
    }
    fail_msg("nothing is left to the user with key %s", key);
    return NULL;
}

static void
changes_know_what_they_need_and_the_way_back(void **state)
{
    struct fixture *fixture = production();

    (void)state;
    fixture_setting(fixture, "random_page_cost")->auto_value = "2";
    fixture_setting(fixture, "random_page_cost")->setting = "2";
    advise(fixture);
    const struct change *change = fixture_change(fixture, "setting shared_buffers");
    assert_string_equal(change->sql, "ALTER SYSTEM SET shared_buffers = '1200MB'");
    assert_string_equal(change->undo, "ALTER SYSTEM RESET shared_buffers");
    assert_string_equal(change->what, "set shared_buffers to 1200MB (now 128MB)");
    assert_string_equal(change->why,
                        "30 % of 4GB (the sum of the environments' memory) for production alone");
    assert_true(change->needs_restart && !change->needs_reload && !change->is_transactional);
    change = fixture_change(fixture, "setting random_page_cost");
    assert_string_equal(change->undo, "ALTER SYSTEM SET random_page_cost = '2'");
    assert_true(change->needs_reload && !change->needs_restart);
    assert_non_null(fixture_change(fixture, "setting max_parallel_workers")->warning);
    assert_null(fixture_change(fixture, "setting checkpoint_completion_target"));
    assert_int_equal(fixture_change(fixture, "reload")->phase, CHANGE_RELOAD);
    assert_true(fixture_change(fixture, "restart")->needs_restart);
    fixture_free(fixture);
}

static void
each_library_is_a_literal_of_its_own(void **state)
{
    struct fixture *fixture = production();

    (void)state;
    fixture_setting(fixture, "shared_preload_libraries")->auto_value = "\"a'b\", c";
    fixture_setting(fixture, "shared_preload_libraries")->setting = "\"a'b\", c";
    advise(fixture);
    const struct change *change = fixture_change(fixture, "setting shared_preload_libraries");
    assert_string_equal(change->sql, "ALTER SYSTEM SET shared_preload_libraries = 'a''b', 'c', "
                                     "'pg_stat_statements'");
    assert_string_equal(change->undo, "ALTER SYSTEM SET shared_preload_libraries = 'a''b', 'c'");
    fixture_free(fixture);
}

static void
what_waits_for_a_restart_is_not_set_again(void **state)
{
    struct fixture *fixture = production();
    struct catalog_setting *buffers = fixture_setting(fixture, "shared_buffers");

    (void)state;
    buffers->auto_value = "1200MB";
    buffers->is_pending_restart = true;
    advise(fixture);
    assert_null(fixture_change(fixture, "setting shared_buffers"));
    assert_non_null(strstr(fixture_change(fixture, "restart")->why, "shared_buffers"));
    buffers->setting = "153600";
    buffers->is_pending_restart = false;
    advise(fixture);
    assert_null(strstr(fixture_change(fixture, "restart")->why, "shared_buffers"));
    fixture_free(fixture);
}

static void
what_waits_for_a_reload_is_reloaded_only(void **state)
{
    struct fixture *fixture = production();

    (void)state;
    fixture_setting(fixture, "checkpoint_timeout")->auto_value = "900";
    advise(fixture);
    assert_null(fixture_change(fixture, "setting checkpoint_timeout"));
    assert_non_null(fixture_change(fixture, "reload"));
    fixture_free(fixture);
}

/* The running value is right, but the file already says something else. */
static void
a_wrong_value_that_waits_is_put_right(void **state)
{
    struct fixture *fixture = production();

    (void)state;
    fixture_setting(fixture, "shared_buffers")->setting = "153600";
    fixture_setting(fixture, "shared_buffers")->auto_value = "2GB";
    fixture_setting(fixture, "shared_buffers")->is_pending_restart = true;
    advise(fixture);
    assert_string_equal(fixture_change(fixture, "setting shared_buffers")->undo,
                        "ALTER SYSTEM SET shared_buffers = '2GB'");
    fixture_free(fixture);
}

static void
the_share_is_one_change_a_database(void **state)
{
    struct fixture *fixture = production();
    struct catalog_role_setting *former = LIST_ADD(fixture->arena, &fixture->catalog.role_settings);

    (void)state;
    *former = (struct catalog_role_setting){"prod db", "", "work_mem", "1MB"};
    former = LIST_ADD(fixture->arena, &fixture->catalog.role_settings);
    *former = (struct catalog_role_setting){"prod db", "", "gin_pending_list_limit", "8192kB"};
    advise(fixture);
    const struct change *change = fixture_change(fixture, "settings of the database");
    assert_string_equal(change->database, "prod db");
    assert_non_null(strstr(change->sql, "ALTER DATABASE \"prod db\" SET work_mem = '32MB';\n"));
    assert_non_null(strstr(change->undo, "ALTER DATABASE \"prod db\" SET work_mem = '1MB';\n"));
    assert_non_null(strstr(change->undo, "ALTER DATABASE \"prod db\" RESET jit;\n"));
    assert_null(strstr(change->sql, "gin_pending_list_limit")); /* 8MB already */
    assert_null(strstr(change->sql, "hash_mem_multiplier"));    /* the server's default */
    fixture_free(fixture);
}

static void
without_superuser_the_rest_is_a_note(void **state)
{
    struct fixture *fixture = production();

    (void)state;
    fixture->catalog.is_superuser = false;
    fixture->catalog.role = "rented";
    fixture_setting(fixture, "max_connections")->setting = "200";
    advise(fixture);
    for (size_t i = 0; i < fixture->changes.changes.count; i++)
        assert_int_equal(fixture->changes.changes.items[i].phase, CHANGE_DATABASE_SETTING);
    assert_null(strstr(fixture_change(fixture, "settings of the database")->sql, "log_temp_files"));
    assert_string_equal(manual(fixture, "setting shared_buffers")->obstacle,
                        "the role \"rented\" may not use ALTER SYSTEM");
    assert_string_equal(manual(fixture, "setting log_temp_files")->database, "prod db");
    fixture_free(fixture);
}

static void
the_command_line_wins_and_is_named(void **state)
{
    struct fixture *fixture = production();

    (void)state;
    fixture_setting(fixture, "shared_buffers")->source = "command line";
    advise(fixture);
    assert_null(fixture_change(fixture, "setting shared_buffers"));
    assert_non_null(strstr(manual(fixture, "setting shared_buffers")->obstacle, "command line"));
    fixture_free(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes_know_what_they_need_and_the_way_back),
        cmocka_unit_test(each_library_is_a_literal_of_its_own),
        cmocka_unit_test(what_waits_for_a_restart_is_not_set_again),
        cmocka_unit_test(what_waits_for_a_reload_is_reloaded_only),
        cmocka_unit_test(a_wrong_value_that_waits_is_put_right),
        cmocka_unit_test(the_share_is_one_change_a_database),
        cmocka_unit_test(without_superuser_the_rest_is_a_note),
        cmocka_unit_test(the_command_line_wins_and_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
