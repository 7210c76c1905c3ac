/* The security of a server against its deck and a list of known faults, read only: each check is a
 * file below security/checks/, a SELECT of state, finding, evidence, fix. */
#pragma once
#include "change/advice.h"

enum security_state {
    SECURITY_FAIL,
    SECURITY_WARN,
    SECURITY_UNKNOWN,
    SECURITY_OK,
    SECURITY_STATES
};

struct security_item {
    enum security_state state;
    const char *server;
    const char *database; /* NULL: of the server */
    const char *item;     /* "passwords" */
    const char *finding, *evidence;
    const char *fix; /* NULL: none */
};

struct security_checklist {
    struct arena *arena;
    LIST_OF(struct security_item) items;
    size_t counts[SECURITY_STATES];
};

const char *security_state_name(enum security_state state);
void security_add_item(struct security_checklist *list, const struct security_item *item);
/* Adds what there is to say of advice->server, through the snapshot's connections. What cannot be
 * measured is an item. Errors: ERROR_INTERRUPTED, a lost connection. */
bool security_check_server(const struct advice *advice, struct security_checklist *list,
                           struct error *err) MUST_CHECK;
/* What is worst first; else in the order in which it came. */
void security_sort(struct security_checklist *list);
