-- what: keeps this transaction's statements out of the server's log; superusers only
-- servers: 14..
SET LOCAL log_statement = 'none';
SET LOCAL log_min_duration_statement = -1;
SET LOCAL log_min_error_statement = 'panic';
