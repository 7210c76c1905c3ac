-- name: last_hour
-- class: dashboard
-- what: transactions and turnover of each branch in the last hour; reads at most two partitions
SELECT bid, count(*) AS transactions, sum(abs(delta)) AS turnover
  FROM pgbench_history
 WHERE mtime >= localtimestamp - interval '1 hour'
 GROUP BY bid
 ORDER BY turnover DESC, bid;
