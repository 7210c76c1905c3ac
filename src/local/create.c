// SPDX-License-Identifier: MIT
#include "local/create.h"

#include "base/file.h"
#include "base/owned_file.h"
#include "base/process.h"
#include "base/text.h"
#include "base/tree.h"
#include "local/certificate.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <locale.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { RECORD_FORMAT = 1, INITDB_TIMEOUT_MS = 300000, PASSWORD_BYTES = 24 };

/* --- the record --------------------------------------------------------------------------- */

void
local_server_place(struct arena *arena, const char *servers_folder, const char *name,
                   struct local_server *server)
{
    server->name = name;
    server->folder = arena_printf(arena, "%s/%s", servers_folder, name);
    server->data = arena_printf(arena, "%s/data", server->folder);
    server->log = arena_printf(arena, "%s/log", server->folder);
    server->passfile = arena_printf(arena, "%s/passfile", server->folder);
}

static char *
record_path(struct arena *arena, const struct local_server *server)
{
    return arena_printf(arena, "%s/server.json", server->folder);
}

static const char *
member(struct arena *arena, const json_t *record, const char *key)
{
    const char *value = json_string_value(json_object_get(record, key));

    return arena_strdup(arena, value == NULL ? "" : value);
}

bool
local_record_read(struct arena *arena, struct local_server *server, struct error *err)
{
    char *path = record_path(arena, server);
    struct stat status;
    json_error_t fault;
    char *text;
    size_t length;

    if (lstat(server->folder, &status) != 0)
        return error_errno(err, "cannot read \"%s\"", server->folder);
    if (!S_ISDIR(status.st_mode) || !file_exists(path)) {
        error_set(err, ERROR_FILE, "\"%s\" is not a private server of pgdeck", server->folder);
        return error_hint(err, "It has no server.json. It is left alone; choose another name.");
    }
    if (!file_read(arena, path, &text, &length, err))
        return false;
    json_t *record = json_loadb(text, length, 0, &fault);
    const json_t *format = json_object_get(record, "pgdeck_server");
    if (!json_is_integer(format) || json_integer_value(format) != RECORD_FORMAT) {
        json_decref(record);
        return error_set(err, ERROR_FILE, "\"%s\" is not a record of a private server", path);
    }
    server->bin_folder = member(arena, record, "bin_folder");
    server->version = member(arena, record, "version");
    server->socket_folder = member(arena, record, "socket_folder");
    server->major = (int)json_integer_value(json_object_get(record, "major"));
    server->port = (int)json_integer_value(json_object_get(record, "port"));
    server->is_demo = json_is_true(json_object_get(record, "is_demo"));
    json_decref(record);
    return true;
}

bool
local_record_write(const struct local_server *server, struct error *err)
{
    AUTO_ARENA arena = arena_new();
    json_t *record =
        json_pack("{s:i, s:s, s:s, s:s, s:s, s:i, s:i, s:b}", "pgdeck_server", RECORD_FORMAT,
                  "name", server->name, "bin_folder", server->bin_folder, "version",
                  server->version, "socket_folder", server->socket_folder, "major", server->major,
                  "port", server->port, "is_demo", server->is_demo);
    char *text = record == NULL ? NULL : json_dumps(record, JSON_INDENT(2));

    json_decref(record);
    if (text == NULL)
        return error_set(err, ERROR_FILE, "the path \"%s\" is not UTF-8", server->folder);
    bool is_fine = file_write(record_path(arena, server), text, strlen(text), 0644, err);
    free(text);
    return is_fine;
}

/* --- folders ------------------------------------------------------------------------------ */

/* Who the server runs as. */
static bool
server_user(struct process_user *ret_user, struct error *err)
{
    *ret_user = (struct process_user){.uid = geteuid(), .gid = getegid()};
    if (geteuid() != 0)
        return true;
    const struct passwd *entry = getpwnam("postgres");
    if (entry == NULL) {
        error_set(err, ERROR_FILE, "there is no user postgres, and PostgreSQL never runs as root");
        return error_hint(err, "Debian's package postgresql-common makes it; or run pgdeck as "
                               "another user.");
    }
    *ret_user = (struct process_user){.uid = entry->pw_uid, .gid = entry->pw_gid};
    return true;
}

static bool
make_server_folder(const char *path, const struct process_user *user, struct error *err)
{
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return error_errno(err, "cannot create folder \"%s\"", path);
    if (geteuid() == 0 && lchown(path, user->uid, user->gid) != 0)
        return error_errno(err, "cannot give \"%s\" to the server's user", path);
    return true;
}

/* Fits into a socket's address, and needs no quotes in a list of PostgreSQL's. */
static bool
is_usable_for_socket(const char *path)
{
    size_t limit = sizeof(((struct sockaddr_un *)NULL)->sun_path) - strlen("/.s.PGSQL.65535.lock");

    return strlen(path) < limit && strpbrk(path, ", \"'@\\") == NULL;
}

