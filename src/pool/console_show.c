// SPDX-License-Identifier: MIT
/* What the console shows: a table of views, each with its columns and who fills them. */
#include "pool/console.h"
#include "pool/total.h"

#include "deck/keys.h"

#include <stdio.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>

enum { COLUMNS_MAX = 20, CELL_BYTES = 128, ROW_BYTES = 1 << 14 };

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

/* --- views --------------------------------------------------------------------------------- */

static const char *
mode_name(const struct pool_group *group)
{
    return deck_pool_mode_words[group->route->mode];
}

typedef void
show_row(struct rows *rows, const struct pool_group *group, const struct pool_total *total);

/* A row for each pool. */
static void
show_each(struct rows *rows, show_row *show)
{
    POOL_EACH(node, &rows->pool->groups)
    {
        struct pool_group *group = POOL_ENTRY(node, struct pool_group, node);
        struct pool_total total;
        if (!pool_total_of(group, &total))
            continue;
        show(rows, group, &total);
        end_row(rows);
    }
}

static void
put_names(struct rows *rows, const struct pool_group *group)
{
    text(rows, group->route->database);
    text(rows, group->route->user);
}

static void
pool_row(struct rows *rows, const struct pool_group *group, const struct pool_total *total)
{
    put_names(rows, group);
    number(rows, (uint64_t)total->client_active);
    number(rows, (uint64_t)total->waiting);
    number(rows, (uint64_t)total->client_pinned);
    number(rows, (uint64_t)total->server_active);
    number(rows, (uint64_t)total->server_idle);
    number(rows, (uint64_t)total->server_used);
    number(rows, (uint64_t)total->server_login);
    number(rows, total->wait_us / 1000000);
    number(rows, total->wait_us % 1000000);
    text(rows, mode_name(group));
    text(rows, total->last_error);
}

static void
show_pools(struct rows *rows)
{
    show_each(rows, pool_row);
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
            number(rows, server->is_outdated || group->is_removed);
            end_row(rows);
        }
    }
}

static void
totals(struct rows *rows, const struct pool_total *total)
{
    const struct pool_statistics *all = &total->statistics;

    number(rows, all->transactions);
    number(rows, all->queries);
    number(rows, all->received_bytes + total->live_received_bytes);
    number(rows, all->sent_bytes + total->live_sent_bytes);
    number(rows, all->transaction_us);
    number(rows, all->query_us);
    number(rows, all->wait_us);
}

static uint64_t
per(uint64_t sum, uint64_t count)
{
    return count == 0 ? 0 : sum / count;
}

/* Counts, bytes and waiting by the second, times of one. */
static void
averages(struct rows *rows, const struct pool_total *total)
{
    const struct pool_statistics *minute = &total->minute;
    uint64_t seconds = total->minute_us / 1000000;

    number(rows, per(minute->transactions, seconds));
    number(rows, per(minute->queries, seconds));
    number(rows, per(minute->received_bytes, seconds));
    number(rows, per(minute->sent_bytes, seconds));
    number(rows, per(minute->transaction_us, minute->transactions));
    number(rows, per(minute->query_us, minute->queries));
    number(rows, per(minute->wait_us, seconds));
}

static void
stats_row(struct rows *rows, const struct pool_group *group, const struct pool_total *total)
{
    put_names(rows, group);
    totals(rows, total);
    averages(rows, total);
    number(rows, total->statistics.errors);
    number(rows, total->statistics.wait_max_us);
}

static void
show_stats(struct rows *rows)
{
    show_each(rows, stats_row);
}

static void
totals_row(struct rows *rows, const struct pool_group *group, const struct pool_total *total)
{
    put_names(rows, group);
    totals(rows, total);
}

static void
show_stats_totals(struct rows *rows)
{
    show_each(rows, totals_row);
}

static void
averages_row(struct rows *rows, const struct pool_group *group, const struct pool_total *total)
{
    put_names(rows, group);
    averages(rows, total);
}

static void
show_stats_averages(struct rows *rows)
{
    show_each(rows, averages_row);
}

static void
times(struct rows *rows, const struct histogram *histogram)
{
    const double shares[] = {0.5, 0.95, 0.99, 1};

    for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++)
        number(rows, histogram_percentile(histogram, shares[i]) / POOL_US_NS);
}

static void
latency_row(struct rows *rows, const struct pool_group *group, const struct pool_total *total)
{
    const struct pool_measures *measures = total->measures;
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
}

static void
show_latency(struct rows *rows)
{
    show_each(rows, latency_row);
}

static void
database_row(struct rows *rows, const struct pool_group *group, const struct pool_total *total)
{
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
    number(rows, (uint64_t)total->servers);
    number(rows, group->is_paused);
    number(rows, group->is_disabled);
}

