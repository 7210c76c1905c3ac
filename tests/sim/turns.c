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

static void
begin(struct sim_turns *turns, struct sim_waiting *waiting, const struct pool_client *client,
      unsigned user)
{
    *waiting = (struct sim_waiting){.serial = client->serial,
                                    .since_us = client->since_us,
                                    .user = user,
                                    .since = turns->round};
    memcpy(waiting->granted, turns->granted, sizeof(waiting->granted));
    memcpy(waiting->left, turns->left, sizeof(waiting->left));
}

/* It has one, or has had one within the round and is done with it; or it has gone, or a cancel
 * request has made it stop waiting. */
static const char *
end(struct sim_turns *turns, struct sim_waiting *waiting, const struct pool_client *client,
    bool has_cancelled)
{
    bool is_there = client != NULL && waiting->serial == client->serial &&
                    (client->server != NULL || !has_cancelled);

    waiting->serial = 0;
    if (!is_there) {
        turns->left[waiting->user]++;
        return NULL;
    }
    turns->granted[waiting->user]++;
    return is_passed_over(turns, waiting) ? "who came later gets a server first" : NULL;
}

/* The same wait as in the round before. */
static bool
goes_on(const struct sim_waiting *waiting, const struct pool_client *client)
{
    return client != NULL && waiting->serial == client->serial && client->queue.next != NULL &&
           waiting->since_us == client->since_us;
}

void
sim_turns_note(struct sim_turns *turns, size_t index, const struct pool_client *client)
{
    struct sim_waiting *waiting = &turns->waiting[index];

    waiting->waits_still = goes_on(waiting, client);
}

const char *
sim_turns_look(struct sim_turns *turns, size_t index, const struct pool_client *client,
               unsigned user, bool has_cancelled)
{
    struct sim_waiting *waiting = &turns->waiting[index];
    const char *fault = NULL;

    if (goes_on(waiting, client)) {
        uint64_t own =
            turns->granted[user] - waiting->granted[user] + turns->left[user] - waiting->left[user];
        uint64_t others = turns->granted[!user] - waiting->granted[!user];
        return others > own + SLACK ? "one user gets servers out of his turn" : NULL;
    }
    if (waiting->serial != 0)
        fault = end(turns, waiting, client, has_cancelled);
    if (client != NULL && client->queue.next != NULL)
        begin(turns, waiting, client, user);
    return fault;
}
