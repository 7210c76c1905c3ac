// SPDX-License-Identifier: MIT
#include "watch/board.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static void
a_document_stays_while_it_is_held(void **state)
{
    struct watch_board *board = watch_board_new();

    (void)state;
    assert_null(watch_board_get(board, "overview"));
    watch_board_put_json(board, "overview", json_pack("{s:i}", "at", 1));
    const struct watch_document *held = watch_board_get(board, "overview");
    uint64_t version = watch_board_version(board);
    watch_board_put_json(board, "overview", json_pack("{s:i}", "at", 1)); /* the same */
    assert_true(watch_board_version(board) == version);
    watch_board_put_json(board, "overview", json_pack("{s:i}", "at", 2));
    assert_true(watch_board_wait(board, version, 1000) > version);
    assert_string_equal(held->text, "{\"at\":1}");
    watch_board_drop(board, "over", held->at + 3600);
    assert_null(watch_board_get(board, "overview"));
    watch_document_release(board, held);
    watch_board_free(board);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_document_stays_while_it_is_held),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
