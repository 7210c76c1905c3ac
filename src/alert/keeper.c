// SPDX-License-Identifier: MIT
/* The thread that reads and writes files, each second where there is something to. */
#include "alert/daemon.h"

#include <string.h>
#include <sys/stat.h>

enum { LOOK_MS = 1000, SETTLE_MS = 100, HISTORY_MAX = 1 << 20 };

/* Silences, where their file is another one than last time. */
static void
look_at_silences(struct alerts *alerts, struct stat *last)
{
    AUTO_ARENA arena = arena_new();
    struct stat status = {0};
    struct alert_silences silences;
    struct error err = {0};

    if (stat(arena_printf(arena, "%s/silences.json", alerts->folder), &status) == 0 &&
        status.st_ino == last->st_ino && status.st_mtim.tv_sec == last->st_mtim.tv_sec &&
        status.st_mtim.tv_nsec == last->st_mtim.tv_nsec)
        return;
    struct arena *kept = arena_new();
    bool is_read = alert_silences_read(kept, alerts->folder, &silences, &err);
    pthread_mutex_lock(&alerts->lock);
    struct arena *old = is_read ? alerts->silences_arena : kept;
    if (is_read) {
        alerts->silences_arena = kept;
        alerts->silences = silences;
        *last = status;
        pthread_cond_broadcast(&alerts->changed);
    } else {
        alerts->problem = err;
    }
    pthread_mutex_unlock(&alerts->lock);
    arena_free(old);
}

void
alert_write_files(struct alerts *alerts)
{
    AUTO_ARENA arena = arena_new();
    struct error err = {0};

    pthread_mutex_lock(&alerts->lock);
    alerts->store.at_ms = alert_now_ms();
    char *state = alert_store_text(arena, &alerts->store);
    char *lines = arena_strdup(arena, text_chars(&alerts->history));
    text_clear(&alerts->history);
    alerts->is_dirty = false;
    pthread_mutex_unlock(&alerts->lock);

    bool has_history = lines[0] == '\0' || alert_history_add(alerts->folder, lines, &err);
    bool is_written = alert_store_write(alerts->folder, state, &err);

    pthread_mutex_lock(&alerts->lock);
    if (!has_history && alerts->history.length + strlen(lines) < HISTORY_MAX) {
        char *later = arena_strdup(arena, text_chars(&alerts->history));
        text_clear(&alerts->history);
        text_append(&alerts->history, lines);
        text_append(&alerts->history, later);
    }
    if (!is_written || !has_history)
        alerts->is_dirty = true;
    alerts->problem = err;
    pthread_mutex_unlock(&alerts->lock);
}

void *
alert_keep(void *argument)
{
    struct alerts *alerts = argument;
    struct stat last = {0};

    while (!atomic_load(&alerts->is_stopping)) {
        look_at_silences(alerts, &last);
        pthread_mutex_lock(&alerts->lock);
        bool is_dirty = alerts->is_dirty;
        pthread_mutex_unlock(&alerts->lock);
        if (is_dirty)
            alert_write_files(alerts);
        pthread_mutex_lock(&alerts->lock);
        if (!atomic_load(&alerts->is_stopping))
            alert_wait(alerts, alerts->is_dirty && alerts->problem.code == ERROR_NONE ? SETTLE_MS
                                                                                      : LOOK_MS);
        pthread_mutex_unlock(&alerts->lock);
    }
    return NULL;
}
