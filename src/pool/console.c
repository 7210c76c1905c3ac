// SPDX-License-Identifier: MIT
/* The console: a database of its own name that answers SHOW and takes commands, by the simple
 * protocol. A table: which commands there are, and the right that each needs. */
#include "pool/console.h"

#include <ctype.h>
#include <stdio.h>
#include <strings.h>

enum { ARGUMENT_BYTES = 128 };

bool
pool_console_is_database(const char *name)
{
    return strcmp(name, "pgdeck") == 0 || strcmp(name, "pgbouncer") == 0;
}

const char *
pool_client_state_name(enum pool_client_state state)
{
    static const char *const names[POOL_CLIENT_STATES] = {"login",  "login",   "login",   "login",
                                                          "login",  "idle",    "waiting", "active",
                                                          "active", "closing", "closed"};

    return names[state];
}

const char *
pool_server_state_name(enum pool_server_state state)
{
    static const char *const names[POOL_SERVER_STATES] = {
        "login", "login", "login", "idle", "active", "active", "active", "used", "used", "closed"};

    return names[state];
}

/* --- commands ------------------------------------------------------------------------------ */

struct argument {
    struct pool_client *client;
    const char *name; /* of a database; "" : all */
    struct error *err;
    bool is_again; /* it was held, and looks whether it still must be */
};

struct deed {
    const char *name;                      /* as above */
    void (*act)(struct pool_group *group); /* NULL: only looks */
    int count;                             /* of groups */
    int paused;                            /* of these */
    int servers;                           /* of those that are paused */
    int outdated;                          /* servers that are to be closed */
};

static int
count_outdated(const struct pool_group *group)
{
    int count = 0;

    POOL_EACH(node, &group->servers)
    {
        const struct pool_server *server = POOL_ENTRY(node, struct pool_server, node);
        count += server->is_outdated || group->is_removed;
    }
    return count;
}

static void
act_on_groups(struct pool *pool, void *context)
{
    struct deed *deed = context;

    POOL_EACH(node, &pool->groups)
    {
        struct pool_group *group = POOL_ENTRY(node, struct pool_group, node);
        if (deed->name[0] != '\0' && strcmp(group->route->database, deed->name) != 0)
            continue;
        if (deed->act != NULL)
            deed->act(group);
        deed->outdated += count_outdated(group);
        deed->servers += group->is_paused ? pool_share_size(group) : 0;
        deed->paused += group->is_paused;
        deed->count++;
    }
}

/* Each group of the database, or all. */
static bool
do_deed(const struct argument *argument, struct deed *deed)
{
    deed->name = argument->name;
    pool_visit_all(argument->client->pool, act_on_groups, deed);
    return deed->count > 0 || argument->name[0] == '\0' ||
           pool_fault(argument->err, "3D000", "there is no database \"%s\"", argument->name);
}

static bool
for_groups(const struct argument *argument, void (*act)(struct pool_group *group))
{
    return do_deed(argument, &(struct deed){.act = act});
}

static void
close_idle(struct pool_group *group)
{
    POOL_EACH(node, &group->servers)
    {
        struct pool_server *server = POOL_ENTRY(node, struct pool_server, node);
        if (server->state == POOL_SERVER_IDLE)
            pool_server_close(server, NULL);
    }
}

static void
pause_group(struct pool_group *group)
{
    group->is_paused = true;
    close_idle(group); /* the others when they are free */
}

static void
resume_group(struct pool_group *group)
{
    group->is_paused = false;
    pool_group_serve(group);
}

static void
disable_group(struct pool_group *group)
{
    group->is_disabled = true;
}

static void
enable_group(struct pool_group *group)
{
    group->is_disabled = false;
}

static void
reconnect_group(struct pool_group *group)
{
    pool_group_outdate(group);
    close_idle(group);
}

static void
kill_group(struct pool_group *group)
{
    struct error err;

    group->is_paused = true;
    pool_fault(&err, "57P01", "terminated by KILL on the console of the pool");
    POOL_EACH(node, &group->pool->clients)
    {
        struct pool_client *client = POOL_ENTRY(node, struct pool_client, node);
        if (client->group == group)
            pool_client_fail(client, &err);
    }
    reconnect_group(group);
}

/* Held until no server is left: what comes behind it may stop PostgreSQL. */
static bool
do_pause(const struct argument *argument)
{
    struct deed deed = {.act = argument->is_again ? NULL : pause_group};

    if (!do_deed(argument, &deed))
        return false;
    if (deed.paused == 0)
        return pool_fault(argument->err, "57014", "PAUSE was ended by RESUME");
    argument->client->is_held = deed.servers > 0;
    return true;
}

