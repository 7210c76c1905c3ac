/* The certificate of a private server: signed by an authority of its own, whose key is forgotten at
 * once, so that nobody can sign anything else with it. */
#pragma once
#include "base/arena.h"
#include "base/error.h"

/* PEM texts, in the arena. names: DNS names and addresses that it is for. */
struct local_certificate {
    const char *authority, *certificate, *key;
};
bool local_certificate_make(struct arena *arena, const char *const *names, size_t count,
                            struct local_certificate *ret_certificate,
                            struct error *err) MUST_CHECK;
