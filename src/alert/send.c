// SPDX-License-Identifier: MIT
#include "alert/send.h"

#include "base/file.h"
#include "base/text.h"

#include <ctype.h>
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { ANSWER_BYTES = 200, CONNECT_MS = 5000, OK_FROM = 200, OK_BELOW = 300 };

/* --- secrets -------------------------------------------------------------------------------- */

static bool
read_first_line(struct arena *arena, const char *path, const char **ret_line, struct error *err)
{
    char *text;
    size_t length;

    if (!file_read_secret(arena, path, &text, &length, err))
        return false;
    text[strcspn(text, "\r\n")] = '\0';
    if (text[0] == '\0')
        return error_set(err, ERROR_FILE, "\"%s\" is empty", path);
    *ret_line = text;
    return true;
}

bool
alert_secret(struct arena *arena, const struct deck_notify *target, const char *what,
             const char **ret_secret, struct error *err)
{
    const char *file = strcmp(what, "url") == 0     ? target->url_file
                       : strcmp(what, "token") == 0 ? target->token_file
                                                    : target->password_file;
    const char *folder = getenv("CREDENTIALS_DIRECTORY");

    if (file == NULL && folder != NULL) {
        file = arena_printf(arena, "%s/notify-%s-%s", folder, target->name, what);
        if (!file_exists(file))
            file = NULL;
    }
    if (file != NULL)
        return read_first_line(arena, file, ret_secret, err);
    char *variable = arena_printf(arena, "PGDECK_NOTIFY_%s_%s", target->name, what);
    for (char *at = variable; *at != '\0'; at++)
        *at = (char)(isalnum((unsigned char)*at) ? toupper((unsigned char)*at) : '_');
    *ret_secret = getenv(variable);
    return true;
}

static bool
url_of(struct arena *arena, const struct deck_notify *target, const char **ret_url,
       struct error *err)
{
    *ret_url = target->url;
    if (*ret_url == NULL && !alert_secret(arena, target, "url", ret_url, err))
        return false;
    if (*ret_url == NULL) {
        error_set(err, ERROR_DECK, "notify.%s has no URL", target->name);
        return error_hint(err, "Give it as url, url_file, or in the environment as "
                               "PGDECK_NOTIFY_..._URL.");
    }
    if (target->kind != NOTIFY_ALERTMANAGER)
        return true;
    size_t length = strlen(*ret_url);
    while (length > 0 && (*ret_url)[length - 1] == '/')
        length--;
    *ret_url = arena_printf(arena, "%.*s/api/v2/alerts", (int)length, *ret_url);
    return true;
}

bool
alert_has_secrets(const struct deck_notify *target, struct error *err)
{
    AUTO_ARENA arena = arena_new();
    const char *what = target->kind == NOTIFY_EMAIL ? "password" : "token";
    const char *url, *secret;

    return target->kind == NOTIFY_COMMAND ||
           (url_of(arena, target, &url, err) && alert_secret(arena, target, what, &secret, err));
}

/* --- one transfer --------------------------------------------------------------------------- */

struct transfer {
    CURL *curl;
    struct curl_slist *list; /* headers or recipients */
    const char *mail;
    size_t mail_length, mail_at;
    char answer[ANSWER_BYTES + 1];
    size_t answer_length;
    char fault[CURL_ERROR_SIZE];
    const atomic_bool *is_stopping;
};

static size_t
hear(char *bytes, size_t size, size_t count, void *context)
{
    struct transfer *transfer = context;
    size_t room = ANSWER_BYTES - transfer->answer_length;
    size_t length = size * count;

    memcpy(transfer->answer + transfer->answer_length, bytes, length < room ? length : room);
    transfer->answer_length += length < room ? length : room;
    return length;
}

static size_t
say(char *buffer, size_t size, size_t count, void *context)
{
    struct transfer *transfer = context;
    size_t room = size * count;
    size_t left = transfer->mail_length - transfer->mail_at;
    size_t length = left < room ? left : room;

    memcpy(buffer, transfer->mail + transfer->mail_at, length);
    transfer->mail_at += length;
    return length;
}

static int
may_go_on(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    const struct transfer *transfer = context;

    (void)a, (void)b, (void)c, (void)d;
    return atomic_load(transfer->is_stopping);
}

static bool
begin(struct transfer *transfer, const struct deck_notify *target, const char *url,
      struct error *err)
{
    bool is_mail = target->kind == NOTIFY_EMAIL;
    long timeout = (long)target->timeout_ms;
    CURL *curl = transfer->curl = curl_easy_init();

    if (curl == NULL)
        return error_set(err, ERROR_INTERNAL, "libcurl cannot begin");
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, is_mail ? "smtp,smtps" : "http,https");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, timeout);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, timeout < CONNECT_MS ? timeout : CONNECT_MS);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, transfer->fault);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, hear);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, may_go_on);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, transfer);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    if (target->ca_file != NULL)
        curl_easy_setopt(curl, CURLOPT_CAINFO, target->ca_file);
    return true;
}

