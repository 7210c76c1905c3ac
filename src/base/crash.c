// SPDX-License-Identifier: MIT
#include "base/crash.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>

void
crash_point(void)
{
    static atomic_long passed; /* by all threads */
    const char *wanted = getenv("PGDECK_CRASH_AT");

    if (wanted != NULL && atomic_fetch_add(&passed, 1) + 1 == atol(wanted))
        raise(SIGKILL);
}
