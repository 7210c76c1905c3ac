-- what: AI results whose task is gone, from a bounded sample
-- check: orphaned results
-- scope: database
-- rank: 45
-- servers: 14..18
-- needs: table ai_tasks(id)
-- needs: table ai_results(task_id)
SELECT r.severity, r.finding, r.evidence, r.confidence, r.fix_sql
  FROM monitoring.orphaned_results() AS r;
