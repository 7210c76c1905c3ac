/* The settings advisor: compares deck and snapshot, adds the changes that are missing. */
#pragma once
#include "change/advice.h"

bool settings_advise(struct advice *advice, struct error *err) MUST_CHECK;
