/* The security advisor: compares deck and snapshot, adds the changes that are missing. */
#pragma once
#include "change/advice.h"

bool security_advise(struct advice *advice, struct error *err) MUST_CHECK;
