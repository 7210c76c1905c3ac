// SPDX-License-Identifier: MIT
#include "maintenance/calendar.h"

#include "base/embed.h"
#include "maintenance/run.h"
#include "plan/plan.h"
#include "rollup/refresh.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct keeping {
    struct arena *arena;
    const struct deck *deck;
    const struct maintenance_clock *clock;
    const struct deck_database *database;
    PGconn *connection;
    bool has_record;
};

const char *
maintenance_turn_name(enum maintenance_turn turn)
{
    static const char *const names[] = {"to come", "due", "missed", "has run", "unreachable"};

    return names[turn];
}

static const char *
schedule_of(const struct deck_maintenance *wanted, enum maintenance_kind kind)
{
    const char *const schedules[] = {wanted->daily, wanted->weekly, wanted->monthly};

    return schedules[kind];
}

/* --- reading ------------------------------------------------------------------------------ */

static bool
read_windows(const struct keeping *keeping, enum maintenance_kind kind, PGresult **ret_result,
             struct error *err)
{
    const struct deck_environment *environment = keeping->database->environment;
    const struct deck_maintenance *wanted = &environment->maintenance;
    const char *parameters[4] = {
        keeping->clock->now, wanted->time_zone, schedule_of(wanted, kind),
        arena_printf(keeping->arena, "%lld", (long long)wanted->window_ms)};

    if (pg_query(keeping->connection, embedded_file("maintenance/sql/windows.sql")->text, 4,
                 parameters, ret_result, err))
        return true;
    error_place(err, environment->place);
    return error_wrap(err, "maintenance of environment \"%s\"", environment->name);
}

/* What is missed daily is made up for at once, and gently; the rest at the next daily window, where
 * there is one. */
static bool
choose_time(const struct keeping *keeping, struct maintenance_appointment *appointment,
            struct error *err)
{
    const struct deck_maintenance *wanted = &keeping->database->environment->maintenance;
    AUTO_PGRESULT daily = NULL;

    appointment->is_now = true;
    appointment->left_ms = wanted->window_ms;
    if (appointment->kind == MAINTENANCE_DAILY || wanted->daily == NULL)
        return true;
    if (!read_windows(keeping, MAINTENANCE_DAILY, &daily, err))
        return false;
    appointment->left_ms = pg_integer(daily, 0, "left_ms");
    appointment->is_now = appointment->left_ms > 0;
    return true;
}

static bool
read_outcome(const struct keeping *keeping, struct maintenance_appointment *appointment,
             struct error *err)
{
    const struct deck_environment *environment = keeping->database->environment;
    const char *parameters[4] = {
        environment->name, maintenance_kind_name(appointment->kind), appointment->begin,
        arena_printf(keeping->arena, "%lld", (long long)environment->maintenance.window_ms)};
    bool is_owed = false, is_open = appointment->left_ms > 0;
    AUTO_PGRESULT result = NULL;

    if (keeping->has_record) {
        if (!pg_query(keeping->connection, embedded_file("maintenance/sql/calendar_run.sql")->text,
                      4, parameters, &result, err))
            return false;
        appointment->outcome = pg_keep_text(keeping->arena, result, 0, "state");
        is_owed = pg_bool(result, 0, "is_owed");
    }
    bool is_over = appointment->outcome[0] != '\0' && strcmp(appointment->outcome, "running") != 0;
    appointment->turn = is_over   ? MAINTENANCE_HAS_RUN
                        : is_open ? MAINTENANCE_DUE
                        : is_owed ? MAINTENANCE_MISSED
                                  : MAINTENANCE_NEVER_BEGUN;
    appointment->is_now = appointment->turn == MAINTENANCE_DUE;
    return appointment->turn != MAINTENANCE_MISSED || choose_time(keeping, appointment, err);
}

static bool
read_appointment(const struct keeping *keeping, enum maintenance_kind kind,
                 struct maintenance_appointment *ret_appointment, struct error *err)
{
    AUTO_PGRESULT windows = NULL;

    *ret_appointment = (struct maintenance_appointment){
        .database = keeping->database, .kind = kind, .outcome = "", .local_next = ""};
    if (!read_windows(keeping, kind, &windows, err))
        return false;
    ret_appointment->begin = pg_keep_text(keeping->arena, windows, 0, "begin");
    ret_appointment->local_begin = pg_keep_text(keeping->arena, windows, 0, "local_begin");
    ret_appointment->local_next = pg_keep_text(keeping->arena, windows, 0, "local_next");
    ret_appointment->left_ms = pg_integer(windows, 0, "left_ms");
    return read_outcome(keeping, ret_appointment, err);
}

