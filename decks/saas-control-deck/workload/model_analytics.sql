-- name: model_analytics
-- class: analytics
-- what: results of the last 24 hours of each model: count, mean and p95 processing time, confidence
-- uses: ai_results_created_at_idx
SELECT m.id, m.name, m.version, r.results, r.mean_ms, r.p95_ms, r.mean_confidence
  FROM ai_models m
  JOIN (SELECT model_id, count(*) AS results, round(avg(processing_time_ms), 1) AS mean_ms,
               percentile_cont(0.95) WITHIN GROUP (ORDER BY processing_time_ms) AS p95_ms,
               round(avg(confidence_score), 4) AS mean_confidence
          FROM ai_results
         WHERE created_at >= now() - interval '24 hours'
         GROUP BY model_id) r ON r.model_id = m.id
 ORDER BY r.results DESC, m.id;
