-- what: how fast sequences and transaction ids are used up, and the server's disks
-- Least squares over the history of the last 30 days. room: what is left; of a disk watch knows it.
-- servers: 14..18
WITH trend AS (
    SELECT g.kind, g.name, count(*) AS samples,
           extract(epoch FROM min(g.at)) AS since, extract(epoch FROM max(g.at)) AS until,
           86400 * pg_catalog.regr_slope(CAST(g.value AS double precision),
                                         CAST(extract(epoch FROM g.at) AS double precision)) AS a_day,
           pg_catalog.regr_r2(CAST(g.value AS double precision),
                              CAST(extract(epoch FROM g.at) AS double precision)) AS fit
      FROM monitoring.growth_history AS g
     WHERE g.at > pg_catalog.now() - interval '30 days' AND g.kind <> 'database'
     GROUP BY g.kind, g.name
), room AS (
    SELECT t.kind, t.name, t.samples, t.since, t.until, t.fit,
           t.a_day * pg_catalog.sign(s.increment) AS a_day,
           pg_catalog.abs(s.ends_at - CAST(s.last_value AS numeric)) AS room,
           false AS is_kept_young,
           CASE WHEN s.type_name IN ('int2', 'int4')
                THEN pg_catalog.format('ALTER TABLE %s ALTER COLUMN %I TYPE bigint; ',
                                       s.column_table, s.column_name) ELSE '' END
           || s.widen AS fix_sql
      FROM trend AS t
      JOIN monitoring.src_sequences AS s ON s.sql_name = t.name AND s.last_value IS NOT NULL
     WHERE t.kind = 'sequence'
     UNION ALL
    -- ids end only where autovacuum does not keep up
    SELECT t.kind, t.name, t.samples, t.since, t.until, t.fit, t.a_day, 2144483648 - pg_catalog.age(d.datfrozenxid),
           pg_catalog.age(d.datfrozenxid) <= 1.5 * CAST(
               pg_catalog.current_setting('autovacuum_freeze_max_age') AS bigint),
           'VACUUM (FREEZE);'
      FROM trend AS t
      JOIN pg_catalog.pg_database AS d ON d.datname = pg_catalog.current_database()
     WHERE t.kind = 'transaction ids'
     UNION ALL
    SELECT t.kind, t.name, t.samples, t.since, t.until, t.fit, - t.a_day, NULL, false, NULL
      FROM trend AS t
     WHERE t.kind = 'disk'
)
SELECT r.kind, r.name, r.samples, r.since, r.until, r.room, r.is_kept_young, r.fix_sql,
       r.a_day, r.fit
  FROM room AS r
 ORDER BY r.kind = 'sequence', r.room / CASE WHEN r.a_day > 0 THEN r.a_day END, r.name
 LIMIT 20;
