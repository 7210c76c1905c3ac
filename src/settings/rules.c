// SPDX-License-Identifier: MIT
#include "settings/rules.h"

#include "settings/derive.h"
#include "settings/statement.h"
#include "settings/value.h"
#include "settings/wanted.h"

#include <string.h>

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
    {"temp_buffers", SETTINGS_OF_POSTGRESQL, 0, 0, NULL, NULL,
     "only sessions that make temporary tables take it", false},
    {"logical_decoding_work_mem", SETTINGS_OF_POSTGRESQL, 0, 0, NULL, NULL,
     "what does not fit goes to disk; few senders decode at once", false},
    {"vacuum_buffer_usage_limit", SETTINGS_OF_SERVER, 16, 16, NULL, "2MB",
     "as from 17 on: with 256kB vacuum waits for its own writes", false},
    {"vacuum_buffer_usage_limit", SETTINGS_OF_POSTGRESQL, 17, 0, NULL, NULL,
     "2MB is enough for vacuum not to wait for its own writes", false},
    {"huge_pages", SETTINGS_OF_POSTGRESQL, 0, 0, NULL, NULL,
     "try takes them where the system has reserved them; on without them is no start", false},
    {"superuser_reserved_connections", SETTINGS_OF_POSTGRESQL, 0, 0, NULL, NULL,
     "room for an administrator when all else is taken", false},
    {"reserved_connections", SETTINGS_OF_POSTGRESQL, 16, 0, NULL, NULL,
     "needs roles with pg_use_reserved_connections", false},
    {"max_prepared_transactions", SETTINGS_OF_POSTGRESQL, 0, 0, NULL, NULL,
     "a prepared transaction that is forgotten holds its locks for ever", false},
    {"default_toast_compression", SETTINGS_OF_ENVIRONMENT, 14, 0, derive_toast_compression, NULL,
     "lz4 packs and unpacks long values several times faster than pglz", false},

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
    {"wal_level", SETTINGS_OF_POSTGRESQL, 0, 0, NULL, NULL,
     "minimal ends replication and recovery to a point in time; logical only where asked for",
     false},
    {"fsync", SETTINGS_OF_POSTGRESQL, 0, 0, NULL, NULL,
     "off loses the database when the power fails", false},
    {"full_page_writes", SETTINGS_OF_POSTGRESQL, 0, 0, NULL, NULL,
     "off loses pages that were half written when the power failed", false},
    {"synchronous_commit", SETTINGS_OF_POSTGRESQL, 0, 0, NULL, NULL,
     "off loses the newest commits in a crash; for a session to choose", false},
    {"wal_init_zero", SETTINGS_OF_POSTGRESQL, 0, 0, NULL, NULL,
     "off is for file systems that copy on write only", false},
    {"wal_recycle", SETTINGS_OF_POSTGRESQL, 0, 0, NULL, NULL,
     "off is for file systems that copy on write only", false},
    {"summarize_wal", SETTINGS_OF_POSTGRESQL, 17, 0, NULL, NULL,
     "costs something and serves incremental backups only", false},
    {"commit_delay", SETTINGS_OF_POSTGRESQL, 0, 0, NULL, NULL,
     "commits share a flush without waiting for each other", false},
    {"wal_writer_delay", SETTINGS_OF_POSTGRESQL, 0, 0, NULL, NULL,
     "matters to sessions with synchronous_commit off only", false},
    {"max_wal_senders", SETTINGS_OF_POSTGRESQL, 0, 0, NULL, NULL,
     "enough for standbys and backups; a standby needs no fewer than its primary", false},
    {"max_replication_slots", SETTINGS_OF_POSTGRESQL, 0, 0, NULL, NULL,
     "enough for standbys and backups", false},
    {"max_slot_wal_keep_size", SETTINGS_OF_POSTGRESQL, 0, 0, NULL, NULL,
     "a limit cuts off standbys; a slot that is forgotten is for monitoring to tell", false},
    {"checkpoint_flush_after", SETTINGS_OF_POSTGRESQL, 0, 0, NULL, NULL,
     "writes of a checkpoint reach the storage bit by bit", false},

    /* background writer */
    {"bgwriter_lru_maxpages", SETTINGS_OF_SERVER, 0, 0, derive_bgwriter_maxpages, NULL,
     "pages that the background writer writes in one round, by storage", false},
    {"bgwriter_lru_multiplier", SETTINGS_OF_POSTGRESQL, 0, 0, NULL, NULL,
     "twice of what the last rounds needed is ahead enough", false},
    {"bgwriter_delay", SETTINGS_OF_POSTGRESQL, 0, 0, NULL, NULL,
     "with more pages a round there is no need for more rounds", false},
    {"bgwriter_flush_after", SETTINGS_OF_POSTGRESQL, 0, 0, NULL, NULL,
     "its writes reach the storage bit by bit", false},

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
    {"io_method", SETTINGS_OF_POSTGRESQL, 18, 0, NULL, NULL,
     "worker runs everywhere; io_uring fails in many containers and needs a build with it", false},
    {"io_max_concurrency", SETTINGS_OF_POSTGRESQL, 18, 0, NULL, NULL,
     "PostgreSQL derives it from shared_buffers and max_connections", false},
    {"io_combine_limit", SETTINGS_OF_POSTGRESQL, 17, 0, NULL, NULL,
     "128kB is what most storage reads best", false},
    {"backend_flush_after", SETTINGS_OF_POSTGRESQL, 0, 0, NULL, NULL,
     "a session that rewrites the same page would write it twice", false},
    {"temp_file_limit", SETTINGS_OF_POSTGRESQL, 0, 0, NULL, NULL,
     "a limit fails queries that are merely large; log_temp_files shows them", false},

    /* planner */
    {"seq_page_cost", SETTINGS_OF_POSTGRESQL, 0, 0, NULL, NULL, "the unit of all other costs",
     false},
    {"cpu_tuple_cost", SETTINGS_OF_POSTGRESQL, 0, 0, NULL, NULL,
     "only its relation to the other costs counts, and no formula knows it better", false},
    {"default_statistics_target", SETTINGS_OF_POSTGRESQL, 0, 0, NULL, NULL,
     "more makes all planning and ANALYZE dearer; raise it for the column that needs it", false},
    {"plan_cache_mode", SETTINGS_OF_POSTGRESQL, 0, 0, NULL, NULL,
     "auto keeps a generic plan only where it is as good", false},
    {"join_collapse_limit", SETTINGS_OF_POSTGRESQL, 0, 0, NULL, NULL,
     "more tables in one search cost planning time in steps of powers", false},
    {"from_collapse_limit", SETTINGS_OF_POSTGRESQL, 0, 0, NULL, NULL, "as join_collapse_limit",
     false},
    {"enable_partitionwise_join", SETTINGS_OF_ENVIRONMENT, 0, 0, derive_partitionwise, NULL,
     "joins of partitioned tables part by part: costs planning, pays for long queries", false},
    {"enable_partitionwise_aggregate", SETTINGS_OF_ENVIRONMENT, 0, 0, derive_partitionwise, NULL,
     "groups of partitioned tables part by part: costs planning, pays for long queries", false},

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
    {"jit_above_cost", SETTINGS_OF_POSTGRESQL, 0, 0, NULL, NULL,
     "where jit is on it begins with long queries", false},
    {"parallel_setup_cost", SETTINGS_OF_POSTGRESQL, 0, 0, NULL, NULL,
     "keeps short queries from starting workers", false},
    {"min_parallel_table_scan_size", SETTINGS_OF_POSTGRESQL, 0, 0, NULL, NULL,
     "keeps small tables from starting workers", false},

    /* autovacuum */
    {"autovacuum_max_workers", SETTINGS_OF_SERVER, 0, 0, derive_autovacuum_max_workers, NULL,
     "tables that are vacuumed at once; the workers share one cost limit", false},
    {"autovacuum_vacuum_cost_limit", SETTINGS_OF_SERVER, 0, 0, derive_autovacuum_cost_limit, NULL,
     "how much vacuum may read and write between two pauses, by storage", false},
    {"autovacuum_vacuum_scale_factor", SETTINGS_OF_SERVER, 0, 0, NULL, "0.05",
     "a table is vacuumed when 5 % of it has changed, not 20 %", false},
    {"autovacuum_analyze_scale_factor", SETTINGS_OF_SERVER, 0, 0, NULL, "0.02",
     "the planner's figures are renewed when 2 % of a table has changed, not 10 %", false},
    {"autovacuum", SETTINGS_OF_SERVER, 0, 0, NULL, "on",
     "without it tables grow without end and transaction numbers run out", false},
    {"autovacuum_vacuum_insert_scale_factor", SETTINGS_OF_SERVER, 0, 17, NULL, "0.1",
     "a table that only grows is vacuumed at 10 %, for index-only scans", false},
    {"autovacuum_vacuum_insert_scale_factor", SETTINGS_OF_POSTGRESQL, 18, 0, NULL, NULL,
     "18 counts against the pages that are not frozen yet", false},
    {"autovacuum_naptime", SETTINGS_OF_POSTGRESQL, 0, 0, NULL, NULL,
     "1 s, as some advise, wakes it up without work to do", false},
    {"autovacuum_vacuum_cost_delay", SETTINGS_OF_POSTGRESQL, 0, 0, NULL, NULL,
     "2 ms; the cost limit is what is raised", false},
    {"autovacuum_freeze_max_age", SETTINGS_OF_POSTGRESQL, 0, 0, NULL, NULL,
     "raising it only puts off the work", false},
    {"autovacuum_worker_slots", SETTINGS_OF_POSTGRESQL, 18, 0, NULL, NULL,
     "16: room to raise autovacuum_max_workers without a restart", false},
    {"autovacuum_vacuum_max_threshold", SETTINGS_OF_POSTGRESQL, 18, 0, NULL, NULL,
     "large tables are vacuumed after 100 million rows at the latest", false},

    /* what is seen of it */
    {"shared_preload_libraries", SETTINGS_OF_SERVER, 0, 0, derive_preload_libraries, NULL,
     "counts of statements, plans of slow ones, a warm cache; added to what is loaded already",
     true},
    {"track_io_timing", SETTINGS_OF_SERVER, 0, 0, NULL, "on",
     "shows how long queries wait for the storage", false},
    {"track_functions", SETTINGS_OF_ENVIRONMENT, 0, 0, derive_track_functions, NULL,
     "counts and times calls of functions where monitoring is detailed", false},
    {"track_wal_io_timing", SETTINGS_OF_SERVER, 14, 0, derive_track_detailed, NULL,
     "shows how long the write-ahead log waits for the storage", false},
    {"track_cost_delay_timing", SETTINGS_OF_SERVER, 18, 0, derive_track_detailed, NULL,
     "shows how long vacuum sleeps for its cost limit", false},
    {"track_counts", SETTINGS_OF_SERVER, 0, 0, NULL, "on", "autovacuum lives by these counts",
     false},
    {"track_activity_query_size", SETTINGS_OF_SERVER, 0, 0, derive_query_size, NULL,
     "long statements are seen whole in pg_stat_activity", false},
    {"pg_stat_statements.track", SETTINGS_OF_ENVIRONMENT, 0, 0, derive_by_depth, NULL,
     "statements inside of functions are counted too where monitoring is detailed", false},
    {"pg_stat_statements.track_planning", SETTINGS_OF_ENVIRONMENT, 0, 0, derive_by_depth, NULL,
     "planning is timed where monitoring is detailed; it costs a lock for each statement", false},
    {"auto_explain.log_min_duration", SETTINGS_OF_ENVIRONMENT, 0, 0, derive_by_depth, NULL,
     "plans of statements that take longer are logged", false},
    {"auto_explain.log_analyze", SETTINGS_OF_ENVIRONMENT, 0, 0, derive_by_depth, NULL,
     "rows of each step are counted where monitoring is detailed; all statements pay for it",
     false},
    {"auto_explain.log_buffers", SETTINGS_OF_ENVIRONMENT, 0, 0, derive_by_depth, NULL,
     "pages of each step, where its rows are counted", false},
    {"auto_explain.log_timing", SETTINGS_OF_ENVIRONMENT, 0, 0, derive_by_depth, NULL,
     "reading the clock for each row slows all statements down", false},
    {"auto_explain.log_nested_statements", SETTINGS_OF_ENVIRONMENT, 0, 0, derive_by_depth, NULL,
     "plans of statements inside of functions, where monitoring is detailed", false},
    {"auto_explain.log_parameter_max_length", SETTINGS_OF_ENVIRONMENT, 16, 0, derive_by_depth, NULL,
     "values of parameters may be private: not in the log where monitoring is essential", false},
    {"pgaudit.log", SETTINGS_OF_ENVIRONMENT, 0, 0, derive_audit, NULL,
     "changes of objects and rights, for the audit that the deck asks for", false},
    {"compute_query_id", SETTINGS_OF_POSTGRESQL, 14, 0, NULL, NULL,
     "auto: on as soon as pg_stat_statements is loaded", false},
    {"logging_collector", SETTINGS_OF_POSTGRESQL, 0, 0, NULL, NULL,
     "who starts the server knows where its log goes", false},
    {"log_hostname", SETTINGS_OF_SERVER, 0, 0, NULL, "off",
     "each connection would wait for a name server", false},
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

    /* locks */
    {"max_locks_per_transaction", SETTINGS_OF_SERVER, 0, 0, derive_max_locks, NULL,
     "a query locks every partition and index that it cannot rule out", false},
    {"max_pred_locks_per_transaction", SETTINGS_OF_POSTGRESQL, 0, 0, NULL, NULL,
     "serializable transactions only", false},
    {"deadlock_timeout", SETTINGS_OF_POSTGRESQL, 0, 0, NULL, NULL,
     "1 s: looking for deadlocks is dear, and log_lock_waits waits as long", false},
    {"lock_timeout", SETTINGS_OF_POSTGRESQL, 0, 0, NULL, NULL,
     "for those who change tables to set; pgdeck does in each of its steps", false},

    /* timeouts and connections */
    {"idle_in_transaction_session_timeout", SETTINGS_OF_ENVIRONMENT, 0, 0, derive_idle_timeout,
     NULL, "a forgotten transaction holds locks and keeps vacuum from cleaning up", false},
    {"idle_session_timeout", SETTINGS_OF_ENVIRONMENT, 14, 0, derive_idle_session_timeout, NULL,
     "sessions that somebody forgot; pools keep theirs open on purpose", false},
    {"statement_timeout", SETTINGS_OF_POSTGRESQL, 0, 0, NULL, NULL,
     "a matter of each service: its login role has the timeout of its pool", false},
    {"transaction_timeout", SETTINGS_OF_POSTGRESQL, 17, 0, NULL, NULL,
     "a limit for all would end backups and long loads", false},
    {"authentication_timeout", SETTINGS_OF_SERVER, 0, 0, NULL, "30s",
     "who does not finish logging in holds a connection", false},
    {"client_connection_check_interval", SETTINGS_OF_ENVIRONMENT, 14, 0, NULL, "10s",
     "a query whose client has gone away is ended", false},
    {"tcp_user_timeout", SETTINGS_OF_ENVIRONMENT, 0, 0, NULL, "60s",
     "a connection that nobody answers is given up", false},
    {"tcp_keepalives_idle", SETTINGS_OF_ENVIRONMENT, 0, 0, NULL, "60",
     "after a minute of silence the other side is asked; the default is two hours", false},
    {"tcp_keepalives_interval", SETTINGS_OF_ENVIRONMENT, 0, 0, NULL, "10", "and asked again",
     false},
    {"tcp_keepalives_count", SETTINGS_OF_ENVIRONMENT, 0, 0, NULL, "6",
     "and given up after another minute", false},

    /* passwords and TLS */
    {"password_encryption", SETTINGS_OF_SERVER, 0, 0, NULL, "scram-sha-256",
     "md5 hashes are outdated", false},
    {"scram_iterations", SETTINGS_OF_POSTGRESQL, 16, 0, NULL, NULL,
     "4096 as the standard says; more slows down each login", false},
    {"ssl", SETTINGS_OF_POSTGRESQL, 0, 0, NULL, NULL, "needs a certificate", false},
    {"ssl_min_protocol_version", SETTINGS_OF_SERVER, 0, 0, derive_min_protocol, NULL,
     "TLS 1.0 and 1.1 are broken", false},
    {"ssl_prefer_server_ciphers", SETTINGS_OF_POSTGRESQL, 0, 0, NULL, NULL,
     "on: the server chooses", false},
};
const size_t settings_rule_count = sizeof(settings_rules) / sizeof(settings_rules[0]);

