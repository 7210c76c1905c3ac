/* Statements that differ in their constants only. Any thread. */
#pragma once
#include "base/arena.h"

#include <stdint.h>

/* 0: it is no SQL. */
uint64_t workload_fingerprint(const char *sql);
/* With $1, $2 ... for its constants; NULL: it is no SQL. */
char *workload_normalize(struct arena *arena, const char *sql);
