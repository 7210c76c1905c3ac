-- what: the lines about settings in the last 4 MB of the server's log, if it keeps one itself;
--       bytes beyond ASCII as \ooo, since the beginning may be in the middle of a character
-- servers: 14..
SELECT line
  FROM (SELECT encode(pg_read_binary_file(f.name, greatest(s.size - 4194304, 0), 4194304, true),
                      'escape') AS text
          FROM (SELECT pg_current_logfile() AS name) f
         CROSS JOIN LATERAL pg_stat_file(f.name, true) s
         WHERE f.name IS NOT NULL) log
 CROSS JOIN LATERAL regexp_split_to_table(log.text, '\n') WITH ORDINALITY AS lines(line, number)
 WHERE line ~* 'ALTER\s+(SYSTEM|DATABASE|ROLE|USER)\s.*\s(SET|RESET)\s'
    OR line ~ 'parameter "[^"]+" (changed to|removed from)'
 ORDER BY number
