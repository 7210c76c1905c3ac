// SPDX-License-Identifier: MIT
/* Whether each target of `notify:` has what its kind needs, and no secret. */
#include "deck/loader.h"

#include "deck/fault.h"

#include <string.h>

enum { TARGETS_MAX = 16 }; /* ALERT_TARGET_LIMIT */

struct subject {
    struct deck_loader *loader;
    const struct deck_notify *target;
    const struct deck_node *node;
};

static struct place
place_of(const struct subject *subject, const char *key)
{
    const struct deck_node *node = deck_node_get(subject->node, key);

    return node == NULL ? subject->target->place : node->place;
}

static struct error *
fault(const struct subject *subject, const char *key, const char *what)
{
    return deck_loader_fault(subject->loader, place_of(subject, key), "notify.%s: %s",
                             subject->target->name, what);
}

static bool
has_prefix(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static void
check_url(const struct subject *subject)
{
    const struct deck_notify *target = subject->target;
    const char *url = target->url;
    bool is_mail = target->kind == NOTIFY_EMAIL;

    if (url == NULL)
        return;
    if (target->url_file != NULL)
        fault(subject, "url_file", "url and url_file are one too many");
    if (target->kind == NOTIFY_SLACK) {
        error_hint(fault(subject, "url", "the URL of a Slack webhook is a secret"),
                   "Put it into a file and name that as url_file: a deck is kept in version "
                   "control.");
        return;
    }
    if (is_mail ? !has_prefix(url, "smtp://") && !has_prefix(url, "smtps://")
                : !has_prefix(url, "http://") && !has_prefix(url, "https://"))
        fault(subject, "url",
              is_mail ? "url begins with smtp:// or smtps://"
                      : "url begins with http:// or https://");
    for (const char *at = url; *at != '\0'; at++) {
        if (*at <= ' ' || *at == 0x7f) {
            fault(subject, "url", "url has a blank or control character");
            break;
        }
    }
    size_t host = strcspn(url, ":") + strspn(url + strcspn(url, ":"), ":/");
    if (memchr(url + host, '@', strcspn(url + host, "/?#")) != NULL)
        error_hint(fault(subject, "url", "url contains a user or password"),
                   "Use user and password_file, or token_file.");
}

/* What could end a line of the mail or an address; the rest is the mail server's to judge. */
static void
check_address(const struct subject *subject, const char *key, const char *address)
{
    const char *at = strchr(address, '@');
    bool is_address = at != NULL && at != address && at[1] != '\0';

    for (const unsigned char *byte = (const unsigned char *)address; *byte != '\0'; byte++)
        is_address =
            is_address && *byte > ' ' && *byte < 0x7f && strchr("<>,;\"\\()", *byte) == NULL;
    if (!is_address)
        deck_loader_fault(subject->loader, place_of(subject, key),
                          "notify.%s.%s: \"%s\" is no address, such as ops@example.com",
                          subject->target->name, key, address);
}

static void
check_email(const struct subject *subject)
{
    const struct deck_notify *target = subject->target;

    if (target->from == NULL || target->to.count == 0)
        fault(subject, "kind", "kind email needs from and to");
    if (target->from != NULL)
        check_address(subject, "from", target->from);
    for (size_t i = 0; i < target->to.count; i++)
        check_address(subject, "to", target->to.items[i]);
}

static void
check_command(const struct subject *subject)
{
    const struct deck_notify *target = subject->target;

    if (target->command.count == 0)
        fault(subject, "kind", "kind command needs a command");
    else if (target->command.items[0][0] != '/')
        fault(subject, "command", "a command begins with the whole path of its program");
}

/* Keys that another kind would need. */
static void
check_surplus(const struct subject *subject)
{
    static const struct {
        const char *key;
        unsigned kinds;
    } keys[] = {
        {"from", 1U << NOTIFY_EMAIL},
        {"to", 1U << NOTIFY_EMAIL},
        {"user", 1U << NOTIFY_EMAIL},
        {"password_file", 1U << NOTIFY_EMAIL},
        {"tls", 1U << NOTIFY_EMAIL},
        {"command", 1U << NOTIFY_COMMAND},
        {"token_file", 1U << NOTIFY_WEBHOOK | 1U << NOTIFY_ALERTMANAGER},
        {"url", ~(1U << NOTIFY_COMMAND)},
        {"url_file", ~(1U << NOTIFY_COMMAND)},
        {"ca_file", ~(1U << NOTIFY_COMMAND)},
    };

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (deck_node_get(subject->node, keys[i].key) != NULL &&
            (keys[i].kinds & 1U << subject->target->kind) == 0)
            deck_loader_fault(subject->loader, place_of(subject, keys[i].key),
                              "notify.%s: %s is not of that kind", subject->target->name,
                              keys[i].key);
    }
}

static void
check_references(const struct subject *subject, const struct deck *deck)
{
    const struct deck_notify *target = subject->target;
    const char **names =
        ARENA_ARRAY(subject->loader->arena, const char *, deck->environments.count + 1);

    for (size_t i = 0; i < deck->environments.count; i++)
        names[i] = deck->environments.items[i].name;
    for (size_t i = 0; i < target->environments.count; i++) {
        const char *wanted = target->environments.items[i];
        size_t j = 0;
        while (names[j] != NULL && strcmp(names[j], wanted) != 0)
            j++;
        if (names[j] != NULL)
            continue;
        struct error *err =
            deck_loader_fault(subject->loader, place_of(subject, "environments"),
                              "notify.%s: there is no environment \"%s\"", target->name, wanted);
        deck_fault_nearest(err, wanted, names);
    }
}

void
deck_check_notify(struct deck_loader *loader, const struct deck *deck, const struct deck_node *node)
{
    for (size_t i = 0; i < deck->notify.count; i++) {
        struct subject subject = {loader, &deck->notify.items[i], node->pairs.items[i].value};
        if (deck_node_get(subject.node, "kind") == NULL)
            continue; /* told already */
        check_url(&subject);
        check_surplus(&subject);
        check_references(&subject, deck);
        if (subject.target->kind == NOTIFY_EMAIL)
            check_email(&subject);
        if (subject.target->kind == NOTIFY_COMMAND)
            check_command(&subject);
    }
    if (deck->notify.count > TARGETS_MAX)
        deck_loader_fault(loader, node->place, "notify has %zu targets, more than %d",
                          deck->notify.count, TARGETS_MAX);
}
