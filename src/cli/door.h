/* What init and apply say of rescue: which way in there will be when all connections are taken. */
#pragma once
#include "cli/command.h"

/* A line, and the statement that makes a way where there is none. Nothing when quiet, as JSON, or
 * when the server cannot be asked. */
void cli_say_door(const struct cli *cli, const struct deck_server *server);
