// SPDX-License-Identifier: MIT
#include "cli/command.h"

#include "base/text.h"
#include "deck/units.h"
#include "settings/check_deck.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* --- options ------------------------------------------------------------------------------ */

enum { COMMON_OPTIONS = 5, ANSWER_BYTES = 16 };

static void
common_options(struct cli *cli, struct cli_option options[COMMON_OPTIONS])
{
    const struct cli_option common[COMMON_OPTIONS] = {
        {"deck", 'd', CLI_TEXT, "FILE", "the deck; default $PGDECK_DECK, else ./deck.yaml",
         &cli->deck_path},
        {"set", 0, CLI_LIST, "PATH=VALUE", "override a value of the deck, e.g. servers.main.cpus=2",
         &cli->sets},
        {"json", 0, CLI_FLAG, NULL, "machine-readable output", &cli->is_json},
        {"color", 0, CLI_TEXT, "WHEN", "auto (default), always, never", &cli->color},
        {"quiet", 'q', CLI_FLAG, NULL, "no progress", &cli->is_quiet},
    };
    memcpy(options, common, sizeof(common));
}

static void
print_options(const char *title, const struct cli_option *options, size_t count)
{
    if (count > 0)
        printf("\n%s:\n", title);
    for (size_t i = 0; i < count; i++) {
        char left[64];
        char letter[5] = "    ";
        if (options[i].letter != 0)
            snprintf(letter, sizeof(letter), "-%c, ", options[i].letter);
        snprintf(left, sizeof(left), "%s--%s%s%s", letter, options[i].name,
                 options[i].argument == NULL ? "" : " ",
                 options[i].argument == NULL ? "" : options[i].argument);
        printf("  %-30s %s\n", left, options[i].help);
    }
}

static void
print_help(const struct cli_command *command, const struct cli_option *options, size_t count,
           const struct cli_option *common)
{
    printf("usage: pgdeck %s [options]%s%s\n\n%s\n", command->name,
           command->operands[0] == '\0' ? "" : " ", command->operands, command->summary);
    print_options("options", options, count);
    print_options("common options", common, COMMON_OPTIONS);
}

static const struct cli_option *
find_option(const struct cli_option *options, size_t count, const char *name, size_t length,
            char letter)
{
    for (size_t i = 0; i < count; i++) {
        if (letter != 0
                ? options[i].letter == letter
                : strlen(options[i].name) == length && strncmp(options[i].name, name, length) == 0)
            return &options[i];
    }
    return NULL;
}

static bool
unknown_option(const struct cli_command *command, const char *argument,
               const struct cli_option *const tables[2], const size_t counts[2], struct error *err)
{
    const char *names[64] = {NULL};
    size_t count = 0;
    char word[64];

    for (size_t table = 0; table < 2; table++) {
        for (size_t i = 0; i < counts[table] && count < 62; i++)
            names[count++] = tables[table][i].name;
    }
    snprintf(word, sizeof(word), "%.*s", (int)strcspn(argument + 2, "="),
             strlen(argument) > 2 ? argument + 2 : "");
    const char *nearest = text_nearest(word, names);
    error_set(err, ERROR_USAGE, "%s: unknown option %s", command->name, argument);
    if (nearest != NULL)
        return error_hint(err, "Did you mean --%s?", nearest);
    return error_hint(err, "See pgdeck %s --help.", command->name);
}

static bool
store(struct cli *cli, const struct cli_option *option, const char *value, struct error *err)
{
    char *end;

    switch (option->kind) {
    case CLI_FLAG:
        *(bool *)option->value = true;
        return true;
    case CLI_TEXT:
        *(const char **)option->value = value;
        return true;
    case CLI_NUMBER:
        errno = 0;
        *(long *)option->value = strtol(value, &end, 10);
        if (errno != 0 || end == value || *end != '\0')
            return error_set(err, ERROR_USAGE, "--%s: \"%s\" is not a number", option->name, value);
        return true;
    case CLI_LIST:
        break;
    }
    struct cli_list *list = option->value;
    bool is_override = strchr(value, '=') != NULL; /* a value may contain commas */
    while (!is_override && strchr(value, ',') != NULL) {
        size_t length = strcspn(value, ",");
        *LIST_ADD(cli->arena, &list->values) = arena_strndup(cli->arena, value, length);
        value += length + 1;
    }
    *LIST_ADD(cli->arena, &list->values) = value;
    return true;
}

