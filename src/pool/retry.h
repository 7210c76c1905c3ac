/* Statements whose plan no longer fits ("cached plan must not change result type", after DDL), or
 * that a function has deallocated, are made anew without the client seeing it. The messages from a
 * first Bind up to Sync or Describe are kept; when the very first answer is that error, and no
 * transaction was open, the server has done nothing, and they are handled once more. A write cannot
 * be repeated by that. The ParameterDescription in front of the error is kept, too, until what
 * follows is no error. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pool_server;

enum { POOL_RETRY_BYTES_MAX = 4096 };

struct pool_retry {
    uint8_t *bytes;  /* of POOL_RETRY_BYTES_MAX; NULL until first needed */
    uint8_t *answer; /* ParameterDescription; NULL: none */
    size_t answer_bytes;
    uint32_t count;  /* 0: nothing can be tried again */
    bool is_whole;   /* up to its Sync */
    bool is_due;     /* the error has come: once the server is ready */
    bool is_second;  /* it has been tried again, and nothing else was answered since */
    uint32_t serial; /* of what is kept; never 0 then */
    uint32_t stale;  /* number of a statement that the server is to forget; 0: none */
};

/* A message of the client is about to be handled; bytes NULL: it is not all there, or streams.
 * True: it is the first that is kept; pool_retry_mark once what is owed for it is noted. */
bool pool_retry_note(struct pool_server *server, uint8_t type, const uint8_t *bytes, size_t count);
void pool_retry_mark(struct pool_server *server);
/* An answer is about to go on to the client; bytes NULL: it is not all there. False: kept here. */
bool
pool_retry_answer(struct pool_server *server, uint8_t type, const uint8_t *bytes, size_t count);
/* The client gets the answer that is kept, if any. */
void pool_retry_tell(struct pool_server *server);
/* The first owed answer fails so: true when the client is not to see it. */
bool pool_retry_begin(struct pool_server *server);
/* The server is ready: the messages are back in front of what the client has sent. */
bool pool_retry_end(struct pool_server *server);
static inline void
pool_retry_forget(struct pool_retry *retry)
{
    retry->count = 0;
    retry->is_whole = retry->is_due = false;
}
