// SPDX-License-Identifier: MIT
#include "alert/daemon.h"

#include "alert/evaluate.h"
#include "base/file.h"
#include "deck/keys.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

enum { MS = 1000, NS_MS = 1000000 };

/* --- clocks, threads ------------------------------------------------------------------------ */

static int64_t
clock_ms(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * MS + now.tv_nsec / NS_MS;
}

int64_t
alert_now_ms(void)
{
    return clock_ms(CLOCK_REALTIME);
}

int64_t
alert_monotonic_ms(void)
{
    return clock_ms(CLOCK_MONOTONIC);
}

void
alert_wait(struct alerts *alerts, int64_t milliseconds)
{
    int64_t until = alert_monotonic_ms() + milliseconds;
    struct timespec end = {.tv_sec = (time_t)(until / MS), .tv_nsec = (until % MS) * NS_MS};

    pthread_cond_timedwait(&alerts->changed, &alerts->lock, &end);
}

bool
alert_thread(pthread_t *ret_thread, void *(*run)(void *), void *argument, struct error *err)
{
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    errno = pthread_create(ret_thread, NULL, run, argument);
    int cause = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = cause;
    return cause == 0 || error_errno(err, "cannot start a thread");
}

/* --- of the deck ---------------------------------------------------------------------------- */

static const char *
copy(struct arena *arena, const char *text)
{
    return text == NULL ? NULL : arena_strdup(arena, text);
}

static struct deck_notify
copy_target(struct arena *arena, const struct deck_notify *target)
{
    struct deck_notify made = *target;

    made.name = copy(arena, target->name);
    made.place = (struct place){0};
    made.url = copy(arena, target->url);
    made.url_file = copy(arena, target->url_file);
    made.token_file = copy(arena, target->token_file);
    made.user = copy(arena, target->user);
    made.password_file = copy(arena, target->password_file);
    made.from = copy(arena, target->from);
    made.ca_file = copy(arena, target->ca_file);
    memset(&made.to, 0, sizeof(made.to));
    memset(&made.command, 0, sizeof(made.command));
    memset(&made.environments, 0, sizeof(made.environments));
    for (size_t i = 0; i < target->to.count; i++)
        *LIST_ADD(arena, &made.to) = copy(arena, target->to.items[i]);
    for (size_t i = 0; i < target->command.count; i++)
        *LIST_ADD(arena, &made.command) = copy(arena, target->command.items[i]);
    for (size_t i = 0; i < target->environments.count; i++)
        *LIST_ADD(arena, &made.environments) = copy(arena, target->environments.items[i]);
    return made;
}

/* Puts what is remembered of targets into the order of the deck; who is gone is forgotten. */
static void
order_targets(struct alert_store *store, const struct deck *deck)
{
    struct alert_target_state ordered[ALERT_TARGET_LIMIT] = {0};
    size_t count =
        deck->notify.count < ALERT_TARGET_LIMIT ? deck->notify.count : ALERT_TARGET_LIMIT;
    size_t from[ALERT_TARGET_LIMIT];

    for (size_t i = 0; i < count; i++) {
        const char *name = deck->notify.items[i].name;
        for (from[i] = 0; from[i] < store->target_count; from[i]++) {
            if (strcmp(store->targets[from[i]].name, name) == 0)
                break;
        }
        if (from[i] < store->target_count)
            ordered[i] = store->targets[from[i]];
        else
            memcpy(ordered[i].name, name, strnlen(name, ALERT_NAME_BYTES));
    }
    for (size_t i = 0; i < store->set.count; i++) {
        enum alert_level sent[ALERT_TARGET_LIMIT] = {0};
        for (size_t j = 0; j < count; j++) {
            if (from[j] < store->target_count)
                sent[j] = store->set.items[i]->sent[from[j]];
        }
        memcpy(store->set.items[i]->sent, sent, sizeof(sent));
    }
    memcpy(store->targets, ordered, sizeof(ordered));
    store->target_count = count;
}

