/* Passwords of the deck's login roles: from the environment, else from the file where pgdeck keeps
 * those that it made, <state>/<deck>/passwords: 0600, in the format of pgpass. They never come
 * into plans, journals, logs or messages. */
#pragma once
#include "base/arena.h"
#include "base/error.h"

/* PGDECK_PASSWORD_PRODUCTION_API_GATEWAY_A */
const char *password_variable(struct arena *arena, const char *role);
const char *password_file_path(struct arena *arena, const char *state_folder, const char *deck);

/* ret_password: in the arena; NULL when none is known here. Errors: ERROR_FILE, also when others
 * may read the file. */
bool password_find(struct arena *arena, const char *deck, const char *role,
                   const char **ret_password, struct error *err) MUST_CHECK;
/* As above; where none is known makes one and stores it first. Safe against other pgdecks. */
bool password_find_or_make(struct arena *arena, const char *deck, const char *role,
                           const char **ret_password, struct error *err) MUST_CHECK;
