-- name: model_slowest
-- class: analytics
-- what: how many answers of one model took over 8 seconds, and how sure it was of them
-- uses: ai_results_slowest_idx
-- $1 model integer: SELECT id FROM ai_models WHERE is_active ORDER BY id LIMIT 200
SELECT count(*) AS results, max(processing_time_ms) AS slowest_ms,
       round(avg(confidence_score), 4) AS mean_confidence,
       count(*) FILTER (WHERE confidence_score < 0.6) AS unsure
  FROM ai_results
 WHERE model_id = $1 AND processing_time_ms > 8000;
