// SPDX-License-Identifier: MIT
#include "wire/scram.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t nonce[18] = "client's own bytes";
static const uint8_t server_nonce[18] = "server's own bytes";
static const uint8_t salt[16] = "salt of 16 bytes";
static struct error err;

static struct wire_scram_keys
keys_of(const char *password)
{
    struct wire_scram_keys keys;

    assert_true(wire_scram_keys_of_password(password, salt, sizeof(salt), 4096, &keys, &err));
    return keys;
}

/* The verifier without what only the password gives. */
static struct wire_scram_keys
verifier_of(const char *password)
{
    struct wire_scram_keys keys = keys_of(password);

    keys.has_client_key = false;
    memset(keys.client_key, 0, sizeof(keys.client_key));
    return keys;
}

/* A whole exchange; ret_learned: what the server's side knows afterwards. */
static bool
exchange(const char *client_password, const char *server_password,
         struct wire_scram_keys *ret_learned)
{
    struct wire_scram client, server;
    char first[WIRE_SCRAM_MESSAGE_BYTES_MAX], final[WIRE_SCRAM_MESSAGE_BYTES_MAX];
    struct wire_scram_keys verifier = verifier_of(server_password), wanted, keys;

    wire_scram_client_first(&client, nonce, first);
    assert_true(
        wire_scram_server_first(&server, &verifier, server_nonce, first, strlen(first), &err));
    assert_true(wire_scram_read_server_first(&client, server.server_first,
                                             strlen(server.server_first), &wanted, &err));
    assert_int_equal(wanted.iterations, 4096);
    assert_memory_equal(wanted.salt, salt, sizeof(salt));
    keys = keys_of(client_password);
    wire_scram_client_final(&client, &keys, first);
    if (!wire_scram_server_final(&server, first, strlen(first), final, &err))
        return false;
    assert_true(server.is_done);
    *ret_learned = server.keys;
    return wire_scram_read_server_final(&client, final, strlen(final), &err) && client.is_done;
}

static void
the_right_password_is_let_in(void **state)
{
    struct wire_scram_keys learned, keys = keys_of("secret");

    (void)state;
    assert_true(exchange("secret", "secret", &learned));
    assert_true(learned.has_client_key); /* enough to log in elsewhere with the same verifier */
    assert_memory_equal(learned.client_key, keys.client_key, sizeof(keys.client_key));
    assert_false(exchange("Secret", "secret", &learned));
    assert_string_equal(err.sqlstate, "28P01");
}

/* RFC 7677, section 3. */
static void
the_example_of_the_standard_comes_out(void **state)
{
    struct wire_scram client = {.gs2 = "n,,", .nonce = "rOprNGfwEbeRWgbNEkqO"};
    struct wire_scram_keys wanted, keys;
    char final[WIRE_SCRAM_MESSAGE_BYTES_MAX];
    static const char first[] = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
                                "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
    static const char last[] = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

    (void)state;
    snprintf(client.first_bare, sizeof(client.first_bare), "n=user,r=rOprNGfwEbeRWgbNEkqO");
    assert_true(wire_scram_read_server_first(&client, first, strlen(first), &wanted, &err));
    assert_true(wire_scram_keys_of_password("pencil", wanted.salt, wanted.salt_bytes,
                                            wanted.iterations, &keys, &err));
    wire_scram_client_final(&client, &keys, final);
    assert_string_equal(final, "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
                               "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
    assert_true(wire_scram_read_server_final(&client, last, strlen(last), &err));
}

static void
verifiers_are_read_or_refused(void **state)
{
    static const char good[] = "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7Bk"
                               "eZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";
    struct wire_scram_keys keys;

    (void)state;
    assert_true(wire_scram_read_verifier(good, &keys));
    assert_int_equal(keys.iterations, 4096);
    assert_int_equal(keys.salt_bytes, 16);
    assert_false(keys.has_client_key);
    for (size_t cut = 0; cut < strlen(good); cut++) {
        char text[200];
        snprintf(text, sizeof(text), "%.*s", (int)cut, good);
        assert_false(wire_scram_read_verifier(text, &keys));
    }
    assert_false(wire_scram_read_verifier("md5aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", &keys));
}

static bool
server_takes_first(const char *message, size_t length)
{
    struct wire_scram server;
    struct wire_scram_keys verifier = verifier_of("x");

    return wire_scram_server_first(&server, &verifier, server_nonce, message, length, &err);
}

static void
first_messages_of_clients_are_checked(void **state)
{
    static const char *const bad[] = {
        "",
        "n",
        "n,",
        "n,,",
        "p=tls-server-end-point,,n=,r=a",
        "q,,n=,r=a",
        "n,a=x,n=,r=a",
        "n,,m=1,n=,r=a",
        "n,,n=",
        "n,,n=,",
        "n,,n=,r=",
        "n,,n=,x=a",
        "n,,n=,r=a b",
        "n,,n=,r=\001",
        "n,,n=,r=\xff",
        "n,,r=a",
    };
    static char huge[60000];

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(server_takes_first(bad[i], strlen(bad[i])));
    memset(huge, 'r', sizeof(huge));
    memcpy(huge, "n,,n=,r=", 8);
    for (size_t length = 0; length < 2000; length++)
        assert_int_equal(server_takes_first(huge, length), length > 8 && length - 8 < 256);
    assert_false(server_takes_first(huge, sizeof(huge)));
    assert_false(server_takes_first("n,,n=\0,r=a", 10));
    assert_true(server_takes_first("y,,n=me,r=abc", 13));
}

static void
final_messages_of_clients_are_checked(void **state)
{
    struct wire_scram server, client;
    struct wire_scram_keys verifier = verifier_of("x"), wanted, keys = keys_of("x");
    char first[WIRE_SCRAM_MESSAGE_BYTES_MAX], good[WIRE_SCRAM_MESSAGE_BYTES_MAX];
    char final[WIRE_SCRAM_MESSAGE_BYTES_MAX];

    (void)state;
    wire_scram_client_first(&client, nonce, first);
    assert_true(
        wire_scram_server_first(&server, &verifier, server_nonce, first, strlen(first), &err));
    assert_true(wire_scram_read_server_first(&client, server.server_first,
                                             strlen(server.server_first), &wanted, &err));
    wire_scram_client_final(&client, &keys, good);
    for (size_t at = 0; at <= strlen(good); at++) {
        char text[WIRE_SCRAM_MESSAGE_BYTES_MAX];
        snprintf(text, sizeof(text), "%.*s,%s", (int)at, good, good + at); /* a comma too many */
        assert_false(wire_scram_server_final(&server, text, strlen(text), final, &err));
        if (at == strlen(good))
            break;
        assert_false(wire_scram_server_final(&server, good, at, final, &err)); /* cut */
        snprintf(text, sizeof(text), "%s", good);
        text[at] = text[at] == 'A' ? 'B' : 'A'; /* one letter wrong */
        assert_false(wire_scram_server_final(&server, text, strlen(text), final, &err));
    }
    assert_false(server.is_done);
    assert_true(wire_scram_server_final(&server, good, strlen(good), final, &err));
}

static void
hostile_servers_are_refused(void **state)
{
    struct wire_scram client;
    struct wire_scram_keys wanted;
    char first[WIRE_SCRAM_MESSAGE_BYTES_MAX];
    static const char *const bad[] = {"",
                                      "r=x",
                                      "r=other,s=AAAA,i=4096",
                                      "r=%s,s=AAAA,i=4096",
                                      "r=%sx,i=4096",
                                      "r=%sx,s=AAA,i=4096",
                                      "r=%sx,s=,i=4096",
                                      "r=%sx,s=AAAA,i=0",
                                      "r=%sx,s=AAAA,i=-5",
                                      "r=%sx,s=AAAA,i=abc",
                                      "r=%sx,s=AAAA,i=2000000000",
                                      "r=%sx,s=AAAA,i=99999999999999999999",
                                      "r=%sx,s=AAAA,i=1",
                                      "r=%sx,s=AAAA"};

    (void)state;
    wire_scram_client_first(&client, nonce, first);
    struct wire_scram fresh = client;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char message[200];
        snprintf(message, sizeof(message), bad[i], fresh.nonce);
        client = fresh;
        assert_false(
            wire_scram_read_server_first(&client, message, strlen(message), &wanted, &err));
    }
    static char huge[60000];
    memset(huge, 'x', sizeof(huge));
    memcpy(huge, "r=", 2);
    memcpy(huge + 2, fresh.nonce, strlen(fresh.nonce));
    client = fresh;
    assert_false(wire_scram_read_server_first(&client, huge, 4096, &wanted, &err));
    assert_false(wire_scram_read_server_first(&client, huge, sizeof(huge), &wanted, &err));
}

