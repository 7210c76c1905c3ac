/* What the changes of several advisors have in common. */
#pragma once
#include "change/advice.h"

/* What ends a statement: a semicolon, on a line of its own where a comment would swallow it. */
const char *change_semicolon(const char *statement);

/* body as a script of one transaction, run by role (NULL: by who is connected) with unqualified
 * names meaning those of schema. Both last until the end of the transaction. */
const char *
change_script(struct arena *arena, const char *role, const char *schema, const char *body);
/* Who owns what the deck creates in that database; NULL: who is connected (the deck leaves roles
 * alone). */
const char *change_owner(const struct advice *advice, const struct deck_database *database);
/* One database of the server under advice. */
struct change_scope {
    struct advice *advice;
    const struct deck_database *database;
    const struct catalog_database *catalog;
    const char *owner; /* as change_owner */
};
/* The databases that were asked for, one after the other: *at begins with 0. False: no more. */
bool
change_next_scope(struct advice *advice, size_t *at, struct change_scope *ret_scope) MUST_CHECK;
/* A change of this plan by its key; NULL: there is none. Of the server itself: database NULL. */
const struct change *
change_find(const struct advice *advice, const char *database, const char *key);
/* "table public.users": the key of a table's creation. */
const char *change_table_key(struct arena *arena, const char *schema, const char *name);
/* "partitions of public.system_logs": of the change that makes a table a partitioned one. */
const char *change_partitions_key(struct arena *arena, const char *schema, const char *name);
/* SQL for undo_guard: whether that table is gone or has no rows. */
const char *change_guard_empty(struct arena *arena, const char *schema, const char *name);
