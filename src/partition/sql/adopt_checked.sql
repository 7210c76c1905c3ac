-- what: whether the CHECK of an adoption is there
-- servers: 14..
-- $1 id integer
-- returns: is_there, is_valid
SELECT count(k.oid) > 0 AS is_there, coalesce(bool_and(k.convalidated), false) AS is_valid
  FROM pgdeck.adoption v
  LEFT JOIN pg_constraint k ON k.conrelid = v.source AND k.conname = 'pgdeck_until'
 WHERE v.id = $1::int
