/* Putting pgdeck's part of pg_hba.conf in place: written, looked at by the server, read, tried with
 * a new login; else the former file is back. And the advisor's row for it. */
#pragma once
#include "change/advice.h"
#include "security/login.h"
#include "settings/host.h"

/* Before the former part, in the journal's way back. */
#define HBA_UNDO "-- pg_hba.conf:\n"

/* What is done, by apply and by rollback. The argument of the change. */
struct hba_edit {
    struct arena *arena;
    const struct settings_host *host;
    const char *path;               /* of pg_hba.conf */
    const char *part;               /* "" : none */
    const struct pg_target *target; /* for the new logins */
    struct security_databases databases;
};

bool hba_put(const struct hba_edit *edit, PGconn *connection, struct error *err) MUST_CHECK;
/* Takes back by the text that the journal keeps. */
bool hba_undo(const struct change_execution *execution, const struct settings_host *host,
              const struct security_databases *databases, const char *undo,
              struct error *err) MUST_CHECK;
bool security_advise_hba(struct advice *advice, struct error *err) MUST_CHECK;
/* For servers whose files are not here: the part and what to do with it. */
bool
security_render_hba(struct advice *advice, const char **ret_text, struct error *err) MUST_CHECK;
