/* The daemon: sockets, signals and time around a pool. */
#pragma once
#include "pool/config.h"

struct pool_daemon_options {
    const char *deck;        /* a deck, or */
    const char *file;        /* a file of its own; the other one is NULL */
    const char *environment; /* of the deck; NULL: all */
    const char *const *sets;
    size_t set_count;
    pool_config_faults *print_faults;
};

/* Loads the configuration: the fault is printed or in err. */
struct pool_config *
pool_daemon_load(const struct pool_daemon_options *options, struct error *err) MUST_CHECK;
/* Serves until SIGTERM or SHUTDOWN; SIGHUP loads the configuration again. */
bool pool_daemon_run(const struct pool_daemon_options *options, struct error *err) MUST_CHECK;
