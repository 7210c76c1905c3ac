/* `alerts:` and `notify:` of a deck: when to raise the alarm, who is told of it, and how. Read
 * through deck/deck.h. */
#pragma once
#include "base/arena.h"
#include "base/error.h"
#include <stdint.h>

enum deck_level_unit { LEVEL_SHARE, LEVEL_DURATION, LEVEL_SIZE, LEVEL_COUNT };

struct deck_alert {
    const char *name;
    struct place place;
    double warning, critical; /* shares, milliseconds, bytes, or as written */
    enum deck_level_unit unit;
    int fire, clear; /* measurements beyond a level, good ones in a row */
};

enum deck_notify_kind {
    NOTIFY_WEBHOOK,
    NOTIFY_SLACK,
    NOTIFY_EMAIL,
    NOTIFY_ALERTMANAGER,
    NOTIFY_COMMAND
};
enum deck_notify_minimum { NOTIFY_WARNING, NOTIFY_CRITICAL };
enum deck_notify_tls { NOTIFY_TLS_REQUIRED, NOTIFY_TLS_OFF };

struct deck_notify {
    const char *name;
    struct place place;
    enum deck_notify_kind kind;
    const char *url;           /* http(s)://, of an email smtp(s)://; NULL: elsewhere */
    const char *url_file;      /* its first line is the URL */
    const char *token_file;    /* its first line goes with HTTP as a bearer's token */
    const char *user;          /* of SMTP */
    const char *password_file; /* its first line is the user's password */
    const char *from;
    LIST_OF(const char *) to;
    LIST_OF(const char *) command;      /* [0] is the program's path */
    LIST_OF(const char *) environments; /* whose alerts are told; empty: all */
    enum deck_notify_minimum minimum;
    enum deck_notify_tls tls; /* of SMTP */
    const char *ca_file;      /* who signed the other side's certificate; NULL: the system's */
    int64_t timeout_ms;       /* of one attempt */
};
