/* Who is on the console while clients work: PAUSE, RESUME, RECONNECT, WAIT_CLOSE, RELOAD and SHOW,
 * one after the other, by chance; and what must be so when each is answered. */
#pragma once
#include "sim/network.h"

struct sim_world;

enum sim_command {
    SIM_NO_COMMAND,
    SIM_PAUSE,
    SIM_RESUME,
    SIM_RECONNECT,
    SIM_WAIT_CLOSE,
    SIM_RELOAD,
    SIM_SHOW,
    SIM_COMMANDS
};

struct sim_operator {
    struct sim_connection *connection; /* NULL: not there */
    struct sim_bytes got;
    unsigned left;                        /* commands */
    bool is_there;                        /* in this run */
    bool is_in, is_paused;                /* the latter: PAUSE may have been done */
    bool is_empty;                        /* PAUSE is answered: there are no servers */
    enum sim_command asked;               /* what is to be answered */
    unsigned servers_then;                /* so many had been begun when it was asked */
    unsigned outdated;                    /* servers up to this one are from before RECONNECT */
    int max, size;                        /* servers: as configured; of those that are there */
    const void *holders[SIM_CONNECTIONS]; /* clients of those that are outdated */
    bool is_noted[SIM_CONNECTIONS];
};

struct pool;
struct error;
/* As pool.reload. */
bool sim_operator_reload(struct pool *pool, struct error *err);
void sim_operator_connect(struct sim_world *world, struct sim_operator *operator);
/* Takes what has come, asks for the next. */
void sim_operator_step(struct sim_world *world, struct sim_operator *operator);
/* Its connection is no more. */
void sim_operator_lose(struct sim_operator *operator);
/* After each round: what the answers so far promise. */
void sim_operator_check(struct sim_world *world, struct sim_operator *operator);
