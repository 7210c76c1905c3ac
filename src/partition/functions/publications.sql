-- what: the publications that name a table, and which columns and rows of it they send
-- servers: 15..
CREATE OR REPLACE FUNCTION pgdeck.conversion_publications(relation oid)
RETURNS TABLE (pubname text, clause text)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
SELECT p.pubname, concat((SELECT ' (' || string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) || ')'
                            FROM pg_attribute a WHERE a.attrelid = relation
                                                  AND a.attnum = ANY (r.prattrs::int2[])),
                         ' WHERE (' || pg_get_expr(r.prqual, relation) || ')')
  FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid WHERE r.prrelid = relation
$function$
