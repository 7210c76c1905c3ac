// SPDX-License-Identifier: MIT
#include "base/owned_file.h"

#include "base/crash.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <unistd.h>

enum { PATH_BYTES = 4096 };

/* The kernel checks files against the fs user; root that takes on another loses its privileges over
 * files (CAP_DAC_OVERRIDE, CAP_CHOWN ...) until it is root again. */
static void
act_as(const struct process_user *user)
{
    if (user == NULL || geteuid() != 0)
        return;
    setfsgid(user->gid);
    setfsuid(user->uid);
}

static void
act_as_ourselves(const struct process_user *user)
{
    if (user == NULL || geteuid() != 0)
        return;
    setfsuid(geteuid());
    setfsgid(getegid());
}

static bool
read_open(struct arena *arena, int fd, struct owned_file *file)
{
    struct stat status;

    if (fstat(fd, &status) != 0)
        return false;
    if (!S_ISREG(status.st_mode)) {
        errno = EINVAL;
        return false;
    }
    size_t capacity = (size_t)status.st_size + 1;
    *file = (struct owned_file){.exists = true,
                                .text = arena_alloc(arena, capacity + 1),
                                .uid = status.st_uid,
                                .gid = status.st_gid,
                                .mode = status.st_mode & 0777};
    for (;;) {
        ssize_t length = read(fd, file->text + file->length, capacity - file->length);
        if (length < 0 && errno == EINTR)
            continue;
        if (length < 0)
            return false;
        file->length += (size_t)length;
        if (length == 0 || file->length == capacity)
            break;
    }
    file->text[file->length] = '\0';
    if (file->length == capacity)
        errno = EAGAIN; /* it grew while it was read */
    return file->length < capacity;
}

bool
owned_file_read(struct arena *arena, const char *path, const struct process_user *user,
                struct owned_file *ret_file, struct error *err)
{
    struct owned_file file = {0};

    act_as(user);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    int cause = errno;
    act_as_ourselves(user);
    if (fd < 0 && cause == ENOENT) {
        *ret_file = file;
        return true;
    }
    errno = cause;
    if (fd < 0 || !read_open(arena, fd, &file)) {
        error_errno(err, "cannot read \"%s\"", path);
        if (fd >= 0)
            close(fd);
        return false;
    }
    close(fd);
    *ret_file = file;
    return true;
}

bool
owned_file_read_from(struct arena *arena, const char *path, const struct process_user *user,
                     off_t *at, size_t limit, char **ret_text)
{
    act_as(user);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    act_as_ourselves(user);
    struct stat status;
    if (fd < 0 || fstat(fd, &status) != 0) {
        if (fd >= 0)
            close(fd);
        return false;
    }
    size_t rest = status.st_size > *at ? (size_t)(status.st_size - *at) : 0;
    limit = rest < limit ? rest : limit;
    char *text = arena_alloc(arena, limit + 1);
    size_t length = 0;
    ssize_t got;
    while (length < limit && (got = pread(fd, text + length, limit - length, *at)) > 0) {
        length += (size_t)got;
        *at += got;
    }
    close(fd);
    *ret_text = text;
    return true;
}

static bool
write_open(int fd, const struct owned_file *file)
{
    struct stat status;

    for (size_t done = 0; done < file->length;) {
        ssize_t length = write(fd, file->text + done, file->length - done);
        if (length < 0 && errno != EINTR)
            return false;
        done += length > 0 ? (size_t)length : 0;
    }
    if (fstat(fd, &status) != 0)
        return false;
    if ((status.st_uid != file->uid || status.st_gid != file->gid) &&
        fchown(fd, file->uid, file->gid) != 0)
        return false;
    return fchmod(fd, file->mode & 0777) == 0 && fsync(fd) == 0;
}

static bool
sync_folder_of(const char *path)
{
    char folder[PATH_BYTES];

    snprintf(folder, sizeof(folder), "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash == NULL)
        return false;
    slash[slash == folder] = '\0';
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool is_done = fsync(fd) == 0;
    close(fd);
    return is_done;
}

bool
owned_file_write(const char *path, const struct process_user *user, const struct owned_file *file,
                 struct error *err)
{
    char temporary[PATH_BYTES];

    if (snprintf(temporary, sizeof(temporary), "%s.pgdeck-new", path) >= (int)sizeof(temporary))
        return error_set(err, ERROR_FILE, "path \"%s\" is too long", path);
    act_as(user);
    unlink(temporary);
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    int cause = errno;
    act_as_ourselves(user);
    errno = cause;
    if (fd < 0)
        return error_errno(err, "cannot create a file beside \"%s\"", path);
    crash_point();
    bool is_written = write_open(fd, file);
    if (!is_written)
        error_errno(err, "cannot write \"%s\"", path);
    close(fd);
    crash_point();
    act_as(user);
    if (is_written && rename(temporary, path) != 0) {
        is_written = false;
        error_errno(err, "cannot replace \"%s\"", path);
    }
    if (!is_written)
        unlink(temporary);
    else if (!sync_folder_of(path))
        is_written = error_errno(err, "cannot sync the folder of \"%s\"", path);
    act_as_ourselves(user);
    crash_point();
    return is_written;
}

bool
owned_file_remove(const char *path, const struct process_user *user, struct error *err)
{
    act_as(user);
    bool is_gone = unlink(path) == 0 || errno == ENOENT;
    if (!is_gone)
        error_errno(err, "cannot remove \"%s\"", path);
    else if (!sync_folder_of(path))
        is_gone = error_errno(err, "cannot sync the folder of \"%s\"", path);
    act_as_ourselves(user);
    return is_gone;
}

static bool
is_same(const struct owned_file *left, const struct owned_file *right)
{
    return left->exists == right->exists &&
           (!left->exists ||
            (left->length == right->length && left->uid == right->uid && left->gid == right->gid &&
             left->mode == right->mode && memcmp(left->text, right->text, left->length) == 0));
}

bool
owned_file_make(const char *path, const struct process_user *user, const struct owned_file *file,
                struct error *err)
{
    AUTO_ARENA arena = arena_new();
    struct owned_file now;

    if (!owned_file_read(arena, path, user, &now, err))
        return false;
    if (is_same(&now, file))
        return true;
    return file->exists ? owned_file_write(path, user, file, err)
                        : owned_file_remove(path, user, err);
}

bool
owned_file_is_writable(const char *path, const struct process_user *user)
{
    char folder[PATH_BYTES];

    snprintf(folder, sizeof(folder), "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash == NULL)
        return false;
    slash[slash == folder] = '\0';
    act_as(user);
    bool is_writable = faccessat(AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS) == 0;
    act_as_ourselves(user);
    return is_writable;
}
