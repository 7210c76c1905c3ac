// SPDX-License-Identifier: MIT
#include "deck/keys.h"

#include <stddef.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define AT(type, field) offsetof(struct type, field)

static const char *const tls_words[] = {"optional", "required", NULL};
static const char *const password_words[] = {"scram-sha-256", NULL};
static const char *const identity_words[] = {"login", "setting", NULL};

static const struct deck_key security_keys[] = {
    {.name = "tls",
     .type = KEY_SWITCH,
     .offset = AT(deck_environment, has_tls_required),
     .help = "default optional",
     .words = tls_words},
    {.name = "passwords",
     .type = KEY_CHOICE,
     .offset = AT(deck_environment, passwords),
     .help = "how they are stored",
     .words = password_words},
    {.name = "allow",
     .type = KEY_NETWORKS,
     .offset = AT(deck_environment, allow),
     .help = "networks of the clients"},
    {.name = "audit",
     .type = KEY_FLAG,
     .offset = AT(deck_environment, has_audit),
     .help = "log changes of rights and objects"},
    {.name = "read_only",
     .type = KEY_FLAG,
     .offset = AT(deck_environment, has_read_only),
     .help = "a role PREFIX_read_only that may read every table"},
    {.name = "monitoring",
     .type = KEY_FLAG,
     .offset = AT(deck_environment, has_monitoring),
     .help = "a role PREFIX_monitoring, member of pg_monitor"},
};
const struct deck_table deck_security_table = {
    .what = "security", .keys = security_keys, .count = COUNT_OF(security_keys)};

static const struct deck_key tenants_keys[] = {
    {.name = "column",
     .type = KEY_NAME,
     .offset = AT(deck_tenants, column),
     .help = "of every table whose rows belong to a tenant",
     .is_required = true},
    {.name = "identity",
     .type = KEY_CHOICE,
     .offset = AT(deck_tenants, identity),
     .help = "what tells the tenant: login (one role each; default), or a setting of trusted code",
     .words = identity_words},
    {.name = "setting",
     .type = KEY_NAME,
     .offset = AT(deck_tenants, setting),
     .help = "identity setting: its name; default app.tenant"},
    {.name = "databases",
     .type = KEY_NAMES,
     .offset = AT(deck_tenants, databases),
     .help = "where; default: all"},
};
const struct deck_table deck_tenants_table = {
    .what = "tenants", .keys = tenants_keys, .count = COUNT_OF(tenants_keys)};
