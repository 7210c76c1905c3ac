// SPDX-License-Identifier: MIT
#include "maintenance/rescue_door.h"

#include "base/arena.h"
#include "base/embed.h"
#include "base/interrupt.h"
#include "base/json_text.h"
#include "base/text.h"
#include "maintenance/rescue_message.h"
#include "pg/connection.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

/* An unused connection is asked whether it is alive; a missing one is tried for more often. A
 * rescue that waits for its user keeps the door no longer than that. */
enum { PING_MS = 10000, RETRY_MS = 1000, CLIENT_MS = 600000, SEND_S = 5, MOST_PARAMETERS = 16 };

struct rescue_door {
    pthread_t thread;
    struct arena *arena; /* the target's */
    struct pg_target target;
    struct rescue_address address;
    int lock, listener, stop; /* -1: not there */
    PGconn *connection;       /* NULL: not there; `fault` says why */
    struct error fault;
};

/* --- answering ---------------------------------------------------------------------------- */

static json_t *
fault_json(const struct error *err)
{
    return json_pack("{s:i, s:s, s:s}", "code", (int)err->code, "sqlstate", err->sqlstate,
                     "message", err->message);
}

static json_t *
result_json(const PGresult *result)
{
    json_t *columns = json_array();
    json_t *rows = json_array();

    for (int column = 0; column < PQnfields(result); column++)
        json_array_append_new(columns, json_text(PQfname(result, column)));
    for (int row = 0; row < PQntuples(result); row++) {
        json_t *cells = json_array();
        for (int column = 0; column < PQnfields(result); column++)
            json_array_append_new(cells, PQgetisnull(result, row, column)
                                             ? json_null()
                                             : json_text(PQgetvalue(result, row, column)));
        json_array_append_new(rows, cells);
    }
    return json_pack("{s:o, s:o}", "columns", columns, "rows", rows);
}

static const struct embedded_file *
find_file(const char *path)
{
    static const char prefix[] = "maintenance/sql/rescue_";

    for (size_t i = 0; path != NULL && i < embedded_file_count; i++) {
        if (strcmp(embedded_files[i].path, path) == 0 &&
            strncmp(path, prefix, sizeof(prefix) - 1) == 0)
            return &embedded_files[i];
    }
    return NULL;
}

static bool
perform(struct rescue_door *door, const json_t *request, json_t **ret_answer, struct error *err)
{
    const struct embedded_file *file =
        find_file(json_string_value(json_object_get(request, "file")));
    const json_t *given = json_object_get(request, "parameters");
    size_t count = json_array_size(given);
    const char *parameters[MOST_PARAMETERS];
    AUTO_PGRESULT result = NULL;

    if (file == NULL || count > MOST_PARAMETERS)
        return error_set(err, ERROR_REFUSED, "only rescue's own queries are run here");
    if (door->connection == NULL)
        return error_set(err, ERROR_UNREACHABLE, "pgdeck watch holds no connection either: %s",
                         door->fault.message);
    for (size_t i = 0; i < count; i++)
        parameters[i] = json_string_value(json_array_get(given, i));
    bool is_fine = given == NULL ? pg_execute(door->connection, file->text, err)
                                 : pg_query(door->connection, file->text, (int)count, parameters,
                                            &result, err);
    if (is_fine)
        *ret_answer = result_json(result);
    return is_fine;
}

static void
drop_connection(struct rescue_door *door)
{
    PQfinish(door->connection);
    door->connection = NULL;
}

/* Until the descriptor is readable; false: the time is over, or pgdeck is to end. */
static bool
wait_for(const struct rescue_door *door, int descriptor, int timeout_ms)
{
    struct pollfd waits[3] = {{.fd = descriptor, .events = POLLIN},
                              {.fd = door->stop, .events = POLLIN},
                              {.fd = interrupt_descriptor(), .events = POLLIN}};

    poll(waits, 3, timeout_ms);
    return waits[0].revents != 0 && waits[1].revents == 0 && waits[2].revents == 0;
}

static void
serve(struct rescue_door *door, int client)
{
    struct error err = {0};

    while (wait_for(door, client, CLIENT_MS)) {
        json_t *request = NULL, *answer = NULL;
        struct error fault = {0};
        if (!rescue_message_receive(client, &request, &err) || request == NULL)
            return;
        if (!perform(door, request, &answer, &fault))
            answer = fault_json(&fault);
        json_decref(request);
        if (door->connection != NULL && PQstatus(door->connection) != CONNECTION_OK) {
            door->fault = fault;
            drop_connection(door);
        }
        if (!rescue_message_send(client, answer, &err))
            return;
    }
}

