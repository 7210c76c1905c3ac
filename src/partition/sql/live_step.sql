-- what: notes the step that a conversion has come to
-- servers: 14..
-- $1 id integer, $2 step text
UPDATE pgdeck.conversion SET step = $2 WHERE id = $1::int
