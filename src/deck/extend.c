// SPDX-License-Identifier: MIT
#include "deck/loader.h"

#include "base/file.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_EXTENDS = 16 };

/* The files that are being read, from the deck itself to the one that is read now. */
struct chain {
    const struct chain *outer;
    const char *path;
    struct place place; /* where it was asked for */
};

static struct deck_node *read_tree(struct deck_loader *loader, const struct chain *chain);

/* --- extends ------------------------------------------------------------------------------ */

/* base with own laid over it: mappings are merged, everything else is own's. */
static struct deck_node *
merge(struct arena *arena, struct deck_node *base, struct deck_node *own)
{
    if (base->kind != NODE_MAPPING || own->kind != NODE_MAPPING)
        return own;
    struct deck_node *merged = ARENA_NEW(arena, struct deck_node);
    merged->kind = NODE_MAPPING;
    merged->place = own->place;
    for (size_t i = 0; i < base->pairs.count; i++) {
        struct deck_node_pair pair = base->pairs.items[i];
        const struct deck_node_pair *over = deck_node_find_pair(own, pair.key);
        if (over != NULL) {
            pair.place = over->place;
            pair.value = merge(arena, pair.value, over->value);
        }
        *LIST_ADD(arena, &merged->pairs) = pair;
    }
    for (size_t i = 0; i < own->pairs.count; i++) {
        if (deck_node_find_pair(base, own->pairs.items[i].key) == NULL)
            *LIST_ADD(arena, &merged->pairs) = own->pairs.items[i];
    }
    return merged;
}

static bool
is_cycle(struct deck_loader *loader, const struct chain *chain, const char *path,
         struct place place)
{
    char *real = realpath(path, NULL);
    const char *wanted = real == NULL ? path : real;
    int depth = 0;
    bool is_found = false;

    for (const struct chain *link = chain; link != NULL && !is_found; link = link->outer) {
        char *link_real = realpath(link->path, NULL);
        is_found = strcmp(link_real == NULL ? link->path : link_real, wanted) == 0;
        free(link_real);
        depth++;
    }
    free(real);
    if (is_found)
        deck_loader_fault(loader, place, "\"%s\" extends itself, in a circle", path);
    else if (depth >= MAX_EXTENDS)
        deck_loader_fault(loader, place, "more than %d decks extend each other", MAX_EXTENDS);
    return is_found || depth >= MAX_EXTENDS;
}

/* The tree of the file that root extends; NULL when it extends none or that one has faults. */
static struct deck_node *
read_base(struct deck_loader *loader, const struct chain *chain, const struct deck_node *root)
{
    const struct deck_node *node = deck_node_get(root, "extends");

    if (node == NULL)
        return NULL;
    if (node->kind != NODE_SCALAR || node->text[0] == '\0') {
        deck_loader_fault(loader, node->place, "extends wants the path of one other deck");
        return NULL;
    }
    const char *path = deck_loader_path(loader, node);
    if (is_cycle(loader, chain, path, node->place))
        return NULL;
    return read_tree(loader, &(struct chain){chain, path, node->place});
}

static struct deck_node *
read_tree(struct deck_loader *loader, const struct chain *chain)
{
    char *text;
    size_t length;
    size_t before = loader->faults->list.count;

    if (!deck_loader_read(loader, chain->place, chain->path, &text, &length))
        return NULL;
    struct deck_node *root =
        deck_yaml_read(loader->arena, chain->path, text, length, loader->faults);
    if (root == NULL && loader->faults->list.count == before) {
        struct error *fault =
            deck_loader_fault(loader, (struct place){chain->path, 1, 1}, "the deck is empty");
        error_hint(fault, "Begin with \"deck: NAME\"; pgdeck init writes a first one.");
    }
    if (root == NULL || root->kind != NODE_MAPPING)
        return root;
    struct deck_node *base = read_base(loader, chain, root);
    return base == NULL ? root : merge(loader->arena, base, root);
}

