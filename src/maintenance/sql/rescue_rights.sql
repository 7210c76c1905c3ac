-- what: what this role lacks to see the sessions of others and to end them
-- servers: 14..
-- returns: text, sql: a row for each right that it lacks
SELECT format('role %I %s', current_user, w.lack) AS text,
       format('GRANT %I TO %I', w.role, current_user) AS sql
  FROM (VALUES ('pg_read_all_stats', 'does not see what sessions of other roles do: what is said of '
                                     'locks, connections and queries is of its own'),
               ('pg_signal_backend', 'may not end sessions of other roles')) AS w (role, lack)
 WHERE NOT pg_has_role(w.role, 'USAGE')
