-- name: project_files
-- class: lookup
-- what: the newest files of one project, with what is known about them
-- uses: file_storage_project_id_created_at_idx
-- $1 project uuid: SELECT project_id FROM file_storage ORDER BY created_at DESC, id LIMIT 200
SELECT f.id, f.path, f.content_type, f.size_bytes, f.created_at,
       (SELECT jsonb_object_agg(m.key, m.value)
          FROM file_metadata m
         WHERE m.file_id = f.id) AS known
  FROM file_storage f
 WHERE f.project_id = $1
 ORDER BY f.created_at DESC, f.id
 LIMIT 20;
