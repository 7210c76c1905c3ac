// SPDX-License-Identifier: MIT
#include "cli/daemon.h"

#include <unistd.h>

bool
cli_refuse_root(const char *command, bool is_allowed, struct error *err)
{
    if (is_allowed || geteuid() != 0)
        return true;
    error_set(err, ERROR_REFUSED, "pgdeck %s does not run as root", command);
    return error_hint(err, "Run it as a user of its own, as packaging/systemd does, or give "
                           "--allow-root.");
}
