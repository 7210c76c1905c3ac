// SPDX-License-Identifier: MIT
#include "pool/known.h"

#include "pool/share.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { APPLICATION_BYTES_MAX = 63 }; /* a server may cut what is longer */

/* --- for the other threads ----------------------------------------------------------------- */

static void
free_shared(struct pool_known_copy *copy)
{
    if (copy == NULL)
        return;
    free(copy->startup);
    free(copy->reported);
    free(copy);
}

void
pool_known_free_shared(struct pool_share *share)
{
    for (size_t i = 0; i < POOL_LOGINS_MAX; i++)
        free_shared(atomic_load(&share->known[i]));
}

/* In the first place that is free; it stays as it is from then on. */
static void
share_login(struct pool_share *share, const struct pool_login *login)
{
    struct pool_known_copy *copy = calloc(1, sizeof(*copy));

    if (copy != NULL) {
        copy->startup = pool_parameters_copy(login->startup);
        copy->reported = pool_parameters_copy(login->reported);
    }
    bool is_whole = copy != NULL && copy->startup != NULL && copy->reported != NULL;
    for (size_t i = 0; is_whole && i < POOL_LOGINS_MAX; i++) {
        struct pool_known_copy *none = NULL;
        if (atomic_compare_exchange_strong(&share->known[i], &none, copy))
            return;
    }
    free_shared(copy); /* no memory, or no place */
}

/* --- what is known here -------------------------------------------------------------------- */

static const struct pool_login *
same_login(const struct pool_group *group, const struct pool_parameters *startup)
{
    for (size_t i = 0; i < group->login_count; i++) {
        if (group->logins[i].startup == startup)
            return &group->logins[i];
    }
    return NULL;
}

/* Takes over both references. When there is no place the oldest one goes. */
static struct pool_login *
keep_login(struct pool_group *group, const struct pool_parameters *startup,
           const struct pool_parameters *reported)
{
    struct pool_parameter_table *table = &group->pool->parameters;
    struct pool_login *login = &group->logins[group->login_next];

    group->login_next = (group->login_next + 1) % POOL_LOGINS_MAX;
    if (group->login_count < POOL_LOGINS_MAX)
        group->login_count++;
    pool_parameters_move(table, &login->startup, startup);
    pool_parameters_move(table, &login->reported, reported);
    return login;
}

void
pool_known_add(struct pool_group *group, const struct pool_parameters *startup,
               const struct pool_parameters *reported)
{
    if (same_login(group, startup) != NULL)
        return;
    const struct pool_login *login =
        keep_login(group, pool_parameters_keep(startup), pool_parameters_keep(reported));
    if (group->share != NULL)
        share_login(group->share, login);
}

void
pool_known_release(struct pool_group *group)
{
    for (size_t i = 0; i < group->login_count; i++) {
        pool_parameters_drop(&group->pool->parameters, group->logins[i].startup);
        pool_parameters_drop(&group->pool->parameters, group->logins[i].reported);
    }
}

/* Takes what other threads have learnt since. */
static void
learn(struct pool_group *group)
{
    struct pool_parameter_table *table = &group->pool->parameters;

    for (; group->share != NULL && group->shared_logins < POOL_LOGINS_MAX; group->shared_logins++) {
        const struct pool_known_copy *copy =
            atomic_load(&group->share->known[group->shared_logins]);
        if (copy == NULL)
            return;
        struct pool_parameters *startup = pool_parameters_copy(copy->startup);
        struct pool_parameters *reported = pool_parameters_copy(copy->reported);
        if (startup == NULL || reported == NULL) {
            free(startup);
            free(reported);
            return;
        }
        const struct pool_parameters *own = pool_parameters_adopt(table, startup);
        const struct pool_parameters *told = pool_parameters_adopt(table, reported);
        if (same_login(group, own) == NULL)
            keep_login(group, pool_parameters_keep(own), pool_parameters_keep(told));
        pool_parameters_drop(table, own);
        pool_parameters_drop(table, told);
    }
}

/* --- put together -------------------------------------------------------------------------- */

static bool
is_same_text(const char *one, const char *other) /* NULL: not given */
{
    return one == NULL || other == NULL ? one == other : strcmp(one, other) == 0;
}

/* A login that gave the parameter this value (NULL: none), and so knows what comes of it. */
static const struct pool_login *
login_with(const struct pool_group *group, const char *name, const char *value)
{
    for (size_t i = 0; i < group->login_count; i++) {
        if (is_same_text(pool_parameters_find(group->logins[i].startup, name), value))
            return &group->logins[i];
    }
    return NULL;
}

/* An application's name that servers take as it is. */
static bool
is_plain_application(const char *name, const char *value)
{
    size_t length = value == NULL ? 0 : strlen(value);

    if (value == NULL || strcasecmp(name, "application_name") != 0 ||
        length > APPLICATION_BYTES_MAX)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (value[i] < ' ' || value[i] > '~')
            return false;
    }
    return true;
}

/* What a server would report of it; NULL: not known. */
static const char *
expected(const struct pool_group *group, const char *name, const char *given)
{
    if (is_plain_application(name, given))
        return given;
    const struct pool_login *login = login_with(group, name, given);
    return login == NULL ? NULL : pool_parameters_find(login->reported, name);
}

/* Whether servers take all of the start-up's values. */
static bool
is_taken(const struct pool_group *group, const struct pool_parameters *startup)
{
    for (unsigned i = 0; i < startup->count; i++) {
        const struct pool_parameter *given = &startup->items[i];
        if (!is_plain_application(given->name, given->value) &&
            login_with(group, given->name, given->value) == NULL)
            return false;
    }
    return true;
}

const struct pool_parameters *
pool_known_find(struct pool_group *group, const struct pool_parameters *startup)
{
    struct pool_parameter items[POOL_PARAMETERS_MAX];
    const struct pool_login *login = same_login(group, startup);

    if (login == NULL) {
        learn(group);
        login = same_login(group, startup);
    }
    if (login != NULL)
        return pool_parameters_keep(login->reported);
    if (group->login_count == 0 || !is_taken(group, startup))
        return NULL;
    const struct pool_parameters *like = group->logins[0].reported;
    for (unsigned i = 0; i < like->count; i++) {
        const char *name = like->items[i].name;
        const char *value = expected(group, name, pool_parameters_find(startup, name));
        if (value == NULL)
            return NULL;
        items[i] = (struct pool_parameter){name, value};
    }
    return pool_parameters_make(&group->pool->parameters, items, like->count);
}
