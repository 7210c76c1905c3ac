-- what: where this session looks for tables
-- servers: 14..
-- $1 schemas text, comma-separated
SELECT set_config('search_path', $1, false)
