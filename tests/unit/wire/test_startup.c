// SPDX-License-Identifier: MIT
#include "wire/startup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static struct wire_startup startup;
static struct error err;
static size_t length;

/* A packet of a protocol version and a body; length_word 0: the true one. */
static enum wire_result
read_packet(uint32_t length_word, uint32_t code, const char *body, size_t body_bytes)
{
    static uint8_t bytes[WIRE_STARTUP_BYTES_MAX + 100];
    struct wire_writer writer = wire_writer(bytes, sizeof(bytes));

    wire_put_uint32(&writer, length_word != 0 ? length_word : (uint32_t)(8 + body_bytes));
    wire_put_uint32(&writer, code);
    wire_put_bytes(&writer, body, body_bytes);
    assert_false(writer.is_full);
    return wire_read_startup(bytes, writer.length, &startup, &length, &err);
}

#define READ(body) read_packet(0, WIRE_PROTOCOL_3_0, body, sizeof(body))

static void
parameters_are_read(void **state)
{
    static const char body[] = "user\0me\0options\0-c x=1\0_pq_.new\0yes\0TimeZone\0UTC\0";

    (void)state;
    assert_int_equal(READ(body), WIRE_WHOLE);
    assert_string_equal(startup.user, "me");
    assert_string_equal(startup.database, "me");
    assert_string_equal(startup.options, "-c x=1");
    assert_int_equal(startup.parameter_count, 1);
    assert_string_equal(startup.parameters[0].name, "TimeZone");
    assert_int_equal(startup.protocol_option_count, 1);
    for (size_t cut = 0; cut + 1 < sizeof(body); cut++)
        assert_int_equal(read_packet(0, WIRE_PROTOCOL_3_0, body, cut), WIRE_BAD);
}

static void
packets_come_in_pieces(void **state)
{
    uint8_t bytes[64];
    struct wire_writer writer = wire_writer(bytes, sizeof(bytes));

    (void)state;
    wire_put_startup(&writer, "me", "db", NULL, 0);
    for (size_t count = 0; count < writer.length; count++)
        assert_int_equal(wire_read_startup(bytes, count, &startup, &length, &err), WIRE_MORE);
    assert_int_equal(wire_read_startup(bytes, writer.length, &startup, &length, &err), WIRE_WHOLE);
    assert_int_equal(length, writer.length);
    assert_string_equal(startup.database, "db");
}

static void
bad_lengths_are_bad_at_once(void **state)
{
    static const uint32_t bad[] = {1,          4,          7,          WIRE_STARTUP_BYTES_MAX + 1,
                                   0x40000000, 0x7fffffff, 0x80000000, 0xfffffffc,
                                   0xffffffff};

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(read_packet(bad[i], WIRE_PROTOCOL_3_0, "", 0), WIRE_BAD);
        assert_string_equal(err.sqlstate, "08P01");
    }
    assert_int_equal(
        wire_read_startup((const uint8_t *)"GET / HTTP/1.1\r\n", 16, &startup, &length, &err),
        WIRE_BAD);
}

static void
users_must_have_a_name(void **state)
{
    char body[200] = "user";

    (void)state;
    assert_int_equal(READ("database\0x\0"), WIRE_BAD);
    assert_string_equal(err.sqlstate, "28000");
    assert_int_equal(READ("user\0\0"), WIRE_BAD);
    memset(body + 5, 'u', 63);
    assert_int_equal(read_packet(0, WIRE_PROTOCOL_3_0, body, 5 + 63 + 2), WIRE_WHOLE);
    body[5 + 63] = 'u';
    assert_int_equal(read_packet(0, WIRE_PROTOCOL_3_0, body, 5 + 64 + 2), WIRE_BAD);
}

static void
versions_are_negotiated_or_refused(void **state)
{
    (void)state;
    assert_int_equal(read_packet(0, WIRE_PROTOCOL_3_0 + 9999, "user\0me\0", 9), WIRE_WHOLE);
    assert_int_equal(startup.minor, 9999);
    static const uint32_t refused[] = {0, 1 << 16, 2 << 16, 4 << 16, 0xffffffff};
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        assert_int_equal(read_packet(0, refused[i], "user\0me\0", 9), WIRE_BAD);
        assert_string_equal(err.sqlstate, "0A000");
    }
}

static void
parameters_are_counted(void **state)
{
    char body[WIRE_STARTUP_BYTES_MAX];
    size_t at = 8;

    (void)state;
    memcpy(body, "user\0me", 8);
    for (int i = 0; i < 900; i++, at += 4)
        memcpy(body + at, "a\0b", 4);
    body[at++] = '\0';
    assert_int_equal(read_packet(0, WIRE_PROTOCOL_3_0, body, at), WIRE_BAD);
}

static void
requests_are_told_apart(void **state)
{
    uint8_t bytes[64];
    struct wire_writer writer = wire_writer(bytes, sizeof(bytes));

    (void)state;
    wire_put_ssl_request(&writer);
    assert_int_equal(wire_read_startup(bytes, writer.length, &startup, &length, &err), WIRE_WHOLE);
    assert_int_equal(startup.kind, WIRE_SSL_REQUEST);
    assert_int_equal(read_packet(9, 1234 << 16 | 5679, "x", 1), WIRE_BAD);
    assert_int_equal(read_packet(0, 1234 << 16 | 5680, "", 0), WIRE_WHOLE);
    assert_int_equal(startup.kind, WIRE_GSS_REQUEST);

    writer = wire_writer(bytes, sizeof(bytes));
    wire_put_cancel(&writer, (const uint8_t *)"12345678", 8);
    assert_int_equal(wire_read_startup(bytes, writer.length, &startup, &length, &err), WIRE_WHOLE);
    assert_int_equal(startup.kind, WIRE_CANCEL);
    assert_memory_equal(startup.key, "12345678", 8);
    static const size_t bad[] = {0, 3, 7, 261, 5000};
    static const char key[5000];
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(read_packet(0, 1234 << 16 | 5678, key, bad[i]), WIRE_BAD);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parameters_are_read),
        cmocka_unit_test(packets_come_in_pieces),
        cmocka_unit_test(bad_lengths_are_bad_at_once),
        cmocka_unit_test(users_must_have_a_name),
        cmocka_unit_test(versions_are_negotiated_or_refused),
        cmocka_unit_test(parameters_are_counted),
        cmocka_unit_test(requests_are_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
