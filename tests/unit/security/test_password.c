// SPDX-License-Identifier: MIT
#include "security/password.h"

#include "deck/deck.h"

#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/pgdeck-password-XXXXXX";

static int
make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL || setenv("PGDECK_STATE_DIR", folder, 1) != 0;
}

static int
remove_folder(void **state)
{
    char command[128];

    (void)state;
    snprintf(command, sizeof(command), "rm -r %s", folder);
    return system(command);
}

static void
names_of_variables_are_plain(void **state)
{
    AUTO_ARENA arena = arena_new();

    (void)state;
    assert_string_equal(deck_password_variable(arena, "production_api_gateway_a"),
                        "PGDECK_PASSWORD_PRODUCTION_API_GATEWAY_A");
    assert_string_equal(deck_password_variable(arena, "it's a-b"), "PGDECK_PASSWORD_IT_S_A_B");
}

static void
the_file_stays_within_its_folder(void **state)
{
    AUTO_ARENA arena = arena_new();

    (void)state;
    assert_string_equal(password_file_path(arena, "/s", "saas-deck"), "/s/saas-deck/passwords");
    assert_string_equal(password_file_path(arena, "/s", "../x"), "/s/%2E.%2Fx/passwords");
    assert_string_equal(password_file_path(arena, "/s", "ü"), "/s/%C3%BC/passwords");
}

static const char *
made(struct arena *arena, const char *role)
{
    const char *password;
    struct error err = {0};

    assert_true(password_find_or_make(arena, "deck", role, &password, &err));
    return password;
}

static void
a_password_is_made_once(void **state)
{
    AUTO_ARENA arena = arena_new();
    const char *found;
    struct error err = {0};
    struct stat status;

    (void)state;
    assert_true(password_find(arena, "deck", "one", &found, &err));
    assert_null(found);
    const char *first = made(arena, "one");
    assert_int_equal(strlen(first), 32);
    assert_string_equal(made(arena, "one"), first);
    assert_string_not_equal(made(arena, "two"), first);
    assert_true(password_find(arena, "deck", "one", &found, &err));
    assert_string_equal(found, first);
    const char *path = password_file_path(arena, folder, "deck");
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
}

static void
the_environment_comes_first_and_is_not_stored(void **state)
{
    AUTO_ARENA arena = arena_new();
    const char *found;
    struct error err = {0};

    (void)state;
    setenv("PGDECK_PASSWORD_THREE", "from outside", 1);
    assert_string_equal(made(arena, "three"), "from outside");
    unsetenv("PGDECK_PASSWORD_THREE");
    assert_true(password_find(arena, "deck", "three", &found, &err));
    assert_null(found);
}

static void
colons_and_backslashes_survive(void **state)
{
    AUTO_ARENA arena = arena_new();
    const char *found, *path = password_file_path(arena, folder, "deck");
    struct error err = {0};
    static const char lines[] = "*:*:*:a\\:b:x\\:y\\\\z\n*:*:*:a:plain";

    (void)state;
    assert_true(file_write(path, lines, sizeof(lines) - 1, 0600, &err));
    assert_true(password_find(arena, "deck", "a:b", &found, &err));
    assert_string_equal(found, "x:y\\z");
    const char *tricky = made(arena, "c\nd:e\\");
    assert_string_equal(made(arena, "c\nd:e\\"), tricky);
    assert_true(password_find(arena, "deck", "a", &found, &err));
    assert_string_equal(found, "plain");
}

static void
a_file_that_others_may_read_is_refused(void **state)
{
    AUTO_ARENA arena = arena_new();
    const char *found, *path = password_file_path(arena, folder, "deck");
    struct error err = {0};

    (void)state;
    made(arena, "one");
    assert_int_equal(chmod(path, 0640), 0);
    assert_false(password_find(arena, "deck", "one", &found, &err));
    assert_int_equal(err.code, ERROR_FILE);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink("/etc/hostname", path), 0);
    assert_false(password_find(arena, "deck", "one", &found, &err));
    assert_int_equal(unlink(path), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_variables_are_plain),
        cmocka_unit_test(the_file_stays_within_its_folder),
        cmocka_unit_test(a_password_is_made_once),
        cmocka_unit_test(the_environment_comes_first_and_is_not_stored),
        cmocka_unit_test(colons_and_backslashes_survive),
        cmocka_unit_test(a_file_that_others_may_read_is_refused),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
