/* Files that belong to somebody else, such as a server's configuration: read and replaced with
 * that user's rights when pgdeck is root, so that no link of theirs leads root anywhere that they
 * could not go themselves. One writer at a time (the callers hold a lock). */
#pragma once
#include "base/arena.h"
#include "base/error.h"
#include "base/process.h"
#include <sys/stat.h>

struct owned_file {
    bool exists;
    char *text; /* in the arena; NULL when it does not exist */
    size_t length;
    uid_t uid;
    gid_t gid;
    mode_t mode; /* permission bits */
};

/* Reads path whole, with its owner and mode. A file that is not there is no error. */
bool owned_file_read(struct arena *arena, const char *path, const struct process_user *user,
                     struct owned_file *ret_file, struct error *err) MUST_CHECK;
/* What stands in path from *at on, up to limit bytes, as a text in the arena; at is moved to its
 * end. False: it cannot be read. */
bool owned_file_read_from(struct arena *arena, const char *path, const struct process_user *user,
                          off_t *at, size_t limit, char **ret_text);
/* Replaces path atomically (temporary file beside it, fsync, rename, fsync of the folder) by text
 * with the owner and mode given. What a killed writer left of its temporary file is replaced. */
bool owned_file_write(const char *path, const struct process_user *user,
                      const struct owned_file *file, struct error *err) MUST_CHECK;
/* Makes path what file says (owner and mode too), and touches nothing when it is that already. */
bool owned_file_make(const char *path, const struct process_user *user,
                     const struct owned_file *file, struct error *err) MUST_CHECK;
/* Removes path; not there is fine. */
bool
owned_file_remove(const char *path, const struct process_user *user, struct error *err) MUST_CHECK;
/* Whether files in the folder of path can be replaced by that user. */
bool owned_file_is_writable(const char *path, const struct process_user *user);
