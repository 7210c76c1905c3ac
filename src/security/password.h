/* Passwords of the deck's login roles: from the environment, a credential of systemd's with the
 * same name, else from the file where pgdeck keeps
 * those that it made, <state>/<deck>/passwords: 0600, in the format of pgpass. They never come
 * into plans, journals, logs or messages. */
#pragma once
#include "base/arena.h"
#include "base/error.h"

const char *password_file_path(struct arena *arena, const char *state_folder, const char *deck);

/* ret_password: in the arena; NULL when none is known here. Errors: ERROR_FILE, also when others
 * may read the file. */
bool password_find(struct arena *arena, const char *deck, const char *role,
                   const char **ret_password, struct error *err) MUST_CHECK;
/* As above; where none is known makes one and stores it first. Safe against other pgdecks. */
bool password_find_or_make(struct arena *arena, const char *deck, const char *role,
                           const char **ret_password, struct error *err) MUST_CHECK;
/* Takes it out of the file; what is not there is fine. */
bool password_forget(struct arena *arena, const char *deck, const char *role,
                     struct error *err) MUST_CHECK;

/* "..._a" and "..._b", of which both are known while one takes the other's place. */
struct password_logins {
    const char *names[2];
    bool is_known[2];
    bool is_given[2]; /* by the environment or systemd; counts as made last */
    size_t current;   /* of names: which was made last; 0 when none is known */
};
bool password_logins(struct arena *arena, const char *deck, const char *login,
                     struct password_logins *ret_logins, struct error *err) MUST_CHECK;
