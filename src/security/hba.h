/* pgdeck's part of pg_hba.conf, as text: who may reach the deck's databases from where. It stands
 * first in the file, where the first line that fits decides; all below it stays whose it is. Pure.
 */
#pragma once
#include "change/advice.h"

#define HBA_BEGIN "# pgdeck begins here; what is changed in this part is lost"
#define HBA_END "# pgdeck ends here"

/* How pgdeck itself comes in over the network, so that its own lines do not stop it. */
struct hba_way {
    const char *address;                 /* "10.0.0.3/32"; of the socket no line here is */
    const char *type, *method, *options; /* as the line that lets it in now; method NULL: none */
};
struct hba_own {
    const char *role;
    LIST_OF(struct hba_way) ways;
};

/* A name as pg_hba.conf takes it to the letter; NULL: it cannot (it has a line break). major: of
 * the server; from 16 on a name that begins with / is an expression. */
const char *hba_name(struct arena *arena, const char *name, int major);
/* Who is let in by one of the lines, for whoever asks who is not. */
struct hba_line {
    const char *database;
    const char *roles; /* text[] */
    const char *network;
    bool has_tls; /* takes TLS only */
};
/* What is to stand between the marks. */
struct hba_lines {
    const char *text;                /* "" when no environment of the server says allow */
    const char *left_out;            /* NULL, or a database or role that cannot be written */
    LIST_OF(const char *) databases; /* into which nobody else comes */
    LIST_OF(struct hba_line) list;
};
struct hba_lines hba_render(const struct advice *advice, const struct hba_own *own);
/* What is between the marks of a file; NULL: has none. */
const char *hba_part(struct arena *arena, const char *text);
/* The file with that part in place of what it has, or at its beginning; NULL or "": without. */
const char *hba_replace(struct arena *arena, const char *text, const char *part);
/* "-- - old line", "-- + new line" */
const char *hba_difference(struct arena *arena, const char *before, const char *after);
