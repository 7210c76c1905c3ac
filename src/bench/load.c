// SPDX-License-Identifier: MIT
#include "bench/driver_run.h"
#include "bench/report.h"

#include <stdio.h>
#include <string.h>

struct bench_load *
bench_load_new(struct arena *arena, const char *const *class_names, size_t class_count)
{
    struct bench_load *load = ARENA_NEW(arena, struct bench_load);

    load->arena = arena;
    load->late = histogram_new(arena);
    for (size_t i = 0; i < class_count; i++) {
        struct bench_class_load *added = LIST_ADD(arena, &load->classes);
        added->name = class_names[i];
        added->response = histogram_new(arena);
        added->service = histogram_new(arena);
    }
    return load;
}

void
bench_note_unanswered(uint64_t *least_ns, uint64_t waited_ns)
{
    if (waited_ns > 0 && (*least_ns == 0 || waited_ns < *least_ns))
        *least_ns = waited_ns;
}

void
bench_load_unanswered(struct bench_load *load, const struct bench_request *request,
                      uint64_t sent_ns, uint64_t until_ns)
{
    struct bench_class_load *class = &load->classes.items[request->class_number];
    uint64_t waited_ns = until_ns - request->due_ns;

    load->unfinished++;
    histogram_record(class->response, waited_ns);
    if (sent_ns > 0)
        histogram_record(class->service, until_ns - sent_ns);
    bench_note_unanswered(&class->least_unanswered_ns, waited_ns);
}

struct bench_fault_count *
bench_load_fault(struct bench_load *load, const char *sqlstate, const char *message)
{
    for (size_t i = 0; i < load->faults.count; i++) {
        if (strcmp(load->faults.items[i].sqlstate, sqlstate) == 0)
            return &load->faults.items[i];
    }
    struct bench_fault_count *added = LIST_ADD(load->arena, &load->faults);
    snprintf(added->sqlstate, sizeof(added->sqlstate), "%s", sqlstate);
    snprintf(added->message, sizeof(added->message), "%s", message);
    return added;
}

void
bench_load_merge(struct bench_load *into, const struct bench_load *from)
{
    for (size_t i = 0; i < from->classes.count; i++) {
        struct bench_class_load *class = &into->classes.items[i];
        const struct bench_class_load *added = &from->classes.items[i];
        class->done += added->done;
        class->errors += added->errors;
        class->retries += added->retries;
        bench_note_unanswered(&class->least_unanswered_ns, added->least_unanswered_ns);
        histogram_merge(class->response, added->response, 1);
        histogram_merge(class->service, added->service, 1);
    }
    for (size_t i = 0; i < from->faults.count; i++) {
        const struct bench_fault_count *added = &from->faults.items[i];
        struct bench_fault_count *fault = bench_load_fault(into, added->sqlstate, added->message);
        fault->errors += added->errors;
        fault->retries += added->retries;
    }
    for (size_t i = 0; i < from->seconds.count; i++)
        *LIST_ADD(into->arena, &into->seconds) = from->seconds.items[i];
    into->wall_ns += from->wall_ns;
    into->schedule_ns += from->schedule_ns;
    into->done_after += from->done_after;
    into->unfinished += from->unfinished;
    into->done += from->done;
    into->errors += from->errors;
    into->user_ns += from->user_ns;
    into->system_ns += from->system_ns;
    into->ticks += from->ticks;
    into->stolen_ticks += from->stolen_ticks;
    histogram_merge(into->late, from->late, 1);
}

void
bench_load_clear(struct bench_load *load)
{
    struct bench_load kept = *load;

    memset(load, 0, sizeof(*load));
    load->arena = kept.arena;
    load->classes = kept.classes;
    load->faults = kept.faults;
    load->seconds = kept.seconds;
    load->faults.count = 0;
    load->seconds.count = 0;
    load->late = kept.late;
    histogram_clear(load->late);
    for (size_t i = 0; i < load->classes.count; i++) {
        struct bench_class_load *class = &load->classes.items[i];
        class->done = class->errors = class->retries = class->least_unanswered_ns = 0;
        histogram_clear(class->response);
        histogram_clear(class->service);
    }
}

const char *
bench_load_limit(const struct bench_load *load, struct arena *arena)
{
    enum { LATE_LIMIT_NS = 1000000 };
    double cpu =
        load->wall_ns == 0 ? 0 : (double)(load->user_ns + load->system_ns) / (double)load->wall_ns;
    uint64_t late_ns = histogram_percentile(load->late, 0.99);

    if (cpu > BENCH_DRIVER_LIMIT)
        return arena_printf(arena, "the driver used %.0f %% of a CPU", cpu * 100);
    if (load->ticks > 0 && load->stolen_ticks / load->ticks > BENCH_STEAL_LIMIT)
        return arena_printf(arena, "the hypervisor took %.0f %% of the CPU time",
                            load->stolen_ticks / load->ticks * 100);
    if (late_ns > LATE_LIMIT_NS)
        return arena_printf(arena, "the driver sent 1 %% of the requests %.1f ms late or more",
                            (double)late_ns / 1e6);
    return NULL;
}
