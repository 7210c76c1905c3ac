/* What a target is told, as text for each kind. Pure; everything that came from a server is
 * escaped for where it goes. In the caller's arena. */
#pragma once
#include "alert/set.h"

struct alert_message {
    enum alert_change change;  /* as that target sees it */
    enum alert_level level;    /* from now on; of ALERT_CLEARED what it was */
    enum alert_level before;   /* what the target was told last */
    bool is_repeat;            /* told already: Alertmanager forgets otherwise */
    const struct alert *alert; /* a copy, or of the set */
};

struct alert_batch {
    const char *deck;
    int64_t now_ms;
    bool is_test;
    LIST_OF(struct alert_message) messages;
};

struct alert_mail {
    const char *from;
    const char *const *to;
    size_t to_count;
    const char *id; /* no two mails have the same; letters, digits and dots */
};

/* JSON of a webhook and a command's stdin (docs/alerts.md). */
char *alert_message_json(struct arena *arena, const struct alert_batch *batch);
char *alert_message_slack(struct arena *arena, const struct alert_batch *batch);
/* Body of POST /api/v2/alerts; what fires ends there at now + lives_ms unless told again. */
char *
alert_message_alertmanager(struct arena *arena, const struct alert_batch *batch, int64_t lives_ms);
/* A whole mail with its headers, CRLF at the end of lines. */
char *alert_message_mail(struct arena *arena, const struct alert_batch *batch,
                         const struct alert_mail *mail);
/* 2026-11-23T04:05:06.789Z */
char *alert_time(struct arena *arena, int64_t time_ms);
