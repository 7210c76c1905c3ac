-- Indexes beyond the keys of schema.sql. Each names the query of workload/ that needs it;
-- tests/server/test_decks.py proves by EXPLAIN that this query uses it. psql accepts this file too;
-- pgdeck builds them concurrently, on partitioned tables too.

-- AI tasks

-- dashboard: what its rollup has not yet. Not BRIN: new rows also fill holes in old pages
CREATE INDEX ai_tasks_created_at_idx ON ai_tasks (created_at);

-- dashboard_project: the same for one project
CREATE INDEX ai_tasks_project_id_created_at_idx ON ai_tasks (project_id, created_at DESC)
    INCLUDE (status, started_at, completed_at);

-- project_tasks: a project's failed tasks, from the index alone; a task that does not fail is not in it
CREATE INDEX ai_tasks_project_id_failed_idx ON ai_tasks (project_id)
    INCLUDE (task_name, created_at, updated_at) WHERE status = 'failed';

-- user_tasks: the latest tasks of a user; also for the foreign key
CREATE INDEX ai_tasks_user_id_created_at_idx ON ai_tasks (user_id, created_at DESC);

-- pending_tasks: what waits or runs, oldest first; empty but for the active partition
CREATE INDEX ai_tasks_status_created_at_idx ON ai_tasks (status, created_at)
    WHERE status IN ('pending', 'running');

-- json_containment: input_data @> ...
CREATE INDEX ai_tasks_input_data_idx ON ai_tasks USING gin (input_data jsonb_path_ops);

-- json_output: output_data @> ...; a task that has no output yet costs it nothing
CREATE INDEX ai_tasks_output_data_idx ON ai_tasks USING gin (output_data jsonb_path_ops)
    WHERE output_data IS NOT NULL;

-- full_text: words in task_name; a query must have this very expression
CREATE INDEX ai_tasks_task_name_fts_idx ON ai_tasks USING gin (to_tsvector('english', task_name));

-- queue_next: the order in which workers claim; lease_until stays out of it
CREATE INDEX ai_task_queue_priority_place_idx ON ai_task_queue (priority DESC, place);

-- AI results

-- model_analytics: what its rollup has not yet
CREATE INDEX ai_results_created_at_idx ON ai_results (created_at);

-- model_slowest: the slow end of one model, from the index alone
CREATE INDEX ai_results_slowest_idx ON ai_results (model_id, processing_time_ms)
    INCLUDE (confidence_score) WHERE processing_time_ms > 8000;

-- task_results: all results of a task; also for the check for orphans
CREATE INDEX ai_results_task_id_idx ON ai_results (task_id);

-- Logs and figures

-- service_logs: one service in one hour; log_series: what its rollup has not yet
CREATE INDEX system_logs_created_at_service_name_idx ON system_logs (created_at, service_name);

-- recent_errors: the latest errors of all services
CREATE INDEX system_logs_errors_created_at_idx ON system_logs (created_at)
    WHERE log_level IN ('ERROR', 'CRITICAL');

-- audit_history: what happened to one thing
CREATE INDEX audit_trails_entity_idx ON audit_trails (entity_type, entity_id, created_at);

-- metric_series: one figure of one service over time
CREATE INDEX performance_metrics_series_idx
    ON performance_metrics (service_name, metric_name, recorded_at) INCLUDE (value);

-- People, projects, files

-- active_sessions: sessions of a user; also for the foreign key
CREATE INDEX user_sessions_user_id_expires_at_idx ON user_sessions (user_id, expires_at);

-- user_projects: the projects of a user; also for the foreign key
CREATE INDEX project_members_user_id_idx ON project_members (user_id);

-- project_files: a project's newest files
CREATE INDEX file_storage_project_id_created_at_idx ON file_storage (project_id, created_at DESC);

-- source_jobs: the jobs over one data source; also for the foreign key
CREATE INDEX analysis_jobs_data_source_id_created_at_idx
    ON analysis_jobs (data_source_id, created_at DESC);

-- unread_notifications
CREATE INDEX notifications_user_id_unread_idx ON notifications (user_id, created_at DESC)
    WHERE read_at IS NULL;
