// SPDX-License-Identifier: MIT
#define OPENSSL_SUPPRESS_DEPRECATED /* SHA256_Init and the like: see hmac */
#include "wire/scram.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <stringprep.h>

enum {
    KEY_BYTES = WIRE_SCRAM_KEY_BYTES,
    BASE64_KEY_BYTES = (KEY_BYTES + 2) / 3 * 4,
    NONCE_RANDOM_BYTES = 18,
    MOCK_SALT_BYTES = 16,
};

static bool fault(struct error *err, const char *sqlstate, const char *format, ...)
    PRINTF_LIKE(3, 4);

static bool
fault(struct error *err, const char *sqlstate, const char *format, ...)
{
    char message[256];
    va_list args;

    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    error_set(err, ERROR_AUTHENTICATION, "%s", message);
    memcpy(err->sqlstate, sqlstate, sizeof(err->sqlstate));
    return false;
}

/* --- bytes -------------------------------------------------------------------------------- */

static void
sha256(const uint8_t *bytes, size_t count, uint8_t ret_hash[KEY_BYTES])
{
    SHA256_CTX context;

    SHA256_Init(&context);
    SHA256_Update(&context, bytes, count);
    SHA256_Final(ret_hash, &context);
}

/* SHA-256 over a padded key and texts, which end with a NULL: the inner hash of RFC 2104. */
static void
hash_texts(const uint8_t block[SHA256_CBLOCK], const char *const texts[],
           uint8_t ret_hash[KEY_BYTES])
{
    SHA256_CTX context;

    SHA256_Init(&context);
    SHA256_Update(&context, block, SHA256_CBLOCK);
    for (size_t i = 0; texts[i] != NULL; i++)
        SHA256_Update(&context, texts[i], strlen(texts[i]));
    SHA256_Final(ret_hash, &context);
}

/* OpenSSL's own HMAC looks for its algorithm anew each time, which was a fifth of what a login
 * cost the pool. */
static void
hmac(const uint8_t key[KEY_BYTES], const char *const texts[], uint8_t ret_mac[KEY_BYTES])
{
    uint8_t inner[SHA256_CBLOCK], outer[SHA256_CBLOCK + KEY_BYTES];

    for (size_t i = 0; i < SHA256_CBLOCK; i++) {
        uint8_t byte = i < KEY_BYTES ? key[i] : 0;
        inner[i] = byte ^ 0x36;
        outer[i] = byte ^ 0x5c;
    }
    hash_texts(inner, texts, outer + (size_t)SHA256_CBLOCK);
    sha256(outer, sizeof(outer), ret_mac);
    OPENSSL_cleanse(inner, sizeof(inner));
    OPENSSL_cleanse(outer, sizeof(outer));
}

/* At most size - 1 characters, and a NUL. */
static void
copy(char *text, size_t size, const char *from, size_t length)
{
    length = length < size ? length : size - 1;
    memcpy(text, from, length);
    text[length] = '\0';
}

static void
encode(const uint8_t *bytes, size_t count, char *ret_text)
{
    EVP_EncodeBlock((uint8_t *)ret_text, bytes, (int)count);
}

/* Decodes base64 of exactly length characters, and takes only what encoding would give. */
static bool
decode(const char *text, size_t length, uint8_t *ret_bytes, size_t max_bytes, size_t *ret_count)
{
    uint8_t bytes[WIRE_SCRAM_SALT_BYTES_MAX + 3];
    char again[(WIRE_SCRAM_SALT_BYTES_MAX + 3) * 2];

    if (length == 0 || length % 4 != 0 || length / 4 * 3 > sizeof(bytes))
        return false;
    int count = EVP_DecodeBlock(bytes, (const uint8_t *)text, (int)length);
    if (count < 0)
        return false;
    size_t exact = (size_t)count - (text[length - 1] == '=') - (text[length - 2] == '=');
    encode(bytes, exact, again);
    if (exact > max_bytes || strlen(again) != length || memcmp(again, text, length) != 0)
        return false;
    memcpy(ret_bytes, bytes, exact);
    *ret_count = exact;
    OPENSSL_cleanse(bytes, sizeof(bytes));
    return true;
}

