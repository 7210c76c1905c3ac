// SPDX-License-Identifier: MIT
#include "net/address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

static bool
find_local(struct arena *arena, const char *folder, int port, struct net_address *ret_address,
           struct error *err)
{
    struct sockaddr_un *local = (struct sockaddr_un *)&ret_address->storage;
    const char *path = arena_printf(arena, "%s/.s.PGSQL.%d", folder, port);

    if (strlen(path) >= sizeof(local->sun_path))
        return error_set(err, ERROR_UNREACHABLE, "the path of the socket \"%s\" is too long", path);
    local->sun_family = AF_UNIX;
    memcpy(local->sun_path, path, strlen(path) + 1);
    ret_address->length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path) + 1);
    ret_address->is_local = true;
    ret_address->display = path;
    return true;
}

bool
net_address_find(struct arena *arena, const char *host, int port, struct net_address *ret_address,
                 struct error *err)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    char service[16];

    *ret_address = (struct net_address){0};
    if (host[0] == '/')
        return find_local(arena, host, port, ret_address, err);
    snprintf(service, sizeof(service), "%d", port);
    int fault = getaddrinfo(host, service, &hints, &found);
    if (fault != 0)
        return error_set(err, ERROR_UNREACHABLE, "cannot find the host \"%s\": %s", host,
                         gai_strerror(fault));
    memcpy(&ret_address->storage, found->ai_addr, found->ai_addrlen);
    ret_address->length = found->ai_addrlen;
    ret_address->display = arena_printf(arena, "%s:%d", host, port);
    freeaddrinfo(found);
    return true;
}

/* The bytes of the address, and how many; NULL for a unix socket. IPv4 within IPv6 is IPv4. */
static const uint8_t *
address_bytes(const struct sockaddr_storage *address, int *ret_family)
{
    *ret_family = AF_INET;
    if (address->ss_family == AF_INET)
        return (const uint8_t *)&((const struct sockaddr_in *)address)->sin_addr;
    if (address->ss_family != AF_INET6)
        return NULL;
    const struct in6_addr *six = &((const struct sockaddr_in6 *)address)->sin6_addr;
    if (IN6_IS_ADDR_V4MAPPED(six))
        return six->s6_addr + 12;
    *ret_family = AF_INET6;
    return six->s6_addr;
}

bool
net_address_is_loopback(const struct net_address *address)
{
    int family;
    const uint8_t *bytes = address_bytes(&address->storage, &family);

    if (bytes == NULL)
        return address->is_local;
    return family == AF_INET ? bytes[0] == 127
                             : IN6_IS_ADDR_LOOPBACK((const struct in6_addr *)bytes);
}

bool
net_network_read(const char *text, struct net_network *ret_network, struct error *err)
{
    char address[INET6_ADDRSTRLEN];
    size_t length = strcspn(text, "/");
    struct net_network network = {.family = memchr(text, ':', length) != NULL ? AF_INET6 : AF_INET};
    int most = network.family == AF_INET ? 32 : 128;
    char *end = NULL;
    long bits = text[length] == '/' ? strtol(text + length + 1, &end, 10) : most;

    snprintf(address, sizeof(address), "%.*s", (int)length, text);
    if (length >= sizeof(address) || inet_pton(network.family, address, network.bytes) != 1 ||
        (end != NULL && (*end != '\0' || end == text + length + 1)) || bits < 0 || bits > most)
        return error_set(err, ERROR_DECK, "\"%s\" is not a network such as 10.0.0.0/8", text);
    network.bits = (int)bits;
    *ret_network = network;
    return true;
}

bool
net_network_has(const struct net_network *network, const struct sockaddr_storage *address)
{
    int family;
    const uint8_t *bytes = address_bytes(address, &family);
    int whole = network->bits / 8, rest = network->bits % 8;

    if (bytes == NULL || family != network->family ||
        memcmp(bytes, network->bytes, (size_t)whole) != 0)
        return false;
    return rest == 0 || ((bytes[whole] ^ network->bytes[whole]) >> (8 - rest)) == 0;
}

const char *
net_address_text(const struct sockaddr_storage *address, char *text, size_t size)
{
    int family;
    const uint8_t *bytes = address_bytes(address, &family);

    if (bytes == NULL || inet_ntop(family, bytes, text, (socklen_t)size) == NULL)
        snprintf(text, size, "%s", bytes == NULL ? "unix" : "?");
    return text;
}
