// SPDX-License-Identifier: MIT
#include "watch/board.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Documents are few (tens, at most some hundreds): a list will do. */
struct watch_board {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct watch_document *documents;
    uint64_t version;
};

struct watch_board *
watch_board_new(void)
{
    struct watch_board *board = calloc(1, sizeof(*board));
    pthread_condattr_t attributes;

    if (board == NULL)
        abort();
    pthread_mutex_init(&board->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&board->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    return board;
}

static void
document_drop(struct watch_document *document)
{
    if (--document->uses > 0)
        return;
    free((char *)document->text);
    free((char *)document->name);
    free(document);
}

void
watch_board_free(struct watch_board *board)
{
    if (board == NULL)
        return;
    for (struct watch_document *document = board->documents, *next; document != NULL;
         document = next) {
        next = document->next;
        document_drop(document);
    }
    pthread_cond_destroy(&board->changed);
    pthread_mutex_destroy(&board->mutex);
    free(board);
}

static struct watch_document **
find(struct watch_board *board, const char *name)
{
    struct watch_document **at = &board->documents;

    while (*at != NULL && strcmp((*at)->name, name) != 0)
        at = &(*at)->next;
    return at;
}

/* text is the board's from here on. */
static void
put(struct watch_board *board, const char *name, const char *type, char *text, size_t length)
{
    struct watch_document *document = calloc(1, sizeof(*document));
    struct timespec now;

    if (document == NULL || text == NULL)
        abort();
    clock_gettime(CLOCK_REALTIME, &now);
    *document = (struct watch_document){
        .name = strdup(name),
        .type = type,
        .text = text,
        .length = length,
        .at = (double)now.tv_sec + (double)now.tv_nsec / 1e9,
        .uses = 1,
    };
    if (document->name == NULL)
        abort();
    pthread_mutex_lock(&board->mutex);
    struct watch_document **at = find(board, name);
    struct watch_document *before = *at;
    bool is_same =
        before != NULL && before->length == length && memcmp(before->text, text, length) == 0;
    document->version = is_same ? before->version : ++board->version;
    document->next = before == NULL ? NULL : before->next;
    *at = document;
    if (before != NULL)
        document_drop(before);
    if (!is_same)
        pthread_cond_broadcast(&board->changed);
    pthread_mutex_unlock(&board->mutex);
}

void
watch_board_put_json(struct watch_board *board, const char *name, json_t *json)
{
    enum { DIGITS = 6 };
    char *text = json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(DIGITS + 6));

    json_decref(json);
    assert(text != NULL); /* whoever makes it sees to UTF-8 */
    put(board, name, "application/json", text, strlen(text));
}

void
watch_board_put_text(struct watch_board *board, const char *name, const char *type,
                     const struct text *text)
{
    put(board, name, type, strdup(text_chars(text)), text->length);
}

void
watch_board_drop(struct watch_board *board, const char *prefix, double before)
{
    pthread_mutex_lock(&board->mutex);
    for (struct watch_document **at = &board->documents; *at != NULL;) {
        struct watch_document *document = *at;
        if (strncmp(document->name, prefix, strlen(prefix)) == 0 && document->at < before) {
            *at = document->next;
            document_drop(document);
        } else {
            at = &document->next;
        }
    }
    pthread_mutex_unlock(&board->mutex);
}

const struct watch_document *
watch_board_get(struct watch_board *board, const char *name)
{
    pthread_mutex_lock(&board->mutex);
    struct watch_document *document = *find(board, name);
    if (document != NULL)
        document->uses++;
    pthread_mutex_unlock(&board->mutex);
    return document;
}

void
watch_document_release(struct watch_board *board, const struct watch_document *document)
{
    if (document == NULL)
        return;
    pthread_mutex_lock(&board->mutex);
    document_drop((struct watch_document *)document);
    pthread_mutex_unlock(&board->mutex);
}

uint64_t
watch_board_version(struct watch_board *board)
{
    return watch_board_wait(board, UINT64_MAX, 0);
}

uint64_t
watch_board_wait(struct watch_board *board, uint64_t seen, int timeout_ms)
{
    enum { MS = 1000, NS_MS = 1000000, NS = 1000000000 };
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += (long)(timeout_ms % MS) * NS_MS;
    until.tv_sec += timeout_ms / MS + until.tv_nsec / NS;
    until.tv_nsec %= NS;
    pthread_mutex_lock(&board->mutex);
    while (timeout_ms > 0 && board->version <= seen &&
           pthread_cond_timedwait(&board->changed, &board->mutex, &until) == 0)
        ;
    uint64_t version = board->version;
    pthread_mutex_unlock(&board->mutex);
    return version;
}
