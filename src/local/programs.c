// SPDX-License-Identifier: MIT
#include "local/programs.h"

#include "base/interrupt.h"
#include "base/process.h"

#include <glob.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OLDEST_MAJOR = 14, RUN_TIMEOUT_MS = 10000 };

struct candidates {
    LIST_OF(const char *) folders;
};

/* What a program prints, without the line break; NULL when it cannot be run. */
static char *
output_of(struct arena *arena, const char *program, const char *argument)
{
    AUTO_TEXT output = {0};
    struct error ignored;
    int status;
    const char *const arguments[] = {program, argument, NULL};
    const struct process_spec spec = {.arguments = arguments};

    if (access(program, X_OK) != 0 ||
        !process_run(&spec, RUN_TIMEOUT_MS, &output, &status, &ignored) || status != 0)
        return NULL;
    const char *text = text_chars(&output);
    return arena_strndup(arena, text, strcspn(text, "\n"));
}

bool
local_programs_in(struct arena *arena, const char *folder, struct local_programs *ret_programs,
                  struct error *err)
{
    static const char prefix[] = "postgres (PostgreSQL) ";
    char *initdb = arena_printf(arena, "%s/initdb", folder);
    char *version = output_of(arena, arena_printf(arena, "%s/postgres", folder), "--version");

    if (is_interrupted())
        return interrupt_error(err);
    if (version == NULL || strncmp(version, prefix, sizeof(prefix) - 1) != 0 ||
        access(initdb, X_OK) != 0)
        return error_set(err, ERROR_FILE, "\"%s\" does not hold PostgreSQL's server programs",
                         folder);
    version += sizeof(prefix) - 1;
    int major = atoi(version);
    if (major < OLDEST_MAJOR) {
        error_set(err, ERROR_SERVER_VERSION, "\"%s\" holds PostgreSQL %s, pgdeck needs %d or newer",
                  folder, version, OLDEST_MAJOR);
        return false;
    }
    *ret_programs =
        (struct local_programs){.folder = arena_strdup(arena, folder),
                                .version = arena_strndup(arena, version, strcspn(version, " ")),
                                .major = major};
    return true;
}

static void
add_pg_config(struct arena *arena, const char *path, struct candidates *candidates)
{
    AUTO_TEXT list = {0};
    char *kept;

    text_append(&list, path);
    if (list.chars == NULL)
        return;
    for (char *at = strtok_r(list.chars, ":", &kept); at != NULL; at = strtok_r(NULL, ":", &kept)) {
        char *folder = output_of(arena, arena_printf(arena, "%s/pg_config", at), "--bindir");
        if (folder == NULL)
            continue;
        *LIST_ADD(arena, &candidates->folders) = folder;
        return;
    }
}

static int
by_major_descending(const void *left, const void *right)
{
    const char *const *left_folder = left;
    const char *const *right_folder = right;
    size_t skipped = strlen("/usr/lib/postgresql/");

    return atoi(*right_folder + skipped) - atoi(*left_folder + skipped);
}

static void
add_debian(struct arena *arena, struct candidates *candidates)
{
    glob_t found;

    if (glob("/usr/lib/postgresql/*/bin", 0, NULL, &found) != 0)
        return;
    qsort(found.gl_pathv, found.gl_pathc, sizeof(char *), by_major_descending);
    for (size_t i = 0; i < found.gl_pathc; i++)
        *LIST_ADD(arena, &candidates->folders) = arena_strdup(arena, found.gl_pathv[i]);
    globfree(&found);
}

/* A postgres in PATH is often a link: initdb is beside the real one. */
static void
add_path(struct arena *arena, const char *path, struct candidates *candidates)
{
    AUTO_TEXT list = {0};
    char real[PATH_MAX];
    char *kept;

    text_append(&list, path);
    if (list.chars == NULL)
        return;
    for (char *at = strtok_r(list.chars, ":", &kept); at != NULL; at = strtok_r(NULL, ":", &kept)) {
        if (realpath(arena_printf(arena, "%s/postgres", at), real) == NULL)
            continue;
        *strrchr(real, '/') = '\0';
        *LIST_ADD(arena, &candidates->folders) = arena_strdup(arena, real);
    }
}

bool
local_programs_find(struct arena *arena, int major, struct local_programs *ret_programs,
                    struct error *err)
{
    struct candidates candidates = {0};
    const char *given = getenv("PGDECK_PG_BINDIR");
    const char *path = getenv("PATH");
    struct error ignored;

    if (given != NULL && given[0] != '\0') {
        if (!local_programs_in(arena, given, ret_programs, err))
            return error_hint(err, "It comes from the variable PGDECK_PG_BINDIR.");
        if (major == 0 || ret_programs->major == major)
            return true;
    }
    if (PGDECK_PG_BINDIR[0] != '\0')
        *LIST_ADD(arena, &candidates.folders) = PGDECK_PG_BINDIR;
    if (path == NULL)
        path = "/usr/local/bin:/usr/bin:/bin";
    add_pg_config(arena, path, &candidates);
    add_debian(arena, &candidates);
    add_path(arena, path, &candidates);
    for (size_t i = 0; i < candidates.folders.count; i++) {
        if (local_programs_in(arena, candidates.folders.items[i], ret_programs, &ignored) &&
            (major == 0 || ret_programs->major == major))
            return true;
    }
    if (is_interrupted())
        return interrupt_error(err);
    if (major != 0)
        error_set(err, ERROR_FILE, "no server programs of PostgreSQL %d found", major);
    else
        error_set(err, ERROR_FILE, "no server programs of PostgreSQL 14 or newer found");
    return error_hint(err,
                      "Install them (Debian: apt-get install postgresql-15), or say where they "
                      "are: --bindir FOLDER or PGDECK_PG_BINDIR.");
}

/* --- others ------------------------------------------------------------------------------- */

static const char *
in_folder(struct arena *arena, const char *folder, size_t length, const char *name)
{
    const char *path = arena_printf(arena, "%.*s/%s", (int)length, folder, name);

    return length > 0 && access(path, X_OK) == 0 ? path : NULL;
}

const char *
local_program_find(struct arena *arena, const char *name)
{
    struct local_programs programs = {0};
    struct error ignored;
    const char *path = getenv("PATH");
    const char *found = NULL;
    glob_t folders;

    if (local_programs_find(arena, 0, &programs, &ignored) && programs.folder != NULL)
        found = in_folder(arena, programs.folder, strlen(programs.folder), name);
    for (const char *at = path; at != NULL && found == NULL;) {
        size_t length = strcspn(at, ":");
        found = in_folder(arena, at, length, name);
        at = at[length] == '\0' ? NULL : at + length + 1;
    }
    if (found != NULL || glob("/usr/lib/postgresql/*/bin", 0, NULL, &folders) != 0)
        return found;
    for (size_t i = folders.gl_pathc; i > 0 && found == NULL; i--) {
        const char *folder = folders.gl_pathv[i - 1];
        found = in_folder(arena, folder, strlen(folder), name);
    }
    globfree(&folders);
    return found;
}
