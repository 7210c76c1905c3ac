-- what: where a server keeps its files, and the process that says so
-- servers: 14..18
WITH data AS (
    SELECT s.setting AS folder FROM pg_catalog.pg_settings AS s WHERE s.name = 'data_directory'
)
SELECT pg_catalog.pg_backend_pid() AS backend_pid, f.name, f.folder
  FROM (SELECT 0, 'data', d.folder FROM data AS d
         UNION ALL
        SELECT 1, 'WAL', d.folder || '/pg_wal' FROM data AS d
         UNION ALL
        SELECT 2, t.spcname, l.folder -- one that is in place is relative
          FROM pg_catalog.pg_tablespace AS t, pg_catalog.pg_tablespace_location(t.oid) AS l (folder)
         WHERE l.folder LIKE '/%') AS f (rank, name, folder)
 ORDER BY f.rank, f.name
 LIMIT 8;