/* --- keys --------------------------------------------------------------------------------- */

/* As servers and libpq do (RFC 4013): one with other letters than ASCII in its one form; one that
 * has none stays as it is. Owned by the caller; NULL: no memory. */
static char *
prepare(const char *password)
{
    char *prepared = NULL;
    bool is_ascii = true;

    for (const char *at = password; *at != '\0'; at++)
        is_ascii = is_ascii && (*at & 0x80) == 0;
    if (!is_ascii && stringprep_profile(password, &prepared, "SASLprep",
                                        STRINGPREP_NO_UNASSIGNED) == STRINGPREP_OK)
        return prepared;
    return strdup(password);
}

bool
wire_scram_keys_of_password(const char *password, const uint8_t *salt, size_t salt_bytes,
                            uint32_t iterations, struct wire_scram_keys *ret_keys,
                            struct error *err)
{
    uint8_t salted[KEY_BYTES];

    if (salt_bytes > WIRE_SCRAM_SALT_BYTES_MAX)
        return fault(err, "08P01", "the salt of a password is too long");
    *ret_keys = (struct wire_scram_keys){
        .salt_bytes = salt_bytes, .iterations = iterations, .has_client_key = true};
    memcpy(ret_keys->salt, salt, salt_bytes);
    char *prepared = prepare(password);
    bool is_made = prepared != NULL &&
                   PKCS5_PBKDF2_HMAC(prepared, (int)strlen(prepared), salt, (int)salt_bytes,
                                     (int)iterations, EVP_sha256(), KEY_BYTES, salted) == 1;
    if (prepared != NULL)
        OPENSSL_cleanse(prepared, strlen(prepared));
    free(prepared);
    if (!is_made)
        return fault(err, "XX000", "cannot derive keys from a password");
    hmac(salted, (const char *const[]){"Client Key", NULL}, ret_keys->client_key);
    hmac(salted, (const char *const[]){"Server Key", NULL}, ret_keys->server_key);
    sha256(ret_keys->client_key, KEY_BYTES, ret_keys->stored_key);
    OPENSSL_cleanse(salted, sizeof(salted));
    return true;
}

/* Decodes the base64 up to mark (or the end, NUL); returns what follows, NULL when it is none. */
static const char *
decode_to(const char *text, char mark, uint8_t *bytes, size_t max_bytes, size_t *ret_count)
{
    const char *end = strchr(text, mark);

    if (end == NULL || !decode(text, (size_t)(end - text), bytes, max_bytes, ret_count))
        return NULL;
    return mark == '\0' ? end : end + 1;
}

bool
wire_scram_read_verifier(const char *text, struct wire_scram_keys *ret_keys)
{
    static const char prefix[] = WIRE_SCRAM_MECHANISM "$";
    struct wire_scram_keys keys = {0};
    size_t stored_bytes = 0, server_bytes = 0;
    char *end;

    if (strncmp(text, prefix, sizeof(prefix) - 1) != 0)
        return false;
    const char *number = text + sizeof(prefix) - 1;
    unsigned long iterations = strtoul(number, &end, 10);
    if (*number < '0' || *number > '9' || *end != ':' || iterations < 1 ||
        iterations > WIRE_SCRAM_ITERATIONS_MAX)
        return false;
    keys.iterations = (uint32_t)iterations;
    const char *at = decode_to(end + 1, '$', keys.salt, sizeof(keys.salt), &keys.salt_bytes);
    if (at != NULL)
        at = decode_to(at, ':', keys.stored_key, KEY_BYTES, &stored_bytes);
    if (at != NULL)
        at = decode_to(at, '\0', keys.server_key, KEY_BYTES, &server_bytes);
    if (at == NULL || stored_bytes != KEY_BYTES || server_bytes != KEY_BYTES)
        return false;
    *ret_keys = keys;
    return true;
}

void
wire_scram_mock_keys(const uint8_t secret[KEY_BYTES], const char *user,
                     struct wire_scram_keys *ret_keys)
{
    uint8_t mac[KEY_BYTES];

