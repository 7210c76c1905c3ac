// SPDX-License-Identifier: MIT
#include "base/file.h"
#include "deck/loader.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct error *
deck_loader_fault(struct deck_loader *loader, struct place place, const char *format, ...)
{
    struct error *fault = deck_fault(loader->arena, loader->faults, place, "%s", "");
    va_list args;

    va_start(args, format);
    vsnprintf(fault->message, sizeof(fault->message), format, args);
    va_end(args);
    return fault;
}

const char *
deck_loader_path(struct deck_loader *loader, const struct deck_node *node)
{
    bool is_from_file = strcmp(node->place.file, "--set") != 0;

    return is_from_file ? file_path_beside(loader->arena, node->place.file, node->text)
                        : node->text;
}

bool
deck_loader_read(struct deck_loader *loader, struct place place, const char *path, char **ret_text,
                 size_t *ret_length)
{
    struct error err;

    *LIST_ADD(loader->arena, &loader->files) = path;
    if (file_read(loader->arena, path, ret_text, ret_length, &err))
        return true;
    if (place.line > 0) {
        err.code = ERROR_DECK;
    } else {
        error_hint(&err, "Name the deck with --deck FILE; pgdeck init writes a first one.");
    }
    deck_fault_copy(loader->arena, loader->faults, place, &err);
    return false;
}

const struct deck *
deck_load(struct arena *arena, const char *path, const char *const *sets, size_t set_count,
          struct deck_faults *ret_faults)
{
    return deck_load_checked(arena, path, sets, set_count, NULL, ret_faults);
}

const struct deck *
deck_load_checked(struct arena *arena, const char *path, const char *const *sets, size_t set_count,
                  deck_checker *checker, struct deck_faults *ret_faults)
{
    struct deck_loader loader = {.arena = arena, .faults = ret_faults};
    struct deck_root *root = ARENA_NEW(arena, struct deck_root);
    struct deck_node *node = deck_extend(&loader, path, sets, set_count);

    memcpy(root, deck_root_table.defaults, sizeof(*root));
    root->deck.file = path;
    if (node != NULL) {
        deck_read(&loader, &deck_root_table, node, "", root);
        if (node->kind == NODE_MAPPING)
            deck_check(&loader, root, node);
        if (checker != NULL)
            checker(arena, &root->deck, ret_faults);
    }
    deck_faults_settle(arena, ret_faults, loader.files.items, loader.files.count);
    return ret_faults->list.count == 0 ? &root->deck : NULL;
}