static void
a_server_without_the_password_is_found_out(void **state)
{
    struct wire_scram client, server;
    struct wire_scram_keys verifier = verifier_of("x"), wanted, keys = keys_of("x");
    char text[WIRE_SCRAM_MESSAGE_BYTES_MAX], final[WIRE_SCRAM_MESSAGE_BYTES_MAX];

    (void)state;
    wire_scram_client_first(&client, nonce, text);
    assert_true(
        wire_scram_server_first(&server, &verifier, server_nonce, text, strlen(text), &err));
    assert_true(wire_scram_read_server_first(&client, server.server_first,
                                             strlen(server.server_first), &wanted, &err));
    wire_scram_client_final(&client, &keys, text);
    assert_true(wire_scram_server_final(&server, text, strlen(text), final, &err));
    for (size_t at = 0; at < strlen(final); at++) {
        assert_false(wire_scram_read_server_final(&client, final, at, &err));
        char other[WIRE_SCRAM_MESSAGE_BYTES_MAX];
        snprintf(other, sizeof(other), "%s", final);
        other[at] = other[at] == 'A' ? 'B' : 'A';
        assert_false(wire_scram_read_server_final(&client, other, strlen(other), &err));
    }
    assert_false(wire_scram_read_server_final(&client, "e=invalid-proof", 15, &err));
    assert_false(client.is_done);
    assert_true(wire_scram_read_server_final(&client, final, strlen(final), &err));
}

static void
a_user_that_is_not_there_looks_like_one(void **state)
{
    static const uint8_t secret[WIRE_SCRAM_KEY_BYTES] = "of this process";
    struct wire_scram_keys one, again, other;

    (void)state;
    wire_scram_mock_keys(secret, "nobody", &one);
    wire_scram_mock_keys(secret, "nobody", &again);
    wire_scram_mock_keys(secret, "somebody", &other);
    assert_memory_equal(one.salt, again.salt, one.salt_bytes);
    assert_memory_not_equal(one.salt, other.salt, one.salt_bytes);
    assert_int_equal(one.iterations, 4096);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_right_password_is_let_in),
        cmocka_unit_test(the_example_of_the_standard_comes_out),
        cmocka_unit_test(verifiers_are_read_or_refused),
        cmocka_unit_test(first_messages_of_clients_are_checked),
        cmocka_unit_test(final_messages_of_clients_are_checked),
        cmocka_unit_test(hostile_servers_are_refused),
        cmocka_unit_test(a_server_without_the_password_is_found_out),
        cmocka_unit_test(a_user_that_is_not_there_looks_like_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
