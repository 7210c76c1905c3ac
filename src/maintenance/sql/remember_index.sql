-- what: remembers how many bytes an entry of an index takes, if that is the least yet
-- servers: 14..
-- $1 relation text, $2 bytes float8
INSERT INTO pgdeck.maintenance_index AS i (relation, bytes_per_entry) VALUES ($1, $2::float8)
ON CONFLICT (relation) DO UPDATE SET bytes_per_entry = excluded.bytes_per_entry, at = now()
 WHERE excluded.bytes_per_entry < i.bytes_per_entry
