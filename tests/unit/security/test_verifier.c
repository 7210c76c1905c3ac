// SPDX-License-Identifier: MIT
#include "security/verifier.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

/* What PostgreSQL 18 made of "pencil". */
#define HEAD "SCRAM-SHA-256$4096:HVwHQGRjxctjQ0jYWFhaeA=="
#define STORED "MWiuJWTo7q9mCW40qp4xgnfDWFsTNeQhhojep1qSihc="
#define SERVER "8qX6e2OoxyiQzOqSRdQxQH54LlheEBej2deVFfDcHO0="

static void
the_password_is_recognised(void **state)
{
    (void)state;
    assert_int_equal(verifier_compare(HEAD "$" STORED ":" SERVER, "pencil"), VERIFIER_SAME);
    assert_int_equal(verifier_compare(HEAD "$" STORED ":" SERVER, "Pencil"), VERIFIER_OTHER);
    assert_int_equal(verifier_compare(HEAD "$" STORED ":" SERVER, ""), VERIFIER_OTHER);
    assert_int_equal(verifier_compare(HEAD "$" STORED ":" SERVER, "péncil"), VERIFIER_UNKNOWN);
}

static void
anything_else_is_foreign(void **state)
{
    static const char *const foreign[] = {
        NULL,
        "",
        "md5bb3a23d9c2d5b8a8b3c1f2c2f0cbd0a9",
        "SCRAM-SHA-256$",
        "SCRAM-SHA-256$4096",
        HEAD,
        HEAD "$",
        HEAD "$" STORED,
        HEAD "$AAAA:" SERVER,
        HEAD "$!!!!:" SERVER,
        "SCRAM-SHA-256$0:HVwHQGRjxctjQ0jYWFhaeA==$" STORED ":" SERVER,
        "SCRAM-SHA-256$2000000000:HVwHQGRjxctjQ0jYWFhaeA==$" STORED ":" SERVER,
        "SCRAM-SHA-256$4096:$" STORED ":" SERVER,
        "SCRAM-SHA-256$4096:AAA$" STORED ":" SERVER,
    };

    (void)state;
    for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
        assert_int_equal(verifier_compare(foreign[i], "pencil"), VERIFIER_FOREIGN);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_password_is_recognised),
        cmocka_unit_test(anything_else_is_foreign),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
