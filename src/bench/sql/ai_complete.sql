-- what: ends tasks that the worker still holds: out of the queue, status, one result each; the list
--   of status is as in ai_claim.sql, so that tasks are looked up by their key
-- servers: 14..
-- needs: decks/saas-control-deck/schema.sql
-- $1 ids bigint[]
-- $2 worker text
-- $3 milliseconds integer[]
-- returns: task_id, of each that was ended
WITH held AS (
    DELETE FROM ai_task_queue
     WHERE task_id = ANY ($1) AND worker = $2
    RETURNING task_id
), ended AS (
    UPDATE ai_tasks t
       SET status = 'completed', completed_at = clock_timestamp(), updated_at = now(),
           started_at = greatest(t.created_at, now() - r.ms * interval '1 ms'),
           output_data = '{"labels": ["duplicate", "draft"], "quality": 0.9, "finish": "stop"}'
      FROM held h
      JOIN unnest($1::bigint[], $3::integer[]) AS r(id, ms) ON r.id = h.task_id
     WHERE t.id = h.task_id AND t.status = ANY (ARRAY (VALUES ('pending'), ('running')))
    RETURNING t.id, r.ms
)
INSERT INTO ai_results (task_id, model_id, result_data, confidence_score, processing_time_ms)
SELECT id, 1 + id % 11, '{"label": "duplicate", "by": "pgdeck bench"}', 0.9, ms
  FROM ended
RETURNING task_id;
