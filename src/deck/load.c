// SPDX-License-Identifier: MIT
#include "deck/deck.h"

const struct deck *
deck_load(struct arena *arena, const char *path, const char *const *sets, size_t set_count,
          struct deck_faults *ret_faults)
{
    (void)sets;
    (void)set_count;
    struct error *fault = LIST_ADD(arena, &ret_faults->list);
    error_set(fault, ERROR_DECK, "decks cannot be read yet");
    error_place(fault, (struct place){path, 0, 0});
    return NULL;
}
