/* The command line: a table of commands, each with a table of options; --help comes from them. */
#pragma once
#include "base/arena.h"
#include "base/error.h"
#include "deck/deck.h"
#include <jansson.h>

enum cli_option_kind { CLI_FLAG, CLI_TEXT, CLI_NUMBER, CLI_LIST };

/* Values of a CLI_LIST option (may be given many times or comma-separated). */
struct cli_list {
    LIST_OF(const char *) values;
};

struct cli_option {
    const char *name; /* without the dashes */
    char letter;      /* 0: none */
    enum cli_option_kind kind;
    const char *argument; /* its name in the help; NULL for a flag */
    const char *help;
    void *value; /* bool *, const char **, long *, struct cli_list * */
};

struct cli_options {
    const struct cli_option *items;
    size_t count;
};
#define CLI_OPTIONS(array) ((struct cli_options){(array), sizeof(array) / sizeof((array)[0])})
#define CLI_NO_OPTIONS ((struct cli_options){NULL, 0})

/* Options that every command has, and what is open while a command runs. */
struct cli {
    struct arena *arena;   /* of the whole command */
    const char *deck_path; /* --deck, $PGDECK_DECK, or deck.yaml */
    struct cli_list sets;  /* --set PATH=VALUE */
    bool is_json;          /* --json */
    const char *color;     /* auto, always, never */
    bool has_color;        /* the outcome, for stdout */
    bool is_quiet;
};

struct cli_command {
    const char *name;
    const char *operands; /* "[PLAN]"; "" : none */
    const char *summary;  /* one line, lower case */
    const char *group;    /* heading in the overview */
    /* Returns the exit status; on failure sets err and returns error_exit_status(err->code). */
    int (*run)(struct cli *cli, const struct cli_command *command, int argc, char **argv,
               struct error *err);
};

extern const struct cli_command cli_commands[];
extern const size_t cli_command_count;

/* Reads argv[1..] of a command into the options' values (own and common ones). ret_operands:
 * what is no option. False with ERROR_USAGE on a fault; prints help and returns false with
 * ERROR_NONE for --help. */
bool cli_parse(struct cli *cli, const struct cli_command *command, struct cli_options options,
               int argc, char **argv, struct cli_list *ret_operands, struct error *err) MUST_CHECK;
/* A duration as in the deck; 10m is taken for minutes, too. option: for the fault. */
bool cli_read_duration(const char *option, const char *text, int64_t *ret_ms, struct error *err);
/* Ends a command that failed: its exit status. */
int cli_failed(const struct error *err);

/* Loads the deck of --deck with --set; prints all of its faults to stderr and sets err to a
 * summary when there are any (NULL). */
const struct deck *cli_load_deck(struct cli *cli, struct error *err);
/* Prints "FILE:LINE:COLUMN: error: message", detail and hint to stderr. */
void cli_print_error(const struct error *err);
/* A line of progress on stderr: rewritten in place on a terminal, a line each elsewhere; nothing
 * when quiet. cli_progress_end keeps what was last printed. */
void cli_progress(struct cli *cli, const char *format, ...) PRINTF_LIKE(2, 3);
void cli_progress_end(struct cli *cli);
/* Asks on the terminal; true only for y or yes. No terminal: false. */
bool cli_confirm(const char *question);
/* The same of several things, about each of which can be asked. */
enum cli_answer { CLI_NO, CLI_YES, CLI_EACH };
enum cli_answer cli_confirm_many(const char *question);

/* Prints a document of --json, which is taken. NULL, which jansson makes of text that is no UTF-8,
 * is an error: half a document is none. */
bool cli_print_json(json_t *document, struct error *err) MUST_CHECK;
/* The array, if it has so many items; else NULL, and it is released: one could not be made. */
json_t *cli_json_whole(json_t *array, size_t count);

/* Colours: empty strings when off. */
struct cli_style {
    const char *bold, *dim, *red, *green, *yellow, *blue, *reset;
};
const struct cli_style *cli_style(const struct cli *cli);

/* One function a command, each in its cmd_<verb>.c. */
typedef int cli_run(struct cli *cli, const struct cli_command *command, int argc, char **argv,
                    struct error *err);
cli_run cmd_check, cmd_init, cmd_plan, cmd_apply, cmd_rollback, cmd_demo, cmd_up, cmd_down,
    cmd_health, cmd_explain, cmd_status, cmd_bench, cmd_tune, cmd_index, cmd_partition, cmd_diff,
    cmd_pool, cmd_security, cmd_maintain, cmd_rescue, cmd_watch, cmd_alerts;
