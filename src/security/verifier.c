// SPDX-License-Identifier: MIT
#include "security/verifier.h"

#include "wire/scram.h"

#include <openssl/crypto.h>
#include <string.h>

enum verifier_match
verifier_compare(const char *verifier, const char *password)
{
    struct wire_scram_keys there, wanted;
    struct error ignored;

    if (verifier == NULL || !wire_scram_read_verifier(verifier, &there))
        return VERIFIER_FOREIGN;
    for (const char *at = password; *at != '\0'; at++) {
        if ((unsigned char)*at < ' ' || (unsigned char)*at > '~')
            return VERIFIER_UNKNOWN;
    }
    if (!wire_scram_keys_of_password(password, there.salt, there.salt_bytes, there.iterations,
                                     &wanted, &ignored))
        return VERIFIER_UNKNOWN;
    bool is_same = CRYPTO_memcmp(there.stored_key, wanted.stored_key, WIRE_SCRAM_KEY_BYTES) == 0;
    OPENSSL_cleanse(&wanted, sizeof(wanted));
    return is_same ? VERIFIER_SAME : VERIFIER_OTHER;
}
