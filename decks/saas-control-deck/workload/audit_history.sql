-- name: audit_history
-- class: logs
-- what: who changed one thing, and how
-- uses: audit_trails_entity_idx
-- $1 type text: SELECT 'project'
-- $2 thing text: SELECT entity_id FROM audit_trails WHERE entity_type = 'project' ORDER BY id DESC LIMIT 200
SELECT created_at, user_id, action, old_values, new_values
  FROM audit_trails
 WHERE entity_type = $1 AND entity_id = $2
 ORDER BY created_at DESC, id DESC
 LIMIT 100;
