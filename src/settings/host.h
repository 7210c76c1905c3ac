/* Whether pgdeck runs on a server's host with the right to edit its configuration, and where that
 * is. Strings in the arena given. */
#pragma once
#include "base/process.h"
#include "pg/catalog.h"

struct settings_host {
    bool is_here;
    const char *why_not;      /* a phrase, when it is not */
    struct process_user user; /* owner of the data directory; works on its files */
    pid_t postmaster;
    const char *name; /* tells servers apart, copies of one with its identifier too: for folders */
    const char *data_directory;
    const char *config_file; /* postgresql.conf itself, behind all links */
    const char *own_file;    /* pgdeck.conf, where the server looks for it */
    const char *auto_file;
};

/* Here are: its data directory (by system identifier), its postmaster (by postmaster.pid and what
 * the kernel says of that process) and the backend of our session (its child). Errors: SQL's. */
bool settings_host_read(struct arena *arena, const struct catalog_server *catalog,
                        struct settings_host *ret_host, struct error *err) MUST_CHECK;
