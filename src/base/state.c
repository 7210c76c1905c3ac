// SPDX-License-Identifier: MIT
#include "base/state.h"

#include "base/file.h"

#include <stdlib.h>
#include <unistd.h>

bool
state_folder(struct arena *arena, const char **ret_folder, struct error *err)
{
    const char *given = getenv("PGDECK_STATE_DIR");
    const char *state = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");
    const char *folder;

    if (given != NULL && given[0] != '\0')
        folder = arena_strdup(arena, given);
    else if (geteuid() == 0)
        folder = "/var/lib/pgdeck";
    else if (state != NULL && state[0] == '/')
        folder = arena_printf(arena, "%s/pgdeck", state);
    else if (home != NULL && home[0] == '/')
        folder = arena_printf(arena, "%s/.local/state/pgdeck", home);
    else
        return error_set(err, ERROR_FILE, "neither HOME nor PGDECK_STATE_DIR is set");
    if (!file_make_folder(folder, geteuid() == 0 ? 0755 : 0700, err))
        return false;
    *ret_folder = folder;
    return true;
}
