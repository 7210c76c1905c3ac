/* SCRAM in the simulation, both sides: a client that logs in to the pool, a server that the pool
 * logs in to. All have the same keys, as PBKDF2 takes longer than a run. */
#pragma once
#include "sim/bytes.h"
#include "wire/scram.h"

struct sim_login {
    struct wire_scram scram;
    unsigned stage; /* messages so far */
    bool has_wrong_keys;
};

/* The keys of all; aborts without memory. */
void sim_login_keys(struct wire_scram_keys *ret_keys);
void sim_login_release(struct sim_login *login);
/* The server's side: AuthenticationSASL. */
void sim_login_ask(struct sim_bytes *out);
/* A message p of the pool's. False: it is not right. ret_is_in: nothing more is wanted. */
bool sim_login_serve(struct sim_login *login, const struct wire_scram_keys *keys,
                     const uint8_t *body, size_t count, struct sim_bytes *out, bool *ret_is_in);
/* The client's side: a message R. False: it is not right. */
bool sim_login_answer(struct sim_login *login, const struct wire_scram_keys *keys,
                      const uint8_t *body, size_t count, struct sim_bytes *out);
