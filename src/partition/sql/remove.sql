-- what: removes what a conversion left behind
-- servers: 14..
-- variables: id
SELECT pgdeck.conversion_remove(:id);