static bool
do_resume(const struct argument *argument)
{
    return for_groups(argument, resume_group);
}

static bool
do_disable(const struct argument *argument)
{
    return for_groups(argument, disable_group);
}

static bool
do_enable(const struct argument *argument)
{
    return for_groups(argument, enable_group);
}

static bool
do_reconnect(const struct argument *argument)
{
    return for_groups(argument, reconnect_group);
}

/* While servers are there that RECONNECT or RELOAD wants closed, the client is held, and each tick
 * has it ask anew. */
static bool
do_wait_close(const struct argument *argument)
{
    struct deed deed = {0};

    if (!do_deed(argument, &deed))
        return false;
    argument->client->is_held = deed.outdated > 0;
    return true;
}

static bool
do_kill(const struct argument *argument)
{
    return for_groups(argument, kill_group);
}

static bool
do_reload(const struct argument *argument)
{
    struct pool *pool = argument->client->pool;

    return pool->reload(pool, argument->err);
}

static void
stop(struct pool *pool, void *context)
{
    if (*(const bool *)context)
        pool->is_ended = true;
    else
        pool_stop(pool, (int)pool->config->pooler.shutdown_timeout_ms);
}

static bool
do_shutdown(const struct argument *argument)
{
    bool is_immediate = argument->name[0] != '\0';

    pool_visit_all(argument->client->pool, stop, &is_immediate);
    return true;
}

enum command_name { NAME_NONE, NAME_MAY, NAME_MUST, NAME_IMMEDIATE /* may be that word */ };

struct command {
    const char *name;
    enum pool_right right;
    enum command_name takes;
    bool (*run)(const struct argument *argument);
    const char *help;
};

static const struct command commands[] = {
    {"PAUSE", POOL_RIGHT_ADMIN, NAME_MAY, do_pause, "PAUSE [database]"},
    {"RESUME", POOL_RIGHT_ADMIN, NAME_MAY, do_resume, "RESUME [database]"},
    {"DISABLE", POOL_RIGHT_ADMIN, NAME_MUST, do_disable, "DISABLE database"},
    {"ENABLE", POOL_RIGHT_ADMIN, NAME_MUST, do_enable, "ENABLE database"},
    {"RECONNECT", POOL_RIGHT_ADMIN, NAME_MAY, do_reconnect, "RECONNECT [database]"},
    {"WAIT_CLOSE", POOL_RIGHT_ADMIN, NAME_MAY, do_wait_close, "WAIT_CLOSE [database]"},
    {"KILL", POOL_RIGHT_ADMIN, NAME_MUST, do_kill, "KILL database"},
    {"RELOAD", POOL_RIGHT_ADMIN, NAME_NONE, do_reload, "RELOAD"},
    {"SHUTDOWN", POOL_RIGHT_ADMIN, NAME_IMMEDIATE, do_shutdown, "SHUTDOWN [IMMEDIATE]"},
};
enum { COMMAND_COUNT = sizeof(commands) / sizeof(commands[0]) };

void
pool_help_show(struct rows *rows)
{
    const char *view;

    for (size_t i = 0; (view = pool_view_name(i)) != NULL; i++) {
        char line[64];
        snprintf(line, sizeof(line), "SHOW %s", view);
        pool_rows_text(rows, line);
        pool_rows_text(rows, "stats");
        pool_rows_end(rows);
    }
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        pool_rows_text(rows, commands[i].help);
        pool_rows_text(rows, commands[i].right == POOL_RIGHT_ADMIN ? "admin" : "stats");
        pool_rows_end(rows);
    }
}

/* The next word, in double quotes or not; false: there is none, or it is too long. */
static bool
next_word(const char **at, char word[ARGUMENT_BYTES])
{
    const char *in = *at;
    size_t length = 0;

    while (isspace((unsigned char)*in) || *in == ';')
        in++;
    bool is_quoted = *in == '"';
    in += is_quoted;
    while (*in != '\0' && length + 1 < ARGUMENT_BYTES &&
           (is_quoted ? *in != '"' : !isspace((unsigned char)*in) && *in != ';'))
        word[length++] = *in++;
    word[length] = '\0';
    in += is_quoted && *in == '"';
    *at = in;
    return length > 0;
}

static bool
may(const struct pool_client *client, enum pool_right right, const char *what, struct error *err)
{
    if (client->right >= right)
        return true;
    if (client->right == POOL_RIGHT_NONE)
        return pool_fault(err, "42501", "the console is for admins and stats_users");
    pool_fault(err, "42501", "permission denied: %s is for admins", what);
    return error_detail(err, "User \"%s\" is one of stats_users, who may only SHOW.",
                        client->user_name);
}

