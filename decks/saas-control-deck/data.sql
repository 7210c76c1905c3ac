-- Data for the tables of schema.sql, empty ones, partitioned or not. Plain SQL, for any client:
--   PGOPTIONS='-c pgdeck.size=1 -c pgdeck.seed=1' psql -1 -v ON_ERROR_STOP=1 -f data.sql
-- pgdeck.size   1: about 300 tasks, 600 results, 600 logs (tests); 1000: that many thousands (demo)
-- pgdeck.seed   equal size, seed and now give equal rows, on any server
-- pgdeck.now    optional: when the last rows were made; default now()
-- Thirty days of traffic, busier of late and at this hour of each day; few projects, models and
-- services have most of it. Rows of a table come in the order of time; the large ones have no ORDER
-- BY for that, since generate_series() and row_number() count up by themselves.
-- Afterwards run VACUUM (ANALYZE): index-only scans need it, and it cannot be in a transaction.

-- Compiling these statements takes longer than running them
SET jit = off;

SET work_mem = '64MB';

-- A number in [0, 1) made of i; each use has a stream (a seed) of its own
CREATE FUNCTION pg_temp.part(stream bigint, i bigint) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (hashint8extended(i, stream) & 9007199254740991) / 9007199254740992::double precision;

-- A version 4 uuid made of i
CREATE FUNCTION pg_temp.key(stream bigint, i bigint) RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (lpad(to_hex(hashint8extended(i, stream) & -61441 | 16384), 16, '0')
        || to_hex(hashint8extended(i, ~stream) & 4611686018427387903 | -9223372036854775808))::uuid;

CREATE FUNCTION pg_temp.pick(part double precision, words text[]) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN words[1 + floor(part * cardinality(words))::integer];

-- 1 to n, the low ones far more often: of 500, the first has an eighth of all
CREATE FUNCTION pg_temp.skewed(part double precision, n integer) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN 1 + floor(part * part * part * n)::integer;

-- When the row i of n was made: rising with i, the last one at the end
CREATE FUNCTION pg_temp.moment(i bigint, n bigint, jitter double precision, until timestamptz)
RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
SELECT until - interval '1 day' * (30 - d - 0.12 * sin(2 * pi() * d))
  FROM (SELECT 30 * sqrt(CASE WHEN i = n THEN 1 ELSE (i - jitter) / n END) AS d OFFSET 0) x
$$;

-- How many of each; one row
CREATE TEMPORARY TABLE generator AS
SELECT seed * 1000 AS s, until, 20 + 2 * size AS users, 10 + size / 2 AS projects,
       300 * size AS tasks, 600 * size AS logs, 100 * size AS trails, 200 * size AS samples,
       20 * size AS messages, 10 * size AS sessions, 10 * size AS files, 5 * size AS jobs
  FROM (SELECT current_setting('pgdeck.seed')::bigint AS seed,
               current_setting('pgdeck.size')::integer AS size,
               coalesce(nullif(current_setting('pgdeck.now', true), '')::timestamptz, now())
                 AS until) settings;

-- People

INSERT INTO users (id, email, password_hash, role, is_active, created_at, updated_at)
SELECT pg_temp.key(g.s + 1, i),
       lower(format('%s.%s%s@example.com', first, last, i)),
       'SCRAM-SHA-256$4096:' || encode(sha256(convert_to('salt ' || g.s + i, 'UTF8')), 'base64'),
       CASE WHEN i % 50 = 1 THEN 'admin' WHEN i % 50 = 2 THEN 'service' ELSE 'member' END,
       i % 40 <> 39, joined, joined
  FROM generator g, generate_series(1, g.users) i,
       LATERAL (SELECT pg_temp.pick(pg_temp.part(g.s + 2, i), ARRAY['Ada', 'Ben', 'Chen', 'Dana',
                           'Elif', 'Femi', 'Greta', 'Hugo', 'Ines', 'Jonas', 'Kemal', 'Lucia',
                           'Mei', 'Noor', 'Olga', 'Pavel']) AS first,
                       pg_temp.pick(pg_temp.part(g.s + 3, i), ARRAY['Adler', 'Becker', 'Costa',
                           'Diaz', 'Eriksen', 'Fischer', 'Garcia', 'Haas', 'Ito', 'Jensen', 'Kaya',
                           'Lopez', 'Meyer', 'Novak', 'Okafor', 'Park']) AS last,
                       g.until - interval '1 day' * (31 + 700 * (1 - i / g.users::float8)) AS joined
                OFFSET 0) x
 ORDER BY i;

