// SPDX-License-Identifier: MIT
/* pgdeck alerts silence, unsilence. */
#include "cli/alerts.h"

#include "alert/store.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MS = 1000, TEXT_BYTES = 500 };
#define LONGEST_MS (INT64_C(30) * 24 * 3600 * MS)

static const char *
user_name(void)
{
    const char *sudo = getenv("SUDO_USER");
    const struct passwd *entry = getpwuid(geteuid());

    if (sudo != NULL && sudo[0] != '\0')
        return sudo;
    return entry == NULL ? "unknown" : entry->pw_name;
}

/* A slip of the finger must not silence nothing without a word. */
static bool
check_places(const struct deck *deck, const struct alert_silence *silence, struct error *err)
{
    bool has_environment = silence->environment == NULL, has_database = silence->database == NULL;

    for (size_t i = 0; i < deck->environments.count && !has_environment; i++)
        has_environment = strcmp(deck->environments.items[i].name, silence->environment) == 0;
    for (size_t i = 0; i < deck->databases.count && !has_database; i++)
        has_database = strcmp(deck->databases.items[i].name, silence->database) == 0;
    if (!has_environment)
        return error_set(err, ERROR_USAGE, "the deck has no environment \"%s\"",
                         silence->environment);
    return has_database ||
           error_set(err, ERROR_USAGE, "the deck has no database \"%s\"", silence->database);
}

static bool
check_texts(const struct alert_silence *silence, const struct cli_list *operands,
            const char *duration, struct error *err)
{
    if (operands->values.count != 1)
        return error_set(err, ERROR_USAGE, "name one alert, or all");
    if (duration == NULL || silence->why == NULL || silence->why[0] == '\0')
        return error_set(err, ERROR_USAGE, "say --for how long and --why");
    if (strlen(silence->why) > TEXT_BYTES || strlen(silence->author) > TEXT_BYTES ||
        strlen(operands->values.items[0]) > ALERT_NAME_BYTES)
        return error_set(err, ERROR_USAGE, "that is too long");
    return true;
}

int
alerts_silence(struct cli *cli, const struct cli_command *row, int argc, char **argv,
               struct error *err)
{
    struct cli_list operands = {0};
    const char *duration = NULL, *folder, *id = "";
    struct alert_silence silence = {.author = user_name(), .begun_ms = (int64_t)time(NULL) * MS};
    int64_t length_ms;
    const struct cli_option table[] = {
        {"environment", 'e', CLI_TEXT, "NAME", "only of this one", &silence.environment},
        {"database", 0, CLI_TEXT, "NAME", "only of this one", &silence.database},
        {"for", 0, CLI_TEXT, "DURATION", "such as 2h; at most 30d", &duration},
        {"why", 0, CLI_TEXT, "TEXT", "for who wonders", &silence.why},
        {"author", 0, CLI_TEXT, "NAME", "default: you", &silence.author},
    };

    if (!cli_parse(cli, row, CLI_OPTIONS(table), argc, argv, &operands, err) ||
        !check_texts(&silence, &operands, duration, err) ||
        !cli_read_duration("--for", duration, &length_ms, err))
        return cli_failed(err);
    if (length_ms <= 0 || length_ms > LONGEST_MS) {
        error_set(err, ERROR_USAGE, "a silence lasts up to 30d");
        return cli_failed(err);
    }
    silence.until_ms = silence.begun_ms + length_ms;
    silence.name = strcmp(operands.values.items[0], "all") == 0 ? "*" : operands.values.items[0];
    const struct deck *deck = cli_load_deck(cli, err);
    if (deck == NULL || !check_places(deck, &silence, err) ||
        !alert_folder(cli->arena, deck, &folder, err) ||
        !alert_silences_change(cli->arena, folder, &silence, silence.begun_ms, &id, err))
        return cli_failed(err);
    printf("silence %s until %s; ends with: pgdeck alerts unsilence %s\n", id,
           alert_time(cli->arena, silence.until_ms), id);
    return 0;
}

int
alerts_unsilence(struct cli *cli, const struct cli_command *row, int argc, char **argv,
                 struct error *err)
{
    struct cli_list operands = {0};
    const char *folder, *id;

    if (!cli_parse(cli, row, CLI_NO_OPTIONS, argc, argv, &operands, err))
        return cli_failed(err);
    if (operands.values.count != 1) {
        error_set(err, ERROR_USAGE, "name one silence; pgdeck alerts lists them");
        return cli_failed(err);
    }
    const struct deck *deck = cli_load_deck(cli, err);
    struct alert_silence silence = {.id = operands.values.items[0]};
    if (deck == NULL || !alert_folder(cli->arena, deck, &folder, err) ||
        !alert_silences_change(cli->arena, folder, &silence, (int64_t)time(NULL) * MS, &id, err))
        return cli_failed(err);
    return 0;
}
