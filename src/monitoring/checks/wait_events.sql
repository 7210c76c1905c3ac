-- what: what sessions wait for, sampled ten times within a fifth of a second
-- check: wait events
-- scope: server
-- rank: 22
-- servers: 14..18
-- Each sample wants the sleep before it, which forgets what was seen: so they run in order.
-- Waiting for a client or for work is none.
WITH sample AS MATERIALIZED (
    SELECT n.n, a.wait_event_type, a.wait_event
      FROM generate_series(1, 10) AS n (n)
     CROSS JOIN LATERAL (SELECT pg_stat_clear_snapshot()::text || pg_sleep(0.02)::text
                                || left(n.n::text, 0) AS done OFFSET 0) AS w
     CROSS JOIN LATERAL pg_stat_get_activity(nullif(length(w.done), 0)) AS a
     WHERE a.pid <> pg_backend_pid()
       AND a.wait_event_type NOT IN ('Client', 'Activity', 'Timeout', 'Extension')
), waiting AS (
    SELECT s.wait_event_type, s.wait_event, count(*) / 10.0 AS sessions
      FROM sample AS s
     GROUP BY s.wait_event_type, s.wait_event
)
SELECT CASE WHEN w.sessions >= monitoring.threshold('waiting_critical', '64')::numeric
            THEN 'critical' ELSE 'warning' END,
       format('%s sessions wait for %s: %s', trunc(w.sessions, 1), w.wait_event_type,
              w.wait_event),
       CASE w.wait_event_type
            WHEN 'Lock' THEN 'one holds what they want: see lock waits'
            WHEN 'LWLock' THEN 'too many do the same at once: fewer connections, through a pool'
            WHEN 'IO' THEN 'the storage is slower than what is asked of it'
            WHEN 'IPC' THEN 'they wait for another process of the server'
            ELSE 'see the list of wait events in PostgreSQL''s manual' END,
       'measured: the mean of 10 samples', NULL
  FROM waiting AS w
 WHERE w.sessions >= monitoring.threshold('waiting_warning', '8')::numeric
 UNION ALL
SELECT 'unknown', 'what other roles wait for is not visible',
       format('%I is not a member of pg_read_all_stats', current_user),
       'not measurable with this role', format('GRANT pg_monitor TO %I;', current_user)
 WHERE NOT pg_has_role('pg_read_all_stats', 'USAGE');
