-- what: the lines of the audit in the last 16 MB of the server's log: the file that it keeps itself,
--       or, without logging_collector, the one that its stderr is (Debian's clusters, private
--       servers), as Linux shows it; those of pgaudit, and logged statements that change objects or
--       rights, each by the line that it begins with; secrets and all; bytes beyond ASCII as \ooo,
--       backslashes doubled
-- servers: 14..
-- returns: file (null: it has none, or stderr is no file), line (null: there is none)
SELECT f.name AS file, l.line
  FROM (SELECT coalesce(pg_current_logfile(),
                        CASE WHEN current_setting('log_destination') ~ 'stderr|csvlog|jsonlog'
                                  AND (pg_stat_file('/proc/self/fd/2', true)).size > 0 -- a pipe has none
                             THEN '/proc/self/fd/2' END) AS name) AS f
  LEFT JOIN LATERAL (
        SELECT lines.line, lines.number
          FROM pg_stat_file(f.name, true) AS s
         CROSS JOIN LATERAL regexp_split_to_table(encode(pg_read_binary_file(
                    f.name, greatest(s.size - 16777216, 0), 16777216, true), 'escape'), '\n')
                    WITH ORDINALITY AS lines(line, number)
         WHERE f.name IS NOT NULL
           AND CASE WHEN f.name LIKE '%.csv' THEN lines.line ~ '^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d'
                    ELSE lines.line !~ '^\t' END -- a statement's further lines may be anything
           AND (lines.line ~ 'AUDIT: (SESSION|OBJECT),'
                OR lines.line ~* '(statement|execute [^:]*): *(CREATE|ALTER|DROP|GRANT|REVOKE|REASSIGN|COMMENT|SECURITY|IMPORT|TRUNCATE)\y')
       ) AS l ON true
 ORDER BY l.number
