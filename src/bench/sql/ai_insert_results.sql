-- what: inserts results
-- servers: 14..
-- variables: rows (the table that they are in)
INSERT INTO ai_results (task_id, model_id, result_data, confidence_score, processing_time_ms)
SELECT task, model, result, 0.9, took_ms
  FROM :"rows";