bool
settings_rule_is_for(const struct settings_rule *rule, int major)
{
    return (rule->min_version == 0 || major >= rule->min_version) &&
           (rule->max_version == 0 || major <= rule->max_version);
}

/* What the rule gives; false: nothing. */
static bool
derive(const struct settings_rule *rule, const struct settings_case *of,
       struct settings_proposal *ret_proposal)
{
    struct settings_proposal proposal = {.value = rule->value};
    bool is_limited;

    if (rule->scope == SETTINGS_OF_POSTGRESQL ||
        !(rule->derive != NULL ? rule->derive(of, &proposal) : rule->value != NULL))
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

/* What pgdeck has to say against a value of the deck: NULL, or why PostgreSQL's own is right. */
static const char *
objection(const struct settings_rule *rule, const struct settings_case *of,
          const struct deck_setting *deck)
{
    for (size_t i = 0; i < settings_rule_count; i++) {
        const struct settings_rule *own = &settings_rules[i];
        if (own->scope != SETTINGS_OF_POSTGRESQL || strcmp(own->name, rule->name) != 0 ||
            !settings_rule_is_for(own, of->input->catalog->major) ||
            setting_is_equal(of->current, deck->value, of->current->boot_value))
            continue;
        return arena_printf(
            of->input->arena, "%s: pgdeck would leave it at %s, since %s", rule->name,
            setting_readable(of->input->arena, of->current, of->current->boot_value), own->reason);
    }
    return NULL;
}

/* A standby with less of these than its primary stops to replay. */
static const char *
warning_for_standbys(const struct settings_rule *rule, const struct settings_case *of,
                     const char *value)
{
    static const char *const names[] = {"max_connections", "max_worker_processes",
                                        "max_wal_senders", "max_prepared_transactions",
                                        "max_locks_per_transaction"};
    int standbys = of->input->measured.standbys;
    double now, then;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && standbys > 0; i++) {
        if (strcmp(names[i], rule->name) == 0 && setting_number(value, "", &then) &&
            setting_number(setting_server_value(of->current), "", &now) && then > now)
            return arena_printf(of->input->arena,
                                "%d standby%s this server: raise %s to %s there first, or replay "
                                "stops",
                                standbys, standbys == 1 ? " follows" : "s follow", rule->name,
                                value);
    }
    return NULL;
}

