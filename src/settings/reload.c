// SPDX-License-Identifier: MIT
#include "settings/reload.h"

#include "base/embed.h"
#include "base/interrupt.h"
#include "pg/connection.h"

#include <string.h>

enum { WAIT_MS = 10000, STEP_MS = 10 };

static bool
load_time(struct change_execution *execution, const char **ret_time, struct error *err)
{
    AUTO_PGRESULT result = NULL;

    if (!pg_query(execution->connection, embedded_file("settings/sql/load_time.sql")->text, 0, NULL,
                  &result, err))
        return false;
    *ret_time = arena_strdup(execution->arena, pg_value(result, 0, "loaded_at"));
    return true;
}

/* The postmaster reads the files first and tells its sessions then: once this session has seen the
 * new configuration, every new one will, so that the next plan finds what this apply did. */
static bool
reload(struct change_execution *execution, struct error *err)
{
    const char *before, *now;

    if (!load_time(execution, &before, err) ||
        !pg_execute(execution->connection, execution->change->sql, err))
        return false;
    for (int waited_ms = 0; waited_ms < WAIT_MS; waited_ms += STEP_MS) {
        if (!load_time(execution, &now, err))
            return false;
        if (strcmp(before, now) != 0)
            return true;
        if (!interrupt_sleep_ms(STEP_MS, err))
            return false;
    }
    error_set(err, ERROR_INTERNAL, "the server has not read its configuration again within %d s",
              WAIT_MS / 1000);
    return error_hint(err, "See its log: the new configuration may be faulty.");
}

const struct change_procedure settings_reload_procedure = {"reload", reload};
