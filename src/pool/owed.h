/* What a server still owes: one entry for each message that was sent to it and will be answered,
 * in order. Every answer is looked up here; one that is not owed is the end of that connection.
 * A server is free only when nothing is owed. Grows on the heap up to a limit. One thread. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum pool_owed_kind {
    POOL_OWED_NOTHING,
    POOL_OWED_PARSE,
    POOL_OWED_BIND,
    POOL_OWED_DESCRIBE_STATEMENT,
    POOL_OWED_DESCRIBE_PORTAL,
    POOL_OWED_EXECUTE,
    POOL_OWED_CLOSE,
    POOL_OWED_SYNC,
    POOL_OWED_QUERY,
    POOL_OWED_CALL,
    POOL_OWED_COPY_END,    /* CopyDone, CopyFail: no answer; ends a COPY that runs */
    POOL_OWED_LOCAL_PARSE, /* ParseComplete that the pool gives, in its place */
    POOL_OWED_LOCAL_CLOSE, /* CloseComplete likewise */
    POOL_OWED_KINDS
};

struct pool_owed {
    uint8_t kind;
    bool is_hidden; /* the pool's own: the client sees nothing of the answer */
    /* Its number on that server; POOL_OWED_UNNAMED; 0: not kept. With QUERY: see put_query. */
    uint32_t statement;
    uint32_t name;  /* that it gives the client (struct pool_name); POOL_OWED_UNNAMED; 0: none */
    uint32_t key;   /* of the client's name that it changes (pool_name_key); 0: none */
    uint64_t query; /* whose answer it is, by its hash; 0: nobody's */
    uint32_t start; /* of what can be tried again: pool_retry.serial; 0: not its start */
    /* What the name was before, owned: with name POOL_OWED_UNNAMED a struct pool_statement, with
     * LOCAL_CLOSE a struct pool_name; NULL: nothing. The entry's owner frees it. */
    void *before;
};
#define POOL_OWED_UNNAMED UINT32_MAX

enum { POOL_OWED_MAX = 4096 };

struct pool_owed_queue {
    struct pool_owed *items; /* a ring */
    uint32_t first, count;
    uint32_t capacity; /* a power of two */
    uint32_t changes;  /* entries that change what a name is */
    /* After an error the server ignores all up to the next Sync, which was not sent yet. */
    bool is_skipping;
};

enum pool_copy { POOL_COPY_NONE, POOL_COPY_IN, POOL_COPY_OUT };

/* What the answer means. */
enum pool_answer {
    POOL_ANSWER_BAD,   /* not owed */
    POOL_ANSWER_PART,  /* belongs to the first entry, which stays */
    POOL_ANSWER_WHOLE, /* the first entry is answered: remove it */
    POOL_ANSWER_ASYNC, /* owed by nobody: notice, parameter, notification */
};

/* Adds an entry; false: no memory, or over the limit. While skipping all but SYNC is left out. */
bool pool_owed_add(struct pool_owed_queue *queue, struct pool_owed owed);
/* The first; kind POOL_OWED_NOTHING when there is none. */
struct pool_owed pool_owed_first(const struct pool_owed_queue *queue);
/* The last; NULL when there is none. */
struct pool_owed *pool_owed_last(struct pool_owed_queue *queue);
void pool_owed_remove(struct pool_owed_queue *queue);
bool pool_owed_is_full(const struct pool_owed_queue *queue);
bool pool_owed_has(const struct pool_owed_queue *queue, enum pool_owed_kind kind);
/* Whether anything is owed that the client waits for. */
bool pool_owed_has_visible(const struct pool_owed_queue *queue);
/* The last one changes the client's name of that number and key, which was before. */
void pool_owed_mark(struct pool_owed_queue *queue, uint32_t name, uint32_t key, void *before);
/* Whether an entry of a group in front of the one that is being sent changes the name of that key,
 * or makes the statement of that number on the server: it may yet be left out after an error. */
bool pool_owed_is_unsure(const struct pool_owed_queue *queue, uint32_t key, uint32_t statement);
/* Whether any group in front of the one that is being sent is not answered yet. */
bool pool_owed_has_group(const struct pool_owed_queue *queue);
/* The one that many behind the first; NULL: none. */
struct pool_owed *pool_owed_at(const struct pool_owed_queue *queue, uint32_t index);
/* The first behind the first that changes the unnamed statement; NULL: none. */
struct pool_owed *pool_owed_next_unnamed(struct pool_owed_queue *queue);
/* What a message of this type is to the first entry. copy: state of a COPY, kept up to date. */
enum pool_answer
pool_owed_answer(const struct pool_owed_queue *queue, uint8_t type, enum pool_copy *copy);
/* CopyInResponse has come: the Syncs already sent behind it are ignored by the server up to the
 * end of the COPY. False: something else was sent, and the server will not survive that. */
bool pool_owed_start_copy(struct pool_owed_queue *queue);
/* ErrorResponse has come: removes what the server now leaves out. dropped is called for each. */
void pool_owed_fail(struct pool_owed_queue *queue,
                    void (*dropped)(void *context, const struct pool_owed *owed), void *context);
/* All that is owed is the pool's own from now on. */
void pool_owed_hide(struct pool_owed_queue *queue);
void pool_owed_release(struct pool_owed_queue *queue);
