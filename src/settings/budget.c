// SPDX-License-Identifier: MIT
#include "settings/budget.h"

#include "base/text.h"
#include "settings/derive.h"
#include "settings/value.h"
#include "settings/wanted.h"

bool
settings_check_connections(const struct settings_input *input, int max_connections,
                           struct error *err)
{
    int sum = 0;
    const struct deck_environment *last = NULL;

    for (size_t i = 0; i < input->environments.count; i++) {
        const struct settings_environment *environment = &input->environments.items[i];
        const struct deck_environment *deck = environment->deck;
        if (deck->pools.count == 0)
            continue;
        int pools = environment->active_connections;
        if (deck->max_connections > 0 && pools > deck->max_connections) {
            error_set(err, ERROR_DECK, "the pools of environment \"%s\" do not fit into it",
                      deck->name);
            error_detail(err, "They may open %d connections; its max_connections is %d.", pools,
                         deck->max_connections);
            return error_place(err, deck->pools.items[0].place);
        }
        sum += pools;
        last = deck;
    }
    int rest = input->reserved_connections + input->own_connections;
    if (last == NULL || max_connections == 0 || sum + rest <= max_connections)
        return true;
    error_set(err, ERROR_DECK, "the pools do not fit into server \"%s\"", input->deck->name);
    error_detail(err,
                 "They may open %d connections, %d are reserved and pgdeck itself needs %d: "
                 "together %d, more than its max_connections of %d.",
                 sum, input->reserved_connections, input->own_connections, sum + rest,
                 max_connections);
    error_hint(err, "Make the pools smaller, or raise max_connections.");
    return error_place(err, last->pools.items[0].place);
}

/* A sum that shows its terms. */
struct sum {
    struct arena *arena;
    struct text terms;
    int64_t bytes;
};

/* how: how bytes come about; NULL: they speak for themselves. */
static void
add_term(struct sum *sum, const char *what, int64_t count, int64_t bytes, const char *how)
{
    if (count == 0 || bytes == 0)
        return;
    sum->bytes += count * bytes;
    text_append(&sum->terms, sum->terms.length > 0 ? " + " : "");
    const char *each = how != NULL ? how : setting_size(sum->arena, bytes);
    if (count == 1)
        text_appendf(&sum->terms, "%s %s", what, each);
    else
        text_appendf(&sum->terms, "%lld %s x %s", (long long)count, what, each);
}

static const char *
sum_end(struct sum *sum)
{
    const char *terms = arena_strdup(sum->arena, text_chars(&sum->terms));

    text_release(&sum->terms);
    return terms;
}

static void
add_shared(struct sum *sum, const struct settings_input *input)
{
    add_term(sum, "shared_buffers", 1, settings_shared_buffers(input), NULL);
    add_term(sum, "wal_buffers", 1, settings_wal_buffers(input), NULL);
}

static int64_t
largest_work_mem(const struct settings_input *input)
{
    int64_t largest = 0;

    for (size_t i = 0; i < input->environments.count; i++) {
        int64_t work_mem = settings_work_mem(input, &input->environments.items[i]);
        largest = work_mem > largest ? work_mem : largest;
    }
    return largest;
}

static void
sum_expected(struct sum *sum, const struct settings_input *input)
{
    add_shared(sum, input);
    for (size_t i = 0; i < input->environments.count; i++) {
        const struct settings_environment *environment = &input->environments.items[i];
        add_term(sum, arena_printf(sum->arena, "connections of %s", environment->deck->name),
                 environment->active_connections, settings_work_mem(input, environment), NULL);
    }
    add_term(sum, "autovacuum workers", settings_autovacuum_workers(input),
             settings_autovacuum_work_mem(input), NULL);
    add_term(sum, "parallel workers", settings_parallel_workers(input), largest_work_mem(input),
             NULL);
}

enum { WORST_NODES = 4 };     /* sorts and hashes that one query has in hand at once */
enum { HASH_MULTIPLIER = 2 }; /* the rules' hash_mem_multiplier */