/* Reads the option at argv[*at] and moves *at to its last word. */
static bool
read_option(struct cli *cli, const struct cli_command *command,
            const struct cli_option *const tables[2], const size_t counts[2], char **argv, int *at,
            struct error *err)
{
    const char *argument = argv[*at];
    bool is_long = argument[1] == '-';
    const char *equals = is_long ? strchr(argument, '=') : NULL;
    size_t length = equals == NULL ? strlen(argument) : (size_t)(equals - argument);
    const struct cli_option *option = NULL;

    for (size_t i = 0; i < 2 && option == NULL; i++)
        option = find_option(tables[i], counts[i], is_long ? argument + 2 : "",
                             is_long ? length - 2 : 0, is_long ? 0 : argument[1]);
    if (option == NULL)
        return unknown_option(command, argument, tables, counts, err);
    const char *value = equals == NULL ? NULL : equals + 1;
    if (!is_long && argument[2] != '\0')
        value = argument + 2;
    if (option->kind == CLI_FLAG && value != NULL)
        return error_set(err, ERROR_USAGE, "--%s takes no value", option->name);
    if (option->kind != CLI_FLAG && value == NULL) {
        value = argv[*at + 1];
        if (value == NULL)
            return error_set(err, ERROR_USAGE, "--%s needs a value: %s", option->name,
                             option->argument);
        ++*at;
    }
    return store(cli, option, value, err);
}

static bool
settle_color(struct cli *cli, struct error *err)
{
    if (strcmp(cli->color, "always") == 0)
        cli->has_color = true;
    else if (strcmp(cli->color, "never") == 0)
        cli->has_color = false;
    else if (strcmp(cli->color, "auto") == 0)
        cli->has_color = isatty(STDOUT_FILENO) && getenv("NO_COLOR") == NULL;
    else
        return error_set(err, ERROR_USAGE, "--color: \"%s\" is none of auto, always, never",
                         cli->color);
    return true;
}

bool
cli_parse(struct cli *cli, const struct cli_command *command, struct cli_options options, int argc,
          char **argv, struct cli_list *ret_operands, struct error *err)
{
    struct cli_option common[COMMON_OPTIONS];
    const struct cli_option *tables[2] = {options.items, common};
    const size_t counts[2] = {options.count, COMMON_OPTIONS};
    bool has_ended = false;

    common_options(cli, common);
    error_clear(err);
    for (int at = 1; at < argc; at++) {
        if (!has_ended && strcmp(argv[at], "--") == 0) {
            has_ended = true;
        } else if (!has_ended && (strcmp(argv[at], "--help") == 0 || strcmp(argv[at], "-h") == 0)) {
            print_help(command, options.items, options.count, common);
            return false;
        } else if (!has_ended && argv[at][0] == '-' && argv[at][1] != '\0' &&
                   !isdigit((unsigned char)argv[at][1])) { /* -7 is a number: no option is */
            if (!read_option(cli, command, tables, counts, argv, &at, err))
                return false;
        } else {
            *LIST_ADD(cli->arena, &ret_operands->values) = argv[at];
        }
    }
    if (command->operands[0] == '\0' && ret_operands->values.count > 0) {
        error_set(err, ERROR_USAGE, "%s takes no operand, got \"%s\"", command->name,
                  ret_operands->values.items[0]);
        return error_hint(err, "See pgdeck %s --help.", command->name);
    }
    return settle_color(cli, err);
}

int
cli_failed(const struct error *err)
{
    return error_exit_status(err->code);
}

/* --- what people see ---------------------------------------------------------------------- */

const struct cli_style *
cli_style(const struct cli *cli)
{
    static const struct cli_style plain = {"", "", "", "", "", "", ""};
    static const struct cli_style colored = {"\033[1m",  "\033[2m",  "\033[31m", "\033[32m",
                                             "\033[33m", "\033[34m", "\033[0m"};
    return cli->has_color ? &colored : &plain;
}

