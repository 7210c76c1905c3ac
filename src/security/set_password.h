/* The step that gives a login role its password: a SCRAM verifier made here, so that the password
 * itself never reaches the server, its log, the journal or the plan. */
#pragma once
#include "change/change.h"

struct set_password {
    const char *deck; /* its name: whose file of passwords */
    const char *role;
};

/* argument: struct set_password. Finds or makes the password. Transactional. */
extern const struct change_procedure set_password_procedure;
