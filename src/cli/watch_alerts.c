// SPDX-License-Identifier: MIT
#include "cli/watch_alerts.h"

#include "alert/alert.h"
#include "alert/evaluate.h"
#include "alert/send.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum { MS = 1000, NS_MS = 1000000 };

struct kept_deck {
    const struct deck *deck;
    struct alerts *alerts; /* NULL: another process keeps them */
};

struct watch_alerts {
    struct watch_alerts_options options;
    struct arena *arena; /* of the decks */
    LIST_OF(struct kept_deck) decks;
    pthread_t thread;
    bool is_running;
    int stop;
    int wait_ms; /* between two rounds: what the deck that is in most of a hurry wants */
};

/* --- a round -------------------------------------------------------------------------------- */

static json_t *
document(const struct watch_alerts *all, const char *name)
{
    const struct watch_document *document = watch_board_get(all->options.board, name);
    json_t *json = document == NULL ? NULL : json_loadb(document->text, document->length, 0, NULL);

    watch_document_release(all->options.board, document);
    return json;
}

static void
gather(json_t *all, const char *deck, const json_t *one, const char *key)
{
    size_t at;
    json_t *item;

    json_array_foreach(json_object_get(one, key), at, item)
    {
        json_object_set_new(item, "deck", json_string(deck));
        json_array_append(json_object_get(all, key), item);
    }
}

/* The documents of all decks as one. */
static void
publish(const struct watch_alerts *all)
{
    AUTO_ARENA arena = arena_new();
    json_t *json =
        json_pack("{s:[], s:[], s:[], s:[]}", "alerts", "targets", "silences", "problems");

    for (size_t i = 0; i < all->decks.count; i++) {
        const struct kept_deck *kept = &all->decks.items[i];
        if (kept->alerts == NULL)
            continue;
        json_t *one = json_loads(alerts_document(arena, kept->alerts), 0, NULL);
        const char *problem = json_string_value(json_object_get(one, "problem"));
        gather(json, kept->deck->name, one, "alerts");
        gather(json, kept->deck->name, one, "targets");
        gather(json, kept->deck->name, one, "silences");
        if (problem != NULL)
            json_array_append_new(json_object_get(json, "problems"), json_string(problem));
        json_decref(one);
    }
    watch_board_put_json(all->options.board, "alerts", json);
}

static void
look(struct watch_alerts *all)
{
    AUTO_ARENA arena = arena_new();
    json_t *overview = document(all, "overview");
    json_t *blocking = document(all, "blocking");
    json_t *queries = document(all, "queries");
    json_t *health = document(all, "health");
    json_t *forecasts = document(all, "forecasts");
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    for (size_t i = 0; i < all->decks.count && overview != NULL; i++) {
        struct kept_deck *kept = &all->decks.items[i];
        struct alert_findings findings = {0};
        struct error err = {0};
        if (kept->alerts == NULL && !alerts_open(kept->deck, NULL, &kept->alerts, &err))
            continue; /* still kept elsewhere */
        alert_evaluate(arena, kept->deck, overview, blocking, queries, &findings);
        alert_evaluate_health(arena, kept->deck, health, &findings);
        alert_evaluate_forecasts(arena, kept->deck, forecasts, &findings);
        int64_t now_ms = (int64_t)now.tv_sec * MS + now.tv_nsec / NS_MS;
        alerts_round(kept->alerts, findings.list.items, findings.list.count, now_ms);
        alerts_retire_health(kept->alerts, kept->deck, health, now_ms);
    }
    publish(all);
    json_decref(overview);
    json_decref(blocking);
    json_decref(queries);
    json_decref(health);
    json_decref(forecasts);
}

static void *
run(void *argument)
{
    struct watch_alerts *all = argument;
    struct pollfd wait = {.fd = all->stop, .events = POLLIN};

    while (poll(&wait, 1, all->wait_ms) == 0)
        look(all);
    return NULL;
}

/* --- begin and end -------------------------------------------------------------------------- */

static bool
start(struct watch_alerts *all, struct error *err)
{
    sigset_t blocked, before;

    if (all->stop >= 0)
        close(all->stop);
    all->stop = eventfd(0, EFD_CLOEXEC);
    if (all->stop < 0)
        return error_errno(err, "cannot make an eventfd");
    sigfillset(&blocked);
    pthread_sigmask(SIG_SETMASK, &blocked, &before);
    all->is_running = pthread_create(&all->thread, NULL, run, all) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return all->is_running || error_set(err, ERROR_INTERNAL, "cannot start a thread");
}

