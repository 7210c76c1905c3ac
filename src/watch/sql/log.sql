-- what: what was written into the server's log since it was read last, at most 1 MB: the rest of the
--       file that was read then, or the newest one from its beginning; none of it the first time,
--       nor of what is more than 16 MB ahead
-- servers: 14..18
-- $1 file text: that was read last; null: none
-- $2 position bigint: up to where
-- returns: file (null: the server keeps no log itself), position, size, bytes (null: nothing new)
WITH newest AS (
    SELECT coalesce(CASE WHEN 'csvlog' = ANY (f.kinds) THEN pg_catalog.pg_current_logfile('csvlog') END,
                    CASE WHEN 'jsonlog' = ANY (f.kinds) THEN pg_catalog.pg_current_logfile('jsonlog') END,
                    pg_catalog.pg_current_logfile('stderr')) AS file
      FROM (SELECT pg_catalog.string_to_array(pg_catalog.replace(
                       pg_catalog.current_setting('log_destination'), ' ', ''), ',') AS kinds) AS f
),
old AS (
    SELECT $1::text AS file, $2::bigint AS position, s.size
      FROM pg_catalog.pg_stat_file($1::text, true) AS s
),
chosen AS (
    SELECT n.file, s.size,
           CASE WHEN $1::text IS NULL THEN s.size  -- the first time
                WHEN n.file <> $1::text OR s.size < $2::bigint THEN 0
                ELSE $2::bigint
           END AS position
      FROM newest AS n
      LEFT JOIN LATERAL pg_catalog.pg_stat_file(n.file, true) AS s ON true
     WHERE NOT EXISTS (SELECT FROM old AS o WHERE o.file <> n.file AND o.size > o.position)
    UNION ALL
    SELECT o.file, o.size, o.position
      FROM old AS o
      JOIN newest AS n ON o.file <> n.file AND o.size > o.position
),
bounded AS (
    SELECT c.file, c.size,
           CASE WHEN c.size - c.position > 16777216 THEN c.size - 1048576 ELSE c.position END
               AS position
      FROM chosen AS c
)
SELECT b.file, b.position, b.size,
       pg_catalog.current_setting('log_line_prefix') AS prefix,
       CASE WHEN b.size > b.position
            THEN pg_catalog.pg_read_binary_file(b.file, b.position, 1048576, true)
       END AS bytes
  FROM bounded AS b
