// SPDX-License-Identifier: MIT
#include "settings/semantics.h"

#include "base/text.h"
#include "deck/fault.h"
#include "settings/value.h"

#include <string.h>
#include <strings.h>

/* --- what the rules work with -------------------------------------------------------------- */

static bool
number_of(const struct settings_figure *figure, double *ret_number)
{
    return setting_number(figure->value, figure->setting->unit, ret_number);
}

static bool
is_word(const struct settings_figure *figure, const char *word)
{
    return strcasecmp(figure->value, word) == 0;
}

static bool
is_off(const struct settings_figure *figure)
{
    bool truth;

    return setting_boolean(figure->value, &truth) && !truth;
}

/* "max_wal_senders 10 (as the server has it)" */
static const char *
name_and_value(const struct settings_view *view, const struct settings_figure *figure)
{
    const char *from = figure->origin;

    if (figure->deck != NULL)
        from = arena_printf(view->arena, "line %d", figure->deck->place.line);
    return arena_printf(view->arena, "%s %s (%s)", figure->setting->name,
                        setting_readable(view->arena, figure->setting, figure->value), from);
}

/* Both are known, and the deck sets at least one. */
static bool
read_two(const struct settings_view *view, const char *first, const char *second,
         struct settings_figure *ret_first, struct settings_figure *ret_second)
{
    return view->read(view->source, first, ret_first) &&
           view->read(view->source, second, ret_second) &&
           (ret_first->deck != NULL || ret_second->deck != NULL);
}

/* At the one that the deck sets; text says what the matter is, the other one's name included. */
static struct error *
refuse(const struct settings_view *view, const struct settings_figure *figure, const char *text)
{
    return deck_fault(view->arena, view->faults, figure->deck->value_place, "%s.%s: %s",
                      figure->path, figure->setting->name, text);
}

/* Of two that do not go together: at the first if the deck sets it, else at the second. */
static struct error *
refuse_two(const struct settings_view *view, const struct settings_figure *first, const char *how,
           const struct settings_figure *second)
{
    bool is_first = first->deck != NULL;
    const struct settings_figure *blamed = is_first ? first : second;
    const struct settings_figure *other = is_first ? second : first;

    return refuse(view, blamed,
                  arena_printf(view->arena, "%s %s %s",
                               setting_readable(view->arena, blamed->setting, blamed->value),
                               is_first ? how : "is not possible with",
                               name_and_value(view, other)));
}

/* --- the rules ---------------------------------------------------------------------------- */

/* minimal writes too little for standbys, archives and summaries. */
static void
check_minimal_wal(const struct settings_view *view)
{
    static const char *const others[] = {"max_wal_senders", "archive_mode", "summarize_wal"};
    struct settings_figure level, other;
    double number;

    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (!read_two(view, "wal_level", others[i], &level, &other) || !is_word(&level, "minimal"))
            continue;
        bool is_none = number_of(&other, &number) ? number == 0 : is_off(&other);
        if (is_none)
            continue;
        struct error *fault = refuse_two(view, &level, "is not possible with", &other);
        error_hint(fault, "Keep wal_level at replica: minimal ends replication and recovery to a "
                          "point in time.");
    }
}

/* Nobody else could connect. */
static void
check_reserved_connections(const struct settings_view *view)
{
    struct settings_figure superuser, all, reserved = {0};
    double of_superuser, of_all, of_reserved = 0;
    bool has_reserved = view->read(view->source, "reserved_connections", &reserved) &&
                        number_of(&reserved, &of_reserved);

    if (!view->read(view->source, "superuser_reserved_connections", &superuser) ||
        !view->read(view->source, "max_connections", &all) ||
        !number_of(&superuser, &of_superuser) || !number_of(&all, &of_all) ||
        of_superuser + of_reserved < of_all)
        return;
    const struct settings_figure *blamed = superuser.deck != NULL                  ? &superuser
                                           : has_reserved && reserved.deck != NULL ? &reserved
                                                                                   : &all;
    if (blamed->deck == NULL)
        return;
    struct error *fault = refuse(
        view, blamed,
        arena_printf(view->arena, "reserved connections, %g, leave none of max_connections %g",
                     of_superuser + of_reserved, of_all));
    error_hint(fault, "PostgreSQL does not start like that: reserve fewer.");
}

/* The first is more than the second, which it has to fit into. */
static void
check_order(const struct settings_view *view, const char *lesser, const char *greater,
            const char *hint)
{
    struct settings_figure low, high;
    double low_number, high_number;

    if (!read_two(view, lesser, greater, &low, &high) || !number_of(&low, &low_number) ||
        !number_of(&high, &high_number) || low_number <= high_number)
        return;
    error_hint(refuse_two(view, &low, "is more than", &high), "%s", hint);
}

