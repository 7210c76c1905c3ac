/* SCRAM-SHA-256 verifiers as PostgreSQL keeps them in pg_authid (RFC 5803). */
#pragma once
#include <stdbool.h>

enum verifier_match {
    VERIFIER_SAME,
    VERIFIER_OTHER,   /* of another password */
    VERIFIER_FOREIGN, /* no SCRAM-SHA-256 verifier, or one that cannot be read */
    VERIFIER_UNKNOWN, /* a password with other letters than ASCII, which SASLprep may change */
};

enum verifier_match verifier_compare(const char *verifier, const char *password);
