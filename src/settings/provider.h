/* Servers that somebody else manages: rented ones, and those of Patroni. Their parameters are not
 * set by SQL, but in the form that the provider takes, which pgdeck renders. Constant tables. */
#pragma once
#include "base/text.h"
#include "deck/deck.h"
#include "pg/catalog.h"

struct settings_provider {
    const char *name;  /* as in the deck */
    const char *place; /* where it keeps parameters: "its DB parameter group" */
    const char *on, *off;
    bool has_base_units; /* takes plain numbers, in the unit of pg_settings */
};

struct settings_managed {
    const struct settings_provider *provider;
    const char *sign; /* how that is known, one phrase */
};

/* What the deck says, or what the server shows. False: the server is its owner's own. */
bool settings_find_provider(struct arena *arena, const struct deck_server *server,
                            const struct catalog_server *catalog,
                            struct settings_managed *ret_managed);

/* Why the provider leaves its users no say in it, or knows better; NULL: it takes it. */
const char *
settings_provider_refusal(const struct settings_provider *provider, const char *parameter);
/* The value as the provider takes it. */
const char *settings_provider_value(struct arena *arena, const struct settings_provider *provider,
                                    const struct catalog_setting *setting, const char *value);
/* For the reader: "shared_buffers = 32768 (x 8kB)" */
const char *settings_provider_form(struct arena *arena, const struct settings_provider *provider,
                                   const struct catalog_setting *setting, const char *value);

struct settings_provider_item {
    const struct catalog_setting *setting;
    const char *value; /* as PostgreSQL takes it */
};
/* A shell script of the provider's own command that sets them all. */
void settings_provider_script(struct arena *arena, const struct settings_provider *provider,
                              const struct settings_provider_item *items, size_t count,
                              struct text *text);
