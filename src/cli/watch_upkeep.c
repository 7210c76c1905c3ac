// SPDX-License-Identifier: MIT
#include "cli/watch_upkeep.h"

#include "base/process.h"
#include "base/text.h"
#include "maintenance/rescue_door.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* How often a calendar is looked at; a run of all its windows is over long before that. */
enum { LOOK_MS = 30000, LONGEST_MS = 7 * 24 * 3600 * 1000 };

extern char **environ;

struct calendar {
    struct watch_upkeep *upkeep;
    const char *const *arguments;
    pthread_t thread;
    struct text said; /* at the last look: the same is not said again */
};

struct watch_upkeep {
    struct watch_upkeep_options options;
    struct arena *arena;
    const char *folder; /* that the decks' paths start from */
    int stop;
    struct calendar *calendars; /* one a deck */
    size_t started;
    struct rescue_door **doors;
    size_t door_count;
};

/* --- the calendar ------------------------------------------------------------------------- */

static void
say(struct calendar *calendar, const struct text *output)
{
    const struct watch_upkeep_options *options = &calendar->upkeep->options;
    AUTO_TEXT line = {0};

    if (strcmp(text_chars(output), text_chars(&calendar->said)) == 0)
        return;
    text_clear(&calendar->said);
    text_append(&calendar->said, text_chars(output));
    for (const char *at = text_chars(output); *at != '\0';) {
        size_t length = strcspn(at, "\n");
        text_clear(&line);
        text_append(&line, "maintenance: ");
        text_append_bytes(&line, at, length);
        if (length > 0)
            options->log(options->sink, text_chars(&line));
        at += length + (at[length] == '\n');
    }
}

/* A program of its own does the work: it reads the deck as it is by then, and whatever becomes of
 * it, who watches goes on. */
static void
look(struct calendar *calendar)
{
    const struct watch_upkeep *upkeep = calendar->upkeep;
    const struct process_spec spec = {
        .arguments = calendar->arguments,
        .environment = (const char *const *)environ,
        .folder = upkeep->folder,
        .stop = upkeep->stop,
    };
    AUTO_TEXT output = {0};
    struct error err = {0};
    int status;

    if (!process_run(&spec, LONGEST_MS, &output, &status, &err) && err.code != ERROR_INTERRUPTED)
        text_append(&output, err.message);
    else if (err.code == ERROR_NONE && status > 128)
        text_appendf(&output, "it died of signal %d\n", status - 128);
    say(calendar, &output);
}

static void *
keep(void *context)
{
    struct calendar *calendar = context;
    struct pollfd stop = {.fd = calendar->upkeep->stop, .events = POLLIN};

    do
        look(calendar);
    while (poll(&stop, 1, LOOK_MS) <= 0);
    return NULL;
}

static const char *const *
make_arguments(struct watch_upkeep *upkeep, const char *deck_path)
{
    static const char *const begin[] = {"/proc/self/exe", "maintain", "calendar",
                                        "--run",          "--quiet",  "--deck"};
    const size_t count = sizeof(begin) / sizeof(begin[0]);
    const struct cli_list *sets = &upkeep->options.cli->sets;
    const char **arguments =
        ARENA_ARRAY(upkeep->arena, const char *, count + 2 + 2 * sets->values.count);

    memcpy(arguments, begin, sizeof(begin));
    arguments[count] = arena_strdup(upkeep->arena, deck_path);
    for (size_t i = 0; i < sets->values.count; i++) {
        arguments[count + 1 + 2 * i] = "--set";
        arguments[count + 2 + 2 * i] = arena_strdup(upkeep->arena, sets->values.items[i]);
    }
    return arguments;
}

bool
watch_upkeep_start(const struct watch_upkeep_options *options, struct watch_upkeep **ret_upkeep,
                   struct error *err)
{
    struct arena *arena = arena_new();
    struct watch_upkeep *upkeep = ARENA_NEW(arena, struct watch_upkeep);
    char *folder = realpath(".", NULL);

    *upkeep = (struct watch_upkeep){.options = *options, .arena = arena};
    upkeep->folder = arena_strdup(arena, folder == NULL ? "/" : folder);
    free(folder);
    upkeep->stop = eventfd(0, EFD_CLOEXEC);
    upkeep->calendars = ARENA_ARRAY(arena, struct calendar, options->deck_count);
    bool is_fine = upkeep->stop >= 0 || error_errno(err, "cannot keep the calendar");
    for (size_t i = 0; is_fine && i < options->deck_count; i++) {
        struct calendar *calendar = &upkeep->calendars[i];
        *calendar = (struct calendar){.upkeep = upkeep,
                                      .arguments = make_arguments(upkeep, options->deck_paths[i])};
        is_fine = pthread_create(&calendar->thread, NULL, keep, calendar) == 0 ||
                  error_set(err, ERROR_INTERNAL, "cannot start a thread for the calendar");
        upkeep->started += is_fine;
    }
    if (!is_fine) {
        watch_upkeep_end(upkeep);
        return false;
    }
    *ret_upkeep = upkeep;
    return true;
}

/* --- the doors ---------------------------------------------------------------------------- */

/* Takes one of before out of the list. */
static struct rescue_door *
find_door(struct watch_upkeep *upkeep, const struct deck_server *server)
{
    for (size_t i = 0; i < upkeep->door_count; i++) {
        struct rescue_door *door = upkeep->doors[i];
        if (door == NULL || !rescue_door_leads_to(door, server))
            continue;
        upkeep->doors[i] = NULL;
        return door;
    }
    return NULL;
}

static void
close_doors(struct watch_upkeep *upkeep)
{
    for (size_t i = 0; i < upkeep->door_count; i++)
        rescue_door_close(upkeep->doors[i]);
    free(upkeep->doors);
    upkeep->doors = NULL;
    upkeep->door_count = 0;
}

static bool
is_among(struct rescue_door *const *doors, size_t count, const struct deck_server *server)
{
    for (size_t i = 0; i < count; i++) {
        if (rescue_door_leads_to(doors[i], server))
            return true;
    }
    return false;
}

bool
watch_upkeep_open_doors(struct watch_upkeep *upkeep, const struct deck *const *decks, size_t count,
                        struct error *err)
{
    size_t most = 1, opened = 0;
    bool is_fine = true;

    for (size_t i = 0; i < count; i++)
        most += decks[i]->servers.count;
    struct rescue_door **doors = calloc(most, sizeof(struct rescue_door *));
    if (doors == NULL)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; is_fine && j < decks[i]->servers.count; j++) {
            const struct deck_server *server = &decks[i]->servers.items[j];
            if (is_among(doors, opened, server)) /* two decks may have the same */
                continue;
            doors[opened] = find_door(upkeep, server);
            is_fine = doors[opened] != NULL || rescue_door_open(server, &doors[opened], err);
            opened += is_fine;
        }
    }
    close_doors(upkeep);
    upkeep->doors = doors;
    upkeep->door_count = opened;
    return is_fine;
}

void
watch_upkeep_end(struct watch_upkeep *upkeep)
{
    if (upkeep == NULL)
        return;
    close_doors(upkeep);
    if (upkeep->stop >= 0)
        eventfd_write(upkeep->stop, 1);
    for (size_t i = 0; i < upkeep->started; i++) {
        pthread_join(upkeep->calendars[i].thread, NULL);
        text_release(&upkeep->calendars[i].said);
    }
    if (upkeep->stop >= 0)
        close(upkeep->stop);
    arena_free(upkeep->arena);
}
