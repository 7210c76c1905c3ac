// SPDX-License-Identifier: MIT
#include "local/scratch.h"

#include "base/file.h"
#include "base/owned_file.h"
#include "base/state.h"
#include "base/tree.h"
#include "local/postmaster.h"

#include <string.h>
#include <unistd.h>

enum {
    ENTER_TIMEOUT_MS = 10000,
    INITDB_TIMEOUT_MS = 120000,
    VALUE_TIMEOUT_MS = 60000,
    START_TIMEOUT_S = 60
};

/* --- its folder --------------------------------------------------------------------------- */

static bool
make_own_folder(const char *path, const struct process_user *user, struct error *err)
{
    if (mkdir(path, 0700) != 0)
        return error_errno(err, "cannot create folder \"%s\"", path);
    if (geteuid() == 0 && lchown(path, user->uid, user->gid) != 0)
        return error_errno(err, "cannot give \"%s\" to the server's user", path);
    return true;
}

/* A state folder of root's alone lets nobody through to what is given away in it. */
static bool
can_enter(const char *folder, const struct process_user *user, struct error *err)
{
    const char *const arguments[] = {"/usr/bin/test", "-x", folder, NULL};
    const struct process_spec spec = {.arguments = arguments, .user = user, .folder = "/"};
    AUTO_TEXT output = {0};
    int status;

    if (geteuid() != 0)
        return true;
    if (!process_run(&spec, ENTER_TIMEOUT_MS, &output, &status, err))
        return false;
    if (status == 0)
        return true;
    error_set(err, ERROR_FILE, "the server's user cannot enter \"%s\"", folder);
    return error_hint(err,
                      "Let it pass through the state folder and those above it (chmod o+x), or "
                      "set PGDECK_STATE_DIR to another folder.");
}

bool
local_scratch_make(struct arena *arena, const char *name, const char *program,
                   const struct process_user *user, struct local_scratch *ret_scratch,
                   struct error *err)
{
    const char *state;

    if (!state_folder(arena, &state, err))
        return false;
    const char *parent = arena_printf(arena, "%s/scratch", state);
    const char *folder = arena_printf(arena, "%s/%s", parent, name);
    struct local_scratch scratch = {.arena = arena,
                                    .program = program,
                                    .folder = folder,
                                    .data = arena_printf(arena, "%s/data", folder),
                                    .log = arena_printf(arena, "%s/log", folder),
                                    .user = *user};
    local_scratch_remove(&scratch);
    if (!file_make_folder(parent, geteuid() == 0 ? 0755 : 0700, err) ||
        !make_own_folder(folder, user, err) || !make_own_folder(scratch.data, user, err) ||
        !can_enter(scratch.data, user, err))
        return false;
    *ret_scratch = scratch;
    return true;
}

void
local_scratch_remove(const struct local_scratch *scratch)
{
    struct error ignored;

    if (!local_postmaster_stop(scratch->data, LOCAL_STOP_IMMEDIATE, &ignored))
        return;
    local_postmaster_end_orphans(scratch->data);
    local_postmaster_forget(scratch->data);
    if (!tree_remove(scratch->folder, &ignored))
        return; /* the next one tries again */
}

/* --- what the programs say ---------------------------------------------------------------- */

bool
local_scratch_configure(const struct local_scratch *scratch, const char *text, struct error *err)
{
    const struct owned_file file = {.exists = true,
                                    .text = arena_strdup(scratch->arena, text),
                                    .length = strlen(text),
                                    .uid = scratch->user.uid,
                                    .gid = scratch->user.gid,
                                    .mode = 0600};

    return owned_file_make(arena_printf(scratch->arena, "%s/postgresql.conf", scratch->data),
                           &scratch->user, &file, err);
}

/* Runs a program as the server's user; ret_output: all that it prints. */
static bool
run(const struct local_scratch *scratch, const char *const *arguments, int timeout_ms,
    const char **ret_output, int *ret_status, struct error *err)
{
    AUTO_TEXT output = {0};
    const struct process_spec spec = {
        .arguments = arguments, .user = &scratch->user, .folder = scratch->folder};

    if (!process_run(&spec, timeout_ms, &output, ret_status, err))
        return false;
    *ret_output = arena_strdup(scratch->arena, text_chars(&output));
    return true;
}

bool
local_scratch_fill(struct local_scratch *scratch, int wal_segment_mb, struct error *err)
{
    struct arena *arena = scratch->arena;
    const char *slash = strrchr(scratch->program, '/');
    const char *initdb =
        arena_printf(arena, "%.*s/initdb", (int)(slash - scratch->program), scratch->program);
    const char *const arguments[] = {initdb,
                                     "--pgdata",
                                     scratch->data,
                                     "--username",
                                     "postgres",
                                     "--auth",
                                     "reject",
                                     "--no-sync",
                                     "--no-locale",
                                     "--encoding=UTF8",
                                     "--wal-segsize",
                                     arena_printf(arena, "%d", wal_segment_mb),
                                     NULL};
    const char *output;
    int status;

    if (scratch->has_cluster)
        return true;
    if (!owned_file_remove(arena_printf(arena, "%s/postgresql.conf", scratch->data), &scratch->user,
                           err) ||
        !run(scratch, arguments, INITDB_TIMEOUT_MS, &output, &status, err))
        return false;
    if (status != 0) {
        error_set(err, ERROR_INTERNAL, "\"%s\" failed", initdb);
        return error_detail(err, "%s", output);
    }
    scratch->has_cluster = true;
    return true;
}

static size_t
trimmed_length(const char *text)
{
    size_t length = strlen(text);

    while (length > 0 && text[length - 1] == '\n')
        length--;
    return length;
}

bool
local_scratch_value(const struct local_scratch *scratch, const char *name, const char **ret_value,
                    struct error *err)
{
    const char *const arguments[] = {scratch->program, "-D", scratch->data, "-C", name, NULL};
    const char *output;
    int status;

    if (!run(scratch, arguments, VALUE_TIMEOUT_MS, &output, &status, err))
        return false;
    if (status != 0) {
        error_set(err, ERROR_REFUSED, "the server's program refuses the configuration");
        return error_detail(err, "%s", output);
    }
    /* The value is the last line; what the program has to say stands before it. */
    size_t length = trimmed_length(output);
    size_t start = length;
    while (start > 0 && output[start - 1] != '\n')
        start--;
    *ret_value = arena_strndup(scratch->arena, output + start, length - start);
    return true;
}

bool
local_scratch_try(const struct local_scratch *scratch, struct error *err)
{
    const char *const arguments[] = {scratch->program, "-D", scratch->data, NULL};
    const struct local_start start = {.arguments = arguments,
                                      .data_directory = scratch->data,
                                      .log = scratch->log,
                                      .timeout_s = START_TIMEOUT_S,
                                      .dies_with_us = true};

    if (!owned_file_remove(scratch->log, &scratch->user, err))
        return false;
    if (!local_postmaster_start(&start, err)) {
        if (err->code == ERROR_INTERNAL)
            err->code = ERROR_REFUSED;
        return false;
    }
    return local_postmaster_stop(scratch->data, LOCAL_STOP_IMMEDIATE, err);
}
