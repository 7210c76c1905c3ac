-- what: how many rows two queries do not have in common, each row as often as it comes
-- servers: 14..
-- variables: one other
WITH one AS MATERIALIZED (:one), other AS MATERIALIZED (:other)
SELECT (SELECT count(*) FROM (SELECT o::text FROM one o EXCEPT ALL SELECT o::text FROM other o) d)
     + (SELECT count(*) FROM (SELECT o::text FROM other o EXCEPT ALL SELECT o::text FROM one o) d)
       AS differences