void
cli_print_error(const struct error *err)
{
    bool has_color = isatty(STDERR_FILENO) && getenv("NO_COLOR") == NULL;
    const char *red = has_color ? "\033[1;31m" : "";
    const char *reset = has_color ? "\033[0m" : "";

    if (err->file[0] != '\0' && err->line > 0)
        fprintf(stderr, "%s:%d:%d: ", err->file, err->line, err->column);
    else
        fprintf(stderr, "%s: ", err->file[0] != '\0' ? err->file : "pgdeck");
    fprintf(stderr, "%serror:%s %s", red, reset, err->message);
    if (err->sqlstate[0] != '\0')
        fprintf(stderr, " (SQLSTATE %s)", err->sqlstate);
    fputc('\n', stderr);
    if (err->detail[0] != '\0')
        fprintf(stderr, "  detail: %s\n", err->detail);
    if (err->hint[0] != '\0')
        fprintf(stderr, "  hint: %s\n", err->hint);
}

const struct deck *
cli_load_deck(struct cli *cli, struct error *err)
{
    struct deck_faults faults = {0};
    const struct deck *deck =
        deck_load_checked(cli->arena, cli->deck_path, cli->sets.values.items,
                          cli->sets.values.count, settings_check_deck, &faults);

    if (deck != NULL)
        return deck;
    for (size_t i = 0; i + 1 < faults.list.count; i++)
        cli_print_error(&faults.list.items[i]);
    *err = faults.list.items[faults.list.count - 1]; /* the last is printed by main */
    return NULL;
}

void
cli_progress(struct cli *cli, const char *format, ...)
{
    va_list args;
    bool is_terminal = isatty(STDERR_FILENO);

    if (cli->is_quiet)
        return;
    /* Without wrapping: what runs into the next line could not be rewritten. */
    if (is_terminal)
        fputs("\r\033[K\033[?7l", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputs(is_terminal ? "\033[?7h" : "\n", stderr);
    fflush(stderr);
}

void
cli_progress_end(struct cli *cli)
{
    if (!cli->is_quiet && isatty(STDERR_FILENO))
        fputc('\n', stderr);
}

/* A line, "" where nobody can answer. */
static void
ask(const char *question, const char *choices, char answer[ANSWER_BYTES])
{
    answer[0] = '\0';
    if (!isatty(STDIN_FILENO))
        return;
    tcflush(STDIN_FILENO, TCIFLUSH); /* what was typed before the question is no answer to it */
    fprintf(stderr, "%s %s ", question, choices);
    if (fgets(answer, ANSWER_BYTES, stdin) == NULL)
        answer[0] = '\0';
}

static bool
is_answer(const char *answer, const char *letter, const char *word)
{
    size_t length = strcspn(answer, "\n");

    return answer[length] == '\n' &&
           ((length == strlen(letter) && *answer == *letter) ||
            (length == strlen(word) && strncmp(answer, word, length) == 0));
}

bool
cli_confirm(const char *question)
{
    char answer[ANSWER_BYTES];

    ask(question, "[y/N]", answer);
    return is_answer(answer, "y", "yes");
}

enum cli_answer
cli_confirm_many(const char *question)
{
    char answer[ANSWER_BYTES];

    ask(question, "[y]es, [N]o, ask about [e]ach:", answer);
    return is_answer(answer, "y", "yes")    ? CLI_YES
           : is_answer(answer, "e", "each") ? CLI_EACH
                                            : CLI_NO;
}

json_t *
cli_json_whole(json_t *array, size_t count)
{
    if (json_array_size(array) == count)
        return array;
    json_decref(array);
    return NULL;
}

bool
cli_print_json(json_t *document, struct error *err)
{
    char *text = document == NULL ? NULL : json_dumps(document, JSON_INDENT(2));

    json_decref(document);
    if (text == NULL)
        return error_set(err, ERROR_INTERNAL, "a name or a statement is not UTF-8");
    puts(text);
    free(text);
    return true;
}

bool
cli_read_duration(const char *option, const char *text, int64_t *ret_ms, struct error *err)
{
    size_t digits = strspn(text, "0123456789");
    char minutes[32];

    if (strcmp(text + digits, "m") == 0 && digits < sizeof(minutes) - sizeof("min")) {
        snprintf(minutes, sizeof(minutes), "%.*smin", (int)digits, text);
        text = minutes;
    }
    if (deck_unit_duration(text, ret_ms, err))
        return true;
    err->code = ERROR_USAGE;
    return error_wrap(err, "%s", option);
}
