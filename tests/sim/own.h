/* The pool's own statements, as a session of the simulation answers them: pool_probe.sql,
 * pool_restore.sql, pool_startup.sql. */
#pragma once
#include "sim/session.h"

enum { SIM_BOUND_MAX = 8, SIM_BOUND_BYTES = 2048 };

struct sim_bound {
    char items[SIM_BOUND_MAX][SIM_BOUND_BYTES];
    size_t count;
};

/* A portal's parameters. */
void sim_own_bound(const struct sim_bytes *bytes, struct sim_bound *ret_bound);
void sim_own_probe(struct sim_session *session, const struct sim_bound *bound);
void sim_own_restore(struct sim_session *session, const struct sim_bound *bound, bool is_startup);