/* What the deck says for all, else the server; 0: unknown. */
static int64_t
server_bytes(const struct settings_input *input, const char *name)
{
    int64_t wanted;
    if (settings_wanted_bytes(input, NULL, name, &wanted))
        return wanted;
    const struct catalog_setting *setting = catalog_find_setting(input->catalog, name);
    int64_t bytes;

    return setting != NULL && setting_bytes(setting, setting_server_value(setting), &bytes) ? bytes
                                                                                            : 0;
}

static double
hash_multiplier(const struct settings_input *input, const struct settings_environment *environment)
{
    const struct deck_setting *wanted = settings_wanted(input, environment, "hash_mem_multiplier");
    double multiplier;

    return wanted != NULL && setting_number(wanted->value, "", &multiplier) ? multiplier
                                                                            : HASH_MULTIPLIER;
}

static void
sum_worst(struct sum *sum, const struct settings_input *input)
{
    const int64_t nodes = (int64_t)WORST_NODES * HASH_MULTIPLIER;
    int64_t temporary_of_server = server_bytes(input, "temp_buffers");
    int64_t other = server_bytes(input, "work_mem");
    int64_t largest = largest_work_mem(input);

    add_shared(sum, input);
    for (size_t i = 0; i < input->environments.count; i++) {
        const struct settings_environment *environment = &input->environments.items[i];
        int64_t work_mem = settings_work_mem(input, environment);
        int64_t temporary = temporary_of_server;
        double multiplier = hash_multiplier(input, environment);
        (void)settings_wanted_bytes(input, environment, "temp_buffers", &temporary);
        add_term(sum, arena_printf(sum->arena, "connections of %s", environment->deck->name),
                 environment->connections,
                 (int64_t)((double)(WORST_NODES * work_mem) * multiplier) + temporary,
                 arena_printf(sum->arena, "(%d sorts or hashes x %s x %g + %s)", WORST_NODES,
                              setting_size(sum->arena, work_mem), multiplier,
                              setting_size(sum->arena, temporary)));
    }
    add_term(sum, "other connections", input->reserved_connections + input->own_connections,
             nodes * other + temporary_of_server, NULL);
    add_term(sum, "autovacuum workers", settings_autovacuum_workers(input),
             settings_autovacuum_work_mem(input), NULL);
    add_term(sum, "parallel workers", settings_parallel_workers(input), nodes * largest, NULL);
}

bool
settings_memory_read(const struct settings_input *input, struct settings_memory *ret_memory)
{
    struct sum expected = {.arena = input->arena}, worst = {.arena = input->arena};

    if (input->memory_bytes == 0)
        return false;
    sum_expected(&expected, input);
    sum_worst(&worst, input);
    *ret_memory = (struct settings_memory){
        .expected_bytes = expected.bytes,
        .expected_terms = sum_end(&expected),
        .worst_bytes = worst.bytes,
        .worst_terms = sum_end(&worst),
    };
    return true;
}

/* Whether the deck itself sets one of the figures that make up the sums. */
static bool
has_wanted_memory(const struct settings_input *input)
{
    static const char *const names[] = {"shared_buffers",       "wal_buffers",
                                        "autovacuum_work_mem",  "work_mem",
                                        "max_parallel_workers", "autovacuum_max_workers"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (settings_wanted(input, NULL, names[i]) != NULL)
            return true;
        for (size_t j = 0; j < input->environments.count; j++) {
            if (settings_wanted(input, &input->environments.items[j], names[i]) != NULL)
                return true;
        }
    }
    return false;
}

bool
settings_check_memory(const struct settings_input *input, struct error *err)
{
    const struct settings_environment *sole = settings_sole(input);
    struct settings_memory memory;

    if (!settings_memory_read(input, &memory) || memory.expected_bytes <= input->memory_bytes ||
        (sole != NULL && settings_is_preset(input, sole)) || has_wanted_memory(input))
        return true;
    error_set(err, ERROR_DECK, "expected memory does not fit into server \"%s\"",
              input->deck->name);
    error_detail(err, "Expected is %s, more than %s (%s): %s.",
                 setting_rounded_size(input->arena, memory.expected_bytes),
                 setting_size(input->arena, input->memory_bytes), input->memory_from,
                 memory.expected_terms);
    error_hint(err, "Give it more memory, or let fewer connections work at once (pools, targets).");
    return error_place(err, input->deck->place);
}