/* --- keeping ------------------------------------------------------------------------------ */

static bool
begin_record(struct keeping *keeping, struct error *err)
{
    char host[64] = "", pid[16];
    const char *parameters[4] = {keeping->database->environment->name, keeping->clock->now, host,
                                 pid};
    AUTO_PGRESULT result = NULL;
    AUTO_PGRESULT there = NULL;

    if (!pg_query(keeping->connection, embedded_file("maintenance/sql/there.sql")->text, 0, NULL,
                  &there, err))
        return false;
    keeping->has_record = pg_bool(there, 0, "is_there");
    if (!keeping->clock->is_running)
        return true;
    gethostname(host, sizeof(host) - 1);
    snprintf(pid, sizeof(pid), "%d", (int)getpid());
    if (!keeping->has_record &&
        !pg_execute(keeping->connection, embedded_file("maintenance/sql/create.sql")->text, err))
        return false;
    keeping->has_record = true;
    return pg_query(keeping->connection, embedded_file("maintenance/sql/calendar_since.sql")->text,
                    4, parameters, &result, err);
}

static bool
do_now(const struct keeping *keeping, struct maintenance_appointment *appointment,
       struct error *err)
{
    struct maintenance_report *report = ARENA_NEW(keeping->arena, struct maintenance_report);
    const struct maintenance_options options = {
        .deck = keeping->deck,
        .kind = appointment->kind,
        .window_ms = appointment->left_ms,
        .window_begin = appointment->begin,
        .is_gentle = appointment->turn == MAINTENANCE_MISSED,
        .on_progress = keeping->clock->on_progress,
        .sink = keeping->clock->sink,
    };

    appointment->report = report;
    return maintenance_tend(keeping->arena, &options, keeping->database, report, err);
}

static bool
keep_database(struct keeping *keeping, struct maintenance_calendar *calendar, struct error *err)
{
    for (enum maintenance_kind kind = 0; kind < MAINTENANCE_KINDS; kind++) {
        struct maintenance_appointment appointment;
        if (schedule_of(&keeping->database->environment->maintenance, kind) == NULL)
            continue;
        if (!read_appointment(keeping, kind, &appointment, err) ||
            (keeping->clock->is_running && appointment.is_now &&
             !do_now(keeping, &appointment, err)))
            return false;
        *LIST_ADD(keeping->arena, &calendar->list) = appointment;
    }
    return true;
}

static bool
is_scheduled(const struct deck_maintenance *wanted)
{
    return wanted->daily != NULL || wanted->weekly != NULL || wanted->monthly != NULL;
}

/* At each look, whatever the time: what has been closed is read fast. */
static bool
keep_rollups(const struct keeping *keeping, struct error *err)
{
    if (!keeping->clock->is_running || keeping->deck->rollups.count == 0)
        return true;
    return rollup_refresh_all(keeping->connection, err);
}

bool
maintenance_keep(struct arena *arena, const struct deck *deck,
                 const struct maintenance_clock *clock, struct maintenance_calendar *ret_calendar,
                 struct error *err)
{
    *ret_calendar = (struct maintenance_calendar){0};
    if ((deck->advisors & ADVISOR_MAINTENANCE) == 0)
        return true;
    for (size_t i = 0; i < deck->databases.count; i++) {
        const struct deck_database *database = &deck->databases.items[i];
        const struct pg_target target = plan_target(database->environment->server, database->name);
        struct keeping keeping = {arena, deck, clock, database, NULL, false};
        struct error fault = {0};
        bool has_calendar = is_scheduled(&database->environment->maintenance);
        if (!has_calendar && deck->rollups.count == 0)
            continue;
        bool is_kept =
            pg_connect(&target, &keeping.connection, &fault) && keep_rollups(&keeping, &fault) &&
            (!has_calendar ||
             (begin_record(&keeping, &fault) && keep_database(&keeping, ret_calendar, &fault)));
        PQfinish(keeping.connection);
        if (is_kept)
            continue;
        if (fault.code == ERROR_INTERRUPTED) {
            *err = fault;
            return false;
        }
        *LIST_ADD(arena, &ret_calendar->list) =
            (struct maintenance_appointment){.database = database,
                                             .turn = MAINTENANCE_UNREACHABLE,
                                             .begin = "",
                                             .local_begin = "",
                                             .local_next = "",
                                             .outcome = arena_strdup(arena, fault.message)};
    }
    return true;
}
