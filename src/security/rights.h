/* Who may do what in a database: its owner, who may connect, and what each service may read and
 * write. */
#pragma once
#include "change/advice.h"

void security_advise_rights(struct advice *advice, const struct deck_database *database);
