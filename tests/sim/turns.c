// SPDX-License-Identifier: MIT
#include "sim/turns.h"

/* Of a round several may be given at once: which of them was first does not show. */
enum { SLACK = 2 };

static bool
is_passed_over(const struct sim_turns *turns, const struct sim_waiting *given)
{
    for (size_t i = 0; i < SIM_CONNECTIONS; i++) {
        const struct sim_waiting *other = &turns->waiting[i];
        if (other->waits_still && other->user == given->user && other->since < given->since)
            return true;
    }
    return false;
}

static const char *
begin(struct sim_turns *turns, struct sim_waiting *waiting, const struct pool_client *client,
      unsigned user)
{
    *waiting = (struct sim_waiting){.client = client, .user = user, .since = turns->round};
    memcpy(waiting->granted, turns->granted, sizeof(waiting->granted));
    return NULL;
}

void
sim_turns_note(struct sim_turns *turns, size_t index, const struct pool_client *client)
{
    struct sim_waiting *waiting = &turns->waiting[index];

    waiting->waits_still =
        client != NULL && waiting->client == client && client->queue.next != NULL;
}

const char *
sim_turns_look(struct sim_turns *turns, size_t index, const struct pool_client *client,
               unsigned user)
{
    struct sim_waiting *waiting = &turns->waiting[index];
    bool waits = client != NULL && client->queue.next != NULL;

    if (waits && waiting->client != client)
        return begin(turns, waiting, client, user);
    if (waits) {
        uint64_t own = turns->granted[user] - waiting->granted[user];
        uint64_t others = turns->granted[!user] - waiting->granted[!user];
        return others > own + SLACK ? "one user gets servers out of his turn" : NULL;
    }
    const char *fault = NULL;
    if (waiting->client == client && client != NULL && client->server != NULL) {
        turns->granted[user]++;
        fault = is_passed_over(turns, waiting) ? "who came later gets a server first" : NULL;
    }
    waiting->client = NULL;
    return fault;
}
