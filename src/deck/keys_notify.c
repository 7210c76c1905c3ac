// SPDX-License-Identifier: MIT
/* The keys of `notify:`. */
#include "deck/keys.h"

#include <stddef.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define AT(type, field) offsetof(struct type, field)

static const char *const kind_words[] = {"webhook",      "slack",   "email",
                                         "alertmanager", "command", NULL};
static const char *const minimum_words[] = {"warning", "critical", NULL};
static const char *const tls_words[] = {"required", "off", NULL};

static const struct deck_key notify_keys[] = {
    {.name = "kind",
     .type = KEY_CHOICE,
     .offset = AT(deck_notify, kind),
     .help = "what is there to be told",
     .is_required = true,
     .words = kind_words},
    {.name = "url",
     .type = KEY_TEXT,
     .offset = AT(deck_notify, url),
     .help = "http:// or https://; of email smtp:// or smtps://; never with a password"},
    {.name = "url_file",
     .type = KEY_FILE,
     .offset = AT(deck_notify, url_file),
     .help = "file whose first line is the URL, where that is a secret (slack)"},
    {.name = "token_file",
     .type = KEY_FILE,
     .offset = AT(deck_notify, token_file),
     .help = "file whose first line is sent as Authorization: Bearer"},
    {.name = "user", .type = KEY_TEXT, .offset = AT(deck_notify, user), .help = "of SMTP"},
    {.name = "password_file",
     .type = KEY_FILE,
     .offset = AT(deck_notify, password_file),
     .help = "file whose first line is the user's password"},
    {.name = "from",
     .type = KEY_TEXT,
     .offset = AT(deck_notify, from),
     .help = "address that an email comes from"},
    {.name = "to",
     .type = KEY_TEXTS,
     .offset = AT(deck_notify, to),
     .help = "addresses that it goes to",
     .max = 50},
    {.name = "command",
     .type = KEY_TEXTS,
     .offset = AT(deck_notify, command),
     .help = "program with its arguments, no shell; gets the alerts as JSON on its stdin",
     .max = 50},
    {.name = "environments",
     .type = KEY_NAMES,
     .offset = AT(deck_notify, environments),
     .help = "whose alerts it is told; default: all"},
    {.name = "minimum",
     .type = KEY_CHOICE,
     .offset = AT(deck_notify, minimum),
     .help = "from which level on; default warning",
     .words = minimum_words},
    {.name = "tls",
     .type = KEY_CHOICE,
     .offset = AT(deck_notify, tls),
     .help = "of SMTP; default required",
     .words = tls_words},
    {.name = "ca_file",
     .type = KEY_FILE,
     .offset = AT(deck_notify, ca_file),
     .help = "who signed its certificate (PEM); default: whom the system trusts"},
    {.name = "timeout",
     .type = KEY_DURATION,
     .offset = AT(deck_notify, timeout_ms),
     .help = "of one attempt; default 10s",
     .min = 100,
     .max = INT64_C(5) * 60 * 1000},
};
static const struct deck_notify notify_defaults = {.timeout_ms = 10000};
const struct deck_table deck_notify_table = {
    .what = "target",
    .keys = notify_keys,
    .count = COUNT_OF(notify_keys),
    .item_bytes = sizeof(struct deck_notify),
    .name_offset = AT(deck_notify, name),
    .place_offset = AT(deck_notify, place),
    .defaults = &notify_defaults,
};
