// SPDX-License-Identifier: MIT
#include "sim/login.h"

#include "wire/cursor.h"
#include "wire/writer.h"

enum { IS_IN = 0, SASL = 10, SASL_CONTINUE = 11, SASL_FINAL = 12, MESSAGE_BYTES = 4096 };

static const uint8_t nonce[18] = "eighteen of a kind";

void
sim_login_keys(struct wire_scram_keys *ret_keys)
{
    struct error err;

    if (!wire_scram_keys_of_password("sim", (const uint8_t *)"salt", 4, WIRE_SCRAM_ITERATIONS_MIN,
                                     ret_keys, &err))
        abort();
}

void
sim_login_release(struct sim_login *login)
{
    wire_scram_release(&login->scram);
}

/* --- the server's side --------------------------------------------------------------------- */

static void
put_authentication(struct sim_bytes *out, uint32_t code, const void *data, size_t count)
{
    struct wire_writer writer = sim_bytes_begin(out, MESSAGE_BYTES);

    wire_put_authentication(&writer, code, data, count);
    sim_bytes_end(out, &writer);
}

void
sim_login_ask(struct sim_bytes *out)
{
    put_authentication(out, SASL, WIRE_SCRAM_MECHANISM "\0", sizeof(WIRE_SCRAM_MECHANISM) + 1);
}

bool
sim_login_serve(struct sim_login *login, const struct wire_scram_keys *keys, const uint8_t *body,
                size_t count, struct sim_bytes *out, bool *ret_is_in)
{
    struct wire_cursor cursor = wire_cursor(body, count);
    char final[WIRE_SCRAM_MESSAGE_BYTES_MAX];
    struct error err;

    *ret_is_in = login->stage++ > 0;
    if (*ret_is_in) {
        if (!wire_scram_server_final(&login->scram, (const char *)body, count, final, &err))
            return false;
        put_authentication(out, SASL_FINAL, final, strlen(final));
        return true;
    }
    (void)wire_get_string(&cursor);
    uint32_t length = wire_get_uint32(&cursor);
    const uint8_t *first = wire_get_bytes(&cursor, length);
    if (first == NULL ||
        !wire_scram_server_first(&login->scram, keys, nonce, (const char *)first, length, &err))
        return false;
    put_authentication(out, SASL_CONTINUE, login->scram.server_first,
                       strlen(login->scram.server_first));
    return true;
}

/* --- the client's side --------------------------------------------------------------------- */

static void
put_first(struct sim_login *login, struct sim_bytes *out)
{
    struct wire_writer writer = sim_bytes_begin(out, MESSAGE_BYTES);
    char first[WIRE_SCRAM_MESSAGE_BYTES_MAX];

    wire_scram_client_first(&login->scram, nonce, first);
    wire_begin(&writer, 'p');
    wire_put_string(&writer, WIRE_SCRAM_MECHANISM);
    wire_put_uint32(&writer, (uint32_t)strlen(first));
    wire_put_bytes(&writer, first, strlen(first));
    wire_end(&writer);
    sim_bytes_end(out, &writer);
}

static bool
put_final(struct sim_login *login, const struct wire_scram_keys *keys, struct wire_cursor cursor,
          struct sim_bytes *out)
{
    struct wire_scram_keys wanted, own = *keys;
    char final[WIRE_SCRAM_MESSAGE_BYTES_MAX];
    struct error err;

    if (!wire_scram_read_server_first(&login->scram, (const char *)cursor.at, wire_left(&cursor),
                                      &wanted, &err))
        return false;
    own.client_key[0] ^= (uint8_t)login->has_wrong_keys;
    wire_scram_client_final(&login->scram, &own, final);
    struct wire_writer writer = sim_bytes_begin(out, MESSAGE_BYTES);
    wire_begin(&writer, 'p');
    wire_put_bytes(&writer, final, strlen(final));
    wire_end(&writer);
    sim_bytes_end(out, &writer);
    return true;
}

bool
sim_login_answer(struct sim_login *login, const struct wire_scram_keys *keys, const uint8_t *body,
                 size_t count, struct sim_bytes *out)
{
    struct wire_cursor cursor = wire_cursor(body, count);
    uint32_t code = wire_get_uint32(&cursor);
    struct error err;

    if (code == SASL)
        put_first(login, out);
    else if (code == SASL_CONTINUE)
        return put_final(login, keys, cursor, out);
    else if (code == SASL_FINAL)
        return wire_scram_read_server_final(&login->scram, (const char *)cursor.at,
                                            wire_left(&cursor), &err);
    return code == IS_IN || code == SASL;
}
