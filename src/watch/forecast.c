// SPDX-License-Identifier: MIT
/* Forecasts: sequences and transaction ids by the history in the databases, disks by that and by
 * the last day minute by minute; the one that ends sooner counts. */
#include "watch/document.h"

#include "pg/script.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MINUTE_S = 60, DAY_S = 86400, SAMPLES_MIN = 6, SPAN_MIN_S = 30 * MINUTE_S, SIGHT = 30 };
static const double fit_min = 0.7;

static const char *const outlooks[] = {
    [WATCH_RUNS_OUT] = "runs out",           [WATCH_IS_FAR] = "far",
    [WATCH_STAYS] = "nothing is used",       [WATCH_IS_UNSTEADY] = "no steady trend",
    [WATCH_IS_YOUNG] = "too little history", [WATCH_IS_KEPT] = "kept young by autovacuum",
};

/* --- the line ------------------------------------------------------------------------------- */

double
watch_trend_sight_s(const struct watch_trend *trend)
{
    return SIGHT * (trend->until - trend->since);
}

enum watch_outlook
watch_trend_outlook(const struct watch_trend *trend, double room, double now, double *ret_at)
{
    if (trend->samples < SAMPLES_MIN || trend->until - trend->since < SPAN_MIN_S)
        return WATCH_IS_YOUNG;
    if (!(trend->a_day > 0))
        return WATCH_STAYS;
    double left_s = room / trend->a_day * DAY_S;
    if (left_s > watch_trend_sight_s(trend))
        return WATCH_IS_FAR;
    if (!(trend->fit >= fit_min))
        return WATCH_IS_UNSTEADY;
    *ret_at = now + left_s;
    return WATCH_RUNS_OUT;
}

struct watch_trend
watch_trend_of(const struct watch_series *left, double now)
{
    int64_t newest = (int64_t)now / MINUTE_S, first = 0, last = 0;
    double count = 0, mean_x = 0, mean_y = 0, xx = 0, xy = 0, yy = 0;

    for (int64_t minute = newest - WATCH_MINUTES + 1; minute <= newest; minute++) {
        const double *sums = watch_series_minute(left, minute);
        if (sums == NULL || sums[1] <= 0)
            continue;
        first = count > 0 ? first : minute;
        last = minute;
        double x = (double)(minute - newest) * MINUTE_S, y = sums[0] / sums[1];
        double from_x = x - mean_x, from_y = y - mean_y;
        count++; /* sums about the running means lose no digits */
        mean_x += from_x / count;
        mean_y += from_y / count;
        xx += from_x * (x - mean_x);
        xy += from_x * (y - mean_y);
        yy += from_y * (y - mean_y);
    }
    return (struct watch_trend){
        .samples = count,
        .since = (double)first * MINUTE_S,
        .until = (double)last * MINUTE_S,
        .a_day = xx > 0 ? -xy / xx * DAY_S : 0,
        .fit = yy > 0 && xx > 0 ? xy * xy / (xx * yy) : 0,
    };
}

/* --- reading, and the history of the disks --------------------------------------------------- */

bool
watch_has_growth(const struct watch_collector *collector)
{
    return collector->has_growth;
}

static void
copy_text(char *to, size_t bytes, const char *from)
{
    snprintf(to, bytes, "%s", from == NULL || strlen(from) >= bytes ? "" : from);
}

void
watch_read_forecast(struct watch_collector *collector, const PGresult *result, double now)
{
    collector->forecast_at = now;
    collector->forecast_count = 0;
    for (int row = 0; row < PQntuples(result); row++) {
        struct watch_forecast *one = &collector->forecasts[collector->forecast_count];
        const char *name = pg_value(result, row, "name");
        if (collector->forecast_count == WATCH_FORECASTS || strlen(name) >= sizeof(one->name))
            continue;
        *one = (struct watch_forecast){
            .is_kept_young = pg_bool(result, row, "is_kept_young"),
            .room = pg_value(result, row, "room") == NULL ? NAN : watch_value(result, row, "room"),
            .trend = {.samples = watch_value(result, row, "samples"),
                      .since = watch_value(result, row, "since"),
                      .until = watch_value(result, row, "until"),
                      .a_day = watch_value(result, row, "a_day"),
                      .fit = watch_value(result, row, "fit")},
        };
        copy_text(one->kind, sizeof(one->kind), pg_value(result, row, "kind"));
        copy_text(one->name, sizeof(one->name), name);
        copy_text(one->fix_sql, sizeof(one->fix_sql), pg_value(result, row, "fix_sql"));
        collector->forecast_count++;
    }
}

/* The first database of the server that can writes it. */
bool
watch_wants_room(const struct watch_collector *collector)
{
    const struct watch_generation *generation = collector->generation;

    if (!watch_has_host(collector->server))
        return false;
    for (size_t i = 0; i < generation->collectors.count; i++) {
        const struct watch_collector *one = &generation->collectors.items[i];
        if (one->server == collector->server && one->is_reachable && one->may_record_growth)
            return one == collector;
    }
    return false;
}

/* Whether a folder before it is on the same file system, or nobody can look at it. */
static bool
is_surplus(const struct watch_host *host, size_t disk)
{
    for (size_t i = 0; i < disk; i++) {
        if (host->disks[i].room.size_bytes > 0 &&
            host->disks[i].room.device == host->disks[disk].room.device)
            return true;
    }
    return host->disks[disk].room.size_bytes <= 0;
}