/* One of ours from an earlier start, outside the server's folder. */
static bool
is_own_folder(const char *path, const struct process_user *user)
{
    struct stat status;

    return path[0] == '/' && lstat(path, &status) == 0 && S_ISDIR(status.st_mode) &&
           status.st_uid == user->uid && (status.st_mode & 0077) == 0;
}

bool
local_socket_folder(struct arena *arena, struct local_server *server, struct error *err)
{
    struct process_user user;
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    char *inside = arena_printf(arena, "%s/socket", server->folder);

    if (!server_user(&user, err))
        return false;
    /* Made anew each time: a killed server leaves a lock in it that the next may not take. */
    if (is_own_folder(server->socket_folder, &user) && !tree_remove(server->socket_folder, err))
        return false;
    if (is_usable_for_socket(inside)) {
        server->socket_folder = inside;
        return make_server_folder(inside, &user, err);
    }
    bool has_runtime = geteuid() != 0 && runtime != NULL && runtime[0] == '/' &&
                       is_usable_for_socket(arena_printf(arena, "%s/pgdeck-123456", runtime));
    char *folder = arena_printf(arena, "%s/pgdeck-XXXXXX", has_runtime ? runtime : "/tmp");
    if (mkdtemp(folder) == NULL)
        return error_errno(err, "cannot create a folder for the socket in \"%s\"",
                           has_runtime ? runtime : "/tmp");
    server->socket_folder = folder;
    return make_server_folder(folder, &user, err);
}

/* Folders on their way in or out have names that no server has; what a killed pgdeck left is
 * removed by the next. A dying initdb may still be busy there: then by the one after. */
#define PASSING ".passing-"

static void
remove_leftovers(struct arena *arena, const char *servers_folder)
{
    struct error ignored;
    const struct dirent *entry;
    DIR *folder = opendir(servers_folder);

    if (folder == NULL)
        return;
    while ((entry = readdir(folder)) != NULL) {
        if (strncmp(entry->d_name, PASSING, strlen(PASSING)) == 0 &&
            !tree_remove(arena_printf(arena, "%s/%s", servers_folder, entry->d_name), &ignored))
            continue;
    }
    closedir(folder);
}

bool
local_server_remove(const struct local_server *server, struct error *err)
{
    AUTO_ARENA arena = arena_new();
    struct process_user user;
    const char *socket = server->socket_folder;
    char *folder =
        arena_printf(arena, "%.*s/" PASSING "XXXXXX",
                     (int)(strrchr(server->folder, '/') - server->folder), server->folder);

    if (!server_user(&user, err))
        return false;
    if (is_own_folder(socket, &user) && !tree_remove(socket, err))
        return false;
    if (mkdtemp(folder) == NULL || rename(server->folder, folder) != 0)
        return error_errno(err, "cannot remove \"%s\"", server->folder);
    return tree_remove(folder, err);
}

/* --- making one --------------------------------------------------------------------------- */

/* The password, for initdb (readable by the server's user, removed again) and for libpq. */
static bool
write_passwords(struct arena *arena, const struct local_server *server,
                const struct process_user *user, const char *initdb_file, struct error *err)
{
    unsigned char random[PASSWORD_BYTES];
    char password[2 * PASSWORD_BYTES + 1];

    if (getentropy(random, sizeof(random)) != 0)
        return error_errno(err, "no random numbers");
    for (size_t i = 0; i < sizeof(random); i++)
        snprintf(password + 2 * i, 3, "%02x", random[i]);
    char *line = arena_printf(arena, "*:*:*:" LOCAL_SUPERUSER ":%s\n", password);
    bool is_fine = file_write(server->passfile, line, strlen(line), 0600, err) &&
                   file_write(initdb_file, password, strlen(password), 0600, err);
    explicit_bzero(line, strlen(line));
    explicit_bzero(password, sizeof(password));
    explicit_bzero(random, sizeof(random));
    if (is_fine && geteuid() == 0 && lchown(initdb_file, user->uid, user->gid) != 0)
        return error_errno(err, "cannot give \"%s\" to the server's user", initdb_file);
    return is_fine;
}

static bool
has_locale(const char *name)
{
    locale_t locale = newlocale(LC_ALL_MASK, name, (locale_t)0);

    if (locale == (locale_t)0)
        return false;
    freelocale(locale);
    return true;
}

