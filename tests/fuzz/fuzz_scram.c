// SPDX-License-Identifier: MIT
/* SCRAM messages from either side, and verifiers: the first byte chooses. No input may be let in
 * as it cannot know the password. */
#include "wire/scram.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t nonce[18] = "always these bytes";
static const struct wire_scram_keys keys = {.salt = "salt", .salt_bytes = 4, .iterations = 4096};

static void
serve(const char *text, size_t length)
{
    struct wire_scram scram;
    struct error err;
    char final[WIRE_SCRAM_MESSAGE_BYTES_MAX];
    const char *second = memchr(text, '\n', length);
    size_t first_length = second == NULL ? length : (size_t)(second - text);

    if (!wire_scram_server_first(&scram, &keys, nonce, text, first_length, &err) || second == NULL)
        return;
    length -= first_length + 1;
    bool is_in = wire_scram_server_final(&scram, second + 1, length, final, &err);
    assert(!is_in);
}

static void
answer(const char *text, size_t length)
{
    struct wire_scram scram;
    struct wire_scram_keys wanted;
    struct error err;
    char first[WIRE_SCRAM_MESSAGE_BYTES_MAX];
    const char *second = memchr(text, '\n', length);
    size_t first_length = second == NULL ? length : (size_t)(second - text);

    wire_scram_client_first(&scram, nonce, first);
    if (!wire_scram_read_server_first(&scram, text, first_length, &wanted, &err))
        return;
    assert(wanted.iterations >= WIRE_SCRAM_ITERATIONS_MIN &&
           wanted.iterations <= WIRE_SCRAM_ITERATIONS_MAX);
    wire_scram_client_final(&scram, &keys, first);
    if (second != NULL &&
        wire_scram_read_server_final(&scram, second + 1, length - first_length - 1, &err))
        assert(scram.is_done);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    char *text = malloc(size);
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    if (data[0] % 3 == 0)
        serve(text, size - 1);
    else if (data[0] % 3 == 1)
        answer(text, size - 1);
    struct wire_scram_keys read;
    if (data[0] % 3 == 2 && wire_scram_read_verifier(text, &read))
        assert(read.salt_bytes <= sizeof(read.salt));
    free(text);
    return 0;
}
