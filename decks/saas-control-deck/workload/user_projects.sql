-- name: user_projects
-- class: lookup
-- what: the projects that one user works on
-- uses: project_members_user_id_idx
-- $1 user uuid: SELECT user_id FROM project_members ORDER BY joined_at DESC, user_id LIMIT 200
SELECT p.id, p.name, p.status, m.role, m.joined_at
  FROM project_members m
  JOIN projects p ON p.id = m.project_id
 WHERE m.user_id = $1
 ORDER BY p.name, p.id;
