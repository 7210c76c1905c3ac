/* Rights as PostgreSQL writes them: aclitem[] in its output form. Pure.
 * r SELECT, a INSERT, w UPDATE, d DELETE; U USAGE, C CREATE; c CONNECT, T TEMPORARY. */
#pragma once
#include "base/arena.h"
#include <stdbool.h>

/* Whether role ("" : PUBLIC) was granted all of letters by some item. An empty acl stands for the
 * object's default rights, which the caller knows. */
bool acl_has(const char *acl, const char *role, const char *letters);
/* Which of letters role has, in their order. In the arena. */
const char *acl_which(struct arena *arena, const char *acl, const char *role, const char *letters);
