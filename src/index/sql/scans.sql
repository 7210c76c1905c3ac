-- what: how often each index was scanned on this server
-- servers: 14..
-- $1 oids text[]
SELECT o AS oid, coalesce(pg_stat_get_numscans(o::oid), 0) AS scans FROM unnest($1::text[]) AS o
