-- what: what room the server's disks have, into the history once an hour
-- servers: 14..18
INSERT INTO monitoring.growth_history (at, kind, name, value)
SELECT pg_catalog.now(), 'disk', d.name, CAST(d.free_bytes AS numeric)
  FROM unnest(CAST($1 AS text[]), CAST($2 AS text[])) AS d (name, free_bytes)
 WHERE pg_catalog.to_regclass('monitoring.growth_history'
           || pg_catalog.to_char(pg_catalog.now() AT TIME ZONE 'UTC', '_YYYYMMDD')) IS NOT NULL
   AND NOT EXISTS (SELECT FROM monitoring.growth_history AS h
                    WHERE h.at > pg_catalog.now() - interval '55 minutes' AND h.kind = 'disk');
