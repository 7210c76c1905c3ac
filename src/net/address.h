/* Addresses: where a server listens, which networks a client may come from. */
#pragma once
#include "base/arena.h"
#include <stdint.h>
#include <sys/socket.h>

struct net_address {
    struct sockaddr_storage storage;
    socklen_t length;
    bool is_local;       /* a unix socket */
    const char *display; /* "127.0.0.1:5432", "/tmp/.s.PGSQL.5432" */
};

/* host: a folder (unix socket), an address or a name; names are asked for now, which may take as
 * long as the resolver takes. Errors: ERROR_UNREACHABLE. */
bool net_address_find(struct arena *arena, const char *host, int port,
                      struct net_address *ret_address, struct error *err) MUST_CHECK;
bool net_address_is_loopback(const struct net_address *address);

struct net_network {
    uint8_t bytes[16];
    int family;
    int bits;
};
/* "10.0.0.0/8"; without bits: one address. */
bool
net_network_read(const char *text, struct net_network *ret_network, struct error *err) MUST_CHECK;
bool net_network_has(const struct net_network *network, const struct sockaddr_storage *address);
/* The address as text, without its port. */
const char *net_address_text(const struct sockaddr_storage *address, char *text, size_t size);
