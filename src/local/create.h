/* What only the folder of a private server knows: its parts, its record (server.json), how it is
 * made and removed. Inner side of local/server.h. */
#pragma once
#include "local/server.h"

/* Fills in the paths of server NAME in the folder of all servers. */
void local_server_place(struct arena *arena, const char *servers_folder, const char *name,
                        struct local_server *server);
/* Reads server.json into server, whose paths are set. Errors: ERROR_FILE when the folder is not a
 * server's. */
bool
local_record_read(struct arena *arena, struct local_server *server, struct error *err) MUST_CHECK;
bool local_record_write(const struct local_server *server, struct error *err) MUST_CHECK;
/* Makes an empty folder for the socket, in place of the last start's; outside the server's folder
 * when its path would be too long for a socket or hard to quote. */
bool
local_socket_folder(struct arena *arena, struct local_server *server, struct error *err) MUST_CHECK;
/* Removes the folder of a stopped server and its socket's. */
bool local_server_remove(const struct local_server *server, struct error *err) MUST_CHECK;
