-- what: the statements that give the new table, which is empty, the foreign keys of the old one
-- servers: 14..
-- $1 id integer
-- returns: statement
SELECT concat(format('ALTER TABLE %s ADD CONSTRAINT %I %s', v.shadow::regclass, k.conname,
                     pg_get_constraintdef(k.oid)),
              format('; COMMENT ON CONSTRAINT %I ON %s IS %L', k.conname, v.shadow::regclass,
                     obj_description(k.oid, 'pg_constraint')))
       AS statement
  FROM pgdeck.adoption v
  JOIN pg_constraint k ON k.conrelid = v.source AND k.contype = 'f'
 WHERE v.id = $1::int
   AND NOT EXISTS (SELECT FROM pg_constraint s WHERE s.conrelid = v.shadow AND s.conname = k.conname)
 ORDER BY k.conname
