/* Copies of a server's configuration files, kept in the state folder, since the server that has
 * the journal may be down when they are needed: one copy of before each apply, and one of the
 * configuration that the server is known to run with. */
#pragma once
#include "base/owned_file.h"
#include "settings/host.h"

/* The label of the copy that the server runs with; others are ids of applies. */
#define KEPT_RUNNING "running"

/* Makes a copy; is_once: unless there is one with this label. */
bool kept_save(struct arena *arena, const struct settings_host *host, const char *label,
               bool is_once, struct error *err) MUST_CHECK;
/* What is to be taken back of an apply. */
struct kept_undo {
    const char *server;       /* the deck's name of it */
    const char *label;        /* id of the apply */
    const char *const *lines; /* the ways back */
    size_t count;
};

struct kept_files {
    struct owned_file own, config, automatic; /* pgdeck.conf, postgresql.conf, ...auto.conf */
};
/* ret_exists: whether there is a copy with that label. */
bool kept_read(struct arena *arena, const struct settings_host *host, const char *label,
               struct kept_files *ret_files, bool *ret_exists, struct error *err) MUST_CHECK;

/* Puts all files back, for a server that is down or has read nothing of the new ones:
 * postgresql.auto.conf and pgdeck.conf as they were, with owner and mode; postgresql.conf with
 * or without the line that includes pgdeck.conf, as it was (what else has been changed in it since
 * stays). Errors: ERROR_FILE when there is no copy. */
bool kept_restore(struct arena *arena, const struct settings_host *host, const char *label,
                  struct error *err) MUST_CHECK;
/* The lines of postgresql.auto.conf that kept_restore would take away though pgdeck did not write
 * them: as long as there is a pgdeck.conf, it only takes lines out. NULL: none. */
const char *
kept_foreign_lines(struct arena *arena, const struct settings_host *host, const char *label);
/* Undoes changes of pgdeck.conf, given by their ways back (SETTINGS_FILE_UNDO), the last change
 * first. When that leads to what the copy holds, the file is the copy to the byte. */
bool kept_undo_own(struct arena *arena, const struct settings_host *host,
                   const struct kept_undo *undo, struct error *err) MUST_CHECK;
/* After the server has undone its own changes of postgresql.auto.conf: when it says the same as the
 * copy, in another order, it becomes the copy. */
bool kept_restore_auto(struct arena *arena, const struct settings_host *host, const char *label,
                       struct error *err) MUST_CHECK;
/* Removes a copy that nobody will ask for any more. */
void kept_remove(struct arena *arena, const struct settings_host *host, const char *label);
