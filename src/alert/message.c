// SPDX-License-Identifier: MIT
#include "alert/message.h"

#include "base/text.h"

#include <jansson.h>
#include <math.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MS = 1000, PERCENT = 100, SUBJECT_BYTES = 150, WORD_BYTES = 42, LINE_BYTES = 57 };

/* As a person reads it. */
static const char *const words[] = {"fires", "got worse", "got better", "cleared"};

char *
alert_time(struct arena *arena, int64_t time_ms)
{
    time_t seconds = (time_t)(time_ms / MS);
    struct tm parts;
    char stamp[40] = "";

    if (gmtime_r(&seconds, &parts) != NULL)
        strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &parts);
    return arena_printf(arena, "%s.%03dZ", stamp, abs((int)(time_ms % MS)));
}

static char *
dump(struct arena *arena, json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT | JSON_ENSURE_ASCII);
    char *copy = arena_strdup(arena, text == NULL ? "" : text);

    free(text);
    json_decref(json);
    return copy;
}

static json_t *
number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *
text_or_null(const char *text)
{
    return text[0] == '\0' ? json_null() : json_string(text);
}

/* What is said of it: the alert's own message is of when it was bad. */
static const char *
text_of(struct arena *arena, const struct alert_message *message)
{
    const struct alert *alert = message->alert;
    const char *value = "";
    bool is_share = strcmp(alert->unit, "share") == 0;

    if (message->change != ALERT_CLEARED)
        return alert->message;
    if (isfinite(alert->value))
        value = is_share ? arena_printf(arena, ", now at %.3g %%", alert->value * PERCENT)
                         : arena_printf(arena, ", now at %.6g %s", alert->value, alert->unit);
    return arena_printf(arena, "is over%s; began at %s", value, alert_time(arena, alert->since_ms));
}

/* The SQL that mends it; "": none, or nothing to mend any more. */
static const char *
fix_of(const struct alert_message *message)
{
    return message->change == ALERT_CLEARED ? "" : message->alert->fix_sql;
}

static json_t *
message_of(struct arena *arena, const struct alert_message *message)
{
    const struct alert *alert = message->alert;
    json_t *json = json_pack(
        "{s:s, s:I, s:s, s:s, s:s, s:s}", "event", alert_change_name(message->change), "number",
        (json_int_t)alert->number, "name", alert->name, "level", alert_level_name(message->level),
        "message", text_of(arena, message), "since", alert_time(arena, alert->since_ms));

    json_object_set_new(json, "server", text_or_null(alert->server));
    json_object_set_new(json, "environment", text_or_null(alert->environment));
    json_object_set_new(json, "database", text_or_null(alert->database));
    json_object_set_new(json, "value", number(alert->value));
    json_object_set_new(json, "warning", number(alert->warning));
    json_object_set_new(json, "critical", number(alert->critical));
    json_object_set_new(json, "unit", text_or_null(alert->unit));
    json_object_set_new(json, "fix_sql", text_or_null(fix_of(message)));
    json_object_set_new(json, "fix_database",
                        text_or_null(fix_of(message)[0] == '\0' ? "" : alert->fix_database));
    return json;
}

char *
alert_message_json(struct arena *arena, const struct alert_batch *batch)
{
    json_t *alerts = json_array();

    for (size_t i = 0; i < batch->messages.count; i++)
        json_array_append_new(alerts, message_of(arena, &batch->messages.items[i]));
    return dump(arena, json_pack("{s:i, s:s, s:s, s:b, s:o}", "version", 1, "deck", batch->deck,
                                 "at", alert_time(arena, batch->now_ms), "test", batch->is_test,
                                 "alerts", alerts));
}

/* --- lines for people ----------------------------------------------------------------------- */

static const char *
where(struct arena *arena, const struct alert *alert)
{
    const char *environment = alert->environment[0] != '\0' ? alert->environment : alert->server;

    if (alert->database[0] == '\0')
        return environment;
    return environment[0] == '\0' ? alert->database
                                  : arena_printf(arena, "%s, %s", environment, alert->database);
}

