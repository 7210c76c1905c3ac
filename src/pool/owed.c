// SPDX-License-Identifier: MIT
#include "pool/owed.h"

#include <stdlib.h>
#include <string.h>

/* Which answers an entry may get: "PostgreSQL documentation, Message Flow". ErrorResponse is not
 * here: it may come for every entry (pool_owed_fail). */
static const uint8_t answers[POOL_OWED_KINDS]['z' + 1] = {
    [POOL_OWED_PARSE]['1'] = POOL_ANSWER_WHOLE,              /* ParseComplete */
    [POOL_OWED_BIND]['2'] = POOL_ANSWER_WHOLE,               /* BindComplete */
    [POOL_OWED_DESCRIBE_STATEMENT]['t'] = POOL_ANSWER_PART,  /* ParameterDescription */
    [POOL_OWED_DESCRIBE_STATEMENT]['T'] = POOL_ANSWER_WHOLE, /* RowDescription */
    [POOL_OWED_DESCRIBE_STATEMENT]['n'] = POOL_ANSWER_WHOLE, /* NoData */
    [POOL_OWED_DESCRIBE_PORTAL]['T'] = POOL_ANSWER_WHOLE,    /* RowDescription */
    [POOL_OWED_DESCRIBE_PORTAL]['n'] = POOL_ANSWER_WHOLE,    /* NoData */
    [POOL_OWED_EXECUTE]['D'] = POOL_ANSWER_PART,             /* DataRow */
    [POOL_OWED_EXECUTE]['C'] = POOL_ANSWER_WHOLE,            /* CommandComplete */
    [POOL_OWED_EXECUTE]['I'] = POOL_ANSWER_WHOLE,            /* EmptyQueryResponse */
    [POOL_OWED_EXECUTE]['s'] = POOL_ANSWER_WHOLE,            /* PortalSuspended */
    [POOL_OWED_EXECUTE]['G'] = POOL_ANSWER_PART,             /* CopyInResponse */
    [POOL_OWED_EXECUTE]['H'] = POOL_ANSWER_PART,             /* CopyOutResponse */
    [POOL_OWED_EXECUTE]['d'] = POOL_ANSWER_PART,             /* CopyData */
    [POOL_OWED_EXECUTE]['c'] = POOL_ANSWER_PART,             /* CopyDone */
    [POOL_OWED_CLOSE]['3'] = POOL_ANSWER_WHOLE,              /* CloseComplete */
    [POOL_OWED_SYNC]['Z'] = POOL_ANSWER_WHOLE,               /* ReadyForQuery */
    [POOL_OWED_QUERY]['T'] = POOL_ANSWER_PART,               /* RowDescription */
    [POOL_OWED_QUERY]['D'] = POOL_ANSWER_PART,               /* DataRow */
    [POOL_OWED_QUERY]['C'] = POOL_ANSWER_PART,               /* CommandComplete */
    [POOL_OWED_QUERY]['I'] = POOL_ANSWER_PART,               /* EmptyQueryResponse */
    [POOL_OWED_QUERY]['G'] = POOL_ANSWER_PART,               /* CopyInResponse */
    [POOL_OWED_QUERY]['H'] = POOL_ANSWER_PART,               /* CopyOutResponse */
    [POOL_OWED_QUERY]['d'] = POOL_ANSWER_PART,               /* CopyData */
    [POOL_OWED_QUERY]['c'] = POOL_ANSWER_PART,               /* CopyDone */
    [POOL_OWED_QUERY]['Z'] = POOL_ANSWER_WHOLE,              /* ReadyForQuery */
    [POOL_OWED_CALL]['V'] = POOL_ANSWER_PART,                /* FunctionCallResponse */
    [POOL_OWED_CALL]['Z'] = POOL_ANSWER_WHOLE,               /* ReadyForQuery */
};

static struct pool_owed *
entry(const struct pool_owed_queue *queue, uint32_t index)
{
    return &queue->items[(queue->first + index) & (queue->capacity - 1)];
}

static bool
grow(struct pool_owed_queue *queue)
{
    uint32_t capacity = queue->capacity == 0 ? 16 : queue->capacity * 2;
    struct pool_owed *items = calloc(capacity, sizeof(*items));

    if (items == NULL)
        return false;
    for (uint32_t i = 0; i < queue->count; i++)
        items[i] = *entry(queue, i);
    free(queue->items);
    queue->items = items;
    queue->first = 0;
    queue->capacity = capacity;
    return true;
}

static bool
is_change(const struct pool_owed *owed)
{
    return owed->key != 0 || owed->name != 0 ||
           (owed->kind == POOL_OWED_PARSE && owed->statement != 0);
}

/* What ends a group: an error in it changes nothing behind it. */
static bool
is_end(const struct pool_owed *owed)
{
    return owed->kind == POOL_OWED_SYNC || owed->kind == POOL_OWED_QUERY ||
           owed->kind == POOL_OWED_CALL;
}

bool
pool_owed_add(struct pool_owed_queue *queue, struct pool_owed owed)
{
    if (queue->is_skipping && owed.kind != POOL_OWED_SYNC)
        return true;
    queue->is_skipping = false;
    if (queue->count == POOL_OWED_MAX || (queue->count == queue->capacity && !grow(queue)))
        return false;
    queue->count++;
    queue->changes += is_change(&owed);
    *entry(queue, queue->count - 1) = owed;
    return true;
}

