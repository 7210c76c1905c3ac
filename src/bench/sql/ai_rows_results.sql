-- what: rows to be inserted as results, of many tasks and all models
-- servers: 14..
-- variables: rows (the table), count
CREATE TEMPORARY TABLE :"rows" ON COMMIT DROP AS
SELECT i * 97 % 100000 AS task, m.id AS model, i * 37 % 9000 AS took_ms,
       '{"label": "duplicate", "score": 0.93, "by": "pgdeck bench"}'::jsonb AS result
  FROM generate_series(1, :count) AS i
  JOIN (SELECT id, row_number() OVER (ORDER BY id) AS place FROM ai_models) AS m
    ON m.place = 1 + i % (SELECT count(*) FROM ai_models);
