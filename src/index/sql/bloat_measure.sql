-- what: the same measured: reads the whole index
-- servers: 14..
-- variables: schema, oid
SELECT s.index_size AS size_bytes,
       CASE WHEN s.leaf_pages > 0 THEN s.leaf_pages * 8192 * s.avg_leaf_density
         / coalesce((SELECT split_part(o, '=', 2)::float8 FROM unnest(c.reloptions) AS o
                      WHERE starts_with(o, 'fillfactor=')), 90) ELSE 0 END
         + (s.internal_pages + 1) * 8192 AS needed_bytes
  FROM :"schema".pgstatindex(:'oid'::regclass) AS s
  JOIN pg_class c ON c.oid = :'oid'::oid;
