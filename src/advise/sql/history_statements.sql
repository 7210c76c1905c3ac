-- what: what each statement did in the two weeks before a time and since another; intervals that
--       have one of them in the middle are left out
-- servers: 14..
-- $1 before timestamptz
-- $2 since timestamptz
SELECT h.query_id::text, q.query,
       coalesce(sum(h.calls) FILTER (WHERE h.at <= $1), 0)::float8 AS before_calls,
       coalesce(sum(h.total_ms) FILTER (WHERE h.at <= $1), 0)::float8 AS before_ms,
       coalesce(sum(h.calls) FILTER (WHERE h.since >= $2), 0)::float8 AS calls,
       coalesce(sum(h.total_ms) FILTER (WHERE h.since >= $2), 0)::float8 AS total_ms,
       coalesce(sum(h.result_rows) FILTER (WHERE h.since >= $2), 0)::float8 AS rows
  FROM monitoring.statement_history h
  JOIN monitoring.query_texts q ON q.query_id = h.query_id
 WHERE h.query_id <> 0
   AND (h.since >= $2 OR (h.at <= $1 AND h.at > $1::timestamptz - interval '14 days'))
 GROUP BY h.query_id, q.query
