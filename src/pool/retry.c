// SPDX-License-Identifier: MIT
#include "pool/pool.h"

#include <stdlib.h>

bool
pool_retry_note(struct pool_server *server, uint8_t type, const uint8_t *bytes, size_t count)
{
    struct pool_retry *retry = &server->retry;
    bool is_first = !server->is_unsynced && (type == 'B' || type == 'D');

    if (is_first)
        pool_retry_forget(retry);
    else if (retry->count == 0)
        return false;
    /* What follows behind the Sync is on its way too: the order could not be kept. */
    bool is_fit = bytes != NULL && !retry->is_whole && strchr("BDECS", type) != NULL &&
                  retry->count + count <= POOL_RETRY_BYTES_MAX;
    if (is_fit && retry->bytes == NULL)
        retry->bytes = malloc(POOL_RETRY_BYTES_MAX);
    if (!is_fit || retry->bytes == NULL) {
        pool_retry_forget(retry);
        return false;
    }
    memcpy(retry->bytes + retry->count, bytes, count);
    retry->count += (uint32_t)count;
    retry->is_whole = type == 'S';
    return is_first;
}

void
pool_retry_mark(struct pool_server *server)
{
    struct pool_owed *last = pool_owed_last(&server->owed);

    if (++server->retry.serial == 0)
        server->retry.serial = 1;
    if (last != NULL)
        last->start = server->retry.serial;
}

static bool
is_start(const struct pool_server *server, const struct pool_owed *first)
{
    return first->start != 0 && first->start == server->retry.serial;
}

void
pool_retry_tell(struct pool_server *server)
{
    struct pool_retry *retry = &server->retry;

    if (retry->answer == NULL)
        return;
    if (server->client != NULL)
        pool_link_put(&server->client->link, &server->pool->buffers, retry->answer,
                      retry->answer_bytes);
    free(retry->answer);
    retry->answer = NULL;
}

bool
pool_retry_answer(struct pool_server *server, uint8_t type, const uint8_t *bytes, size_t count)
{
    struct pool_retry *retry = &server->retry;
    struct pool_owed first = pool_owed_first(&server->owed);

    retry->is_second = false;
    if (!is_start(server, &first)) { /* a group behind it may have begun between two answers */
        pool_retry_tell(server);
        return true;
    }
    if (type == 't' && retry->is_whole && bytes != NULL) {
        retry->answer = malloc(count);
        if (retry->answer != NULL) {
            memcpy(retry->answer, bytes, count);
            retry->answer_bytes = count;
            return false;
        }
    }
    pool_retry_forget(retry);
    pool_retry_tell(server);
    return true;
}

bool
pool_retry_begin(struct pool_server *server)
{
    struct pool_retry *retry = &server->retry;
    struct pool_owed first = pool_owed_first(&server->owed);

    bool is_second = retry->is_second;
    retry->is_second = false;
    if (is_second || retry->count == 0 || !retry->is_whole || !is_start(server, &first) ||
        server->client == NULL || server->state != POOL_SERVER_ACTIVE || server->status != 'I')
        return false;
    free(retry->answer);
    retry->answer = NULL;
    retry->is_due = true;
    return true;
}

bool
pool_retry_end(struct pool_server *server)
{
    struct pool_retry *retry = &server->retry;
    struct pool_client *client = server->client;
    struct pool_buffers *buffers = &server->pool->buffers;

    retry->is_due = false;
    retry->is_second = true;
    bool is_back = pool_link_put_back(&client->link, buffers, retry->bytes, retry->count);
    pool_retry_forget(retry);
    return is_back;
}
