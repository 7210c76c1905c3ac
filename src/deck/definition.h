/* Parts of a statement's text, found with libpg_query's tree. */
#pragma once
#include "deck/deck.h"

struct deck_span { /* bytes of statement->sql */
    size_t start;
    size_t length;
};

/* Where a CREATE INDEX statement names its table, schema included. Errors: ERROR_DECK. */
bool deck_index_table(struct arena *arena, const struct deck_statement *statement,
                      struct deck_span *ret_span, struct error *err) MUST_CHECK;

struct deck_column {
    const char *definition; /* as written: "name type ..."; of the arena */
    /* It can be added to a table with rows without reading or writing them: no constraint but NOT
     * NULL together with a default, and that default does not differ from row to row. */
    bool is_cheap;
};

/* The definition of a column of a CREATE TABLE statement. Errors: ERROR_DECK. */
bool deck_table_column(struct arena *arena, const struct deck_statement *statement,
                       const char *name, struct deck_column *ret_column,
                       struct error *err) MUST_CHECK;
