-- what: forgets one hypothetical index
-- servers: 14..
-- variables: schema oid
SELECT :schema.hypopg_drop_index(:oid)
