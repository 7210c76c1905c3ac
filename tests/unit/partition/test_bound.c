// SPDX-License-Identifier: MIT
#include "partition/bound.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static struct partition_bound
bound(struct arena *arena, const char *text)
{
    struct partition_bound result = {0};

    assert_true(partition_bound_parse(arena, text, &result));
    return result;
}

static enum partition_relation
relation(struct arena *arena, const char *existing, const char *wanted)
{
    struct partition_bound left = bound(arena, existing);
    struct partition_bound right = bound(arena, wanted);

    return partition_bound_compare(&left, &right);
}

static void
ranges_of_dates_and_moments_compare(void **state)
{
    AUTO_ARENA arena = arena_new();
    const char *wanted = "FOR VALUES FROM ('2026-11-01 00:00:00+00') TO ('2026-12-01 00:00:00+00')";
    static const struct {
        const char *text;
        enum partition_relation relation;
    } rows[] = {
        {"FOR VALUES FROM ('2026-11-01 00:00:00+00') TO ('2026-12-01 00:00:00+00')", BOUND_SAME},
        {"FOR VALUES FROM ('2026-11-01 00:00:00') TO ('2026-12-01 00:00:00')", BOUND_SAME},
        {"FOR VALUES FROM ('2026-11-01') TO ('2026-12-01')", BOUND_SAME},
        {"FOR VALUES FROM (MINVALUE) TO ('2026-12-01')", BOUND_COVERS},
        {"FOR VALUES FROM ('2026-01-01') TO (MAXVALUE)", BOUND_COVERS},
        {"FOR VALUES FROM (MINVALUE) TO ('2026-11-01')", BOUND_APART},
        {"FOR VALUES FROM ('2026-12-01') TO ('2027-01-01')", BOUND_APART},
        {"FOR VALUES FROM ('2026-11-01') TO ('2026-11-08')", BOUND_OVERLAPS},
        {"FOR VALUES FROM ('2026-10-15') TO ('2026-11-15 12:30:00.5+00')", BOUND_OVERLAPS},
        {"DEFAULT", BOUND_APART},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(relation(arena, rows[i].text, wanted), rows[i].relation);
}

static void
ranges_of_ids_and_uuids_compare(void **state)
{
    AUTO_ARENA arena = arena_new();
    const char *ids = "FOR VALUES FROM ('2000') TO ('3000')";
    const char *uuids = "FOR VALUES FROM ('019a3d00-0000-0000-0000-000000000000') "
                        "TO ('019a3e00-0000-0000-0000-000000000000')";

    (void)state;
    assert_int_equal(relation(arena, ids, ids), BOUND_SAME);
    assert_int_equal(relation(arena, "FOR VALUES FROM (MINVALUE) TO ('10000')", ids), BOUND_COVERS);
    assert_int_equal(relation(arena, "FOR VALUES FROM ('-5') TO ('2000')", ids), BOUND_APART);
    assert_int_equal(relation(arena, "FOR VALUES FROM ('2999') TO ('9000')", ids), BOUND_OVERLAPS);
    assert_int_equal(relation(arena, uuids, uuids), BOUND_SAME);
    assert_int_equal(relation(arena,
                              "FOR VALUES FROM (MINVALUE) "
                              "TO ('019a3d00-0000-7000-0000-000000000001')",
                              uuids),
                     BOUND_OVERLAPS);
}

static void
lists_compare_as_sets(void **state)
{
    AUTO_ARENA arena = arena_new();
    const char *wanted = "FOR VALUES IN ('b', 'it''s, a')";

    (void)state;
    assert_int_equal(relation(arena, "FOR VALUES IN ('it''s, a', 'b')", wanted), BOUND_SAME);
    assert_int_equal(relation(arena, "FOR VALUES IN ('it''s, a', NULL, 'b')", wanted),
                     BOUND_COVERS);
    assert_int_equal(relation(arena, "FOR VALUES IN ('b')", wanted), BOUND_OVERLAPS);
    assert_int_equal(relation(arena, "FOR VALUES IN ('NULL', 'a')", wanted), BOUND_APART);
    assert_int_equal(relation(arena, "FOR VALUES IN (1, 2)", "FOR VALUES IN ('2', '1')"),
                     BOUND_SAME);
}

static void
hashes_of_another_modulus_do_not_fit(void **state)
{
    AUTO_ARENA arena = arena_new();
    const char *wanted = "FOR VALUES WITH (modulus 4, remainder 1)";

    (void)state;
    assert_int_equal(relation(arena, "FOR VALUES WITH (modulus 4, remainder 1)", wanted),
                     BOUND_SAME);
    assert_int_equal(relation(arena, "FOR VALUES WITH (modulus 4, remainder 2)", wanted),
                     BOUND_APART);
    assert_int_equal(relation(arena, "FOR VALUES WITH (modulus 8, remainder 1)", wanted),
                     BOUND_OVERLAPS);
}

static void
what_is_no_bound_is_said_so(void **state)
{
    AUTO_ARENA arena = arena_new();
    static const char *const texts[] = {"", "FOR VALUES", "FOR VALUES FROM ('a', 1) TO ('b', 2)",
                                        "FOR VALUES FROM ('2026-11-01') TO ('2026",
                                        "FOR VALUES IN ('a', "};
    struct partition_bound ignored;

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_false(partition_bound_parse(arena, texts[i], &ignored));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_of_dates_and_moments_compare),
        cmocka_unit_test(ranges_of_ids_and_uuids_compare),
        cmocka_unit_test(lists_compare_as_sets),
        cmocka_unit_test(hashes_of_another_modulus_do_not_fit),
        cmocka_unit_test(what_is_no_bound_is_said_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
