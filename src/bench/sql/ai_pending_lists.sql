-- what: puts away what GIN indexes have only noted, which else somebody later pays for
-- servers: 14..
-- needs: decks/saas-control-deck/schema.sql
SELECT sum(gin_clean_pending_list(c.oid))
  FROM pg_class AS c
  JOIN pg_am AS a ON a.oid = c.relam
  JOIN pg_index AS i ON i.indexrelid = c.oid
 WHERE a.amname = 'gin' AND c.relkind = 'i'
   AND i.indrelid IN (SELECT relid FROM pg_partition_tree('ai_tasks'));
