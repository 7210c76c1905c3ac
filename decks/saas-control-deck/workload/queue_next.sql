-- name: queue_next
-- class: queue
-- what: the tasks that a worker would claim next
-- uses: ai_task_queue_priority_place_idx
-- A worker adds FOR UPDATE SKIP LOCKED and sets lease_until and worker in the same statement.
SELECT task_id, priority, attempt
  FROM ai_task_queue
 WHERE lease_until IS NULL OR lease_until < now()
 ORDER BY priority DESC, place
 LIMIT 32;
