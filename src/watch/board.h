/* The board: what `pgdeck watch` knows, as named documents that never change once they are put up
 * (docs/design/watch.md says which). Collectors put, the HTTP side gets by reference count, so that
 * no reader ever waits for a database. Any thread. */
#pragma once
#include "base/error.h"
#include "base/text.h"
#include <jansson.h>
#include <stdint.h>

struct watch_board;

struct watch_document {
    const char *name; /* "overview", "query/1f3a..." */
    const char *type; /* "application/json", "text/plain; version=0.0.4; charset=utf-8" */
    const char *text; /* NUL-terminated */
    size_t length;    /* bytes */
    uint64_t version; /* of the board, when it was put */
    double at;        /* Unix seconds */
    unsigned uses;    /* this and next are the board's own */
    struct watch_document *next;
};

struct watch_board *watch_board_new(void);
void watch_board_free(struct watch_board *board); /* once nobody holds a document */

/* Replaces the document of that name. json is taken over. What is the same as before is not put
 * again, so that readers who wait are not woken for nothing. */
void watch_board_put_json(struct watch_board *board, const char *name, json_t *json);
void watch_board_put_text(struct watch_board *board, const char *name, const char *type,
                          const struct text *text);
/* Takes the documents away whose names begin so and that were last put before then. */
void watch_board_drop(struct watch_board *board, const char *prefix, double before);

/* The document, to be released; NULL: there is none. */
const struct watch_document *watch_board_get(struct watch_board *board, const char *name);
void watch_document_release(struct watch_board *board, const struct watch_document *document);

/* Grows with each document that is put. */
uint64_t watch_board_version(struct watch_board *board);
/* Waits until it is greater than seen, at most timeout_ms; returns it. */
uint64_t watch_board_wait(struct watch_board *board, uint64_t seen, int timeout_ms);
