-- what: whether somebody builds the index now, or one to put in its place
-- servers: 14..
-- $1 index oid
SELECT EXISTS (SELECT FROM pg_stat_progress_create_index b
                WHERE b.index_relid = $1 OR b.relid = (SELECT i.indrelid FROM pg_index i
                                                        WHERE i.indexrelid = $1)) AS is_being_built
