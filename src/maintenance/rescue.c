// SPDX-License-Identifier: MIT
#include "maintenance/rescue.h"

#include "base/interrupt.h"
#include "base/state.h"
#include "base/text.h"
#include "maintenance/rescue_run.h"
#include "pg/host.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 5, LOOK_AGAIN_MS = 300 };

/* In the order in which they are looked at and acted upon. Each is one query with the same columns;
 * one that fails or takes too long is told, and the others are looked at all the same. */
static const struct {
    const char *name, *path;
} sights[] = {
    {"locks", "maintenance/sql/rescue_locks.sql"},
    {"connections", "maintenance/sql/rescue_connections.sql"},
    {"queries", "maintenance/sql/rescue_queries.sql"},
    {"disk", "maintenance/sql/rescue_disk.sql"},
    {"wraparound", "maintenance/sql/rescue_wraparound.sql"},
};

void
rescue_say(struct rescue *rescue, const char *sight, const char *severity, const char *sql,
           const char *format, ...)
{
    struct rescue_line *line = LIST_ADD(rescue->arena, &rescue->report->lines);
    va_list args;

    va_start(args, format);
    *line = (struct rescue_line){sight, severity, arena_vprintf(rescue->arena, format, args), sql};
    va_end(args);
    if (rescue->options != NULL && rescue->options->on_line != NULL)
        rescue->options->on_line(rescue->options->sink, line);
}

/* --- looking ------------------------------------------------------------------------------ */

/* Up to the first byte that is no UTF-8: queries of databases with another encoding are shown as
 * they are. */
static const char *
keep_valid(struct arena *arena, const PGresult *result, int row, const char *column)
{
    const char *text = pg_keep_text(arena, result, row, column);

    return arena_strndup(arena, text, text_utf8_length(text, strlen(text)));
}

static void
take_in(struct rescue *rescue, const char *sight, const PGresult *result, bool is_first_round)
{
    struct arena *arena = rescue->arena;

    for (int row = 0; row < PQntuples(result); row++) {
        const char *what = pg_keep(arena, result, row, "what");
        if (pg_value(result, row, "severity") != NULL && is_first_round)
            rescue_say(rescue, sight, pg_keep(arena, result, row, "severity"),
                       what == NULL ? pg_keep(arena, result, row, "sql") : NULL, "%s",
                       keep_valid(arena, result, row, "text"));
        if (what == NULL)
            continue;
        *LIST_ADD(arena, &rescue->report->offers) = (struct rescue_offer){
            .sight = sight,
            .what = what,
            .why = keep_valid(arena, result, row, "text"),
            .how = pg_keep_text(arena, result, row, "how"),
            .pid = pg_keep_text(arena, result, row, "pid"),
            .backend_start = pg_keep_text(arena, result, row, "backend_start"),
            .sql = pg_keep(arena, result, row, "sql"),
            .outcome = "",
        };
    }
}

/* Sessions with the most memory of their own, when the host has little left. */
static void
look_at_memory(struct rescue *rescue)
{
    AUTO_PGRESULT result = NULL;
    struct error ignored;
    long long most = 32 << 20; /* ending one with less helps nobody */
    int worst = -1;

    if (!rescue->is_local || rescue_memory_left() > 0.1 ||
        !rescue_link_query(&rescue->link, "maintenance/sql/rescue_sessions.sql", 0, NULL, &result,
                           &ignored))
        return;
    for (int row = 0; row < PQntuples(result); row++) {
        long long bytes = rescue_memory_of(pg_value(result, row, "pid"));
        if (bytes > most) {
            most = bytes;
            worst = row;
        }
    }
    if (worst < 0)
        return;
    const char *pid = pg_keep(rescue->arena, result, worst, "pid");
    *LIST_ADD(rescue->arena, &rescue->report->offers) = (struct rescue_offer){
        .sight = "memory",
        .what = arena_printf(rescue->arena, "end session %s", pid),
        .why = arena_printf(rescue->arena, "%s has the most memory of its own, %lld MB",
                            pg_value(result, worst, "who"), most >> 20),
        .how = "terminate",
        .pid = pid,
        .backend_start = pg_keep(rescue->arena, result, worst, "backend_start"),
        .outcome = "",
    };
}