static void
check_wal_sizes(const struct settings_view *view)
{
    static const char *const names[] = {"min_wal_size", "max_wal_size"};
    struct settings_figure segment, size;
    int64_t segment_bytes, bytes;

    check_order(view, "min_wal_size", "max_wal_size",
                "min_wal_size is the part of max_wal_size that is kept for reuse.");
    if (!view->read(view->source, "wal_segment_size", &segment) ||
        !setting_bytes(segment.setting, segment.value, &segment_bytes))
        return;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (!view->read(view->source, names[i], &size) || size.deck == NULL ||
            !setting_bytes(size.setting, size.value, &bytes) || bytes >= 2 * segment_bytes)
            continue;
        struct error *fault =
            refuse(view, &size,
                   arena_printf(view->arena, "%s is less than two segments of the log, of %s each",
                                setting_readable(view->arena, size.setting, size.value),
                                setting_size(view->arena, segment_bytes)));
        error_hint(fault, "PostgreSQL does not start like that.");
    }
}

static void
check_processes(const struct settings_view *view)
{
    enum { MOST_PROCESSES = 262143 };
    static const char *const names[] = {"max_connections", "max_worker_processes",
                                        "max_wal_senders", "autovacuum_max_workers"};
    struct settings_figure figures[sizeof(names) / sizeof(names[0])];
    const struct settings_figure *blamed = NULL;
    double sum = 0, number;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (!view->read(view->source, names[i], &figures[i]) || !number_of(&figures[i], &number))
            continue;
        sum += number;
        if (blamed == NULL && figures[i].deck != NULL)
            blamed = &figures[i];
    }
    if (blamed == NULL || sum < MOST_PROCESSES)
        return;
    struct error *fault =
        refuse(view, blamed,
               arena_printf(view->arena,
                            "max_connections, max_worker_processes, max_wal_senders and "
                            "autovacuum_max_workers come to %.0f processes",
                            sum));
    error_hint(fault, "PostgreSQL starts with fewer than %d.", MOST_PROCESSES);
}

static int
tls_rank(const char *version)
{
    static const char *const versions[] = {"TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"};

    for (int i = 0; i < 4; i++) {
        if (strcasecmp(versions[i], version) == 0)
            return i;
    }
    return -1;
}

static void
check_tls_versions(const struct settings_view *view)
{
    struct settings_figure least, most;

    if (!read_two(view, "ssl_min_protocol_version", "ssl_max_protocol_version", &least, &most) ||
        most.value[0] == '\0' || tls_rank(least.value) <= tls_rank(most.value))
        return;
    error_hint(refuse_two(view, &least, "is later than", &most), "No version would be left.");
}

void
settings_check_amount(const struct settings_view *view, const struct settings_figure *figure)
{
    int64_t bytes;

    if (figure->deck == NULL || view->memory_bytes == 0 ||
        !setting_bytes(figure->setting, figure->value, &bytes) || bytes <= view->memory_bytes)
        return;
    struct error *fault =
        refuse(view, figure,
               arena_printf(view->arena, "%s is more than all the memory of the server, %s (%s)",
                            setting_readable(view->arena, figure->setting, figure->value),
                            setting_size(view->arena, view->memory_bytes), view->memory_from));
    error_hint(fault, "What fits is never refused, however much it comes to together.");
}

/* Taken whole by one process, or by the server. */
static const char *const allocated[] = {
    "shared_buffers",
    "wal_buffers",
    "work_mem",
    "maintenance_work_mem",
    "temp_buffers",
    "autovacuum_work_mem",
    "logical_decoding_work_mem",
};

bool
settings_is_allocated(const char *name)
{
    for (size_t i = 0; i < sizeof(allocated) / sizeof(allocated[0]); i++) {
        if (strcmp(allocated[i], name) == 0)
            return true;
    }
    return false;
}

static void
check_memory(const struct settings_view *view)
{
    struct settings_figure figure;

    for (size_t i = 0; i < sizeof(allocated) / sizeof(allocated[0]); i++) {
        if (view->read(view->source, allocated[i], &figure))
            settings_check_amount(view, &figure);
    }
}

void
settings_check_semantics(const struct settings_view *view)
{
    static void (*const checks[])(const struct settings_view *) = {
        check_minimal_wal, check_reserved_connections, check_wal_sizes,
        check_processes,   check_tls_versions,         check_memory,
    };

    for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
        checks[i](view);
}
