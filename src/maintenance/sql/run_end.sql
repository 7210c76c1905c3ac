-- what: ends a run
-- servers: 14..
-- $1 id bigint, $2 state text, $3 findings jsonb
UPDATE pgdeck.maintenance_run
   SET state = $2, findings = $3::jsonb, finished_at = clock_timestamp()
 WHERE id = $1::bigint