static char *
headline(struct arena *arena, const struct alert_message *message)
{
    const struct alert *alert = message->alert;
    const char *level = message->change == ALERT_CLEARED ? "" : alert_level_name(message->level);
    const char *place = where(arena, alert); /* a test has none */

    if (place[0] != '\0')
        place = arena_printf(arena, " (%s)", place);
    return arena_printf(arena, "%s%s%s %s%s: %s", level, level[0] == '\0' ? "" : ": ", alert->name,
                        words[message->change], place, text_of(arena, message));
}

/* --- Slack ---------------------------------------------------------------------------------- */

/* Its three special characters; what could ping people is then plain text. */
static void
append_slack(struct text *text, const char *chars)
{
    for (; *chars != '\0'; chars++) {
        if (*chars == '&')
            text_append(text, "&amp;");
        else if (*chars == '<')
            text_append(text, "&lt;");
        else if (*chars == '>')
            text_append(text, "&gt;");
        else
            text_append_bytes(text, chars, 1);
    }
}

char *
alert_message_slack(struct arena *arena, const struct alert_batch *batch)
{
    static const char *const signs[] = {
        ":rotating_light:", ":rotating_light:", ":warning:", ":white_check_mark:"};
    AUTO_TEXT text = {0};

    for (size_t i = 0; i < batch->messages.count; i++) {
        const struct alert_message *message = &batch->messages.items[i];
        const char *fix = fix_of(message);
        const char *fence = strstr(fix, "```") == NULL ? "```" : "";
        text_appendf(&text, "%s%s ", i == 0 ? "" : "\n", signs[message->change]);
        append_slack(&text, headline(arena, message));
        if (fix[0] == '\0')
            continue;
        text_append(&text, "\nMend it");
        if (message->alert->fix_database[0] != '\0') {
            text_append(&text, " in ");
            append_slack(&text, message->alert->fix_database);
        }
        text_appendf(&text, ":\n%s", fence);
        append_slack(&text, fix);
        text_append(&text, fence);
    }
    return dump(arena, json_pack("{s:s}", "text", text_chars(&text)));
}

/* --- Alertmanager --------------------------------------------------------------------------- */

static void
add_alertmanager(struct arena *arena, json_t *list, const struct alert_batch *batch,
                 const struct alert_message *message, const int64_t times_ms[2])
{
    const struct alert *alert = message->alert;
    const bool has_ended = times_ms[1] <= batch->now_ms;
    const char *severity = alert_level_name(has_ended ? message->before : message->level);
    json_t *labels = json_pack("{s:s, s:s, s:s}", "alertname", alert->name, "severity", severity,
                               "deck", batch->deck);
    json_t *notes = json_pack("{s:s}", "summary", text_of(arena, message));
    const struct {
        json_t *object;
        const char *name, *value;
    } more[] = {
        {labels, "server", alert->server},
        {labels, "environment", alert->environment},
        {labels, "database", alert->database},
        {notes, "fix_sql", fix_of(message)},
        {notes, "fix_database", fix_of(message)[0] == '\0' ? "" : alert->fix_database},
    };

    for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++) {
        if (more[i].value[0] != '\0')
            json_object_set_new(more[i].object, more[i].name, json_string(more[i].value));
    }
    json_array_append_new(list, json_pack("{s:o, s:o, s:s, s:s}", "labels", labels, "annotations",
                                          notes, "startsAt", alert_time(arena, times_ms[0]),
                                          "endsAt", alert_time(arena, times_ms[1])));
}

/* An alert there is its labels, severity among them: one that gets worse ends and another begins.
 */
char *
alert_message_alertmanager(struct arena *arena, const struct alert_batch *batch, int64_t lives_ms)
{
    json_t *list = json_array();

    for (size_t i = 0; i < batch->messages.count; i++) {
        const struct alert_message *message = &batch->messages.items[i];
        int64_t since_ms = message->alert->since_ms;
        /* A clock that went back must not make it begin after its end. */
        int64_t start_ms = since_ms < batch->now_ms ? since_ms : batch->now_ms - 1;
        if (message->before != ALERT_NONE &&
            (message->change == ALERT_CLEARED || message->before != message->level))
            add_alertmanager(arena, list, batch, message,
                             (const int64_t[]){start_ms, batch->now_ms});
        if (message->change != ALERT_CLEARED)
            add_alertmanager(arena, list, batch, message,
                             (const int64_t[]){start_ms, batch->now_ms + lives_ms});
    }
    return dump(arena, list);
}

