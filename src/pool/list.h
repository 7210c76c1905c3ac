/* Doubly linked lists without allocation: the node is in the object. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct pool_node {
    struct pool_node *previous, *next; /* NULL: in no list */
};

/* NOLINTBEGIN(bugprone-macro-parentheses): names and types */
#define POOL_ENTRY(node, type, member) ((type *)((char *)(node)-offsetof(type, member)))
#define POOL_EACH(node, list)                                                                      \
    for (struct pool_node *node = (list)->next, *node##_next = node->next; node != (list);         \
         node = node##_next, node##_next = node->next)
/* NOLINTEND(bugprone-macro-parentheses) */

static inline void
pool_list_init(struct pool_node *list)
{
    list->previous = list->next = list;
}

static inline bool
pool_list_is_empty(const struct pool_node *list)
{
    return list->next == list;
}

static inline void
pool_list_insert(struct pool_node *before, struct pool_node *node)
{
    node->previous = before->previous;
    node->next = before;
    before->previous->next = node;
    before->previous = node;
}

static inline void
pool_list_append(struct pool_node *list, struct pool_node *node)
{
    pool_list_insert(list, node);
}

static inline void
pool_list_prepend(struct pool_node *list, struct pool_node *node)
{
    pool_list_insert(list->next, node);
}

static inline void
pool_list_remove(struct pool_node *node)
{
    if (node->next == NULL)
        return;
    node->previous->next = node->next;
    node->next->previous = node->previous;
    node->previous = node->next = NULL;
}
