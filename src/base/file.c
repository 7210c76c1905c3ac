// SPDX-License-Identifier: MIT
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Takes the descriptor. */
static bool
read_open(struct arena *arena, int fd, const char *path, const struct stat *status, char **ret_text,
          size_t *ret_length, struct error *err)
{
    size_t length = 0;
    size_t capacity = (size_t)status->st_size + 4096;
    char *text = arena_alloc(arena, capacity + 1);

    for (;;) {
        if (length == capacity) {
            char *grown = arena_alloc(arena, capacity * 2 + 1);
            memcpy(grown, text, length);
            text = grown;
            capacity *= 2;
        }
        ssize_t got = read(fd, text + length, capacity - length);
        if (got < 0) {
            error_errno(err, "cannot read \"%s\"", path);
            close(fd);
            return false;
        }
        if (got == 0)
            break;
        length += (size_t)got;
    }
    close(fd);
    text[length] = '\0';
    *ret_text = text;
    *ret_length = length;
    return true;
}

static bool
open_file(const char *path, int *ret_fd, struct stat *ret_status, struct error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return error_errno(err, "cannot open \"%s\"", path);
    if (fstat(fd, ret_status) != 0 || S_ISDIR(ret_status->st_mode)) {
        if (errno == 0 || S_ISDIR(ret_status->st_mode))
            errno = EISDIR;
        error_errno(err, "cannot read \"%s\"", path);
        close(fd);
        return false;
    }
    *ret_fd = fd;
    return true;
}

bool
file_read(struct arena *arena, const char *path, char **ret_text, size_t *ret_length,
          struct error *err)
{
    struct stat status;
    int fd;

    return open_file(path, &fd, &status, err) &&
           read_open(arena, fd, path, &status, ret_text, ret_length, err);
}

/* Whoever may write in the folder could let the link lead elsewhere; in a sticky one nobody but the
 * link's owner (and the folder's), as in a Secret volume of Kubernetes. */
static bool
is_link_of_others(const char *path)
{
    struct stat status;
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t length = slash == NULL ? 0 : (size_t)(slash - path);

    if (lstat(path, &status) != 0 || !S_ISLNK(status.st_mode))
        return false;
    bool is_trusted = status.st_uid == 0 || status.st_uid == geteuid();
    snprintf(folder, sizeof(folder), "%.*s/", (int)length, path);
    if (stat(slash == NULL ? "." : folder, &status) != 0)
        return true;
    return (status.st_mode & S_IWOTH) != 0 && !(is_trusted && (status.st_mode & S_ISVTX) != 0);
}

bool
file_read_secret(struct arena *arena, const char *path, char **ret_text, size_t *ret_length,
                 struct error *err)
{
    struct stat status;
    int fd;

    if (!open_file(path, &fd, &status, err))
        return false;
    bool is_roots = status.st_uid == 0;
    bool is_own = is_roots || status.st_uid == geteuid() || geteuid() == 0;
    bool is_closed = (status.st_mode & (is_roots ? 037 : 077)) == 0;
    bool is_others = is_link_of_others(path);
    if (is_own && is_closed && !is_others)
        return read_open(arena, fd, path, &status, ret_text, ret_length, err);
    close(fd);
    error_set(err, ERROR_FILE, "\"%s\" is not safe for a secret: owner %u, mode %04o%s", path,
              (unsigned)status.st_uid, (unsigned)(status.st_mode & 07777),
              is_others ? ", by a link that others may change" : "");
    return error_hint(err,
                      "It must be your own, and nobody else may read it: chmod 600; or root's "
                      "with mode 640; no link of others in a folder that everybody may write in.");
}

static bool
write_all(int fd, const char *text, size_t length)
{
    while (length > 0) {
        ssize_t done = write(fd, text, length);
        if (done < 0 && errno != EINTR)
            return false;
        if (done > 0) {
            text += done;
            length -= (size_t)done;
        }
    }
    return true;
}

static bool
sync_folder_of(const char *path)
{
    char folder[4096];

    snprintf(folder, sizeof(folder), "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash == NULL)
        snprintf(folder, sizeof(folder), ".");
    else
        slash[slash == folder] = '\0';
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool is_done = fsync(fd) == 0;
    close(fd);
    return is_done;
}

bool
file_write(const char *path, const char *text, size_t length, mode_t mode, struct error *err)
{
    char temporary[4096];

    if (snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path) >= (int)sizeof(temporary))
        return error_set(err, ERROR_FILE, "path \"%s\" is too long", path);
    int fd = mkstemp(temporary);
    if (fd < 0)
        return error_errno(err, "cannot create a file beside \"%s\"", path);
    if (!write_all(fd, text, length) || fchmod(fd, mode) != 0 || fsync(fd) != 0) {
        error_errno(err, "cannot write \"%s\"", path);
        close(fd);
        goto fail;
    }
    close(fd);
    if (rename(temporary, path) != 0) {
        error_errno(err, "cannot replace \"%s\"", path);
        goto fail;
    }
    if (!sync_folder_of(path))
        return error_errno(err, "cannot sync the folder of \"%s\"", path);
    return true;
fail:
    unlink(temporary);
    return false;
}

bool
file_make_folder(const char *path, mode_t mode, struct error *err)
{
    char folder[4096];

    if (snprintf(folder, sizeof(folder), "%s", path) >= (int)sizeof(folder))
        return error_set(err, ERROR_FILE, "path \"%s\" is too long", path);
    for (char *slash = folder + 1;; slash++) {
        if (*slash != '/' && *slash != '\0')
            continue;
        char kept = *slash;
        *slash = '\0';
        if (mkdir(folder, mode) != 0 && errno != EEXIST)
            return error_errno(err, "cannot create folder \"%s\"", folder);
        if (kept == '\0')
            return true;
        *slash = kept;
    }
}

bool
file_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

char *
file_path_beside(struct arena *arena, const char *beside, const char *path)
{
    const char *slash = strrchr(beside, '/');

    if (path[0] == '/' || slash == NULL)
        return arena_strdup(arena, path);
    return arena_printf(arena, "%.*s/%s", (int)(slash - beside), beside, path);
}
