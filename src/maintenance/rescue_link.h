/* How rescue speaks with a server: by a connection of its own or, when the server takes none,
 * through the one that pgdeck watch holds (rescue_door.h). */
#pragma once
#include "deck/deck.h"
#include "pg/connection.h"

struct rescue_link {
    PGconn *connection;    /* NULL: through the door */
    int door;              /* -1: there is none */
    const char *elsewhere; /* the database that is used, since that of the conninfo cannot be; NULL:
                            * it can */
};

/* When the catalog of the conninfo's database is locked, another one is used: "postgres", one of
 * the deck's (may be NULL), "template1". Errors: those of pg_connect, when there is no door either.
 */
bool rescue_link_open(const struct deck *deck, const struct deck_server *server,
                      struct rescue_link *ret_link, struct error *err) MUST_CHECK;
/* Only the door; whether it is answered shows at the first query. */
bool rescue_link_open_door(const struct deck_server *server, struct rescue_link *ret_link,
                           struct error *err) MUST_CHECK;
void rescue_link_close(struct rescue_link *link);
/* Runs a file's query with text parameters. */
bool rescue_link_query(struct rescue_link *link, const char *path, int parameter_count,
                       const char *const *parameters, PGresult **ret_result,
                       struct error *err) MUST_CHECK;
/* Runs a file's statements. */
bool rescue_link_execute(struct rescue_link *link, const char *path, struct error *err) MUST_CHECK;
/* Nothing more can be asked. */
bool rescue_link_is_lost(const struct rescue_link *link);
