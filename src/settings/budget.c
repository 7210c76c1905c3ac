// SPDX-License-Identifier: MIT
#include "settings/budget.h"

#include "base/text.h"
#include "settings/derive.h"
#include "settings/value.h"

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

/* One term of the sum: count x bytes. */
static void
add_term(struct settings_memory *memory, struct arena *arena, struct text *text, const char *what,
         int64_t count, int64_t bytes)
{
    if (count == 0 || bytes == 0)
        return;
    memory->expected_bytes += count * bytes;
    text_append(text, text->length > 0 ? " + " : "");
    if (count == 1)
        text_appendf(text, "%s %s", what, setting_size(arena, bytes));
    else
        text_appendf(text, "%lld %s x %s", (long long)count, what, setting_size(arena, bytes));
}

bool
settings_expected_memory(const struct settings_input *input, struct settings_memory *ret_memory)
{
    struct settings_memory memory = {0};
    struct arena *arena = input->arena;
    int64_t largest_work_mem = 0;
    AUTO_TEXT text = {0};

    if (input->memory_bytes == 0)
        return false;
    add_term(&memory, arena, &text, "shared_buffers", 1, settings_shared_buffers(input));
    for (size_t i = 0; i < input->environments.count; i++) {
        const struct settings_environment *environment = &input->environments.items[i];
        int64_t work_mem = settings_work_mem(environment);
        add_term(&memory, arena, &text,
                 arena_printf(arena, "connections of %s", environment->deck->name),
                 environment->active_connections, work_mem);
        largest_work_mem = work_mem > largest_work_mem ? work_mem : largest_work_mem;
    }
    add_term(&memory, arena, &text, "autovacuum workers", settings_autovacuum_workers(input),
             settings_autovacuum_work_mem(input));
    add_term(&memory, arena, &text, "parallel workers", settings_parallel_workers(input),
             largest_work_mem);
    memory.arithmetic = arena_strdup(arena, text_chars(&text));
    *ret_memory = memory;
    return true;
}
