// SPDX-License-Identifier: MIT
#include "wire/extended.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static enum wire_result
read_length(char type, uint32_t length, enum wire_direction direction)
{
    uint8_t bytes[5] = {(uint8_t)type, (uint8_t)(length >> 24), (uint8_t)(length >> 16),
                        (uint8_t)(length >> 8), (uint8_t)length};
    struct wire_header header;

    return wire_read_header(bytes, sizeof(bytes), direction, &header);
}

static void
lengths_are_never_believed(void **state)
{
    static const char client_types[] = "BCdcfDEFHPpQSX";
    static const uint32_t bad[] = {0, 3, 0x7fffffff, 0x80000000, 0xfffffffc, 0xffffffff};

    (void)state;
    for (size_t i = 0; i < sizeof(client_types) - 1; i++) {
        for (size_t j = 0; j < sizeof(bad) / sizeof(bad[0]); j++)
            assert_int_equal(read_length(client_types[i], bad[j], WIRE_FROM_CLIENT), WIRE_BAD);
    }
    for (size_t j = 0; j < sizeof(bad) / sizeof(bad[0]); j++)
        assert_int_equal(read_length('D', bad[j], WIRE_FROM_SERVER), WIRE_BAD);
    assert_int_equal(read_length('S', 4, WIRE_FROM_CLIENT), WIRE_WHOLE);
    assert_int_equal(read_length('S', 5, WIRE_FROM_CLIENT), WIRE_BAD); /* Sync is empty */
    assert_int_equal(read_length('Z', 5, WIRE_FROM_SERVER), WIRE_WHOLE);
    assert_int_equal(read_length('Z', 6, WIRE_FROM_SERVER), WIRE_BAD);
    assert_int_equal(read_length('K', 8 + 256, WIRE_FROM_SERVER), WIRE_WHOLE);
    assert_int_equal(read_length('K', 8 + 257, WIRE_FROM_SERVER), WIRE_BAD);
    assert_int_equal(read_length('Q', 1 << 30, WIRE_FROM_CLIENT), WIRE_BAD);
}

static void
unknown_types_are_bad_at_once(void **state)
{
    int known = 0;

    (void)state;
    for (int type = 0; type < 256; type++) {
        uint8_t byte = (uint8_t)type;
        struct wire_header header;
        known += wire_read_header(&byte, 1, WIRE_FROM_CLIENT, &header) == WIRE_MORE;
    }
    assert_int_equal(known, 14);
}

static void
headers_come_in_pieces(void **state)
{
    static const uint8_t bytes[] = {'Q', 0, 0, 0, 9};
    struct wire_header header;

    (void)state;
    for (size_t count = 0; count < sizeof(bytes); count++)
        assert_int_equal(wire_read_header(bytes, count, WIRE_FROM_CLIENT, &header), WIRE_MORE);
    assert_int_equal(wire_read_header(bytes, 5, WIRE_FROM_CLIENT, &header), WIRE_WHOLE);
    assert_int_equal(header.body_bytes, 5);
}

static void
a_statement_gets_another_name(void **state)
{
    uint8_t bytes[128];
    struct wire_writer writer = wire_writer(bytes, sizeof(bytes));
    static const uint8_t types[] = {0, 1, 0, 0, 0, 23};
    struct wire_parse parse;

    (void)state;
    wire_put_parse(&writer, "mine", "select $1", types, sizeof(types));
    assert_true(wire_read_parse(bytes + 5, writer.length - 5, &parse));
    assert_string_equal(parse.name, "mine");
    assert_string_equal(parse.sql, "select $1");
    assert_int_equal(parse.types_bytes, 6);
    for (size_t cut = 5; cut < writer.length; cut++)
        assert_false(wire_read_parse(bytes + 5, cut - 5, &parse));

    /* portal "", statement "mine", no formats, one value of 2 bytes, no result formats */
    static const uint8_t body[] = "\0mine\0\0\0\0\1\0\0\0\2ab\0";
    struct wire_bind bind;
    assert_true(wire_read_bind(body, sizeof(body), true, &bind));
    assert_string_equal(bind.statement, "mine");
    assert_int_equal(bind.names_bytes, 6);
    for (size_t count = 0; count < sizeof(body); count++)
        assert_false(wire_read_bind(body, count, true, &bind));
    writer = wire_writer(bytes, sizeof(bytes));
    wire_put_bind_head(&writer, &bind, sizeof(body), "longer name");
    wire_put_bytes(&writer, body + bind.names_bytes, sizeof(body) - bind.names_bytes);
    struct wire_header header;
    assert_int_equal(wire_read_header(bytes, writer.length, WIRE_FROM_CLIENT, &header), WIRE_WHOLE);
    assert_int_equal(header.body_bytes, writer.length - 5);
    assert_true(wire_read_bind(bytes + 5, header.body_bytes, true, &bind));
    assert_string_equal(bind.statement, "longer name");
}

