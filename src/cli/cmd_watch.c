// SPDX-License-Identifier: MIT
#include "cli/daemon.h"
#include "cli/watch_alerts.h"
#include "cli/watch_surveys.h"
#include "cli/watch_upkeep.h"
#include "cli/watch_web.h"
#include "watch/watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* What watch is wired to: the decks, whoever serves the board, whoever keeps the alerts. */
struct watch_command {
    struct cli *cli;
    struct cli_list decks;       /* none: --deck */
    struct watch_upkeep *upkeep; /* NULL: not begun; also the next two */
    struct watch_surveys *surveys;
    struct watch_alerts *alerts;
    struct watch_web web;
};

static bool
load_one(struct watch_command *command, struct arena *arena, const char *path,
         const struct deck **ret_deck, struct error *err)
{
    struct deck_faults faults = {0};
    const struct cli_list *sets = &command->cli->sets;

    *ret_deck = deck_load(arena, path, sets->values.items, sets->values.count, &faults);
    if (*ret_deck != NULL)
        return true;
    for (size_t i = 0; i < faults.list.count; i++)
        cli_print_error(&faults.list.items[i]);
    return error_set(err, ERROR_DECK, "%s: %zu faults", path, faults.list.count);
}

/* Everything that is shown, kept and told is by the name of the deck. */
static bool
check_names(const struct watch_decks *decks, struct error *err)
{
    for (size_t i = 0; i < decks->list.count; i++) {
        for (size_t j = 0; j < i; j++) {
            const struct deck *deck = decks->list.items[i], *other = decks->list.items[j];
            if (strcmp(deck->name, other->name) == 0)
                return error_set(err, ERROR_DECK, "\"%s\" and \"%s\" are both called %s",
                                 other->file, deck->file, deck->name);
        }
    }
    return true;
}

static bool
load(void *sink, struct watch_decks *ret_decks, struct error *err)
{
    struct watch_command *command = sink;
    size_t count = command->decks.values.count;

    *ret_decks = (struct watch_decks){.arena = arena_new()};
    for (size_t i = 0; i < (count == 0 ? 1 : count); i++) {
        const char *path = count == 0 ? command->cli->deck_path : command->decks.values.items[i];
        const struct deck **added = LIST_ADD(ret_decks->arena, &ret_decks->list);
        if (!load_one(command, ret_decks->arena, path, added, err)) {
            arena_free(ret_decks->arena);
            return false;
        }
    }
    if (check_names(ret_decks, err))
        return true;
    arena_free(ret_decks->arena);
    return false;
}

static void
log_line(void *sink, const char *line)
{
    char stamp[32];
    time_t now = time(NULL);
    struct tm parts;
    const struct watch_command *command = sink;

    if (command->cli->is_quiet)
        return;
    gmtime_r(&now, &parts);
    strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%SZ", &parts);
    fprintf(stderr, "%s pgdeck watch[%d]: %s\n", stamp, (int)getpid(), line);
}

/* Calendar and alerts are begun here and not before, since their threads must not get SIGHUP
 * either. */
static bool
configure(void *sink, const struct watch_decks *decks, struct watch_board *board, struct error *err)
{
    struct watch_command *command = sink;
    size_t count = command->decks.values.count;
    const struct watch_upkeep_options upkeep = {
        .cli = command->cli,
        .deck_paths = count == 0 ? &command->cli->deck_path : command->decks.values.items,
        .deck_count = count == 0 ? 1 : count,
        .log = log_line,
        .sink = command,
    };

    const struct watch_alerts_options alerts = {
        .board = board,
        .cli = command->cli,
        .deck_paths = upkeep.deck_paths,
        .deck_count = upkeep.deck_count,
        .log = log_line,
        .sink = command,
    };
    const struct watch_surveys_options surveys = {upkeep.cli, upkeep.deck_paths, upkeep.deck_count,
                                                  board};

    return watch_alerts_configure(&alerts, &command->alerts, err) &&
           (command->surveys != NULL || watch_surveys_start(&surveys, &command->surveys, err)) &&
           (command->upkeep != NULL || watch_upkeep_start(&upkeep, &command->upkeep, err)) &&
           watch_upkeep_open_doors(command->upkeep, decks->list.items, decks->list.count, err);
}

