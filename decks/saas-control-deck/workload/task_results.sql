-- name: task_results
-- class: lookup
-- what: one task with all that the models answered
-- uses: ai_results_task_id_idx
-- $1 task bigint: SELECT task_id FROM ai_results ORDER BY id DESC LIMIT 200
SELECT t.task_name, t.status, m.name AS model, r.result_data, r.confidence_score,
       r.processing_time_ms, r.created_at
  FROM ai_tasks t
  JOIN ai_results r ON r.task_id = t.id
  JOIN ai_models m ON m.id = r.model_id
 WHERE t.id = $1
 ORDER BY r.created_at, r.id;
