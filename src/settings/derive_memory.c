// SPDX-License-Identifier: MIT
/* Starting figures that the ecosystem agrees on (pgtune, PostgreSQL's documentation), and the
 * classic ones of three kinds of environments on servers of their own. */
#include "settings/derive.h"

#include "settings/measured.h"
#include "settings/value.h"
#include "settings/wanted.h"

#define KILOBYTE (INT64_C(1) << 10)
#define MEGABYTE (INT64_C(1) << 20)
#define GIGABYTE (INT64_C(1) << 30)
#define LEAST_BUFFERS (16 * MEGABYTE)
#define MOST_WAL_BUFFERS (32 * MEGABYTE)
#define LEAST_AUTOVACUUM_WORK_MEM (8 * MEGABYTE)

enum { AUTOVACUUM_PART = 32 };

/* What kind of an environment: its logging says it. */
struct class
{
    const char *name;
    int buffers_percent, cache_percent; /* with a server of its own */
    int work_mem_percent;               /* of memory / connections */
    int64_t preset_memory_bytes;        /* of which the figures are well known */
    int preset_connections;
};

static const struct class classes[] = {
    [LOGGING_VERBOSE] = {"development", 25, 75, 80, GIGABYTE, 50},
    [LOGGING_BALANCED] = {"staging", 25, 75, 90, 2 * GIGABYTE, 75},
    [LOGGING_MINIMAL] = {"production", 30, 80, 120, 4 * GIGABYTE, 150},
};

const char *
settings_class_name(const struct deck_environment *environment)
{
    return classes[environment->logging].name;
}

static int64_t
at_least(int64_t value, int64_t least)
{
    return value < least ? least : value;
}

static int64_t
at_most(int64_t value, int64_t most)
{
    return value > most ? most : value;
}

static int64_t
rounded_down(int64_t value, int64_t step)
{
    return value - value % step;
}

static bool
all_are(const struct settings_input *input, enum deck_workload workload)
{
    for (size_t i = 0; i < input->environments.count; i++) {
        if (input->environments.items[i].deck->workload != workload)
            return false;
    }
    return input->environments.count > 0;
}

/* "of 8GB (the server's memory)", or with all environments named. */
static const char *
of_memory(const struct settings_input *input)
{
    const struct settings_environment *sole = settings_sole(input);

    return arena_printf(input->arena, "of %s (%s) %s",
                        setting_size(input->arena, input->memory_bytes), input->memory_from,
                        sole != NULL ? arena_printf(input->arena, "for %s alone", sole->deck->name)
                                     : "for all environments of the server");
}

/* A share of the server's memory; production alone gets its shares in steps of 100 MB. */
static int64_t
memory_share(const struct settings_input *input, int percent)
{
    int64_t bytes = input->memory_bytes * percent / 100;
    bool is_production = percent == classes[LOGGING_MINIMAL].buffers_percent ||
                         percent == classes[LOGGING_MINIMAL].cache_percent;
    int64_t step = is_production && bytes >= 100 * MEGABYTE ? 100 * MEGABYTE : MEGABYTE;

    return rounded_down(bytes, step);
}

static int
buffers_percent(const struct settings_input *input)
{
    const struct settings_environment *sole = settings_sole(input);

    if (all_are(input, WORKLOAD_DESKTOP))
        return 6;
    return sole != NULL ? classes[sole->deck->logging].buffers_percent : 25;
}

int64_t
settings_shared_buffers(const struct settings_input *input)
{
    int64_t wanted;

    if (settings_wanted_bytes(input, NULL, "shared_buffers", &wanted))
        return wanted;
    return input->memory_bytes == 0
               ? 0
               : at_least(memory_share(input, buffers_percent(input)), LEAST_BUFFERS);
}

/* What the rule says, whatever the deck does. */
static int64_t
derived_shared_buffers(const struct settings_input *input)
{
    return at_least(memory_share(input, buffers_percent(input)), LEAST_BUFFERS);
}

