-- what: lines of pg_hba.conf, and of what it includes, that the server would not take; those that
--       wait for TLS are no fault
-- servers: 14..
-- returns: a row each
SELECT format('line %s of %s', r.line_number,
              coalesce(to_jsonb(r) ->> 'file_name', current_setting('hba_file'))) AS line, r.error
  FROM pg_hba_file_rules AS r
 WHERE r.error IS NOT NULL
   AND r.error NOT LIKE 'hostssl record cannot match because SSL is disabled%'
 ORDER BY to_jsonb(r) ->> 'file_name', r.line_number
