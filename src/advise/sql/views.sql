-- what: the queries of some views; run with an empty search_path, so that names are qualified
-- servers: 14..
-- $1 views oid[]
SELECT v.oid, pg_get_viewdef(v.oid) AS query FROM unnest($1::oid[]) AS v(oid)
