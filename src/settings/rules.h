/* The parameters that pgdeck sets: one row each, and what it derives their values from. A rule is
 * pure: (server, environment, what is there) -> value and reason. */
#pragma once
#include "settings/input.h"

enum settings_scope {
    SETTINGS_OF_SERVER,      /* ALTER SYSTEM: from all environments together */
    SETTINGS_OF_ENVIRONMENT, /* ALTER DATABASE: its share; never also set for the server */
    SETTINGS_OF_POSTGRESQL,  /* its own default is right, never changed; the reason says why */
};

struct settings_proposal {
    const char *value;               /* in PostgreSQL's notation */
    const char *why;                 /* with the figures; NULL: the row's reason says it all */
    const char *warning;             /* NULL, or where another rule of thumb would say otherwise */
    const struct deck_setting *deck; /* the deck sets it; NULL: a rule does */
};

/* What a rule is asked about. */
struct settings_case {
    const struct settings_input *input;
    const struct settings_environment *environment; /* NULL for a rule of the server's */
    const struct catalog_setting *current;
};

/* False: the deck does not say enough, so that nothing is proposed. */
typedef bool
settings_derive_function(const struct settings_case *of, struct settings_proposal *proposal);

struct settings_rule {
    const char *name;
    enum settings_scope scope;
    int min_version, max_version; /* majors; 0: no bound */
    settings_derive_function *derive;
    const char *value; /* without derive: the same for all */
    const char *reason;
    bool is_list; /* several words, each quoted by itself in ALTER SYSTEM */
};

extern const struct settings_rule settings_rules[];
extern const size_t settings_rule_count;

bool settings_rule_is_for(const struct settings_rule *rule, int major);
/* What the rule proposes, within the limits of this server; false: nothing. Why is always set. */
bool settings_propose(const struct settings_rule *rule, const struct settings_case *of,
                      struct settings_proposal *ret_proposal);
