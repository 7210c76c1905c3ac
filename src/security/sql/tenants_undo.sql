-- what: takes row-level security by tenant off a table
-- servers: 14..
-- variables: schema, table, policy, words (DISABLE or ENABLE), force (NO FORCE or FORCE)
DROP POLICY IF EXISTS :"policy" ON :"schema".:"table";
ALTER TABLE IF EXISTS :"schema".:"table" :words ROW LEVEL SECURITY, :force ROW LEVEL SECURITY;
