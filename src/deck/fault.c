// SPDX-License-Identifier: MIT
#include "deck/fault.h"

#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_FAULTS = 100 };

struct error *
deck_fault(struct arena *arena, struct deck_faults *faults, struct place place, const char *format,
           ...)
{
    struct error *fault = &faults->hidden;
    va_list args;

    if (faults->list.count < MAX_FAULTS)
        fault = LIST_ADD(arena, &faults->list);
    else
        faults->hidden_count++;
    error_set(fault, ERROR_DECK, "%s", "");
    va_start(args, format);
    vsnprintf(fault->message, sizeof(fault->message), format, args);
    va_end(args);
    error_place(fault, place);
    return fault;
}

void
deck_fault_copy(struct arena *arena, struct deck_faults *faults, struct place place,
                const struct error *fault)
{
    struct error *added = deck_fault(arena, faults, place, "%s", fault->message);

    added->code = fault->code == ERROR_NONE ? ERROR_DECK : fault->code;
    if (fault->detail[0] != '\0')
        error_detail(added, "%s", fault->detail);
    if (fault->hint[0] != '\0')
        error_hint(added, "%s", fault->hint);
}

void
deck_fault_nearest(struct error *fault, const char *word, const char *const *words)
{
    enum { FEW = 16 };
    const char *nearest = text_nearest(word, words);
    AUTO_TEXT all = {0};
    size_t count = 0;

    for (; words[count] != NULL; count++)
        text_appendf(&all, "%s%s", count == 0 ? "" : ", ", words[count]);
    if (nearest != NULL)
        error_hint(fault, "Did you mean \"%s\"?", nearest);
    else if (count > 0 && count <= FEW)
        error_hint(fault, "Known here: %s.", text_chars(&all));
}

/* Names and texts are the user's; what they contain must not move the cursor. */
static void
clean(char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            *text = '?';
    }
}

struct ranked {
    struct error fault;
    size_t file; /* its rank */
    size_t at;   /* keeps the sort stable */
};

static int
compare_places(const void *left, const void *right)
{
    const struct ranked *a = left;
    const struct ranked *b = right;

    if (a->file != b->file)
        return a->file < b->file ? -1 : 1;
    if (a->fault.line != b->fault.line)
        return a->fault.line < b->fault.line ? -1 : 1;
    if (a->fault.column != b->fault.column)
        return a->fault.column < b->fault.column ? -1 : 1;
    return a->at < b->at ? -1 : 1;
}

static size_t
rank_of(const char *file, const char *const *files, size_t file_count)
{
    size_t rank = 0;

    while (rank < file_count && strcmp(files[rank], file) != 0)
        rank++;
    return rank;
}

void
deck_faults_settle(struct arena *arena, struct deck_faults *faults, const char *const *files,
                   size_t file_count)
{
    size_t count = faults->list.count;
    struct ranked *ranked = ARENA_ARRAY(arena, struct ranked, count + 1);

    for (size_t i = 0; i < count; i++) {
        ranked[i].fault = faults->list.items[i];
        ranked[i].file = rank_of(ranked[i].fault.file, files, file_count);
        ranked[i].at = i;
    }
    qsort(ranked, count, sizeof(*ranked), compare_places);
    for (size_t i = 0; i < count; i++) {
        faults->list.items[i] = ranked[i].fault;
        clean(faults->list.items[i].message);
        clean(faults->list.items[i].detail);
        clean(faults->list.items[i].hint);
    }
    if (faults->hidden_count > 0) {
        struct error *last = LIST_ADD(arena, &faults->list);
        error_set(last, ERROR_DECK, "%zu more faults are not shown", faults->hidden_count);
        error_place(last, (struct place){files[0], 0, 0});
        faults->hidden_count = 0;
    }
}
