// SPDX-License-Identifier: MIT
/* What the pool of a deck measures, read from its /metrics: the only true source of a p95. One
 * thread a deck. */
#include "watch/pools.h"
#include "watch/document.h"

#include "base/interrupt.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { POOL_BOUNDS = 21 }; /* the pool measures up to 5 min; what is longer is in the next bucket */
enum { READ_MS = 10000, ANSWER_MS = 3000, ANSWER_BYTES_MAX = 8 << 20, POOLS_MAX = 500 };
#define MS_S 1000.0

static const char default_listen[] = "127.0.0.1";
static const double recent = 0.8; /* what was counted weighs so much less at each reading */

enum value { CLIENTS, WAITING, SERVERS, IDLE, MAX, VALUES };
static const char *const value_names[VALUES] = {
    "pgdeck_pool_clients", "pgdeck_pool_clients_waiting", "pgdeck_pool_servers",
    "pgdeck_pool_servers_idle", "pgdeck_pool_servers_max"};
static const char bucket_name[] = "pgdeck_pool_query_seconds_bucket";

struct watch_pool { /* of one service, user and database */
    char environment[WATCH_POOL_LABEL], service[WATCH_POOL_LABEL], database[WATCH_POOL_LABEL],
        user[WATCH_POOL_LABEL];
    double values[VALUES];
    double below[WATCH_WIDTH_MAX], below_before[WATCH_WIDTH_MAX]; /* cumulative, as read */
    double recent[WATCH_WIDTH_MAX];
    bool was_read, was_known; /* in this reading; in the one before */
};

struct watch_pools { /* of one deck; kept */
    struct watch_pool *items;
    size_t count;
    bool is_reachable;
    char error[256];
    double at;
};

void *
watch_pools_new(void)
{
    struct watch_pools *pools = calloc(1, sizeof(*pools));

    if (pools == NULL)
        abort();
    return pools;
}

void
watch_pools_free(void *value)
{
    struct watch_pools *pools = value;

    free(pools->items);
    free(pools);
}

/* --- HTTP ----------------------------------------------------------------------------------- */

static bool
wait_socket(const struct watch_scraper *scraper, int descriptor, short events, long long deadline)
{
    struct pollfd waits[] = {{.fd = descriptor, .events = events},
                             {.fd = scraper->generation->stop, .events = POLLIN},
                             {.fd = interrupt_descriptor(), .events = POLLIN}};
    long long left = deadline - watch_now_ms();

    return left > 0 && poll(waits, 3, (int)left) > 0 && waits[0].revents != 0;
}

static int
open_socket(const struct watch_scraper *scraper, long long deadline, struct error *err)
{
    const struct deck_pooler *pooler = &scraper->deck->pooler;
    const char *host = pooler->metrics_listen == NULL ? default_listen : pooler->metrics_listen;
    struct addrinfo *address, hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    char port[16];
    int fault = 0;
    socklen_t length = sizeof(fault);

    snprintf(port, sizeof(port), "%d", pooler->metrics_port);
    int found = getaddrinfo(host, port, &hints, &address);
    if (found != 0) {
        error_set(err, ERROR_UNREACHABLE, "%s: %s", host, gai_strerror(found));
        return -1;
    }
    int descriptor = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int status = connect(descriptor, address->ai_addr, address->ai_addrlen);
    freeaddrinfo(address);
    if (status != 0 && errno == EINPROGRESS) {
        status = wait_socket(scraper, descriptor, POLLOUT, deadline) ? 0 : -1;
        errno = ETIMEDOUT;
        if (status == 0 && getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &fault, &length) == 0 &&
            fault != 0) {
            errno = fault;
            status = -1;
        }
    }
    if (status == 0)
        return descriptor;
    error_set(err, ERROR_UNREACHABLE, "the pool's metrics cannot be read: %s", strerror(errno));
    close(descriptor);
    return -1;
}

static bool
read_all(const struct watch_scraper *scraper, int descriptor, const char *path, struct text *answer,
         struct error *err)
{
    long long deadline = watch_now_ms() + ANSWER_MS;
    char buffer[16384];
    int length =
        snprintf(buffer, sizeof(buffer), "GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n", path);
    ssize_t got = write(descriptor, buffer, (size_t)length);

