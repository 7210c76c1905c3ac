/* The functions of the rules' table, by subject. */
#pragma once
#include "settings/rules.h"

/* derive_memory.c: connections, memory, write-ahead log */
settings_derive_function derive_max_connections, derive_shared_buffers, derive_effective_cache_size,
    derive_maintenance_work_mem, derive_autovacuum_work_mem, derive_wal_buffers, derive_work_mem,
    derive_gin_pending_list_limit, derive_min_wal_size, derive_max_wal_size, derive_wal_compression,
    derive_toast_compression;
/* derive_workers.c: storage, parallel work, autovacuum */
settings_derive_function derive_random_page_cost, derive_io_concurrency,
    derive_io_concurrency_async, derive_maintenance_io_concurrency, derive_io_workers,
    derive_max_worker_processes, derive_max_parallel_workers,
    derive_max_parallel_maintenance_workers, derive_parallel_per_gather, derive_jit,
    derive_autovacuum_max_workers, derive_autovacuum_cost_limit, derive_bgwriter_maxpages,
    derive_partitionwise, derive_max_locks;
/* preload.c: libraries and their parameters */
settings_derive_function derive_preload_libraries, derive_by_depth, derive_audit;
/* derive_log.c: what is seen, and safety */
settings_derive_function derive_track_functions, derive_log_autovacuum, derive_log_line_prefix,
    derive_log_connections, derive_log_min_duration, derive_log_temp_files, derive_idle_timeout,
    derive_idle_session_timeout, derive_track_detailed, derive_query_size, derive_min_protocol;

/* Bytes; 0: memory unknown. */
int64_t settings_shared_buffers(const struct settings_input *input);
int64_t settings_autovacuum_work_mem(const struct settings_input *input);
int64_t settings_wal_buffers(const struct settings_input *input);
/* No more than fits into the server's memory with all that are expected to work at once, unless
 * the environment is a preset. */
int64_t settings_work_mem(const struct settings_input *input,
                          const struct settings_environment *environment);
/* A server of its own, with memory and connections of which the classic figures are well known:
 * these are taken as they are. */
bool settings_is_preset(const struct settings_input *input,
                        const struct settings_environment *environment);
/* 0: CPUs unknown, and no preset. */
int settings_parallel_workers(const struct settings_input *input);
int settings_autovacuum_workers(const struct settings_input *input);
/* "production", "staging", "development": which figures an environment's logging stands for. */
const char *settings_class_name(const struct deck_environment *environment);