/* --- mail ----------------------------------------------------------------------------------- */

static void
append_base64(struct text *text, const char *bytes, size_t length)
{
    unsigned char out[4 * (LINE_BYTES / 3 + 2)];
    int written = EVP_EncodeBlock(out, (const unsigned char *)bytes, (int)length);

    text_append_bytes(text, (const char *)out, (size_t)written);
}

/* RFC 2047: words of at most 75 characters, each of whole characters. Nothing of the subject is a
 * line end any more. */
static void
append_subject(struct text *text, const char *subject)
{
    size_t left = strlen(subject);

    if (left > SUBJECT_BYTES)
        left = text_utf8_length(subject, SUBJECT_BYTES);
    text_append(text, "Subject:");
    while (left > 0) {
        size_t length = text_utf8_length(subject, left < WORD_BYTES ? left : WORD_BYTES);
        if (length == 0) /* no UTF-8 */
            length = 1;
        text_append(text, " =?UTF-8?B?");
        append_base64(text, subject, length);
        text_append(text, "?=\r\n");
        subject += length;
        left -= length;
    }
}

static void
append_date(struct text *text, int64_t now_ms)
{
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t seconds = (time_t)(now_ms / MS);
    struct tm at;

    if (gmtime_r(&seconds, &at) != NULL)
        text_appendf(text, "Date: %s, %d %s %d %02d:%02d:%02d +0000\r\n", days[at.tm_wday],
                     at.tm_mday, months[at.tm_mon], at.tm_year + 1900, at.tm_hour, at.tm_min,
                     at.tm_sec);
}

static void
append_letter(struct arena *arena, struct text *body, const struct alert_batch *batch)
{
    for (size_t i = 0; i < batch->messages.count; i++) {
        const struct alert_message *message = &batch->messages.items[i];
        const struct alert *alert = message->alert;
        text_appendf(body, "%s\r\nsince %s\r\n", headline(arena, message),
                     alert_time(arena, alert->since_ms));
        if (fix_of(message)[0] != '\0')
            text_appendf(body, "\r\nMend it%s%s:\r\n\r\n%s\r\n",
                         alert->fix_database[0] == '\0' ? "" : " in ", alert->fix_database,
                         alert->fix_sql);
        text_append(body, "\r\n");
    }
    text_appendf(body, "deck %s, pgdeck watch\r\n", batch->deck);
}

static const char *
subject_of(struct arena *arena, const struct alert_batch *batch)
{
    size_t cleared = 0;

    if (batch->messages.count == 1)
        return arena_printf(arena, "[pgdeck] %s", headline(arena, &batch->messages.items[0]));
    for (size_t i = 0; i < batch->messages.count; i++)
        cleared += batch->messages.items[i].change == ALERT_CLEARED;
    return arena_printf(arena, "[pgdeck] %s: %zu alerts, %zu cleared", batch->deck,
                        batch->messages.count - cleared, cleared);
}

char *
alert_message_mail(struct arena *arena, const struct alert_batch *batch,
                   const struct alert_mail *mail)
{
    AUTO_TEXT text = {0};
    AUTO_TEXT body = {0};
    const char *host = strrchr(mail->from, '@');

    text_appendf(&text, "From: <%s>\r\nTo: ", mail->from);
    for (size_t i = 0; i < mail->to_count; i++)
        text_appendf(&text, "%s<%s>", i == 0 ? "" : ",\r\n ", mail->to[i]);
    text_append(&text, "\r\n");
    append_subject(&text, subject_of(arena, batch));
    append_date(&text, batch->now_ms);
    text_appendf(&text,
                 "Message-ID: <%s%s>\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
                 "Content-Type: text/plain; charset=utf-8\r\n"
                 "Content-Transfer-Encoding: base64\r\n\r\n",
                 mail->id, host == NULL ? "" : host);
    append_letter(arena, &body, batch);
    for (size_t at = 0; at < body.length; at += LINE_BYTES) {
        size_t left = body.length - at;
        append_base64(&text, text_chars(&body) + at, left < LINE_BYTES ? left : LINE_BYTES);
        text_append(&text, "\r\n");
    }
    return arena_strdup(arena, text_chars(&text));
}
