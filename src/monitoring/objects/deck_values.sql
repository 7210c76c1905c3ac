-- what: what the deck says: limits of alerts, how long history is kept, environments of databases
-- object: view monitoring.deck_values
-- servers: 14..18
CREATE OR REPLACE VIEW monitoring.deck_values AS
SELECT v.kind, v.name, v.value
  FROM (VALUES (CAST(NULL AS text), CAST(NULL AS text), CAST(NULL AS text))/* deck */)
       AS v (kind, name, value)
 WHERE v.kind IS NOT NULL;

COMMENT ON VIEW monitoring.deck_values IS
'What the deck said at the last pgdeck apply. kind limit: levels of alerts that differ from the
built-in ones; environment: of each database of the deck on this server; history: how long samples
are kept. Look here when an alert comes at another level than you expect; change the deck, not this
view.';

GRANT SELECT ON monitoring.deck_values TO pg_monitor;
