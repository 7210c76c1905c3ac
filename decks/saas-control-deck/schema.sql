-- The tables of the AI-task product, with their keys and nothing else: further indexes are in
-- indexes.sql, partitions in deck.yaml. PostgreSQL 14 to 18 accept this file as it is (psql -f).
--
-- Five tables are made for partitioning: ai_tasks (by status), ai_results (by model_id),
-- system_logs and audit_trails (by created_at), performance_metrics (by recorded_at). pgdeck adds
-- the partition column to their primary keys, so nothing may refer to them by a foreign key.
-- Keys that leave the product are uuid; rows that come by the thousand have a small bigint.

-- People

CREATE TABLE users (
    id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    email         text NOT NULL CHECK (email = lower(email) AND email LIKE '_%@_%'),
    password_hash text NOT NULL,
    role          text NOT NULL DEFAULT 'member' CHECK (role IN ('member', 'admin', 'service')),
    is_active     boolean NOT NULL DEFAULT true,
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now(),
    UNIQUE (email)
);

COMMENT ON TABLE users IS 'Everyone who can sign in; people leave by is_active, rows stay';

CREATE TABLE user_profiles (
    user_id      uuid PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    display_name text NOT NULL CHECK (display_name <> ''),
    avatar_url   text,
    locale       text NOT NULL DEFAULT 'en',
    time_zone    text NOT NULL DEFAULT 'UTC',
    preferences  jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(preferences) = 'object'),
    updated_at   timestamptz NOT NULL DEFAULT now()
);

COMMENT ON TABLE user_profiles IS 'What people say about themselves; one row a user';

CREATE TABLE user_sessions (
    id             uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id        uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    token_hash     bytea NOT NULL,
    client_address inet,
    user_agent     text,
    created_at     timestamptz NOT NULL DEFAULT now(),
    last_seen_at   timestamptz NOT NULL DEFAULT now(),
    expires_at     timestamptz NOT NULL,
    UNIQUE (token_hash),
    CHECK (expires_at > created_at)
) WITH (fillfactor = 85);

COMMENT ON TABLE user_sessions IS 'Signed-in sessions; last_seen_at changes often, in place (HOT)';

COMMENT ON COLUMN user_sessions.token_hash IS 'SHA-256 of the token, never the token';

-- Projects

CREATE TABLE projects (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    owner_id    uuid NOT NULL REFERENCES users,
    name        text NOT NULL CHECK (name <> ''),
    slug        text NOT NULL CHECK (slug ~ '^[a-z0-9-]+$'),
    description text,
    status      text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'paused', 'archived')),
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    UNIQUE (slug)
);

COMMENT ON TABLE projects IS 'What tasks, files and data belong to';

CREATE TABLE project_members (
    project_id uuid NOT NULL REFERENCES projects ON DELETE CASCADE,
    user_id    uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    role       text NOT NULL DEFAULT 'editor' CHECK (role IN ('owner', 'editor', 'viewer')),
    joined_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (project_id, user_id)
);

COMMENT ON TABLE project_members IS 'Who works on a project, the owner included';

CREATE TABLE project_settings (
    project_id       uuid PRIMARY KEY REFERENCES projects ON DELETE CASCADE,
    default_priority smallint NOT NULL DEFAULT 5 CHECK (default_priority BETWEEN 0 AND 9),
    daily_task_limit integer CHECK (daily_task_limit > 0),
    retention        interval NOT NULL DEFAULT '90 days' CHECK (retention > interval '0'),
    options          jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(options) = 'object'),
    updated_at       timestamptz NOT NULL DEFAULT now()
);

COMMENT ON TABLE project_settings IS 'One row a project';

-- AI tasks

CREATE TABLE ai_models (
    id              integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    name            text NOT NULL CHECK (name <> ''),
    version         text NOT NULL,
    provider        text NOT NULL,
    task_types      text[] NOT NULL CHECK (cardinality(task_types) > 0),
    parameters      jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(parameters) = 'object'),
    is_active       boolean NOT NULL DEFAULT true,
    created_at      timestamptz NOT NULL DEFAULT now(),
    UNIQUE (name, version)
);

