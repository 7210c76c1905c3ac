-- what: for whom tasks are enqueued
-- servers: 14..
-- needs: decks/saas-control-deck/schema.sql
-- returns: project_id, user_id
SELECT id AS project_id, owner_id AS user_id
  FROM projects
 ORDER BY created_at, id
 LIMIT 200;
