-- what: replication slots that nobody reads, and slots that keep much WAL or have lost it
-- check: replication slots
-- scope: server
-- rank: 15
-- servers: 14..18
-- A slot that has reserved nothing (no restart_lsn, no xmin) harms nobody. Columns that only newer
-- servers have are asked for by name in the row as JSON.
SELECT CASE WHEN s.wal_status = 'lost' OR s.invalid IS NOT NULL OR s.wal_status = 'unreserved'
                 OR s.kept >= monitoring.threshold('slot_wal_critical', '10737418240')::numeric
            THEN 'critical' ELSE 'warning' END,
       CASE WHEN s.wal_status = 'lost' OR s.invalid IS NOT NULL
            THEN format('replication slot %L has lost the WAL that it needs', s.slot_name)
            WHEN NOT s.active
            THEN format('replication slot %L is read by nobody', s.slot_name)
            ELSE format('replication slot %L is far behind', s.slot_name) END,
       concat_ws('; ', format('keeps %s of WAL', pg_size_pretty(s.kept)),
                 'status ' || s.wal_status, 'invalid: ' || s.invalid,
                 'inactive since ' || date_trunc('second', s.since::timestamptz),
                 CASE WHEN s.xmin_age > 0
                      THEN format('keeps vacuum from dead rows of the last %s transactions',
                                  s.xmin_age) END,
                 CASE WHEN s.limit_mb < 0
                      THEN 'max_slot_wal_keep_size is not set: the disk may fill' END),
       'measured',
       CASE WHEN NOT s.active
            THEN format('SELECT pg_drop_replication_slot(%L); -- if its reader is gone for good; a '
                        'standby without its slot may have to be made anew', s.slot_name)
            ELSE format('SELECT * FROM pg_stat_replication WHERE pid = %s; -- why is it slow?',
                        s.active_pid) END
  FROM (SELECT r.slot_name, r.active, r.active_pid, r.wal_status,
               to_jsonb(r) ->> 'invalidation_reason' AS invalid,
               to_jsonb(r) ->> 'inactive_since' AS since,
               coalesce((to_jsonb(r) ->> 'synced')::boolean, false) AS synced,
               greatest(age(r.xmin), age(r.catalog_xmin)) AS xmin_age,
               r.restart_lsn, r.xmin, r.catalog_xmin,
               pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()
                                    ELSE pg_current_wal_lsn() END, r.restart_lsn) AS kept,
               (SELECT p.setting::bigint FROM pg_settings AS p
                 WHERE p.name = 'max_slot_wal_keep_size') AS limit_mb
          FROM pg_replication_slots AS r
         WHERE NOT r.temporary) AS s
 WHERE NOT s.synced
   AND (s.wal_status = 'lost' OR s.invalid IS NOT NULL
        OR (NOT s.active AND (s.restart_lsn IS NOT NULL OR s.xmin IS NOT NULL
                              OR s.catalog_xmin IS NOT NULL))
        OR s.kept >= monitoring.threshold('slot_wal_warning', '1073741824')::numeric)
 ORDER BY s.kept DESC NULLS LAST;
