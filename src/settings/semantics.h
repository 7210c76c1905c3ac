/* Settings of a deck that PostgreSQL takes one by one, and that together keep it from starting or
 * make no sense. The same rules without a server (what the deck says) and with one (what will be).
 */
#pragma once
#include "deck/deck.h"
#include "pg/catalog.h"

/* What a parameter of the whole server will be. */
struct settings_figure {
    const char *value;
    const struct deck_setting *deck; /* NULL: the deck does not set it */
    const char *path;                /* "servers.main.settings", of deck */
    const char *origin;              /* "as the server has it": when the deck does not */
    const struct catalog_setting *setting;
};

/* False: unknown. */
typedef bool
settings_figure_function(const void *source, const char *name, struct settings_figure *ret_figure);

struct settings_view {
    struct arena *arena;
    struct deck_faults *faults; /* where they go */
    settings_figure_function *read;
    const void *source;
    int64_t memory_bytes; /* of the server; 0: unknown */
    const char *memory_from;
};

/* Only combinations of which the deck sets a part are looked at. */
void settings_check_semantics(const struct settings_view *view);
/* Whether it is an amount of memory that one process, or the server, takes whole. */
bool settings_is_allocated(const char *name);
/* One amount of memory that may belong to an environment: more than the server has is refused. */
void settings_check_amount(const struct settings_view *view, const struct settings_figure *figure);