static void
show_databases(struct rows *rows)
{
    show_each(rows, database_row);
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
        text(rows, user->is_stats ? "yes" : "no");
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

static void
count_paused(struct pool *pool, void *context)
{
    bool *is_paused = context;

    POOL_EACH(node, &pool->groups)
    {
        *is_paused &= POOL_ENTRY(node, struct pool_group, node)->is_paused;
    }
}

static void
show_state(struct rows *rows)
{
    bool is_paused = rows->pool->config->routes.count > 0;

    pool_visit_all(rows->pool, count_paused, &is_paused);
    text(rows, "active");
    text(rows, is_paused ? "no" : "yes");
    end_row(rows);
    text(rows, "paused");
    text(rows, is_paused ? "yes" : "no");
    end_row(rows);
}

struct view {
    const char *name;
    const char *types; /* of the columns: s text, q number */
    bool is_of_each;   /* pool: shown by its own thread, one after the other */
    void (*show)(struct rows *rows);
    const char *columns[COLUMNS_MAX];
};

static const struct view views[] = {
    {"POOLS",
     "ssqqqqqqqqqss",
     true,
     show_pools,
     {"database", "user", "cl_active", "cl_waiting", "cl_pinned", "sv_active", "sv_idle", "sv_used",
      "sv_login", "maxwait", "maxwait_us", "pool_mode", "last_error"}},
    {"CLIENTS",
     "ssssqqqsss",
     true,
     show_clients,
     {"user", "database", "state", "addr", "id", "server", "prepared_statements", "pinned_by",
      "application_name", "tls"}},
    {"SERVERS",
     "ssssqqqqqqsq",
     true,
     show_servers,
     {"user", "database", "state", "addr", "id", "client", "remote_pid", "prepared_statements",
      "owed", "age_s", "tls", "close_needed"}},
    {"STATS",
     "ssqqqqqqqqqqqqqqqq",
     true,
     show_stats,
     {"database", "user", "total_xact_count", "total_query_count", "total_received", "total_sent",
      "total_xact_time", "total_query_time", "total_wait_time", "avg_xact_count", "avg_query_count",
      "avg_recv", "avg_sent", "avg_xact_time", "avg_query_time", "avg_wait_time", "total_errors",
      "max_wait_time"}},
    {"STATS_TOTALS",
     "ssqqqqqqq",
     true,
     show_stats_totals,
     {"database", "user", "xact_count", "query_count", "bytes_received", "bytes_sent", "xact_time",
      "query_time", "wait_time"}},
    {"STATS_AVERAGES",
     "ssqqqqqqq",
     true,
     show_stats_averages,
     {"database", "user", "xact_count", "query_count", "bytes_received", "bytes_sent", "xact_time",
      "query_time", "wait_time"}},
    {"STATE", "ss", false, show_state, {"key", "value"}},
    {"LATENCY",
     "ssssqqqqqqqqqqqqqqs",
     true,
     show_latency,
     {"environment", "service", "database", "user", "count", "query_p50_us", "query_p95_us",
      "query_p99_us", "query_max_us", "xact_p50_us", "xact_p95_us", "xact_p99_us", "xact_max_us",
      "wait_p50_us", "wait_p95_us", "wait_p99_us", "wait_max_us", "target_p95_us", "target"}},
    {"QUERIES",
     "sssssqqqqqqqqqsqss",
     false,
     pool_queries_show,
     {"environment", "service", "database", "user", "fingerprint", "count", "query_p50_us",
      "query_p95_us", "query_p99_us", "query_max_us", "xact_p95_us", "wait_p95_us", "sent",
      "received", "errors", "target_p95_us", "target", "query"}},
    {"ERRORS", "sssq", true, pool_errors_show, {"database", "user", "sqlstate", "count"}},
    {"DATABASES",
     "ssssssqqsssqqq",
     true,
     show_databases,
     {"name", "host", "database", "user", "environment", "service", "min_pool_size", "pool_size",
      "pool_mode", "reset", "on_session_state", "current_connections", "paused", "disabled"}},
    {"USERS", "ssss", false, show_users, {"name", "secret", "admin", "stats"}},
    {"CONFIG", "ss", false, show_config, {"key", "value"}},
    {"LISTS", "sq", false, show_lists, {"list", "items"}},
    {"MEM", "sq", false, show_mem, {"name", "value"}},
    {"VERSION", "s", false, show_version, {"version"}},
    {"HELP", "ss", false, pool_help_show, {"command", "right"}},
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

const char *
pool_view_name(size_t number)
{
    return number < VIEW_COUNT ? views[number].name : NULL;
}

void
pool_view_show(struct pool_client *client, size_t number)
{
    const struct view *view = &views[number];
    struct showing showing = {.view = view, .rows = {.client = client, .pool = client->pool}};
    struct rows *rows = &showing.rows;
    uint8_t bytes[ROW_BYTES];
    struct wire_writer writer = wire_writer(bytes, sizeof(bytes));

    while (rows->columns < COLUMNS_MAX && view->columns[rows->columns] != NULL)
        rows->columns++;
    wire_put_columns(&writer, view->columns, view->types, rows->columns);
    put(client, &writer);
    if (view->is_of_each) {
        pool_total_collect(client->pool);
        pool_visit_all(client->pool, show_one, &showing);
    } else {
        view->show(rows);
    }
}
