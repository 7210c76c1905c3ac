/* What can be said of the deck's own settings without a server: unknown parameters, values that no
 * version (or not the one that the deck names) takes, what belongs elsewhere. */
#pragma once
#include "deck/deck.h"

/* A deck_checker. */
void settings_check_deck(struct arena *arena, const struct deck *deck, struct deck_faults *faults);
/* Parameters that are there but not for a deck to set, by name; NULL: this one is. */
const char *settings_reserved(const char *name, const char **ret_hint);