static bool
look_at(struct rescue *rescue, size_t sight, bool is_first_round, struct error *err)
{
    const char *parameters[2] = {
        arena_printf(rescue->arena, "%ld", rescue->options->idle_minutes),
        arena_printf(rescue->arena, "%ld", rescue->options->query_minutes)};
    AUTO_PGRESULT result = NULL;
    struct error fault = {0};

    if (rescue_link_query(&rescue->link, sights[sight].path, 2, parameters, &result, &fault)) {
        take_in(rescue, sights[sight].name, result, is_first_round);
        return true;
    }
    if (fault.code == ERROR_INTERRUPTED || rescue_link_is_lost(&rescue->link)) {
        *err = fault;
        return false;
    }
    rescue_say(rescue, sights[sight].name, "unknown", NULL, "cannot be looked at: %s",
               fault.message);
    return true;
}

/* --- the record --------------------------------------------------------------------------- */

/* One line of JSON, synced: the server may be down or full. */
static bool
write_note(struct rescue *rescue, const struct rescue_offer *offer, struct error *err)
{
    const char *folder;
    bool is_fine = false;

    if (!state_folder(rescue->arena, &folder, err))
        return false;
    rescue->report->record = arena_printf(rescue->arena, "%s/rescue.jsonl", folder);
    json_t *line =
        json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:s?, s:s}", "time", (json_int_t)time(NULL),
                  "server", rescue->server->name, "sight", offer->sight, "what", offer->what, "why",
                  offer->why, "how", offer->how, "pid", offer->pid, "outcome", offer->outcome);
    char *text = line == NULL ? NULL : json_dumps(line, 0);
    json_decref(line);
    int descriptor = open(rescue->report->record, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (text != NULL && descriptor >= 0)
        is_fine = dprintf(descriptor, "%s\n", text) > 0 && fsync(descriptor) == 0;
    if (!is_fine)
        error_errno(err, "cannot write %s", rescue->report->record);
    if (descriptor >= 0)
        close(descriptor);
    free(text);
    return is_fine;
}

/* Before and after each deed. A fire is put out even where nothing can be written, on a full disk
 * for one: that is said. */
static void
note(struct rescue *rescue, const struct rescue_offer *offer)
{
    struct error fault = {0};

    if (!write_note(rescue, offer, &fault) && !rescue->is_unrecorded_told) {
        rescue->is_unrecorded_told = true;
        rescue_say(rescue, "record", "warning", NULL, "what is done is not recorded: %s",
                   fault.message);
    }
}

/* In the server as well, where that can be had: it is what the next one looks at. */
static void
note_in_server(struct rescue *rescue, const struct rescue_offer *offer)
{
    const char *parameters[6] = {offer->sight, offer->what, offer->why,
                                 offer->how,   offer->pid,  offer->outcome};
    AUTO_PGRESULT result = NULL;
    struct error ignored;

    if (rescue->link.elsewhere != NULL) /* not the place where anybody looks for it */
        return;
    if (rescue->report->done + rescue->report->failed <= 1 &&
        !rescue_link_execute(&rescue->link, "maintenance/sql/rescue_create.sql", &ignored))
        return;
    rescue->report->is_recorded = rescue_link_query(
        &rescue->link, "maintenance/sql/rescue_note.sql", 6, parameters, &result, &ignored);
}

/* --- doing -------------------------------------------------------------------------------- */

static bool
end_session(struct rescue *rescue, struct rescue_offer *offer, struct error *err)
{
    const char *parameters[3] = {offer->pid, offer->backend_start, offer->how};
    AUTO_PGRESULT result = NULL;

    if (!rescue_link_query(&rescue->link, "maintenance/sql/rescue_end.sql", 3, parameters, &result,
                           err))
        return false;
    offer->outcome = PQntuples(result) == 0          ? "gone before"
                     : pg_bool(result, 0, "is_sent") ? "done"
                                                     : "could not be signalled";
    return true;
}