INSERT INTO user_profiles (user_id, display_name, locale, time_zone, preferences, updated_at)
SELECT u.id, initcap(split_part(split_part(u.email, '@', 1), '.', 1)),
       pg_temp.pick(part, ARRAY['en', 'de', 'es', 'fr']),
       pg_temp.pick(part, ARRAY['UTC', 'Europe/Berlin', 'Europe/Madrid', 'America/New_York']),
       jsonb_build_object('theme', CASE WHEN part < 0.4 THEN 'dark' ELSE 'light' END,
                          'digest', part > 0.7),
       u.updated_at
  FROM generator g, users u,
       LATERAL (SELECT pg_temp.part(g.s + 4, hashtextextended(u.email, 0)) AS part OFFSET 0) x
 ORDER BY u.created_at;

INSERT INTO user_sessions (id, user_id, token_hash, client_address, user_agent, created_at,
                           last_seen_at, expires_at)
SELECT pg_temp.key(g.s + 5, i), pg_temp.key(g.s + 1, who),
       sha256(convert_to('token ' || g.s || ' ' || i, 'UTF8')),
       '10.0.0.0'::inet + (pg_temp.part(g.s + 6, i) * 65536)::bigint,
       pg_temp.pick(pg_temp.part(g.s + 7, i), ARRAY['Firefox/132', 'Chrome/131', 'Safari/18',
                                                    'control-deck-cli/2.4']),
       made, least(made + interval '1 hour' * 30 * pg_temp.part(g.s + 8, i), g.until),
       made + interval '14 days'
  FROM generator g, generate_series(1, g.sessions) i,
       LATERAL (SELECT pg_temp.skewed(pg_temp.part(g.s + 9, i), g.users) AS who,
                       pg_temp.moment(i, g.sessions, pg_temp.part(g.s + 10, i), g.until) AS made
                OFFSET 0) x
 ORDER BY i;

-- Projects. Of each, six users are members: number 1 + (5 p + j) % users, j from 0; 0 owns it.

INSERT INTO projects (id, owner_id, name, slug, description, status, created_at, updated_at)
SELECT pg_temp.key(g.s + 11, p), pg_temp.key(g.s + 1, 1 + (5 * p) % g.users),
       initcap(word || ' ' || kind) || ' ' || p, word || '-' || kind || '-' || p,
       format('The %s of the %s team', kind, word),
       CASE WHEN p % 25 = 24 THEN 'archived' WHEN p % 25 = 23 THEN 'paused' ELSE 'active' END,
       made, made
  FROM generator g, generate_series(1, g.projects) p,
       LATERAL (SELECT pg_temp.pick(pg_temp.part(g.s + 12, p), ARRAY['atlas', 'beacon', 'cobalt',
                           'delta', 'ember', 'fjord', 'granite', 'harbor']) AS word,
                       pg_temp.pick(pg_temp.part(g.s + 13, p), ARRAY['assistant', 'forecast',
                           'inbox', 'insights', 'pipeline', 'search']) AS kind,
                       g.until - interval '1 day' * (31 + 400 * pg_temp.part(g.s + 14, p)) AS made
                OFFSET 0) x
 ORDER BY p;

INSERT INTO project_members (project_id, user_id, role, joined_at)
SELECT pg_temp.key(g.s + 11, p), pg_temp.key(g.s + 1, 1 + (5 * p + j) % g.users),
       CASE j WHEN 0 THEN 'owner' WHEN 5 THEN 'viewer' ELSE 'editor' END,
       g.until - interval '1 day' * (1 + 30 * pg_temp.part(g.s + 15, 6 * p + j))
  FROM generator g, generate_series(1, g.projects) p, generate_series(0, 5) j
 ORDER BY p, j;

