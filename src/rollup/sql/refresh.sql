-- what: a step of keeping a rollup up
-- servers: 14..
-- variables: refresh
-- returns: has_more
SELECT rollups.:"refresh"() AS has_more