static void
bind_with_bad_lengths_is_refused(void **state)
{
    static const uint32_t bad[] = {0xfffffffe, 0x7fffffff, 0x80000000, 3};
    struct wire_bind bind;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        uint8_t bytes[64];
        struct wire_writer writer = wire_writer(bytes, sizeof(bytes));
        wire_put_bytes(&writer, "\0\0\0\0\0\1", 6);
        wire_put_uint32(&writer, bad[i]);
        wire_put_bytes(&writer, "\0\0", 2);
        assert_false(wire_read_bind(bytes, writer.length, true, &bind));
    }
}

static void
targets_are_statements_or_portals(void **state)
{
    struct wire_target target;
    const char *portal;

    (void)state;
    assert_true(wire_read_target((const uint8_t *)"Sx", 3, &target));
    assert_false(wire_read_target((const uint8_t *)"Xx", 3, &target));
    assert_false(wire_read_target((const uint8_t *)"Sx", 2, &target));
    assert_true(wire_read_execute((const uint8_t *)"p\0\0\0\0", 6, &portal));
    assert_false(wire_read_execute((const uint8_t *)"p\0\0\0\0", 5, &portal));
}

static void
errors_are_read_as_written(void **state)
{
    uint8_t bytes[WIRE_ERROR_BYTES];
    struct wire_writer writer = wire_writer(bytes, sizeof(bytes));
    struct wire_error_fields fields;
    struct error err;

    (void)state;
    error_set(&err, ERROR_INTERNAL, "too many");
    error_hint(&err, "Wait.");
    memcpy(err.sqlstate, "53300", 6);
    wire_put_error(&writer, "FATAL", &err);
    assert_false(writer.is_full);
    assert_true(wire_read_error(bytes + 5, writer.length - 5, &fields));
    assert_string_equal(fields.severity, "FATAL");
    assert_string_equal(fields.sqlstate, "53300");
    assert_string_equal(fields.message, "too many");
    assert_string_equal(fields.detail, "");
    assert_string_equal(fields.hint, "Wait.");
    assert_true(wire_read_error((const uint8_t *)"", 1, &fields)); /* no SQLSTATE at all */
    assert_string_equal(fields.sqlstate, "");
    assert_false(wire_read_error((const uint8_t *)"Mx", 3, &fields));
    assert_false(wire_read_error((const uint8_t *)"Mx", 2, &fields));
}

static void
the_longest_error_fits(void **state)
{
    uint8_t bytes[WIRE_ERROR_BYTES];
    struct wire_writer writer = wire_writer(bytes, sizeof(bytes));
    struct error err = {0};

    (void)state;
    memset(err.message, 'm', sizeof(err.message) - 1);
    memset(err.detail, 'd', sizeof(err.detail) - 1);
    memset(err.hint, 'h', sizeof(err.hint) - 1);
    wire_put_error(&writer, "FATAL", &err);
    assert_false(writer.is_full);
}

static void
what_does_not_fit_is_told(void **state)
{
    uint8_t bytes[8];
    struct wire_writer writer = wire_writer(bytes, sizeof(bytes));

    (void)state;
    wire_put_complete(&writer, "SELECT 1");
    assert_true(writer.is_full);
    assert_true(writer.length <= sizeof(bytes));
    wire_put_byte(&writer, 'x'); /* stays full, although one byte would fit */
    assert_true(writer.is_full);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lengths_are_never_believed),
        cmocka_unit_test(unknown_types_are_bad_at_once),
        cmocka_unit_test(headers_come_in_pieces),
        cmocka_unit_test(a_statement_gets_another_name),
        cmocka_unit_test(bind_with_bad_lengths_is_refused),
        cmocka_unit_test(targets_are_statements_or_portals),
        cmocka_unit_test(errors_are_read_as_written),
        cmocka_unit_test(the_longest_error_fits),
        cmocka_unit_test(what_does_not_fit_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
