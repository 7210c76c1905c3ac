/* Whether pgdeck still gets in, tried with new sessions after the server has been told something
 * that could shut it out. */
#pragma once
#include "deck/deck.h"
#include "pg/connection.h"

struct security_databases {
    LIST_OF(const char *) names;
};
/* The deck's on that server. */
struct security_databases security_databases_of(struct arena *arena, const struct deck *deck,
                                                const struct deck_server *server);
/* To the conninfo's database and to each of these; one that is not there (yet) is fine. */
bool security_check_login(const struct pg_target *target,
                          const struct security_databases *databases, struct error *err) MUST_CHECK;