INSERT INTO project_settings (project_id, default_priority, daily_task_limit, options, updated_at)
SELECT pg_temp.key(g.s + 11, p), 3 + p % 4, CASE WHEN p % 3 = 0 THEN 10000 END,
       jsonb_build_object('notify', p % 2 = 0, 'region', CASE p % 3 WHEN 0 THEN 'us' ELSE 'eu' END),
       g.until - interval '31 days'
  FROM generator g, generate_series(1, g.projects) p
 ORDER BY p;

-- AI tasks

INSERT INTO ai_models (id, name, version, provider, task_types, parameters, is_active, created_at)
OVERRIDING SYSTEM VALUE
SELECT m, format('%s-%s', family, size), '2025.' || m, provider, types,
       jsonb_build_object('context', 8192 << (m % 4), 'temperature', 0.1 * (m % 5)), m <> 12,
       g.until - interval '1 day' * (60 + 5 * m)
  FROM generator g, generate_series(1, 12) m,
       LATERAL (SELECT (ARRAY['aurora', 'basalt', 'cirrus', 'dynamo'])[1 + m % 4] AS family,
                       (ARRAY['small', 'base', 'large'])[1 + m % 3] AS size,
                       (ARRAY['in-house', 'cloud'])[1 + m % 2] AS provider,
                       CASE m % 3 WHEN 0 THEN ARRAY['classification', 'extraction', 'embedding']
                                  WHEN 1 THEN ARRAY['generation', 'summary', 'translation']
                                  ELSE ARRAY['vision', 'forecast'] END AS types) x
 ORDER BY m;

-- Of the newest hundredth and twelve more most still wait and some run; the others have ended. The
-- task names hold two words with 48 values each: a search for a pair finds 434 of a million. One
-- dataset (of 20 000) has 50 of a million.
INSERT INTO ai_tasks (id, project_id, user_id, task_name, task_type, status, priority, input_data,
                      output_data, error_message, created_at, started_at, completed_at, updated_at)
