-- what: has pg_partman keep a table up, or not
-- servers: 14..
-- variables: config_schema, parent, state
UPDATE :"config_schema".part_config SET automatic_maintenance = :'state'
 WHERE parent_table = :'parent';
