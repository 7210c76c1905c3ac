/* What the plan leaves to the user: values that pgdeck may not or cannot set, and those of
 * databases and roles that win over the ones it sets. */
#pragma once
#include "change/advice.h"
#include "settings/drift.h"
#include "settings/obstacle.h"

/* "set shared_buffers to 1200MB (now 128MB)" */
const char *settings_what_of_server(struct arena *arena, const struct catalog_setting *setting,
                                    const struct settings_proposal *proposal);
void settings_add_manual(struct settings_evidence *evidence, const struct settings_rule *rule,
                         const struct catalog_setting *setting,
                         const struct settings_proposal *proposal,
                         const struct settings_obstacle *obstacle);
/* False: nothing is in the way of ALTER DATABASE. */
bool settings_add_database_manual(struct advice *advice,
                                  const struct settings_environment *environment,
                                  const struct catalog_setting *setting, const char *database,
                                  const struct settings_proposal *proposal);

/* Who does not get the value that pgdeck sets for the server, or for a database. */
void settings_note_overrides(struct advice *advice, const struct settings_rule *rule,
                             const struct catalog_setting *setting, const char *value);
void settings_note_database_overrides(struct advice *advice, const struct settings_rule *rule,
                                      const struct catalog_setting *setting, const char *database,
                                      const char *value);
