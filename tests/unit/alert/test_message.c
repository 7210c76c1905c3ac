// SPDX-License-Identifier: MIT
/* Hostile texts stay texts, whatever they are sent as. */
#include "alert/message.h"

#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char name[] = "connections", server[] = "main", empty[] = "", share[] = "share";
static char place[] = "<!channel>\r\nBcc: me@evil.example\"; \xc3\xa4";
static char message[] =
    "<script>alert('1')</script>\r\n.\r\nMAIL FROM:<x> `id` $(id) \x1b[2J & more";
static char fix[] = "SELECT '```', '<@U1>';";

static struct alert alert = {
    .name = name,
    .server = server,
    .environment = place,
    .database = empty,
    .unit = empty,
    .message = message,
    .fix_sql = fix,
    .fix_database = empty,
    .since_ms = 5000,
    .number = 7,
    .value = NAN,
    .warning = 0.8,
    .critical = 0.95,
};

static struct alert_batch
batch_of(struct arena *arena, struct alert_message of)
{
    struct alert_batch batch = {.deck = "shop", .now_ms = 60000};

    of.alert = &alert;
    *LIST_ADD(arena, &batch.messages) = of;
    return batch;
}

static const struct alert_message fired = {.change = ALERT_FIRED, .level = ALERT_WARNING};
static const struct alert_message worse = {
    .change = ALERT_WORSE, .level = ALERT_CRITICAL, .before = ALERT_WARNING};
static const struct alert_message cleared = {
    .change = ALERT_CLEARED, .level = ALERT_CRITICAL, .before = ALERT_CRITICAL};

static void
json_gives_back_each_byte(void **state)
{
    AUTO_ARENA arena = arena_new();
    struct alert_batch batch = batch_of(arena, fired);

    (void)state;
    json_t *json = json_loads(alert_message_json(arena, &batch), 0, NULL);
    const json_t *one = json_array_get(json_object_get(json, "alerts"), 0);
    assert_string_equal(json_string_value(json_object_get(one, "message")), message);
    assert_string_equal(json_string_value(json_object_get(one, "environment")), place);
    assert_string_equal(json_string_value(json_object_get(one, "since")),
                        "1970-01-01T00:00:05.000Z");
    assert_true(json_is_null(json_object_get(one, "value")));
    json_decref(json);
}

/* Whoever pastes the SQL of what is over would end who does no harm. */
static void
what_cleared_says_how_it_is_and_mends_nothing(void **state)
{
    AUTO_ARENA arena = arena_new();
    struct alert_batch batch = batch_of(arena, cleared);

    (void)state;
    alert.value = 0.25;
    alert.unit = share;
    json_t *json = json_loads(alert_message_json(arena, &batch), 0, NULL);
    const json_t *one = json_array_get(json_object_get(json, "alerts"), 0);
    const char *said = "is over, now at 25 %; began at 1970-01-01T00:00:05.000Z";
    assert_string_equal(json_string_value(json_object_get(one, "message")), said);
    assert_true(json_is_null(json_object_get(one, "fix_sql")));
    assert_true(json_is_null(json_object_get(one, "fix_database")));
    json_decref(json);
    const char *slack = alert_message_slack(arena, &batch);
    assert_non_null(strstr(slack, said));
    assert_null(strstr(slack, "SELECT"));
    alert.value = NAN;
    alert.unit = empty;
}

static void
slack_pings_nobody(void **state)
{
    AUTO_ARENA arena = arena_new();
    struct alert_batch batch = batch_of(arena, fired);

    (void)state;
    json_t *json = json_loads(alert_message_slack(arena, &batch), 0, NULL);
    const char *text = json_string_value(json_object_get(json, "text"));
    assert_null(strpbrk(text, "<>"));
    assert_non_null(strstr(text, "&lt;!channel&gt;"));
    assert_non_null(strstr(text, "\nSELECT '```'")); /* no fence that it could leave */
    json_decref(json);
}

static void
a_mail_has_our_headers_only(void **state)
{
    AUTO_ARENA arena = arena_new();
    struct alert_batch batch = batch_of(arena, fired);
    const char *const to[] = {"a@example.com", "b@example.com"};
    const struct alert_mail mail = {"pgdeck@example.com", to, 2, "1.2"};
    char *text = alert_message_mail(arena, &batch, &mail);
    size_t headers = 0;

    (void)state;
    for (char *line = text; strncmp(line, "\r\n", 2) != 0; line = strstr(line, "\r\n") + 2) {
        assert_true(strcspn(line, "\r") <= 78);
        headers += line[0] != ' ';
    }
    assert_int_equal(headers, 9);
    assert_null(strstr(text, "Bcc"));
    assert_null(strstr(text, "\r\n.\r\n"));
    assert_null(strstr(text, "MAIL FROM"));
}

static json_t *
at_alertmanager(struct arena *arena, struct alert_message of)
{
    struct alert_batch batch = batch_of(arena, of);

    return json_loads(alert_message_alertmanager(arena, &batch, 300000), 0, NULL);
}

static const char *
end_of(const json_t *list, size_t i)
{
    return json_string_value(json_object_get(json_array_get(list, i), "endsAt"));
}

static const char *
severity_of(const json_t *list, size_t i)
{
    return json_string_value(
        json_object_get(json_object_get(json_array_get(list, i), "labels"), "severity"));
}

static void
an_alertmanager_sees_one_end_and_another_begin(void **state)
{
    AUTO_ARENA arena = arena_new();

    (void)state;
    json_t *list = at_alertmanager(arena, worse);
    assert_int_equal(json_array_size(list), 2);
    assert_string_equal(severity_of(list, 0), "warning");
    assert_string_equal(end_of(list, 0), "1970-01-01T00:01:00.000Z");
    assert_string_equal(severity_of(list, 1), "critical");
    assert_string_equal(end_of(list, 1), "1970-01-01T00:06:00.000Z");
    json_decref(list);
    list = at_alertmanager(arena, cleared);
    assert_int_equal(json_array_size(list), 1);
    assert_string_equal(severity_of(list, 0), "critical");
    const json_t *notes = json_object_get(json_array_get(list, 0), "annotations");
    assert_null(json_object_get(notes, "fix_sql"));
    json_decref(list);
}

/* Alertmanager refuses what ends before it begins. */
static void
it_never_begins_after_its_end(void **state)
{
    AUTO_ARENA arena = arena_new();

    (void)state;
    alert.since_ms = 3600000; /* the clock went back since */
    json_t *list = at_alertmanager(arena, cleared);
    const json_t *one = json_array_get(list, 0);
    assert_true(strcmp(json_string_value(json_object_get(one, "startsAt")), end_of(list, 0)) < 0);
    json_decref(list);
    alert.since_ms = 5000;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_gives_back_each_byte),
        cmocka_unit_test(what_cleared_says_how_it_is_and_mends_nothing),
        cmocka_unit_test(slack_pings_nobody),
        cmocka_unit_test(a_mail_has_our_headers_only),
        cmocka_unit_test(an_alertmanager_sees_one_end_and_another_begin),
        cmocka_unit_test(it_never_begins_after_its_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
