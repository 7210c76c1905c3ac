/* The verbs of pgdeck security. */
#pragma once
#include "cli/command.h"

cli_run security_audit, security_check, security_render, security_rotate, security_tenants;

/* Lets a pool of this user and deck, if one runs here, take the other login of a service. */
void security_reload_pool(const struct cli *cli);