struct pool_owed
pool_owed_first(const struct pool_owed_queue *queue)
{
    const struct pool_owed nothing = {0};

    return queue->count == 0 ? nothing : *entry(queue, 0);
}

struct pool_owed *
pool_owed_last(struct pool_owed_queue *queue)
{
    return queue->count == 0 ? NULL : entry(queue, queue->count - 1);
}

void
pool_owed_remove(struct pool_owed_queue *queue)
{
    queue->changes -= is_change(entry(queue, 0));
    queue->first = (queue->first + 1) & (queue->capacity - 1);
    queue->count--;
}

/* A client's message adds at most four entries. */
bool
pool_owed_is_full(const struct pool_owed_queue *queue)
{
    return queue->count + 4 > POOL_OWED_MAX;
}

bool
pool_owed_has(const struct pool_owed_queue *queue, enum pool_owed_kind kind)
{
    for (uint32_t i = 0; i < queue->count; i++) {
        if (entry(queue, i)->kind == kind)
            return true;
    }
    return false;
}

void
pool_owed_mark(struct pool_owed_queue *queue, uint32_t name, uint32_t key, void *before)
{
    struct pool_owed *last = entry(queue, queue->count - 1);

    queue->changes -= is_change(last);
    last->name = name;
    last->key = key;
    last->before = before;
    queue->changes += is_change(last);
}

bool
pool_owed_is_unsure(const struct pool_owed_queue *queue, uint32_t key, uint32_t statement)
{
    bool is_in_front = false;

    for (uint32_t i = queue->count; i-- > 0 && queue->changes > 0;) {
        const struct pool_owed *owed = entry(queue, i);
        bool is_it = key != 0 ? owed->key == key
                              : owed->kind == POOL_OWED_PARSE && owed->statement == statement;
        if (is_it) /* the last that changes it decides; a Query is never left out */
            return is_in_front && owed->kind != POOL_OWED_QUERY;
        is_in_front |= is_end(owed);
    }
    return false;
}

bool
pool_owed_has_group(const struct pool_owed_queue *queue)
{
    for (uint32_t i = 0; i < queue->count; i++) {
        if (is_end(entry(queue, i)))
            return true;
    }
    return false;
}

struct pool_owed *
pool_owed_at(const struct pool_owed_queue *queue, uint32_t index)
{
    return index < queue->count ? entry(queue, index) : NULL;
}

struct pool_owed *
pool_owed_next_unnamed(struct pool_owed_queue *queue)
{
    for (uint32_t i = 1; i < queue->count; i++) {
        if (entry(queue, i)->name == POOL_OWED_UNNAMED)
            return entry(queue, i);
    }
    return NULL;
}

bool
pool_owed_has_visible(const struct pool_owed_queue *queue)
{
    for (uint32_t i = 0; i < queue->count; i++) {
        if (!entry(queue, i)->is_hidden)
            return true;
    }
    return false;
}

static bool
fits_copy(uint8_t type, enum pool_copy *copy)
{
    switch (type) {
    case 'G':
    case 'H':
        if (*copy != POOL_COPY_NONE)
            return false;
        *copy = type == 'G' ? POOL_COPY_IN : POOL_COPY_OUT;
        return true;
    case 'd':
    case 'c':
        return *copy == POOL_COPY_OUT;
    case 'C':
        *copy = POOL_COPY_NONE;
        return true;
    default:
        return *copy == POOL_COPY_NONE;
    }
}

enum pool_answer
pool_owed_answer(const struct pool_owed_queue *queue, uint8_t type, enum pool_copy *copy)
{
    uint8_t kind = pool_owed_first(queue).kind;

    if (type == 'N' || type == 'S' || type == 'A')
        return POOL_ANSWER_ASYNC;
    if (type >= sizeof(answers[kind]) || answers[kind][type] == POOL_ANSWER_BAD ||
        !fits_copy(type, copy))
        return POOL_ANSWER_BAD;
    return (enum pool_answer)answers[kind][type];
}

bool
pool_owed_start_copy(struct pool_owed_queue *queue)
{
    uint32_t at = 1, kept = 1;

    /* Entry 0 is the COPY itself. */
    for (; at < queue->count && entry(queue, at)->kind == POOL_OWED_SYNC; at++)
        continue;
    if (at < queue->count && entry(queue, at)->kind != POOL_OWED_COPY_END)
        return false;
    for (; at < queue->count; at++, kept++)
        *entry(queue, kept) = *entry(queue, at);
    queue->count = kept;
    return true;
}

void
pool_owed_fail(struct pool_owed_queue *queue,
               void (*dropped)(void *context, const struct pool_owed *owed), void *context)
{
    uint8_t kind = pool_owed_first(queue).kind;

    if (kind == POOL_OWED_QUERY || kind == POOL_OWED_CALL) /* ReadyForQuery follows by itself */
        return;
    while (queue->count > 0 && entry(queue, 0)->kind != POOL_OWED_SYNC) {
        dropped(context, entry(queue, 0));
        pool_owed_remove(queue);
    }
    if (queue->count == 0)
        queue->is_skipping = true;
}

void
pool_owed_hide(struct pool_owed_queue *queue)
{
    for (uint32_t i = 0; i < queue->count; i++)
        entry(queue, i)->is_hidden = true;
}

void
pool_owed_release(struct pool_owed_queue *queue)
{
    free(queue->items);
    *queue = (struct pool_owed_queue){0};
}
