// SPDX-License-Identifier: MIT
#include "cli/watch_surveys.h"

#include "base/process.h"
#include "base/text.h"

#include <jansson.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum {
    SECOND_MS = 1000,
    MINUTE_S = 60,
    LONGEST_MS = 120000,
    FIRST_PAUSE_S = 20,
    ADVICE_FIRST_S = 5 * 60,
    CHANGES_MAX = 50,
    FINDINGS_MAX = 50
};

extern char **environ;

struct survey {
    const char *document, *list; /* "drift", "decks": the list in the document */
    const char *words[3];        /* of the command line */
    int interval_s;              /* 0: of each database, as often as the decks want advice */
    void (*add)(json_t *list, const char *deck, const json_t *answer);
};

struct watch_surveys {
    struct watch_surveys_options options;
    struct arena *arena;
    const char *folder; /* that the decks' paths start from */
    int stop;
    pthread_t thread;
    bool is_started;
};

static double
now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_REALTIME, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static json_t *
copy_of(const json_t *object, const char *name)
{
    json_t *value = json_object_get(object, name);

    return value == NULL ? json_null() : json_incref(value);
}

/* --- what the answers become ----------------------------------------------------------------- */

static bool
is_of(const json_t *finding, const json_t *other)
{
    static const char *const keys[] = {"check", "server", "database"};
    bool is_same = true;

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        is_same &= json_equal(json_object_get(finding, keys[i]), json_object_get(other, keys[i]));
    return is_same;
}

/* The worst of each check and database: findings come in this order. What is well in few words. */
static void
add_check(json_t *checks, json_t *finding, bool is_critical)
{
    size_t at;
    json_t *other;

    json_array_foreach(checks, at, other)
    {
        if (is_of(finding, other))
            return;
    }
    json_array_append_new(checks, is_critical ? json_incref(finding)
                                              : json_pack("{s:o, s:o, s:o, s:o}", "check",
                                                          copy_of(finding, "check"), "server",
                                                          copy_of(finding, "server"), "database",
                                                          copy_of(finding, "database"), "severity",
                                                          copy_of(finding, "severity")));
}

static void
add_health(json_t *list, const char *deck, const json_t *answer)
{
    json_t *findings = json_array(), *checks = json_array(), *finding;
    size_t at, count = 0;

    json_array_foreach(json_object_get(answer, "findings"), at, finding)
    {
        const char *severity = json_string_value(json_object_get(finding, "severity"));
        bool is_critical = severity != NULL && strcmp(severity, "critical") == 0;
        bool is_bad = is_critical || (severity != NULL && strcmp(severity, "warning") == 0);
        add_check(checks, finding, is_critical);
        count += is_bad;
        if (is_bad && count <= FINDINGS_MAX)
            json_array_append(findings, finding);
    }
    json_array_append_new(list, json_pack("{s:s, s:f, s:n, s:I, s:o, s:o}", "deck_file", deck, "at",
                                          now(), "error", "count", (json_int_t)count, "findings",
                                          findings, "checks", checks));
}

static size_t
parts_of(const json_t *answer, const json_t *table)
{
    size_t at, count = 0;
    json_t *one;

    json_array_foreach(answer, at, one)
    {
        count += json_is_true(json_object_get(one, "leaf")) &&
                 json_equal(json_object_get(one, "table"), json_object_get(table, "table")) &&
                 json_equal(json_object_get(one, "table_schema"),
                            json_object_get(table, "table_schema")) &&
                 json_equal(json_object_get(one, "database"), json_object_get(table, "database"));
    }
    return count;
}

static void
add_partitions(json_t *list, const char *deck, const json_t *answer)
{
    size_t at;
    json_t *one;

    json_array_foreach(answer, at, one)
    {
        if (json_integer_value(json_object_get(one, "level")) != 0)
            continue;
        json_array_append_new(list, json_pack("{s:s, s:o, s:o, s:I, s:o, s:o, s:n}", "deck_file",
                                              deck, "database", copy_of(one, "database"), "table",
                                              copy_of(one, "table"), "parts",
                                              (json_int_t)parts_of(answer, one), "next_due",
                                              copy_of(one, "made_next"), "dropped_next",
                                              copy_of(one, "dropped_next"), "problem"));
    }
}

static void
add_drift(json_t *list, const char *deck, const json_t *answer)
{
    json_t *changes = json_array(), *change;
    const json_t *all = json_object_get(answer, "changes");
    size_t at;

    json_array_foreach(all, at, change)
    {
        if (at < CHANGES_MAX)
            json_array_append_new(
                changes, json_pack("{s:o, s:o, s:o, s:o}", "server", copy_of(change, "server"),
                                   "database", copy_of(change, "database"), "what",
                                   copy_of(change, "what"), "why", copy_of(change, "why")));
    }
    json_array_append_new(list, json_pack("{s:o, s:s, s:f, s:n, s:I, s:o}", "deck",
                                          copy_of(answer, "deck"), "deck_file", deck, "at", now(),
                                          "error", "count", (json_int_t)json_array_size(all),
                                          "changes", changes));
}

