-- what: transaction and multixact ids of any database of the server on their way to wraparound
-- check: xid age
-- scope: server
-- rank: 5
-- servers: 14..18
-- Ages are shares of 2^31; PostgreSQL stops taking writes 3 million before that. Template databases
-- count: they hold back the whole server as well.
WITH aged AS (
    SELECT d.datname, k.kind, k.age, trunc(100.0 * k.age / 2147483648, 3) AS percent, k.starts
      FROM pg_database AS d
     CROSS JOIN LATERAL (VALUES
           ('transaction ids', age(d.datfrozenxid)::bigint,
            current_setting('autovacuum_freeze_max_age')),
           ('multixact ids', mxid_age(d.datminmxid)::bigint,
            current_setting('autovacuum_multixact_freeze_max_age'))) AS k (kind, age, starts)
), holder AS (
    SELECT format('%s holds the oldest snapshot, %s transactions old', h.who, h.age) AS text
      FROM (SELECT format('session %s', a.pid) AS who, age(a.backend_xmin) AS age
              FROM pg_stat_activity AS a WHERE a.backend_xmin IS NOT NULL
             UNION ALL
            SELECT format('replication slot %I', s.slot_name), age(x.xmin)
              FROM pg_replication_slots AS s
             CROSS JOIN LATERAL (VALUES (s.xmin), (s.catalog_xmin)) AS x (xmin)
             WHERE x.xmin IS NOT NULL
             UNION ALL
            SELECT format('prepared transaction %L', p.gid), age(p.transaction)
              FROM pg_prepared_xacts AS p) AS h
     WHERE h.age > 1000000
     ORDER BY h.age DESC
     LIMIT 1
)
SELECT CASE WHEN a.percent >= monitoring.threshold('xid_age_critical', '80')::numeric
            THEN 'critical' ELSE 'warning' END,
       format('database %I has used %s %% of its %s', a.datname, a.percent, a.kind),
       concat_ws('; ', format('age %s; autovacuum acts by itself from %s', a.age, a.starts),
                 (SELECT h.text FROM holder AS h)),
       'measured',
       CASE WHEN a.datname = current_database()
            THEN 'VACUUM (FREEZE); -- reads all of it'
            ELSE format('-- connect to %I, then: VACUUM (FREEZE);', a.datname) END
  FROM aged AS a
 WHERE a.percent >= monitoring.threshold('xid_age_warning', '50')::numeric;
