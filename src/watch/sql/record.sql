-- what: takes a sample of the database into its history, where no other watch has just done so
-- servers: 14..18
-- $1 seconds double precision
SELECT CASE WHEN EXISTS (SELECT FROM monitoring.history_state AS s
                          WHERE s.at > pg_catalog.now()
                                       - pg_catalog.make_interval(secs => CAST($1 AS double precision)))
            THEN 'recorded already'
            ELSE monitoring.record_performance_metrics() END AS said;
