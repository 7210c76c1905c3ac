-- what: which of these libraries are installed, where the server looks for them
-- servers: 14..
-- $1 names text[]
-- returns: a row each; is_there null: dynamic_library_path leads elsewhere
WITH path AS (
    SELECT setting AS folder FROM pg_config WHERE name = 'PKGLIBDIR'
), file AS (
    SELECT name, regexp_replace(CASE WHEN name LIKE '/%' THEN name
                                     WHEN name LIKE '$libdir/%' THEN folder || substr(name, 8)
                                     ELSE folder || '/' || name END, '\.so$', '') || '.so' AS path
      FROM unnest($1::text[]) AS name, path
)
SELECT name,
       CASE WHEN (pg_stat_file(path, true)).size IS NOT NULL THEN true
            WHEN current_setting('dynamic_library_path') = '$libdir' OR name LIKE '%/%' THEN false
       END AS is_there
  FROM file
