// SPDX-License-Identifier: MIT
#include "base/embed.h"
#include "base/file.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/door.h"
#include "cli/init.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct init_command {
    const char *from;
    const char *output;
    bool is_forced;
};

void
init_remark(struct arena *arena, struct init_deck *deck, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    char *remark = arena_vprintf(arena, format, args);
    va_end(args);
    for (char *c = remark; *c != '\0'; c++) {
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = '?';
    }
    remark[text_utf8_length(remark, strlen(remark))] = '\0';
    *LIST_ADD(arena, &deck->remarks) = remark;
}

/* --- conninfo ----------------------------------------------------------------------------- */

static void
append_option(struct text *text, const PQconninfoOption *option)
{
    text_appendf(text, "%s%s='", text->length == 0 ? "" : " ", option->keyword);
    for (const char *c = option->val; *c != '\0'; c++) {
        if (*c == '\'' || *c == '\\')
            text_append(text, "\\");
        text_append_bytes(text, c, 1);
    }
    text_append(text, "'");
}

/* The conninfo as given, or rebuilt without the password that it has. */
static bool
without_password(struct arena *arena, const char *conninfo, const char **ret_conninfo,
                 bool *ret_had_password, struct error *err)
{
    char *problem = NULL;
    PQconninfoOption *options = PQconninfoParse(conninfo, &problem);
    AUTO_TEXT text = {0};
    bool had_password = false;

    if (options == NULL) {
        error_set(err, ERROR_USAGE, "--from: libpq cannot read this conninfo");
        PQfreemem(problem);
        return error_hint(err, "Write such as \"host=127.0.0.1 port=5432 user=postgres\".");
    }
    for (const PQconninfoOption *option = options; option->keyword != NULL; option++) {
        bool is_secret =
            strcmp(option->keyword, "password") == 0 || strcmp(option->keyword, "sslpassword") == 0;
        if (option->val == NULL)
            continue;
        if (is_secret)
            had_password = true;
        else
            append_option(&text, option);
    }
    PQconninfoFree(options);
    *ret_conninfo = had_password ? arena_strdup(arena, text_chars(&text)) : conninfo;
    *ret_had_password = had_password;
    return true;
}

/* --- the server --------------------------------------------------------------------------- */

static bool
is_user_database(const struct catalog_database_entry *entry)
{
    return entry->can_connect && strcmp(entry->name, "template0") != 0 &&
           strcmp(entry->name, "template1") != 0;
}

/* The server with all databases that people use: first their names, then what is in them. */
static bool
read_server(struct cli *cli, const struct pg_target *target, struct init_deck *deck,
            struct catalog_server *server, struct error *err)
{
    if (!catalog_read(cli->arena, target, "main", NULL, 0, server, err))
        return false;
    const char **names = ARENA_ARRAY(cli->arena, const char *, server->databases.count + 1);
    size_t count = 0;
    for (size_t i = 0; i < server->databases.count; i++) {
        const char *name = server->databases.items[i].name;
        if (!is_user_database(&server->databases.items[i]))
            continue;
        if (text_utf8_length(name, strlen(name)) < strlen(name))
            init_remark(cli->arena, deck, "a database whose name is not UTF-8");
        else
            names[count++] = name;
    }
    catalog_release(server);
    cli_progress(cli, "reading %zu databases", count);
    bool is_read = catalog_read(cli->arena, target, "main", names, count, server, err);
    cli_progress_end(cli);
    return is_read;
}

/* Days since 1970-01-01 by the server's clock, as the partition advisor reads them. */
static bool
read_today(PGconn *connection, long long *ret_today, struct error *err)
{
    AUTO_PGRESULT result = NULL;

    if (!pg_query(connection, embedded_file("partition/sql/today.sql")->text, 0, NULL, &result,
                  err))
        return false;
    *ret_today = pg_integer(result, 0, "today");
    return true;
}

/* "postgres" is taken only when people use it, or when there is nothing else. */
static void
choose_databases(struct arena *arena, struct init_deck *deck)
{
    const struct catalog_server *server = deck->server;

    for (size_t i = 0; i < server->snapshots.count; i++) {
        const struct catalog_database *catalog = &server->snapshots.items[i];
        bool is_spare = strcmp(catalog->name, "postgres") == 0 && catalog->tables.count == 0 &&
                        server->snapshots.count > 1;
        if (catalog->exists && !is_spare)
            LIST_ADD(arena, &deck->databases)->catalog = catalog;
    }
}

/* --- files -------------------------------------------------------------------------------- */

static bool
check_free(const struct init_command *options, const char *path, struct error *err)
{
    if (options->is_forced || !file_exists(path))
        return true;
    error_set(err, ERROR_REFUSED, "\"%s\" is there already", path);
    return error_hint(err, "Give another --output, or --force to replace it.");
}

