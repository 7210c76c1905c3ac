-- what: the publications that name a table, and how they name it
-- servers: 14..14
CREATE OR REPLACE FUNCTION pgdeck.conversion_publications(relation oid)
RETURNS TABLE (pubname text, clause text)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
SELECT p.pubname, ''
  FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid WHERE r.prrelid = relation
$function$
