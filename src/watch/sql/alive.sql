-- what: that the database of this connection still answers
-- servers: 14..18
SELECT 1;
