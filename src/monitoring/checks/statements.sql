-- what: whether slow queries can be seen at all
-- check: statements
-- scope: database
-- rank: 90
-- servers: 14..18
SELECT 'info', 'slow queries cannot be seen', s.problem, 'measured',
       substring(s.problem FROM '\(((CREATE|ALTER) [^)]*)\)') || ';'
  FROM monitoring.statement_counters(true) AS s
 WHERE s.problem IS NOT NULL
 UNION ALL
SELECT 'info', format('pg_stat_statements ran out of room %s times', i.evicted),
       format('the statements that run least are thrown out then; pg_stat_statements.max is %s',
              current_setting('pg_stat_statements.max', true)), 'measured',
       format('ALTER SYSTEM SET pg_stat_statements.max = %s; -- takes a restart',
              2 * current_setting('pg_stat_statements.max', true)::integer)
  FROM monitoring.statements_info() AS i
 WHERE i.evicted > 0;
