/* What is due at partitioned tables without the deck having changed, and what conversions have
 * left behind. */
#pragma once
#include "partition/live.h"

/* A detach that was broken off, statistics of the table as a whole. */
bool
partition_upkeep_advise(const struct partition_live_advice *about, struct error *err) MUST_CHECK;
/* A table that pg_partman keeps up and the deck has: the change that takes it over. */
bool
partition_take_over_advise(const struct partition_live_advice *about, struct error *err) MUST_CHECK;
/* Old tables of conversions past their time (or all of them), unfinished conversions that the deck
 * does not ask for. about->partition is not read. */
bool
partition_remains_advise(const struct partition_live_advice *about, struct error *err) MUST_CHECK;
