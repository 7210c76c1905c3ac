-- what: what the changes of an apply needed, whatever has become of them
-- servers: 14..
-- $1 apply id
SELECT coalesce(bool_or(needs IS NOT NULL), false) AS reload,
       coalesce(bool_or(needs = 'restart'), false) AS restart
  FROM pgdeck.journal
 WHERE apply_id = $1::uuid