OVERRIDING SYSTEM VALUE
SELECT i, pg_temp.key(g.s + 11, project),
       pg_temp.key(g.s + 1, 1 + (5 * project + floor(6 * pg_temp.part(g.s + 21, i) ^ 2)::integer)
                                % g.users),
       format('%s %s %s for %s %s', (ARRAY['Draft', 'Summarize', 'Classify', 'Extract', 'Translate',
                                           'Inspect', 'Forecast', 'Embed'])[kind],
              adjective, object, name, firm),
       (ARRAY['generation', 'summary', 'classification', 'extraction', 'translation', 'vision',
              'forecast', 'embedding'])[kind],
       status, floor(10 * sqrt(pg_temp.part(g.s + 22, i)) * 0.999)::smallint,
       format('{"dataset": "ds-%s", "source": "%s", "language": "%s", "documents": %s, "prompt": '
              '"Look at the %s %s of %s %s and say what has changed since the last run", '
              '"parameters": {"temperature": 0.%s, "max_tokens": %s, "stream": %s}}',
              lpad(floor(20000 * pg_temp.part(g.s + 23, i))::text, 5, '0'),
              pg_temp.pick(pg_temp.part(g.s + 24, i) ^ 2, ARRAY['upload', 's3', 'postgresql',
                                                                'http', 'kafka']),
              pg_temp.pick(pg_temp.part(g.s + 25, i) ^ 3, ARRAY['en', 'de', 'es', 'fr', 'pt', 'tr',
                                                                'ja', 'zh']),
              1 + floor(200 * pg_temp.part(g.s + 26, i) ^ 3), adjective, object, name, firm, i % 10,
              256 << (i % 4)::integer, CASE WHEN i % 3 = 0 THEN 'true' ELSE 'false' END)::jsonb,
       CASE WHEN status = 'completed' THEN
         format('{"labels": ["%s", "%s"], "quality": 0.%s, "finish": "%s", "text": "Since the last '
                'run the %s of %s %s have moved by %s percent", "usage": {"input_tokens": %s, '
                '"output_tokens": %s}}',
                label, pg_temp.pick(pg_temp.part(g.s + 27, i), ARRAY['checked', 'draft', 'final',
                                                                     'internal', 'public']),
                50 + floor(50 * sqrt(pg_temp.part(g.s + 28, i))),
                CASE WHEN i % 20 = 0 THEN 'length' ELSE 'stop' END, object, name, firm,
                i % 37 - 18, 100 + floor(4000 * pg_temp.part(g.s + 29, i) ^ 2),
                20 + floor(800 * pg_temp.part(g.s + 30, i)))::jsonb END,
       CASE WHEN status = 'failed' THEN
         pg_temp.pick(pg_temp.part(g.s + 31, i) ^ 2, ARRAY['model did not answer in time',
             'input is longer than the context', 'rate limit of the provider reached',
             'answer is not valid JSON', 'worker was lost', 'data source refused the connection'])
         END,
       created, started, ended, coalesce(ended, started, created)
  FROM generator g, generate_series(1, g.tasks) i,
       LATERAL (SELECT pg_temp.moment(i, g.tasks, pg_temp.part(g.s + 32, i), g.until) AS created,
                       pg_temp.skewed(pg_temp.part(g.s + 33, i), g.projects) AS project,
                       1 + floor(8 * pg_temp.part(g.s + 34, i) ^ 1.5)::integer AS kind,
                       pg_temp.part(g.s + 35, i) AS fate, pg_temp.part(g.s + 36, i) AS luck,
                       pg_temp.pick(pg_temp.part(g.s + 37, i) ^ 2, ARRAY['quarterly', 'overdue',
                           'incoming', 'archived', 'flagged', 'regional', 'disputed', 'unsigned'])
                         AS adjective,
                       pg_temp.pick(pg_temp.part(g.s + 38, i), ARRAY['invoices', 'contracts',
                           'tickets', 'reviews', 'surveys', 'transcripts', 'receipts', 'estimates',
                           'emails', 'manuals', 'photos', 'scans', 'claims', 'orders', 'shipments',
                           'budgets', 'resumes', 'policies', 'patents', 'memos', 'audits',
                           'recipes', 'blueprints', 'newsletters', 'complaints', 'proposals',
                           'payrolls', 'timesheets', 'leads', 'refunds', 'warranties', 'tenders',
                           'permits',
                           'leases', 'datasheets', 'catalogs', 'brochures', 'minutes', 'agendas',
                           'prescriptions', 'diagrams', 'recordings', 'subtitles', 'backups',
                           'releases', 'incidents', 'alerts', 'metrics']) AS object,
                       pg_temp.pick(pg_temp.part(g.s + 39, i), ARRAY['Albatros', 'Bergamot',
                           'Cascade', 'Dandelion', 'Everest', 'Falcon', 'Glacier', 'Horizon',
                           'Indigo', 'Juniper', 'Kestrel', 'Lagoon', 'Magnolia', 'Nimbus',
                           'Obsidian', 'Pinnacle', 'Quartz', 'Rosewood', 'Sapphire', 'Tundra',
                           'Umber', 'Verbena', 'Willow', 'Xenon', 'Yarrow', 'Zephyr', 'Amber',
                           'Bramble', 'Cinder', 'Drift', 'Elm', 'Foxglove', 'Gable', 'Hazel',
                           'Ivory', 'Jasper', 'Kelp', 'Linden', 'Marble', 'Nettle', 'Opal',
                           'Poppy', 'Quill', 'Raven', 'Sable', 'Thistle', 'Ultramarine', 'Violet'])
                         AS name,
                       pg_temp.pick(pg_temp.part(g.s + 40, i), ARRAY['Logistics', 'Foods',
                           'Insurance', 'Robotics', 'Media', 'Energy', 'Clinics', 'Bank']) AS firm,
                       pg_temp.pick(pg_temp.part(g.s + 41, i), ARRAY['growth', 'decline', 'risk',
                           'duplicate', 'seasonal', 'outlier', 'stable', 'urgent', 'legal',
                           'personal', 'finance', 'quality']) AS label
                OFFSET 0) x,
       LATERAL (SELECT CASE WHEN i > g.tasks - g.tasks / 100 - 12 AND luck < 0.65 THEN 'pending'
                            WHEN i > g.tasks - g.tasks / 100 - 12 AND luck < 0.80 THEN 'running'
                            WHEN fate < 0.90 THEN 'completed'
                            WHEN fate < 0.97 THEN 'failed'
                            ELSE 'cancelled' END AS status OFFSET 0) y,
       LATERAL (SELECT CASE WHEN status = 'pending' OR fate >= 0.985 AND status = 'cancelled'
                            THEN NULL
                            WHEN status = 'running'
                            THEN greatest(created, g.until - interval '10 minutes' * fate)
                            ELSE least(created + interval '1 s' * (0.05 - 2 * ln(1 - luck)),
                                       g.until) END AS started OFFSET 0) z,
       LATERAL (SELECT CASE WHEN status IN ('completed', 'failed', 'cancelled') THEN
                         least(coalesce(started, created)
                               + interval '1 s' * (0.1 - (1 + kind * 0.8)
                                                   * ln(1 - pg_temp.part(g.s + 42, i))),
                               g.until) END AS ended OFFSET 0) e;