bool
derive_max_connections(const struct settings_case *of, struct settings_proposal *proposal)
{
    int connections = settings_connections(of->input);

    if (connections == 0)
        return false;
    int reserved = of->input->reserved_connections, own = of->input->own_connections;
    proposal->value = arena_printf(of->input->arena, "%d", connections);
    proposal->why =
        arena_printf(of->input->arena, "%d for the environments, %d reserved, %d for pgdeck itself",
                     connections - reserved - own, reserved, own);
    return true;
}

bool
derive_shared_buffers(const struct settings_case *of, struct settings_proposal *proposal)
{
    if (of->input->memory_bytes == 0)
        return false;
    proposal->value = setting_size(of->input->arena, derived_shared_buffers(of->input));
    proposal->why = arena_printf(of->input->arena, "%d %% %s", buffers_percent(of->input),
                                 of_memory(of->input));
    return true;
}

bool
derive_effective_cache_size(const struct settings_case *of, struct settings_proposal *proposal)
{
    const struct settings_environment *sole = settings_sole(of->input);
    int percent = sole != NULL ? classes[sole->deck->logging].cache_percent : 75;

    if (of->input->memory_bytes == 0)
        return false;
    if (all_are(of->input, WORKLOAD_DESKTOP))
        percent = 25;
    proposal->value = setting_size(of->input->arena, memory_share(of->input, percent));
    proposal->why = arena_printf(of->input->arena, "%d %% %s", percent, of_memory(of->input));
    return true;
}

/* Up to 16, VACUUM used no more than 1 GB. */
bool
derive_maintenance_work_mem(const struct settings_case *of, struct settings_proposal *proposal)
{
    int part = settings_sole(of->input) != NULL ? 8 : 16;
    int64_t most = of->input->catalog->major >= 17 ? 2 * GIGABYTE : GIGABYTE;

    if (of->input->memory_bytes == 0)
        return false;
    int64_t bytes = at_most(rounded_down(of->input->memory_bytes / part, MEGABYTE), most);
    proposal->value = setting_size(of->input->arena, at_least(bytes, 16 * MEGABYTE));
    proposal->why = arena_printf(of->input->arena, "1/%d %s, at most %s", part,
                                 of_memory(of->input), setting_size(of->input->arena, most));
    return true;
}

/* What the rule says, whatever the deck does; 0: memory unknown. */
static int64_t
derived_autovacuum_work_mem(const struct settings_input *input)
{
    if (input->memory_bytes == 0)
        return 0;
    return at_least(
        at_most(rounded_down(input->memory_bytes / AUTOVACUUM_PART, MEGABYTE), GIGABYTE),
        LEAST_AUTOVACUUM_WORK_MEM);
}

int64_t
settings_autovacuum_work_mem(const struct settings_input *input)
{
    int64_t wanted;

    if (settings_wanted_bytes(input, NULL, "autovacuum_work_mem", &wanted))
        return wanted;
    return derived_autovacuum_work_mem(input);
}

bool
derive_autovacuum_work_mem(const struct settings_case *of, struct settings_proposal *proposal)
{
    if (of->input->memory_bytes == 0)
        return false;
    proposal->value = setting_size(of->input->arena, derived_autovacuum_work_mem(of->input));
    proposal->why = arena_printf(of->input->arena, "1/32 %s for each of %d workers",
                                 of_memory(of->input), settings_autovacuum_workers(of->input));
    return true;
}

static int64_t
derived_wal_buffers(const struct settings_input *input)
{
    int64_t buffers = settings_shared_buffers(input);

    if (buffers == 0)
        return 0;
    if (buffers >= GIGABYTE)
        return MOST_WAL_BUFFERS;
    return at_least(at_most(rounded_down(buffers / 32, MEGABYTE), 16 * MEGABYTE), MEGABYTE);
}

int64_t
settings_wal_buffers(const struct settings_input *input)
{
    int64_t wanted;

    return settings_wanted_bytes(input, NULL, "wal_buffers", &wanted) ? wanted
                                                                      : derived_wal_buffers(input);
}

bool
derive_wal_buffers(const struct settings_case *of, struct settings_proposal *proposal)
{
    int64_t buffers = settings_shared_buffers(of->input);

    if (buffers == 0)
        return false;
    proposal->value = setting_size(of->input->arena, derived_wal_buffers(of->input));
    proposal->why = arena_printf(of->input->arena, "for shared_buffers of %s",
                                 setting_size(of->input->arena, buffers));
    return true;
}

