-- what: when each index was last scanned
-- servers: 16..
-- $1 oids text[]
SELECT o AS oid, to_char(pg_stat_get_lastscan(o::oid), 'YYYY-MM-DD HH24:MI') AS last_scan
  FROM unnest($1::text[]) AS o