INSERT INTO ai_task_queue (task_id, priority, attempt, lease_until, worker)
SELECT t.id, t.priority, CASE WHEN t.status = 'running' OR t.id % 20 = 0 THEN 1 ELSE 0 END,
       CASE WHEN t.status = 'running' THEN t.started_at + interval '15 minutes' END,
       CASE WHEN t.status = 'running' THEN 'worker-' || 1 + t.id % 16 END
  FROM ai_tasks t
 WHERE t.status IN ('pending', 'running')
 ORDER BY t.id;

-- One to four results of each completed task, 2.4 on average; together they took as long as it
INSERT INTO ai_results (id, task_id, model_id, result_data, confidence_score, processing_time_ms,
                        created_at)
OVERRIDING SYSTEM VALUE
SELECT i, task_id, model,
       format('{"answer": "%s", "tokens": %s, "cached": %s, "trace": "%s"}',
              pg_temp.pick(pg_temp.part(g.s + 52, i), ARRAY['accepted', 'rejected', 'unclear',
                                                            'partly accepted']),
              20 + floor(800 * pg_temp.part(g.s + 53, i)),
              CASE WHEN i % 6 = 0 THEN 'true' ELSE 'false' END,
              to_hex(hashint8extended(i, g.s + 54)))::jsonb,
       round((1 - 0.6 * pg_temp.part(g.s + 55, i) ^ 2)::numeric, 4),
       floor(share_ms * (0.55 + 0.1 * (model * 7 % 5)))::integer, created
  FROM generator g,
       LATERAL (SELECT row_number() OVER (ORDER BY created, task_id, j) AS i, task_id, created,
                       share_ms
                  FROM (SELECT t.id AS task_id, j,
                               extract(epoch FROM t.completed_at - t.started_at)::float8 * 1000
                                 / parts AS share_ms,
                               t.started_at + (t.completed_at - t.started_at) * (j / parts::float8)
                                 AS created
                          FROM ai_tasks t,
                               LATERAL (SELECT pg_temp.part(g.s + 50, t.id) AS luck OFFSET 0) x,
                               LATERAL (SELECT CASE WHEN luck < 0.25 THEN 1 WHEN luck < 0.55 THEN 2
                                                    WHEN luck < 0.80 THEN 3 ELSE 4 END AS parts
                                        OFFSET 0) y,
                               generate_series(1, parts) j
                         WHERE t.status = 'completed') result) ordered,
       LATERAL (SELECT 1 + floor(12 * pg_temp.part(g.s + 51, i) ^ 2)::integer AS model OFFSET 0) z;

-- Data and analysis