static bool
is_gone(const void *context, const struct alert *alert)
{
    const struct deck *deck = context;
    bool has_environment = alert->environment[0] == '\0';
    bool has_database = alert->database[0] == '\0';
    bool has_server = alert->server[0] == '\0';

    for (size_t i = 0; i < deck->environments.count; i++)
        has_environment |= strcmp(deck->environments.items[i].name, alert->environment) == 0;
    for (size_t i = 0; i < deck->databases.count; i++)
        has_database |= strcmp(deck->databases.items[i].name, alert->database) == 0;
    for (size_t i = 0; i < deck->servers.count; i++)
        has_server |= strcmp(deck->servers.items[i].name, alert->server) == 0;
    return !has_environment || !has_database || !has_server;
}

static void
note_events(struct alerts *alerts, struct arena *arena, const struct alert_events *events,
            int64_t now_ms)
{
    for (size_t i = 0; i < events->list.count; i++) {
        text_append(&alerts->history, alert_history_line(arena, &events->list.items[i], now_ms));
        text_append(&alerts->history, "\n");
    }
}

/* No threads run. */
static void
take_deck(struct alerts *alerts, const struct deck *deck)
{
    AUTO_ARENA arena = arena_new();
    struct alert_events events = {0};

    arena_free(alerts->deck_arena);
    alerts->deck_arena = arena_new();
    alerts->deck = copy(alerts->deck_arena, deck->name);
    memset(&alerts->limits, 0, sizeof(alerts->limits));
    for (size_t i = 0; i < deck->alerts.count; i++) {
        const struct deck_alert *alert = &deck->alerts.items[i];
        *LIST_ADD(alerts->deck_arena, &alerts->limits) = (struct alert_limit){
            copy(alerts->deck_arena, alert->name), {alert->fire, alert->clear}};
    }
    order_targets(&alerts->store, deck);
    for (size_t i = 0; i < alerts->store.target_count; i++)
        alerts->targets[i] = (struct alert_target){
            .alerts = alerts,
            .index = i,
            .target = copy_target(alerts->deck_arena, &deck->notify.items[i])};
    alert_set_retire(arena, &alerts->store.set, is_gone, deck, &events);
    note_events(alerts, arena, &events, alert_now_ms());
    alert_set_sweep(&alerts->store.set);
    alerts->is_dirty = true;
}

/* --- begin and end -------------------------------------------------------------------------- */

static void
stop_threads(struct alerts *alerts)
{
    pthread_mutex_lock(&alerts->lock);
    atomic_store(&alerts->is_stopping, true);
    pthread_cond_broadcast(&alerts->changed);
    pthread_mutex_unlock(&alerts->lock);
    for (size_t i = 0; i < ALERT_TARGET_LIMIT; i++) {
        if (alerts->targets[i].is_running)
            pthread_join(alerts->targets[i].thread, NULL);
        alerts->targets[i].is_running = false;
    }
    if (alerts->is_keeping)
        pthread_join(alerts->keeper, NULL);
    if (alerts->is_keeping && alerts->is_dirty)
        alert_write_files(alerts);
    alerts->is_keeping = false;
}

static bool
start_threads(struct alerts *alerts, struct error *err)
{
    atomic_store(&alerts->is_stopping, false);
    if (!alert_thread(&alerts->keeper, alert_keep, alerts, err))
        return false;
    alerts->is_keeping = true;
    for (size_t i = 0; i < alerts->store.target_count; i++) {
        struct alert_target *target = &alerts->targets[i];
        if (!alert_thread(&target->thread, alert_deliver, target, err))
            return false;
        target->is_running = true;
    }
    return true;
}

static bool
lock_folder(struct alerts *alerts, struct error *err)
{
    AUTO_ARENA arena = arena_new();
    char *path = arena_printf(arena, "%s/daemon.lock", alerts->folder);

    alerts->folder_lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (alerts->folder_lock < 0)
        return error_errno(err, "cannot open \"%s\"", path);
    if (flock(alerts->folder_lock, LOCK_EX | LOCK_NB) == 0)
        return true;
    return error_set(err, ERROR_LOCKED, "another pgdeck watch keeps the alerts in \"%s\"",
                     alerts->folder);
}

bool
alerts_open(const struct deck *deck, const char *folder, struct alerts **ret_alerts,
            struct error *err)
{
    AUTO_ARENA arena = arena_new();
    pthread_condattr_t monotonic;