    *ret_keys = (struct wire_scram_keys){.salt_bytes = MOCK_SALT_BYTES,
                                         .iterations = WIRE_SCRAM_ITERATIONS_MIN};
    hmac(secret, (const char *const[]){user, NULL}, mac);
    memcpy(ret_keys->salt, mac, MOCK_SALT_BYTES);
    hmac(mac, (const char *const[]){"stored", NULL}, ret_keys->stored_key);
    hmac(mac, (const char *const[]){"server", NULL}, ret_keys->server_key);
}

void
wire_scram_release(struct wire_scram *scram)
{
    OPENSSL_cleanse(scram, sizeof(*scram));
}

/* --- attributes: x=value,y=value ---------------------------------------------------------- */

/* The value of the attribute that comes next, up to a comma or the end; NULL when it is another.
 * *at moves behind it and its comma. */
static const char *
attribute(const char **at, const char *end, char name, size_t *ret_length)
{
    if (end - *at < 2 || (*at)[0] != name || (*at)[1] != '=')
        return NULL;
    const char *value = *at + 2;
    const char *comma = memchr(value, ',', (size_t)(end - value));
    *ret_length = (size_t)((comma == NULL ? end : comma) - value);
    *at = comma == NULL ? end : comma + 1;
    return value;
}

/* RFC 5802: printable ASCII but the comma. */
static bool
is_nonce(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (text[i] < 0x21 || text[i] > 0x7e || text[i] == ',')
            return false;
    }
    return length > 0 && length < WIRE_SCRAM_NONCE_BYTES_MAX;
}

static bool
is_message_clean(const char *message, size_t length)
{
    return length < WIRE_SCRAM_MESSAGE_BYTES_MAX && memchr(message, '\0', length) == NULL;
}

/* proof = key xor HMAC(key's hash, AuthMessage): both ways. */
static void
apply_signature(const struct wire_scram *scram, const uint8_t stored_key[KEY_BYTES],
                uint8_t in_out[KEY_BYTES])
{
    const char *const auth_message[] = {scram->first_bare,    ",", scram->server_first, ",",
                                        scram->without_proof, NULL};
    uint8_t signature[KEY_BYTES];

    hmac(stored_key, auth_message, signature);
    for (size_t i = 0; i < KEY_BYTES; i++)
        in_out[i] ^= signature[i];
}

static void
server_signature(const struct wire_scram *scram, uint8_t ret_signature[KEY_BYTES])
{
    memset(ret_signature, 0, KEY_BYTES);
    apply_signature(scram, scram->keys.server_key, ret_signature);
}

/* --- server ------------------------------------------------------------------------------- */

static bool
read_gs2(struct wire_scram *scram, const char **at, const char *end, struct error *err)
{
    if (end - *at < 3 || (**at != 'n' && **at != 'y' && **at != 'p'))
        return fault(err, "08P01", "malformed SCRAM message");
    if (**at == 'p')
        return fault(err, "08P01",
                     "the client requires SCRAM channel binding, which this server "
                     "does not offer");
    if ((*at)[1] == ',' && (*at)[2] == 'a')
        return fault(err, "0A000", "the client asks for another identity, which is not supported");
    if ((*at)[1] != ',' || (*at)[2] != ',')
        return fault(err, "08P01", "malformed SCRAM message");
    copy(scram->gs2, sizeof(scram->gs2), *at, 3);
    *at += 3;
    return true;
}

bool
wire_scram_server_first(struct wire_scram *scram, const struct wire_scram_keys *keys,
                        const uint8_t nonce[18], const char *message, size_t length,
                        struct error *err)
{
    const char *at = message, *end = message + length;
    char own[NONCE_RANDOM_BYTES / 3 * 4 + 1], salt[WIRE_SCRAM_SALT_BYTES_MAX * 2];
    size_t value_length;

