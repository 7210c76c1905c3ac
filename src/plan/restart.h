/* Restarting a server, and putting its old configuration back when it does not come up. */
#pragma once
#include "deck/deck.h"
#include "pg/catalog.h"
#include "settings/host.h"

/* The key of the change that restarts a server: it is undone by restarting again, at the end. */
#define PLAN_RESTART_KEY "restart"

/* Keeps a copy of the configuration files, where they can be reached, as the server is known to run
 * with them: while a change that awaits a restart is in them the copy of before is the good one. */
bool plan_keep_running(struct arena *arena, const struct catalog_server *catalog,
                       const struct settings_host *host, struct error *err) MUST_CHECK;
/* And one as they are before the apply with that id, if there is none yet. */
bool plan_keep_configuration(struct arena *arena, const struct catalog_server *catalog,
                             const struct settings_host *host, const char *apply_id,
                             struct error *err) MUST_CHECK;

/* Restarts by the deck's restart_command, else with pg_ctl where the data directory can be
 * reached, and waits until the server answers. If it does not: the kept configuration goes back
 * and is started, and the error says so. */
bool plan_restart(struct arena *arena, const struct deck_server *server,
                  const struct catalog_server *catalog, const struct settings_host *host,
                  struct error *err) MUST_CHECK;

/* Waits (a minute) until the server takes connections. */
bool plan_wait_for_answer(const struct deck_server *server, struct error *err) MUST_CHECK;
