/* Asks servers for the verifiers of logins (auth_query): a thread of its own with libpq, since that
 * waits. Questions and answers go through it in order; it keeps a few connections. */
#pragma once
#include "base/error.h"
#include <stdint.h>

struct pool_lookup;

enum { POOL_LOOKUP_VERIFIER_BYTES = 512, POOL_LOOKUP_LOGIN_BYTES = 64 };

struct pool_lookup_question {
    uint64_t client;      /* serial */
    const char *conninfo; /* where, and as whom */
    const char *query;    /* with $1, the login */
    const char *login;
};

struct pool_lookup_answer {
    uint64_t client;
    char verifier[POOL_LOOKUP_VERIFIER_BYTES]; /* "": there is none */
    char fault[256];                           /* "": it could be asked */
};

struct pool_lookup *pool_lookup_new(struct error *err) MUST_CHECK;
/* Waits for the question that is being asked. NULL: nothing. */
void pool_lookup_free(struct pool_lookup *lookup);
/* Can be read when there are answers. */
int pool_lookup_descriptor(const struct pool_lookup *lookup);
/* Copies the question; false: too many are waiting. */
bool pool_lookup_ask(struct pool_lookup *lookup, const struct pool_lookup_question *question);
bool pool_lookup_take(struct pool_lookup *lookup, struct pool_lookup_answer *ret_answer);
