-- what: times and confidence of each AI model over the last 24 hours
-- object: view monitoring.v_ai_model_performance
-- servers: 14..18
-- needs: table ai_results(model_id, processing_time_ms, confidence_score, created_at)
-- needs: table ai_models(id, name, version)
-- after: monitoring.ai_model_performance()
CREATE OR REPLACE VIEW monitoring.v_ai_model_performance AS
SELECT p.table_name, p.model_id, p.model, p.results, p.mean_ms, p.p50_ms, p.p95_ms, p.max_ms,
       p.mean_confidence, p.last_result, p.basis
  FROM monitoring.ai_model_performance() AS p;

COMMENT ON VIEW monitoring.v_ai_model_performance IS
'Results of the last 24 hours by model, the busiest first. Look for a p95_ms far above p50_ms (some
inputs are too large for that model), a mean_confidence that is lower than another model''s, and an
old last_result of a model that should be in use. The column basis says what was read.';

GRANT SELECT ON monitoring.v_ai_model_performance TO pg_monitor;
