// SPDX-License-Identifier: MIT
#include "net/local.h"
#include "base/error.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { END_BYTES = 64, ESTABLISHED = 1 };

/* As /proc/net/tcp and tcp6 write it: words of the address as they are in memory, and the port. */
static bool
write_end(const struct sockaddr_storage *address, char text[END_BYTES], int *ret_port)
{
    uint32_t words[4];

    if (address->ss_family == AF_INET) {
        const struct sockaddr_in *four = (const struct sockaddr_in *)address;
        *ret_port = ntohs(four->sin_port);
        snprintf(text, END_BYTES, "%08X:%04X", four->sin_addr.s_addr, (unsigned)*ret_port);
        return true;
    }
    if (address->ss_family != AF_INET6)
        return false;
    const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)address;
    memcpy(words, &six->sin6_addr, sizeof(words));
    *ret_port = ntohs(six->sin6_port);
    snprintf(text, END_BYTES, "%08X%08X%08X%08X:%04X", words[0], words[1], words[2], words[3],
             (unsigned)*ret_port);
    return true;
}

/* Who has the other end of the connection, if it is of this host. */
static bool
find_owner(const struct net_stream *stream, uid_t *ret_user, int *ret_port)
{
    struct sockaddr_storage own = {0}, peer = {0};
    socklen_t own_length = sizeof(own), peer_length = sizeof(peer);
    char own_end[END_BYTES], peer_end[END_BYTES], line[512], local[END_BYTES], remote[END_BYTES];
    unsigned state, user;
    int own_port;
    bool is_found = false;

    if (getsockname(stream->descriptor, (struct sockaddr *)&own, &own_length) != 0 ||
        getpeername(stream->descriptor, (struct sockaddr *)&peer, &peer_length) != 0 ||
        !write_end(&own, own_end, &own_port) || !write_end(&peer, peer_end, ret_port))
        return false;
    FILE *file =
        fopen(own.ss_family == AF_INET ? "/proc/self/net/tcp" : "/proc/self/net/tcp6", "re");
    while (file != NULL && !is_found && fgets(line, sizeof(line), file) != NULL) {
        is_found = sscanf(line, " %*[0-9]: %63s %63s %x %*s %*s %*s %u", local, remote, &state,
                          &user) == 4 &&
                   state == ESTABLISHED && strcmp(local, peer_end) == 0 &&
                   strcmp(remote, own_end) == 0;
    }
    if (file != NULL)
        fclose(file);
    if (is_found)
        *ret_user = user;
    return is_found;
}

static pid_t
parent_of(pid_t process)
{
    char path[64], line[256];
    int parent = 0;

    snprintf(path, sizeof(path), "/proc/%d/status", (int)process);
    FILE *file = fopen(path, "re");
    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        if (sscanf(line, "PPid: %d", &parent) == 1)
            break;
    }
    if (file != NULL)
        fclose(file);
    return parent;
}

static bool
read_credentials(int descriptor, struct ucred *ret_credentials)
{
    socklen_t length = sizeof(*ret_credentials);

    return getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, ret_credentials, &length) == 0;
}

/* Who listens behind the socket; connecting tells, and says nothing. */
static bool
find_listener(const char *path, struct ucred *ret_listener)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    bool is_there = false;

    if (descriptor < 0)
        return false;
    memcpy(address.sun_path, path, strlen(path) + 1);
    if (connect(descriptor, (const struct sockaddr *)&address, sizeof(address)) == 0)
        is_there = read_credentials(descriptor, ret_listener);
    close(descriptor);
    return is_there;
}

/* The path of a socket of the port, from a line of /proc/net/unix; NULL: it is none. */
static const char *
path_of(char *line, int port)
{
    char name[32], *path = strchr(line, '/');

    line[strcspn(line, "\n")] = '\0';
    if (path == NULL || strlen(path) >= sizeof(((struct net_local *)NULL)->path))
        return NULL;
    snprintf(name, sizeof(name), "/.s.PGSQL.%d", port);
    const char *last = strrchr(path, '/');
    return strcmp(last, name) == 0 ? path : NULL;
}

bool
net_local_find(const struct net_stream *stream, pid_t backend, struct net_local *ret_local)
{
    char line[512];
    bool is_found = false;
    uid_t user;
    int port;

    if (!find_owner(stream, &user, &port))
        return false;
    pid_t parent = parent_of(backend);
    FILE *file = parent > 1 ? fopen("/proc/self/net/unix", "re") : NULL;
    while (file != NULL && !is_found && fgets(line, sizeof(line), file) != NULL) {
        const char *path = path_of(line, port);
        struct ucred listener;
        if (path == NULL || !find_listener(path, &listener))
            continue;
        is_found = listener.pid == parent && listener.uid == user;
        if (is_found) {
            snprintf(ret_local->path, sizeof(ret_local->path), "%s", path);
            ret_local->listener = parent;
        }
    }
    if (file != NULL)
        fclose(file);
    return is_found;
}

bool
net_local_is_same(const struct net_local *local, const struct net_stream *stream)
{
    struct ucred listener;

    return read_credentials(stream->descriptor, &listener) && listener.pid == local->listener;
}
