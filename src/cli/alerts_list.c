// SPDX-License-Identifier: MIT
/* pgdeck alerts, alerts history: what pgdeck watch has written down. */
#include "cli/alerts.h"

#include "alert/store.h"
#include "base/text.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

enum { MS = 1000, OPEN = 2, LAST_DEFAULT = 50 };

struct memory {
    const char *folder;
    struct alert_store store;
    struct alert_silences silences;
    int64_t now_ms;
    bool is_kept; /* pgdeck watch runs */
};

static bool
remember(struct cli *cli, const struct deck *deck, struct memory *ret_memory, struct error *err)
{
    struct memory memory = {.now_ms = (int64_t)time(NULL) * MS};

    if (!alert_folder(cli->arena, deck, &memory.folder, err) ||
        !alert_silences_read(cli->arena, memory.folder, &memory.silences, err) ||
        !alert_store_read(memory.folder, &memory.store, err))
        return false;
    int lock =
        open(arena_printf(cli->arena, "%s/daemon.lock", memory.folder), O_RDONLY | O_CLOEXEC);
    memory.is_kept = lock >= 0 && flock(lock, LOCK_SH | LOCK_NB) != 0;
    if (lock >= 0)
        close(lock);
    *ret_memory = memory;
    return true;
}

static void
print_visible(const char *before, const char *chars, const char *after)
{
    AUTO_TEXT text = {0};

    text_append_visible(&text, chars);
    printf("%s%s%s", before, text_chars(&text), after);
}

static void
print_alert(struct cli *cli, const struct memory *memory, const struct alert *alert)
{
    const struct cli_style *style = cli_style(cli);
    const struct alert_silence *silence = alert_silenced(&memory->silences, alert, memory->now_ms);
    const char *place = alert->environment[0] != '\0' ? alert->environment : alert->server;

    printf("%s%-8s%s", alert->level == ALERT_CRITICAL ? style->red : style->yellow,
           alert_level_name(alert->level), style->reset);
    print_visible(" ", alert->name, "");
    print_visible(" (", place, "");
    if (alert->database[0] != '\0')
        print_visible(", ", alert->database, "");
    print_visible("): ", alert->message, "\n");
    printf("         since %s%s", alert_time(cli->arena, alert->since_ms),
           silence == NULL ? "\n" : ", silenced until ");
    if (silence != NULL)
        printf("%s\n", alert_time(cli->arena, silence->until_ms));
    if (alert->fix_sql[0] == '\0')
        return;
    if (alert->fix_database[0] != '\0')
        print_visible("         in ", alert->fix_database, ":\n");
    for (const char *line = alert->fix_sql; *line != '\0';) {
        size_t length = strcspn(line, "\n");
        print_visible("         ", arena_strndup(cli->arena, line, length), "\n");
        line += length + (line[length] == '\n');
    }
}

static void
print_silences(struct cli *cli, const struct memory *memory)
{
    for (size_t i = 0; i < memory->silences.list.count; i++) {
        const struct alert_silence *silence = &memory->silences.list.items[i];
        if (silence->until_ms <= memory->now_ms)
            continue;
        print_visible("silence ", silence->id, "");
        print_visible(": ", strcmp(silence->name, "*") == 0 ? "all" : silence->name, "");
        if (silence->environment != NULL)
            print_visible(" of ", silence->environment, "");
        if (silence->database != NULL)
            print_visible(" in ", silence->database, "");
        printf(" until %s", alert_time(cli->arena, silence->until_ms));
        print_visible(", ", silence->author == NULL ? "?" : silence->author, "");
        print_visible(": ", silence->why == NULL ? "" : silence->why, "\n");
    }
}

static size_t
print_all(struct cli *cli, const struct memory *memory)
{
    size_t open = 0;

    for (int level = ALERT_CRITICAL; level >= ALERT_WARNING; level--) {
        for (size_t i = 0; i < memory->store.set.count; i++) {
            if ((int)memory->store.set.items[i]->level != level)
                continue;
            print_alert(cli, memory, memory->store.set.items[i]);
            open++;
        }
    }
    if (open == 0)
        puts("no alert is open");
    print_silences(cli, memory);
    for (size_t i = 0; i < memory->store.target_count; i++) {
        const struct alert_target_state *target = &memory->store.targets[i];
        if (target->failing_ms == 0)
            continue;
        printf("target fails since %s, %d times: ", alert_time(cli->arena, target->failing_ms),
               target->failures);
        print_visible("", target->error, "\n");
    }
    return open;
}

