// SPDX-License-Identifier: MIT
#include "change/change.h"

#include <assert.h>
#include <stdarg.h>
#include <string.h>

void
change_list_add(struct change_list *list, const struct change *change)
{
    assert(change->server != NULL && change->key != NULL && change->what != NULL);
    assert(change->sql != NULL || change->procedure != NULL);
    struct change *added = LIST_ADD(list->arena, &list->changes);
    *added = *change;
    if (added->advisor == NULL)
        added->advisor = list->advisor;
}

void
change_list_manual(struct change_list *list, const struct change_manual *manual)
{
    assert(manual->server != NULL && manual->key != NULL && manual->what != NULL);
    assert(manual->obstacle != NULL && manual->remedy != NULL);
    struct change_manual *added = LIST_ADD(list->arena, &list->manual);
    *added = *manual;
    added->advisor = list->advisor;
}

void
change_list_note(struct change_list *list, const char *server, const char *database,
                 struct place place, const char *format, ...)
{
    struct change_note *note = LIST_ADD(list->arena, &list->notes);
    va_list args;

    va_start(args, format);
    note->text = arena_vprintf(list->arena, format, args);
    va_end(args);
    note->advisor = list->advisor;
    note->server = server;
    note->database = database;
    note->place = place;
}

/* Insertion sort: stable, and plans are short and nearly in order. */
void
change_list_sort(struct change_list *list)
{
    for (size_t i = 1; i < list->changes.count; i++) {
        struct change moving = list->changes.items[i];
        size_t j = i;
        for (; j > 0; j--) {
            const struct change *before = &list->changes.items[j - 1];
            if (strcmp(before->server, moving.server) != 0 || before->phase <= moving.phase)
                break;
            list->changes.items[j] = *before;
        }
        list->changes.items[j] = moving;
    }
}

const char *
change_phase_name(enum change_phase phase)
{
    static const char *const names[CHANGE_PHASES] = {
        [CHANGE_ROLE] = "role",
        [CHANGE_DATABASE] = "database",
        [CHANGE_EXTENSION] = "extension",
        [CHANGE_TABLE] = "table",
        [CHANGE_PARTITION] = "partition",
        [CHANGE_INDEX] = "index",
        [CHANGE_VIEW] = "view",
        [CHANGE_GRANT] = "grant",
        [CHANGE_DATABASE_SETTING] = "database setting",
        [CHANGE_SERVER_SETTING] = "server setting",
        [CHANGE_RELOAD] = "reload",
        [CHANGE_RESTART] = "restart",
    };
    return names[phase];
}

const char *
change_action_sign(enum change_action action)
{
    static const char *const signs[] = {
        [CHANGE_CREATE] = "+",
        [CHANGE_ALTER] = "~",
        [CHANGE_DROP] = "-",
        [CHANGE_RUN] = ">",
    };
    return signs[action];
}