    *scram = (struct wire_scram){.keys = *keys};
    if (!is_message_clean(message, length))
        return fault(err, "08P01", "malformed SCRAM message");
    if (!read_gs2(scram, &at, end, err))
        return false;
    copy(scram->first_bare, sizeof(scram->first_bare), at, (size_t)(end - at));
    if (*at == 'm')
        return fault(err, "0A000", "the client requires an unsupported SCRAM extension");
    if (attribute(&at, end, 'n', &value_length) == NULL) /* PostgreSQL takes the start-up's user */
        return fault(err, "08P01", "malformed SCRAM message");
    const char *value = attribute(&at, end, 'r', &value_length);
    if (value == NULL || !is_nonce(value, value_length))
        return fault(err, "08P01", "malformed nonce in SCRAM message");
    encode(nonce, NONCE_RANDOM_BYTES, own);
    encode(keys->salt, keys->salt_bytes, salt);
    copy(scram->nonce, sizeof(scram->nonce), value, value_length);
    copy(scram->nonce + value_length, sizeof(scram->nonce) - value_length, own, strlen(own));
    snprintf(scram->server_first, sizeof(scram->server_first), "r=%s,s=%s,i=%u", scram->nonce, salt,
             keys->iterations);
    return true;
}

/* Takes the client's proof apart: its key, if the password was right. */
static bool
check_proof(struct wire_scram *scram, const char *proof, size_t length)
{
    uint8_t key[KEY_BYTES] = {0}, hash[KEY_BYTES];
    size_t count = 0;
    bool is_read = decode(proof, length, key, KEY_BYTES, &count) && count == KEY_BYTES;

    apply_signature(scram, scram->keys.stored_key, key);
    sha256(key, KEY_BYTES, hash);
    bool is_right = CRYPTO_memcmp(hash, scram->keys.stored_key, KEY_BYTES) == 0 && is_read;
    if (is_right) {
        memcpy(scram->keys.client_key, key, KEY_BYTES);
        scram->keys.has_client_key = true;
    }
    OPENSSL_cleanse(key, sizeof(key));
    return is_right;
}

bool
wire_scram_server_final(struct wire_scram *scram, const char *message, size_t length,
                        char ret_final[WIRE_SCRAM_MESSAGE_BYTES_MAX], struct error *err)
{
    const char *at = message, *end = message + length;
    char binding[8] = "";
    uint8_t signature[KEY_BYTES];
    char base64[BASE64_KEY_BYTES + 1];
    size_t value_length;

    if (!is_message_clean(message, length))
        return fault(err, "08P01", "malformed SCRAM message");
    encode((const uint8_t *)scram->gs2, strlen(scram->gs2), binding);
    const char *value = attribute(&at, end, 'c', &value_length);
    if (value == NULL || value_length != strlen(binding) ||
        memcmp(value, binding, value_length) != 0)
        return fault(err, "08P01",
                     "unexpected SCRAM channel-binding attribute in "
                     "client-final-message");
    value = attribute(&at, end, 'r', &value_length);
    if (value == NULL || value_length != strlen(scram->nonce) ||
        memcmp(value, scram->nonce, value_length) != 0)
        return fault(err, "08P01", "wrong nonce in SCRAM message");
    int before = (int)(at - message) - 1; /* without the comma */
    const char *proof = attribute(&at, end, 'p', &value_length);
    if (proof == NULL || at != end || proof[value_length == 0 ? 0 : value_length - 1] == ',' ||
        proof + value_length != end)
        return fault(err, "08P01", "malformed SCRAM message");
    copy(scram->without_proof, sizeof(scram->without_proof), message, (size_t)before);
    if (!check_proof(scram, proof, value_length))
        return fault(err, "28P01", "password authentication failed");
    server_signature(scram, signature);
    encode(signature, KEY_BYTES, base64);
    snprintf(ret_final, WIRE_SCRAM_MESSAGE_BYTES_MAX, "v=%s", base64);
    scram->is_done = true;
    return true;
}

/* --- client ------------------------------------------------------------------------------- */

void
wire_scram_client_first(struct wire_scram *scram, const uint8_t nonce[18],
                        char ret_first[WIRE_SCRAM_MESSAGE_BYTES_MAX])
{
    *scram = (struct wire_scram){.gs2 = "n,,"};
    encode(nonce, NONCE_RANDOM_BYTES, scram->nonce);
    snprintf(scram->first_bare, sizeof(scram->first_bare), "n=,r=%s", scram->nonce);
    snprintf(ret_first, WIRE_SCRAM_MESSAGE_BYTES_MAX, "n,,%.1000s", scram->first_bare);
}

