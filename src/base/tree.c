// SPDX-License-Identifier: MIT
#include "base/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Called for each entry, folders after what is in them. False ends the walk, errno is set. */
typedef bool visit_entry(int parent, const char *name, const struct stat *status, void *context);

static bool walk(int parent, const char *name, visit_entry *visit, void *context);

static bool
walk_inside(int parent, const char *name, visit_entry *visit, void *context)
{
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *folder = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry;
    bool is_fine = true;

    if (folder == NULL) {
        if (fd >= 0)
            close(fd);
        return false;
    }
    while (is_fine && (entry = readdir(folder)) != NULL) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            is_fine = walk(dirfd(folder), entry->d_name, visit, context);
    }
    int cause = errno;
    closedir(folder);
    errno = cause;
    return is_fine;
}

static bool
walk(int parent, const char *name, visit_entry *visit, void *context)
{
    struct stat status;

    if (fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT;
    if (S_ISDIR(status.st_mode) && !walk_inside(parent, name, visit, context) && errno != ENOENT)
        return false;
    return visit(parent, name, &status, context);
}

static bool
remove_entry(int parent, const char *name, const struct stat *status, void *context)
{
    (void)context;
    return unlinkat(parent, name, S_ISDIR(status->st_mode) ? AT_REMOVEDIR : 0) == 0 ||
           errno == ENOENT;
}

static bool
add_size(int parent, const char *name, const struct stat *status, void *context)
{
    int64_t *sum = context;

    (void)parent;
    (void)name;
    *sum += (int64_t)status->st_blocks * 512;
    return true;
}

bool
tree_remove(const char *path, struct error *err)
{
    if (!walk(AT_FDCWD, path, remove_entry, NULL))
        return error_errno(err, "cannot remove \"%s\"", path);
    return true;
}

int64_t
tree_size_bytes(const char *path)
{
    int64_t sum = 0;

    /* A folder that cannot be read ends the walk of its parents: what was counted stays. */
    walk(AT_FDCWD, path, add_size, &sum);
    return sum;
}
