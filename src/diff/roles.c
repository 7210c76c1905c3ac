// SPDX-License-Identifier: MIT
#include "base/text.h"
#include "diff/diff.h"
#include "settings/value.h"

#include <stdlib.h>
#include <string.h>

/* --- what a role is called in a comparison ------------------------------------------------ */

typedef const char *
name_role(struct arena *arena, const struct deck_environment *environment, const char *service);

static bool
is_role(struct arena *arena, name_role *name, const struct deck_environment *environment,
        const char *service, const char *role)
{
    return strcmp(name(arena, environment, service), role) == 0;
}

const char *
diff_role_label(struct arena *arena, const struct deck *deck,
                const struct deck_environment *environment, const char *role)
{
    if (strcmp(deck_owner_role(arena, environment), role) == 0)
        return "owner";
    for (size_t i = 0; i < deck->databases.count; i++) {
        const struct deck_database *database = &deck->databases.items[i];
        for (size_t j = 0; database->environment == environment && j < database->services.count;
             j++) {
            const char *service = database->services.items[j];
            if (is_role(arena, deck_service_role, environment, service, role))
                return arena_printf(arena, "service %s", service);
            if (is_role(arena, deck_login_role, environment, service, role))
                return arena_printf(arena, "login %s", service);
        }
    }
    return role;
}

static const char *
label_of(const struct diff *diff, const struct diff_side *side, const char *role)
{
    return diff_role_label(diff->arena, side->advice.deck, side->environment, role);
}