    while (got > 0 && answer->length < ANSWER_BYTES_MAX) {
        if (!wait_socket(scraper, descriptor, POLLIN, deadline))
            return error_set(err, ERROR_UNREACHABLE, "the pool's metrics do not come");
        got = read(descriptor, buffer, sizeof(buffer));
        if (got > 0)
            text_append_bytes(answer, buffer, (size_t)got);
    }
    if (strncmp(text_chars(answer), "HTTP/1", strlen("HTTP/1")) != 0 ||
        strstr(text_chars(answer), " 200 ") == NULL)
        return error_set(err, ERROR_UNREACHABLE, "the pool's metrics are not served there");
    return true;
}

static bool
fetch(const struct watch_scraper *scraper, const char *path, struct text *answer, struct error *err)
{
    int descriptor = open_socket(scraper, watch_now_ms() + ANSWER_MS, err);

    if (descriptor < 0)
        return false;
    bool is_read = read_all(scraper, descriptor, path, answer, err);
    close(descriptor);
    return is_read;
}

/* --- the text format ------------------------------------------------------------------------ */

void
watch_pool_label(const char *labels, const char *name, char value[WATCH_POOL_LABEL])
{
    size_t at = 0, length = strlen(name);
    const char *from = labels;

    while ((from = strstr(from, name)) != NULL &&
           !((from == labels || from[-1] == ',') && from[length] == '=' && from[length + 1] == '"'))
        from += length;
    for (from = from == NULL ? "" : from + length + 2;
         *from != '\0' && *from != '"' && at < WATCH_POOL_LABEL - 1; from++) {
        if (*from == '\\' && from[1] != '\0')
            from++;
        value[at++] = *from;
    }
    value[at] = '\0';
}

static struct watch_pool *
find_pool(struct watch_pools *pools, const char *labels)
{
    struct watch_pool one = {0};

    watch_pool_label(labels, "environment", one.environment);
    watch_pool_label(labels, "service", one.service);
    watch_pool_label(labels, "database", one.database);
    watch_pool_label(labels, "user", one.user);
    for (size_t i = 0; i < pools->count; i++) {
        struct watch_pool *pool = &pools->items[i];
        if (strcmp(pool->user, one.user) == 0 && strcmp(pool->database, one.database) == 0 &&
            strcmp(pool->service, one.service) == 0 &&
            strcmp(pool->environment, one.environment) == 0)
            return pool;
    }
    if (pools->count == POOLS_MAX)
        return NULL;
    struct watch_pool *items = realloc(pools->items, (pools->count + 1) * sizeof(*items));
    if (items == NULL)
        abort();
    pools->items = items;
    items[pools->count] = one;
    return &items[pools->count++];
}

static size_t
bound_of(const char *labels)
{
    char bound[WATCH_POOL_LABEL];

    watch_pool_label(labels, "le", bound);
    double ms = strtod(bound, NULL) * MS_S;
    for (size_t i = 0; i < POOL_BOUNDS; i++) {
        if (fabs(ms - watch_bounds_ms[i]) <= watch_bounds_ms[i] / 100)
            return i;
    }
    return POOL_BOUNDS; /* +Inf */
}

static void
read_line(struct watch_pools *pools, char *line)
{
    char *labels = strchr(line, '{'), *end = labels == NULL ? NULL : strrchr(labels, '}');

    if (end == NULL || *line == '#')
        return;
    *labels++ = '\0';
    *end = '\0';
    double value = strtod(end + 1, NULL);
    bool is_bucket = strcmp(line, bucket_name) == 0;
    size_t kind = 0;
    while (kind < VALUES && strcmp(line, value_names[kind]) != 0)
        kind++;
    struct watch_pool *pool = is_bucket || kind < VALUES ? find_pool(pools, labels) : NULL;
    if (pool == NULL)
        return;
    pool->was_read = true;
    if (is_bucket)
        pool->below[bound_of(labels)] = value;
    else
        pool->values[kind] = value;
}

/* The buckets of the pool are cumulative and may leave some of ours out; where the pool started
 * anew they count from zero. */