static void
stop(struct watch_alerts *all)
{
    if (!all->is_running)
        return;
    eventfd_write(all->stop, 1);
    pthread_join(all->thread, NULL);
    all->is_running = false;
}

/* What was kept of the deck of that name; it is taken out of the list. */
static struct alerts *
take(struct kept_deck *decks, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        struct alerts *alerts = decks[i].alerts;
        if (alerts == NULL || strcmp(decks[i].deck->name, name) != 0)
            continue;
        decks[i].alerts = NULL;
        return alerts;
    }
    return NULL;
}

/* Who could not be told is said now, and not when the first alert is to go out. */
static void
say_who_cannot_be_told(const struct watch_alerts *all, const struct deck *deck)
{
    AUTO_ARENA arena = arena_new();

    for (size_t i = 0; i < deck->notify.count; i++) {
        struct error err = {0};
        if (alert_has_secrets(&deck->notify.items[i], &err))
            continue;
        all->options.log(all->options.sink,
                         arena_printf(arena, "notify.%s gets no alerts: %s%s%s",
                                      deck->notify.items[i].name, err.message,
                                      err.hint[0] == '\0' ? "" : ". ", err.hint));
    }
}

static bool
keep(struct watch_alerts *all, struct kept_deck *kept, struct alerts *before, struct error *err)
{
    say_who_cannot_be_told(all, kept->deck);
    kept->alerts = before;
    if (before != NULL) {
        alerts_reload(before, kept->deck);
        return true;
    }
    if (alerts_open(kept->deck, NULL, &kept->alerts, err))
        return true;
    if (err->code != ERROR_LOCKED)
        return false;
    all->options.log(all->options.sink, err->message);
    error_clear(err);
    return true;
}

static bool
load(const struct watch_alerts_options *options, struct arena *arena, struct watch_alerts *all,
     struct error *err)
{
    const struct cli_list *sets = &options->cli->sets;

    for (size_t i = 0; i < options->deck_count; i++) {
        struct deck_faults faults = {0};
        struct kept_deck *kept = LIST_ADD(arena, &all->decks);
        kept->deck = deck_load(arena, options->deck_paths[i], sets->values.items,
                               sets->values.count, &faults);
        if (kept->deck == NULL) {
            *err = faults.list.items[0];
            return false;
        }
    }
    return true;
}

bool
watch_alerts_configure(const struct watch_alerts_options *options, struct watch_alerts **alerts,
                       struct error *err)
{
    struct watch_alerts *all = *alerts;
    struct arena *arena = arena_new();
    struct watch_alerts loaded = {0};

    if (!load(options, arena, &loaded, err)) {
        arena_free(arena);
        return false;
    }
    if (all == NULL) {
        all = *alerts = calloc(1, sizeof(*all));
        if (all == NULL)
            abort();
        all->stop = -1;
    }
    stop(all);
    all->options = *options;
    struct kept_deck *before = all->decks.items;
    size_t before_count = all->decks.count;
    bool is_fine = true;
    for (size_t i = 0; i < loaded.decks.count && is_fine; i++) {
        struct kept_deck *kept = &loaded.decks.items[i];
        if (i == 0 || kept->deck->watch.alerts_ms < all->wait_ms)
            all->wait_ms = kept->deck->watch.alerts_ms;
        is_fine = keep(all, kept, take(before, before_count, kept->deck->name), err);
    }
    for (size_t i = 0; i < before_count; i++)
        alerts_close(before[i].alerts);
    arena_free(all->arena);
    all->arena = arena;
    memcpy(&all->decks, &loaded.decks, sizeof(all->decks));
    return is_fine && start(all, err);
}

void
watch_alerts_end(struct watch_alerts *alerts)
{
    if (alerts == NULL)
        return;
    stop(alerts);
    for (size_t i = 0; i < alerts->decks.count; i++)
        alerts_close(alerts->decks.items[i].alerts);
    if (alerts->stop >= 0)
        close(alerts->stop);
    arena_free(alerts->arena);
    free(alerts);
}
