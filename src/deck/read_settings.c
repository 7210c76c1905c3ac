// SPDX-License-Identifier: MIT
/* Parameters that the deck sets itself: what can be said of them without knowing PostgreSQL's. */
#include "base/text.h"
#include "deck/loader.h"

#include <string.h>

/* One parameter on its way from the tree into the deck. */
struct reading {
    struct deck_loader *loader;
    const char *path; /* "servers.main.settings.work_mem" */
    const struct deck_node *node;
};

/* Letters, digits, _ and $; a dot after the name of an extension. */
static bool
is_parameter_name(const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
    static const char more[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789$";
    size_t length = 0;

    for (;;) {
        if (strspn(name, letters) == 0)
            return false;
        length = strspn(name, more);
        if (name[length] != '.')
            return name[length] == '\0';
        name += length + 1;
    }
}

static bool
is_text(struct reading *reading, const struct deck_node *node)
{
    struct error *fault = NULL;

    if (deck_node_is_null(node)) {
        fault = deck_loader_fault(reading->loader, node->place, "%s has no value", reading->path);
        error_hint(fault, "An empty text is written ''.");
    } else if (node->kind != NODE_SCALAR) {
        deck_loader_fault(reading->loader, node->place,
                          "%s is %s; it wants a value, or a list of texts", reading->path,
                          deck_node_kind_name(node));
        return false;
    } else if (strpbrk(node->text, "\r\n") != NULL) {
        deck_loader_fault(reading->loader, node->place, "%s has more than one line", reading->path);
        return false;
    }
    return fault == NULL;
}

/* A word of a list as it is, or in double quotes where commas and the like would end it. */
static void
append_word(struct text *list, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyz_0123456789./-*:%";
    bool is_plain = word[0] != '\0' && word[strspn(word, plain)] == '\0';

    text_append(list, list->length > 0 ? ", " : "");
    if (is_plain) {
        text_append(list, word);
        return;
    }
    text_append(list, "\"");
    for (; *word != '\0'; word++) {
        text_append(list, *word == '"' ? "\"" : "");
        text_append_bytes(list, word, 1);
    }
    text_append(list, "\"");
}

/* NULL with a fault. */
static const char *
read_value(struct reading *reading)
{
    const struct deck_node *node = reading->node;
    AUTO_TEXT list = {0};

    if (node->kind != NODE_LIST)
        return is_text(reading, node) ? node->text : NULL;
    for (size_t i = 0; i < node->items.count; i++) {
        if (!is_text(reading, node->items.items[i]))
            return NULL;
        append_word(&list, node->items.items[i]->text);
    }
    return arena_strdup(reading->loader->arena, text_chars(&list));
}

void
deck_read_settings(struct deck_loader *loader, const struct deck_node *node, const char *path,
                   struct deck_settings *ret_settings)
{
    struct deck_settings settings = {0};

    if (node->kind != NODE_MAPPING) {
        struct error *fault =
            deck_loader_fault(loader, node->place, "%s is %s; it wants a mapping", path,
                              deck_node_is_null(node) ? "empty" : deck_node_kind_name(node));
        error_hint(fault, "Write such as \"work_mem: 64MB\".");
        return;
    }
    for (size_t i = 0; i < node->pairs.count; i++) {
        const struct deck_node_pair *pair = &node->pairs.items[i];
        struct reading reading = {loader, arena_printf(loader->arena, "%s.%s", path, pair->key),
                                  pair->value};
        const struct deck_setting *twin = deck_find_setting(&settings, pair->key);
        if (!is_parameter_name(pair->key)) {
            deck_loader_fault(loader, pair->place, "%s: \"%s\" is no name of a parameter", path,
                              pair->key);
            continue;
        }
        if (twin != NULL) {
            struct error *fault =
                deck_loader_fault(loader, pair->place, "%s sets \"%s\" twice", path, twin->name);
            error_detail(fault, "Capitals make no difference to PostgreSQL; line %d sets it too.",
                         twin->place.line);
            continue;
        }
        const char *value = read_value(&reading);
        if (value != NULL)
            *LIST_ADD(loader->arena, &settings.list) =
                (struct deck_setting){pair->key, pair->place, pair->value->place, value};
    }
    *ret_settings = settings;
}
