-- what: how many bytes an entry of each index has taken when it was at its best, as two arrays
-- servers: 14..
-- returns: relations, bytes
SELECT coalesce(array_agg(relation ORDER BY relation), '{}') AS relations,
       coalesce(array_agg(bytes_per_entry ORDER BY relation), '{}') AS bytes
  FROM pgdeck.maintenance_index