/* What the indexes that help a statement make of the planner's estimate. */
static json_t *
advice_on(const json_t *answer, size_t statement)
{
    const json_t *about = json_array_get(json_object_get(answer, "statements"), statement);
    double before = json_number_value(json_object_get(about, "before"));
    double after = json_number_value(json_object_get(about, "after"));
    json_t *indexes = json_array(), *index, *helped;
    size_t at, helped_at;

    json_array_foreach(json_object_get(answer, "indexes"), at, index)
    {
        json_array_foreach(json_object_get(index, "helps"), helped_at, helped)
        {
            if ((size_t)json_integer_value(helped) == statement)
                json_array_append_new(indexes, copy_of(index, "create"));
        }
    }
    if (json_array_size(indexes) > 0 && after < before)
        return json_pack("{s:o, s:f, s:f, s:o}", "sql", copy_of(about, "sql"), "before", before,
                         "after", after, "indexes", indexes);
    json_decref(indexes);
    return NULL;
}

static void
add_advice(json_t *list, const char *deck, const json_t *answer)
{
    json_t *statements = json_array();
    size_t count = json_array_size(json_object_get(answer, "statements"));

    for (size_t i = 0; i < count && json_array_size(statements) < CHANGES_MAX; i++) {
        json_t *advice = advice_on(answer, i);
        if (advice != NULL)
            json_array_append_new(statements, advice);
    }
    json_array_append_new(list, json_pack("{s:s, s:o, s:f, s:n, s:o, s:o}", "deck_file", deck,
                                          "database", copy_of(answer, "database"), "at", now(),
                                          "error", "estimated_by", copy_of(answer, "estimated_by"),
                                          "statements", statements));
}

static const struct survey surveys[] = {
    {"health", "decks", {"health", NULL}, 10 * MINUTE_S, add_health},
    {"partitions", "tables", {"partition", "status", NULL}, 10 * MINUTE_S, add_partitions},
    {"drift", "decks", {"plan", NULL}, 30 * MINUTE_S, add_drift},
    {"advice", "databases", {"index", "advise", NULL}, 0, add_advice},
};
enum { SURVEY_COUNT = sizeof(surveys) / sizeof(surveys[0]) };

/* --- asking ---------------------------------------------------------------------------------- */

static const char *const *
make_arguments(struct arena *arena, const struct watch_surveys *all, const struct survey *survey,
               const char *deck, const char *database)
{
    struct {
        LIST_OF(const char *) list;
    } words = {0};
    const struct cli_list *sets = &all->options.cli->sets;

    *LIST_ADD(arena, &words.list) = "/proc/self/exe";
    for (size_t i = 0; survey->words[i] != NULL; i++)
        *LIST_ADD(arena, &words.list) = survey->words[i];
    *LIST_ADD(arena, &words.list) = "--json";
    *LIST_ADD(arena, &words.list) = "--quiet";
    *LIST_ADD(arena, &words.list) = "--deck";
    *LIST_ADD(arena, &words.list) = deck;
    if (database != NULL) {
        *LIST_ADD(arena, &words.list) = "--database";
        *LIST_ADD(arena, &words.list) = database;
    }
    for (size_t i = 0; i < sets->values.count; i++) {
        *LIST_ADD(arena, &words.list) = "--set";
        *LIST_ADD(arena, &words.list) = sets->values.items[i];
    }
    *LIST_ADD(arena, &words.list) = NULL;
    return words.list.items;
}

/* The JSON that the program says, or in ret_said what else it said. */
static json_t *
ask(const struct watch_surveys *all, const struct survey *survey, const char *deck,
    const char *database, struct text *ret_said)
{
    AUTO_ARENA arena = arena_new();
    const struct process_spec spec = {
        .arguments = make_arguments(arena, all, survey, deck, database),
        .environment = (const char *const *)environ,
        .folder = all->folder,
        .stop = all->stop,
    };
    struct error err = {0};
    int status;

    if (!process_run(&spec, LONGEST_MS, ret_said, &status, &err)) {
        text_clear(ret_said);
        text_append(ret_said, err.message);
        return NULL;
    }
    const char *begin = strpbrk(text_chars(ret_said), "{[");
    return begin == NULL ? NULL : json_loads(begin, JSON_DISABLE_EOF_CHECK, NULL);
}

