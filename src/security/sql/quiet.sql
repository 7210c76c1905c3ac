-- what: keeps this transaction's statements out of the server's log; superusers only
-- servers: 14..
SELECT set_config('log_statement', 'none', true),
       set_config('log_min_duration_statement', '-1', true),
       set_config('log_min_error_statement', 'panic', true)
