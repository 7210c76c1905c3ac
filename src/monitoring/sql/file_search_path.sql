-- what: search_path as the configuration files set it; superusers only
-- servers: 14..
-- returns: no row, or one
SELECT s.setting FROM pg_file_settings AS s WHERE s.name = 'search_path' AND s.applied