static void
count_pool(struct watch_scraper *scraper, struct watch_pool *pool, double now)
{
    double counts[WATCH_WIDTH_MAX] = {0}, below = 0;
    bool is_anew = pool->below[POOL_BOUNDS] < pool->below_before[POOL_BOUNDS];
    const struct deck *deck = scraper->deck;

    for (size_t i = 0; i <= POOL_BOUNDS; i++) {
        double delta = pool->below[i] - (is_anew ? 0 : pool->below_before[i]);
        if (delta > below) {
            counts[i] = delta - below;
            below = delta;
        }
        pool->recent[i] = pool->recent[i] * recent + counts[i];
        pool->below_before[i] = pool->below[i];
        pool->below[i] = 0;
    }
    for (size_t i = 0; i < deck->environments.count && below > 0; i++) {
        if (strcmp(deck->environments.items[i].name, pool->environment) == 0 && pool->was_known)
            watch_target_add(scraper->watch, deck, &deck->environments.items[i], WATCH_QUERY_P95,
                             now, counts);
    }
    pool->was_known = true;
}

static void
read_answer(struct watch_scraper *scraper, struct text *answer, double now)
{
    struct watch_pools *pools = scraper->pools;
    char *rest = NULL;

    for (char *line = strtok_r(answer->chars, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest))
        read_line(pools, line);
    for (size_t i = 0; i < pools->count;) {
        if (!pools->items[i].was_read) { /* it is served no more */
            pools->items[i] = pools->items[--pools->count];
            continue;
        }
        pools->items[i].was_read = false;
        count_pool(scraper, &pools->items[i++], now);
    }
}

void *
watch_scrape(void *argument)
{
    struct watch_scraper *scraper = argument;
    struct pollfd waits[] = {{.fd = scraper->generation->stop, .events = POLLIN},
                             {.fd = interrupt_descriptor(), .events = POLLIN}};

    int statements_ms = scraper->deck->watch.statements_ms;
    int pause_ms = statements_ms < READ_MS ? statements_ms : READ_MS;
    long long queries_due = 0;

    do {
        AUTO_TEXT answer = {0};
        AUTO_TEXT queries = {0};
        struct error err = {0}, ignored = {0}; /* a pool from before knows no queries */
        bool is_read = fetch(scraper, "/metrics", &answer, &err);
        bool has_queries = is_read && watch_now_ms() >= queries_due &&
                           fetch(scraper, "/queries", &queries, &ignored);
        if (has_queries)
            queries_due = watch_now_ms() + statements_ms - pause_ms / 2;
        pthread_mutex_lock(&scraper->watch->lock);
        scraper->pools->at = watch_now();
        scraper->pools->is_reachable = is_read;
        snprintf(scraper->pools->error, sizeof(scraper->pools->error), "%.250s",
                 is_read ? "" : err.message);
        if (is_read)
            read_answer(scraper, &answer, scraper->pools->at);
        if (has_queries)
            watch_pool_queries_read(scraper, &queries, scraper->pools->at);
        pthread_mutex_unlock(&scraper->watch->lock);
    } while (poll(waits, 2, pause_ms) == 0);
    return NULL;
}

/* --- the document --------------------------------------------------------------------------- */

static json_t *
pool_of(const struct watch_pool *pool)
{
    json_t *one = json_pack("{s:o, s:o, s:o, s:o}", "environment", watch_json(pool->environment),
                            "service", watch_json(pool->service), "database",
                            watch_json(pool->database), "user", watch_json(pool->user));
    static const char *const names[VALUES] = {"clients", "waiting", "servers", "idle", "max"};

    for (size_t i = 0; i < VALUES; i++)
        json_object_set_new(one, names[i], json_real(pool->values[i]));
    json_object_set_new(one, "p95_ms", watch_number(watch_percentile(pool->recent, 0.95)));
    return one;
}

json_t *
watch_pools_document(struct watch *watch, double now)
{
    const struct watch_generation *generation = watch->generation;
    json_t *list = json_array();

    for (size_t i = 0; i < generation->scrapers.count; i++) {
        const struct watch_scraper *scraper = &generation->scrapers.items[i];
        const struct watch_pools *pools = scraper->pools;
        json_t *rows = json_array();
        for (size_t j = 0; j < pools->count && pools->is_reachable; j++)
            json_array_append_new(rows, pool_of(&pools->items[j]));
        json_array_append_new(
            list, json_pack("{s:o, s:f, s:o, s:o}", "deck", watch_json(scraper->deck->name), "at",
                            pools->at, "error",
                            pools->error[0] == '\0' ? json_null() : watch_json(pools->error),
                            "pools", rows));
    }
    return json_pack("{s:f, s:o}", "at", now, "sources", list);
}