/* The deck's value, with what the rule would say. */
static void
take_from_deck(const struct settings_rule *rule, const struct settings_case *of,
               const struct deck_setting *deck, struct settings_proposal *ret_proposal)
{
    struct arena *arena = of->input->arena;
    struct settings_proposal rules;

    *ret_proposal = (struct settings_proposal){
        .value = deck->value,
        .why = arena_printf(arena, "the deck says so (line %d)", deck->place.line),
        .warning = objection(rule, of, deck),
        .deck = deck,
    };
    if (derive(rule, of, &rules) && !settings_is_equal(rule, of->current, rules.value, deck->value))
        ret_proposal->why = arena_printf(arena, "%s; pgdeck would take %s: %s", ret_proposal->why,
                                         rules.value, rules.why);
}

bool
settings_propose(const struct settings_rule *rule, const struct settings_case *of,
                 struct settings_proposal *ret_proposal)
{
    const struct deck_setting *deck = rule->scope == SETTINGS_OF_POSTGRESQL
                                          ? NULL
                                          : settings_wanted(of->input, of->environment, rule->name);

    if (deck != NULL)
        take_from_deck(rule, of, deck, ret_proposal);
    else if (!derive(rule, of, ret_proposal))
        return false;
    if (ret_proposal->warning == NULL)
        ret_proposal->warning = warning_for_standbys(rule, of, ret_proposal->value);
    return true;
}
