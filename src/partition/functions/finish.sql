-- what: what is left to do after a swap at the table that is in use now, one statement a row, each its
--       own transaction: foreign keys are validated, a partition at a time, then taken over by the table
-- servers: 14..
CREATE OR REPLACE FUNCTION pgdeck.conversion_finish(conversion_id integer)
RETURNS TABLE (statement text)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
WITH c AS (
  SELECT CASE WHEN v.step IN ('swapped', 'finished') THEN v.shadow ELSE v.source END AS used,
         f->>'name' AS name, f->>'definition' AS definition, f->>'comment' AS comment
    FROM pgdeck.conversion v CROSS JOIN LATERAL jsonb_array_elements(v.foreign_keys) f
   WHERE v.id = conversion_id
), statements(place, rank, statement) AS (
  SELECT 1, k.oid::text, format('ALTER TABLE %s VALIDATE CONSTRAINT %I', k.conrelid::regclass, k.conname)
    FROM c CROSS JOIN LATERAL (SELECT c.used UNION SELECT relid FROM pg_partition_tree(c.used)) AS p(relid)
    JOIN pg_constraint k ON k.conrelid = p.relid AND k.conname = c.name AND k.contype = 'f'
   WHERE NOT k.convalidated
   UNION ALL
  SELECT 2, c.name, format('ALTER TABLE %s ADD CONSTRAINT %I %s', c.used::regclass, c.name, c.definition)
    FROM c WHERE NOT EXISTS (SELECT FROM pg_constraint k
                              WHERE k.conrelid = c.used AND k.conname = c.name)
   UNION ALL
  SELECT 3, c.name, format('COMMENT ON CONSTRAINT %I ON %s IS %L', c.name, c.used::regclass, c.comment)
    FROM c WHERE c.comment IS NOT NULL)
SELECT statement FROM statements ORDER BY place, rank
$function$
