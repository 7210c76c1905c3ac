// SPDX-License-Identifier: MIT
/* One thread a target. It keeps no queue: what a target is owed is the difference between what is
 * and what it was told last, so that a target that is away costs no memory, hears of nothing that
 * is over, and gets no message twice. */
#include "alert/daemon.h"

#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH_MAX = 50, FIRST_WAIT_MS = 1000, LONGEST_WAIT_MS = 5 * 60 * 1000, IDLE_MS = 60000 };

/* --- what is owed --------------------------------------------------------------------------- */

static bool
is_for(const struct deck_notify *target, const struct alert *alert)
{
    if (target->environments.count == 0 || alert->environment[0] == '\0')
        return true; /* what concerns a whole server concerns everybody */
    for (size_t i = 0; i < target->environments.count; i++) {
        if (strcmp(target->environments.items[i], alert->environment) == 0)
            return true;
    }
    return false;
}

/* What the target should believe. */
static enum alert_level
wanted(const struct alert_target *target, const struct alert *alert, int64_t now_ms)
{
    enum alert_level told = alert->sent[target->index];
    enum alert_level minimum =
        target->target.minimum == NOTIFY_CRITICAL ? ALERT_CRITICAL : ALERT_WARNING;

    if (alert->level < minimum || !is_for(&target->target, alert))
        return ALERT_NONE;
    if (alert_silenced(&target->alerts->silences, alert, now_ms) != NULL)
        return told;
    return alert->level > told ? alert->level : told;
}

static const struct alert *
copy_alert(struct arena *arena, const struct alert *alert)
{
    struct alert *copy = ARENA_NEW(arena, struct alert);

    *copy = *alert;
    copy->name = arena_strdup(arena, alert->name);
    copy->server = arena_strdup(arena, alert->server);
    copy->environment = arena_strdup(arena, alert->environment);
    copy->database = arena_strdup(arena, alert->database);
    copy->unit = arena_strdup(arena, alert->unit);
    copy->message = arena_strdup(arena, alert->message);
    copy->fix_sql = arena_strdup(arena, alert->fix_sql);
    copy->fix_database = arena_strdup(arena, alert->fix_database);
    return copy;
}

void
alert_owed(struct arena *arena, struct alert_target *target, int64_t now_ms,
           struct alert_batch *ret_batch)
{
    const struct alert_set *set = &target->alerts->store.set;
    bool has_repeats =
        target->target.kind == NOTIFY_ALERTMANAGER && alert_monotonic_ms() >= target->repeat_ms;
    size_t limit = target->target.kind == NOTIFY_ALERTMANAGER ? ALERT_LIMIT : BATCH_MAX;

    *ret_batch =
        (struct alert_batch){.deck = arena_strdup(arena, target->alerts->deck), .now_ms = now_ms};
    for (size_t i = 0; i < set->count && ret_batch->messages.count < limit; i++) {
        struct alert *alert = set->items[i];
        enum alert_level told = alert->sent[target->index];
        enum alert_level level = wanted(target, alert, now_ms);
        bool is_repeat = level == told && level != ALERT_NONE && has_repeats;
        if (level == told && !is_repeat)
            continue;
        struct alert_message *message = LIST_ADD(arena, &ret_batch->messages);
        message->change = level == ALERT_NONE  ? ALERT_CLEARED
                          : told == ALERT_NONE ? ALERT_FIRED
                                               : ALERT_WORSE;
        message->level = level == ALERT_NONE ? told : level;
        message->before = told;
        message->is_repeat = is_repeat;
        message->alert = copy_alert(arena, alert);
        alert->in_flight++;
    }
}

/* --- after an attempt ----------------------------------------------------------------------- */

static void
settle(struct alert_target *target, const struct alert_batch *batch, bool is_told)
{
    struct alert_set *set = &target->alerts->store.set;

    for (size_t i = 0; i < batch->messages.count; i++) {
        const struct alert_message *message = &batch->messages.items[i];
        for (size_t j = 0; j < set->count; j++) {
            struct alert *alert = set->items[j];
            if (alert->in_flight == 0 || strcmp(alert->name, message->alert->name) != 0 ||
                strcmp(alert->database, message->alert->database) != 0 ||
                strcmp(alert->environment, message->alert->environment) != 0 ||
                strcmp(alert->server, message->alert->server) != 0)
                continue;
            alert->in_flight--;
            if (is_told)
                alert->sent[target->index] =
                    message->change == ALERT_CLEARED ? ALERT_NONE : message->level;
            break;
        }
    }
    if (is_told)
        alert_set_sweep(set);
}

/* Doubles from 1 s to 5 min, less up to a half, so that many do not come back at once. */
static int64_t
pause_ms(int failures)
{
    unsigned char noise = 0;
    int64_t pause = LONGEST_WAIT_MS;

    if (failures < 10 && INT64_C(1) << (failures - 1) < LONGEST_WAIT_MS / FIRST_WAIT_MS)
        pause = FIRST_WAIT_MS * (INT64_C(1) << (failures - 1));
    RAND_bytes(&noise, 1);
    return pause - pause * noise / UINT8_MAX / 2;
}

static void
record(struct alert_target *target, const struct alert_batch *batch, bool is_told,
       const struct error *err)
{
    struct alert_target_state *state = &target->alerts->store.targets[target->index];
    int64_t now_ms = alert_now_ms();

    target->alerts->is_dirty = true;
    if (is_told) {
        state->ok_ms = now_ms;
        for (size_t i = 0; i < batch->messages.count; i++)
            state->sent += !batch->messages.items[i].is_repeat;
        state->failing_ms = 0;
        state->failures = 0;
        state->error[0] = '\0';
        target->next_ms = 0;
        target->repeat_ms = alert_monotonic_ms() + ALERT_REPEAT_MS;
        return;
    }
    state->failed++;
    if (state->failing_ms == 0)
        state->failing_ms = now_ms;
    if (state->failures < INT32_MAX)
        state->failures++;
    memcpy(state->error, err->message, sizeof(state->error));
    target->next_ms = alert_monotonic_ms() + pause_ms(state->failures);
}

static void
attempt(struct alert_target *target, const struct alert_batch *batch)
{
    struct alerts *alerts = target->alerts;
    struct error err = {0};

    pthread_mutex_unlock(&alerts->lock);
    bool is_told = alert_send(&target->target, batch, &alerts->is_stopping, &err);
    pthread_mutex_lock(&alerts->lock);
    settle(target, batch, is_told);
    if (is_told || !atomic_load(&alerts->is_stopping))
        record(target, batch, is_told, &err);
    pthread_cond_broadcast(&alerts->changed);
}

void *
alert_deliver(void *argument)
{
    struct alert_target *target = argument;
    struct alerts *alerts = target->alerts;

    pthread_mutex_lock(&alerts->lock);
    while (!atomic_load(&alerts->is_stopping)) {
        AUTO_ARENA arena = arena_new();
        struct alert_batch batch = {0};
        int64_t wait_ms = target->next_ms - alert_monotonic_ms();
        if (wait_ms <= 0)
            alert_owed(arena, target, alert_now_ms(), &batch);
        if (batch.messages.count > 0) {
            attempt(target, &batch);
            continue;
        }
        if (wait_ms <= 0 && target->target.kind == NOTIFY_ALERTMANAGER)
            wait_ms = target->repeat_ms - alert_monotonic_ms();
        alert_wait(alerts, wait_ms > 0 && wait_ms < IDLE_MS ? wait_ms : IDLE_MS);
    }
    pthread_mutex_unlock(&alerts->lock);
    return NULL;
}