static bool
perform(struct rescue *rescue, struct rescue_offer *offer, struct error *err)
{
    AUTO_PGRESULT result = NULL;

    if (strcmp(offer->how, "console") != 0)
        return end_session(rescue, offer, err);
    offer->outcome = "done";
    return rescue_ask_pool(rescue, offer->sql, &result, err);
}

static bool
is_same(const struct rescue_offer *one, const struct rescue_offer *other)
{
    return strcmp(one->what, other->what) == 0 &&
           (one->backend_start == NULL || other->backend_start == NULL ||
            strcmp(one->backend_start, other->backend_start) == 0);
}

/* Those from first on that were refused in a round before. */
static void
leave_out_refused(struct rescue_report *report, size_t first)
{
    size_t kept = first;

    for (size_t i = first; i < report->offers.count; i++) {
        bool is_refused = false;
        for (size_t j = 0; j < first; j++)
            is_refused |= !report->offers.items[j].is_wanted &&
                          is_same(&report->offers.items[i], &report->offers.items[j]);
        if (!is_refused)
            report->offers.items[kept++] = report->offers.items[i];
    }
    report->offers.count = kept;
}

static bool
do_offers(struct rescue *rescue, size_t first, bool *ret_is_done, struct error *err)
{
    struct rescue_report *report = rescue->report;

    for (size_t i = first; i < report->offers.count; i++) {
        struct rescue_offer *offer = &report->offers.items[i];
        struct error fault = {0};
        if (!offer->is_wanted)
            continue;
        *ret_is_done = true;
        offer->outcome = "begun";
        note(rescue, offer);
        if (!perform(rescue, offer, &fault)) {
            if (fault.code == ERROR_INTERRUPTED || rescue_link_is_lost(&rescue->link)) {
                *err = fault;
                return false;
            }
            offer->outcome = arena_strdup(rescue->arena, fault.message);
        }
        offer->is_done =
            fault.code == ERROR_NONE && strcmp(offer->outcome, "could not be signalled") != 0;
        report->done += offer->is_done;
        report->failed += !offer->is_done;
        note(rescue, offer);
        note_in_server(rescue, offer);
    }
    return true;
}

/* ret_is_done: something was done, so that it is worth looking again. */
static bool
go_round(struct rescue *rescue, bool *ret_is_done, struct error *err)
{
    const struct rescue_options *options = rescue->options;
    size_t count = sizeof(sights) / sizeof(sights[0]);
    bool is_first = rescue->report->rounds++ == 0;

    *ret_is_done = false;
    for (size_t i = 0; i < count + 2; i++) {
        size_t first = rescue->report->offers.count;
        if (i < count && !look_at(rescue, i, is_first, err))
            return false;
        if (is_first && i < count && strcmp(sights[i].name, "disk") == 0)
            rescue_look_at_disk(rescue);
        if (i == count)
            look_at_memory(rescue);
        else if (i == count + 1 && is_first)
            rescue_look_at_pool(rescue);
        leave_out_refused(rescue->report, first);
        if (rescue->report->offers.count == first || options->is_dry_run)
            continue;
        options->confirm(options->sink, rescue->report, first);
        if (!do_offers(rescue, first, ret_is_done, err))
            return false;
    }
    return true;
}

/* --- the door ----------------------------------------------------------------------------- */

/* The connection that watch holds, unless that is the one that is used. */
static bool
is_held_by_watch(const struct rescue *rescue)
{
    struct rescue_link link;
    struct error ignored;
    AUTO_PGRESULT result = NULL;

    if (rescue->link.door >= 0 || !rescue_link_open_door(rescue->server, &link, &ignored))
        return false;
    bool is_held =
        rescue_link_query(&link, "maintenance/sql/rescue_door.sql", 0, NULL, &result, &ignored);
    rescue_link_close(&link);
    return is_held;
}

