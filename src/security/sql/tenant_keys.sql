-- what: foreign keys between tenants' tables that do not have the tenant column in them, and what
--       makes one that has; partitions' own are their table's
-- servers: 14..
-- variables: column
-- returns: schema, table, name: of the key; columns: of the table, texts; to_schema, to_table;
--          key_name, definition: of the wanted one; has_key, is_valid: it is there; is_validated:
--          the table's own key is; index_name, is_to_partitioned: where it is made, index_columns, needs_index: what it refers to; size: bytes of both tables; why_not: null,
--          or what stands against it
WITH guarded AS (
    SELECT c.oid, n.nspname, c.relname, c.relkind, a.attnum, a.atttypid
      FROM pg_catalog.pg_attribute AS a
      JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p')
      JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
     WHERE a.attname = :'column' AND a.attnum > 0 AND NOT a.attisdropped
       AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'pgdeck')
       AND (n.nspname, c.relname) <> ('tenants', 'login')
), key AS (
    SELECT k.*, f.nspname AS schema, f.relname AS table, f.relkind AS from_kind, t.relkind AS to_kind,
           t.nspname AS to_schema, t.relname AS to_table,
           f.attnum || k.conkey AS from_numbers, t.attnum || k.confkey AS to_numbers,
           CASE WHEN f.relkind = 'p' AND current_setting('server_version_num')::int < 180000
                THEN 'PostgreSQL before 18 reads a partitioned table under a lock for it'
                WHEN to_jsonb(k) ->> 'conperiod' = 'true' THEN 'it is of periods of time' -- 18
                WHEN to_jsonb(k) ->> 'conenforced' = 'false' THEN 'it is not enforced'
                WHEN f.atttypid <> t.atttypid THEN 'the columns are of two types'
                WHEN f.attnum = ANY (k.conkey) OR t.attnum = ANY (k.confkey)
                THEN 'it pairs the tenant with another column'
                WHEN k.confupdtype IN ('n', 'd') THEN 'ON UPDATE SET NULL would take the tenant, too'
                WHEN k.confdeltype IN ('n', 'd') AND current_setting('server_version_num')::int < 150000
                THEN 'before PostgreSQL 15 ON DELETE SET NULL would take the tenant, too' END AS why_not
      FROM pg_catalog.pg_constraint AS k
      JOIN guarded AS f ON f.oid = k.conrelid
      JOIN guarded AS t ON t.oid = k.confrelid
     WHERE k.contype = 'f' AND k.conparentid = 0
       AND NOT EXISTS (SELECT FROM unnest(k.conkey, k.confkey) AS pair (here, there)
                        WHERE pair.here = f.attnum AND pair.there = t.attnum)
), named AS (
    SELECT key.*, h.names AS from_names, t.names AS to_names, h.quoted AS from_columns,
           t.quoted AS to_columns
      FROM key
     CROSS JOIN LATERAL (
        SELECT string_agg(a.attname, '_' ORDER BY i) AS names,
               string_agg(format('%I', a.attname), ', ' ORDER BY i) AS quoted
          FROM unnest(from_numbers) WITH ORDINALITY AS n (number, i)
          JOIN pg_catalog.pg_attribute AS a ON a.attrelid = conrelid AND a.attnum = n.number) AS h
     CROSS JOIN LATERAL (
        SELECT string_agg(a.attname, '_' ORDER BY i) AS names,
               string_agg(format('%I', a.attname), ', ' ORDER BY i) AS quoted
          FROM unnest(to_numbers) WITH ORDINALITY AS n (number, i)
          JOIN pg_catalog.pg_attribute AS a ON a.attrelid = confrelid AND a.attnum = n.number) AS t
)
SELECT k.schema, k.table, k.conname AS name, k.to_schema, k.to_table, k.from_columns AS columns,
       coalesce(there.conname,
                CASE WHEN octet_length(k.conname::text) <= 56
                      AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint AS c
                                       WHERE c.conrelid = k.conrelid AND c.conname = k.conname || '_tenant')
                     THEN k.conname || '_tenant' ELSE 'tenant_' || md5(k.conname) END) AS key_name,
       format('FOREIGN KEY (%s) REFERENCES %I.%I (%s)%s%s%s', k.from_columns, k.to_schema, k.to_table,
              k.to_columns,
              CASE k.confupdtype WHEN 'c' THEN ' ON UPDATE CASCADE'
                                 WHEN 'r' THEN ' ON UPDATE RESTRICT' END,
              CASE k.confdeltype WHEN 'c' THEN ' ON DELETE CASCADE'
                                 WHEN 'r' THEN ' ON DELETE RESTRICT'
                                 WHEN 'n' THEN format(' ON DELETE SET NULL (%s)', own.columns)
                                 WHEN 'd' THEN format(' ON DELETE SET DEFAULT (%s)', own.columns) END,
              CASE WHEN k.condeferred THEN ' DEFERRABLE INITIALLY DEFERRED'
                   WHEN k.condeferrable THEN ' DEFERRABLE' END) AS definition,
       there.conname IS NOT NULL AS has_key, coalesce(there.convalidated, false) AS is_valid,
       k.convalidated AS is_validated, k.to_kind = 'p' AS is_to_partitioned,
       CASE WHEN octet_length(format('%s_%s', k.to_table, k.to_names)) <= 59
             AND NOT EXISTS ( -- one whose build was not ended is gone on with
                SELECT FROM pg_catalog.pg_class AS c
                 WHERE c.relnamespace = to_regnamespace(quote_ident(k.to_schema))
                   AND c.relname = format('%s_%s_key', k.to_table, k.to_names)
                   AND NOT EXISTS (SELECT FROM pg_catalog.pg_index AS i
                                    WHERE i.indexrelid = c.oid AND i.indrelid = k.confrelid
                                      AND NOT i.indisvalid))
            THEN format('%s_%s_key', k.to_table, k.to_names)
            ELSE 'tenant_key_' || md5(format('%s_%s', k.to_table, k.to_names)) END AS index_name,
       k.to_columns AS index_columns,
       NOT EXISTS (SELECT FROM pg_catalog.pg_index AS i
                    WHERE i.indrelid = k.confrelid AND i.indisunique AND i.indimmediate
                      AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
                      AND i.indnkeyatts = cardinality(k.to_numbers)
                      AND (SELECT bool_and(i.indkey[n] = ANY (k.to_numbers))
                             FROM generate_series(0, i.indnkeyatts - 1) AS n)) AS needs_index,
       (SELECT sum(pg_relation_size(p.relid))
          FROM unnest(ARRAY[k.conrelid, k.confrelid]) AS r (oid)
         CROSS JOIN LATERAL (SELECT r.oid AS relid
                              UNION SELECT m.relid FROM pg_partition_tree(r.oid) AS m) AS p) AS size,
       k.why_not
  FROM named AS k
 CROSS JOIN LATERAL (
    SELECT string_agg(format('%I', a.attname), ', ' ORDER BY i) AS columns
      FROM unnest(k.conkey) WITH ORDINALITY AS n (number, i)
      JOIN pg_catalog.pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = n.number) AS own
  LEFT JOIN LATERAL (
    SELECT c.conname, c.convalidated
      FROM pg_catalog.pg_constraint AS c
     WHERE c.contype = 'f' AND c.conrelid = k.conrelid AND c.confrelid = k.confrelid
       AND ARRAY(SELECT format('%s:%s', p.h, p.t) FROM unnest(c.conkey, c.confkey) AS p (h, t) ORDER BY 1)
           = ARRAY(SELECT format('%s:%s', p.h, p.t)
                     FROM unnest(k.from_numbers, k.to_numbers) AS p (h, t) ORDER BY 1)
     ORDER BY c.convalidated DESC LIMIT 1) AS there ON true
 WHERE NOT coalesce(there.convalidated, false)
 ORDER BY k.schema, k.table, k.conname