static bool
run_initdb(struct arena *arena, const struct local_server *server,
           const struct local_recipe *recipe, const char *password_file, struct error *err)
{
    AUTO_TEXT output = {0};
    struct process_user user;
    const char *const arguments[] = {
        arena_printf(arena, "%s/initdb", server->bin_folder),
        arena_printf(arena, "--pgdata=%s", server->data),
        "--username=" LOCAL_SUPERUSER,
        arena_printf(arena, "--pwfile=%s", password_file),
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        has_locale("C.UTF-8") ? "--locale=C.UTF-8" : "--locale=C",
        "--data-checksums",
        recipe->is_brief ? "--no-sync" : NULL, /* the last one, so that NULL may stand here */
        NULL};
    const struct process_spec spec = {.arguments = arguments, .user = &user};
    int status;

    if (!server_user(&user, err))
        return false;
    if (!process_run(&spec, INITDB_TIMEOUT_MS, &output, &status, err))
        return error_wrap(err, "cannot create server \"%s\"", server->name);
    if (status == 0)
        return true;
    const char *fault = strstr(text_chars(&output), "initdb: error: ");
    error_set(err, ERROR_FILE, "initdb could not create server \"%s\"", server->name);
    error_detail(err, "%s", fault == NULL ? text_chars(&output) : fault);
    if (strstr(text_chars(&output), "Permission denied") != NULL && geteuid() == 0)
        return error_hint(err, "The server runs as the user postgres, who must be able to enter "
                               "the state folder (PGDECK_STATE_DIR).");
    return false;
}

/* In the data directory as its owner's, so that the server takes the key. */
static bool
write_inside(struct arena *arena, const struct local_server *server,
             const struct process_user *user, const char *name, const char *text, struct error *err)
{
    const struct owned_file file = {.exists = true,
                                    .text = arena_strdup(arena, text),
                                    .length = strlen(text),
                                    .uid = user->uid,
                                    .gid = user->gid,
                                    .mode = 0600};

    return owned_file_write(arena_printf(arena, "%s/%s", server->data, name), user, &file, err);
}

/* TLS from the first start on; clients check it with root.crt beside the data directory. */
static bool
add_tls(struct arena *arena, const struct local_server *server, const struct process_user *user,
        struct error *err)
{
    static const char settings[] = "\n# TLS with the certificate that pgdeck made\nssl = on\n"
                                   "ssl_min_protocol_version = 'TLSv1.2'\n";
    char host[256] = "";
    const char *names[4] = {"localhost", "127.0.0.1", "::1"};
    struct local_certificate made;
    struct owned_file config;
    const char *path = arena_printf(arena, "%s/postgresql.conf", server->data);
    bool has_name = gethostname(host, sizeof(host) - 1) == 0 && host[0] != '\0' &&
                    host[strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                      "0123456789.-")] == '\0';

    names[3] = host;
    if (!local_certificate_make(arena, names, has_name ? 4 : 3, &made, err) ||
        !write_inside(arena, server, user, "server.crt", made.certificate, err) ||
        !write_inside(arena, server, user, "server.key", made.key, err) ||
        !file_write(arena_printf(arena, "%s/root.crt", server->folder), made.authority,
                    strlen(made.authority), 0644, err) ||
        !owned_file_read(arena, path, user, &config, err))
        return false;
    config.text = arena_printf(arena, "%s%s", config.text, settings);
    config.length = strlen(config.text);
    return owned_file_write(path, user, &config, err);
}

/* In a folder that is passing in. */
static bool
fill_folder(struct arena *arena, const struct local_recipe *recipe, const char *folder,
            struct error *err)
{
    struct process_user user;
    struct local_server server = {.name = recipe->name,
                                  .folder = folder,
                                  .data = arena_printf(arena, "%s/data", folder),
                                  .passfile = arena_printf(arena, "%s/passfile", folder),
                                  .socket_folder = "",
                                  .bin_folder = recipe->programs.folder,
                                  .version = recipe->programs.version,
                                  .major = recipe->programs.major,
                                  .is_demo = recipe->is_demo};
    char *password_file = arena_printf(arena, "%s/initdb-password", folder);

    if (!server_user(&user, err) || !make_server_folder(server.data, &user, err) ||
        !write_passwords(arena, &server, &user, password_file, err) ||
        !run_initdb(arena, &server, recipe, password_file, err) ||
        !add_tls(arena, &server, &user, err))
        return false;
    unlink(password_file);
    return local_record_write(&server, err);
}

bool
local_server_create(struct arena *arena, const struct local_recipe *recipe,
                    struct local_server *ret_server, struct error *err)
{
    struct local_server server;
    struct error ignored;
    bool is_there;

    if (!local_server_find(arena, recipe->name, &server, &is_there, err))
        return false;
    if (is_there)
        return error_set(err, ERROR_FILE, "server \"%s\" is there already", recipe->name);
    char *parent =
        arena_strndup(arena, server.folder, (size_t)(strrchr(server.folder, '/') - server.folder));
    remove_leftovers(arena, parent);
    char *folder = arena_printf(arena, "%s/" PASSING "XXXXXX", parent);
    if (mkdtemp(folder) == NULL || chmod(folder, geteuid() == 0 ? 0755 : 0700) != 0)
        return error_errno(err, "cannot create a folder in \"%s\"", parent);
    bool is_made = fill_folder(arena, recipe, folder, err);
    if (is_made && rename(folder, server.folder) != 0)
        is_made = error_errno(err, "cannot create folder \"%s\"", server.folder);
    if (!is_made) {
        if (!tree_remove(folder, &ignored))
            error_detail(err, "%s", ignored.message);
        return false;
    }
    return local_server_find(arena, recipe->name, ret_server, &is_there, err);
}
