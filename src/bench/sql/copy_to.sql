-- what: makes a session fit for taking in rows that have been checked where they come from
-- servers: 14..
SET session_replication_role = replica;
SET statement_timeout = 0;
