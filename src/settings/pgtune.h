/* What pgtune (the web calculator of that name, rules as of 2026-07) would say: to compare with.
 * Formulas after its published source; a database of which the size is not
 * known counts as about the size of memory. */
#pragma once
#include "deck/deck.h"

struct pgtune_input {
    int major;
    enum deck_workload workload;
    enum deck_storage storage;
    int64_t memory_bytes;
    int cpus;               /* 0: not given */
    int connections;        /* 0: by workload */
    int64_t database_bytes; /* of all databases; 0: about the size of memory */
};

/* In PostgreSQL's notation; NULL: pgtune does not set it. */
const char *
pgtune_value(struct arena *arena, const struct pgtune_input *input, const char *parameter);
/* How it comes to that, one short phrase; NULL for what it does not set. */
const char *pgtune_way(const char *parameter);
/* The i-th parameter that it knows; NULL: no more. */
const char *pgtune_parameter(size_t i);
