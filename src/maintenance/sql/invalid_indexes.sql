-- what: indexes that a build has left invalid, and that nobody is building
-- servers: 14..
-- returns: relation, is_leftover (of a REINDEX CONCURRENTLY), what, sql
SELECT format('%I.%I', n.nspname, x.relname) AS relation,
       x.relname ~ '_cc(new|old)[0-9]*$' AS is_leftover,
       format('index %I.%I on %I is invalid: no query uses it%s', n.nspname, x.relname, t.relname,
              CASE WHEN i.indisready THEN ', every write pays for it' ELSE '' END) AS what,
       CASE WHEN x.relname ~ '_cc(new|old)[0-9]*$'
            THEN format('DROP INDEX CONCURRENTLY %I.%I', n.nspname, x.relname)
            ELSE format('REINDEX INDEX CONCURRENTLY %I.%I', n.nspname, x.relname) END AS sql
  FROM pg_index AS i
  JOIN pg_class AS x ON x.oid = i.indexrelid
  JOIN pg_class AS t ON t.oid = i.indrelid
  JOIN pg_namespace AS n ON n.oid = x.relnamespace
 WHERE NOT (i.indisvalid AND i.indisready AND i.indislive)
   AND x.relkind = 'i' AND x.relpersistence <> 't'
   AND NOT EXISTS (SELECT FROM pg_constraint AS k WHERE k.conindid = i.indexrelid)
   AND NOT EXISTS (SELECT FROM pg_stat_progress_create_index AS p
                    WHERE p.datname = current_database()
                      AND (p.index_relid = i.indexrelid OR p.relid = i.indrelid))
 ORDER BY 1
