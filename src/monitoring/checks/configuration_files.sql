-- what: lines of the configuration files that the server does not take
-- check: configuration files
-- scope: server
-- rank: 14
-- servers: 14..18
SELECT 'warning',
       format('%s line %s: %s', f.sourcefile, f.sourceline, f.error),
       format('%s = %s; the last reload changed nothing, the next start may fail', f.name,
              f.setting),
       'measured', NULL
  FROM pg_file_settings AS f
 WHERE f.error IS NOT NULL AND f.error <> 'setting could not be applied'
 ORDER BY f.seqno
 LIMIT 20;
