-- what: whether slow queries can be seen at all
-- check: statements
-- scope: database
-- rank: 90
-- servers: 14..18
SELECT 'info', 'slow queries cannot be seen', s.problem, 'measured',
       substring(s.problem FROM '\(((CREATE|ALTER) [^)]*)\)') || ';'
  FROM monitoring.statement_counters(true) AS s
 WHERE s.problem IS NOT NULL;
