// SPDX-License-Identifier: MIT
#include "security/verifier.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ITERATIONS = 1000000, MAX_SALT_BYTES = 96, KEY_BYTES = SHA256_DIGEST_LENGTH };

/* Decodes base64 up to the mark; returns what follows it, NULL when it is none. */
static const char *
decode(const char *text, char mark, unsigned char *bytes, size_t max_bytes, size_t *ret_count)
{
    const char *end = strchr(text, mark);
    size_t length = end == NULL ? 0 : (size_t)(end - text);

    if (length == 0 || length % 4 != 0 || length / 4 * 3 > max_bytes)
        return NULL;
    int count = EVP_DecodeBlock(bytes, (const unsigned char *)text, (int)length);
    if (count < 0)
        return NULL;
    *ret_count = (size_t)count - (end[-1] == '=') - (end[-2] == '=');
    return end + 1;
}

/* StoredKey := H(HMAC(PBKDF2(password, salt), "Client Key")), RFC 5802 section 3. */
static bool
stored_key(const char *password, const unsigned char *salt, size_t salt_bytes, int iterations,
           unsigned char *key)
{
    unsigned char salted[KEY_BYTES], client[KEY_BYTES];
    static const char label[] = "Client Key";

    bool is_done = PKCS5_PBKDF2_HMAC(password, (int)strlen(password), salt, (int)salt_bytes,
                                     iterations, EVP_sha256(), KEY_BYTES, salted) == 1 &&
                   HMAC(EVP_sha256(), salted, KEY_BYTES, (const unsigned char *)label,
                        sizeof(label) - 1, client, NULL) != NULL &&
                   EVP_Digest(client, KEY_BYTES, key, NULL, EVP_sha256(), NULL) == 1;
    OPENSSL_cleanse(salted, sizeof(salted));
    OPENSSL_cleanse(client, sizeof(client));
    return is_done;
}

/* SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey> */
enum verifier_match
verifier_compare(const char *verifier, const char *password)
{
    static const char mechanism[] = "SCRAM-SHA-256$";
    unsigned char salt[MAX_SALT_BYTES], there[KEY_BYTES + 3], wanted[KEY_BYTES];
    size_t salt_bytes = 0, there_bytes = 0;
    char *end;

    if (verifier == NULL || strncmp(verifier, mechanism, sizeof(mechanism) - 1) != 0)
        return VERIFIER_FOREIGN;
    long iterations = strtol(verifier + sizeof(mechanism) - 1, &end, 10);
    if (*end != ':' || iterations < 1 || iterations > MAX_ITERATIONS)
        return VERIFIER_FOREIGN;
    const char *key = decode(end + 1, '$', salt, sizeof(salt), &salt_bytes);
    if (key == NULL || decode(key, ':', there, sizeof(there), &there_bytes) == NULL ||
        there_bytes != KEY_BYTES)
        return VERIFIER_FOREIGN;
    for (const char *at = password; *at != '\0'; at++) {
        if ((unsigned char)*at < ' ' || (unsigned char)*at > '~')
            return VERIFIER_UNKNOWN;
    }
    if (!stored_key(password, salt, salt_bytes, (int)iterations, wanted))
        return VERIFIER_UNKNOWN;
    return CRYPTO_memcmp(there, wanted, KEY_BYTES) == 0 ? VERIFIER_SAME : VERIFIER_OTHER;
}