static bool
print_document(struct watch_board *board, const char *name, struct error *err)
{
    const struct watch_document *document = watch_board_get(board, name);

    if (document == NULL) {
        error_set(err, ERROR_USAGE, "--once: there is no document \"%s\"", name);
        return error_hint(err, "There are overview, load, queries and metrics, among others; "
                               "alerts are listed by pgdeck alerts.");
    }
    printf("%s%s", document->text, strcmp(name, "metrics") == 0 ? "" : "\n");
    watch_document_release(board, document);
    return true;
}

/* Who asked for no address in particular rather has no dashboard than no watch. */
static bool
start_web(struct watch_command *watch, struct watch_board *board, struct web_server **ret_server,
          struct error *err)
{
    struct arena *arena = watch->cli->arena;
    bool is_asked = watch->web.listen != NULL;

    if (!is_asked)
        watch->web.listen = WATCH_WEB_LISTEN;
    if (watch_web_start(arena, &watch->web, board, ret_server, err)) {
        if (*ret_server != NULL)
            log_line(watch, arena_printf(arena, "dashboard: %s", web_server_url(*ret_server)));
        return true;
    }
    if (is_asked || err->code != ERROR_UNREACHABLE)
        return false;
    log_line(watch, arena_printf(arena, "no dashboard: %s (--listen)", err->message));
    error_clear(err);
    return true;
}

int
cmd_watch(struct cli *cli, const struct cli_command *command, int argc, char **argv,
          struct error *err)
{
    struct watch_command watch = {.cli = cli};
    struct web_server *server = NULL;
    enum { MS = 1000, LONGEST_S = 86400 };
    const char *once = NULL;
    long seconds = 0;
    bool has_root = false;
    const struct cli_option table[] = {
        {"once", 0, CLI_TEXT, "DOCUMENT",
         "sample for a moment, print that document (overview, load, queries ...), and end", &once},
        {"for", 0, CLI_NUMBER, "SECONDS", "with --once: sample that long", &seconds},
        {"listen", 0, CLI_TEXT, "ADDRESS:PORT",
         "of the dashboard; default " WATCH_WEB_LISTEN "; none: no dashboard", &watch.web.listen},
        {"token-file", 0, CLI_TEXT, "FILE", "its first line is what readers have to know",
         &watch.web.token_file},
        {"tls-certificate", 0, CLI_TEXT, "FILE", "PEM, for https", &watch.web.certificate_file},
        {"tls-key", 0, CLI_TEXT, "FILE", "PEM", &watch.web.key_file},
        {"host", 0, CLI_LIST, "NAME", "by which the dashboard is called, beside addresses",
         &watch.web.hosts},
        {"allow-root", 0, CLI_FLAG, NULL, CLI_ALLOW_ROOT_HELP, &has_root},
    };

    if (!cli_parse(cli, command, CLI_OPTIONS(table), argc, argv, &watch.decks, err) ||
        !cli_refuse_root("watch", has_root || once != NULL, err))
        return cli_failed(err);
    if (seconds < 0 || seconds > LONGEST_S) {
        error_set(err, ERROR_USAGE, "--for takes 0 to %d seconds", LONGEST_S);
        return cli_failed(err);
    }
    struct watch_options options = {
        .hooks = {.sink = &watch,
                  .load = load,
                  .configure = once == NULL ? configure : NULL,
                  .log = log_line},
        .board = watch_board_new(),
        .is_once = once != NULL,
        .once_ms = (int)(seconds * MS),
    };
    bool is_fine = (once != NULL || start_web(&watch, options.board, &server, err)) &&
                   watch_run(&options, err);
    watch_alerts_end(watch.alerts);
    watch_surveys_end(watch.surveys);
    watch_upkeep_end(watch.upkeep);
    web_server_free(server);
    if (is_fine && once != NULL)
        is_fine = print_document(options.board, once, err);
    watch_board_free(options.board);
    return is_fine ? 0 : cli_failed(err);
}
