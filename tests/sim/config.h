/* The configuration of a run, by chance: mode, reset, size, users, how they prove who they are. */
#pragma once
#include "pool/config.h"

enum { SIM_PEER_USER = 1000 };

/* keys: of all users. */
struct pool_config *sim_config_make(uint64_t *random, const struct wire_scram_keys *keys);
/* As RELOAD finds it: the same users, the rest by chance. */
struct pool_config *sim_config_again(const struct pool_config *old, uint64_t *random);
