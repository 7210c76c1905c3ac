-- name: source_jobs
-- class: lookup
-- what: the latest analyses of one data source with their figures
-- uses: analysis_jobs_data_source_id_created_at_idx
-- $1 source uuid: SELECT data_source_id FROM analysis_jobs ORDER BY id DESC LIMIT 200
SELECT j.id, j.kind, j.status, j.created_at, r.metric, r.value
  FROM (SELECT id, kind, status, created_at
          FROM analysis_jobs
         WHERE data_source_id = $1
         ORDER BY created_at DESC, id DESC
         LIMIT 10) j
  LEFT JOIN analysis_results r ON r.job_id = j.id
 ORDER BY j.created_at DESC, j.id DESC, r.metric;
