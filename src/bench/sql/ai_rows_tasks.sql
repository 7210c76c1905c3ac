-- what: rows to be inserted as tasks, of many projects
-- servers: 14..
-- variables: rows (the table), count
CREATE TEMPORARY TABLE :"rows" ON COMMIT DROP AS
SELECT p.id, p.owner_id,
       format('Summarize %s of team %s', (ARRAY['invoices', 'tickets', 'meetings'])[1 + i % 3], i % 700)
         AS name,
       i % 10 AS priority,
       format('{"dataset": "ds-%s", "source": "upload", "language": "en", "documents": %s, '
              '"parameters": {"temperature": 0.5, "max_tokens": 512}}', i * 7 % 20000, i % 200)::jsonb
         AS input
  FROM generate_series(1, :count) AS i
  JOIN (SELECT id, owner_id, row_number() OVER (ORDER BY id) AS place FROM projects) AS p
    ON p.place = 1 + i % (SELECT count(*) FROM projects);
