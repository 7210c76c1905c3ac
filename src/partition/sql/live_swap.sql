-- what: lets the table in use and its shadow change places
-- servers: 14..
-- variables: id, lock_wait_ms, attempt_ms, most
-- returns: is_done
CALL pgdeck.conversion_change_places(:id, :lock_wait_ms, :attempt_ms, :most, NULL)
