-- what: since when the cumulative counters of each database count
-- object: view monitoring.src_counted_since
-- servers: 14..18
-- pg_stat_database.stats_reset is empty until someone resets. A crash throws all counters away and
-- stamps the fixed ones (bgwriter, archiver, WAL); so the earliest of those stamps is the last
-- crash or initdb, or later if all three were reset by hand: it never promises a longer period than
-- there is.
CREATE OR REPLACE VIEW monitoring.src_counted_since AS
SELECT d.datid AS database_oid,
       d.datname AS database_name,
       coalesce(d.stats_reset, f.since) AS counted_since,
       pg_catalog.date_trunc('second', pg_catalog.now() - coalesce(d.stats_reset, f.since))
           AS counted_for
  FROM pg_catalog.pg_stat_database AS d
 CROSS JOIN (SELECT least(b.stats_reset, a.stats_reset, w.stats_reset) AS since
               FROM pg_catalog.pg_stat_bgwriter AS b
              CROSS JOIN pg_catalog.pg_stat_archiver AS a
              CROSS JOIN pg_catalog.pg_stat_wal AS w) AS f
 WHERE d.datid <> 0;

COMMENT ON VIEW monitoring.src_counted_since IS
'Since when the counters of each database count: its last reset, crash or initdb. Look for a short
counted_for: a rate or an "unused" over minutes proves nothing. An object younger than that counts
from its own creation.';

GRANT SELECT ON monitoring.src_counted_since TO pg_monitor;
