// SPDX-License-Identifier: MIT
#include "pool/checkin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum {
    ALL = (1 << 12) - 1,
    NEVER_FREE = POOL_FACT_BROKEN | POOL_FACT_PARTIAL | POOL_FACT_UNSENT | POOL_FACT_UNREAD |
                 POOL_FACT_OWED | POOL_FACT_COPY | POOL_FACT_BLOCK | POOL_FACT_CANCEL,
    HOLDS = POOL_FACT_SESSION | POOL_FACT_PINNED | POOL_FACT_SIGNS,
};

/* The law, written another way, against every combination of facts. */
static void
no_server_goes_on_that_must_not(void **state)
{
    (void)state;
    for (unsigned facts = 0; facts <= ALL; facts++) {
        enum pool_verdict verdict = pool_checkin(facts);
        bool is_gone = (facts & POOL_FACT_GONE) != 0;
        if ((facts & POOL_FACT_BROKEN) != 0)
            assert_int_equal(verdict, POOL_CLOSE);
        if ((facts & NEVER_FREE) != 0) {
            assert_int_not_equal(verdict, POOL_RELEASE);
            assert_int_not_equal(verdict, POOL_RESET);
            assert_int_not_equal(verdict, POOL_PROBE);
        }
        if ((facts & (NEVER_FREE - POOL_FACT_CANCEL)) != 0 && is_gone)
            assert_int_equal(verdict, POOL_CLOSE);
        if ((facts & HOLDS) != 0)
            assert_int_not_equal(verdict, POOL_RELEASE);
        if ((facts & HOLDS) != 0 && !is_gone) /* a server that is waited for has lost its client */
            assert_int_not_equal(verdict, POOL_WAIT);
        if (is_gone) {
            assert_int_not_equal(verdict, POOL_KEEP);
            assert_int_not_equal(verdict, POOL_PROBE);
        }
        assert_true(pool_checkin_reason(facts)[0] != '\0');
    }
}

static void
what_owes_nothing_is_released(void **state)
{
    (void)state;
    assert_int_equal(pool_checkin(0), POOL_RELEASE);
    assert_int_equal(pool_checkin(POOL_FACT_GONE), POOL_RELEASE);
    assert_int_equal(pool_checkin(POOL_FACT_SIGNS), POOL_PROBE);
    assert_int_equal(pool_checkin(POOL_FACT_SIGNS | POOL_FACT_PINNED), POOL_PROBE);
    assert_int_equal(pool_checkin(POOL_FACT_PINNED), POOL_KEEP);
    assert_int_equal(pool_checkin(POOL_FACT_PINNED | POOL_FACT_GONE), POOL_RESET);
    assert_int_equal(pool_checkin(POOL_FACT_CANCEL), POOL_WAIT);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_server_goes_on_that_must_not),
        cmocka_unit_test(what_owes_nothing_is_released),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
