/* Who waits for a server of a group: each user has a line, first come first served, and the lines
 * take turns. One worker's thread. */
#pragma once
#include "pool/state.h"

/* Gives the client its line; false: no memory. */
bool pool_waiting_join(struct pool_group *group, struct pool_client *client) MUST_CHECK;
void pool_waiting_release(struct pool_group *group);
void pool_waiting_add(struct pool_client *client);
void pool_waiting_remove(struct pool_client *client); /* if it waits */
/* Whose turn it is; NULL: nobody waits. */
struct pool_client *pool_waiting_first(const struct pool_group *group);
/* That one gets a server: removed, and its user's next turn comes after the others'. */
void pool_waiting_take(struct pool_client *client);
/* Who has waited for longest; NULL: nobody waits. */
struct pool_client *pool_waiting_oldest(const struct pool_group *group);
/* Its time is up: an error says who has the servers. */
void pool_waiting_fail_late(struct pool_client *client);
