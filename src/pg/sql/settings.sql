-- what: all parameters as this session sees them
-- servers: 14..
SELECT name, setting, coalesce(unit, '') AS unit, context, vartype, source,
       coalesce(boot_val, '') AS boot_value, coalesce(reset_val, '') AS reset_value,
       coalesce(min_val, '') AS min_value, coalesce(max_val, '') AS max_value,
       coalesce(enumvals::text, '') AS enum_values, coalesce(sourcefile, '') AS source_file,
       coalesce(sourceline, 0) AS source_line, pending_restart AS is_pending_restart
  FROM pg_settings
 ORDER BY name COLLATE "C"
