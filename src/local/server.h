/* A private PostgreSQL server of the user: one folder below the state folder with the data, the
 * socket, the log and the superuser's password. Never a system cluster, never run as root: as
 * root the server runs as the user postgres, and root's own files stay root's.
 *
 *   STATE/servers/NAME/server.json   what pgdeck knows of it; also the mark that it is pgdeck's
 *                      passfile      for libpq, 0600
 *                      root.crt      who signed its certificate, for sslmode=verify-full
 *                      data/  socket/  log  companions
 *
 * Strings live in the arena given. Main thread. */
#pragma once
#include "base/arena.h"
#include "base/error.h"
#include "local/programs.h"
#include <stdint.h>
#include <sys/types.h>

#define LOCAL_SUPERUSER "deck_admin"
#define LOCAL_DEFAULT_NAME "deck"

struct local_server {
    const char *name;
    const char *folder;
    const char *data;
    const char *log;
    const char *passfile;
    const char *socket_folder;
    const char *bin_folder;
    const char *version; /* "15.14" when it was last started */
    int major;
    int port;
    bool is_demo; /* made by `pgdeck demo`, which may remove it */
};
struct local_servers {
    LIST_OF(struct local_server) list;
};

/* What a new server is made of. */
struct local_recipe {
    const char *name;
    struct local_programs programs;
    bool is_demo;
    bool is_brief; /* short-lived: initdb does not wait for the disk */
};

/* Held while servers are made, started, stopped or removed: one pgdeck at a time. */
bool local_lock(struct arena *arena, int *ret_lock, struct error *err) MUST_CHECK;
void local_unlock(int lock);

/* True with ret_is_there false when there is no such server. Errors: a folder of that name that
 * is not a server's, a name that cannot be one (ERROR_USAGE). */
bool local_server_find(struct arena *arena, const char *name, struct local_server *ret_server,
                       bool *ret_is_there, struct error *err) MUST_CHECK;
/* All, by name. Folders that are not a server's are left out. */
bool local_server_list(struct arena *arena, struct local_servers *ret_servers,
                       struct error *err) MUST_CHECK;

/* initdb with SCRAM everywhere, UTF8, data checksums. Nothing is left on failure. */
bool local_server_create(struct arena *arena, const struct local_recipe *recipe,
                         struct local_server *ret_server, struct error *err) MUST_CHECK;
/* Starts it, on its old port if that is still free; fills in port, socket folder, programs. */
bool
local_server_start(struct arena *arena, struct local_server *server, struct error *err) MUST_CHECK;
/* Its companions (local/companion.h) first. Not running is fine. is_discarded: its data will not
 * be needed, so do not wait for the disk. */
bool local_server_stop(const struct local_server *server, bool is_discarded,
                       struct error *err) MUST_CHECK;
/* Stops it and removes its folder, after looking for pgdeck's mark in it. */
bool local_server_destroy(const struct local_server *server, struct error *err) MUST_CHECK;

/* That port of 127.0.0.1 if it is free, else another one that is; 0: any. */
bool local_pick_port(int wanted, int *ret_port, struct error *err) MUST_CHECK;
pid_t local_server_pid(const struct local_server *server);          /* 0: not running */
int64_t local_server_size_bytes(const struct local_server *server); /* of its files on disk */

/* For libpq, through the socket; database NULL: postgres. */
char *
local_server_conninfo(struct arena *arena, const struct local_server *server, const char *database);
/* The same over TCP with TLS, the server's name checked; user NULL: the superuser, passfile NULL:
 * the superuser's. */
char *local_server_tls_conninfo(struct arena *arena, const struct local_server *server,
                                const char *database, const char *user, const char *passfile);
/* Lines for the shell: as the superuser through the socket; any. */
char *
local_server_psql(struct arena *arena, const struct local_server *server, const char *database);
char *local_psql(struct arena *arena, const char *conninfo);
