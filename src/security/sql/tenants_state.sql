-- what: tables that have the tenant column, and how row-level security stands there
-- servers: 14..
-- $1 column text
-- $2 setting text (empty: by login)
-- returns: a row each; is_right: on, forced, and the policy is the deck's; former: the statement
--          that makes the policy that is there (null: none)
WITH candidate AS (
    SELECT c.oid, n.nspname AS schema, c.relname AS name, c.relrowsecurity AS is_on,
           c.relforcerowsecurity AS is_forced, a.attnum, format_type(a.atttypid, NULL) AS type
      FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid
      JOIN pg_namespace AS n ON n.oid = c.relnamespace
     WHERE a.attname = $1 AND a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p')
       AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'pgdeck')
       AND (n.nspname, c.relname) <> ('tenants', 'login')
), policy AS (
    SELECT polrelid,
           regexp_replace(pg_get_expr(polqual, polrelid), '\s+', ' ', 'g') AS qual,
           regexp_replace(pg_get_expr(polwithcheck, polrelid), '\s+', ' ', 'g') AS written,
           polcmd = '*' AND polpermissive AND polroles = '{0}' AS is_for_all,
           format('CREATE POLICY pgdeck_tenant ON %s AS %s FOR %s TO %s%s%s', polrelid::regclass,
                  CASE WHEN polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END,
                  CASE polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE'
                              WHEN 'd' THEN 'DELETE' ELSE 'ALL' END,
                  (SELECT string_agg(CASE r WHEN 0 THEN 'PUBLIC'
                                            ELSE format('%I', pg_get_userbyid(r)) END, ', ')
                     FROM unnest(polroles) AS r),
                  format(' USING (%s)', nullif(pg_get_expr(polqual, polrelid), '')),
                  format(' WITH CHECK (%s)', nullif(pg_get_expr(polwithcheck, polrelid), '')))
               AS statement
      FROM pg_policy WHERE polname = 'pgdeck_tenant'
), wanted AS (
    SELECT t.*, regexp_replace(
           CASE WHEN $2 = ''
                THEN format('(%I = ( SELECT l.tenant FROM tenants.login l WHERE (l.role = CURRENT_USER)))', $1)
                WHEN t.type = 'text'
                THEN format('(%I = NULLIF(current_setting(%L::text, true), ''''::text))', $1, $2)
                WHEN t.type IN ('character varying', 'character')
                THEN format('((%I)::text = (NULLIF(current_setting(%L::text, true), ''''::text))::text)', $1, $2)
                ELSE format('(%I = (NULLIF(current_setting(%L::text, true), ''''::text))::%s)', $1, $2, t.type)
           END, '\s+', ' ', 'g') AS expression
      FROM candidate AS t
)
SELECT w.schema, w.name, w.is_on, w.is_forced, p.polrelid IS NOT NULL AS has_policy,
       w.is_on AND w.is_forced AND coalesce(p.is_for_all AND p.qual = w.expression
                                            AND p.written = w.expression, false) AS is_right,
       p.statement AS former,
       (SELECT string_agg(o.polname, ', ') FROM pg_policy AS o
         WHERE o.polrelid = w.oid AND o.polpermissive AND o.polname <> 'pgdeck_tenant') AS others
  FROM wanted AS w LEFT JOIN policy AS p ON p.polrelid = w.oid
 ORDER BY w.schema, w.name
