/* Whole files: read into an arena, replaced atomically. */
#pragma once
#include "base/arena.h"
#include "base/error.h"
#include <sys/types.h>

/* Reads path whole; the text is NUL-terminated in the arena. Errors: ERROR_FILE. */
bool file_read(struct arena *arena, const char *path, char **ret_text, size_t *ret_length,
               struct error *err) MUST_CHECK;
/* The same of a file with a secret in it, which nobody else may read or change: one's own (or
 * root's) with mode 600, root's with 640, as systemd's credentials have it; root reads anybody's.
 */
bool file_read_secret(struct arena *arena, const char *path, char **ret_text, size_t *ret_length,
                      struct error *err) MUST_CHECK;
/* Replaces path atomically: temporary file beside it, fsync, rename, fsync of the folder. On a
 * full disk the old file stays as it was (ERROR_DISK_FULL). */
bool file_write(const char *path, const char *text, size_t length, mode_t mode,
                struct error *err) MUST_CHECK;
/* mkdir -p; existing folders are left as they are. */
bool file_make_folder(const char *path, mode_t mode, struct error *err) MUST_CHECK;
bool file_exists(const char *path);
/* path relative to the folder of the file `beside`, unless it is absolute. */
char *file_path_beside(struct arena *arena, const char *beside, const char *path);
