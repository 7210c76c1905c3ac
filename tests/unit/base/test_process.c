// SPDX-License-Identifier: MIT
#include "base/process.h"

#include "base/tree.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { TIMEOUT_MS = 10000 };

static bool
run_shell(const char *script, int timeout_ms, struct text *output, int *ret_status,
          struct error *err)
{
    const char *const arguments[] = {"/bin/sh", "-c", script, NULL};
    const struct process_spec spec = {.arguments = arguments};

    return process_run(&spec, timeout_ms, output, ret_status, err);
}

static void
test_output_and_status(void **state)
{
    AUTO_TEXT output = {0};
    struct error err = {0};
    int status = -1;

    (void)state;
    assert_true(
        run_shell("echo out; echo err >&2; pwd; exit 7", TIMEOUT_MS, &output, &status, &err));
    assert_string_equal(text_chars(&output), "out\nerr\n/\n");
    assert_int_equal(status, 7);
    assert_true(run_shell("kill -9 $$", TIMEOUT_MS, &output, &status, &err));
    assert_int_equal(status, 128 + SIGKILL);
}

static void
test_all_output_arrives(void **state)
{
    AUTO_TEXT output = {0};
    struct error err = {0};
    int status;

    (void)state;
    assert_true(run_shell("i=0; while [ $i -lt 20000 ]; do echo 0123456789; i=$((i+1)); done",
                          TIMEOUT_MS, &output, &status, &err));
    assert_int_equal(output.length, 20000 * 11);
}

static void
test_program_that_is_not_there(void **state)
{
    AUTO_TEXT output = {0};
    struct error err = {0};
    const char *const arguments[] = {"/nonexistent/program", NULL};
    const struct process_spec spec = {.arguments = arguments};
    int status;

    (void)state;
    assert_false(process_run(&spec, TIMEOUT_MS, &output, &status, &err));
    assert_int_equal(err.code, ERROR_FILE);
    assert_string_equal(err.message,
                        "cannot run \"/nonexistent/program\": No such file or directory");
}

static void
test_out_of_time_ends_the_whole_group(void **state)
{
    AUTO_TEXT output = {0};
    struct error err = {0};
    int status;

    (void)state;
    /* The inner sleep is a grandchild; a shell's background job ignores SIGINT. */
    assert_false(run_shell("sleep 1000 & echo $!; wait", 300, &output, &status, &err));
    assert_int_equal(err.code, ERROR_INTERNAL);
    pid_t grandchild = (pid_t)atol(text_chars(&output));
    assert_true(grandchild > 1);
    for (int tries = 0; kill(grandchild, 0) == 0 && tries < 100; tries++) {
        char path[64];
        char name[64] = "";
        char kind = 0;
        snprintf(path, sizeof(path), "/proc/%d/stat", (int)grandchild);
        FILE *file = fopen(path, "re");
        if (file == NULL)
            return;
        int count = fscanf(file, "%*d %63s %c", name, &kind);
        fclose(file);
        if (count == 2 && kind == 'Z') /* dead; whoever inherited it has not looked yet */
            return;
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    }
    assert_int_not_equal(kill(grandchild, 0), 0);
}

static void
test_servers_see_no_settings_of_clients(void **state)
{
    AUTO_TEXT output = {0};
    struct error err = {0};
    int status;

    (void)state;
    setenv("PGPORT", "1", 1);
    setenv("PGDECK_X", "kept", 1);
    assert_true(
        run_shell("echo ${PGPORT-none} ${PGDECK_X-none}", TIMEOUT_MS, &output, &status, &err));
    unsetenv("PGPORT");
    unsetenv("PGDECK_X");
    assert_string_equal(text_chars(&output), "none kept\n");
}

static void
test_tree_is_removed_but_what_links_point_to(void **state)
{
    AUTO_TEXT output = {0};
    struct error err = {0};
    char folder[] = "/tmp/pgdeck-unit-XXXXXX";
    char script[256];
    int status;

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(script, sizeof(script),
             "cd %s && mkdir -p a/b/c keep && echo x >a/b/c/f && echo x >keep/f && "
             "ln -s ../../keep a/b/link && ln -s nowhere a/dangling",
             folder);
    assert_true(run_shell(script, TIMEOUT_MS, &output, &status, &err));
    assert_int_equal(status, 0);
    assert_true(tree_size_bytes(folder) > 0);
    snprintf(script, sizeof(script), "%s/a", folder);
    assert_true(tree_remove(script, &err));
    assert_int_not_equal(access(script, F_OK), 0);
    assert_true(tree_remove(script, &err)); /* not there: fine */
    snprintf(script, sizeof(script), "%s/keep/f", folder);
    assert_int_equal(access(script, F_OK), 0);
    assert_true(tree_remove(folder, &err));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_output_and_status),
        cmocka_unit_test(test_all_output_arrives),
        cmocka_unit_test(test_program_that_is_not_there),
        cmocka_unit_test(test_out_of_time_ends_the_whole_group),
        cmocka_unit_test(test_servers_see_no_settings_of_clients),
        cmocka_unit_test(test_tree_is_removed_but_what_links_point_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