INSERT INTO data_sources (id, project_id, name, kind, settings, last_synced_at, created_at)
SELECT pg_temp.key(g.s + 60, i), pg_temp.key(g.s + 11, 1 + (i - 1) / 2),
       CASE WHEN i % 2 = 0 THEN 'events' ELSE 'records' END, kind,
       jsonb_build_object('every', CASE WHEN i % 3 = 0 THEN '1 hour' ELSE '1 day' END),
       CASE WHEN kind <> 'upload' THEN g.until - interval '1 hour' * pg_temp.part(g.s + 61, i) END,
       g.until - interval '31 days'
  FROM generator g, generate_series(1, 2 * g.projects) i,
       LATERAL (SELECT pg_temp.pick(pg_temp.part(g.s + 62, i), ARRAY['postgresql', 's3', 'http',
                                                                    'kafka', 'upload']) AS kind
                OFFSET 0) x
 ORDER BY i;

INSERT INTO analysis_jobs (id, data_source_id, requested_by, kind, status, settings, created_at,
                           started_at, completed_at)
OVERRIDING SYSTEM VALUE
SELECT i, pg_temp.key(g.s + 60, source),
       pg_temp.key(g.s + 1, 1 + (5 * ((1 + source) / 2)) % g.users),
       pg_temp.pick(pg_temp.part(g.s + 70, i), ARRAY['profile', 'quality', 'drift', 'duplicates']),
       status, jsonb_build_object('sample', 1000 * (1 + i % 9)), created,
       CASE WHEN status <> 'pending' THEN created END,
       CASE WHEN status IN ('completed', 'failed')
            THEN least(created + interval '10 minutes' * pg_temp.part(g.s + 71, i), g.until) END
  FROM generator g, generate_series(1, g.jobs) i,
       LATERAL (SELECT pg_temp.moment(i, g.jobs, pg_temp.part(g.s + 72, i), g.until) AS created,
                       pg_temp.skewed(pg_temp.part(g.s + 73, i), 2 * g.projects) AS source,
                       CASE WHEN i > g.jobs - 2 THEN 'pending' WHEN i > g.jobs - 4 THEN 'running'
                            WHEN i % 16 = 0 THEN 'failed' ELSE 'completed' END AS status OFFSET 0) x
 ORDER BY i;

INSERT INTO analysis_results (job_id, metric, value, details, created_at)
SELECT j.id, metric, round((100 * pg_temp.part(g.s + 80 + place, j.id))::numeric, 3)::float8,
       jsonb_build_object('rows', j.settings -> 'sample'), j.completed_at
  FROM generator g, analysis_jobs j,
       unnest(ARRAY['completeness', 'duplicates', 'drift', 'outliers']) WITH ORDINALITY
         AS m (metric, place)
 WHERE j.status = 'completed'
 ORDER BY j.id, place;

-- Files

INSERT INTO file_storage (id, project_id, uploaded_by, path, content_type, size_bytes, sha256,
                          created_at)
SELECT pg_temp.key(g.s + 90, i), pg_temp.key(g.s + 11, project),
       pg_temp.key(g.s + 1, 1 + (5 * project + i % 6) % g.users),
       format('%s/%s.%s', to_char(made AT TIME ZONE 'UTC', 'YYYY/MM/DD'), i, ending),
       CASE ending WHEN 'pdf' THEN 'application/pdf' WHEN 'csv' THEN 'text/csv'
                   WHEN 'png' THEN 'image/png' ELSE 'application/json' END,
       floor(exp(6 + 12 * pg_temp.part(g.s + 91, i)))::bigint,
       sha256(convert_to('file ' || g.s || ' ' || i, 'UTF8')), made
  FROM generator g, generate_series(1, g.files) i,
       LATERAL (SELECT pg_temp.moment(i, g.files, pg_temp.part(g.s + 92, i), g.until) AS made,
                       pg_temp.skewed(pg_temp.part(g.s + 93, i), g.projects) AS project,
                       pg_temp.pick(pg_temp.part(g.s + 94, i), ARRAY['pdf', 'csv', 'png', 'json'])
                         AS ending OFFSET 0) x
 ORDER BY i;

