/* A client that sends what chance says, and judges what comes: beside it is a session of its own
 * that gets the same bytes without a pool, and both must say the same, message by message. */
#pragma once
#include "sim/login.h"
#include "sim/network.h"
#include "sim/session.h"

enum sim_client_state { SIM_LOGGING_IN, SIM_RUNNING, SIM_LEAVING, SIM_GONE };

struct sim_client {
    enum sim_client_state state;
    char name[16]; /* what all of its tokens begin with */
    uint64_t *random;
    struct sim_connection *connection, *cancel; /* NULL: none */
    struct sim_session direct;
    struct sim_bytes got;
    char told[SIM_NAME], direct_told[SIM_NAME]; /* application_name */
    char start[SIM_NAME], application[SIM_NAME];
    unsigned user;                      /* 0: sim, 1: other */
    const char *user_name;              /* what it says */
    const struct wire_scram_keys *keys; /* for its login */
    struct sim_login login;
    bool is_refused;         /* its password is wrong */
    bool has_no_blocks;      /* statement pooling: a transaction that stays open ends it */
    bool may_find_nobody;    /* a server has been cut: a login may end with 08001 */
    bool has_block;          /* the last ReadyForQuery told of one, and nothing is owed */
    unsigned left, requests; /* groups to be sent yet; tokens so far */
    unsigned syncs;          /* ReadyForQuery that are owed */
    uint32_t process, secret;
    bool has_cancelled, wants_cancel, is_excused, is_copy_due;
    char fault[512]; /* "": none */
};

void sim_client_init(struct sim_client *client, uint64_t *random, unsigned number);
void sim_client_release(struct sim_client *client);
/* Its start-up; the connection is there. */
void sim_client_start(struct sim_client *client);
/* Sends something, if it wants to. */
void sim_client_go_on(struct sim_client *client);
/* Bytes have come. */
void sim_client_take(struct sim_client *client, const uint8_t *bytes, size_t count);
/* The pool has closed. */
void sim_client_lose(struct sim_client *client);
