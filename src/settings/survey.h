/* Every parameter of the rules' table on one server: what it is, what it should be, where it is
 * set today, and why. In the advice's arena. */
#pragma once
#include "settings/budget.h"
#include "settings/rules.h"

enum settings_need {
    SETTINGS_NEED_NOTHING,
    SETTINGS_NEED_SESSIONS, /* new connections have it */
    SETTINGS_NEED_RELOAD,
    SETTINGS_NEED_RESTART,
};

struct settings_row {
    const struct settings_rule *rule;
    const struct catalog_setting *setting;
    const char *environment; /* NULL: the server's */
    const char *database;    /* NULL: all databases of the environment, or the server */
    const char *current;     /* for the reader; of databases that are not there: the server's */
    const char *proposed;    /* NULL: left as it is */
    const char *where;       /* "default", "/etc/.../postgresql.conf:12", "database" ... */
    const char *obstacle;    /* NULL, or why pgdeck does not set it, and what to do */
    const char *overrides;   /* "" or roles that have a value of their own */
    const char *why;
    const char *warning; /* NULL: none */
    bool is_change;
    enum settings_need need;
};

struct settings_survey {
    struct settings_input input;
    LIST_OF(struct settings_row) rows; /* in the table's order, environments by turns */
};

void settings_survey_read(const struct advice *advice, struct settings_survey *ret_survey);
/* "default", "/etc/.../postgresql.conf:12", "database", "command line" ...: where the server, or
 * with a name that database, has its value from. */
const char *settings_where(struct arena *arena, const struct catalog_server *catalog,
                           const struct catalog_setting *setting, const char *database);
/* "nothing", "new sessions", "reload", "restart" */
const char *settings_need_name(enum settings_need need);
