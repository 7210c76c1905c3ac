/* Where a plan's settings of one server go, and what it makes of them: shared by the plan's changes
 * as their argument. On the server's host all of it is written at once, to pgdeck.conf; elsewhere
 * each change is an ALTER SYSTEM. */
#pragma once
#include "change/advice.h"
#include "settings/conf.h"
#include "settings/host.h"
#include "settings/obstacle.h"

struct settings_assignment {
    const char *name, *value;
    const struct settings_rule *rule;
    const struct catalog_setting *setting;
    struct place place;
    const char *undo; /* a statement; NULL: in pgdeck.conf */
};

struct settings_configuration {
    struct arena *arena;
    const struct catalog_server *catalog;
    struct settings_host host;
    bool has_file; /* pgdeck.conf is what is written */
    LIST_OF(struct settings_assignment) assignments;
    struct conf_entries own_entries; /* of pgdeck.conf, if the server reads it */
    int own_order; /* of its last entry among those of all files; -1: none is read */
    LIST_OF(struct change) resets; /* what postgresql.auto.conf would override */
};

/* In the advice's arena. Errors: SQL's, and of files that are there but cannot be read. */
bool settings_configuration_read(const struct advice *advice,
                                 struct settings_configuration **ret_configuration,
                                 struct error *err) MUST_CHECK;
/* Whether a line that is read later decides, whatever pgdeck.conf says. */
bool settings_is_overridden(const struct settings_configuration *configuration,
                            const struct catalog_setting *setting,
                            struct settings_obstacle *ret_obstacle);
/* Completes a change that sets a parameter of the server: statement or line, and the way back.
 * False: the change is not needed, as it is all in settings_add_resets. */
bool settings_assign(struct settings_configuration *configuration,
                     const struct settings_assignment *assignment, struct change *change);
/* The changes that take out of postgresql.auto.conf what would override pgdeck.conf. */
void settings_add_resets(const struct settings_configuration *configuration,
                         struct change_list *changes);

/* The one that changes of this server share; NULL: none of them is about its configuration. */
const struct settings_configuration *
settings_configuration_of(const struct change_list *changes, const char *server);

/* Begins the way back in the journal of a change of pgdeck.conf: a comment, as it is no SQL. */
#define SETTINGS_FILE_UNDO "-- " CONF_OWN_NAME ": "

/* Writes all assignments to pgdeck.conf, and the line that includes it to postgresql.conf. Of all
 * changes that share it as argument it runs once. */
extern const struct change_procedure settings_write_procedure;
