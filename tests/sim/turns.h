/* Whether those who wait for a server get one in their turn: first come first served within a user,
 * and no user more than his turn while another waits. Looks at the pool after each round. */
#pragma once
#include "pool/pool.h"
#include "sim/network.h"

enum { SIM_USERS = 2 };

struct sim_waiting {
    uint64_t serial;             /* of the client; 0: nobody waits here */
    bool waits_still;            /* in this round */
    unsigned user;               /* as the simulation has it */
    uint64_t since, since_us;    /* the round, the pool's time: another one is another wait */
    uint64_t granted[SIM_USERS]; /* as it began to wait */
    uint64_t left[SIM_USERS];
};

struct sim_turns {
    uint64_t round;
    uint64_t granted[SIM_USERS]; /* servers, so far */
    uint64_t left[SIM_USERS];    /* clients that waited no longer, perhaps without one */
    struct sim_waiting waiting[SIM_CONNECTIONS];
};

/* Each round first of all places, then sim_turns_look. client NULL: none there now.
 * has_cancelled: it may stop waiting without a server. */
void sim_turns_note(struct sim_turns *turns, size_t index, const struct pool_client *client);
/* NULL, or what is not right. */
const char *sim_turns_look(struct sim_turns *turns, size_t index, const struct pool_client *client,
                           unsigned user, bool has_cancelled);
