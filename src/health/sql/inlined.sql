-- what: the findings of a check whose views and functions are part of its own text
-- servers: 14..
-- variables: check
SELECT h.severity, h.finding, h.evidence, h.confidence, h.fix_sql FROM (:check
) AS h (severity, finding, evidence, confidence, fix_sql)
