-- Indexes beyond the keys of schema.sql; each names the query of workload/ that needs it.

-- account_history: what happened to one account, newest first
CREATE INDEX pgbench_history_aid_mtime_idx ON pgbench_history (aid, mtime);

-- branch_audit: the accounts of one branch. abalance stays out of it, or no update would be HOT
CREATE INDEX pgbench_accounts_bid_idx ON pgbench_accounts (bid);