COMMENT ON TABLE ai_models IS 'Models that tasks can run on';

CREATE TABLE ai_tasks (
    id            bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    project_id    uuid NOT NULL REFERENCES projects,
    user_id       uuid NOT NULL REFERENCES users,
    task_name     text NOT NULL CHECK (task_name <> ''),
    task_type     text NOT NULL,
    status        text NOT NULL DEFAULT 'pending'
                  CHECK (status IN ('pending', 'running', 'completed', 'failed', 'cancelled')),
    priority      smallint NOT NULL DEFAULT 5 CHECK (priority BETWEEN 0 AND 9),
    input_data    jsonb NOT NULL DEFAULT '{}',
    output_data   jsonb,
    error_message text,
    created_at    timestamptz NOT NULL DEFAULT now(),
    started_at    timestamptz,
    completed_at  timestamptz,
    updated_at    timestamptz NOT NULL DEFAULT now(),
    CHECK (started_at >= created_at),
    CHECK (completed_at >= coalesce(started_at, created_at)),
    CHECK ((status IN ('completed', 'failed', 'cancelled')) = (completed_at IS NOT NULL)),
    CHECK (status <> 'failed' OR error_message IS NOT NULL)
) WITH (autovacuum_vacuum_insert_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);

COMMENT ON TABLE ai_tasks IS
'Work for AI models. Workers claim it in ai_task_queue; here status changes in batches, and the row
moves to another partition once, when it ends. No foreign key can point here: the key has status.';

COMMENT ON COLUMN ai_tasks.priority IS '0 to 9, 9 first';

CREATE TABLE ai_task_queue (
    task_id     bigint PRIMARY KEY,
    priority    smallint NOT NULL DEFAULT 5 CHECK (priority BETWEEN 0 AND 9),
    place       bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    attempt     smallint NOT NULL DEFAULT 0 CHECK (attempt >= 0),
    lease_until timestamptz,
    worker      text,
    CHECK ((lease_until IS NULL) = (worker IS NULL))
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 200,
        autovacuum_analyze_scale_factor = 0.05);

COMMENT ON TABLE ai_task_queue IS
'Tasks that wait or run, ids only: claims (FOR UPDATE SKIP LOCKED, then a lease) touch nothing else.
A task that ended has no row here. lease_until must stay without an index: claims are HOT then.';

COMMENT ON COLUMN ai_task_queue.task_id IS
'ai_tasks.id, without a foreign key because of its partitions';

COMMENT ON COLUMN ai_task_queue.place IS
'The order within a priority. Not task_id: so one index can serve claims, and only the other can look
tasks up. The planner would choose by what it knows of a table that is next to empty most of the
time, and read the remains of all tasks that ended.';

CREATE TABLE ai_results (
    id                 bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    task_id            bigint NOT NULL,
    model_id           integer NOT NULL REFERENCES ai_models,
    result_data        jsonb NOT NULL DEFAULT '{}',
    confidence_score   numeric(5, 4) CHECK (confidence_score BETWEEN 0 AND 1),
    processing_time_ms integer NOT NULL CHECK (processing_time_ms >= 0),
    created_at         timestamptz NOT NULL DEFAULT now()
) WITH (autovacuum_vacuum_insert_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);

COMMENT ON TABLE ai_results IS 'What models answered, several for one task; never updated';

COMMENT ON COLUMN ai_results.task_id IS
'ai_tasks.id, without a foreign key because of its partitions; a health check finds orphans';

-- Data and analysis

CREATE TABLE data_sources (
    id             uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    project_id     uuid NOT NULL REFERENCES projects ON DELETE CASCADE,
    name           text NOT NULL CHECK (name <> ''),
    kind           text NOT NULL CHECK (kind IN ('postgresql', 's3', 'http', 'kafka', 'upload')),
    settings       jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(settings) = 'object'),
    last_synced_at timestamptz,
    created_at     timestamptz NOT NULL DEFAULT now(),
    UNIQUE (project_id, name)
);

