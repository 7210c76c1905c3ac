-- what: whether pgdeck has built indexes in this database, and keeps its history
-- servers: 14..
SELECT to_regclass('pgdeck.journal') IS NOT NULL AS has_journal,
       to_regclass('monitoring.statement_history') IS NOT NULL AS has_history
