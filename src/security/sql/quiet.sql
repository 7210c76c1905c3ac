-- what: keeps this transaction's statements out of the server's log, out of pg_stat_statements and
--       out of pg_stat_activity, which members of pg_monitor read; superusers only. Where
--       pg_stat_statements is not loaded its settings are two words that nobody reads
-- servers: 14..
SELECT set_config('log_statement', 'none', true),
       set_config('log_min_duration_statement', '-1', true),
       set_config('log_min_error_statement', 'panic', true),
       set_config('track_activities', 'off', true),
       set_config('pg_stat_statements.track', 'none', true),
       set_config('pg_stat_statements.track_utility', 'off', true)