COMMENT ON TABLE data_sources IS 'Where a project''s data comes from; secrets are not kept here';

CREATE TABLE analysis_jobs (
    id             bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    data_source_id uuid NOT NULL REFERENCES data_sources ON DELETE CASCADE,
    requested_by   uuid REFERENCES users ON DELETE SET NULL,
    kind           text NOT NULL,
    status         text NOT NULL DEFAULT 'pending'
                   CHECK (status IN ('pending', 'running', 'completed', 'failed')),
    settings       jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(settings) = 'object'),
    created_at     timestamptz NOT NULL DEFAULT now(),
    started_at     timestamptz,
    completed_at   timestamptz,
    CHECK (completed_at >= started_at AND started_at >= created_at)
);

COMMENT ON TABLE analysis_jobs IS 'Runs over the data of one source';

CREATE TABLE analysis_results (
    job_id     bigint NOT NULL REFERENCES analysis_jobs ON DELETE CASCADE,
    metric     text NOT NULL,
    value      double precision NOT NULL,
    details    jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (job_id, metric)
);

COMMENT ON TABLE analysis_results IS 'Figures that a job found';

-- Files

CREATE TABLE file_storage (
    id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    project_id   uuid NOT NULL REFERENCES projects ON DELETE CASCADE,
    uploaded_by  uuid REFERENCES users ON DELETE SET NULL,
    path         text NOT NULL CHECK (path <> ''),
    content_type text NOT NULL,
    size_bytes   bigint NOT NULL CHECK (size_bytes >= 0),
    sha256       bytea NOT NULL CHECK (octet_length(sha256) = 32),
    created_at   timestamptz NOT NULL DEFAULT now(),
    UNIQUE (project_id, path)
);

COMMENT ON TABLE file_storage IS 'Files, which lie in object storage under their path';

CREATE TABLE file_metadata (
    file_id uuid NOT NULL REFERENCES file_storage ON DELETE CASCADE,
    key     text NOT NULL CHECK (key <> ''),
    value   jsonb NOT NULL,
    PRIMARY KEY (file_id, key)
);

COMMENT ON TABLE file_metadata IS 'What is known about a file: pages, language, labels ...';

-- Logs, figures, messages

CREATE TABLE system_logs (
    id           bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    created_at   timestamptz NOT NULL DEFAULT now(),
    service_name text NOT NULL,
    log_level    text NOT NULL DEFAULT 'INFO'
                 CHECK (log_level IN ('DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL')),
    message      text NOT NULL,
    context      jsonb NOT NULL DEFAULT '{}'
) WITH (autovacuum_vacuum_insert_scale_factor = 0.05);

COMMENT ON TABLE system_logs IS 'Log lines of all services; only ever added to';

CREATE TABLE audit_trails (
    id             bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    created_at     timestamptz NOT NULL DEFAULT now(),
    user_id        uuid,
    action         text NOT NULL
                   CHECK (action IN ('create', 'update', 'delete', 'login', 'export')),
    entity_type    text NOT NULL,
    entity_id      text NOT NULL,
    old_values     jsonb,
    new_values     jsonb,
    client_address inet
);

COMMENT ON TABLE audit_trails IS 'Who changed what; only ever added to';

COMMENT ON COLUMN audit_trails.user_id IS
'users.id, without a foreign key: a trail outlives its user';

CREATE TABLE performance_metrics (
    id           bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    recorded_at  timestamptz NOT NULL DEFAULT now(),
    service_name text NOT NULL,
    metric_name  text NOT NULL,
    value        double precision NOT NULL,
    labels       jsonb NOT NULL DEFAULT '{}'
);

COMMENT ON TABLE performance_metrics IS 'Samples of the services'' figures; only ever added to';

CREATE TABLE notifications (
    id         bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    user_id    uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    kind       text NOT NULL,
    title      text NOT NULL,
    payload    jsonb NOT NULL DEFAULT '{}',
    read_at    timestamptz,
    created_at timestamptz NOT NULL DEFAULT now()
);

COMMENT ON TABLE notifications IS 'Messages for users; unread while read_at is empty';
