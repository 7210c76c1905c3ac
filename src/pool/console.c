// SPDX-License-Identifier: MIT
/* The console: a database of its own name that answers SHOW and takes commands, by the simple
 * protocol. Tables: what can be shown, which commands there are and the right that each needs. */
#include "pool/console.h"
#include "pool/total.h"

#include "deck/keys.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>

enum { COLUMNS_MAX = 20, CELL_BYTES = 128, ROW_BYTES = 1 << 14, ARGUMENT_BYTES = 128 };

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

/* --- rows ---------------------------------------------------------------------------------- */

struct rows {
    struct pool_client *client; /* who asks, in worker 0's pool */
    struct pool *pool;          /* whose rows these are */
    size_t columns;
    size_t count;
    const char *cells[COLUMNS_MAX];
    char texts[COLUMNS_MAX][CELL_BYTES];
    size_t filled;
};

static void
put(struct pool_client *client, const struct wire_writer *writer)
{
    pool_link_put(&client->link, &client->pool->buffers, writer->bytes,
                  writer->is_full ? 0 : writer->length);
}

static void
text(struct rows *rows, const char *value)
{
    snprintf(rows->texts[rows->filled], CELL_BYTES, "%.*s", CELL_BYTES - 1, value);
    rows->cells[rows->filled] = rows->texts[rows->filled];
    rows->filled++;
}

static void
number(struct rows *rows, uint64_t value)
{
    snprintf(rows->texts[rows->filled], CELL_BYTES, "%llu", (unsigned long long)value);
    rows->cells[rows->filled] = rows->texts[rows->filled];
    rows->filled++;
}

static void
end_row(struct rows *rows)
{
    uint8_t bytes[ROW_BYTES];
    struct wire_writer writer = wire_writer(bytes, sizeof(bytes));

    wire_put_row(&writer, rows->cells, rows->filled);
    put(rows->client, &writer);
    rows->filled = 0;
    rows->count++;
}

void
pool_rows_text(struct rows *rows, const char *value)
{
    text(rows, value);
}

void
pool_rows_number(struct rows *rows, uint64_t value)
{
    number(rows, value);
}

void
pool_rows_whole(struct rows *rows, const char *value)
{
    rows->cells[rows->filled++] = value;
}

struct pool *
pool_rows_pool(const struct rows *rows)
{
    return rows->pool;
}

void
pool_rows_end(struct rows *rows)
{
    end_row(rows);
}

/* --- SHOW ---------------------------------------------------------------------------------- */

static const char *
mode_name(const struct pool_group *group)
{
    return deck_pool_mode_words[group->route->mode];
}

static void
show_pools(struct rows *rows)
{
    POOL_EACH(node, &rows->pool->groups)
    {
        struct pool_group *group = POOL_ENTRY(node, struct pool_group, node);
        struct pool_total total;
        if (!pool_total_of(group, &total))
            continue;
        text(rows, group->route->database);
        text(rows, group->route->user);
        number(rows, (uint64_t)total.client_active);
        number(rows, (uint64_t)total.waiting);
        number(rows, (uint64_t)total.client_pinned);
        number(rows, (uint64_t)total.server_active);
        number(rows, (uint64_t)total.server_idle);
        number(rows, (uint64_t)total.server_used);
        number(rows, (uint64_t)total.server_login);
        number(rows, total.wait_us / 1000000);
        number(rows, total.wait_us % 1000000);
        text(rows, mode_name(group));
        text(rows, group->failures > 0 ? group->failure.message : "");
        end_row(rows);
    }
}

static void
show_clients(struct rows *rows)
{
    char buffer[256];

    POOL_EACH(node, &rows->pool->clients)
    {
        struct pool_client *client = POOL_ENTRY(node, struct pool_client, node);
        text(rows, client->user_name);
        text(rows, client->database_name);
        text(rows, pool_client_state_name(client->state));
        text(rows, net_address_text(&client->address, buffer, sizeof(buffer)));
        number(rows, client->serial);
        number(rows, client->server == NULL ? 0 : client->server->serial);
        number(rows, client->names.count);
        text(rows, pool_session_pins(client->pins, buffer, sizeof(buffer)));
        const char *application = pool_parameters_find(client->reported, "application_name");
        text(rows, application == NULL ? "" : application);
        text(rows, net_tls_text(&client->link.stream, buffer, sizeof(buffer)));
        end_row(rows);
    }
}

