/* Gathers what is wrong with a deck, so that the user sees all of it at once. */
#pragma once
#include "deck/deck.h"

/* Adds a fault at that place and returns it, for error_hint and error_detail. The pointer holds
 * until the next one is added. Beyond a limit faults are only counted. */
struct error *deck_fault(struct arena *arena, struct deck_faults *faults, struct place place,
                         const char *format, ...) PRINTF_LIKE(4, 5);
/* Adds a fault whose message, detail and hint are set already. */
void deck_fault_copy(struct arena *arena, struct deck_faults *faults, struct place place,
                     const struct error *fault);
/* Adds "Did you mean ...?" to the fault when a word is near; else the whole list when short. */
void deck_fault_nearest(struct error *fault, const char *word, const char *const *words);
/* Puts the faults into the order of files (as first named), lines and columns. */
void deck_faults_settle(struct arena *arena, struct deck_faults *faults, const char *const *files,
                        size_t file_count);