    if (folder == NULL && !alert_folder(arena, deck, &folder, err))
        return false;
    struct alerts *alerts = calloc(1, sizeof(*alerts));
    if (alerts == NULL || (alerts->folder = strdup(folder)) == NULL)
        abort();
    alerts->folder_lock = -1;
    pthread_mutex_init(&alerts->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&alerts->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    bool is_fine = file_make_folder(folder, 0755, err) && lock_folder(alerts, err) &&
                   alert_store_read(folder, &alerts->store, err);
    if (is_fine) {
        take_deck(alerts, deck);
        is_fine = start_threads(alerts, err);
    }
    if (!is_fine) {
        alerts_close(alerts);
        return false;
    }
    *ret_alerts = alerts;
    return true;
}

void
alerts_reload(struct alerts *alerts, const struct deck *deck)
{
    struct error err = {0};

    stop_threads(alerts);
    take_deck(alerts, deck);
    if (!start_threads(alerts, &err))
        alerts->problem = err;
}

void
alerts_close(struct alerts *alerts)
{
    if (alerts == NULL)
        return;
    stop_threads(alerts);
    alert_set_release(&alerts->store.set);
    text_release(&alerts->history);
    arena_free(alerts->silences_arena);
    arena_free(alerts->deck_arena);
    if (alerts->folder_lock >= 0)
        close(alerts->folder_lock);
    pthread_cond_destroy(&alerts->changed);
    pthread_mutex_destroy(&alerts->lock);
    free(alerts->folder);
    free(alerts);
    curl_global_cleanup();
}

/* --- rounds --------------------------------------------------------------------------------- */

static struct alert_counts
counts_of(const void *context, const char *name)
{
    const struct alerts *alerts = context;

    for (size_t i = 0; i < alerts->limits.count; i++) {
        if (strcmp(alerts->limits.items[i].name, name) == 0)
            return alerts->limits.items[i].counts;
    }
    if (strncmp(name, ALERT_HEALTH, strlen(ALERT_HEALTH)) == 0)
        return (struct alert_counts){1, 1}; /* minutes lie between two looks */
    return (struct alert_counts){DECK_ALERT_FIRE, DECK_ALERT_CLEAR};
}

void
alerts_round(struct alerts *alerts, const struct alert_finding *findings, size_t count,
             int64_t now_ms)
{
    AUTO_ARENA arena = arena_new();
    const struct alert_rules rules = {counts_of, alerts};
    const struct alert_round round = {findings, count, now_ms};
    struct alert_events events = {0};

    pthread_mutex_lock(&alerts->lock);
    bool had_any = alerts->store.set.count > 0;
    alert_set_round(arena, &alerts->store.set, &rules, &round, &events);
    note_events(alerts, arena, &events, now_ms);
    alert_set_sweep(&alerts->store.set);
    if (had_any || alerts->store.set.count > 0)
        alerts->is_dirty = true;
    if (events.list.count > 0)
        pthread_cond_broadcast(&alerts->changed);
    pthread_mutex_unlock(&alerts->lock);
}

struct health_look {
    const struct deck *deck;
    const json_t *health;
};

static const char *
name_or_null(const char *name)
{
    return name[0] == '\0' ? NULL : name;
}

static bool
is_over(const void *context, const struct alert *alert)
{
    const struct health_look *look = context;
    const struct alert_finding finding = {.name = alert->name,
                                          .server = name_or_null(alert->server),
                                          .database = name_or_null(alert->database)};

    return alert_health_is_over(look->deck, look->health, &finding);
}

void
alerts_retire_health(struct alerts *alerts, const struct deck *deck, const json_t *health,
                     int64_t now_ms)
{
    const struct health_look look = {deck, health};
    AUTO_ARENA arena = arena_new();
    struct alert_events events = {0};

    pthread_mutex_lock(&alerts->lock);
    alert_set_retire(arena, &alerts->store.set, is_over, &look, &events);
    note_events(alerts, arena, &events, now_ms);
    alert_set_sweep(&alerts->store.set);
    if (events.list.count > 0) {
        alerts->is_dirty = true;
        pthread_cond_broadcast(&alerts->changed);
    }
    pthread_mutex_unlock(&alerts->lock);
}

/* --- the document --------------------------------------------------------------------------- */

static json_t *
number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *
text_or_null(const char *text)
{
    return text == NULL || text[0] == '\0' ? json_null() : json_string(text);
}

static json_t *
alert_of(const struct alerts *alerts, const struct alert *alert, int64_t now_ms)
{
    const struct alert_silence *silence = alert_silenced(&alerts->silences, alert, now_ms);
    json_t *json = json_pack("{s:s, s:s, s:s, s:f, s:f, s:I}", "name", alert->name, "level",
                             alert_level_name(alert->level), "message", alert->message, "since",
                             (double)alert->since_ms / MS, "measured_at",
                             (double)alert->measured_ms / MS, "number", (json_int_t)alert->number);
    const struct {
        const char *name, *text;
    } texts[] = {{"server", alert->server},
                 {"environment", alert->environment},
                 {"database", alert->database},
                 {"fix_sql", alert->fix_sql},
                 {"fix_database", alert->fix_database},
                 {"unit", alert->unit},
                 {"silenced_by", silence == NULL ? NULL : silence->author}};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        json_object_set_new(json, texts[i].name, text_or_null(texts[i].text));
    json_object_set_new(json, "value", number(alert->value));
    json_object_set_new(json, "warning", number(alert->warning));
    json_object_set_new(json, "critical", number(alert->critical));
    json_object_set_new(json, "silenced_until",
                        number(silence == NULL ? NAN : (double)silence->until_ms / MS));
    return json;
}

static json_t *
target_of(const struct alert_target_state *target)
{
    return json_pack("{s:s, s:b, s:o, s:o, s:i, s:I, s:I, s:o}", "name", target->name, "is_failing",
                     target->failing_ms != 0, "failing_since",
                     number(target->failing_ms == 0 ? NAN : (double)target->failing_ms / MS),
                     "told_at", number(target->ok_ms == 0 ? NAN : (double)target->ok_ms / MS),
                     "failures", target->failures, "sent", (json_int_t)target->sent, "failed",
                     (json_int_t)target->failed, "error", text_or_null(target->error));
}

static json_t *
silence_of(const struct alert_silence *silence)
{
    return json_pack("{s:s, s:s, s:s?, s:s?, s:s?, s:s?, s:f, s:f}", "id", silence->id, "name",
                     silence->name, "environment", silence->environment, "database",
                     silence->database, "author", silence->author, "why", silence->why, "begun",
                     (double)silence->begun_ms / MS, "until", (double)silence->until_ms / MS);
}

char *
alerts_document(struct arena *arena, struct alerts *alerts)
{
    json_t *open = json_array(), *targets = json_array(), *silences = json_array();
    int64_t now_ms = alert_now_ms();

    pthread_mutex_lock(&alerts->lock);
    for (int level = ALERT_CRITICAL; level >= ALERT_WARNING; level--) {
        for (size_t i = 0; i < alerts->store.set.count; i++) {
            if ((int)alerts->store.set.items[i]->level == level)
                json_array_append_new(open, alert_of(alerts, alerts->store.set.items[i], now_ms));
        }
    }
    for (size_t i = 0; i < alerts->store.target_count; i++)
        json_array_append_new(targets, target_of(&alerts->store.targets[i]));
    for (size_t i = 0; i < alerts->silences.list.count; i++) {
        if (alerts->silences.list.items[i].until_ms > now_ms)
            json_array_append_new(silences, silence_of(&alerts->silences.list.items[i]));
    }
    json_t *json =
        json_pack("{s:s, s:o, s:o, s:o, s:I, s:o}", "deck", alerts->deck, "alerts", open, "targets",
                  targets, "silences", silences, "left_out", (json_int_t)alerts->store.set.left_out,
                  "problem", text_or_null(alerts->problem.message));
    pthread_mutex_unlock(&alerts->lock);
    char *text = json_dumps(json, JSON_COMPACT | JSON_ENSURE_ASCII);
    char *made = arena_strdup(arena, text == NULL ? "{}" : text);
    free(text);
    json_decref(json);
    return made;
}
