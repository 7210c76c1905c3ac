-- what: indexes for the way back of adoptions that are past their time
-- servers: 14..
-- $1 all: before their time, too boolean
-- returns: id, what, why, sql
SELECT v.id, format('remove the way back of %I.%I', v.schema_name, v.table_name) AS what,
       format('it became partitioned on %s; the old keys of %I go', v.swapped_at::date, v.history_name) AS why,
       concat(string_agg(format('DROP INDEX %s; ', i.indexrelid::regclass), '' ORDER BY c.relname),
              format('UPDATE pgdeck.adoption SET step = ''removed'' WHERE id = %s', v.id)) AS sql
  FROM pgdeck.adoption v
  LEFT JOIN (pg_index i JOIN pg_class c ON c.oid = i.indexrelid AND c.relname LIKE 'pgdeck\_back\_%')
         ON i.indrelid = v.source
 WHERE v.step = 'finished' AND ($1::boolean OR v.swapped_at + v.keep < now())
 GROUP BY v.id
 ORDER BY v.id
