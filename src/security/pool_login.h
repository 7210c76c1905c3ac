/* The function that tells pgdeck pool the verifiers of logins: for pools that take others than
 * their services (`login_max`). */
#pragma once
#include "change/advice.h"

bool security_advise_pool_login(struct advice *advice, const struct deck_database *database,
                                struct error *err) MUST_CHECK;
