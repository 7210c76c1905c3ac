// SPDX-License-Identifier: MIT
#include "pool/pool.h"

#include <stdlib.h>

void
pool_retry_note(struct pool_server *server, uint8_t type, const uint8_t *bytes, size_t count)
{
    struct pool_retry *retry = &server->retry;
    bool is_first =
        server->owed.count == 0 && server->status == 'I' && !server->is_unsynced && type == 'B';

    if (is_first)
        pool_retry_forget(retry);
    else if (retry->count == 0)
        return;
    /* What follows behind the Sync is on its way too: the order could not be kept. */
    bool is_fit = bytes != NULL && !retry->is_whole && strchr("BDECS", type) != NULL &&
                  retry->count + count <= POOL_RETRY_BYTES_MAX;
    if (is_fit && retry->bytes == NULL)
        retry->bytes = malloc(POOL_RETRY_BYTES_MAX);
    if (!is_fit || retry->bytes == NULL) {
        pool_retry_forget(retry);
        return;
    }
    memcpy(retry->bytes + retry->count, bytes, count);
    retry->count += (uint32_t)count;
    retry->is_whole = type == 'S';
}

bool
pool_retry_begin(struct pool_server *server)
{
    struct pool_retry *retry = &server->retry;
    struct pool_owed first = pool_owed_first(&server->owed);

    bool is_second = retry->is_second;
    retry->is_second = false;
    if (is_second || retry->count == 0 || !retry->is_whole || first.is_hidden ||
        server->client == NULL || server->state != POOL_SERVER_ACTIVE || server->status != 'I')
        return false;
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
