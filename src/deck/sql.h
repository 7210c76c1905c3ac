/* The SQL files of a deck: split, parsed and named with libpg_query, every statement with the
 * place of its first token. */
#pragma once
#include "deck/fault.h"

/* Reads the statements of text, called path in places. is_indexes: only CREATE INDEX and COMMENT
 * ON INDEX. Faults are added; what could be read is returned all the same. */
const struct deck_sql_file *deck_sql_read(struct arena *arena, const char *path, const char *text,
                                          size_t length, bool is_indexes,
                                          struct deck_faults *faults);
