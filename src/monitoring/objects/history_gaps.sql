-- what: periods of which nothing is known, and why
-- object: table monitoring.history_gaps
-- servers: 14..18
CREATE TABLE monitoring.history_gaps (
    since timestamp with time zone NOT NULL,
    until timestamp with time zone NOT NULL,
    why text NOT NULL
);

COMMENT ON TABLE monitoring.history_gaps IS
'Periods whose statements are missing in the history: from the last sample to a reset of the
statistics or a crash. Look here before you believe that a quiet hour was quiet.';

GRANT SELECT ON monitoring.history_gaps TO pg_monitor;
