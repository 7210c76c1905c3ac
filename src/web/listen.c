// SPDX-License-Identifier: MIT
#include "web/listen.h"

#include "net/address.h"
#include "web/request.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BACKLOG = 1024, PORT_MAX = 65535, DECIMAL = 10 };

/* "127.0.0.1:8765", "[::1]:8765" */
static bool
split(struct arena *arena, const char *listen, const char **ret_host, int *ret_port,
      struct error *err)
{
    const char *colon = strrchr(listen, ':');
    char *end = NULL;
    long port = colon == NULL ? -1 : strtol(colon + 1, &end, DECIMAL);

    if (colon == NULL || colon == listen || end == colon + 1 || *end != '\0' || port < 0 ||
        port > PORT_MAX) {
        error_set(err, ERROR_USAGE, "\"%s\" is not an address and a port", listen);
        return error_hint(err, "Such as 127.0.0.1:8765 or [::1]:8765.");
    }
    size_t length = (size_t)(colon - listen);
    bool has_brackets = listen[0] == '[' && listen[length - 1] == ']';
    *ret_host = has_brackets ? arena_strndup(arena, listen + 1, length - 2)
                             : arena_strndup(arena, listen, length);
    *ret_port = (int)port;
    return true;
}

static bool
check(const struct web_options *options, const struct net_address *address, struct error *err)
{
    bool has_tls = options->certificate != NULL && options->key != NULL;

    if (options->token != NULL && strlen(options->token) < WEB_TOKEN_BYTES_MIN)
        return error_set(err, ERROR_REFUSED, "the dashboard's token is shorter than %d characters",
                         WEB_TOKEN_BYTES_MIN);
    if (has_tls != (options->certificate != NULL || options->key != NULL))
        return error_set(err, ERROR_USAGE, "TLS needs both a certificate and its key");
    if (net_address_is_loopback(address) || (options->token != NULL && has_tls))
        return true;
    error_set(err, ERROR_REFUSED,
              "the dashboard would be open to whoever reaches %s: that needs a token and TLS",
              options->listen);
    return error_hint(err, "Listen on 127.0.0.1, and use a tunnel such as ssh -L; or give a token, "
                           "a certificate and its key.");
}

static bool
open_socket(const struct net_address *address, const char *listen_at, int *ret_socket,
            struct error *err)
{
    int one = 1;
    int descriptor =
        socket(address->storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (descriptor < 0)
        return error_errno(err, "cannot listen on %s", listen_at);
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(descriptor, (const struct sockaddr *)&address->storage, address->length) != 0 ||
        listen(descriptor, BACKLOG) != 0) {
        error_errno(err, "cannot listen on %s", listen_at);
        err->code = ERROR_UNREACHABLE;
        close(descriptor);
        return false;
    }
    *ret_socket = descriptor;
    return true;
}

static int
bound_port(int descriptor)
{
    struct sockaddr_storage storage = {0};
    socklen_t length = sizeof(storage);

    if (getsockname(descriptor, (struct sockaddr *)&storage, &length) != 0)
        return 0;
    struct sockaddr_in6 six;
    struct sockaddr_in four;

    memcpy(&six, &storage, sizeof(six));
    memcpy(&four, &storage, sizeof(four));
    return ntohs(storage.ss_family == AF_INET6 ? six.sin6_port : four.sin_port);
}

bool
web_listen(struct arena *arena, const struct web_options *options, int *ret_socket,
           const char **ret_url, struct error *err)
{
    struct net_address address;
    const char *host;
    int port;

    if (!split(arena, options->listen, &host, &port, err) ||
        !net_address_find(arena, host, port, &address, err) || !check(options, &address, err) ||
        !open_socket(&address, options->listen, ret_socket, err))
        return false;
    bool is_6 = strchr(host, ':') != NULL;
    *ret_url = arena_printf(arena, "%s://%s%s%s:%d/", options->key == NULL ? "http" : "https",
                            is_6 ? "[" : "", host, is_6 ? "]" : "", bound_port(*ret_socket));
    return true;
}
