/* Rollups: what the deck's `rollups:` have that the databases do not. */
#pragma once
#include "change/advice.h"

advise_function rollup_advise;
