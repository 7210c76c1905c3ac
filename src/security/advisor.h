/* The security advisor: compares the deck with the snapshot and adds the changes that are missing. */
#pragma once
#include "change/advice.h"

bool security_advise(struct advice *advice, struct error *err) MUST_CHECK;
