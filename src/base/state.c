// SPDX-License-Identifier: MIT
#include "base/state.h"

#include "base/file.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Who may write here could put other passwords, records and servers in the place of ours. Root may
 * use the folder of a service's user, as `pgdeck rescue` does. */
static bool
is_own_folder(const char *folder, struct error *err)
{
    struct stat status;

    if (stat(folder, &status) != 0)
        return error_errno(err, "cannot use the state folder \"%s\"", folder);
    if (!S_ISDIR(status.st_mode))
        return error_set(err, ERROR_FILE, "the state folder \"%s\" is not a folder", folder);
    if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        error_set(err, ERROR_FILE, "others may write in the state folder \"%s\"", folder);
        return error_hint(err, "Let only its owner write, once you have looked through it: "
                               "chmod go-w; or set PGDECK_STATE_DIR to another folder.");
    }
    if (status.st_uid != geteuid() && status.st_uid != 0 && geteuid() != 0) {
        error_set(err, ERROR_FILE, "the state folder \"%s\" belongs to somebody else", folder);
        return error_hint(err, "Set PGDECK_STATE_DIR to a folder of your own.");
    }
    return true;
}

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
    if (!is_own_folder(folder, err))
        return false;
    *ret_folder = folder;
    return true;
}
