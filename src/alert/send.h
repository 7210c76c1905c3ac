/* One attempt to tell one target: HTTP and SMTP by libcurl, or a program. Blocks up to the
 * target's timeout; ends early when *is_stopping becomes true. Any thread. */
#pragma once
#include "alert/message.h"
#include "deck/deck.h"
#include <stdatomic.h>

enum { ALERT_REPEAT_MS = 60 * 1000, ALERT_LIVES_MS = 5 * 60 * 1000 }; /* at an Alertmanager */

bool alert_send(const struct deck_notify *target, const struct alert_batch *batch,
                const atomic_bool *is_stopping, struct error *err) MUST_CHECK;
/* A secret of a target: its file, else NOTIFY_<TARGET>_<WHAT> among systemd's credentials
 * (notify-TARGET-what), else $PGDECK_NOTIFY_TARGET_WHAT. NULL in ret_secret: there is none. what:
 * "url", "token", "password". */
bool alert_secret(struct arena *arena, const struct deck_notify *target, const char *what,
                  const char **ret_secret, struct error *err) MUST_CHECK;
/* What alert_send would read of files and environment can be had. */
bool alert_has_secrets(const struct deck_notify *target, struct error *err) MUST_CHECK;
/* command.c: runs the target's command with input on its stdin. */
bool alert_run_command(const struct deck_notify *target, const char *input,
                       const atomic_bool *is_stopping, struct error *err) MUST_CHECK;