static bool
say_door(struct rescue *rescue, struct error *err)
{
    static const char held[] = "through the connection that pgdeck watch holds";
    AUTO_PGRESULT result = NULL;

    if (!rescue_link_query(&rescue->link, "maintenance/sql/rescue_door.sql", 0, NULL, &result, err))
        return false;
    if (rescue->link.door >= 0) {
        rescue_say(rescue, "door", "info", NULL, "the server takes no connection; rescue speaks %s",
                   held);
        return true;
    }
    if (rescue->link.elsewhere != NULL)
        rescue_say(rescue, "door", "warning", NULL,
                   "the catalog of the conninfo's database cannot be read; rescue looks from %s",
                   rescue->link.elsewhere);
    bool is_held = is_held_by_watch(rescue);
    rescue_say(rescue, "door", is_held ? "info" : pg_keep(rescue->arena, result, 0, "severity"),
               is_held ? NULL : pg_keep(rescue->arena, result, 0, "sql"), "%s; %s",
               pg_value(result, 0, "text"),
               is_held ? held : "no pgdeck watch holds a connection here");
    return true;
}

/* Without these it would say that all is quiet. */
static bool
say_rights(struct rescue *rescue, struct error *err)
{
    AUTO_PGRESULT result = NULL;

    if (!rescue_link_query(&rescue->link, "maintenance/sql/rescue_rights.sql", 0, NULL, &result,
                           err))
        return false;
    for (int row = 0; row < PQntuples(result); row++)
        rescue_say(rescue, "rights", "warning", pg_keep(rescue->arena, result, row, "sql"), "%s",
                   pg_value(result, row, "text"));
    return true;
}

/* The server, and what can be seen and done there. */
static bool
enter(struct rescue *rescue, struct error *err)
{
    const struct deck *deck = rescue->options == NULL ? NULL : rescue->options->deck;

    if (!rescue_link_open(deck, rescue->server, &rescue->link, err))
        return false;
    const PGconn *connection = rescue->link.connection;
    if (rescue->is_local && connection != NULL &&
        !host_has_backend(connection, PQbackendPID(connection))) {
        rescue->is_local = false;
        rescue_say(rescue, "host", "unknown", NULL,
                   "the server is in a container or behind a tunnel: it may have another machine");
    }
    return say_door(rescue, err) && say_rights(rescue, err);
}

bool
rescue_check(struct arena *arena, const struct deck_server *server,
             struct rescue_report *ret_report, struct error *err)
{
    struct rescue rescue = {
        .arena = arena, .server = server, .report = ret_report, .link.door = -1};

    *ret_report = (struct rescue_report){.server = server->name, .record = ""};
    bool is_fine = enter(&rescue, err);
    rescue_link_close(&rescue.link);
    return is_fine;
}

bool
rescue_server(struct arena *arena, const struct rescue_options *options,
              const struct deck_server *server, struct rescue_report *ret_report, struct error *err)
{
    struct rescue rescue = {.arena = arena,
                            .options = options,
                            .server = server,
                            .link.door = -1,
                            .report = ret_report,
                            .is_local = rescue_is_local(server)};
    bool is_done = true;

    *ret_report = (struct rescue_report){.server = server->name, .record = ""};
    if (rescue.is_local)
        rescue_look_at_host(&rescue);
    else
        rescue_say(&rescue, "host", "unknown", NULL, "the server is on another host");
    bool is_fine = enter(&rescue, err);
    while (is_fine && is_done && ret_report->rounds < ROUNDS)
        is_fine = go_round(&rescue, &is_done, err) &&
                  (!is_done || interrupt_sleep_ms(LOOK_AGAIN_MS, err));
    rescue_link_close(&rescue.link);
    return is_fine || error_wrap(err, "server \"%s\"", server->name);
}
