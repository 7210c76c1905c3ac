-- what: notes how far an adoption has come
-- servers: 14..
-- $1 id integer, $2 step text
UPDATE pgdeck.adoption SET step = $2::text WHERE id = $1::int
