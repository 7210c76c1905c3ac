/* SCRAM-SHA-256 (RFC 5802, RFC 7677) without channel binding, both sides, as PostgreSQL speaks it.
 * No I/O. The expensive part, PBKDF2, is only in wire_scram_keys_of_password; whoever serves many
 * logins keeps the keys. An exchange lives from a connection's first to its last SASL message;
 * release it, as it holds keys. One thread an object. */
#pragma once
#include "base/error.h"
#include <stdint.h>

enum {
    WIRE_SCRAM_KEY_BYTES = 32,
    WIRE_SCRAM_SALT_BYTES_MAX = 64,
    WIRE_SCRAM_NONCE_BYTES_MAX = 256, /* as text, both sides' together at most twice this */
    WIRE_SCRAM_MESSAGE_BYTES_MAX = 1024,
    WIRE_SCRAM_ITERATIONS_MIN = 4096, /* RFC 7677; a server that asks for less is not asked on */
    WIRE_SCRAM_ITERATIONS_MAX = 1000000,
};
#define WIRE_SCRAM_MECHANISM "SCRAM-SHA-256"

/* What PBKDF2 gives. A verifier as in pg_authid has all but client_key: enough to let a client in,
 * not to log in; client_key becomes known when the client has logged in. */
struct wire_scram_keys {
    uint8_t salt[WIRE_SCRAM_SALT_BYTES_MAX];
    size_t salt_bytes;
    uint32_t iterations;
    uint8_t stored_key[WIRE_SCRAM_KEY_BYTES];
    uint8_t server_key[WIRE_SCRAM_KEY_BYTES];
    uint8_t client_key[WIRE_SCRAM_KEY_BYTES];
    bool has_client_key;
};

/* PBKDF2: milliseconds. The password goes through SASLprep first, as the server's does. */
bool wire_scram_keys_of_password(const char *password, const uint8_t *salt, size_t salt_bytes,
                                 uint32_t iterations, struct wire_scram_keys *ret_keys,
                                 struct error *err) MUST_CHECK;
/* SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey> */
bool wire_scram_read_verifier(const char *text, struct wire_scram_keys *ret_keys) MUST_CHECK;
/* Keys that no password has, for a user that is not there: salt comes from secret and user, so
 * that it is the same each time, as a real user's is. */
void wire_scram_mock_keys(const uint8_t secret[WIRE_SCRAM_KEY_BYTES], const char *user,
                          struct wire_scram_keys *ret_keys);

struct wire_scram {
    bool is_done;
    struct wire_scram_keys keys;
    char nonce[2 * WIRE_SCRAM_NONCE_BYTES_MAX];    /* client: own; server: both */
    char first_bare[WIRE_SCRAM_MESSAGE_BYTES_MAX]; /* the client's first message without gs2 */
    char server_first[WIRE_SCRAM_MESSAGE_BYTES_MAX];
    char gs2[4]; /* n,, or y,, */
    char without_proof[WIRE_SCRAM_MESSAGE_BYTES_MAX];
};
void wire_scram_release(struct wire_scram *scram);

/* --- the server's side. nonce: 18 random bytes. Errors: ERROR_AUTHENTICATION with SQLSTATE -----
 */

/* Reads the client's first message, gives the server's first. */
bool wire_scram_server_first(struct wire_scram *scram, const struct wire_scram_keys *keys,
                             const uint8_t nonce[18], const char *message, size_t length,
                             struct error *err) MUST_CHECK;
/* Reads the client's final message, gives the server's final one ("v=..."), and the client key
 * into scram->keys. A wrong proof is 28P01. */
bool wire_scram_server_final(struct wire_scram *scram, const char *message, size_t length,
                             char ret_final[WIRE_SCRAM_MESSAGE_BYTES_MAX],
                             struct error *err) MUST_CHECK;

/* --- the client's side -------------------------------------------------------------------- */

/* Gives the first message. */
void wire_scram_client_first(struct wire_scram *scram, const uint8_t nonce[18],
                             char ret_first[WIRE_SCRAM_MESSAGE_BYTES_MAX]);
/* What the server wants: its salt and iterations, so that the caller can find or make the keys. */
bool wire_scram_read_server_first(struct wire_scram *scram, const char *message, size_t length,
                                  struct wire_scram_keys *ret_wanted, struct error *err) MUST_CHECK;
/* Gives the final message; keys must have the client key and belong to what the server wants. */
void wire_scram_client_final(struct wire_scram *scram, const struct wire_scram_keys *keys,
                             char ret_final[WIRE_SCRAM_MESSAGE_BYTES_MAX]);
/* Checks the server's signature; only then the login is one. */
bool wire_scram_read_server_final(struct wire_scram *scram, const char *message, size_t length,
                                  struct error *err) MUST_CHECK;
