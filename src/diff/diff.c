// SPDX-License-Identifier: MIT
#include "diff/diff.h"

#include <string.h>

bool
diff_is_one_server(const struct diff *diff)
{
    return diff->left.advice.server == diff->right.advice.server;
}

bool
diff_is_one_version(const struct diff *diff)
{
    return diff->left.advice.catalog->major == diff->right.advice.catalog->major;
}

void
diff_add(struct diff *diff, const struct diff_item *item)
{
    struct diff_item *added = LIST_ADD(diff->arena, &diff->items);

    *added = *item;
    if (added->left_why == NULL)
        added->left_why = "";
    if (added->right_why == NULL)
        added->right_why = "";
}

/* --- pairs -------------------------------------------------------------------------------- */

static bool
has_service(const struct deck_database *database, const char *service)
{
    for (size_t i = 0; i < database->services.count; i++) {
        if (strcmp(database->services.items[i], service) == 0)
            return true;
    }
    return false;
}

static bool
is_for_the_same(const struct deck_database *left, const struct deck_database *right)
{
    if (left->services.count == 0 || left->services.count != right->services.count)
        return false;
    for (size_t i = 0; i < left->services.count; i++) {
        if (!has_service(right, left->services.items[i]))
            return false;
    }
    return true;
}

static struct diff_pair *
find_pair(struct diff *diff, const struct deck_database *right, bool by_services)
{
    for (size_t i = 0; i < diff->pairs.count; i++) {
        struct diff_pair *pair = &diff->pairs.items[i];
        if (pair->right == NULL && (!by_services || is_for_the_same(pair->left, right)))
            return pair;
    }
    return NULL;
}

static bool
is_paired(const struct diff *diff, const struct deck_database *right)
{
    for (size_t i = 0; i < diff->pairs.count; i++) {
        if (diff->pairs.items[i].right == right)
            return true;
    }
    return false;
}

/* First those that the same services use, then the rest in the order of the deck. */
static void
make_pairs(struct diff *diff)
{
    const struct deck *deck = diff->left.advice.deck;

    for (size_t i = 0; i < deck->databases.count; i++) {
        if (deck->databases.items[i].environment == diff->left.environment)
            LIST_ADD(diff->arena, &diff->pairs)->left = &deck->databases.items[i];
    }
    for (int by_services = 1; by_services >= 0; by_services--) {
        for (size_t i = 0; i < deck->databases.count; i++) {
            const struct deck_database *right = &deck->databases.items[i];
            if (right->environment != diff->right.environment || is_paired(diff, right))
                continue;
            struct diff_pair *pair = find_pair(diff, right, by_services);
            if (pair != NULL)
                pair->right = right;
        }
    }
    for (size_t i = 0; i < deck->databases.count; i++) {
        const struct deck_database *right = &deck->databases.items[i];
        if (right->environment == diff->right.environment && !is_paired(diff, right))
            LIST_ADD(diff->arena, &diff->pairs)->right = right;
    }
}

static const char *
name_if_there(const struct diff_side *side, const struct deck_database *database, const char **why)
{
    if (database == NULL) {
        *why = "the deck has none for it";
        return NULL;
    }
    const struct catalog_database *snapshot =
        catalog_find_database(side->advice.catalog, database->name);
    if (snapshot != NULL && snapshot->exists)
        return database->name;
    *why = "not created yet, or dropped by hand";
    return NULL;
}

/* Whether both are there to be compared. */
static bool
are_there(struct diff *diff, const struct diff_pair *pair)
{
    struct diff_item item = {.kind = "database", .pair = pair};

    item.left = name_if_there(&diff->left, pair->left, &item.left_why);
    item.right = name_if_there(&diff->right, pair->right, &item.right_why);
    if (item.left != NULL && item.right != NULL)
        return true;
    item.name = pair->left != NULL ? pair->left->name : pair->right->name;
    diff_add(diff, &item);
    return false;
}

bool
diff_environments(struct diff *diff, struct error *err)
{
    struct diff_side *sides[] = {&diff->left, &diff->right};

    for (size_t i = 0; i < 2; i++) {
        settings_survey_read(&sides[i]->advice, &sides[i]->survey);
        sides[i]->evidence.advice = &sides[i]->advice;
    }
    make_pairs(diff);
    diff_settings(diff);
    diff_roles(diff);
    for (size_t i = 0; i < diff->pairs.count; i++) {
        if (are_there(diff, &diff->pairs.items[i]) &&
            !diff_objects(diff, &diff->pairs.items[i], err))
            return false;
    }
    return true;
}
