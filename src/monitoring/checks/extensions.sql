-- what: extensions whose newer version is installed on the host already
-- check: extensions
-- scope: database
-- rank: 92
-- servers: 14..18
SELECT 'info', format('extension %I is at %s, %s is there', e.extname, e.extversion,
                      a.default_version),
       'after an upgrade of its package extensions stay as they were', 'measured',
       format('ALTER EXTENSION %I UPDATE;', e.extname)
  FROM pg_extension AS e
  JOIN pg_available_extensions AS a ON a.name = e.extname
 WHERE a.default_version <> e.extversion;
