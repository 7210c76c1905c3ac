-- what: whether there have been adoptions
-- servers: 14..
SELECT to_regclass('pgdeck.adoption') IS NOT NULL AS is_there
