-- what: default partitions that hold rows: of those ranges no partition can be made any more
-- servers: 14..
-- returns: name, parent, live
SELECT format('%I.%I', n.nspname, c.relname) AS name,
       format('%I.%I', pn.nspname, p.relname) AS parent,
       greatest(s.n_live_tup, c.reltuples::bigint) AS live
  FROM pg_partitioned_table AS k
  JOIN pg_class AS c ON c.oid = k.partdefid
  JOIN pg_namespace AS n ON n.oid = c.relnamespace
  JOIN pg_class AS p ON p.oid = k.partrelid
  JOIN pg_namespace AS pn ON pn.oid = p.relnamespace
  LEFT JOIN pg_stat_all_tables AS s ON s.relid = c.oid
 WHERE c.relkind = 'r' AND greatest(s.n_live_tup, c.reltuples::bigint) > 0
 ORDER BY 1
