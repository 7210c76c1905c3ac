-- what: the tables that hold back a database's oldest ids, in the order to freeze them, and how;
-- prepared transactions, slots and old transactions must end first
-- servers: 14..18
SELECT c.oid::regclass AS table, age(c.relfrozenxid) AS xids, mxid_age(c.relminmxid) AS multixacts,
       format('VACUUM (FREEZE) %s;', c.oid::regclass) AS mend,
       (SELECT d.datname FROM pg_database AS d ORDER BY age(d.datfrozenxid) DESC LIMIT 1)
           AS oldest_database,
       (SELECT min(p.gid) FROM pg_prepared_xacts AS p) AS prepared_transaction,
       (SELECT min(s.slot_name) FROM pg_replication_slots AS s
         WHERE s.xmin IS NOT NULL OR s.catalog_xmin IS NOT NULL) AS slot
  FROM pg_class AS c
 WHERE c.relkind IN ('r', 'm', 't')
 ORDER BY greatest(age(c.relfrozenxid), mxid_age(c.relminmxid)) DESC
 LIMIT 10;