/* --- --set -------------------------------------------------------------------------------- */

/* Where in the deck a step of a path is: a node, and the table that says what may be there. */
struct position {
    struct deck_node *node;
    const struct deck_table *table; /* NULL: nothing is known */
    bool is_named;                  /* keys are names that the user gave */
    bool is_settings;               /* keys are names of parameters */
    const char *path;
};

static void
move_places(struct deck_node *node, struct place place)
{
    node->place = place;
    for (size_t i = 0; i < node->items.count; i++)
        move_places(node->items.items[i], place);
    for (size_t i = 0; i < node->pairs.count; i++) {
        node->pairs.items[i].place = place;
        move_places(node->pairs.items[i].value, place);
    }
}

static struct deck_node *
read_value(struct deck_loader *loader, const char *text, struct place place)
{
    size_t before = loader->faults->list.count;
    struct deck_node *value =
        deck_yaml_read(loader->arena, place.file, text, strlen(text), loader->faults);

    for (size_t i = before; i < loader->faults->list.count; i++)
        error_place(&loader->faults->list.items[i], place);
    if (value == NULL && loader->faults->list.count > before)
        return NULL;
    if (value == NULL) {
        value = ARENA_NEW(loader->arena, struct deck_node);
        value->text = "";
        value->is_plain = true;
    }
    move_places(value, place);
    return value;
}

static bool
begins_path(const char *path, const char *key)
{
    size_t length = strlen(key);

    return strncmp(path, key, length) == 0 && (path[length] == '\0' || path[length] == '.');
}

/* The longest key that path begins with (names may contain dots): of those that are there, or
 * that the table knows. NULL: none. */
static const char *
find_step(const struct position *position, const char *path)
{
    const char *best = NULL;

    if (position->is_settings) /* auto_explain.log_min_duration is one name */
        return path;
    for (size_t i = 0; i < position->node->pairs.count; i++) {
        const char *key = position->node->pairs.items[i].key;
        if (begins_path(path, key) && (best == NULL || strlen(key) > strlen(best)))
            best = key;
    }
    for (size_t i = 0; best == NULL && !position->is_named && position->table != NULL &&
                       i < position->table->count;
         i++) {
        if (begins_path(path, position->table->keys[i].name))
            best = position->table->keys[i].name;
    }
    return best;
}

static void
unknown_step(struct deck_loader *loader, const struct position *position, const char *path,
             struct place place)
{
    size_t table_count = position->table == NULL || position->is_named ? 0 : position->table->count;
    size_t count = position->node->pairs.count;
    const char **names = ARENA_ARRAY(loader->arena, const char *, count + table_count + 1);
    const char *word = arena_strndup(loader->arena, path, strcspn(path, "."));

    for (size_t i = 0; i < table_count; i++)
        names[i] = position->table->keys[i].name;
    for (size_t i = 0; i < count && table_count == 0; i++)
        names[i] = position->node->pairs.items[i].key;
    struct error *fault =
        deck_loader_fault(loader, place, "there is no \"%s\" in %s", word,
                          position->path[0] == '\0' ? "the deck" : position->path);
    if (deck_key_find(&deck_root_table, word) == NULL || position->path[0] != '\0')
        deck_fault_nearest(fault, word, names);
}

/* The pair of a key in position's mapping, added when it is not there yet. */
static struct deck_node_pair *
make_pair(struct deck_loader *loader, const struct position *position, const char *key,
          struct place place)
{
    struct deck_node_pair *pair = deck_node_find_pair(position->node, key);

    if (pair != NULL)
        return pair;
    pair = LIST_ADD(loader->arena, &position->node->pairs);
    *pair = (struct deck_node_pair){key, place, ARENA_NEW(loader->arena, struct deck_node)};
    pair->value->kind = NODE_MAPPING;
    pair->value->place = place;
    return pair;
}

