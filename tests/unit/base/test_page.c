// SPDX-License-Identifier: MIT
#include "base/page.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void
assert_page(const char *template_text, json_t *value, const char *expected)
{
    AUTO_TEXT out = {0};

    assert_non_null(value);
    page_fill_text(&out, "test", template_text, value);
    assert_string_equal(text_chars(&out), expected);
    json_decref(value);
}

static void
values_are_escaped(void **state)
{
    (void)state;
    assert_page("<p title=\"{{a}}\">{{a}}</p>", json_pack("{s:s}", "a", "<b>&\"'</b>\x01"),
                "<p title=\"&lt;b&gt;&amp;&quot;&#39;&lt;/b&gt;\xef\xbf\xbd\">"
                "&lt;b&gt;&amp;&quot;&#39;&lt;/b&gt;\xef\xbf\xbd</p>");
    assert_page("{{i}} {{r}} {{t}} {{none}}|",
                json_pack("{s:i, s:f, s:b}", "i", 3, "r", 2.5, "t", 1), "3 2.5 yes |");
    /* What a value holds is never a template. */
    assert_page("{{a}}", json_pack("{s:s}", "a", "{{b}}"), "{{b}}");
}

static void
sections_loop_and_choose(void **state)
{
    (void)state;
    assert_page("{{#list}}{{name}}{{outer}};{{/list}}{{^list}}none{{/list}}",
                json_pack("{s:[{s:s},{s:s}], s:s}", "list", "name", "a", "name", "b", "outer", "!"),
                "a!;b!;");
    assert_page("{{#list}}x{{/list}}{{^list}}none{{/list}}", json_pack("{s:[]}", "list"), "none");
    assert_page("{{#words}}<{{.}}>{{/words}}", json_pack("{s:[s,s]}", "words", "a", "&"),
                "<a><&amp;>");
    assert_page("{{#a}}{{#a}}{{b}}{{/a}}{{/a}}", json_pack("{s:{s:s}}", "a", "b", "x"), "x");
    assert_page("{{#yes}}{{word}}{{/yes}}{{#no}}bad{{/no}}",
                json_pack("{s:b, s:b, s:s}", "yes", 1, "no", 0, "word", "good"), "good");
    assert_page("a{{!-- }} {{b}} --}}c", json_object(), "ac");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_escaped),
        cmocka_unit_test(sections_loop_and_choose),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
