// SPDX-License-Identifier: MIT
#include "web/web.h"

#include "base/arena.h"
#include "base/embed.h"
#include "web/listen.h"
#include "web/request.h"

#include <microhttpd.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <xxhash.h>

/* Of connections that are too many the one goes that has waited longest without ever having got an
 * answer, so that those who only connect do not take the place of a browser that is served. */
enum {
    CONNECTIONS_MAX = 256,
    CONNECTIONS_HARD_MAX = CONNECTIONS_MAX + 64, /* until what is cut off has been closed */
    HEAD_BYTES_MAX = 16 * 1024,
    ANSWER_S = 10,
    POLL_MS = 1000,
    ETAG_BYTES = 24,
};

struct connection {
    struct connection *next, *previous;
    int descriptor;
    int64_t since_ms; /* connected, or the end of the last answer */
    bool is_served;   /* has got an answer */
    bool is_cut;
};

struct web_server {
    struct arena *arena;
    const char *url, *token;
    const char *const *hosts;
    size_t host_count;
    struct watch_board *board;
    struct MHD_Daemon *daemon;
    pthread_t thread;
    int stop; /* eventfd */
    struct connection *connections;
    size_t connection_count;
};

/* --- answers ------------------------------------------------------------------------------ */

struct answer {
    unsigned status;
    const char *type;
    struct MHD_Response *response;
};

static void
add_headers(struct MHD_Response *response, const char *type, const char *etag)
{
    const struct {
        const char *name, *value;
    } headers[] = {
        {"Content-Type", type},
        {"ETag", etag},
        {"Cache-Control", "no-cache"},
        {"Content-Security-Policy",
         "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
         "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
        {"X-Content-Type-Options", "nosniff"},
        {"X-Frame-Options", "DENY"},
        {"Referrer-Policy", "no-referrer"},
        {"Cross-Origin-Resource-Policy", "same-origin"},
        {"Cross-Origin-Opener-Policy", "same-origin"},
    };

    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        if (headers[i].value != NULL)
            MHD_add_response_header(response, headers[i].name, headers[i].value);
    }
}

static enum MHD_Result
answer(struct MHD_Connection *connection, unsigned status, struct MHD_Response *response)
{
    if (response == NULL)
        return MHD_NO;
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result
refuse(struct MHD_Connection *connection, unsigned status, const char *line)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(
        strlen(line), (void *)(uintptr_t)line, MHD_RESPMEM_PERSISTENT);

    if (response == NULL)
        return MHD_NO;
    add_headers(response, "text/plain; charset=utf-8", NULL);
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
        MHD_add_response_header(response, "Allow", "GET, HEAD");
    if (status == MHD_HTTP_UNAUTHORIZED)
        MHD_add_response_header(response, "WWW-Authenticate", "Bearer");
    return answer(connection, status, response);
}

struct held_document {
    struct watch_board *board;
    const struct watch_document *document;
};

static void
release_document(void *context)
{
    struct held_document *held = context;

    watch_document_release(held->board, held->document);
    free(held);
}

/* The body: the board's own bytes, which stay until the last of them is sent. */
static struct MHD_Response *
document_body(struct web_server *server, const struct watch_document *document)
{
    struct held_document *held = malloc(sizeof(*held));

    if (held == NULL) {
        watch_document_release(server->board, document);
        return NULL;
    }
    *held = (struct held_document){server->board, document};
    struct MHD_Response *response = MHD_create_response_from_buffer_with_free_callback_cls(
        document->length, (void *)(uintptr_t)document->text, release_document, held);
    if (response == NULL)
        release_document(held);
    return response;
}

static struct MHD_Response *
asset_body(const struct embedded_file *file)
{
    return MHD_create_response_from_buffer(file->length, (void *)(uintptr_t)file->text,
                                           MHD_RESPMEM_PERSISTENT);
}

static void
make_etag(const char *text, size_t length, char etag[ETAG_BYTES])
{
    snprintf(etag, ETAG_BYTES, "\"%016llx\"", (unsigned long long)XXH3_64bits(text, length));
}

/* Whether the client has that text already; then it is told so. */
static bool
is_known(struct MHD_Connection *connection, const char *etag)
{
    const char *known =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_IF_NONE_MATCH);

    return known != NULL && strcmp(known, etag) == 0;
}

static enum MHD_Result
hand_out(struct MHD_Connection *connection, const char *type, const char *etag,
         struct MHD_Response *response)
{
    unsigned status = MHD_HTTP_OK;

    if (response != NULL && is_known(connection, etag)) {
        MHD_destroy_response(response);
        response = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
        status = MHD_HTTP_NOT_MODIFIED;
    }
    if (response != NULL)
        add_headers(response, type, etag);
    return answer(connection, status, response);
}