/* A thread may have a local server that another one has found. */
static const char *
address_of(const struct pool_server *server, struct sockaddr_un *peer)
{
    socklen_t length = sizeof(*peer);

    memset(peer, 0, sizeof(*peer));
    if (!server->is_by_local ||
        getpeername(server->link.stream.descriptor, (struct sockaddr *)peer, &length) != 0)
        return server->group->route->address.display;
    return peer->sun_path;
}

static void
show_servers(struct rows *rows)
{
    struct sockaddr_un peer;
    char buffer[128];

    POOL_EACH(group_node, &rows->pool->groups)
    {
        struct pool_group *group = POOL_ENTRY(group_node, struct pool_group, node);
        POOL_EACH(node, &group->servers)
        {
            struct pool_server *server = POOL_ENTRY(node, struct pool_server, node);
            uint32_t pid = server->key_bytes >= 4 ? wire_uint32(server->key) : 0;
            text(rows, group->route->login->name);
            text(rows, group->route->server_database);
            text(rows, pool_server_state_name(server->state));
            text(rows, address_of(server, &peer));
            number(rows, server->serial);
            number(rows, server->client == NULL ? 0 : server->client->serial);
            number(rows, pid);
            number(rows, server->prepared.count);
            number(rows, server->owed.count);
            number(rows, (rows->pool->now_us - server->created_us) / 1000000);
            text(rows, net_tls_text(&server->link.stream, buffer, sizeof(buffer)));
            end_row(rows);
        }
    }
}

static void
show_stats(struct rows *rows)
{
    POOL_EACH(node, &rows->pool->groups)
    {
        struct pool_group *group = POOL_ENTRY(node, struct pool_group, node);
        struct pool_total total;
        if (!pool_total_of(group, &total))
            continue;
        const struct pool_statistics *statistics = &total.statistics;
        text(rows, group->route->database);
        text(rows, group->route->user);
        number(rows, statistics->transactions);
        number(rows, statistics->queries);
        number(rows, statistics->errors);
        number(rows, statistics->received_bytes);
        number(rows, statistics->sent_bytes);
        number(rows, statistics->transaction_us);
        number(rows, statistics->wait_us);
        number(rows, statistics->wait_max_us);
        end_row(rows);
    }
}

static void
times(struct rows *rows, const struct histogram *histogram)
{
    const double shares[] = {0.5, 0.95, 0.99, 1};

    for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++)
        number(rows, histogram_percentile(histogram, shares[i]) / POOL_US_NS);
}

static void
show_latency(struct rows *rows)
{
    POOL_EACH(node, &rows->pool->groups)
    {
        struct pool_group *group = POOL_ENTRY(node, struct pool_group, node);
        struct pool_total total;
        if (!pool_total_of(group, &total))
            continue;
        const struct pool_measures *measures = total.measures;
        uint64_t target_us = (uint64_t)group->route->target_p95_ms * 1000;
        bool is_met = histogram_percentile(&measures->query, 0.95) <= target_us * POOL_US_NS;
        text(rows, group->route->environment);
        text(rows, group->route->service);
        text(rows, group->route->database);
        text(rows, group->route->user);
        number(rows, measures->query.total);
        times(rows, &measures->query);
        times(rows, &measures->transaction);
        times(rows, &measures->wait);
        number(rows, target_us);
        text(rows, target_us == 0 || measures->query.total == 0 ? "" : is_met ? "met" : "missed");
        end_row(rows);
    }
}

static void
show_databases(struct rows *rows)
{
    POOL_EACH(node, &rows->pool->groups)
    {
        struct pool_group *group = POOL_ENTRY(node, struct pool_group, node);
        struct pool_total total;
        if (!pool_total_of(group, &total))
            continue;
        text(rows, group->route->database);
        text(rows, group->route->address.display);
        text(rows, group->route->server_database);
        text(rows, group->route->user);
        text(rows, group->route->environment);
        text(rows, group->route->service);
        number(rows, (uint64_t)group->route->min);
        number(rows, (uint64_t)group->route->max);
        text(rows, mode_name(group));
        text(rows, deck_pool_reset_words[group->route->reset]);
        text(rows, deck_pool_state_words[group->route->on_session_state]);
        number(rows, (uint64_t)total.servers);
        number(rows, group->is_paused);
        number(rows, group->is_disabled);
        end_row(rows);
    }
}

