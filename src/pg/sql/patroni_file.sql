-- what: whether Patroni keeps its state in the data directory
-- servers: 14..
-- returns: one row
SELECT size IS NOT NULL AS is_there FROM pg_stat_file('patroni.dynamic.json', true)