static size_t
print_json(struct cli *cli, const struct memory *memory)
{
    json_t *state = json_loads(alert_store_text(cli->arena, &memory->store), 0, NULL);
    json_t *open = json_array(), *silences = json_array();
    size_t at, count = 0;
    json_t *alert;

    json_array_foreach(json_object_get(state, "alerts"), at, alert)
    {
        if (strcmp(json_string_value(json_object_get(alert, "level")), "none") == 0)
            continue;
        json_array_append(open, alert);
        count++;
    }
    for (size_t i = 0; i < memory->silences.list.count; i++) {
        const struct alert_silence *one = &memory->silences.list.items[i];
        if (one->until_ms > memory->now_ms)
            json_array_append_new(
                silences, json_pack("{s:s, s:s, s:s?, s:s?, s:s?, s:s?, s:I}", "id", one->id,
                                    "name", one->name, "environment", one->environment, "database",
                                    one->database, "author", one->author, "why", one->why,
                                    "until_ms", (json_int_t)one->until_ms));
    }
    json_t *all = json_pack("{s:b, s:o, s:o, s:O}", "is_kept", memory->is_kept, "alerts", open,
                            "silences", silences, "targets", json_object_get(state, "targets"));
    json_dumpf(all, stdout, JSON_INDENT(2));
    puts("");
    json_decref(all);
    json_decref(state);
    return count;
}

int
alerts_list(struct cli *cli, const struct cli_command *row, int argc, char **argv,
            struct error *err)
{
    struct cli_list operands = {0};
    struct memory memory;

    if (!cli_parse(cli, row, CLI_NO_OPTIONS, argc, argv, &operands, err))
        return cli_failed(err);
    const struct deck *deck = cli_load_deck(cli, err);
    if (deck == NULL || !remember(cli, deck, &memory, err))
        return cli_failed(err);
    size_t open = cli->is_json ? print_json(cli, &memory) : print_all(cli, &memory);
    if (!memory.is_kept && !cli->is_json)
        fprintf(stderr, "pgdeck watch does not run here: this is what it wrote %s\n",
                memory.store.at_ms == 0 ? "never" : alert_time(cli->arena, memory.store.at_ms));
    alert_set_release(&memory.store.set);
    return open > 0 ? OPEN : 0;
}

/* --- history -------------------------------------------------------------------------------- */

static void
print_event(const json_t *event)
{
    const char *texts[] = {"at", "event", "level", "name", "environment", "database", "message"};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        const char *text = json_string_value(json_object_get(event, texts[i]));
        if (text != NULL && text[0] != '\0')
            print_visible(i == 0 ? "" : "  ", text, "");
    }
    puts("");
}

int
alerts_history(struct cli *cli, const struct cli_command *row, int argc, char **argv,
               struct error *err)
{
    struct cli_list operands = {0};
    const char *folder;
    char *lines;
    long last = LAST_DEFAULT;
    const struct cli_option table[] = {
        {"last", 'n', CLI_NUMBER, "N", "the newest N changes; default 50", &last},
    };

    if (!cli_parse(cli, row, CLI_OPTIONS(table), argc, argv, &operands, err))
        return cli_failed(err);
    if (last < 1) {
        error_set(err, ERROR_USAGE, "--last takes 1 or more");
        return cli_failed(err);
    }
    const struct deck *deck = cli_load_deck(cli, err);
    if (deck == NULL || !alert_folder(cli->arena, deck, &folder, err) ||
        !alert_history_read(cli->arena, folder, &lines, err))
        return cli_failed(err);
    json_t *events = json_loads(lines, 0, NULL);
    while (json_array_size(events) > (size_t)last)
        json_array_remove(events, 0);
    if (cli->is_json) {
        json_dumpf(events, stdout, JSON_INDENT(2));
        puts("");
    }
    for (size_t i = 0; i < json_array_size(events) && !cli->is_json; i++)
        print_event(json_array_get(events, i));
    json_decref(events);
    return 0;
}
