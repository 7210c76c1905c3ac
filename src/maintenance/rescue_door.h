/* The way in for rescue when a server takes no more connections: pgdeck watch holds one to each
 * server and runs rescue's own queries on it, and nothing else, for who asks at a socket in the
 * state folder: the same user on this host, or root. One thread and one connection a door. Of
 * several watches on a host one has the door; when it ends another takes over. */
#pragma once
#include "deck/deck.h"

struct rescue_door;

/* Connects, and again when the connection is lost, in a thread of its own. */
bool rescue_door_open(const struct deck_server *server, struct rescue_door **ret_door,
                      struct error *err) MUST_CHECK;
/* Whether it is the door to that server, as the deck says now. */
bool rescue_door_leads_to(const struct rescue_door *door, const struct deck_server *server);
/* NULL: nothing. */
void rescue_door_close(struct rescue_door *door);
