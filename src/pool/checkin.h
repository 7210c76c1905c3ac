/* The check-in rule: when a server may go from one client to another. The law of the pool, as a
 * table, apart from everything that moves bytes. */
#pragma once
#include <stdbool.h>

/* What is so about a server now; a set. */
enum pool_fact {
    POOL_FACT_BROKEN = 1 << 0,  /* it said something that was not owed, or is gone */
    POOL_FACT_PARTIAL = 1 << 1, /* part of a message was sent to it */
    POOL_FACT_UNSENT = 1 << 2,  /* bytes for it wait in our buffer */
    POOL_FACT_UNREAD = 1 << 3,  /* bytes of it wait in its socket or our buffer */
    POOL_FACT_OWED = 1 << 4,    /* an answer is owed, or a Sync after an error */
    POOL_FACT_COPY = 1 << 5,    /* a COPY is open */
    POOL_FACT_BLOCK = 1 << 6,   /* its status is not I: in a transaction */
    POOL_FACT_CANCEL = 1 << 7,  /* a cancel request is on its way to it */
    POOL_FACT_SESSION = 1 << 8, /* session pooling */
    POOL_FACT_PINNED = 1 << 9,  /* it holds what cannot be carried to another server */
    POOL_FACT_SIGNS = 1 << 10,  /* statements may have left something behind: ask the server */
    POOL_FACT_GONE = 1 << 11,   /* its client has gone */
};

enum pool_verdict {
    POOL_KEEP,    /* stays with its client */
    POOL_CLOSE,   /* must never be used again */
    POOL_WAIT,    /* neither: not before the cancel request is through */
    POOL_PROBE,   /* ask what the session holds, then again */
    POOL_RELEASE, /* free for the next client */
    POOL_RESET,   /* free after DISCARD ALL */
};

enum pool_verdict pool_checkin(unsigned facts);
/* Why: the comment of the row that decided. */
const char *pool_checkin_reason(unsigned facts);
