-- what: queries that do not fit into work_mem and write temporary files
-- check: temp files
-- scope: database
-- rank: 62
-- servers: 14..18
-- In the interval since the last sample that is over a minute old, where history is recorded;
-- otherwise since the counters began. As bytes an hour, of one hour at least. Rows take several
-- times more room in memory than in a file.
SELECT CASE WHEN r.bytes_an_hour
                 >= monitoring.threshold('temp_bytes_critical', '10737418240')::numeric
            THEN 'critical' ELSE 'warning' END,
       format('%s of temporary files an hour', pg_size_pretty(r.bytes_an_hour::bigint)),
       format('%s files, %s since %s; work_mem is %s', r.files, pg_size_pretty(r.bytes),
              date_trunc('second', r.since), current_setting('work_mem')),
       r.basis,
       format('ALTER DATABASE %I SET work_mem = %L; -- for new sessions; each of their sorts and '
              'hashes may take that much', current_database(),
              least(1048576, greatest(8 * r.bytes / nullif(r.files, 0) / 1024,
                    4 * (SELECT s.setting::bigint FROM pg_settings AS s
                          WHERE s.name = 'work_mem')))::bigint || 'kB')
  FROM (SELECT s.temp_files - coalesce(h.temp_files, 0) AS files,
               s.temp_bytes - coalesce(h.temp_bytes, 0) AS bytes,
               coalesce(h.at, c.counted_since) AS since,
               CASE WHEN h.at IS NOT NULL THEN 'measured since the last sample'
                    ELSE 'mean since the counters began: may be long ago' END AS basis,
               (s.temp_bytes - coalesce(h.temp_bytes, 0)) / greatest(1, extract(epoch FROM
                   clock_timestamp() - coalesce(h.at, c.counted_since)) / 3600) AS bytes_an_hour
          FROM pg_stat_database AS s
          JOIN monitoring.src_counted_since AS c ON c.database_oid = s.datid
          LEFT JOIN LATERAL (
                SELECT d.at, d.temp_files, d.temp_bytes
                  FROM monitoring.database_history AS d
                 WHERE d.at >= now() - interval '1 hour' AND d.at <= now() - interval '1 minute'
                   AND d.counted_since IS NOT DISTINCT FROM c.counted_since
                   AND d.temp_bytes <= s.temp_bytes
                 ORDER BY d.at DESC
                 LIMIT 1) AS h ON true
         WHERE s.datname = current_database()) AS r
 WHERE r.bytes_an_hour >= monitoring.threshold('temp_bytes_warning', '1073741824')::numeric
   AND r.bytes > 0;