static enum MHD_Result
answer_document(struct web_server *server, struct MHD_Connection *connection, const char *name)
{
    const char *authorization =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_AUTHORIZATION);
    char etag[ETAG_BYTES];

    if (server->token != NULL && !web_token_is_right(authorization, server->token))
        return refuse(connection, MHD_HTTP_UNAUTHORIZED, "a token is needed\n");
    const struct watch_document *document = watch_board_get(server->board, name);
    if (document == NULL && strcmp(name, "metrics") == 0)
        return refuse(connection, MHD_HTTP_SERVICE_UNAVAILABLE, "nothing is known yet\n");
    if (document == NULL) /* yet, or any more: not a fault of who asks */
        return refuse(connection, MHD_HTTP_NO_CONTENT, "");
    make_etag(document->text, document->length, etag);
    const char *type = document->type;
    return hand_out(connection, type, etag, document_body(server, document));
}

static enum MHD_Result
answer_request(struct web_server *server, struct MHD_Connection *connection, const char *url,
               const char *method)
{
    const char *host =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_HOST);
    const char *type;
    char etag[ETAG_BYTES];

    if (!web_host_is_ours(host, server->hosts, server->host_count))
        return refuse(connection, MHD_HTTP_MISDIRECTED_REQUEST,
                      "this server has another name: it takes addresses, localhost, and the "
                      "names that it was given\n");
    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
        return refuse(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD\n");
    const char *name = web_document_name(url);
    if (name != NULL)
        return answer_document(server, connection, name);
    const char *path = web_asset_path(url, &type);
    if (path == NULL)
        return refuse(connection, MHD_HTTP_NOT_FOUND, "there is no such page\n");
    const struct embedded_file *file = embedded_file(path);
    make_etag(file->text, file->length, etag);
    return hand_out(connection, type, etag, asset_body(file));
}

static bool
has_body(struct MHD_Connection *connection)
{
    const char *length =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);

    return MHD_lookup_connection_value(connection, MHD_HEADER_KIND,
                                       MHD_HTTP_HEADER_TRANSFER_ENCODING) != NULL ||
           (length != NULL && strcmp(length, "0") != 0);
}

/* MHD's callback, for the first time when the head is complete. An answer then ends the connection,
 * which is right where a body would follow that nobody waits for; without one the second time is
 * the time to answer. */
static enum MHD_Result
on_request(void *context, struct MHD_Connection *connection, const char *url, const char *method,
           const char *version, const char *upload,
           size_t *upload_bytes, /* NOLINT(readability-non-const-parameter): MHD's type */
           void **request)
{
    static int is_known_request;
    bool is_first = *request == NULL;

    (void)version, (void)upload, (void)upload_bytes;
    *request = &is_known_request;
    return is_first && !has_body(connection) ? MHD_YES
                                             : answer_request(context, connection, url, method);
}

/* --- connections -------------------------------------------------------------------------- */

static int64_t
now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void
cut(struct connection *connection)
{
    connection->is_cut = true;
    shutdown(connection->descriptor, SHUT_RDWR); /* MHD sees its end, and closes it */
}

static bool
goes_before(const struct connection *one, const struct connection *other)
{
    if (one->is_served != other->is_served)
        return !one->is_served;
    return one->since_ms < other->since_ms;
}

static void
make_room(struct web_server *server)
{
    struct connection *first = NULL;

    for (struct connection *each = server->connections; each != NULL; each = each->next) {
        if (!each->is_cut && (first == NULL || goes_before(each, first)))
            first = each;
    }
    if (first != NULL)
        cut(first);
}

/* Those that take too long, however busy they look. */
static void
cut_late(struct web_server *server)
{
    int64_t latest = now_ms() - (int64_t)ANSWER_S * 1000;

    for (struct connection *each = server->connections; each != NULL; each = each->next) {
        if (!each->is_cut && each->since_ms < latest)
            cut(each);
    }
}

static void
on_connection(void *context, struct MHD_Connection *mhd, void **state,
              enum MHD_ConnectionNotificationCode code)
{
    struct web_server *server = context;
    struct connection *connection = *state;

    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        connection = calloc(1, sizeof(*connection));
        const union MHD_ConnectionInfo *info =
            MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
        if (connection == NULL || info == NULL)
            abort();
        connection->descriptor = info->connect_fd;
        connection->since_ms = now_ms();
        connection->next = server->connections;
        if (connection->next != NULL)
            connection->next->previous = connection;
        server->connections = connection;
        *state = connection;
        if (++server->connection_count > CONNECTIONS_MAX)
            make_room(server);
    } else if (connection != NULL) {
        if (connection->previous == NULL)
            server->connections = connection->next;
        else
            connection->previous->next = connection->next;
        if (connection->next != NULL)
            connection->next->previous = connection->previous;
        server->connection_count--;
        free(connection);
        *state = NULL;
    }
}

