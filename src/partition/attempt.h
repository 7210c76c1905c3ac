/* Work that wants a lock on a table in use: a transaction that waits for none longer than lock_wait
 * and is tried again, after pauses that get longer, up to give_up. */
#pragma once
#include "change/change.h"
#include "deck/deck.h"

struct partition_attempt {
    struct arena *arena;
    PGconn *connection;
    const struct deck *deck;
};

typedef bool partition_work(void *sink, struct error *err);

bool partition_patiently(const struct partition_attempt *attempt, partition_work *work, void *sink,
                         struct error *err) MUST_CHECK;
bool partition_execute_patiently(const struct partition_attempt *attempt, const char *sql,
                                 struct error *err) MUST_CHECK;
/* A statement that can be in no transaction, or that may take long while nobody waits for it. */
bool partition_execute_long(const struct partition_attempt *attempt, const char *sql,
                            struct error *err) MUST_CHECK;
