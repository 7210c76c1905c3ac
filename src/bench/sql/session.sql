-- what: makes a session of the benchmark read only and limits each statement's time, unless the
-- database's own limit is lower
-- servers: 14..
-- $1 timeout_ms text
-- returns: one row that says nothing
SELECT set_config('default_transaction_read_only', 'on', false),
       set_config('statement_timeout',
                  CASE WHEN setting::bigint BETWEEN 1 AND $1::text::bigint THEN setting ELSE $1 END,
                  false)
FROM pg_settings
WHERE name = 'statement_timeout';
