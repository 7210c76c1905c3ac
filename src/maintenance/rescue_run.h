/* One rescue of one server, as what looks sees it. */
#pragma once
#include "maintenance/rescue.h"
#include "maintenance/rescue_link.h"

struct rescue {
    struct arena *arena;
    const struct rescue_options *options;
    const struct deck_server *server;
    struct rescue_link link;
    struct rescue_report *report;
    bool is_local;
    bool is_unrecorded_told;
};

void rescue_say(struct rescue *rescue, const char *sight, const char *severity, const char *sql,
                const char *format, ...) PRINTF_LIKE(5, 6);
/* CPU, memory, disk of this host, over a third of a second. */
void rescue_look_at_host(struct rescue *rescue);
/* How much room is left where the data is, when that is this host, and what grows. */
void rescue_look_at_disk(struct rescue *rescue);
/* Whether the server's memory and disks are this host's, by its address. */
bool rescue_is_local(const struct deck_server *server);
/* How much of its own memory a process has; 0: unknown. */
long long rescue_memory_of(const char *pid);
/* Which share of the host's memory can still be had, 0..1. */
double rescue_memory_left(void);
/* Pools whose clients wait, and what its console offers. */
void rescue_look_at_pool(struct rescue *rescue);
bool rescue_ask_pool(const struct rescue *rescue, const char *sql, PGresult **ret_result,
                     struct error *err) MUST_CHECK;
