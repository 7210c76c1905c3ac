/* YAML as a deck may use it: mappings, lists and scalars, in UTF-8, one document. Every node knows
 * its place. Anchors, aliases, tags, duplicate keys and NUL are faults; size and depth have caps.
 * Nodes live in the arena. */
#pragma once
#include "deck/fault.h"

enum deck_node_kind { NODE_SCALAR, NODE_LIST, NODE_MAPPING };

struct deck_node {
    enum deck_node_kind kind;
    struct place place;
    const char *text;                     /* scalar */
    bool is_plain;                        /* scalar without quotes */
    LIST_OF(struct deck_node *) items;    /* list */
    LIST_OF(struct deck_node_pair) pairs; /* mapping, in the order of the file */
};

struct deck_node_pair {
    const char *key;
    struct place place; /* of the key */
    struct deck_node *value;
};

/* Reads text, called file in places. NULL (with faults) when there is no tree; faults may have
 * been added even when there is one. An empty text is NULL without a fault. */
struct deck_node *deck_yaml_read(struct arena *arena, const char *file, const char *text,
                                 size_t length, struct deck_faults *faults);
/* The value of a key; NULL when it is not there or mapping is NULL or no mapping. */
struct deck_node *deck_node_get(const struct deck_node *mapping, const char *key);
struct deck_node_pair *deck_node_find_pair(const struct deck_node *mapping, const char *key);
/* A plain scalar that YAML reads as nothing: null, ~ or empty. */
bool deck_node_is_null(const struct deck_node *node);
/* "a mapping", "a list", "a text". */
const char *deck_node_kind_name(const struct deck_node *node);
