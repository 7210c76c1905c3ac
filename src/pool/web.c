// SPDX-License-Identifier: MIT
#include "pool/web.h"
#include "pool/pool.h"

#include <stdlib.h>

enum { REQUEST_BYTES_MAX = 4096, WEBS_MAX = 32, TIMEOUT_MS = 5000 };

struct pool_web *
pool_web_new(struct pool *pool)
{
    struct pool_web *web = pool->web_count < WEBS_MAX ? calloc(1, sizeof(*web)) : NULL;

    if (web == NULL)
        return NULL;
    web->object.kind = POOL_OWNER_WEB;
    web->pool = pool;
    web->link.stream.owner = web;
    web->link.stream.descriptor = -1;
    web->deadline_us = pool->now_us + (uint64_t)TIMEOUT_MS * 1000;
    pool_list_append(&pool->webs, &web->node);
    pool->web_count++;
    return web;
}

void
pool_web_close(struct pool_web *web)
{
    struct pool *pool = web->pool;

    if (web->is_closed)
        return;
    web->is_closed = true;
    pool_link_close(&web->link, &pool->buffers);
    pool_list_remove(&web->node);
    pool->web_count--;
    pool_list_append(&pool->dead, &web->object.dead);
}

static void
answer(struct pool_web *web, const char *status, const struct text *body)
{
    AUTO_TEXT head = {0};

    text_appendf(&head,
                 "HTTP/1.1 %s\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
                 "Content-Length: %zu\r\nCache-Control: no-store\r\n"
                 "X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n",
                 status, body->length);
    pool_link_put(&web->link, &web->pool->buffers, text_chars(&head), head.length);
    pool_link_put(&web->link, &web->pool->buffers, text_chars(body), body->length);
    web->is_answered = true;
}

static void
refuse(struct pool_web *web, const char *status)
{
    AUTO_TEXT body = {0};

    text_appendf(&body, "%s\n", status);
    answer(web, status, &body);
}

/* The request line; the headers say nothing that is needed. */
static void
take_request(struct pool_web *web, const char *line, size_t length)
{
    static const struct {
        const char *path;
        void (*append)(struct pool *pool, struct text *text);
    } pages[] = {{"/metrics", pool_metrics}, {"/queries", pool_queries_times}};
    enum { PAGES = sizeof(pages) / sizeof(pages[0]) };
    AUTO_TEXT body = {0};
    size_t at = 0;
    const char *space = memchr(line, ' ', length);
    const char *version =
        space == NULL ? NULL : memchr(space + 1, ' ', length - (size_t)(space + 1 - line));

    while (version != NULL && at < PAGES &&
           ((size_t)(version - space - 1) != strlen(pages[at].path) ||
            memcmp(space + 1, pages[at].path, strlen(pages[at].path)) != 0))
        at++;
    if (version == NULL || length - (size_t)(version - line) != strlen(" HTTP/1.x") ||
        memcmp(version, " HTTP/1.", strlen(" HTTP/1.")) != 0) {
        refuse(web, "400 Bad Request");
    } else if (space - line != 3 || memcmp(line, "GET", 3) != 0) {
        refuse(web, "405 Method Not Allowed");
    } else if (at == PAGES) {
        refuse(web, "404 Not Found");
    } else {
        pages[at].append(web->pool, &body);
        answer(web, "200 OK", &body);
    }
}

/* Whether the whole head is there; then it is answered. */
static void
look(struct pool_web *web)
{
    const char *bytes = (const char *)pool_link_bytes(&web->link);
    size_t unread = pool_link_unread(&web->link);
    const char *end = memmem(bytes, unread, "\r\n\r\n", 4);

    if (end != NULL)
        take_request(web, bytes, (size_t)((const char *)memmem(bytes, unread, "\r\n", 2) - bytes));
    else if (unread >= REQUEST_BYTES_MAX)
        refuse(web, "431 Request Header Fields Too Large");
}

void
pool_web_event(struct pool_web *web)
{
    struct pool_buffers *buffers = &web->pool->buffers;

    while (!web->is_closed && !web->is_answered) {
        enum pool_fill fill = pool_link_fill(&web->link, buffers, pool_link_unread(&web->link) + 1);
        if (fill == POOL_FILL_NONE)
            return;
        if (fill != POOL_FILL_SOME) {
            pool_web_close(web);
            return;
        }
        look(web);
    }
    /* Closed once all of it is sent; what the client says further is not read. */
    if (!web->is_closed &&
        (!pool_link_flush(&web->link, buffers) || !pool_link_is_stuck(&web->link)))
        pool_web_close(web);
}

void
pool_web_tick(struct pool *pool)
{
    POOL_EACH(node, &pool->webs)
    {
        struct pool_web *web = POOL_ENTRY(node, struct pool_web, node);
        if (pool->now_us >= web->deadline_us)
            pool_web_close(web);
    }
}
