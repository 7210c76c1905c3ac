-- what: what the server has that a setting could keep it from starting with
-- servers: 14..
-- returns: one row
SELECT (SELECT count(*) FROM pg_replication_slots) AS slots,
       (SELECT count(*) FROM pg_replication_slots WHERE slot_type = 'logical') AS logical_slots,
       (SELECT count(*) FROM pg_prepared_xacts) AS prepared
