-- what: a transaction that can only plan, as the role of a statement and with its search_path
-- stranger: the planner runs functions that say they may be run early, here with the rights of this
-- session; so nothing is planned where anybody but superusers and its own role has made one.
-- What cannot be planned is no error in the server's log where the session may say so.
-- servers: 14..18
-- variables: role_oid
BEGIN READ ONLY;
SELECT (SELECT pg_catalog.format('%I.%I of %I', n.nspname, p.proname, o.rolname)
          FROM pg_catalog.pg_proc AS p
          JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
          JOIN pg_catalog.pg_roles AS o ON o.oid = p.proowner
         WHERE NOT o.rolsuper AND o.rolname <> session_user AND p.provolatile <> 'v'
         LIMIT 1) AS stranger,
       pg_catalog.set_config('search_path', coalesce(
           (SELECT pg_catalog.substr(c.setting, pg_catalog.length('search_path=') + 1)
              FROM pg_catalog.pg_db_role_setting AS s
             CROSS JOIN LATERAL unnest(s.setconfig) AS c (setting)
              JOIN pg_catalog.pg_database AS d
                ON d.datname = pg_catalog.current_database() AND s.setdatabase IN (d.oid, 0)
             WHERE s.setrole IN (r.oid, 0) AND c.setting LIKE 'search\_path=%'
             ORDER BY s.setrole <> 0 DESC, s.setdatabase <> 0 DESC
             LIMIT 1), '"$user", public'), true),
       CASE WHEN (SELECT o.rolsuper FROM pg_catalog.pg_roles AS o WHERE o.rolname = session_user)
            THEN pg_catalog.set_config('log_min_messages', 'panic', true) END AS is_quiet,
       pg_catalog.set_config('statement_timeout', '200ms', true),
       pg_catalog.set_config('plan_cache_mode', 'force_generic_plan', true),
       pg_catalog.set_config('role', r.rolname, true)
  FROM pg_catalog.pg_roles AS r
 WHERE r.oid = :role_oid;
