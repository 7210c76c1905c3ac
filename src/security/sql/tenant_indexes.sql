-- what: indexes of a table with the tenant column whose operators are not leakproof: behind a policy
--       no query of a tenant can use them
-- servers: 14..
-- $1 schema text
-- $2 table text
-- $3 column text
-- returns: names, one row; null: none
SELECT string_agg(c.relname, ', ' ORDER BY c.relname) AS names
  FROM pg_index AS i
  JOIN pg_class AS c ON c.oid = i.indexrelid
  JOIN pg_class AS t ON t.oid = i.indrelid
  JOIN pg_namespace AS n ON n.oid = t.relnamespace
  JOIN pg_opclass AS o ON o.oid = i.indclass[0]
  LEFT JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
 WHERE n.nspname = $1 AND t.relname = $2 AND a.attname IS DISTINCT FROM $3
   AND NOT EXISTS (SELECT FROM pg_amop AS m
                     JOIN pg_operator AS p ON p.oid = m.amopopr
                     JOIN pg_proc AS f ON f.oid = p.oprcode
                    WHERE m.amopfamily = o.opcfamily AND m.amoppurpose = 's' AND f.proleakproof
                      AND m.amoplefttype = o.opcintype)