static void
show_users(struct rows *rows)
{
    const struct pool_config *config = rows->pool->config;

    for (size_t i = 0; i < config->users.count; i++) {
        const struct pool_user *user = &config->users.items[i];
        text(rows, user->name);
        text(rows, user->password != NULL ? "password" : user->has_keys ? "verifier" : "none");
        text(rows, user->is_admin ? "yes" : "no");
        end_row(rows);
    }
}

static void
config_row(struct rows *rows, const char *key, int64_t value)
{
    text(rows, key);
    number(rows, (uint64_t)value);
    end_row(rows);
}

static void
show_config(struct rows *rows)
{
    const struct pool_config *config = rows->pool->config;
    const struct deck_pooler *pooler = &config->pooler;

    for (size_t i = 0; i < config->listen.count; i++) {
        text(rows, "listen");
        text(rows, config->listen.items[i].display);
        end_row(rows);
    }
    static const char *const modes[] = {"off", "allow", "require"};
    text(rows, "tls");
    text(rows, modes[pooler->tls]);
    end_row(rows);
    if (config->tls != NULL)
        config_row(rows, "tls_certificate_expires_s", net_tls_expires_s(config->tls));
    config_row(rows, "max_clients", pooler->max_clients);
    config_row(rows, "query_wait_timeout_ms", pooler->query_wait_timeout_ms);
    config_row(rows, "login_timeout_ms", pooler->login_timeout_ms);
    config_row(rows, "connect_timeout_ms", pooler->connect_timeout_ms);
    config_row(rows, "idle_timeout_ms", pooler->idle_timeout_ms);
    config_row(rows, "recycle_ms", pooler->recycle_ms);
    config_row(rows, "shutdown_timeout_ms", pooler->shutdown_timeout_ms);
    config_row(rows, "prepared_statements", pooler->prepared_statements);
    config_row(rows, "buffer_bytes", pooler->buffer_bytes);
}

/* A view of sums: what each pool adds, and the sums themselves. */
struct sums {
    int64_t groups, servers, waiting, cancels;
    int64_t buffers_taken, buffers_spare, statements, statement_bytes, parameters;
};

static void
add_sums(struct pool *pool, void *context)
{
    struct sums *sums = context;

    POOL_EACH(node, &pool->groups)
    {
        const struct pool_group *group = POOL_ENTRY(node, struct pool_group, node);
        sums->groups += group->share == NULL || group->share->first == pool->driver->worker;
        sums->servers += group->server_count;
        sums->waiting += group->waiting_count;
    }
    sums->cancels += pool->cancel_count;
    sums->buffers_taken += (int64_t)pool->buffers.taken;
    sums->buffers_spare += (int64_t)pool->buffers.count;
    sums->statements += (int64_t)pool->statements.count;
    sums->statement_bytes += (int64_t)pool->statements.bytes;
    sums->parameters += (int64_t)pool->parameters.count;
}

static void
show_lists(struct rows *rows)
{
    struct pool *pool = rows->pool;
    struct sums sums = {0};

    pool_visit_all(pool, add_sums, &sums);
    config_row(rows, "pools", sums.groups);
    config_row(rows, "users", (int64_t)pool->config->users.count);
    config_row(rows, "clients", atomic_load(&pool->driver->shared->client_count));
    config_row(rows, "waiting_clients", sums.waiting);
    config_row(rows, "servers", sums.servers);
    config_row(rows, "cancel_requests", sums.cancels);
    config_row(rows, "threads", pool->driver->worker_count);
}

static void
show_mem(struct rows *rows)
{
    struct sums sums = {0};

    pool_visit_all(rows->pool, add_sums, &sums);
    config_row(rows, "buffers_taken", sums.buffers_taken);
    config_row(rows, "buffers_spare", sums.buffers_spare);
    config_row(rows, "buffer_bytes", rows->pool->buffers.size_bytes);
    config_row(rows, "statements", sums.statements);
    config_row(rows, "statement_bytes", sums.statement_bytes);
    config_row(rows, "parameter_sets", sums.parameters);
}

static void
show_version(struct rows *rows)
{
    text(rows, "pgdeck pool " PGDECK_VERSION);
    end_row(rows);
}

static void show_help(struct rows *rows);

