/* Patience with locks: one that is not granted within the deck's lock_wait is asked for again, so
 * that nobody queues behind pgdeck for longer, until give_up. On the caller's stack. */
#pragma once
#include "deck/deck.h"

#include <libpq-fe.h>

struct plan_retry {
    const struct deck *deck;
    long long deadline_ms;
    int pause_ms;
};

void plan_retry_init(struct plan_retry *retry, const struct deck *deck);
/* Begins a transaction that waits for a lock no longer than lock_wait. Its commit need not reach
 * the disk by itself: what a crash of the server loses, it loses whole, change and journal, and is
 * done again; the end of the apply or rollback is a commit that flushes all before it. */
bool
plan_retry_begin(const struct plan_retry *retry, PGconn *connection, struct error *err) MUST_CHECK;
/* After a failure: true, after a pause and with err cleared, when it is worth another try. */
bool plan_retry_again(struct plan_retry *retry, struct error *err) MUST_CHECK;
