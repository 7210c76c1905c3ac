/* What speaks against a way of partitioning, with figures of the live server. */
#pragma once
#include "partition/live.h"

/* Sentences, joined; NULL: nothing. parts: how many partitions it would have. */
bool partition_find_doubts(const struct partition_live_advice *about, size_t parts,
                           const char **ret_doubts, struct error *err) MUST_CHECK;

/* The statements that rely on a unique key which would get the partition columns; NULL: none. */
bool partition_find_reliance(const struct partition_live_advice *about, const char **ret_reliance,
                             struct error *err) MUST_CHECK;

/* Why not now, a clause with its cure; NULL: nothing. Values that fit no part, which takes a look
 * at the rows for a few seconds at most, and the disk of a server on this host. */
bool partition_find_misfits(const struct partition_live_advice *about,
                            const struct partition_live_size *size, const char **ret_misfits,
                            struct error *err) MUST_CHECK;

/* Values that no way of partitioning takes: infinity, ids at the end of their type; NULL: none. */
bool partition_find_end(const struct partition_live_advice *live, const char **ret_reason,
                        struct error *err) MUST_CHECK;