static bool
is_well_formed(const struct command *command, const char *name)
{
    bool has_name = name[0] != '\0';

    return command->takes == NAME_NONE        ? !has_name
           : command->takes == NAME_MUST      ? has_name
           : command->takes == NAME_IMMEDIATE ? !has_name || strcasecmp(name, "immediate") == 0
                                              : true;
}

static bool
run_command(const struct command *command, const struct argument *argument)
{
    if (!may(argument->client, command->right, command->name, argument->err))
        return false;
    if (!is_well_formed(command, argument->name)) {
        pool_fault(argument->err, "42601", "syntax error: this is no %s", command->name);
        return error_hint(argument->err, "It is %s.", command->help);
    }
    return command->run(argument);
}

static bool
run(struct pool_client *client, const char *sql, char tag[ARGUMENT_BYTES], struct error *err)
{
    char word[ARGUMENT_BYTES], name[ARGUMENT_BYTES] = "", more[ARGUMENT_BYTES];
    const char *view;

    if (!next_word(&sql, word))
        return pool_fault(err, "42601", "empty command");
    next_word(&sql, name);
    if (next_word(&sql, more))
        return pool_fault(err, "42601", "one thing at a time: \"%s\" is too much", more);
    if (!may(client, POOL_RIGHT_STATS, "", err))
        return false;
    bool is_show = strcasecmp(word, "SHOW") == 0;
    for (size_t i = 0; is_show && (view = pool_view_name(i)) != NULL; i++) {
        if (strcasecmp(name, view) == 0) {
            pool_view_show(client, i);
            snprintf(tag, ARGUMENT_BYTES, "SHOW");
            return true;
        }
    }
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcasecmp(word, commands[i].name) != 0)
            continue;
        snprintf(tag, ARGUMENT_BYTES, "%s", commands[i].name);
        return run_command(&commands[i], &(struct argument){client, name, err, client->is_again});
    }
    pool_fault(err, "42601", "there is no command \"%s %s\"", word, name);
    return error_hint(err, "SHOW HELP lists them.");
}

/* What it is told of the command at the front, which is then done with. */
static void
answer(struct pool_client *client, const char *tag, const struct error *err)
{
    uint8_t bytes[ARGUMENT_BYTES + 16];
    struct wire_writer writer = wire_writer(bytes, sizeof(bytes));

    if (err != NULL) {
        pool_client_put_error(client, "ERROR", err);
    } else {
        wire_put_complete(&writer, tag);
        pool_link_put(&client->link, &client->pool->buffers, bytes, writer.length);
    }
    pool_client_put_ready(client, 'I');
    client->is_again = false;
    pool_link_consume(&client->link, client->wanted);
}

void
pool_console_tick(struct pool_client *client)
{
    client->is_held = false;
    client->is_again = true; /* up to the answer */
    pool_client_process(client);
}

void
pool_console_cancel(struct pool_client *client)
{
    struct error err;

    pool_fault(&err, "57014", "canceling statement due to user request");
    answer(client, NULL, &err);
    client->is_held = false;
    pool_client_process(client);
}

bool
pool_console_step(struct pool_client *client)
{
    const uint8_t *bytes = pool_link_bytes(&client->link);
    size_t unread = pool_link_unread(&client->link);
    struct wire_header header;
    struct error err;
    char tag[ARGUMENT_BYTES];

    client->wanted = WIRE_HEADER_BYTES;
    enum wire_result result = wire_read_header(bytes, unread, WIRE_FROM_CLIENT, &header);
    if (result == WIRE_MORE)
        return false;
    if (result == WIRE_WHOLE && header.type == 'X') {
        pool_client_close(client);
        return false;
    }
    if (result == WIRE_BAD || header.type != 'Q' || header.body_bytes > POOL_GATHER_BYTES_MAX) {
        pool_fault(&err, "0A000", "the console takes only the simple query protocol");
        pool_client_fail(client, &err);
        return false;
    }
    client->wanted = WIRE_HEADER_BYTES + header.body_bytes;
    if (unread < client->wanted)
        return false;
    const char *sql = (const char *)bytes + WIRE_HEADER_BYTES;
    bool is_fine = memchr(sql, '\0', header.body_bytes) == sql + header.body_bytes - 1
                       ? run(client, sql, tag, &err)
                       : pool_fault(&err, "08P01", "malformed Query message");
    if (!pool_client_is_open(client) || client->is_held)
        return false;
    answer(client, tag, is_fine ? NULL : &err);
    return true;
}
