-- what: lines of pg_hba.conf that the server would not take; those that wait for TLS are no fault
-- servers: 14..
-- returns: a row each
SELECT line_number AS line, error
  FROM pg_hba_file_rules
 WHERE error IS NOT NULL AND error NOT LIKE 'hostssl record cannot match because SSL is disabled%'
 ORDER BY line_number