INSERT INTO file_metadata (file_id, key, value)
SELECT pg_temp.key(g.s + 90, i), m.key,
       CASE m.key WHEN 'language' THEN
                  to_jsonb(pg_temp.pick(pg_temp.part(g.s + 95, i), ARRAY['en', 'de', 'es', 'fr']))
                WHEN 'pages' THEN to_jsonb(1 + i % 90)
                ELSE jsonb_build_array(pg_temp.pick(pg_temp.part(g.s + 96, i), ARRAY['inbox',
                       'report', 'training', 'evaluation'])) END
  FROM generator g, generate_series(1, g.files) i,
       unnest(ARRAY['language', 'pages', 'tags']) m (key)
 ORDER BY i, m.key;

-- Logs, figures, messages

INSERT INTO system_logs (id, created_at, service_name, log_level, message, context)
OVERRIDING SYSTEM VALUE
SELECT i, pg_temp.moment(i, g.logs, pg_temp.part(g.s + 100, i), g.until),
       pg_temp.pick(pg_temp.part(g.s + 101, i) ^ 2, ARRAY['api_gateway', 'data_service',
           'ai_service', 'auth', 'scheduler', 'notifier', 'billing', 'importer']),
       level,
       CASE level
         WHEN 'ERROR' THEN pg_temp.pick(luck, ARRAY['query was cancelled after its timeout',
             'no connection to the model provider', 'payload is not valid JSON']) || ', gave up'
         WHEN 'CRITICAL' THEN 'no free connection in the pool for 30 s'
         WHEN 'WARNING' THEN format('slow answer: %s ms, limit is 500 ms', 500 + floor(4000 * luck))
         ELSE format('%s %s answered %s in %s ms', pg_temp.pick(luck, ARRAY['GET', 'POST', 'PUT']),
                     path, CASE WHEN i % 30 = 0 THEN 404 ELSE 200 END, 2 + floor(180 * luck ^ 4))
         END,
       format('{"request": "%s", "host": "node-%s", "path": "%s"}',
              to_hex(hashint8extended(i, g.s + 102)), 1 + i % 12, path)::jsonb
  FROM generator g, generate_series(1, g.logs) i,
       LATERAL (SELECT pg_temp.part(g.s + 103, i) AS luck,
                       pg_temp.pick(pg_temp.part(g.s + 104, i) ^ 2, ARRAY['/v1/tasks',
                           '/v1/results', '/v1/projects', '/v1/files', '/v1/models',
                           '/v1/sessions']) AS path,
                       (ARRAY['CRITICAL', 'ERROR', 'WARNING', 'DEBUG', 'INFO'])
                         [1 + width_bucket(pg_temp.part(g.s + 105, i),
                                           ARRAY[0.002, 0.03, 0.12, 0.22])] AS level
                OFFSET 0) x;

INSERT INTO audit_trails (id, created_at, user_id, action, entity_type, entity_id, old_values,
                          new_values, client_address)
OVERRIDING SYSTEM VALUE
SELECT i, pg_temp.moment(i, g.trails, pg_temp.part(g.s + 110, i), g.until),
       pg_temp.key(g.s + 1, 1 + (5 * project + i % 6) % g.users), action,
       CASE WHEN action = 'login' THEN 'user' WHEN luck < 0.6 THEN 'project' ELSE 'ai_task' END,
       CASE WHEN action = 'login'
            THEN pg_temp.key(g.s + 1, 1 + (5 * project + i % 6) % g.users)::text
            WHEN luck < 0.6 THEN pg_temp.key(g.s + 11, project)::text
            ELSE (1 + floor(g.tasks * pg_temp.part(g.s + 111, i)))::text END,
       CASE WHEN action IN ('update', 'delete') THEN
         jsonb_build_object('status', 'active', 'priority', i % 10) END,
       CASE WHEN action IN ('create', 'update') THEN
         jsonb_build_object('status', CASE WHEN luck < 0.3 THEN 'paused' ELSE 'active' END,
                            'priority', i % 7) END,
       '10.0.0.0'::inet + (pg_temp.part(g.s + 112, i) * 65536)::bigint
  FROM generator g, generate_series(1, g.trails) i,
       LATERAL (SELECT pg_temp.skewed(pg_temp.part(g.s + 113, i), g.projects) AS project,
                       pg_temp.part(g.s + 114, i) AS luck,
                       pg_temp.pick(pg_temp.part(g.s + 115, i) ^ 2, ARRAY['update', 'create',
                           'login', 'export', 'delete']) AS action OFFSET 0) x;