static void
step_into(struct position *position, const struct deck_node_pair *pair)
{
    const struct deck_key *key =
        position->table == NULL ? NULL : deck_key_find(position->table, pair->key);

    if (position->is_named) {
        position->is_named = false;
    } else {
        position->is_named = key != NULL && key->type == KEY_MAP;
        position->is_settings = key != NULL && key->type == KEY_SETTINGS;
        position->table = key == NULL ? NULL : key->table;
    }
    position->node = pair->value;
}

/* Goes from a list (partitions) to the item whose number path begins with. */
static bool
step_into_item(struct position *position, const char **path, struct deck_node ***ret_slot)
{
    char *end;
    unsigned long number = strtoul(*path, &end, 10);

    if (end == *path || (*end != '\0' && *end != '.') || number >= position->node->items.count)
        return false;
    *ret_slot = &position->node->items.items[number];
    position->node = **ret_slot;
    *path = end;
    return true;
}

/* Whether the key is there, or is a known one that may be added: the last of a path always, others
 * when they hold further keys. */
static bool
can_be_made(const struct position *position, const char *name, bool is_last)
{
    const struct deck_key *key =
        position->table == NULL ? NULL : deck_key_find(position->table, name);

    return is_last || deck_node_find_pair(position->node, name) != NULL ||
           (key != NULL &&
            (key->type == KEY_MAPPING || key->type == KEY_MAP || key->type == KEY_SETTINGS));
}

/* Finds where path leads to; NULL with a fault. */
static struct deck_node **
find_slot(struct deck_loader *loader, struct deck_node *root, const char *path, struct place place)
{
    struct position position = {root, &deck_root_table, false, false, ""};
    const char *whole = path;
    struct deck_node **slot = NULL;

    while (*path != '\0' || slot == NULL) {
        if (position.node->kind == NODE_LIST) {
            if (!step_into_item(&position, &path, &slot)) {
                deck_loader_fault(loader, place, "there is no item \"%s\" in %s", path,
                                  position.path);
                return NULL;
            }
        } else {
            const char *key =
                position.node->kind == NODE_MAPPING ? find_step(&position, path) : NULL;
            if (key == NULL || !can_be_made(&position, key, path[strlen(key)] == '\0')) {
                unknown_step(loader, &position, path, place);
                return NULL;
            }
            struct deck_node_pair *pair = make_pair(loader, &position, key, place);
            pair->place = path[strlen(key)] == '\0' ? place : pair->place;
            slot = &pair->value;
            step_into(&position, pair);
            path += strlen(key);
        }
        position.path = arena_strndup(loader->arena, whole, (size_t)(path - whole));
        path += *path == '.';
    }
    return slot;
}

static void
apply_set(struct deck_loader *loader, struct deck_node *root, const char *set, struct place place)
{
    const char *equals = strchr(set, '=');

    if (equals == NULL || equals == set) {
        struct error *fault =
            deck_loader_fault(loader, place, "\"%s\" is not of the form PATH=VALUE", set);
        error_hint(fault, "Write such as servers.main.memory=2GB.");
        return;
    }
    const char *path = arena_strndup(loader->arena, set, (size_t)(equals - set));
    struct deck_node *value = read_value(loader, equals + 1, place);
    struct deck_node **slot = value == NULL ? NULL : find_slot(loader, root, path, place);
    if (slot != NULL)
        *slot = value;
}

struct deck_node *
deck_extend(struct deck_loader *loader, const char *path, const char *const *sets, size_t set_count)
{
    struct deck_node *root = read_tree(loader, &(struct chain){NULL, path, {path, 0, 0}});

    if (root == NULL || root->kind != NODE_MAPPING)
        return root;
    for (size_t i = 0; i < set_count; i++)
        apply_set(loader, root, sets[i], (struct place){"--set", (int)i + 1, 1});
    return root;
}
