-- what: types of AI tasks of which too many fail or take too long
-- check: ai tasks
-- scope: database
-- rank: 22
-- servers: 14..18
-- needs: table ai_tasks(status, task_type, created_at, started_at, completed_at)
SELECT CASE WHEN p.failed_percent >= monitoring.threshold('ai_task_errors_critical', '10')::numeric
                 OR p.p95_s >= extract(epoch FROM monitoring.threshold('ai_task_critical', '1 h')
                                                  ::interval)
            THEN 'critical' ELSE 'warning' END,
       format('AI tasks of type %s: %s %% fail, p95 %s s', p.task_type, p.failed_percent, p.p95_s),
       format('%s of %s in %s over 24 hours', p.failed, p.completed + p.failed, p.table_name),
       p.basis,
       format('SELECT * FROM %s WHERE task_type = %L AND status = ''failed'' '
              'ORDER BY created_at DESC LIMIT 20; -- what do they have in common?', p.table_name,
              p.task_type)
  FROM monitoring.ai_task_performance() AS p
 WHERE p.completed + p.failed >= 20
   AND (p.failed_percent >= monitoring.threshold('ai_task_errors_warning', '5')::numeric
        OR p.p95_s >= extract(epoch FROM monitoring.threshold('ai_task_warning', '1 h')::interval));
