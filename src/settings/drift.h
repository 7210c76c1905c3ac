/* What somebody changed by hand since pgdeck's last apply: the journal's value beside the one that
 * is there, and what files, the server and its log tell of when and who. */
#pragma once
#include "change/advice.h"
#include "settings/rules.h"

/* What is known of hand-made changes on one server; read only once there is one. */
struct settings_evidence {
    const struct advice *advice;
    bool is_read;
    const char *loaded_at;       /* when the server last read its files; NULL: unknown */
    LIST_OF(const char *) lines; /* of its log, about settings; the newest last */
};

/* A sentence; NULL: the server has, or will have after a restart, what pgdeck set, or pgdeck never
 * set it. In the advice's arena. */
const char *settings_server_drift(struct settings_evidence *evidence,
                                  const struct settings_rule *rule,
                                  const struct catalog_setting *setting);
/* Likewise of a database. */
const char *settings_database_drift(struct settings_evidence *evidence,
                                    const struct settings_rule *rule,
                                    const struct catalog_setting *setting, const char *database);

/* Notes what somebody has changed in the files that waits for a reload or a restart, and that
 * pgdeck has no part in: its own brings that into effect as well. */
struct settings_input;
void settings_note_waiting(struct advice *advice, const struct settings_input *input,
                           bool has_reload, bool has_restart);

/* How the journal remembers the values of a database: a line "name=value" each. */
#define SETTINGS_DATABASE_KEY "settings of the database"
const char *settings_declared_line(struct arena *arena, const char *name, const char *value);