-- Eight services, six figures each, one sample after the other
INSERT INTO performance_metrics (id, recorded_at, service_name, metric_name, value, labels)
OVERRIDING SYSTEM VALUE
SELECT i, g.until - interval '30 days' * ((g.samples - i) / g.samples::float8),
       (ARRAY['api_gateway', 'data_service', 'ai_service', 'auth', 'scheduler', 'notifier',
              'billing', 'importer'])[1 + i / 6 % 8],
       (ARRAY['cpu_percent', 'memory_mb', 'requests_per_s', 'latency_ms', 'queue_depth',
              'error_percent'])[1 + i % 6],
       round(((ARRAY[60, 900, 250, 80, 40, 2])[1 + i % 6]
              * (0.4 + pg_temp.part(g.s + 120, i) ^ 3))::numeric, 2)::float8,
       jsonb_build_object('host', 'node-' || 1 + i / 48 % 3)
  FROM generator g, generate_series(1, g.samples) i;

INSERT INTO notifications (id, user_id, kind, title, payload, read_at, created_at)
OVERRIDING SYSTEM VALUE
SELECT i, pg_temp.key(g.s + 1, pg_temp.skewed(pg_temp.part(g.s + 130, i), g.users)), kind,
       CASE kind WHEN 'task_completed' THEN 'Your task is ready'
                 WHEN 'task_failed' THEN 'A task has failed'
                 WHEN 'invited' THEN 'You have been invited to a project'
                 ELSE 'A limit is close' END,
       jsonb_build_object('task', 1 + floor(g.tasks * (i / g.messages::float8) * 0.999)),
       CASE WHEN pg_temp.part(g.s + 131, i) < 0.7
            THEN least(made + interval '1 day' * pg_temp.part(g.s + 132, i) ^ 2, g.until) END, made
  FROM generator g, generate_series(1, g.messages) i,
       LATERAL (SELECT pg_temp.moment(i, g.messages, pg_temp.part(g.s + 133, i), g.until) AS made,
                       pg_temp.pick(pg_temp.part(g.s + 134, i) ^ 2, ARRAY['task_completed',
                           'task_failed', 'invited', 'limit']) AS kind OFFSET 0) x
 ORDER BY i;

-- Identity columns go on after the last id
SELECT setval(pg_get_serial_sequence('ai_models', 'id'), (SELECT max(id) FROM ai_models)),
       setval(pg_get_serial_sequence('ai_tasks', 'id'), (SELECT max(id) FROM ai_tasks)),
       setval(pg_get_serial_sequence('ai_results', 'id'), (SELECT max(id) FROM ai_results)),
       setval(pg_get_serial_sequence('analysis_jobs', 'id'), (SELECT max(id) FROM analysis_jobs)),
       setval(pg_get_serial_sequence('system_logs', 'id'), (SELECT max(id) FROM system_logs)),
       setval(pg_get_serial_sequence('audit_trails', 'id'), (SELECT max(id) FROM audit_trails)),
       setval(pg_get_serial_sequence('performance_metrics', 'id'),
              (SELECT max(id) FROM performance_metrics)),
       setval(pg_get_serial_sequence('notifications', 'id'), (SELECT max(id) FROM notifications));

DROP TABLE generator;

DROP FUNCTION pg_temp.moment;

DROP FUNCTION pg_temp.skewed;

DROP FUNCTION pg_temp.pick;

DROP FUNCTION pg_temp.key;

DROP FUNCTION pg_temp.part;

RESET jit;

RESET work_mem;