/* The same user, or root: who could connect as the deck does anyway. */
static bool
is_friend(int client)
{
    struct ucred peer;
    socklen_t size = sizeof(peer);

    return getsockopt(client, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
           (peer.uid == geteuid() || peer.uid == 0);
}

static void
accept_one(struct rescue_door *door)
{
    const struct timeval patience = {.tv_sec = SEND_S};
    int client = accept4(door->listener, NULL, NULL, SOCK_CLOEXEC);

    if (client < 0)
        return;
    if (is_friend(client) &&
        setsockopt(client, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) == 0 &&
        setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) == 0)
        serve(door, client);
    close(client);
}

/* --- holding ------------------------------------------------------------------------------ */

/* Who has the lock has the door; a socket that is there then is of one that ended. */
static void
take_door(struct rescue_door *door)
{
    const struct rescue_address *address = &door->address;

    if (flock(door->lock, LOCK_EX | LOCK_NB) != 0)
        return;
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0)
        return;
    unlinkat(address->folder, address->name, 0);
    if (bind(listener, (const struct sockaddr *)&address->socket, sizeof(address->socket)) == 0 &&
        fchmodat(address->folder, address->name, 0600, 0) == 0 && listen(listener, 8) == 0)
        door->listener = listener;
    else
        close(listener);
}

static void
hold_connection(struct rescue_door *door)
{
    const char *session = embedded_file("maintenance/sql/rescue_session.sql")->text;

    if (door->connection != NULL && !pg_execute(door->connection, "SELECT 1", &door->fault))
        drop_connection(door);
    if (door->connection != NULL || !pg_connect(&door->target, &door->connection, &door->fault))
        return;
    if (!pg_execute(door->connection, session, &door->fault))
        drop_connection(door);
}

static bool
is_stopping(const struct rescue_door *door)
{
    struct pollfd stop = {.fd = door->stop, .events = POLLIN};

    return is_interrupted() || poll(&stop, 1, 0) > 0;
}

static void *
keep(void *context)
{
    struct rescue_door *door = context;

    while (!is_stopping(door)) {
        if (door->listener < 0)
            take_door(door);
        if (door->listener >= 0)
            hold_connection(door);
        if (wait_for(door, door->listener, door->connection == NULL ? RETRY_MS : PING_MS))
            accept_one(door);
    }
    return NULL;
}

/* --- opening and closing ------------------------------------------------------------------ */

static void
free_door(struct rescue_door *door)
{
    const int descriptors[] = {door->lock, door->listener, door->stop, door->address.folder};

    if (door->listener >= 0)
        unlinkat(door->address.folder, door->address.name, 0);
    drop_connection(door);
    for (size_t i = 0; i < sizeof(descriptors) / sizeof(descriptors[0]); i++) {
        if (descriptors[i] >= 0)
            close(descriptors[i]);
    }
    arena_free(door->arena);
    free(door);
}

static bool
is_same(const char *one, const char *other)
{
    return one == NULL || other == NULL ? one == other : strcmp(one, other) == 0;
}

bool
rescue_door_leads_to(const struct rescue_door *door, const struct deck_server *server)
{
    return is_same(door->target.conninfo, server->conninfo) &&
           is_same(door->target.password_file, server->password_file);
}

/* The deck may be loaded again while the connection is held. */
static struct pg_target
copy_target(struct arena *arena, const struct deck_server *server)
{
    struct pg_target target = {.conninfo = arena_strdup(arena, server->conninfo)};

    if (server->password_file != NULL)
        target.password_file = arena_strdup(arena, server->password_file);
    return target;
}

bool
rescue_door_open(const struct deck_server *server, struct rescue_door **ret_door, struct error *err)
{
    struct rescue_door *door = calloc(1, sizeof(*door));
    char lock_name[sizeof(door->address.name) + 8];

    if (door == NULL)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    *door = (struct rescue_door){
        .arena = arena_new(), .lock = -1, .listener = -1, .stop = -1, .address.folder = -1};
    door->target = copy_target(door->arena, server);
    bool is_fine = rescue_address_find(server->conninfo, &door->address, err);
    if (is_fine) {
        snprintf(lock_name, sizeof(lock_name), "%s.lock", door->address.name);
        door->lock = openat(door->address.folder, lock_name,
                            O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        door->stop = eventfd(0, EFD_CLOEXEC);
        int failed = door->lock < 0 || door->stop < 0
                         ? errno
                         : pthread_create(&door->thread, NULL, keep, door);
        errno = failed;
        is_fine = failed == 0 || error_errno(err, "cannot open the way in for rescue");
    }
    if (!is_fine) {
        free_door(door);
        return false;
    }
    *ret_door = door;
    return true;
}

void
rescue_door_close(struct rescue_door *door)
{
    if (door == NULL)
        return;
    eventfd_write(door->stop, 1);
    pthread_join(door->thread, NULL);
    free_door(door);
}