static void
add_one(const struct watch_surveys *all, const struct survey *survey, const char *deck,
        const char *database, json_t *list)
{
    AUTO_TEXT said = {0};
    json_t *answer = ask(all, survey, deck, database, &said);

    if (answer != NULL) {
        survey->add(list, deck, answer);
    } else {
        json_t *fault = json_string(text_chars(&said));
        json_array_append_new(list,
                              json_pack("{s:s, s:s, s:s?, s:f, s:o}", "deck", deck, "deck_file",
                                        deck, "database", database, "at", now(), "error",
                                        fault == NULL ? json_string("not UTF-8") : fault));
    }
    json_decref(answer);
}

static const struct deck *
load(const struct watch_surveys *all, struct arena *arena, size_t deck)
{
    const struct cli_list *sets = &all->options.cli->sets;
    struct deck_faults faults = {0};

    return deck_load(arena, all->options.deck_paths[deck], sets->values.items, sets->values.count,
                     &faults);
}

/* That of the deck that wants it most often; each is read anew, as the others read it. */
static int
advice_interval_s(const struct watch_surveys *all)
{
    AUTO_ARENA arena = arena_new();
    int interval_ms = INT_MAX;

    for (size_t i = 0; i < all->options.deck_count; i++) {
        const struct deck *deck = load(all, arena, i);
        if (deck != NULL && deck->watch.advice_ms < interval_ms)
            interval_ms = deck->watch.advice_ms;
    }
    return interval_ms / SECOND_MS;
}

static void
add_databases(const struct watch_surveys *all, const struct survey *survey, size_t deck_index,
              json_t *list)
{
    AUTO_ARENA arena = arena_new();
    const struct deck *deck = load(all, arena, deck_index);
    const struct pollfd stop = {.fd = all->stop, .events = POLLIN};

    for (size_t i = 0; deck != NULL && i < deck->databases.count; i++) {
        struct pollfd wait = stop;
        if (poll(&wait, 1, 0) != 0)
            break;
        add_one(all, survey, all->options.deck_paths[deck_index], deck->databases.items[i].name,
                list);
    }
}

static void
look(const struct watch_surveys *all, const struct survey *survey)
{
    json_t *list = json_array();

    for (size_t i = 0; i < all->options.deck_count; i++) {
        if (survey->interval_s == 0)
            add_databases(all, survey, i, list);
        else
            add_one(all, survey, all->options.deck_paths[i], NULL, list);
    }
    watch_board_put_json(all->options.board, survey->document,
                         json_pack("{s:f, s:o}", "at", now(), survey->list, list));
}

static void *
keep(void *context)
{
    const struct watch_surveys *all = context;
    struct pollfd stop = {.fd = all->stop, .events = POLLIN};
    double due[SURVEY_COUNT] = {0};
    const int first_s = advice_interval_s(all); /* not after each start: it is the dearest */

    due[SURVEY_COUNT - 1] = now() + (first_s < ADVICE_FIRST_S ? first_s : ADVICE_FIRST_S);
    int pause_ms = FIRST_PAUSE_S * SECOND_MS; /* what is asked each second comes first */

    while (poll(&stop, 1, pause_ms) == 0) {
        for (size_t i = 0; i < SURVEY_COUNT; i++) {
            if (now() < due[i])
                continue;
            int interval_s = surveys[i].interval_s;
            due[i] = now() + (interval_s > 0 ? interval_s : advice_interval_s(all));
            look(all, &surveys[i]);
        }
        pause_ms = SECOND_MS;
    }
    return NULL;
}

bool
watch_surveys_start(const struct watch_surveys_options *options, struct watch_surveys **ret_surveys,
                    struct error *err)
{
    struct arena *arena = arena_new();
    struct watch_surveys *all = ARENA_NEW(arena, struct watch_surveys);
    char *folder = realpath(".", NULL);

    *all = (struct watch_surveys){.options = *options, .arena = arena};
    all->folder = arena_strdup(arena, folder == NULL ? "/" : folder);
    free(folder);
    all->stop = eventfd(0, EFD_CLOEXEC);
    all->is_started = all->stop >= 0 && pthread_create(&all->thread, NULL, keep, all) == 0;
    if (!all->is_started) {
        watch_surveys_end(all);
        return error_set(err, ERROR_INTERNAL, "cannot start a thread for the surveys");
    }
    *ret_surveys = all;
    return true;
}

void
watch_surveys_end(struct watch_surveys *surveys_running)
{
    if (surveys_running == NULL)
        return;
    if (surveys_running->stop >= 0)
        eventfd_write(surveys_running->stop, 1);
    if (surveys_running->is_started)
        pthread_join(surveys_running->thread, NULL);
    if (surveys_running->stop >= 0)
        close(surveys_running->stop);
    arena_free(surveys_running->arena);
}
