// SPDX-License-Identifier: MIT
#include "settings/host.h"

#include "base/embed.h"
#include "base/file.h"
#include "base/owned_file.h"
#include "local/postmaster.h"
#include "settings/conf.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

static bool
query_host(struct arena *arena, const struct catalog_server *catalog, const char **ret_config_file,
           pid_t *ret_backend, struct error *err)
{
    AUTO_PGRESULT result = NULL;

    if (!pg_query(catalog->connection, embedded_file("settings/sql/host.sql")->text, 0, NULL,
                  &result, err))
        return false;
    *ret_config_file = arena_strdup(arena, pg_value(result, 0, "config_file"));
    *ret_backend = (pid_t)pg_integer(result, 0, "backend");
    return true;
}

static const char *
behind_links(struct arena *arena, const char *path, const struct process_user *user)
{
    char real[PATH_MAX];
    struct owned_file file;
    struct error ignored;

    if (realpath(path, real) == NULL || !owned_file_read(arena, real, user, &file, &ignored) ||
        !file.exists)
        return NULL;
    return arena_strdup(arena, real);
}

/* A phrase; NULL: nothing stands in the way. Fills in host as far as it gets. */
static const char *
find_obstacle(struct arena *arena, const struct catalog_server *catalog, const char *config_file,
              pid_t backend, struct settings_host *host)
{
    struct stat status;

    host->postmaster = local_postmaster_pid(catalog->data_directory);
    if (host->postmaster == 0 || !local_is_child(backend, host->postmaster))
        return "its processes are not on this host";
    if (stat(catalog->data_directory, &status) != 0)
        return "its data directory cannot be read";
    host->user = (struct process_user){.uid = status.st_uid, .gid = status.st_gid};
    if (geteuid() != 0 && geteuid() != status.st_uid)
        return "pgdeck runs neither as root nor as the owner of its data directory";
    host->data_directory = catalog->data_directory;
    host->name =
        arena_printf(arena, "%s-%016" PRIx64, catalog->system_identifier,
                     (uint64_t)XXH3_64bits(host->data_directory, strlen(host->data_directory)));
    host->auto_file = arena_printf(arena, "%s/postgresql.auto.conf", host->data_directory);
    host->own_file = file_path_beside(arena, config_file, CONF_OWN_NAME);
    host->config_file = behind_links(arena, config_file, &host->user);
    if (host->config_file == NULL)
        return "its owner cannot read its postgresql.conf";
    if (!owned_file_is_writable(host->config_file, &host->user) ||
        !owned_file_is_writable(host->own_file, &host->user))
        return "its owner cannot write the folder of its postgresql.conf";
    return NULL;
}

bool
settings_host_read(struct arena *arena, const struct catalog_server *catalog,
                   struct settings_host *ret_host, struct error *err)
{
    struct settings_host host = {0};
    const char *config_file;
    pid_t backend;

    if (!catalog->is_local || !catalog->is_superuser) {
        host.why_not = catalog->is_superuser ? "its data directory cannot be read from here"
                                             : "only a superuser is told where its files are";
        *ret_host = host;
        return true;
    }
    if (!query_host(arena, catalog, &config_file, &backend, err))
        return false;
    host.why_not = find_obstacle(arena, catalog, config_file, backend, &host);
    host.is_here = host.why_not == NULL;
    *ret_host = host;
    return true;
}