struct view {
    const char *name;
    bool is_of_each; /* pool: shown by its own thread, one after the other */
    void (*show)(struct rows *rows);
    const char *columns[COLUMNS_MAX];
};

static const struct view views[] = {
    {"POOLS",
     true,
     show_pools,
     {"database", "user", "cl_active", "cl_waiting", "cl_pinned", "sv_active", "sv_idle", "sv_used",
      "sv_login", "maxwait", "maxwait_us", "pool_mode", "last_error"}},
    {"CLIENTS",
     true,
     show_clients,
     {"user", "database", "state", "addr", "id", "server", "prepared_statements", "pinned_by",
      "application_name", "tls"}},
    {"SERVERS",
     true,
     show_servers,
     {"user", "database", "state", "addr", "id", "client", "remote_pid", "prepared_statements",
      "owed", "age_s", "tls"}},
    {"STATS",
     true,
     show_stats,
     {"database", "user", "total_xact_count", "total_query_count", "total_errors", "total_received",
      "total_sent", "total_xact_time", "total_wait_time", "max_wait_time"}},
    {"LATENCY",
     true,
     show_latency,
     {"environment", "service", "database", "user", "count", "query_p50_us", "query_p95_us",
      "query_p99_us", "query_max_us", "xact_p50_us", "xact_p95_us", "xact_p99_us", "xact_max_us",
      "wait_p50_us", "wait_p95_us", "wait_p99_us", "wait_max_us", "target_p95_us", "target"}},
    {"QUERIES",
     false,
     pool_queries_show,
     {"environment", "service", "database", "user", "fingerprint", "count", "query_p50_us",
      "query_p95_us", "query_p99_us", "query_max_us", "xact_p95_us", "wait_p95_us", "sent",
      "received", "errors", "target_p95_us", "target", "query"}},
    {"ERRORS", true, pool_errors_show, {"database", "user", "sqlstate", "count"}},
    {"DATABASES",
     true,
     show_databases,
     {"name", "host", "database", "user", "environment", "service", "min_pool_size", "pool_size",
      "pool_mode", "reset", "on_session_state", "current_connections", "paused", "disabled"}},
    {"USERS", false, show_users, {"name", "secret", "admin"}},
    {"CONFIG", false, show_config, {"key", "value"}},
    {"LISTS", false, show_lists, {"list", "items"}},
    {"MEM", false, show_mem, {"name", "value"}},
    {"VERSION", false, show_version, {"version"}},
    {"HELP", false, show_help, {"command", "right"}},
};
enum { VIEW_COUNT = sizeof(views) / sizeof(views[0]) };

struct showing {
    const struct view *view;
    struct rows rows;
};

/* The one who asks waits, so that the rows may be put into its link from here. */
static void
show_one(struct pool *pool, void *context)
{
    struct showing *showing = context;

    showing->rows.pool = pool;
    showing->view->show(&showing->rows);
}

static void
show(struct pool_client *client, const struct view *view)
{
    struct showing showing = {.view = view, .rows = {.client = client, .pool = client->pool}};
    struct rows *rows = &showing.rows;
    uint8_t bytes[ROW_BYTES];
    struct wire_writer writer = wire_writer(bytes, sizeof(bytes));

    while (rows->columns < COLUMNS_MAX && view->columns[rows->columns] != NULL)
        rows->columns++;
    wire_put_columns(&writer, view->columns, rows->columns);
    put(client, &writer);
    if (view->is_of_each) {
        pool_total_collect(client->pool);
        pool_visit_all(client->pool, show_one, &showing);
    } else {
        view->show(rows);
    }
}

/* --- commands ------------------------------------------------------------------------------ */

struct argument {
    struct pool_client *client;
    const char *name; /* of a database; "" : all */
    struct error *err;
};

struct deed {
    const char *name; /* as above */
    void (*act)(struct pool_group *group);
    int count;
};

static void
act_on_groups(struct pool *pool, void *context)
{
    struct deed *deed = context;

    POOL_EACH(node, &pool->groups)
    {
        struct pool_group *group = POOL_ENTRY(node, struct pool_group, node);
        if (deed->name[0] != '\0' && strcmp(group->route->database, deed->name) != 0)
            continue;
        deed->act(group);
        deed->count++;
    }
}

