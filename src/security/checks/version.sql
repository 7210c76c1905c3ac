-- what: known faults of this minor version that others may use
-- item: version
-- ok: no fault of this version that pgdeck knows of
-- scope: server
-- servers: 14..
-- $1 deck json
-- returns: state, finding, evidence, fix
WITH deck AS (SELECT $1::jsonb), fault (major, minor, name, what) AS (
    VALUES (14, 18, 'CVE-2025-4207', 'a text in GB18030 ends the server process'),
           (15, 13, 'CVE-2025-4207', 'a text in GB18030 ends the server process'),
           (16, 9, 'CVE-2025-4207', 'a text in GB18030 ends the server process'),
           (17, 5, 'CVE-2025-4207', 'a text in GB18030 ends the server process'),
           (14, 19, 'CVE-2025-8714', 'a dump runs code where it is restored'),
           (15, 14, 'CVE-2025-8714', 'a dump runs code where it is restored'),
           (16, 10, 'CVE-2025-8714', 'a dump runs code where it is restored'),
           (17, 6, 'CVE-2025-8714', 'a dump runs code where it is restored'),
           (14, 20, 'CVE-2025-12818', 'libpq writes behind its memory'),
           (15, 15, 'CVE-2025-12818', 'libpq writes behind its memory'),
           (16, 11, 'CVE-2025-12818', 'libpq writes behind its memory'),
           (17, 7, 'CVE-2025-12818', 'libpq writes behind its memory'),
           (18, 1, 'CVE-2025-12818', 'libpq writes behind its memory')
), server AS (
    SELECT current_setting('server_version_num')::int AS version
)
SELECT 'warn' AS state,
       format('PostgreSQL %s has known faults', current_setting('server_version')) AS finding,
       string_agg(format('%s (%s), mended in %s.%s', name, what, major, minor), '; ' ORDER BY name)
           AS evidence,
       '-- install the newest minor version and restart the server' AS fix
  FROM fault CROSS JOIN server CROSS JOIN deck
 WHERE major = version / 10000 AND version % 10000 < minor
HAVING count(*) > 0
