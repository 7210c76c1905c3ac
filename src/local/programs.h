/* Where PostgreSQL's server programs are: the folder of postgres and initdb. */
#pragma once
#include "base/arena.h"
#include "base/error.h"

struct local_programs {
    const char *folder;
    const char *version; /* "15.14", as the program says */
    int major;
};

/* Looks in, first hit wins: $PGDECK_PG_BINDIR, the folder given at build time (option pg_bindir),
 * pg_config --bindir, the newest supported of /usr/lib/postgresql/MAJOR/bin, PATH. major: only
 * this one; 0: any from 14 on. */
bool local_programs_find(struct arena *arena, int major, struct local_programs *ret_programs,
                         struct error *err) MUST_CHECK;
/* Those in this folder. Errors: ERROR_FILE, ERROR_SERVER_VERSION. */
bool local_programs_in(struct arena *arena, const char *folder, struct local_programs *ret_programs,
                       struct error *err) MUST_CHECK;
/* A program of PostgreSQL that any version of serves any server (pgbench): beside the server's
 * programs, in PATH, or where Debian has it. NULL: not here. */
const char *local_program_find(struct arena *arena, const char *name);
