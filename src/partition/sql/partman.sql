-- what: whether pg_partman keeps a table up
-- servers: 14..
-- variables: config_schema, parent
SELECT automatic_maintenance = 'on' AS is_on
  FROM :"config_schema".part_config WHERE parent_table = :'parent';
