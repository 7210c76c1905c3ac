/* search_path as text: which schemas it names. Pure. */
#pragma once
#include "base/arena.h"

/* *ret_path: the same schemas and then `schema`, each as SQL spells it; NULL when schema is in path
 * already. False when path is no list of names as PostgreSQL reads them, or an empty one: who set
 * it to nothing wants every name to be qualified. */
bool monitoring_search_path_add(struct arena *arena, const char *path, const char *schema,
                                const char **ret_path) MUST_CHECK;
/* The same schemas, each as SQL spells it. False as above. */
bool monitoring_search_path_quote(struct arena *arena, const char *path,
                                  const char **ret_path) MUST_CHECK;