/* Each group of the database, or all. */
static bool
for_groups(const struct argument *argument, void (*act)(struct pool_group *group))
{
    struct deed deed = {.name = argument->name, .act = act};

    pool_visit_all(argument->client->pool, act_on_groups, &deed);
    return deed.count > 0 ||
           pool_fault(argument->err, "3D000", "there is no database \"%s\"", argument->name);
}

static void
pause_group(struct pool_group *group)
{
    group->is_paused = true;
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
    POOL_EACH(node, &group->servers)
    {
        struct pool_server *server = POOL_ENTRY(node, struct pool_server, node);
        if (server->state == POOL_SERVER_IDLE)
            pool_server_close(server, NULL);
    }
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

static bool
do_pause(const struct argument *argument)
{
    return for_groups(argument, pause_group);
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
    bool is_immediate = strcasecmp(argument->name, "immediate") == 0;

    pool_visit_all(argument->client->pool, stop, &is_immediate);
    return true;
}

enum right { RIGHT_ALL, RIGHT_ADMIN };

struct command {
    const char *name;
    enum right right;
    bool needs_name;
    bool (*run)(const struct argument *argument);
    const char *help;
};

static const struct command commands[] = {
    {"PAUSE", RIGHT_ADMIN, false, do_pause, "PAUSE [database]"},
    {"RESUME", RIGHT_ADMIN, false, do_resume, "RESUME [database]"},
    {"DISABLE", RIGHT_ADMIN, true, do_disable, "DISABLE database"},
    {"ENABLE", RIGHT_ADMIN, true, do_enable, "ENABLE database"},
    {"RECONNECT", RIGHT_ADMIN, false, do_reconnect, "RECONNECT [database]"},
    {"KILL", RIGHT_ADMIN, true, do_kill, "KILL database"},
    {"RELOAD", RIGHT_ADMIN, false, do_reload, "RELOAD"},
    {"SHUTDOWN", RIGHT_ADMIN, false, do_shutdown, "SHUTDOWN [IMMEDIATE]"},
};
enum { COMMAND_COUNT = sizeof(commands) / sizeof(commands[0]) };

static void
show_help(struct rows *rows)
{
    for (size_t i = 0; i < VIEW_COUNT; i++) {
        char line[64];
        snprintf(line, sizeof(line), "SHOW %s", views[i].name);
        text(rows, line);
        text(rows, "admin");
        end_row(rows);
    }
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        text(rows, commands[i].help);
        text(rows, commands[i].right == RIGHT_ADMIN ? "admin" : "all");
        end_row(rows);
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
run(struct pool_client *client, const char *sql, char tag[ARGUMENT_BYTES], struct error *err)
{
    char word[ARGUMENT_BYTES], name[ARGUMENT_BYTES] = "", more[ARGUMENT_BYTES];

    if (!next_word(&sql, word))
        return pool_fault(err, "42601", "empty command");
    next_word(&sql, name);
    if (next_word(&sql, more))
        return pool_fault(err, "42601", "one thing at a time: \"%s\" is too much", more);
    if (!client->is_admin)
        return pool_fault(err, "42501", "the console is for admins");
    for (size_t i = 0; strcasecmp(word, "SHOW") == 0 && i < VIEW_COUNT; i++) {
        if (strcasecmp(name, views[i].name) == 0) {
            show(client, &views[i]);
            snprintf(tag, ARGUMENT_BYTES, "SHOW");
            return true;
        }
    }
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcasecmp(word, commands[i].name) != 0)
            continue;
        snprintf(tag, ARGUMENT_BYTES, "%s", commands[i].name);
        if (commands[i].needs_name && name[0] == '\0')
            return pool_fault(err, "42601", "%s wants the name of a database", commands[i].name);
        return commands[i].run(&(struct argument){client, name, err});
    }
    pool_fault(err, "42601", "there is no command \"%s %s\"", word, name);
    return error_hint(err, "SHOW HELP lists them.");
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
    if (!pool_client_is_open(client))
        return false;
    if (is_fine) {
        uint8_t complete[ARGUMENT_BYTES + 16];
        struct wire_writer writer = wire_writer(complete, sizeof(complete));
        wire_put_complete(&writer, tag);
        put(client, &writer);
    } else {
        pool_client_put_error(client, "ERROR", &err);
    }
    pool_client_put_ready(client, 'I');
    pool_link_consume(&client->link, client->wanted);
    return true;
}
