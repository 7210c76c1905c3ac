-- what: statistics and logs keep what people run, not what this session plans, where the role may
--       say so
-- servers: 15..
SELECT set_config(s.name, w.value, false)
  FROM (VALUES ('pg_stat_statements.track', 'none'), ('auto_explain.log_min_duration', '-1'))
       AS w(name, value)
  JOIN pg_settings s ON s.name = w.name
 WHERE has_parameter_privilege(s.name, 'SET')
