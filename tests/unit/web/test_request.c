// SPDX-License-Identifier: MIT
#include "web/request.h"

#include "base/embed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
test_hosts(void **state)
{
    static const char *const names[] = {"deck.example.org"};
    static const char *const ours[] = {"127.0.0.1",
                                       "127.0.0.1:8765",
                                       "localhost",
                                       "LocalHost:80",
                                       "[::1]",
                                       "[::1]:8765",
                                       "192.0.2.7:443",
                                       "deck.example.org",
                                       "10.1.2.3:1",
                                       "[fe80::1]:1",
                                       "DECK.example.ORG:8765"};
    static const char *const others[] = {"",
                                         "attacker.example",
                                         "127.0.0.1.attacker.example",
                                         "localhost.attacker",
                                         ":8765",
                                         "127.0.0.1:8765:1",
                                         "127.0.0.1:port",
                                         "[::1",
                                         "[::1]x",
                                         "[attacker.example]",
                                         "127.0.0.1:123456",
                                         "127.0.0.1/",
                                         "127.0.0.1 ",
                                         "deck.example.org.evil",
                                         "[]",
                                         "0x7f000001"};

    (void)state;
    for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
        assert_true(web_host_is_ours(ours[i], names, 1));
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        assert_false(web_host_is_ours(others[i], names, 1));
    assert_false(web_host_is_ours(NULL, names, 1));
    assert_false(web_host_is_ours("deck.example.org", NULL, 0));

    char longest[400];
    memset(longest, 'a', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    assert_false(web_host_is_ours(longest, names, 1));
    longest[0] = '[';
    longest[sizeof(longest) - 2] = ']';
    assert_false(web_host_is_ours(longest, names, 1));
}

static void
test_tokens(void **state)
{
    static const char token[] = "0123456789abcdef";

    (void)state;
    assert_true(web_token_is_right("Bearer 0123456789abcdef", token));
    assert_true(web_token_is_right("bearer 0123456789abcdef", token));
    assert_false(web_token_is_right(NULL, token));
    assert_false(web_token_is_right("", token));
    assert_false(web_token_is_right("Bearer ", token));
    assert_false(web_token_is_right("Bearer 0123456789abcdeF", token));
    assert_false(web_token_is_right("Bearer 0123456789abcde", token));
    assert_false(web_token_is_right("Bearer 0123456789abcdef0", token));
    assert_false(web_token_is_right("Basic 0123456789abcdef", token));
}

static void
test_documents(void **state)
{
    (void)state;
    assert_string_equal(web_document_name("/data/overview"), "overview");
    assert_string_equal(web_document_name("/data/query/1f-3_a"), "query/1f-3_a");
    assert_string_equal(web_document_name("/metrics"), "metrics");
    assert_null(web_document_name("/data/"));
    assert_null(web_document_name("/data/metrics"));
    assert_null(web_document_name("/data/../overview"));
    assert_null(web_document_name("/data/over view"));
    assert_null(web_document_name("/overview"));
    assert_null(web_document_name(""));
}

static void
test_assets(void **state)
{
    static const char *const paths[] = {"/",         "/style.css", "/icon.svg", "/uplot.css",
                                        "/uplot.js", "/main.js",   "/query.js"};
    static const char *const others[] = {
        "/index.html", "/../main.js",          "main.js",      "", "/web/assets/main.js", "//",
        "/main.js/",   "/pg/sql/settings.sql", "/style.css/.."};
    const char *type;

    (void)state;
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        const char *path = web_asset_path(paths[i], &type);
        assert_non_null(path);
        assert_true(embedded_file(path)->length > 0);
    }
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        assert_null(web_asset_path(others[i], &type));
}

/* Everything that the page loads has to be there, and nothing else is handed out. */
static void
test_page_loads_what_there_is(void **state)
{
    const char *page = embedded_file("web/assets/index.html")->text;
    const char *type;
    size_t found = 0;

    (void)state;
    for (const char *at = page; (at = strpbrk(at, "\"")) != NULL; at++) {
        char path[64];
        size_t length = strcspn(at + 1, "\"");
        if (at[1] != '/' || length >= sizeof(path))
            continue;
        memcpy(path, at + 1, length);
        path[length] = '\0';
        assert_non_null(web_asset_path(path, &type));
        found++;
    }
    assert_true(found >= 10);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hosts),
        cmocka_unit_test(test_tokens),
        cmocka_unit_test(test_documents),
        cmocka_unit_test(test_assets),
        cmocka_unit_test(test_page_loads_what_there_is),
    };

    return cmocka_run_group_tests_name("request", tests, NULL, NULL);
}
