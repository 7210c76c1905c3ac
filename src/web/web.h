/* The dashboard's server: hands out the page's files and the documents on the board of
 * `pgdeck watch`, nothing else. GET and HEAD only; it reads no database and waits for none. All of
 * it runs in one thread of its own; web_server_new and _free belong to the thread that calls
 * them. What clients can take is bounded: 256 connections, 16 kB of a request's head, 10 s from
 * one answer to the end of the next. */
#pragma once
#include "base/error.h"
#include "watch/board.h"

struct web_options {
    const char *listen;       /* "127.0.0.1:8765", "[::1]:8765"; port 0: any free one */
    const char *const *hosts; /* names that it is called by, beside localhost and addresses */
    size_t host_count;
    const char *token;       /* that a client must have to read a document; NULL: none */
    const char *certificate; /* PEM; NULL: no TLS */
    const char *key;         /* PEM */
};

struct web_server;

/* Listens, and serves from now on. options live only for the call, board until web_server_free.
 * Errors: ERROR_REFUSED for an address that others can reach, without a token and TLS. */
struct web_server *web_server_new(const struct web_options *options, struct watch_board *board,
                                  struct error *err) MUST_CHECK;
/* "http://127.0.0.1:8765/" */
const char *web_server_url(const struct web_server *server);
void web_server_free(struct web_server *server); /* NULL: nothing */