bool
settings_is_preset(const struct settings_input *input,
                   const struct settings_environment *environment)
{
    const struct class *class = &classes[environment->deck->logging];

    return settings_sole(input) == environment &&
           environment->memory_bytes == class->preset_memory_bytes &&
           input->memory_bytes == class->preset_memory_bytes &&
           environment->connections == class->preset_connections;
}

/* What is left of the server's memory for sorts and hashes, the environment's part of it, and who
 * shares that: its working connections, and parallel workers that may all be at its queries. So
 * the parts of all environments together, with all workers at the one that gets most, fit. */
static int64_t
affordable_work_mem(const struct settings_input *input,
                    const struct settings_environment *environment)
{
    int64_t memory = input->memory_bytes;
    /* Before rounding, so that more memory never gives less. */
    int64_t buffers = at_least(memory / 100 * buffers_percent(input), LEAST_BUFFERS);
    int64_t autovacuum =
        at_least(at_most(memory / AUTOVACUUM_PART, GIGABYTE), LEAST_AUTOVACUUM_WORK_MEM);
    int64_t wal_buffers = at_most(memory / 64, MOST_WAL_BUFFERS) + MEGABYTE;
    int64_t all = 0;

    (void)settings_wanted_bytes(input, NULL, "shared_buffers", &buffers);
    (void)settings_wanted_bytes(input, NULL, "autovacuum_work_mem", &autovacuum);
    (void)settings_wanted_bytes(input, NULL, "wal_buffers", &wal_buffers);
    int64_t taken = buffers + settings_autovacuum_workers(input) * autovacuum + wal_buffers;
    for (size_t i = 0; i < input->environments.count; i++)
        all += input->environments.items[i].memory_bytes;
    int64_t backends =
        at_least(environment->active_connections, 1) + settings_parallel_workers(input);
    double part = (double)environment->memory_bytes / (double)all;
    return (int64_t)((double)at_least(memory - taken, 0) * part / (double)backends);
}

/* In steps that people write. */
static int64_t
rounded_work_mem(int64_t bytes)
{
    if (bytes >= 8 * MEGABYTE)
        return rounded_down(bytes, 4 * MEGABYTE);
    return at_least(rounded_down(bytes, bytes >= MEGABYTE ? MEGABYTE : 64 * KILOBYTE),
                    64 * KILOBYTE);
}

/* Each connection's part of the environment's memory, by how many of them use it at once. */
static int64_t
usual_work_mem(const struct settings_environment *environment)
{
    int64_t bytes = environment->memory_bytes / environment->connections *
                    classes[environment->deck->logging].work_mem_percent / 100;

    bytes = at_most(bytes, environment->memory_bytes / 16);
    return rounded_work_mem(at_least(bytes, 4 * MEGABYTE));
}

/* What the rule says, whatever the deck does. */
static int64_t
derived_work_mem(const struct settings_input *input, const struct settings_environment *environment)
{
    if (environment->memory_bytes == 0 || environment->connections == 0)
        return 0;
    const char *how;
    int64_t usual = usual_work_mem(environment);
    if (input->memory_bytes == 0 || settings_is_preset(input, environment))
        return usual;
    return at_most(settings_measured_work_mem(input, environment, usual, &how),
                   rounded_work_mem(affordable_work_mem(input, environment)));
}

int64_t
settings_work_mem(const struct settings_input *input,
                  const struct settings_environment *environment)
{
    int64_t wanted;

    return settings_wanted_bytes(input, environment, "work_mem", &wanted)
               ? wanted
               : derived_work_mem(input, environment);
}

/* More than usual, or a preset that turned out too small: says what was measured. */
static void
explain_measured(const struct settings_case *of, int64_t bytes, struct settings_proposal *proposal)
{
    struct arena *arena = of->input->arena;
    int64_t usual = usual_work_mem(of->environment);
    const char *how;

    if (settings_measured_work_mem(of->input, of->environment, usual, &how) == usual)
        return;
    if (bytes > usual)
        proposal->why = arena_printf(arena, "%s; twice %s, as far as memory goes: %s", how,
                                     setting_size(arena, usual), proposal->why);
    else
        proposal->warning =
            arena_printf(arena, "work_mem of %s: %s", of->environment->deck->name, how);
}

