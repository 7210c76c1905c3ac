-- what: writes a batch of figures
-- What another watch has written stays; what is of a day without a partition is left out.
-- servers: 14..18
INSERT INTO monitoring.target_history (at, name, sums)
SELECT pg_catalog.to_timestamp(b.at), b.name, CAST(b.sums AS real[])
  FROM unnest(CAST($1 AS double precision[]), CAST($2 AS text[]), CAST($3 AS text[]))
           AS b (at, name, sums)
 WHERE pg_catalog.to_regclass('monitoring.target_history'
           || pg_catalog.to_char(pg_catalog.to_timestamp(b.at) AT TIME ZONE 'UTC', '_YYYYMMDD'))
       IS NOT NULL
    ON CONFLICT DO NOTHING;
