-- what: indexes that no query has used for long
-- check: unused indexes
-- scope: database
-- rank: 75
-- servers: 14..18
-- From 1 MB on. Counters must cover long enough (alert unused_index), or nothing is said.
SELECT CASE WHEN u.counted_for
                 >= monitoring.threshold('unused_index_critical', '3650 days')::interval
            THEN 'critical' ELSE 'warning' END,
       format('index %I.%I has not been used for %s', u.schema_name, u.index_name, u.counted_for),
       format('on %I.%I, about %s; counters began %s', u.schema_name, u.table_name,
              pg_size_pretty(u.about_bytes), date_trunc('second', u.counted_since)),
       'measured here; standbys count for themselves: ask them too, and mind yearly reports',
       format(CASE WHEN u.partitions > 0 THEN 'DROP INDEX %I.%I;'
                   ELSE 'DROP INDEX CONCURRENTLY %I.%I;' END, u.schema_name, u.index_name)
  FROM monitoring.v_index_usage AS u
 WHERE u.usage_category = 'UNUSED' AND u.enforces IS NULL AND u.is_valid
   AND u.about_bytes >= 1048576
   AND u.counted_for >= monitoring.threshold('unused_index_warning', '14 days')::interval
 ORDER BY u.about_bytes DESC
 LIMIT 50;