/* All files or, as far as can be known before, none; the deck itself last. */
static bool
write_files(struct cli *cli, const struct init_command *options, const struct init_deck *deck,
            const char *deck_path, const char *yaml, struct error *err)
{
    struct arena *arena = cli->arena;

    if (!check_free(options, deck_path, err))
        return false;
    for (size_t i = 0; i < deck->files.count; i++) {
        if (!check_free(options,
                        arena_printf(arena, "%s/%s", options->output, deck->files.items[i].path),
                        err))
            return false;
    }
    if (!file_make_folder(
            arena_printf(arena, "%s%s", options->output, deck->files.count > 0 ? "/indexes" : ""),
            0755, err))
        return false;
    for (size_t i = 0; i < deck->files.count; i++) {
        const struct init_file *file = &deck->files.items[i];
        if (!file_write(arena_printf(arena, "%s/%s", options->output, file->path), file->text,
                        strlen(file->text), 0644, err))
            return false;
    }
    return file_write(deck_path, yaml, strlen(yaml), 0644, err);
}

/* What was written must be a deck without a fault; anything else is a mistake of init itself. */
static bool
check_written(struct cli *cli, const char *path, struct error *err)
{
    struct deck_faults faults = {0};

    if (deck_load(cli->arena, path, NULL, 0, &faults) != NULL)
        return true;
    *err = faults.list.items[0];
    error_wrap(err, "the deck was written, but has to be corrected by hand");
    return false;
}

static void
print_outcome(struct cli *cli, const struct init_deck *deck, const char *path, bool had_password)
{
    printf("%s: %zu databases, %zu indexes, %zu partitioned tables, %zu roles\n", path,
           deck->databases.count, deck->index_count, deck->partitioned_count, deck->role_count);
    for (size_t i = 0; i < deck->remarks.count; i++)
        printf("not taken over: %s\n", deck->remarks.items[i]);
    if (had_password)
        printf("The password is not in the deck: put it into ~/.pgpass, PGPASSWORD or "
               "password_file.\n");
    if (!cli->is_quiet)
        printf("Next: pgdeck plan --deck %s (nothing to do yet; then change the deck)\n", path);
}

/* --- all ---------------------------------------------------------------------------------- */

static const char *
deck_name(struct arena *arena, const char *output)
{
    char *real = realpath(output, NULL);
    const char *slash = strrchr(real == NULL ? output : real, '/');
    const char *base = slash == NULL ? output : slash + 1;
    bool is_good = *base != '\0' && text_utf8_length(base, strlen(base)) == strlen(base);
    const char *name = arena_strdup(arena, is_good ? base : "deck");

    free(real);
    return name;
}

static bool
init_from(struct cli *cli, const struct init_command *options, struct catalog_server *server,
          struct error *err)
{
    struct init_deck deck = {.name = deck_name(cli->arena, options->output), .server = server};
    const struct pg_target target = {.conninfo = options->from};
    const char *path = arena_printf(cli->arena, "%s/deck.yaml", options->output);
    bool had_password;
    long long today;

    if (!check_free(options, path, err) ||
        !without_password(cli->arena, options->from, &deck.conninfo, &had_password, err) ||
        !read_server(cli, &target, &deck, server, err) ||
        !read_today(server->connection, &today, err))
        return false;
    choose_databases(cli->arena, &deck);
    init_read_indexes(cli->arena, &deck);
    init_read_partitions(cli->arena, &deck, today);
    const char *yaml = init_yaml(cli->arena, &deck, err);
    if (yaml == NULL || !write_files(cli, options, &deck, path, yaml, err) ||
        !check_written(cli, path, err))
        return false;
    print_outcome(cli, &deck, path, had_password);
    cli_say_door(cli, &(struct deck_server){.name = "main", .conninfo = options->from});
    return true;
}

int
cmd_init(struct cli *cli, const struct cli_command *command, int argc, char **argv,
         struct error *err)
{
    struct init_command options = {.output = "."};
    const struct cli_option table[] = {
        {"from", 0, CLI_TEXT, "CONNINFO", "the server, as libpq reads it (required)",
         &options.from},
        {"output", 'o', CLI_TEXT, "DIR", "where to write; default: the current folder",
         &options.output},
        {"force", 0, CLI_FLAG, NULL, "replace files that are there", &options.is_forced},
    };
    struct cli_list operands = {0};
    struct catalog_server server = {0};

    if (!cli_parse(cli, command, CLI_OPTIONS(table), argc, argv, &operands, err))
        return cli_failed(err);
    if (options.from == NULL || options.from[0] == '\0') {
        error_set(err, ERROR_USAGE, "init needs --from CONNINFO");
        error_hint(err, "Such as --from \"host=127.0.0.1 user=postgres\".");
        return cli_failed(err);
    }
    bool is_done = init_from(cli, &options, &server, err);
    catalog_release(&server);
    return is_done ? 0 : cli_failed(err);
}
