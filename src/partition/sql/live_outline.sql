-- what: what the conversion of a table in use does, for the plan
-- servers: 14..
-- variables: shadow, schema, table, indexes, retired, keep

-- 1. beside it, a partitioned table with its key:
:shadow;
-- 2. a trigger logs the key of each row of :"schema".:"table" that changes from now on
-- 3. the rows are copied in the order of the key, some thousand a transaction
-- 4. then the rest of its indexes and constraints:
:indexes;
-- 5. rows that the log names are copied again, until few are left; rows and a checksum of both
--    are compared under one snapshot, and what hangs on both by their catalog entries
-- 6. in one short transaction the last of them are copied and the two change places; triggers,
--    identity, foreign keys, publications and views come along
-- 7. the old table is kept as :"schema".:"retired" (:keep), changes are logged for the way back