static int
compare_texts(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static const char *
join_sorted(struct diff *diff, const char **items, size_t count)
{
    AUTO_TEXT text = {0};

    if (count > 1)
        qsort(items, count, sizeof(*items), compare_texts);
    for (size_t i = 0; i < count; i++)
        text_appendf(&text, "%s%s", i > 0 ? ", " : "", items[i]);
    return arena_strdup(diff->arena, text_chars(&text));
}

/* An item is "grantee=letters/grantor"; a grantee with odd characters is in double quotes. */
static const char *
right_of(struct diff *diff, const struct diff_side *side, const char *item)
{
    char *grantee = arena_strdup(diff->arena, item);
    char *equals = strrchr(grantee, '=');
    size_t length = strlen(grantee);

    if (equals == NULL)
        return item;
    *equals = '\0';
    equals[1 + strcspn(equals + 1, "/")] = '\0';
    char *maintain = strchr(equals + 1, 'm'); /* from 17 on */
    if (maintain != NULL && !diff_is_one_version(diff))
        memmove(maintain, maintain + 1, strlen(maintain));
    if (grantee[0] == '"' && (size_t)(equals - grantee) < length && equals[-1] == '"') {
        equals[-1] = '\0';
        grantee++;
    }
    return arena_printf(diff->arena, "%s=%s",
                        grantee[0] == '\0' ? "all" : label_of(diff, side, grantee), equals + 1);
}

const char *
diff_rights(struct diff *diff, const struct diff_side *side, const char *acl)
{
    char **items;
    size_t count = pg_array(diff->arena, acl, &items);
    const char **rights = ARENA_ARRAY(diff->arena, const char *, count + 1);

    for (size_t i = 0; i < count; i++)
        rights[i] = right_of(diff, side, items[i]);
    return join_sorted(diff, rights, count);
}

/* --- roles -------------------------------------------------------------------------------- */

/* "login, 20 connections, member of service web"; NULL: is not there. */
static const char *
describe(struct diff *diff, const struct diff_side *side, const char *name)
{
    const struct catalog_role *role = catalog_find_role(side->advice.catalog, name);
    AUTO_TEXT text = {0};

    if (role == NULL)
        return NULL;
    text_append(&text, role->can_login ? "login" : "no login");
    text_append(&text, role->is_superuser ? ", superuser" : "");
    text_append(&text, role->can_create_database ? ", createdb" : "");
    text_append(&text, role->can_create_role ? ", createrole" : "");
    if (role->connection_limit >= 0)
        text_appendf(&text, ", at most %d connections", role->connection_limit);
    const char **groups = ARENA_ARRAY(diff->arena, const char *, role->member_of_count + 1);
    for (size_t i = 0; i < role->member_of_count; i++)
        groups[i] = label_of(diff, side, role->member_of[i]);
    if (role->member_of_count > 0)
        text_appendf(&text, ", member of %s", join_sorted(diff, groups, role->member_of_count));
    return arena_strdup(diff->arena, text_chars(&text));
}

static const char *
pool_of(struct diff *diff, const struct diff_side *side, const char *service)
{
    const struct deck_pool *pool =
        service == NULL ? NULL : deck_find_pool(side->environment, service);

    if (pool == NULL)
        return service == NULL ? "" : "the deck has no pool for it";
    if (pool->query_timeout_ms == 0)
        return arena_printf(diff->arena, "its pool: at most %d", pool->max);
    return arena_printf(diff->arena, "its pool: at most %d, query_timeout %s", pool->max,
                        setting_duration(diff->arena, pool->query_timeout_ms));
}

/* What a role of both environments is. */
struct counterpart {
    const char *left, *right, *label;
    const char *service; /* NULL: it is not a service's */
};

static void
compare_role(struct diff *diff, const struct counterpart *role)
{
    const char *left = describe(diff, &diff->left, role->left);
    const char *right = describe(diff, &diff->right, role->right);

    if ((left == NULL && right == NULL) ||
        (left != NULL && right != NULL && strcmp(left, right) == 0))
        return;
    struct diff_item item = {
        .kind = "role",
        .name = role->label,
        .left = left,
        .right = right,
        .left_why = left == NULL ? "not created yet, or dropped by hand"
                                 : pool_of(diff, &diff->left, role->service),
        .right_why = right == NULL ? "not created yet, or dropped by hand"
                                   : pool_of(diff, &diff->right, role->service),
    };
    diff_add(diff, &item);
}

static void
compare_role_setting(struct diff *diff, const struct counterpart *role,
                     const struct diff_pair *pair, const char *name)
{
    const char *left = catalog_role_setting_value(
        diff->left.advice.catalog, pair == NULL ? "" : pair->left->name, role->left, name);
    const char *right = catalog_role_setting_value(
        diff->right.advice.catalog, pair == NULL ? "" : pair->right->name, role->right, name);

    if ((left == NULL && right == NULL) ||
        (left != NULL && right != NULL && strcmp(left, right) == 0))
        return;
    for (size_t i = 0; i < diff->items.count; i++) { /* found on the other side already */
        const struct diff_item *item = &diff->items.items[i];
        if (strcmp(item->kind, "role setting") == 0 && item->pair == pair &&
            strcmp(item->name, arena_printf(diff->arena, "%s of %s", name, role->label)) == 0)
            return;
    }
    struct diff_item item = {
        .kind = "role setting",
        .pair = pair,
        .name = arena_printf(diff->arena, "%s of %s", name, role->label),
        .left = left,
        .right = right,
        .left_why = left == NULL ? "not set" : pool_of(diff, &diff->left, role->service),
        .right_why = right == NULL ? "not set" : pool_of(diff, &diff->right, role->service),
    };
    diff_add(diff, &item);
}

static void
compare_settings_of(struct diff *diff, const struct counterpart *role, const struct diff_pair *pair)
{
    const struct diff_side *sides[] = {&diff->left, &diff->right};

    for (size_t side = 0; side < 2; side++) {
        const struct catalog_server *catalog = sides[side]->advice.catalog;
        const char *name = side == 0 ? role->left : role->right;
        const char *database = pair == NULL ? "" : (side == 0 ? pair->left : pair->right)->name;
        for (size_t i = 0; i < catalog->role_settings.count; i++) {
            const struct catalog_role_setting *own = &catalog->role_settings.items[i];
            if (strcmp(own->role, name) == 0 && strcmp(own->database, database) == 0)
                compare_role_setting(diff, role, pair, own->name);
        }
    }
}

static void
compare_counterpart(struct diff *diff, const struct counterpart *role)
{
    bool is_one = diff_is_one_server(diff) && strcmp(role->left, role->right) == 0;

    if (!is_one) {
        compare_role(diff, role);
        compare_settings_of(diff, role, NULL);
    }
    for (size_t i = 0; i < diff->pairs.count; i++) {
        if (diff->pairs.items[i].left != NULL && diff->pairs.items[i].right != NULL)
            compare_settings_of(diff, role, &diff->pairs.items[i]);
    }
}

/* --- which roles -------------------------------------------------------------------------- */

static void
compare_service(struct diff *diff, const char *service)
{
    struct arena *arena = diff->arena;
    const struct deck_environment *left = diff->left.environment;
    const struct deck_environment *right = diff->right.environment;
    const struct counterpart roles[] = {
        {deck_service_role(arena, left, service), deck_service_role(arena, right, service),
         arena_printf(arena, "service %s", service), NULL},
        {deck_login_role(arena, left, service), deck_login_role(arena, right, service),
         arena_printf(arena, "login %s", service), service},
    };

    compare_counterpart(diff, &roles[0]);
    compare_counterpart(diff, &roles[1]);
}

static bool
is_of_environment(const struct diff *diff, const char *role)
{
    const struct deck *deck = diff->left.advice.deck;

    for (size_t i = 0; i < deck->environments.count; i++) {
        if (diff_role_label(diff->arena, deck, &deck->environments.items[i], role) != role)
            return true;
    }
    return false;
}

/* Roles that are no environment's are compared by name. */
static void
compare_others(struct diff *diff)
{
    const struct diff_side *sides[] = {&diff->left, &diff->right};

    for (size_t side = 0; side < 2; side++) {
        const struct catalog_server *catalog = sides[side]->advice.catalog;
        for (size_t i = 0; i < catalog->roles.count; i++) {
            const char *name = catalog->roles.items[i].name;
            struct counterpart role = {name, name, name, NULL};
            bool is_done = side == 1 && catalog_find_role(diff->left.advice.catalog, name) != NULL;
            if (!is_done && !is_of_environment(diff, name))
                compare_counterpart(diff, &role);
        }
    }
}

static bool
is_known_service(const struct deck *deck, const struct diff *diff, size_t before,
                 const char *service)
{
    for (size_t i = 0; i < before; i++) {
        const struct deck_database *database = &deck->databases.items[i];
        bool is_ours = database->environment == diff->left.environment ||
                       database->environment == diff->right.environment;
        for (size_t j = 0; is_ours && j < database->services.count; j++) {
            if (strcmp(database->services.items[j], service) == 0)
                return true;
        }
    }
    return false;
}

void
diff_roles(struct diff *diff)
{
    const struct deck *deck = diff->left.advice.deck;
    struct counterpart owner = {deck_owner_role(diff->arena, diff->left.environment),
                                deck_owner_role(diff->arena, diff->right.environment), "owner",
                                NULL};

    compare_counterpart(diff, &owner);
    for (size_t i = 0; i < deck->databases.count; i++) {
        const struct deck_database *database = &deck->databases.items[i];
        bool is_ours = database->environment == diff->left.environment ||
                       database->environment == diff->right.environment;
        for (size_t j = 0; is_ours && j < database->services.count; j++) {
            if (!is_known_service(deck, diff, i, database->services.items[j]))
                compare_service(diff, database->services.items[j]);
        }
    }
    compare_others(diff);
}
