/* Databases of the deck that the server does not have. */
#pragma once
#include "change/advice.h"

/* Adds CREATE DATABASE. Errors: ERROR_PRIVILEGE when the role may not, with the deck's place. */
bool schema_add_database(struct advice *advice, const struct deck_database *database,
                         struct error *err) MUST_CHECK;
