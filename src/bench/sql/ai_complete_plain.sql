-- what: ends a task in ai_tasks itself: status, one result
-- servers: 14..
-- needs: decks/saas-control-deck/schema.sql
-- $1 ids bigint[]
-- $2 worker text
-- $3 milliseconds integer[]
-- returns: task_id
WITH ended AS (
    UPDATE ai_tasks t
       SET status = 'completed', completed_at = clock_timestamp(), updated_at = now(),
           output_data = '{"labels": ["duplicate", "draft"], "quality": 0.9, "finish": "stop"}'
      FROM unnest($1::bigint[], $3::integer[]) AS r(id, ms)
     WHERE t.id = r.id AND t.status = 'running' AND $2::text <> ''
    RETURNING t.id, r.ms
)
INSERT INTO ai_results (task_id, model_id, result_data, confidence_score, processing_time_ms)
SELECT id, 1 + id % 11, '{"label": "duplicate", "by": "pgdeck bench"}', 0.9, ms
  FROM ended
RETURNING task_id;