/* The URL may be a secret: it is in no message. */
static bool
perform(struct transfer *transfer, const struct deck_notify *target, struct error *err)
{
    CURLcode code = curl_easy_perform(transfer->curl);
    AUTO_TEXT answer = {0};
    long status = 0;

    if (code != CURLE_OK)
        return error_set(err, ERROR_UNREACHABLE, "%s: %s", target->name,
                         transfer->fault[0] != '\0' ? transfer->fault : curl_easy_strerror(code));
    curl_easy_getinfo(transfer->curl, CURLINFO_RESPONSE_CODE, &status);
    if (target->kind == NOTIFY_EMAIL || (status >= OK_FROM && status < OK_BELOW))
        return true;
    transfer->answer[text_utf8_length(transfer->answer, transfer->answer_length)] = '\0';
    text_append_visible(&answer, transfer->answer);
    return error_set(err, ERROR_UNREACHABLE, "%s: answers %ld %s", target->name, status,
                     text_chars(&answer));
}

static void
end(struct transfer *transfer)
{
    curl_slist_free_all(transfer->list);
    curl_easy_cleanup(transfer->curl);
}

static bool
send_http(const struct deck_notify *target, const char *body, const atomic_bool *is_stopping,
          struct error *err)
{
    AUTO_ARENA arena = arena_new();
    struct transfer transfer = {.is_stopping = is_stopping};
    const char *url, *token = NULL;

    if (!url_of(arena, target, &url, err) || !alert_secret(arena, target, "token", &token, err) ||
        !begin(&transfer, target, url, err))
        return false;
    transfer.list = curl_slist_append(NULL, "Content-Type: application/json");
    transfer.list = curl_slist_append(transfer.list, "User-Agent: pgdeck/" PGDECK_VERSION);
    transfer.list = curl_slist_append(transfer.list, "Expect:");
    if (token != NULL)
        transfer.list = curl_slist_append(transfer.list,
                                          arena_printf(arena, "Authorization: Bearer %s", token));
    curl_easy_setopt(transfer.curl, CURLOPT_HTTPHEADER, transfer.list);
    curl_easy_setopt(transfer.curl, CURLOPT_POSTFIELDS, body);
    bool is_sent = perform(&transfer, target, err);
    end(&transfer);
    return is_sent;
}

static bool
send_mail(const struct deck_notify *target, const struct alert_batch *batch,
          const atomic_bool *is_stopping, struct error *err)
{
    AUTO_ARENA arena = arena_new();
    struct transfer transfer = {.is_stopping = is_stopping};
    const char *url, *password = NULL;
    static atomic_uint sent;
    struct alert_mail mail = {
        .from = target->from,
        .to = target->to.items,
        .to_count = target->to.count,
        .id = arena_printf(arena, "pgdeck.%lld.%d.%u", (long long)batch->now_ms, (int)getpid(),
                           atomic_fetch_add(&sent, 1)),
    };

    if (!url_of(arena, target, &url, err) ||
        !alert_secret(arena, target, "password", &password, err) ||
        !begin(&transfer, target, url, err))
        return false;
    transfer.mail = alert_message_mail(arena, batch, &mail);
    transfer.mail_length = strlen(transfer.mail);
    for (size_t i = 0; i < target->to.count; i++)
        transfer.list = curl_slist_append(transfer.list, target->to.items[i]);
    curl_easy_setopt(transfer.curl, CURLOPT_MAIL_FROM, target->from);
    curl_easy_setopt(transfer.curl, CURLOPT_MAIL_RCPT, transfer.list);
    curl_easy_setopt(transfer.curl, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(transfer.curl, CURLOPT_READFUNCTION, say);
    curl_easy_setopt(transfer.curl, CURLOPT_READDATA, &transfer);
    curl_easy_setopt(transfer.curl, CURLOPT_USE_SSL,
                     (long)(target->tls == NOTIFY_TLS_OFF ? CURLUSESSL_NONE : CURLUSESSL_ALL));
    if (target->user != NULL)
        curl_easy_setopt(transfer.curl, CURLOPT_USERNAME, target->user);
    if (password != NULL)
        curl_easy_setopt(transfer.curl, CURLOPT_PASSWORD, password);
    bool is_sent = perform(&transfer, target, err);
    end(&transfer);
    return is_sent;
}

bool
alert_send(const struct deck_notify *target, const struct alert_batch *batch,
           const atomic_bool *is_stopping, struct error *err)
{
    AUTO_ARENA arena = arena_new();

    switch (target->kind) {
    case NOTIFY_EMAIL:
        return send_mail(target, batch, is_stopping, err);
    case NOTIFY_COMMAND:
        return alert_run_command(target, alert_message_json(arena, batch), is_stopping, err);
    case NOTIFY_SLACK:
        return send_http(target, alert_message_slack(arena, batch), is_stopping, err);
    case NOTIFY_ALERTMANAGER:
        return send_http(target, alert_message_alertmanager(arena, batch, ALERT_LIVES_MS),
                         is_stopping, err);
    default:
        return send_http(target, alert_message_json(arena, batch), is_stopping, err);
    }
}