static void
on_completed(void *context, struct MHD_Connection *mhd, void **request,
             enum MHD_RequestTerminationCode code)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct connection *connection = info == NULL ? NULL : info->socket_context;

    (void)context, (void)request;
    if (connection != NULL && code == MHD_REQUEST_TERMINATED_COMPLETED_OK) {
        connection->since_ms = now_ms();
        connection->is_served = true;
    }
}

/* --- the thread --------------------------------------------------------------------------- */

static void *
run(void *context)
{
    struct web_server *server = context;
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    struct pollfd waits[] = {{.fd = info->epoll_fd, .events = POLLIN},
                             {.fd = server->stop, .events = POLLIN}};
    int64_t looked_ms = 0;

    while (waits[1].revents == 0) {
        MHD_UNSIGNED_LONG_LONG timeout_ms;
        int wait_ms = POLL_MS;
        if (MHD_get_timeout(server->daemon, &timeout_ms) == MHD_YES && timeout_ms < POLL_MS)
            wait_ms = (int)timeout_ms;
        poll(waits, 2, wait_ms);
        MHD_run(server->daemon);
        if (now_ms() - looked_ms >= POLL_MS) {
            cut_late(server);
            looked_ms = now_ms();
        }
    }
    MHD_stop_daemon(server->daemon);
    return NULL;
}

/* Signals are for the main thread. */
static bool
start_thread(struct web_server *server, struct error *err)
{
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int fault = pthread_create(&server->thread, NULL, run, server);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return fault == 0 ||
           error_set(err, ERROR_INTERNAL, "cannot start a thread: %s", strerror(fault));
}

static bool
start_daemon(struct web_server *server, const struct web_options *options, int listener,
             struct error *err)
{
    unsigned flags = MHD_USE_EPOLL;
    const struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)options->certificate},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)options->key},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)"NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"},
        {MHD_OPTION_END, 0, NULL},
    };
    const struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};

    if (options->key != NULL)
        flags |= MHD_USE_TLS;
    server->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, on_request, server, MHD_OPTION_ARRAY,
        options->key == NULL ? none : tls, MHD_OPTION_LISTEN_SOCKET, listener,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_HARD_MAX,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEAD_BYTES_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)ANSWER_S, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, server, MHD_OPTION_NOTIFY_COMPLETED,
        on_completed, server, MHD_OPTION_END);
    if (server->daemon != NULL)
        return true;
    close(listener);
    error_set(err, ERROR_INTERNAL, "cannot start the dashboard's server on %s", options->listen);
    return options->key == NULL ||
           error_hint(err, "Are the certificate and its key PEM, and do they belong together?");
}

static const char *const *
copy_hosts(struct arena *arena, const struct web_options *options)
{
    const char **hosts = ARENA_ARRAY(arena, const char *, options->host_count + 1);

    for (size_t i = 0; i < options->host_count; i++)
        hosts[i] = arena_strdup(arena, options->hosts[i]);
    return hosts;
}

struct web_server *
web_server_new(const struct web_options *options, struct watch_board *board, struct error *err)
{
    struct arena *arena = arena_new();
    struct web_server *server = ARENA_NEW(arena, struct web_server);
    int listener;

    *server = (struct web_server){
        .arena = arena,
        .token = options->token == NULL ? NULL : arena_strdup(arena, options->token),
        .hosts = copy_hosts(arena, options),
        .host_count = options->host_count,
        .board = board,
        .stop = -1,
    };
    if (!web_listen(arena, options, &listener, &server->url, err) ||
        !start_daemon(server, options, listener, err))
        goto fail;
    server->stop = eventfd(0, EFD_CLOEXEC);
    if (server->stop < 0)
        error_errno(err, "cannot start the dashboard's server");
    else if (start_thread(server, err))
        return server;
    MHD_stop_daemon(server->daemon);
    close(server->stop);
fail:
    arena_free(arena);
    return NULL;
}

const char *
web_server_url(const struct web_server *server)
{
    return server->url;
}

void
web_server_free(struct web_server *server)
{
    uint64_t one = 1;

    if (server == NULL)
        return;
    if (write(server->stop, &one, sizeof(one)) != (ssize_t)sizeof(one))
        abort();
    pthread_join(server->thread, NULL);
    close(server->stop);
    arena_free(server->arena);
}