bool
derive_work_mem(const struct settings_case *of, struct settings_proposal *proposal)
{
    const struct settings_environment *environment = of->environment;
    struct arena *arena = of->input->arena;
    int64_t bytes = derived_work_mem(of->input, environment);

    if (bytes == 0)
        return false;
    proposal->value = setting_size(arena, bytes);
    proposal->why =
        arena_printf(arena, "%d %% of %s (%s) / %d connections (%s), as for %s",
                     classes[environment->deck->logging].work_mem_percent,
                     setting_size(arena, environment->memory_bytes), environment->memory_from,
                     environment->connections, environment->connections_from,
                     settings_class_name(environment->deck));
    explain_measured(of, bytes, proposal);
    if (bytes < usual_work_mem(environment))
        proposal->why = arena_printf(
            arena,
            "its part of what shared_buffers and autovacuum leave of %s, for %d connections at "
            "work (%s) and %d parallel workers; %s, by its connections, would be too much",
            setting_size(arena, of->input->memory_bytes), environment->active_connections,
            environment->active_from, settings_parallel_workers(of->input),
            setting_size(arena, usual_work_mem(environment)));
    return true;
}

bool
derive_gin_pending_list_limit(const struct settings_case *of, struct settings_proposal *proposal)
{
    if (of->environment->memory_bytes == 0)
        return false;
    proposal->value = of->environment->memory_bytes >= 4 * GIGABYTE ? "8MB" : "4MB";
    proposal->why = arena_printf(of->input->arena, "for %s of memory",
                                 setting_size(of->input->arena, of->environment->memory_bytes));
    return true;
}

/* By the environment that writes most; no more than the server has memory, which also tells
 * roughly what disk there is. More where the server shows that it needs it: then why says so. */
static int64_t
max_wal_size(const struct settings_input *input, const char **ret_why)
{
    static const int64_t by_workload[] = {
        [WORKLOAD_WEB] = 4,   [WORKLOAD_OLTP] = 8,    [WORKLOAD_ANALYTICS] = 16,
        [WORKLOAD_MIXED] = 4, [WORKLOAD_DESKTOP] = 2,
    };
    int64_t most = 0;

    for (size_t i = 0; i < input->environments.count; i++) {
        int64_t gigabytes = by_workload[input->environments.items[i].deck->workload];
        most = at_least(most, gigabytes);
    }
    int64_t base =
        at_least(at_most(most * GIGABYTE, rounded_down(input->memory_bytes, GIGABYTE)), GIGABYTE);
    return settings_measured_wal(input, base, ret_why);
}

bool
derive_max_wal_size(const struct settings_case *of, struct settings_proposal *proposal)
{
    if (of->input->memory_bytes == 0 || of->input->environments.count == 0)
        return false;
    proposal->why = "so that checkpoints come by the clock and not by the volume written: by "
                    "workload, at most the server's memory";
    proposal->value = setting_size(of->input->arena, max_wal_size(of->input, &proposal->why));
    return true;
}

bool
derive_min_wal_size(const struct settings_case *of, struct settings_proposal *proposal)
{
    if (of->input->memory_bytes == 0 || of->input->environments.count == 0)
        return false;
    const char *why; /* told with max_wal_size */
    proposal->value = setting_size(of->input->arena, max_wal_size(of->input, &why) / 4);
    return true;
}

/* lz4 where this server was built with it; "on" would be shown as pglz. */
bool
derive_wal_compression(const struct settings_case *of, struct settings_proposal *proposal)
{
    bool is_boolean = of->input->catalog->major < 15;

    proposal->value = setting_allows(of->current, "lz4") ? "lz4" : is_boolean ? "on" : "pglz";
    return true;
}

/* Where this server was built with it. */
bool
derive_toast_compression(const struct settings_case *of, struct settings_proposal *proposal)
{
    proposal->value = "lz4";
    return setting_allows(of->current, "lz4");
}
