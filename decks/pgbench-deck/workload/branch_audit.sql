-- name: branch_audit
-- class: analytics
-- what: whether the accounts of one branch add up to its balance
-- uses: pgbench_accounts_bid_idx
-- $1 branch integer: SELECT bid FROM pgbench_branches ORDER BY bid LIMIT 200
SELECT b.bid, b.bbalance, (SELECT sum(a.abalance)
          FROM pgbench_accounts a
         WHERE a.bid = b.bid) AS accounts
  FROM pgbench_branches b
 WHERE b.bid = $1;
