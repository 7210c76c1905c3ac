-- what: who keeps vacuum from clearing dead rows: the oldest snapshot and its holder
-- check: old snapshots
-- scope: server
-- rank: 24
-- servers: 14..18
-- A standby with hot_standby_feedback shows as its slot or its sender.
(SELECT CASE WHEN h.age >= monitoring.threshold('old_snapshot_critical', '500000000')::bigint
             THEN 'critical' ELSE 'warning' END,
        format('%s keeps the dead rows of the last %s transactions', h.who, h.age),
        'vacuum clears nothing that died since, in any database that it can see', 'measured', h.fix
   FROM (SELECT format('session %s (%I, %s)', a.pid, a.usename, a.datname) AS who,
                age(a.backend_xmin) AS age,
                format('SELECT pg_terminate_backend(pid) FROM pg_stat_activity '
                       'WHERE pid = %s AND backend_start = %L;', a.pid, a.backend_start) AS fix
           FROM pg_stat_activity AS a
          WHERE a.backend_xmin IS NOT NULL AND a.backend_type = 'client backend'
          UNION ALL
         SELECT format('replication slot %L', s.slot_name),
                greatest(age(s.xmin), age(s.catalog_xmin)),
                format('SELECT pg_drop_replication_slot(%L); -- if its reader is gone for good',
                       s.slot_name)
           FROM pg_replication_slots AS s
          UNION ALL
         SELECT format('standby %s', coalesce(nullif(r.application_name, ''), r.pid::text)),
                age(r.backend_xmin), NULL
           FROM pg_stat_replication AS r
          UNION ALL
         SELECT format('prepared transaction %L in %I', p.gid, p.database), age(p.transaction),
                format('ROLLBACK PREPARED %L; -- in %I; or COMMIT PREPARED: ask its transaction '
                       'manager first', p.gid, p.database)
           FROM pg_prepared_xacts AS p) AS h
  WHERE h.age >= monitoring.threshold('old_snapshot_warning', '10000000')::bigint
  ORDER BY h.age DESC
  LIMIT 5)
 UNION ALL
SELECT 'unknown', 'snapshots of other roles are not visible',
       format('%I is not a member of pg_read_all_stats', current_user),
       'not measurable with this role', format('GRANT pg_monitor TO %I;', current_user)
 WHERE NOT pg_has_role('pg_read_all_stats', 'USAGE');
