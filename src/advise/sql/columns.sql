-- what: columns of some tables with what ANALYZE found in them; only what this role may read
-- servers: 14..
-- $1 tables oid[]
SELECT a.attrelid AS table_oid, a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type,
       b.typcategory AS category, a.attnotnull AS is_not_null,
       coalesce(l.collname IN ('C', 'POSIX')
                OR l.collname = 'default' AND d.datcollate IN ('C', 'POSIX'), false)
         AS is_c_collated,
       coalesce(s.n_distinct, 0)::float8 AS distinct, coalesce(s.null_frac, 0)::float8 AS null_share,
       coalesce(s.avg_width, CASE WHEN a.attlen > 0 THEN a.attlen ELSE 32 END)::float8
         AS width_bytes,
       coalesce(s.correlation, 0)::float8 AS correlation,
       s.most_common_vals::text::text[] AS values, s.most_common_freqs::text[] AS shares,
       s.histogram_bounds::text::text[] AS bounds
  FROM pg_attribute a
  JOIN pg_class c ON c.oid = a.attrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_type t ON t.oid = a.atttypid
  JOIN pg_type b ON b.oid = CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.oid END
  JOIN pg_database d ON d.datname = current_database()
  LEFT JOIN pg_collation l ON l.oid = a.attcollation
  LEFT JOIN pg_stats s ON s.schemaname = n.nspname AND s.tablename = c.relname
                      AND s.attname = a.attname AND s.inherited = (c.relkind = 'p')
 WHERE a.attrelid = ANY ($1::oid[]) AND a.attnum > 0 AND NOT a.attisdropped
 ORDER BY a.attrelid, a.attnum
