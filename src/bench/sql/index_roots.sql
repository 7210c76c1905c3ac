-- what: the names of the topmost indexes of indexes given by name, one a line: for the index of a
-- partition that is the partitioned index
-- servers: 14..
-- $1 names text
-- returns: name
WITH RECURSIVE upwards AS (
    SELECT c.oid, c.relname, c.oid AS start
    FROM pg_class AS c
    WHERE c.relkind IN ('i', 'I') AND c.relname = ANY (string_to_array($1, E'\n'))
    UNION ALL
    SELECT c.oid, c.relname, u.start
    FROM upwards AS u
    JOIN pg_inherits AS i ON i.inhrelid = u.oid
    JOIN pg_class AS c ON c.oid = i.inhparent
)
SELECT DISTINCT u.relname AS name
FROM upwards AS u
WHERE NOT EXISTS (SELECT FROM pg_inherits AS i WHERE i.inhrelid = u.oid)
ORDER BY 1;
