-- what: the size of each database, and the environment that the deck has it in
-- object: view monitoring.v_database_sizes
-- servers: 14..18
-- after: monitoring.deck_values
-- pg_database_size() walks the files and waits for no lock, unlike pg_relation_size().
CREATE OR REPLACE VIEW monitoring.v_database_sizes AS
SELECT d.datname AS database_name,
       v.value AS environment,
       s.bytes,
       pg_catalog.pg_size_pretty(s.bytes) AS size,
       pg_catalog.trunc(100.0 * s.bytes / nullif(pg_catalog.sum(s.bytes) OVER (), 0), 1)
           AS share_percent,
       CASE WHEN s.bytes IS NULL THEN 'not measurable with this role' ELSE 'measured' END AS basis
  FROM pg_catalog.pg_database AS d
  LEFT JOIN monitoring.deck_values AS v
    ON v.kind = 'environment' AND v.name = CAST(d.datname AS text)
 CROSS JOIN LATERAL (
        SELECT CASE WHEN pg_catalog.has_database_privilege(d.oid, 'CONNECT')
                         OR pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE')
                    THEN pg_catalog.pg_database_size(d.oid) END AS bytes) AS s
 WHERE NOT d.datistemplate
 ORDER BY s.bytes DESC NULLS LAST, d.datname;

COMMENT ON VIEW monitoring.v_database_sizes IS
'Databases of the server, the largest first, with the environment that the deck has them in (empty:
not in the deck). Look for one that grows faster than its share, and for databases that no deck
knows.';

GRANT SELECT ON monitoring.v_database_sizes TO pg_monitor;
