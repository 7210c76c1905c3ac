-- what: takes the function away that tells verifiers
-- servers: 14..
DROP FUNCTION IF EXISTS pgdeck.pool_login(text);
