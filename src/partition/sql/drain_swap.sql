-- what: lets the partitions that were filled take the place of a default partition
-- servers: 14..
-- variables: id, lock_wait_ms, attempt_ms, most
-- returns: is_done
CALL pgdeck.conversion_drain(:id, :lock_wait_ms, :attempt_ms, :most, NULL)
