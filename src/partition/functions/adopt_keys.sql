-- what: the unique keys of a table that lack a column, and the indexes that stand for them: `wide`, with
--       the column, for the partitioned table; `back`, as they are, for the way back
-- servers: 14..
CREATE OR REPLACE FUNCTION pgdeck.adoption_keys(relation oid, column_name name)
RETURNS TABLE (key_index oid, key_name name, is_primary boolean, wide name, back name, wide_columns text,
               back_columns text)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
SELECT k.conindid, k.conname, k.contype = 'p', ('pgdeck_wide_' || k.conindid)::name,
       ('pgdeck_back_' || k.conindid)::name,
       overlay(d.columns PLACING ', ' || quote_ident(column_name) FROM length(h.head) + 1 FOR 0), d.columns
  FROM pg_constraint k
 CROSS JOIN LATERAL (SELECT substring(pg_get_constraintdef(k.oid) FROM '\(.*')) AS d(columns)
 CROSS JOIN LATERAL (
   SELECT '(' || string_agg(quote_ident(a.attname), ', ' ORDER BY u.place)
     FROM unnest(k.conkey) WITH ORDINALITY AS u(attnum, place)
     JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.attnum) AS h(head)
 WHERE k.conrelid = relation AND k.contype IN ('p', 'u')
   AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey)
                                                AND a.attname = column_name)
$function$
