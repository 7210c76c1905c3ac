// SPDX-License-Identifier: MIT
#include "settings/rules.h"

#include "settings/derive.h"
#include "settings/value.h"

const struct settings_rule settings_rules[] = {
    /* connections and memory */
    {"max_connections", SETTINGS_OF_SERVER, 0, 0, derive_max_connections, NULL,
     "room for all environments and not for more: each connection costs memory", false},
    {"shared_buffers", SETTINGS_OF_SERVER, 0, 0, derive_shared_buffers, NULL,
     "PostgreSQL's own cache, shared by all databases of the server", false},
    {"effective_cache_size", SETTINGS_OF_SERVER, 0, 0, derive_effective_cache_size, NULL,
     "what the planner may expect to find in memory, the system's cache included", false},
    {"maintenance_work_mem", SETTINGS_OF_SERVER, 0, 0, derive_maintenance_work_mem, NULL,
     "for CREATE INDEX and VACUUM, few of which run at once", false},
    {"autovacuum_work_mem", SETTINGS_OF_SERVER, 0, 0, derive_autovacuum_work_mem, NULL,
     "each autovacuum worker may take this much, beside the maintenance done by hand", false},
    {"wal_buffers", SETTINGS_OF_SERVER, 0, 0, derive_wal_buffers, NULL,
     "room for the write-ahead log of several transactions between two writes", false},
    {"work_mem", SETTINGS_OF_ENVIRONMENT, 0, 0, derive_work_mem, NULL,
     "for each sort or hash of each query", false},
    {"hash_mem_multiplier", SETTINGS_OF_ENVIRONMENT, 0, 0, NULL, "2.0",
     "hash joins and aggregates gain more from memory than sorts do", false},
    {"gin_pending_list_limit", SETTINGS_OF_ENVIRONMENT, 0, 0, derive_gin_pending_list_limit, NULL,
     "rows that wait for a GIN index (jsonb, full text) are merged in larger batches", false},

    /* write-ahead log and checkpoints */
    {"min_wal_size", SETTINGS_OF_SERVER, 0, 0, derive_min_wal_size, NULL,
     "log files that are kept for reuse, a quarter of max_wal_size", false},
    {"max_wal_size", SETTINGS_OF_SERVER, 0, 0, derive_max_wal_size, NULL,
     "so that checkpoints come by the clock and not by the volume written", false},
    {"checkpoint_timeout", SETTINGS_OF_SERVER, 0, 0, NULL, "15min",
     "fewer checkpoints write fewer full pages; recovery after a crash takes a little longer",
     false},
    {"checkpoint_completion_target", SETTINGS_OF_SERVER, 0, 0, NULL, "0.9",
     "the writes of a checkpoint are spread over the time until the next", false},
    {"wal_compression", SETTINGS_OF_SERVER, 0, 0, derive_wal_compression, NULL,
     "full pages in the write-ahead log are compressed", false},

    /* storage */
    {"random_page_cost", SETTINGS_OF_SERVER, 0, 0, derive_random_page_cost, NULL,
     "what reading a page at random costs on this storage, against 1 in sequence", false},
    {"effective_io_concurrency", SETTINGS_OF_SERVER, 0, 17, derive_io_concurrency, NULL,
     "pages that a bitmap scan asks the storage for ahead of time", false},
    {"effective_io_concurrency", SETTINGS_OF_SERVER, 18, 0, derive_io_concurrency_async, NULL,
     "reads that one query keeps in flight", false},
    {"maintenance_io_concurrency", SETTINGS_OF_SERVER, 0, 0, derive_maintenance_io_concurrency,
     NULL, "the same for VACUUM and its like", false},
    {"io_workers", SETTINGS_OF_SERVER, 18, 0, derive_io_workers, NULL,
     "processes that read for all others, a quarter of the CPUs", false},

    /* parallel work */
    {"max_worker_processes", SETTINGS_OF_SERVER, 0, 0, derive_max_worker_processes, NULL,
     "all parallel workers, and 4 for extensions and replication", false},
    {"max_parallel_workers", SETTINGS_OF_SERVER, 0, 0, derive_max_parallel_workers, NULL,
     "processes that help queries on the whole server", false},
    {"max_parallel_maintenance_workers", SETTINGS_OF_SERVER, 0, 0,
     derive_max_parallel_maintenance_workers, NULL, "processes that help one CREATE INDEX", false},
    {"max_parallel_workers_per_gather", SETTINGS_OF_ENVIRONMENT, 0, 0, derive_parallel_per_gather,
     NULL, "processes that help one query", false},
    {"jit", SETTINGS_OF_ENVIRONMENT, 0, 0, derive_jit, NULL,
     "compiling pays for long analytic queries only; for short ones it costs more than it saves",
     false},

    /* autovacuum */
    {"autovacuum_max_workers", SETTINGS_OF_SERVER, 0, 0, derive_autovacuum_max_workers, NULL,
     "tables that are vacuumed at once; the workers share one cost limit", false},
    {"autovacuum_vacuum_cost_limit", SETTINGS_OF_SERVER, 0, 0, derive_autovacuum_cost_limit, NULL,
     "how much vacuum may read and write between two pauses, by storage", false},
    {"autovacuum_vacuum_scale_factor", SETTINGS_OF_SERVER, 0, 0, NULL, "0.05",
     "a table is vacuumed when 5 % of it has changed, not 20 %", false},
    {"autovacuum_analyze_scale_factor", SETTINGS_OF_SERVER, 0, 0, NULL, "0.02",
     "the planner's figures are renewed when 2 % of a table has changed, not 10 %", false},

    /* what is seen of it */
    {"shared_preload_libraries", SETTINGS_OF_SERVER, 0, 0, derive_preload_libraries, NULL,
     "pg_stat_statements counts and times all statements; added to what is loaded already", true},
    {"track_io_timing", SETTINGS_OF_SERVER, 0, 0, NULL, "on",
     "shows how long queries wait for the storage", false},
    {"track_functions", SETTINGS_OF_ENVIRONMENT, 0, 0, derive_track_functions, NULL,
     "counts and times calls of functions where monitoring is detailed", false},
    {"log_checkpoints", SETTINGS_OF_SERVER, 0, 0, NULL, "on",
     "shows whether max_wal_size is large enough", false},
    {"log_lock_waits", SETTINGS_OF_SERVER, 0, 0, NULL, "on",
     "names those who wait for a lock for more than deadlock_timeout", false},
    {"log_autovacuum_min_duration", SETTINGS_OF_SERVER, 0, 0, derive_log_autovacuum, NULL,
     "shows which tables keep autovacuum busy", false},
    {"log_line_prefix", SETTINGS_OF_SERVER, 0, 0, derive_log_line_prefix, NULL,
     "tells the environments apart in the server's log: time, process, user, database", false},
    {"log_connections", SETTINGS_OF_SERVER, 0, 0, derive_log_connections, NULL,
     "the deck asks for an audit", false},
    {"log_disconnections", SETTINGS_OF_SERVER, 0, 0, derive_log_connections, NULL,
     "the deck asks for an audit", false},
    {"log_min_duration_statement", SETTINGS_OF_ENVIRONMENT, 0, 0, derive_log_min_duration, NULL,
     "statements that take longer are logged", false},
    {"log_temp_files", SETTINGS_OF_ENVIRONMENT, 0, 0, derive_log_temp_files, NULL,
     "sorts and hashes that did not fit into work_mem are logged", false},
    {"log_statement", SETTINGS_OF_ENVIRONMENT, 0, 0, NULL, "ddl",
     "changes of the schema leave a trace in the log", false},

    /* safety */
    {"idle_in_transaction_session_timeout", SETTINGS_OF_ENVIRONMENT, 0, 0, derive_idle_timeout,
     NULL, "a forgotten transaction holds locks and keeps vacuum from cleaning up", false},
    {"password_encryption", SETTINGS_OF_SERVER, 0, 0, NULL, "scram-sha-256",
     "md5 hashes are outdated", false},
};
const size_t settings_rule_count = sizeof(settings_rules) / sizeof(settings_rules[0]);

bool
settings_rule_is_for(const struct settings_rule *rule, int major)
{
    return (rule->min_version == 0 || major >= rule->min_version) &&
           (rule->max_version == 0 || major <= rule->max_version);
}

bool
settings_propose(const struct settings_rule *rule, const struct settings_case *of,
                 struct settings_proposal *ret_proposal)
{
    struct settings_proposal proposal = {.value = rule->value};
    bool is_limited;

    if (rule->derive != NULL && !rule->derive(of, &proposal))
        return false;
    proposal.value = setting_clamp(of->input->arena, of->current, proposal.value, &is_limited);
    if (proposal.value == NULL)
        return false;
    if (proposal.why == NULL)
        proposal.why = rule->reason;
    if (is_limited)
        proposal.why = arena_printf(of->input->arena, "%s; %s is this server's limit", proposal.why,
                                    proposal.value);
    *ret_proposal = proposal;
    return true;
}
