-- what: why a default partition cannot be drained: each a clause
-- servers: 14..
-- $1 schema text, $2 table text: whose default it is
-- returns: reason
SELECT format('foreign key "%s" of %s points to it', k.conname, k.conrelid::regclass) AS reason
  FROM pg_class p JOIN pg_namespace n ON n.oid = p.relnamespace
  JOIN pg_constraint k ON k.confrelid = p.oid AND k.contype = 'f' AND k.conparentid = 0
 WHERE n.nspname = $1 AND p.relname = $2
