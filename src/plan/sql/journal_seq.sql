-- what: the highest number that this apply used in this database
-- servers: 14..
-- $1 apply id uuid
SELECT coalesce(max(seq), 0) AS seq FROM pgdeck.journal WHERE apply_id = $1::uuid
