/* What a server did between two moments: CPU time of all its processes, WAL, pages, temporary
 * files. Inside of bench/; one thread. */
#pragma once
#include "bench/suite.h"
#include <libpq-fe.h>
#include <sys/types.h>

struct bench_meter {
    PGconn *connection; /* to the database that is worked in; borrowed */
    pid_t postmaster;   /* 0: not on this machine */
};
/* Sums since the server's start. What cannot be known is below 0. Does not fail: a server that is
 * gone is found by who works with it. */
struct bench_cost bench_cost_now(const struct bench_meter *meter);
/* Waits until these sessions of the server are gone and have said what they did: they say it when
 * they end. At most a second. */
void bench_cost_settle(const struct bench_meter *meter, const int *processes, size_t count);
/* Adds to into what came between the two; unknown stays unknown. */
void bench_cost_add(struct bench_cost *into, const struct bench_cost *start,
                    const struct bench_cost *end);

/* The process that started this session's; 0 when it is not on this machine. */
pid_t bench_postmaster_of(PGconn *connection);
/* Whether a server on this machine, with its data in folder, has so much free. True where that is
 * not to be seen: folder NULL, or another machine. Errors: ERROR_DISK_FULL. */
bool bench_check_room(PGconn *connection, const char *folder, int64_t needed_megabytes,
                      struct error *err) MUST_CHECK;
struct bench_memory {     /* bytes */
    int64_t shared_bytes; /* resident in the process that maps the most of it */
    int64_t own_bytes;    /* of all processes but those of clients */
    int64_t client_bytes; /* of this session's process */
    int processes;        /* that are in own_bytes */
};
/* Of a server on this machine. False: it is not, or does not say. */
bool bench_memory_of(PGconn *connection, struct bench_memory *ret_memory);

/* CPU time of a process and all its children, the ended ones too; 0: unknown. */
uint64_t bench_family_cpu_ns(pid_t parent);
