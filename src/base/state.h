/* The folder where pgdeck keeps what belongs to this machine and user: private servers, generated
 * passwords, copies of replaced files. $PGDECK_STATE_DIR; else /var/lib/pgdeck for root (whose home
 * the user postgres cannot enter), $XDG_STATE_HOME/pgdeck, or ~/.local/state/pgdeck. */
#pragma once
#include "base/arena.h"
#include "base/error.h"

/* The folder, created (0700; root's: 0755) when missing; refused when others may write in it, or
 * own it. In the arena. */
bool state_folder(struct arena *arena, const char **ret_folder, struct error *err) MUST_CHECK;