/* Digits only, 1 to the limit. */
static bool
read_iterations(const char *text, size_t length, uint32_t *ret_iterations)
{
    uint32_t number = 0;

    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9' || number > WIRE_SCRAM_ITERATIONS_MAX)
            return false;
        number = number * 10 + (uint32_t)(text[i] - '0');
    }
    *ret_iterations = number;
    return number >= WIRE_SCRAM_ITERATIONS_MIN && number <= WIRE_SCRAM_ITERATIONS_MAX;
}

bool
wire_scram_read_server_first(struct wire_scram *scram, const char *message, size_t length,
                             struct wire_scram_keys *ret_wanted, struct error *err)
{
    const char *at = message, *end = message + length;
    size_t own = strlen(scram->nonce);
    struct wire_scram_keys wanted = {0};
    size_t value_length;

    if (!is_message_clean(message, length))
        return fault(err, "08P01", "the server sent a malformed SCRAM message");
    copy(scram->server_first, sizeof(scram->server_first), message, length);
    const char *value = attribute(&at, end, 'r', &value_length);
    if (value == NULL || value_length <= own || memcmp(value, scram->nonce, own) != 0 ||
        !is_nonce(value, value_length))
        return fault(err, "08P01", "the server's SCRAM nonce is not an answer to ours");
    copy(scram->nonce, sizeof(scram->nonce), value, value_length);
    value = attribute(&at, end, 's', &value_length);
    if (value == NULL ||
        !decode(value, value_length, wanted.salt, sizeof(wanted.salt), &wanted.salt_bytes))
        return fault(err, "08P01", "the server sent a malformed SCRAM salt");
    value = attribute(&at, end, 'i', &value_length);
    if (value == NULL || !read_iterations(value, value_length, &wanted.iterations)) {
        fault(err, "08P01", "the server's SCRAM iteration count is not acceptable");
        return error_hint(err, "It must be from %d to %d.", WIRE_SCRAM_ITERATIONS_MIN,
                          WIRE_SCRAM_ITERATIONS_MAX);
    }
    *ret_wanted = wanted;
    return true;
}

void
wire_scram_client_final(struct wire_scram *scram, const struct wire_scram_keys *keys,
                        char ret_final[WIRE_SCRAM_MESSAGE_BYTES_MAX])
{
    uint8_t proof[KEY_BYTES];
    char base64[BASE64_KEY_BYTES + 1];

    scram->keys = *keys;
    snprintf(scram->without_proof, sizeof(scram->without_proof), "c=biws,r=%s", scram->nonce);
    memcpy(proof, keys->client_key, KEY_BYTES);
    apply_signature(scram, keys->stored_key, proof);
    encode(proof, KEY_BYTES, base64);
    snprintf(ret_final, WIRE_SCRAM_MESSAGE_BYTES_MAX, "%.900s,p=%s", scram->without_proof, base64);
    OPENSSL_cleanse(proof, sizeof(proof));
}

bool
wire_scram_read_server_final(struct wire_scram *scram, const char *message, size_t length,
                             struct error *err)
{
    const char *at = message, *end = message + length;
    uint8_t given[KEY_BYTES], wanted[KEY_BYTES];
    size_t value_length, count = 0;

    if (length >= 2 && memcmp(message, "e=", 2) == 0)
        return fault(err, "28P01", "the server refused the password");
    const char *value = attribute(&at, end, 'v', &value_length);
    if (value == NULL || at != end || !decode(value, value_length, given, KEY_BYTES, &count) ||
        count != KEY_BYTES)
        return fault(err, "08P01", "the server sent a malformed SCRAM signature");
    server_signature(scram, wanted);
    if (CRYPTO_memcmp(given, wanted, KEY_BYTES) != 0)
        return fault(err, "28000", "the server does not know the password: its signature is wrong");
    scram->is_done = true;
    return true;
}
