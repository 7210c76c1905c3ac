-- what: whether columns of this server's catalogs are there, in the order asked for
-- servers: 14..
-- $1 relations text[]
-- $2 columns text[]
-- returns: one row each
SELECT EXISTS (SELECT FROM pg_attribute AS a
                WHERE a.attrelid = to_regclass(w.relation) AND a.attname = w.name
                  AND NOT a.attisdropped) AS is_there
  FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS w (relation, name, place)
 ORDER BY w.place
