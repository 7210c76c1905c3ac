-- what: the tables that hold back a database's oldest ids; VACUUM (FREEZE) them, in this order
-- servers: 14..18
SELECT c.oid::regclass AS table, age(c.relfrozenxid) AS xids, mxid_age(c.relminmxid) AS multixacts
  FROM pg_class AS c
 WHERE c.relkind IN ('r', 'm', 't')
 ORDER BY greatest(age(c.relfrozenxid), mxid_age(c.relminmxid)) DESC
 LIMIT 10;
