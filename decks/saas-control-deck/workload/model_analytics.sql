-- name: model_analytics
-- class: analytics
-- what: results of the last 24 hours of each model: count, mean and p95 processing time, confidence
-- uses: ai_results_created_at_idx
WITH hours AS MATERIALIZED (
    SELECT * FROM ai_results_by_hour(now() - interval '24 hours')
)
SELECT m.id, m.name, m.version, r.results, r.mean_ms, r.p95_ms, r.mean_confidence
  FROM ai_models m
  JOIN (SELECT model_id, sum(results)::bigint AS results,
               round(sum(time_ms) / sum(results), 1) AS mean_ms,
               (SELECT percentile_cont(0.95) WITHIN GROUP (ORDER BY one_ms)
                  FROM hours h, unnest(h.times_ms) AS one_ms
                 WHERE h.model_id = hours.model_id) AS p95_ms,
               round(sum(confidence) / nullif(sum(confidences), 0), 4) AS mean_confidence
          FROM hours
         GROUP BY model_id) r ON r.model_id = m.id
 ORDER BY r.results DESC, m.id;

-- before: the same without the rollup
SELECT m.id, m.name, m.version, r.results, r.mean_ms, r.p95_ms, r.mean_confidence
  FROM ai_models m
  JOIN (SELECT model_id, count(*) AS results, round(avg(processing_time_ms), 1) AS mean_ms,
               percentile_cont(0.95) WITHIN GROUP (ORDER BY processing_time_ms) AS p95_ms,
               round(avg(confidence_score), 4) AS mean_confidence
          FROM ai_results
         WHERE created_at >= now() - interval '24 hours'
         GROUP BY model_id) r ON r.model_id = m.id
 ORDER BY r.results DESC, m.id;
