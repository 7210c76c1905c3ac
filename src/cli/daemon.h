/* What the daemons, pool and watch, see to before they begin. */
#pragma once
#include "cli/command.h"

#define CLI_ALLOW_ROOT_HELP "run as root all the same"

/* Refuses to run as root unless the user said so: what everybody can talk to needs no such rights.
 */
bool cli_refuse_root(const char *command, bool is_allowed, struct error *err) MUST_CHECK;
