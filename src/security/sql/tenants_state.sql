-- what: tables that have the tenant column, and how row-level security stands there
-- servers: 14..
-- $1 column text
-- $2 setting text (empty: by login)
-- returns: a row each; label: for people; policy: its name; is_right: on, forced, and the policy is
--          the deck's; former: the statement that makes what is there (null: none); others:
--          more permissive policies
WITH candidate AS (
    SELECT c.oid, n.nspname AS schema, c.relname AS name, c.relrowsecurity AS is_on,
           c.relforcerowsecurity AS is_forced, t.typbasetype <> 0 AS is_domain,
           b.base
      FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid
      JOIN pg_namespace AS n ON n.oid = c.relnamespace
      JOIN pg_type AS t ON t.oid = a.atttypid
     CROSS JOIN LATERAL (
        WITH RECURSIVE domain AS (
            SELECT t.oid, t.typbasetype
             UNION ALL
            SELECT b.oid, b.typbasetype
              FROM domain AS d JOIN pg_type AS b ON b.oid = d.typbasetype)
        SELECT oid FROM domain WHERE typbasetype = 0) AS b (base) -- of domains over domains, too
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
), login AS (
    SELECT (SELECT atttypid FROM pg_attribute
             WHERE attrelid = to_regclass('tenants.login') AND attname = 'tenant') AS type
), named AS ( -- what the policy compares with: as PostgreSQL shows the expression
    SELECT c.*, format_type(c.base, -1) AS type,
           CASE WHEN $2 <> '' THEN format('NULLIF(current_setting(%L::text, true), ''''::text)', $2)
                WHEN l.type = 'text'::regtype OR l.type = c.base THEN 'l.tenant'
                ELSE '(l.tenant)::text' END AS told,
           CASE WHEN $2 <> '' THEN c.base <> 'text'::regtype
                ELSE c.base <> l.type AND c.base <> 'text'::regtype END AS is_cast,
           $2 = '' AND c.base <> l.type AS is_renamed
      FROM candidate AS c CROSS JOIN login AS l
), compared AS (
    SELECT n.*, CASE WHEN $2 <> '' THEN cast_value
                     ELSE format('( SELECT %s%s FROM tenants.login l WHERE (l.role = CURRENT_USER))',
                                 cast_value, CASE WHEN is_renamed THEN ' AS tenant' END) END AS value
      FROM named AS n
     CROSS JOIN LATERAL (SELECT CASE WHEN is_cast THEN format('(%s)::%s', told, type)
                                     ELSE told END AS cast_value) AS v
), wanted AS (
    SELECT c.*, regexp_replace(
           CASE WHEN c.base = 'varchar'::regtype THEN format('((%I)::text = (%s)::text)', $1, c.value)
                WHEN c.is_domain THEN format('((%I)::%s = %s)', $1, c.type, c.value)
                ELSE format('(%I = %s)', $1, c.value) END, '\s+', ' ', 'g') AS expression
      FROM compared AS c
)
SELECT w.schema, w.name, w.name AS label, 'pgdeck_tenant' AS policy, w.is_on, w.is_forced,
       w.is_on AND w.is_forced AND coalesce(p.is_for_all AND p.qual = w.expression
                                            AND p.written = w.expression, false) AS is_right,
       p.statement AS former,
       (SELECT string_agg(o.polname, ', ') FROM pg_policy AS o
         WHERE o.polrelid = w.oid AND o.polpermissive AND o.polname <> 'pgdeck_tenant') AS others
  FROM wanted AS w LEFT JOIN policy AS p ON p.polrelid = w.oid
 ORDER BY w.schema, w.name
