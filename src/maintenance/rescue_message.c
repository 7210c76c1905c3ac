// SPDX-License-Identifier: MIT
#include "maintenance/rescue_message.h"

#include "base/arena.h"
#include "base/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <xxhash.h>

enum { MOST_BYTES = 64 << 20 };

bool
rescue_address_find(const char *conninfo, struct rescue_address *ret_address, struct error *err)
{
    struct rescue_address address = {.socket.sun_family = AF_UNIX};
    AUTO_ARENA arena = arena_new();
    const char *folder;

    bool is_fine = state_folder(arena, &folder, err);
    address.folder = is_fine ? open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
    if (is_fine && address.folder < 0)
        is_fine = error_errno(err, "cannot open %s", folder);
    if (!is_fine)
        return false;
    snprintf(address.name, sizeof(address.name), "rescue-%016llx.socket",
             (unsigned long long)XXH3_64bits(conninfo, strlen(conninfo)));
    snprintf(address.socket.sun_path, sizeof(address.socket.sun_path), "/proc/self/fd/%d/%s",
             address.folder, address.name);
    *ret_address = address;
    return true;
}

static bool
send_bytes(int socket, const void *bytes, size_t length, struct error *err)
{
    for (size_t sent = 0; sent < length;) {
        ssize_t now = send(socket, (const char *)bytes + sent, length - sent, MSG_NOSIGNAL);
        if (now < 0 && errno == EINTR)
            continue;
        if (now < 0)
            return error_errno(err, "cannot send");
        sent += (size_t)now;
    }
    return true;
}

/* ret_received < length: the other side has closed. */
static bool
receive_bytes(int socket, void *bytes, size_t length, size_t *ret_received, struct error *err)
{
    size_t received = 0;

    while (received < length) {
        ssize_t now = recv(socket, (char *)bytes + received, length - received, 0);
        if (now < 0 && errno == EINTR)
            continue;
        if (now < 0)
            return error_errno(err, "no answer");
        if (now == 0)
            break;
        received += (size_t)now;
    }
    *ret_received = received;
    return true;
}

bool
rescue_message_send(int socket, json_t *message, struct error *err)
{
    char *text = message == NULL ? NULL : json_dumps(message, JSON_COMPACT);

    json_decref(message);
    if (text == NULL)
        return error_set(err, ERROR_INTERNAL, "the message is no JSON");
    size_t length = strlen(text);
    uint32_t prefix = (uint32_t)length;
    bool is_fine = length <= MOST_BYTES ? send_bytes(socket, &prefix, sizeof(prefix), err) &&
                                              send_bytes(socket, text, length, err)
                                        : error_set(err, ERROR_INTERNAL, "the message is too long");
    free(text);
    return is_fine;
}

bool
rescue_message_receive(int socket, json_t **ret_message, struct error *err)
{
    uint32_t length;
    size_t received;

    *ret_message = NULL;
    if (!receive_bytes(socket, &length, sizeof(length), &received, err))
        return false;
    if (received == 0)
        return true;
    if (received < sizeof(length) || length > MOST_BYTES)
        return error_set(err, ERROR_INTERNAL, "not a message");
    char *text = malloc((size_t)length + 1);
    if (text == NULL)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    bool is_fine = receive_bytes(socket, text, length, &received, err);
    if (is_fine && received == length)
        *ret_message = json_loadb(text, length, 0, NULL);
    free(text);
    return is_fine && (*ret_message != NULL || error_set(err, ERROR_INTERNAL, "not a message"));
}
