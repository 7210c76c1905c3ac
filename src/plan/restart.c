// SPDX-License-Identifier: MIT
#include "plan/restart.h"

#include "base/interrupt.h"
#include "base/process.h"
#include "base/text.h"
#include "local/postmaster.h"
#include "plan/plan.h"
#include "settings/kept.h"
#include "settings/value.h"

#include <string.h>

enum { ANSWER_SECONDS = 60 };

/* Whether the files hold something that the server reads at its start only and does not run with,
 * read by a reload since or not. */
static bool
is_waiting_for_restart(const struct catalog_server *catalog)
{
    for (size_t i = 0; i < catalog->settings.count; i++) {
        const struct catalog_setting *setting = &catalog->settings.items[i];
        if (setting->is_pending_restart ||
            (strcmp(setting->context, "postmaster") == 0 &&
             !setting_is_equal(setting, setting_server_value(setting),
                               setting_next_value(setting))))
            return true;
    }
    return false;
}

bool
plan_keep_running(struct arena *arena, const struct catalog_server *catalog,
                  const struct settings_host *host, struct error *err)
{
    return !host->is_here ||
           kept_save(arena, host, KEPT_RUNNING, is_waiting_for_restart(catalog), err);
}

bool
plan_keep_configuration(struct arena *arena, const struct catalog_server *catalog,
                        const struct settings_host *host, const char *apply_id, struct error *err)
{
    return !host->is_here || (kept_save(arena, host, apply_id, true, err) &&
                              plan_keep_running(arena, catalog, host, err));
}

bool
plan_wait_for_answer(const struct deck_server *server, struct error *err)
{
    enum { PAUSE_MS = 250 };
    struct pg_target target = plan_target(server, NULL);

    for (int waited_ms = 0;; waited_ms += PAUSE_MS) {
        AUTO_PGCONN connection = NULL;
        if (pg_connect(&target, &connection, err))
            return true;
        if ((err->code != ERROR_UNREACHABLE && err->code != ERROR_CONNECTION_LOST) ||
            waited_ms >= ANSWER_SECONDS * 1000)
            return false;
        struct error interrupted;
        if (!interrupt_sleep_ms(PAUSE_MS, &interrupted)) {
            *err = interrupted;
            return false;
        }
    }
}

/* The one place where a shell runs: the deck's own command line, written by the user. */
static bool
run_restart_command(const char *command, struct error *err)
{
    enum { TIMEOUT_MS = 10 * 60 * 1000 };
    const char *const arguments[] = {"/bin/sh", "-c", command, NULL};
    const struct process_spec spec = {.arguments = arguments, .is_uninterruptible = true};
    AUTO_TEXT output = {0};
    int status;

    if (!process_run(&spec, TIMEOUT_MS, &output, &status, err))
        return error_wrap(err, "restart_command");
    if (status == 0)
        return true;
    error_set(err, ERROR_INTERNAL, "restart_command ended with status %d", status);
    return error_detail(err, "%s", text_chars(&output));
}

/* Found out before anything is stopped. */
static bool
prepare_restart(struct arena *arena, const struct deck_server *server,
                const struct catalog_server *catalog, struct local_launch *ret_launch,
                struct error *err)
{
    if (server->restart_command != NULL)
        return true;
    if (catalog->is_local)
        return local_launch_read(arena, catalog->data_directory, ret_launch, err);
    error_set(err, ERROR_REFUSED, "server \"%s\" cannot be restarted from here", server->name);
    error_hint(err, "Restart it yourself, or give the deck's server a restart_command.");
    return error_place(err, server->place);
}

static bool
restart_once(const struct deck_server *server, const struct catalog_server *catalog,
             const struct local_launch *launch, struct error *err)
{
    if (server->restart_command != NULL) {
        if (!run_restart_command(server->restart_command, err))
            return false;
    } else if (!local_restart(catalog->data_directory, launch, err)) {
        return false;
    }
    return plan_wait_for_answer(server, err);
}

bool
plan_restart(struct arena *arena, const struct deck_server *server,
             const struct catalog_server *catalog, const struct settings_host *host,
             struct error *err)
{
    struct error back = {0};
    struct local_launch launch = {0};

    if (!prepare_restart(arena, server, catalog, &launch, err))
        return false;
    if (restart_once(server, catalog, &launch, err))
        return true;
    if (err->code == ERROR_REFUSED || err->code == ERROR_INTERRUPTED || !host->is_here)
        return false;
    const char *lost = kept_foreign_lines(arena, host, KEPT_RUNNING);
    bool is_restored = kept_restore(arena, host, KEPT_RUNNING, &back);
    if (is_restored && lost != NULL)
        error_hint(err, "Set by others since, and gone with it from postgresql.auto.conf: %s.",
                   lost);
    if (is_restored && restart_once(server, catalog, &launch, &back)) {
        error_wrap(err, "the server did not come up; the old configuration is back and running");
        return false;
    }
    error_wrap(err, "the server did not come up");
    return error_detail(err, "Nor with the old configuration: %s", back.message);
}
