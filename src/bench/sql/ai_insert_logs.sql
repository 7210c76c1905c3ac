-- what: inserts log lines
-- servers: 14..
-- variables: rows (the table that they are in)
INSERT INTO system_logs (service_name, log_level, message, context)
SELECT service, level, message, context
  FROM :"rows";