int
watch_room_parameters(struct watch_collector *collector, struct arena *arena,
                      const char *ret_parameters[WATCH_PARAMETERS_MAX])
{
    const struct watch_host *host = &collector->server->host;
    const char *names[WATCH_DISKS], *free_bytes[WATCH_DISKS];
    size_t count = 0;

    for (size_t i = 0; i < host->disk_count; i++) {
        if (is_surplus(host, i))
            continue;
        names[count] = host->disks[i].name;
        free_bytes[count++] = arena_printf(arena, "%.0f", host->disks[i].room.free_bytes);
    }
    ret_parameters[0] = pg_text_array(arena, names, count);
    ret_parameters[1] = pg_text_array(arena, free_bytes, count);
    return 2;
}

/* --- the document ---------------------------------------------------------------------------- */

struct outlook {
    enum watch_outlook is;
    double at;
    const struct watch_trend *trend;
};

static struct outlook
look(const struct watch_trend *trend, double room, double now)
{
    struct outlook outlook = {.at = INFINITY, .trend = trend};

    outlook.is = watch_trend_outlook(trend, room, now, &outlook.at);
    return outlook;
}

static json_t *
forecast_of(const struct watch_server *server, const struct watch_collector *database,
            const char *kind, const char *name, const char *fix_sql)
{
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:s, s:o, s:o}", "deck", watch_json(server->deck->name), "server",
        watch_json(server->server->name), "environment",
        database == NULL ? json_null() : watch_json(database->database->environment->name),
        "database", database == NULL ? json_null() : watch_json(database->database->name), "kind",
        kind, "name", watch_json(name), "fix_sql",
        fix_sql[0] == '\0' ? json_null() : watch_json(fix_sql));
}

static void
set_outlook(json_t *one, const struct outlook *outlook, double room, double measured_at)
{
    bool is_known = outlook->is == WATCH_RUNS_OUT, is_far = outlook->is == WATCH_IS_FAR;
    const struct watch_trend *trend = outlook->trend;
    const struct {
        const char *name;
        double value;
    } numbers[] = {
        {"measured_at", measured_at},
        {"room", room},
        {"a_day", trend->samples > 1 ? trend->a_day : NAN},
        {"fit", trend->samples > 1 ? trend->fit : NAN},
        {"samples", trend->samples},
        {"history_s", trend->until - trend->since},
        {"runs_out_at", is_known ? outlook->at : NAN},
        {"not_before", is_far ? measured_at + watch_trend_sight_s(trend) : NAN},
    };

    json_object_set_new(one, "outlook", json_string(outlooks[outlook->is]));
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        json_object_set_new(one, numbers[i].name, watch_number(numbers[i].value));
}

static void
add_database(json_t *list, const struct watch_collector *collector)
{
    for (size_t i = 0; i < collector->forecast_count && collector->is_reachable; i++) {
        const struct watch_forecast *read = &collector->forecasts[i];
        if (isnan(read->room))
            continue;
        struct outlook outlook = look(&read->trend, read->room, collector->forecast_at);
        if (read->is_kept_young && outlook.is != WATCH_IS_YOUNG)
            outlook.is = WATCH_IS_KEPT;
        json_t *one =
            forecast_of(collector->server, collector, read->kind, read->name, read->fix_sql);
        set_outlook(one, &outlook, read->room, collector->forecast_at);
        json_array_append_new(list, one);
    }
}

/* The longest history of the disk that any database has; NULL: none. */
static const struct watch_trend *
recorded_trend(const struct watch_generation *generation, const struct watch_server *server,
               const char *disk)
{
    const struct watch_trend *longest = NULL;

    for (size_t i = 0; i < generation->collectors.count; i++) {
        const struct watch_collector *collector = &generation->collectors.items[i];
        for (size_t j = 0; j < collector->forecast_count && collector->server == server; j++) {
            const struct watch_forecast *one = &collector->forecasts[j];
            if (strcmp(one->kind, "disk") == 0 && strcmp(one->name, disk) == 0 &&
                (longest == NULL || one->trend.samples > longest->samples))
                longest = &one->trend;
        }
    }
    return longest;
}

static void
add_disks(json_t *list, const struct watch_generation *generation,
          const struct watch_server *server)
{
    const struct watch_host *host = &server->host;

    for (size_t i = 0; i < host->disk_count && watch_has_host(server); i++) {
        const struct watch_disk *disk = &host->disks[i];
        if (is_surplus(host, i))
            continue;
        const struct watch_trend last_day = watch_trend_of(disk->left, host->read_at);
        const struct watch_trend *recorded = recorded_trend(generation, server, disk->name);
        struct outlook outlook = look(&last_day, disk->room.free_bytes, host->read_at);
        if (recorded != NULL) {
            struct outlook slow = look(recorded, disk->room.free_bytes, host->read_at);
            bool is_better = outlook.is != WATCH_RUNS_OUT && slow.is != WATCH_IS_YOUNG;
            if (slow.at < outlook.at || is_better)
                outlook = slow;
        }
        json_t *one = forecast_of(server, NULL, "disk", disk->name, "");
        json_object_set_new(one, "folder", watch_json(disk->folder));
        set_outlook(one, &outlook, disk->room.free_bytes, host->read_at);
        json_array_append_new(list, one);
    }
}

json_t *
watch_forecasts_document(struct watch *watch, double now)
{
    const struct watch_generation *generation = watch->generation;
    json_t *list = json_array();

    for (size_t i = 0; i < generation->servers.count; i++)
        add_disks(list, generation, &generation->servers.items[i]);
    for (size_t i = 0; i < generation->collectors.count; i++)
        add_database(list, &generation->collectors.items[i]);
    return json_pack("{s:f, s:o}", "at", now, "forecasts", list);
}
