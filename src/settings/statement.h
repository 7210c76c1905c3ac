/* The statements that set a parameter, and what counts as the same value. */
#pragma once
#include "settings/rules.h"

/* Whether both mean the same to this parameter; lists word by word. */
bool settings_is_equal(const struct settings_rule *rule, const struct catalog_setting *setting,
                       const char *a, const char *b);
/* ALTER SYSTEM SET; the words of a list are quoted one by one. */
const char *
settings_alter_system(struct arena *arena, const struct settings_rule *rule, const char *value);
/* ALTER DATABASE ... SET; value NULL: RESET. */
const char *settings_alter_database(struct arena *arena, const char *database, const char *name,
                                    const char *value);
