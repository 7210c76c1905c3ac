-- what: why a table in use cannot become a partition of a new one without copying: each a clause
-- servers: 14..
-- $1 schema text, $2 table text
-- returns: reason
WITH target AS (
  SELECT c.* FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE n.nspname = $1 AND c.relname = $2
)
SELECT 'it is partitioned already' AS reason FROM target WHERE relkind = 'p'
 UNION ALL
SELECT format('its key "%s" is %s', k.conname, substring(pg_get_constraintdef(k.oid)
                                                         FROM 'DEFERRABLE|NULLS NOT DISTINCT|WITH|USING'))
  FROM target t JOIN pg_constraint k ON k.conrelid = t.oid AND k.contype IN ('p', 'u')
 WHERE pg_get_constraintdef(k.oid) ~ '(DEFERRABLE|NULLS NOT DISTINCT| WITH \(|USING)'
 UNION ALL
SELECT format('a constraint of it is named "%s"', k.conname)
  FROM target t JOIN pg_constraint k ON k.conrelid = t.oid AND k.conname = 'pgdeck_until'
