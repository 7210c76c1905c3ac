// SPDX-License-Identifier: MIT
#include "security/redact.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* In each the secret is hidden-X, and nothing of it may be seen. */
static const char *const hostile[] = {
    "statement: ALTER ROLE a PASSWORD 'hidden-X'",
    "statement: ALTER ROLE a password'hidden-X'",
    "statement: ALTER ROLE a PassWord/**/'hidden-X'",
    "statement: ALTER ROLE a PASSWORD/* ' */'hidden-X'",
    "{\"message\":\"statement: ALTER ROLE a PASSWORD--\\n'hidden-X'\"}",
    "statement: ALTER ROLE a PASSWORD E'\\x68idden-X hidden-X'",
    "statement: ALTER ROLE a PASSWORD U&'hidden-X'",
    "statement: ALTER ROLE a PASSWORD $$hidden-X$$",
    "statement: ALTER ROLE a PASSWORD $x$hidden-X$x$",
    "statement: ALTER ROLE a PASSWORD\t'hidden-X'",
    "statement: CREATE ROLE a LOGIN ENCRYPTED PASSWORD 'hidden-X' IN ROLE b",
    "{\"message\":\"statement: ALTER ROLE a PASSWORD\\n'hidden-X'\"}",
    "{\"message\":\"statement: ALTER ROLE a PASSWORD\\\\n'hidden-X'\"}",
    "{\"message\":\"statement: ALTER ROLE a\\tPASSWORD\\t'hidden-X'\"}",
    "2026-11-23 08:00:00 UTC,\"a\",\"statement: ALTER ROLE a PASSWORD 'hidden-X'\",,,",
    "AUDIT: SESSION,1,1,ROLE,ALTER ROLE,,,ALTER ROLE a PASSWORD 'hidden-X',<not logged>",
    "AUDIT: SESSION,1,1,DDL,CREATE USER MAPPING,,,\"OPTIONS (\"\"password\"\" 'hidden-X')\",",
    "statement: CREATE USER MAPPING FOR a SERVER s OPTIONS (user 'a', password 'hidden-X')",
    "statement: CREATE USER MAPPING FOR a SERVER s OPTIONS (\"password\" 'hidden-X')",
    "statement: CREATE USER MAPPING FOR a SERVER s OPTIONS (U&\"p\\0061ssword\" 'hidden-X')",
    "{\"message\":\"CREATE USER MAPPING FOR a SERVER s OPTIONS (U&\\\"p\\0061ss\\\" 'hidden-X')\"}",
    "statement: CREATE USER MAPPING FOR a SERVER s OPTIONS (sslpassword 'hidden-X')",
    "statement: CREATE USER MAPPING FOR a SERVER s OPTIONS (scram_client_key 'hidden-X')",
    "statement: CREATE SERVER s FOREIGN DATA WRAPPER w OPTIONS (oauth_client_secret 'hidden-X')",
    "statement: CREATE SUBSCRIPTION s CONNECTION 'host=h password=hidden-X' PUBLICATION p",
    "statement: CREATE SUBSCRIPTION s CONNECTION 'hidden-X'",
    "statement: ALTER SUBSCRIPTION s CONNECTION/**/E'pass\\167ord=hidden-X'",
    "statement: ALTER SUBSCRIPTION s CONNECTION $$hidden-X$$",
    "{\"message\":\"statement: ALTER SUBSCRIPTION s CONNECTION\\n  'hidden-X'\"}",
    "statement: ALTER SYSTEM SET primary_conninfo = 'password=hidden-X'",
    "statement: ALTER SYSTEM SET primary_conninfo = 'postgresql://a:hidden-X@h/db'",
    "statement: ALTER SYSTEM SET primary_conninfo = 'postgres://h/db?pass%77ord=hidden-X'",
    "statement: ALTER SYSTEM SET archive_command = 'put https://a:hidden-X@h/%f'",
    "statement: ALTER SYSTEM SET ssl_passphrase_command = 'echo hidden-X'",
    "statement: CREATE SERVER s FOREIGN DATA WRAPPER w OPTIONS (api_key 'hidden-X')",
    "statement: CREATE SERVER s FOREIGN DATA WRAPPER w OPTIONS/**/(host 'h', token 'hidden-X')",
    "{\"message\":\"statement: ALTER SERVER s OPTIONS\\n(SET credentials 'hidden-X')\"}",
    "statement: CREATE USER MAPPING FOR a SERVER s OPTIONS (\"pwd\" 'hidden-X')",
    "statement: ALTER ROLE x SET my.passwords='hidden-X'",
    "statement: SET my.password_of_x='hidden-X'",
    "statement: SET LOCAL pgcrypto.key TO 'hidden-X'",
    "statement: ALTER DATABASE d SET \"my\" . \"key\" = 'hidden-X'",
    "{\"message\":\"statement: SET\\nmy.\\\"key\\\" = 'hidden-X'\"}",
    "statement: ALTER ROLE a PASSWORD NULL; ALTER ROLE b PASSWORD 'hidden-X'",
};

static const char *const harmless[] = {
    "statement: CREATE TABLE password_resets (id int)",
    "statement: SET password_encryption = 'scram-sha-256'",
    "statement: ALTER ROLE a CONNECTION LIMIT 5 VALID UNTIL 'infinity'",
    "statement: ALTER ROLE a SET search_path = 'a.b', c",
    "statement: ALTER TABLE a SET SCHEMA b",
    "statement: ALTER DATABASE d CONNECTION LIMIT 5",
    "statement: CREATE TABLE connection (id int)",
    "statement: COMMENT ON TABLE t IS 'see https://example.org/a@b'",
    "statement: GRANT SELECT ON t TO PUBLIC",
    "{\"message\":\"statement: CREATE TABLE \\\"a\\\"\\n(x int)\"}",
};

static void
secrets_are_left_out(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
        AUTO_TEXT text = {0};
        security_redact(&text, hostile[i]);
        if (strstr(text_chars(&text), "hidden") != NULL)
            fail_msg("seen: %s", text_chars(&text));
        assert_non_null(strstr(text_chars(&text), "(left out)"));
    }
}

static void
what_was_done_is_still_seen(void **state)
{
    AUTO_TEXT text = {0};

    (void)state;
    security_redact(&text, hostile[0]);
    assert_string_equal(text_chars(&text), "statement: ALTER ROLE a PASSWORD (left out)");
    for (size_t i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++) {
        text_clear(&text);
        security_redact(&text, harmless[i]);
        assert_string_equal(text_chars(&text), harmless[i]);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(secrets_are_left_out),
        cmocka_unit_test(what_was_done_is_still_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
