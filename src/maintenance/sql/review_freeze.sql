-- what: the tables whose oldest rows are the oldest, as shares of what autovacuum lets be
-- servers: 14..
-- returns: name, age, percent, size
SELECT format('%I.%I', n.nspname, c.relname) AS name,
       greatest(age(c.relfrozenxid), age(t.relfrozenxid))::text AS age,
       round(100.0 * greatest(age(c.relfrozenxid), age(t.relfrozenxid))
             / current_setting('autovacuum_freeze_max_age')::numeric, 1)::text AS percent,
       pg_size_pretty(c.relpages * current_setting('block_size')::bigint) AS size
  FROM pg_class AS c
  JOIN pg_namespace AS n ON n.oid = c.relnamespace
  LEFT JOIN pg_class AS t ON t.oid = c.reltoastrelid
 WHERE c.relkind IN ('r', 'm')
 ORDER BY greatest(age(c.relfrozenxid), age(t.relfrozenxid)) DESC, c.relpages DESC, 1
 LIMIT 20
