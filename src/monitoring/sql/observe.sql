-- what: the hash of one object of the schema monitoring, as the catalog snapshot has it
-- servers: 14..
-- variables: objects, kind, name
-- returns: one text
SELECT o.hash FROM (:objects) AS o WHERE o.kind = :'kind' AND o.name = :'name'
