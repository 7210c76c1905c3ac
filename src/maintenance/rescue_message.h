/* What rescue and the door that watch keeps open for it say to each other: JSON values, each behind
 * its length, through a unix socket in the state folder that is named after the server's conninfo.
 * Request: {"file": one of maintenance/sql/rescue_*.sql, "parameters": [text or null, ...]};
 * without parameters the file is run and its rows are thrown away. Answer: {"columns": [...],
 * "rows":
 * [[text or null, ...], ...]} or {"code", "sqlstate", "message"}. Any thread. */
#pragma once
#include "base/error.h"
#include <jansson.h>
#include <sys/un.h>

/* Opens the state folder and names the server's socket in it. ret_folder is to be closed when the
 * address is no longer used; ret_name: of the file in that folder. */
struct rescue_address {
    struct sockaddr_un socket; /* through ret_folder, so that no state folder is too long */
    int folder;
    char name[40];
};
bool rescue_address_find(const char *conninfo, struct rescue_address *ret_address,
                         struct error *err) MUST_CHECK;

/* Takes the value over. */
bool rescue_message_send(int socket, json_t *message, struct error *err) MUST_CHECK;
/* ret_message NULL: the other side has closed. Waits as long as the socket's own timeout says. */
bool rescue_message_receive(int socket, json_t **ret_message, struct error *err) MUST_CHECK;
