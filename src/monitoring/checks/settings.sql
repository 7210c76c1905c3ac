-- what: settings that risk data or make every plan worse, and changes that wait for a restart
-- check: settings
-- scope: server
-- rank: 3
-- servers: 14..18
-- reset_val: what a new session gets, whatever this one has set. What is set for databases and
-- roles is read from where it is kept, of all of them; a planner setting of one role may be meant.
WITH bad AS (
    SELECT s.name, s.bad, s.good, s.severity, s.danger
      FROM (VALUES ('fsync', 'off', 'on', 'critical', 'a crash can destroy the whole server'),
                   ('full_page_writes', 'off', 'on', 'critical', 'a crash can destroy pages'),
                   ('zero_damaged_pages', 'on', 'off', 'critical',
                    'damaged pages are emptied silently'),
                   ('ignore_checksum_failure', 'on', 'off', 'critical',
                    'damaged pages are believed'),
                   ('ignore_invalid_pages', 'on', 'off', 'critical',
                    'recovery goes on with lost data'),
                   ('autovacuum', 'off', 'on', 'critical',
                    'tables bloat until transaction ids run out'),
                   ('track_counts', 'off', 'on', 'critical', 'autovacuum sees nothing to do'),
                   ('allow_system_table_mods', 'on', 'off', 'warning', 'catalogs can be destroyed'),
                   ('ignore_system_indexes', 'on', 'off', 'warning', 'catalogs are read whole'),
                   ('enable_seqscan', 'off', 'on', 'warning', 'plans get worse for everybody'),
                   ('enable_indexscan', 'off', 'on', 'warning', 'plans get worse for everybody'),
                   ('enable_hashjoin', 'off', 'on', 'warning', 'plans get worse for everybody'),
                   ('enable_mergejoin', 'off', 'on', 'warning', 'plans get worse for everybody'),
                   ('enable_nestloop', 'off', 'on', 'warning', 'plans get worse for everybody'),
                   ('synchronous_commit', 'off', 'on', 'info',
                    'a crash loses what was committed in its last moments'),
                   ('password_encryption', 'md5', 'scram-sha-256', 'info',
                    'new passwords are kept as weak hashes'))
           AS s (name, bad, good, severity, danger)
), kept AS (
    SELECT d.datname, r.rolname, split_part(c.entry, '=', 1) AS name,
           substr(c.entry, strpos(c.entry, '=') + 1) AS value
      FROM pg_db_role_setting AS k
     CROSS JOIN unnest(k.setconfig) AS c (entry)
      LEFT JOIN pg_database AS d ON d.oid = k.setdatabase
      LEFT JOIN pg_roles AS r ON r.oid = k.setrole
)
SELECT s.severity,
       format('%s is %s: %s', s.name, p.reset_val, s.danger),
       format('set in %s', coalesce(p.sourcefile || ' line ' || p.sourceline,
                                    nullif(p.source, 'session'),
                                    'a place not visible to this role')),
       'measured',
       CASE p.source
            WHEN 'command line' THEN format('-- the server was started with -c %s=%s: take it '
                                            'from there', s.name, p.reset_val)
            ELSE format('ALTER SYSTEM SET %I = %L;', s.name, s.good)
                 || CASE WHEN p.context = 'postmaster' THEN ' -- takes a restart' ELSE
                         ' SELECT pg_reload_conf();' END END
  FROM bad AS s
  JOIN pg_settings AS p ON p.name = s.name AND p.reset_val = s.bad
 WHERE p.source NOT IN ('database', 'user', 'database user', 'global')
 UNION ALL
SELECT CASE WHEN k.rolname IS NOT NULL AND s.name LIKE 'enable%' THEN 'info' ELSE s.severity END,
       format('%s is %s for %s: %s', s.name, k.value,
              coalesce(nullif(concat_ws(' in ', 'role ' || quote_ident(k.rolname),
                                        'database ' || quote_ident(k.datname)), ''), 'all roles'),
              s.danger),
       'its sessions get that, whatever the server says', 'measured',
       CASE WHEN k.rolname IS NULL AND k.datname IS NULL
            THEN format('ALTER ROLE ALL RESET %I;', s.name)
            WHEN k.rolname IS NULL THEN format('ALTER DATABASE %I RESET %I;', k.datname, s.name)
            WHEN k.datname IS NULL THEN format('ALTER ROLE %I RESET %I;', k.rolname, s.name)
            ELSE format('ALTER ROLE %I IN DATABASE %I RESET %I;', k.rolname, k.datname, s.name) END
  FROM kept AS k
  JOIN bad AS s ON s.name = k.name
  JOIN pg_settings AS p ON p.name = s.name
 WHERE CASE p.vartype WHEN 'bool' THEN CASE WHEN k.value::boolean THEN 'on' ELSE 'off' END
             ELSE lower(k.value) END = s.bad
 UNION ALL
SELECT 'info', format('%s is changed, but waits for a restart', p.name),
       format('still %s', concat_ws(' ', p.setting, p.unit)), 'measured', NULL
  FROM pg_settings AS p
 WHERE p.pending_restart;
