# SPDX-License-Identifier: MIT
"""The objects of the schema monitoring, without pgdeck: installed by their headers."""

import itertools
import re
import time
from decimal import Decimal

import psycopg
import pytest
from psycopg import sql

import monitoring_sql
from cluster import wait_for
from conftest import server_factory

WANTED = {"v_connection_status", "v_connection_pool_health", "v_long_running_connections",
          "v_slow_queries", "v_cache_hit_ratio", "v_index_usage", "v_index_bloat",
          "v_table_activity", "v_tables_needing_maintenance", "v_maintenance_status",
          "v_wal_status", "v_checkpoint_stats", "v_lock_monitoring", "v_lock_waits",
          "v_ai_task_performance", "v_ai_model_performance", "v_ai_workload_resources",
          "v_query_performance_trends",
          "v_database_sizes", "v_performance_alerts", "check_database_health()",
          "record_performance_metrics()"}
# Where no row is the healthy state.
MAY_BE_EMPTY = ("v_slow", "v_long_running", "v_lock", "src_lock", "lock_tree", "deck_values",
                "v_tables_needing", "v_index_bloat", "v_performance_alerts",
                "v_query_perf", "v_ai_model", "ai_model", "statement_history", "statement_last",
                "database_history", "growth_history", "history_", "target_history", "src_sequences",
                "query_texts", "partition_s")
# Of whoever keeps the history; of check_database_health(), which catches its lock timeout.
NOT_FOR_READERS = ("record_performance_metrics()", "keep_history()", ".orphaned_results()")
HOSTILE = ['we"ird; DROP TABLE x --', "Ünï çödé 'quoted'", "a\nb{}%I%s\\", "select"]
TASKS = """
    CREATE TABLE ai_tasks (
        id bigint GENERATED ALWAYS AS IDENTITY, status text NOT NULL, task_type text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(), started_at timestamptz,
        completed_at timestamptz, PRIMARY KEY (id, status)) {};
    CREATE TABLE ai_results (id bigint PRIMARY KEY, task_id bigint, model_id int,
                             processing_time_ms int, confidence_score numeric(5, 4),
                             created_at timestamptz NOT NULL DEFAULT now());
    CREATE TABLE ai_models (id int PRIMARY KEY, name text, version text)"""
PARTS = """
    CREATE TABLE ai_tasks_active PARTITION OF ai_tasks FOR VALUES IN ('pending', 'running');
    CREATE TABLE ai_tasks_done PARTITION OF ai_tasks DEFAULT"""
numbers = itertools.count()


@pytest.fixture(scope="module")
def cluster(root, server_bin, pg_version):
    """A server with pg_stat_statements, for this file."""
    make, servers = server_factory(root, server_bin)
    yield make(pg_version, shared_preload_libraries="pg_stat_statements",
               max_prepared_transactions="5", autovacuum="off", max_connections="40")
    for one in servers:
        one.destroy()


class Database:
    """A database of its own with monitoring's objects; connections to it as this or that role."""

    def __init__(self, server):
        self.server = server
        self.name = f"m{next(numbers)}"
        server.query(f"CREATE DATABASE {self.name}")
        server.query(f"ALTER DATABASE {self.name} SET search_path = \"$user\", public, monitoring")
        self.open = []
        self.admin = self.connect()

    def connect(self, **more):
        connection = self.server.connect(self.name, **more)
        self.open.append(connection)
        return connection

    def install(self):
        return monitoring_sql.install(self.admin)

    def run(self, text, *values, connection=None):
        return (connection or self.admin).execute(text, values or None)

    def age_history(self, interval):
        """As if the samples had been taken that long ago, which may be yesterday."""
        self.run("CREATE TABLE monitoring.database_history_before PARTITION OF "
                 "monitoring.database_history DEFAULT")
        self.run(f"UPDATE monitoring.database_history SET at = at - interval '{interval}'")

    def rows(self, text, *values, connection=None):
        return self.run(text, *values, connection=connection).fetchall()

    def findings(self, check, connection=None, severity=("critical", "warning", "unknown", "info")):
        """[(severity, finding, evidence, confidence, fix_sql)] of one check, but for ok ones."""
        rows = self.rows("SELECT severity, finding, evidence, confidence, fix_sql "
                         "FROM check_database_health() WHERE check_name = %s", check,
                         connection=connection)
        assert rows, f"no check named {check}"
        return [row for row in rows if row[0] in severity]

    def settle(self):
        """Lets the counters of what was done so far arrive."""
        if self.server.version >= 15:
            self.run("SELECT pg_stat_force_next_flush()")
            return
        time.sleep(1.2)  # 14 sends them twice a second through a process of its own
        self.run("SELECT 1")
        time.sleep(0.6)

    def end(self):
        for connection in self.open:
            connection.close()
        self.server.query(f"DROP DATABASE {self.name} WITH (FORCE)")


@pytest.fixture
def database(cluster):
    one = Database(cluster)
    yield one
    one.end()


@pytest.fixture
def monitor(cluster, database):
    """A connection of a role that has pg_monitor and nothing else."""
    name = f"monitor_{database.name}"
    cluster.query(f"CREATE ROLE {name} LOGIN IN ROLE pg_monitor")
    connection = database.connect(user=name)
    yield connection
    connection.close()
    cluster.query(f"DROP ROLE {name}")


def queryable(files):
    """What a user can select from: view names and functions without arguments."""
    objects = [file.object.split(" ", 1) for file in files]
    return [name for kind, name in objects
            if kind in ("view", "table") or name.endswith("()")
            and not name.endswith(NOT_FOR_READERS)]


# ------------------------------------------------------------------------------------ the files


def test_headers_follow_the_grammar():
    for file in monitoring_sql.read_all():
        kind, name = file.object.split(" ", 1)
        assert kind in ("view", "function", "table", "procedure"), file.name
        assert name.startswith("monitoring."), file.name
        assert file.what and file.servers, file.name
        create = f"CREATE {'' if kind == 'table' else 'OR REPLACE '}{kind.upper()} "
        create += name.split("(")[0]
        assert len(re.findall(rf"(?m)^{re.escape(create)}\b", file.text)) == 1, file.name
        assert len(re.findall(r"(?m)^CREATE", file.text)) == 1, file.name
        assert f"COMMENT ON {kind.upper()} {name} IS" in file.text, file.name
        assert file.text.rstrip().endswith("TO pg_monitor;"), file.name
        if kind == "function":
            assert "SET search_path = pg_catalog, pg_temp" in file.text, file.name
        assert max(map(len, file.text.splitlines())) <= 100, file.name


def test_every_limit_is_the_decks_and_the_other_way_round():
    """Each limit that SQL asks for is a level of an alert, both levels of each alert are asked for,
    and both pages name it."""
    texts = [file.text for file in monitoring_sql.read_all() + monitoring_sql.read_checks()]
    asked = {name for text in texts for name in re.findall(r"threshold\('(\w+)'", text)}
    source = (monitoring_sql.SOURCE / "src" / "deck" / "keys.c").read_text()
    kinds = set(re.findall(r'\{"(\w+)", LEVEL_', source))
    kinds.remove("query_p95")  # no statistic of the server has it: the pool does
    assert asked == {f"{kind}_{level}" for kind in kinds for level in ("warning", "critical")}
    for page in ("docs/deck.md", "docs/design/monitoring-sql.md"):
        text = (monitoring_sql.SOURCE / page).read_text()
        assert [kind for kind in kinds if f"`{kind}`" not in text] == [], page


def test_one_variant_for_each_version(cluster, database):
    """Exactly one file of each object is meant for this server, and the probes agree with it."""
    database.run(TASKS.format(""))
    by_version = {f.name for f in monitoring_sql.read_all() if cluster.version in f.servers}
    by_probe = {f.name for f in monitoring_sql.chosen(database.admin)}
    assert by_probe == by_version
    objects = [f.object for f in monitoring_sql.chosen(database.admin)]
    assert len(objects) == len(set(objects))
    assert WANTED <= {name.split(" ")[1].removeprefix("monitoring.") for name in objects}


def test_nothing_outside_pg_catalog_is_called(database):
    """Views name their relations with a schema; hostile functions in public are never called."""
    database.run("""
        CREATE FUNCTION public.evil() RETURNS void LANGUAGE plpgsql AS
            'BEGIN RAISE EXCEPTION ''called''; END';
        CREATE FUNCTION public.trunc(double precision, integer) RETURNS numeric LANGUAGE sql
            AS 'SELECT NULL::numeric FROM public.evil()';
        CREATE FUNCTION public.format(text, name, name) RETURNS text LANGUAGE sql
            AS 'SELECT NULL::text FROM public.evil()';
        CREATE FUNCTION public.count_eq(bigint, oid) RETURNS boolean LANGUAGE sql
            AS 'SELECT true FROM public.evil()';
        CREATE OPERATOR public.= (LEFTARG = bigint, RIGHTARG = oid, FUNCTION = public.count_eq)""")
    database.run(TASKS.format(""))
    for name in queryable(database.install()):
        database.rows(f"SELECT * FROM {name}")


# ------------------------------------------------------------------------- who can read it, and how


@pytest.mark.parametrize("partitioned", [False, True], ids=["plain", "partitioned"])
def test_every_object_answers_every_reader(database, monitor, partitioned):
    database.run("CREATE EXTENSION pg_stat_statements")
    database.run(TASKS.format("PARTITION BY LIST (status)" if partitioned else ""))
    if partitioned:
        database.run(PARTS)
    database.run("INSERT INTO ai_tasks (status, task_type, started_at, completed_at) "
                 "SELECT 'completed', 'summary', now(), now() + i * interval '1 s' "
                 "FROM generate_series(1, 100) AS i")
    files = database.install()
    database.install()  # again: nothing to complain about
    for name in queryable(files):
        short = name.removeprefix("monitoring.")
        for reader in (database.admin, monitor):
            rows = database.rows(f"SELECT * FROM {short}", connection=reader)
            assert rows or short.startswith(MAY_BE_EMPTY), (short, reader.info.user)
    for reader in (database.admin, monitor):
        row = database.rows("SELECT table_name, tasks, completed, p50_s, p95_s, basis "
                            "FROM v_ai_task_performance", connection=reader)
        assert row == [("public.ai_tasks", 100, 100, Decimal("50.5"), Decimal("95.05"),
                        "all tasks created in the last 24 hours")]
        assert not [r for r in database.rows("SELECT * FROM check_database_health()",
                                             connection=reader)
                    if r[0] == "unknown" and r[4] != "not measurable with this role"]


def test_a_role_without_pg_monitor_sees_nothing(cluster, database):
    database.install()
    cluster.query("CREATE ROLE nobody_m LOGIN")
    try:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            database.rows("SELECT * FROM monitoring.v_table_activity",
                          connection=database.connect(user="nobody_m"))
    finally:
        database.open.pop().close()
        cluster.query("DROP ROLE nobody_m")


def test_hostile_names(database, monitor):
    for i, text in enumerate(HOSTILE):
        name = sql.Identifier(text)
        database.run(sql.SQL("CREATE SCHEMA {0}; "
                             "CREATE TABLE {0}.{0} ({0} int PRIMARY KEY, x int) "
                             "WITH (autovacuum_enabled = off); "
                             "CREATE INDEX {1} ON {0}.{0} (x); "
                             "INSERT INTO {0}.{0} SELECT i, i FROM generate_series(1, 30000) AS i; "
                             "UPDATE {0}.{0} SET x = 0")
                     .format(name, sql.Identifier(f"{text} {i}")))
    database.settle()
    for name in queryable(database.install()):
        for reader in (database.admin, monitor):
            database.rows(f"SELECT * FROM {name}", connection=reader)
    found = database.findings("stale statistics")
    assert len(found) == len(HOSTILE)
    for row in found + database.findings("dead rows"):
        database.run(row[4])
    database.settle()
    assert database.findings("stale statistics") == database.findings("dead rows") == []
    assert {r[0] for r in database.rows("SELECT schema_name FROM v_index_usage")} == \
        {*HOSTILE, "monitoring"}


def test_nothing_waits_behind_a_queued_alter_table(database, monitor):
    database.run(TASKS.format("PARTITION BY LIST (status)") + ";" + PARTS)
    database.run("CREATE TABLE logs (at timestamptz, n int) PARTITION BY RANGE (at); "
                 "CREATE TABLE logs_1 PARTITION OF logs FOR VALUES FROM ('2020-01-01') TO (now()); "
                 "CREATE INDEX ON logs ((n + 1))")
    files = database.install()
    tables = ("ai_tasks", "ai_results", "logs", "logs_1")
    reader, changers = database.connect(), [database.connect() for _ in tables]
    reader.execute("BEGIN")
    for table, changer in zip(tables, changers):
        reader.execute(f"SELECT * FROM {table}")
        changer.pgconn.send_query(f"BEGIN; LOCK TABLE ONLY {table}".encode())
    wait_for(lambda: len(database.rows("SELECT DISTINCT relation FROM pg_locks WHERE NOT granted"))
             == len(tables), 10, "the queue")
    for connection in (database.admin, monitor):
        connection.execute("SET statement_timeout = '2s'")
        for name in queryable(files):
            database.rows(f"SELECT * FROM {name}", connection=connection)
        (tasks, basis), = database.rows("SELECT tasks, basis FROM v_ai_task_performance",
                                        connection=connection)
        assert tasks is None and "not measurable now" in basis
        unknown = database.rows("SELECT check_name, finding FROM check_database_health() "
                                "WHERE severity = 'unknown' AND confidence <> "
                                "'not measurable with this role'", connection=connection)
        assert len(unknown) == 1 and unknown[0][0] == "orphaned results"
        assert "not measurable now" in unknown[0][1]
        connection.execute("RESET statement_timeout")
    for changer in changers:
        database.run("SELECT pg_cancel_backend(%s)", changer.info.backend_pid)


def test_the_products_own_migrations_are_not_in_the_way(database):
    database.run("CREATE EXTENSION pg_stat_statements")
    database.run(TASKS.format(""))
    database.install()
    database.run("DROP EXTENSION pg_stat_statements")
    database.run("ALTER TABLE ai_tasks ALTER COLUMN task_type TYPE varchar(80), "
                 "DROP COLUMN started_at")
    assert database.rows("SELECT * FROM v_ai_task_performance") == []
    database.run("DROP TABLE ai_tasks, ai_results")
    assert database.rows("SELECT * FROM v_ai_task_performance") == []
    assert database.findings("orphaned results") == []


# ------------------------------------------------------------------------------------- the views


def test_slow_queries(database, monitor):
    database.install()
    why = database.rows("SELECT why, query_id, calls FROM v_slow_queries")
    assert len(why) == 1 and "not installed" in why[0][0] and why[0][1:] == (None, None)
    found = database.findings("statements")
    assert [f[0] for f in found] == ["info"]
    database.run(found[0][4])  # creates the extension
    assert database.findings("statements") == []
    for _ in range(3):
        database.run("SELECT pg_sleep(0.15) AS slow_one")
    database.run("SELECT 1 AS fast_one")
    for reader in (database.admin, monitor):
        rows = database.rows("SELECT query, calls, mean_ms, why FROM v_slow_queries",
                             connection=reader)
        slow = [row for row in rows if "slow_one" in row[0]]
        assert len(slow) == 1 and slow[0][1] == 3 and slow[0][2] >= 150
        assert slow[0][3].startswith("mean over 100 ms")
        assert not [row for row in rows if "fast_one" in row[0]]


def test_extension_in_a_schema_of_its_own(database):
    database.run('CREATE SCHEMA "Ex t"; CREATE EXTENSION pg_stat_statements SCHEMA "Ex t"')
    database.install()
    assert database.rows("SELECT problem FROM monitoring.statement_counters(true) LIMIT 1") == [(None,)]


def test_statements_without_the_library(make_server, pg_version):
    server = make_server(pg_version)
    server.query("CREATE EXTENSION pg_stat_statements")
    with server.connect() as connection:
        monitoring_sql.install(connection)
        why = connection.execute("SELECT why FROM monitoring.v_slow_queries").fetchall()
    assert len(why) == 1 and "shared_preload_libraries" in why[0][0]


def test_index_usage(database):
    database.run("""
        CREATE TABLE customer (id int PRIMARY KEY, mail text UNIQUE, town text, country text);
        CREATE UNIQUE INDEX customer_code ON customer (town, id);
        CREATE INDEX customer_town ON customer (town);
        CREATE INDEX customer_country ON customer (country);
        CREATE TABLE sale (id int, at date, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
        CREATE TABLE sale_1 PARTITION OF sale FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
        CREATE TABLE sale_2 PARTITION OF sale FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
        CREATE INDEX sale_at ON sale (at);
        INSERT INTO customer SELECT i, i, i, i FROM generate_series(1, 5000) AS i;
        INSERT INTO sale SELECT i, date '2026-01-01' + i % 50 FROM generate_series(1, 5000) AS i;
        ANALYZE customer; ANALYZE sale; SET enable_seqscan = off""")
    for _ in range(3):
        database.run("SELECT count(*) FROM customer WHERE town = '7'")
        database.run("SELECT count(*) FROM sale WHERE at = '2026-02-03'")
    database.settle()
    database.install()
    columns = "index_name, usage_category, scans, enforces, can_be_dropped, partitions"
    rows = {row[0]: row[1:] for row in database.rows(f"SELECT {columns} FROM v_index_usage "
                                                "WHERE schema_name = 'public'")}
    assert set(rows) == {"customer_pkey", "customer_mail_key", "customer_code", "customer_town",
                         "customer_country", "sale_pkey", "sale_at"}
    assert rows["customer_town"][:2] == ("LOW", 3)
    assert rows["sale_at"] == ("LOW", 3, None, "no: it is used", 2)
    assert rows["customer_country"][:3] == ("UNUSED", 0, None)
    assert rows["customer_country"][3].startswith("too early to say")
    for name, what in (("customer_pkey", "primary key"), ("customer_mail_key", "unique constraint"),
                       ("customer_code", "unique index"), ("sale_pkey", "primary key")):
        assert rows[name][:3] == ("UNUSED", 0, what)
        assert rows[name][3] == f"no: it enforces {what}"
    assert not database.rows("SELECT FROM v_index_usage WHERE counted_since IS NULL")
    assert not database.rows("SELECT FROM v_index_usage WHERE usage_category = 'UNUSED' "
                             "AND enforces IS NULL AND can_be_dropped NOT LIKE 'too early%'")


def test_counters_start_anew_after_a_crash(make_server, pg_version):
    """No reset was asked for, yet counters begin at the crash: counted_since must say so."""
    server = make_server(pg_version)
    with server.connect() as connection:
        monitoring_sql.install(connection)
        before = connection.execute("SELECT clock_timestamp()").fetchone()[0]
    server.kill9()
    server.start()
    since, = server.query("SELECT counted_since FROM monitoring.src_counted_since "
                          "WHERE database_name = 'postgres'")[0]
    assert since > before
    middle = server.value("SELECT clock_timestamp()")
    server.restart()  # a clean one keeps the counters
    since, = server.query("SELECT counted_since FROM monitoring.src_counted_since "
                          "WHERE database_name = 'postgres'")[0]
    assert before < since < middle


def test_cache_hit_ratio_says_what_it_covers(database):
    database.install()
    database.settle()
    database.run("SELECT pg_stat_reset()")
    query = ("SELECT hit_percent, counted_since, reading FROM v_cache_hit_ratio "
             "WHERE database_name = %s")
    percent, since, reading = database.rows(query, database.name)[0]
    assert since is not None
    assert percent is None and reading.startswith("too few reads")
    database.run("CREATE TABLE big AS SELECT repeat('x', 700) FROM generate_series(1, 80000)")
    database.run("SELECT count(*) FROM big")
    database.settle()
    percent, since, reading = database.rows(query, database.name)[0]
    assert 0 < percent <= 100 and reading.startswith("mean of the counted time")


def test_table_activity(database):
    database.run("""
        CREATE TABLE item (id int PRIMARY KEY, n int);
        INSERT INTO item SELECT i, 0 FROM generate_series(1, 2000) AS i;
        UPDATE item SET n = 1 WHERE id <= 500; DELETE FROM item WHERE id > 1900;
        ANALYZE item; SELECT count(*) FROM item""")
    database.settle()
    database.install()
    row = database.rows("SELECT inserts, updates, deletes, live_rows, last_analyze IS NOT NULL, "
                        "counted_since IS NOT NULL FROM v_table_activity WHERE table_name = 'item'")
    assert row == [(2000, 500, 100, 1900, True, True)]


def test_calls_in_the_history_are_those_of_pgbench(make_server, pg_version):
    """Over a reset of the statistics and a crash: nothing counted twice, what is lost is a gap."""
    server = make_server(pg_version, shared_preload_libraries="pg_stat_statements", fsync="on")
    server.query("CREATE EXTENSION pg_stat_statements")
    with server.connect() as connection:
        monitoring_sql.install(connection)
    sample = "SELECT monitoring.record_performance_metrics()"
    assert "the first sample" in server.value(sample)
    done = 0

    def work(transactions):
        server.client("pgbench", "-n", "-t", str(transactions), "-c", "2", "-f", script)
        return 2 * transactions

    script = server.folder / "one.sql"
    script.write_text("SELECT 4711 AS counted;\n")
    for event in ("nothing", "reset", "nothing", "restart", "crash", "nothing"):
        done += work(150)
        assert "recorded for the time since" in server.value(sample)
        if event == "reset":
            work(20)  # between the last sample and the reset: lost
            server.query("SELECT pg_stat_statements_reset()")
        elif event == "restart":  # a clean one loses nothing
            done += work(20)
            server.restart()
        elif event == "crash":
            work(30)
            server.kill9()
            server.start()
            done += work(10)
    server.value(sample)
    assert server.value("""
        SELECT sum(h.calls) FROM monitoring.statement_history AS h
          JOIN monitoring.query_texts AS q USING (query_id) WHERE q.query LIKE '%AS counted'
        """) == done
    gaps = server.query("SELECT since, until, why FROM monitoring.history_gaps ORDER BY since")
    assert len(gaps) == 2 and all("began anew" in gap[2] and gap[0] < gap[1] for gap in gaps)
    samples = [row[0] for row in server.query("SELECT at FROM monitoring.database_history")]
    assert not [at for at in samples for gap in gaps if gap[0] < at < gap[1]]  # one interval at most
    assert server.value("SELECT sum(calls) FROM monitoring.v_query_performance_trends "
                        "WHERE query LIKE '%AS counted'") == done
    assert server.value("SELECT count(*) FROM monitoring.v_query_performance_trends "
                        "WHERE not_recorded > interval '0'") > 0


def test_history_is_kept_as_long_as_the_deck_says(database):
    database.install()
    day = "to_char(now() AT TIME ZONE 'UTC' + interval '%s days', 'YYYYMMDD')"
    database.rows("SELECT monitoring.record_performance_metrics()")
    for back in (29, 31, 33):
        low, high = (database.rows(f"SELECT {day % -k}")[0][0] for k in (back, back - 1))
        database.run(f"CREATE TABLE monitoring.statement_history_{low} PARTITION OF "
                     f"monitoring.statement_history FOR VALUES FROM ('{low} UTC') TO ('{high} UTC')")
    database.run("INSERT INTO monitoring.query_texts VALUES (1, 'SELECT old')")
    database.rows("SELECT monitoring.record_performance_metrics()")
    left = {row[0] for row in database.rows(
        "SELECT inhrelid::regclass::text FROM pg_inherits "
        "WHERE inhparent = 'monitoring.statement_history'::regclass")}
    days = {database.rows(f"SELECT {day % k}")[0][0] for k in (-29, 0, 1)}
    assert left == {f"monitoring.statement_history_{d}" for d in days} or \
        left == {f"statement_history_{d}" for d in days}
    assert database.rows("SELECT FROM monitoring.query_texts WHERE query_id = 1") == []


def test_history_that_is_no_longer_recorded(database, monitor):
    database.install()
    assert database.findings("history") == []  # whoever never began has nothing to miss
    database.rows("SELECT monitoring.record_performance_metrics()")
    assert database.findings("history") == []
    database.age_history("90 minutes")
    for reader in (database.admin, monitor):
        found, = database.findings("history", reader)
        assert found[0] == "warning" and "no sample for 01:30" in found[1]
    database.run(found[4])
    assert database.findings("history") == []


def test_only_its_owner_records_history(database, monitor):
    database.install()
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="only the owner"):
        database.rows("SELECT monitoring.record_performance_metrics()", connection=monitor)


def test_cache_hit_ratio_of_the_interval(database, monitor):
    """99 % since the reset and low right now: the interval shows it."""
    database.install()
    database.run("CREATE TABLE small (id int); INSERT INTO small SELECT generate_series(1, 20000)")
    for _ in range(40):
        database.run("SELECT count(*) FROM small")
    database.settle()
    database.rows("SELECT monitoring.record_performance_metrics()")
    database.age_history("2 minutes")
    database.run("CREATE TABLE big AS SELECT repeat('x', 700) AS x FROM generate_series(1, 400000)")
    for _ in range(2):
        database.run("SELECT count(*) FROM big")
    database.settle()
    for reader in (database.admin, monitor):
        row, = database.rows("SELECT hit_percent, interval_hit_percent, interval_since IS NOT NULL "
                             "FROM v_cache_hit_ratio WHERE database_name = current_database()",
                             connection=reader)
        assert row[1] is not None and row[2] and row[1] < row[0]


def test_lock_tree_with_a_prepared_transaction_at_its_head(database, monitor):
    database.install()
    database.run("CREATE TABLE t (id int)")
    database.run("BEGIN; LOCK TABLE t IN SHARE MODE; "
                 "PREPARE TRANSACTION 'for''gotten'")
    assert database.rows("SELECT * FROM v_lock_monitoring") == []
    changer, reader = database.connect(), database.connect()
    changer.pgconn.send_query(b"ALTER TABLE t ADD COLUMN x int")
    wait_for(lambda: len(database.rows("SELECT FROM v_lock_waits")) == 1, 10, "the first")
    reader.pgconn.send_query(b"SELECT * FROM t")
    wait_for(lambda: len(database.rows("SELECT FROM v_lock_waits")) == 2, 10, "the second")
    pids = [changer.info.backend_pid, reader.info.backend_pid]
    for role in (database.admin, monitor):
        waits = database.rows("SELECT waiting_pid, table_name, blocking_pid, "
                              "blocking_prepared_transaction FROM v_lock_waits", connection=role)
        assert waits == [(pids[0], "public.t", None, "for'gotten"),
                         (pids[1], "public.t", pids[0], None)]
        tree = database.rows("SELECT depth, pid, prepared_transaction, sessions_behind, fix_sql "
                             "FROM v_lock_monitoring", connection=role)
        assert tree == [(0, None, "for'gotten", 2, "ROLLBACK PREPARED 'for''gotten';"),
                        (1, pids[0], None, 1, None), (2, pids[1], None, 0, None)]
    database.run(tree[0][4])
    wait_for(lambda: database.rows("SELECT * FROM v_lock_monitoring") == [], 10, "no waits")


def test_long_running_connections(database, monitor):
    database.install()
    idle = database.connect(application_name="forgetful")
    idle.execute("BEGIN; SELECT 1")
    database.connect(application_name="decoy").execute("SELECT 1")
    for role in (database.admin, monitor):
        rows = database.rows("SELECT application_name, state, why FROM v_long_running_connections "
                             "WHERE database_name = current_database()", connection=role)
        assert rows == [("forgetful", "idle in transaction", "idle in transaction")]


def test_tables_needing_maintenance(database):
    database.install()
    database.run("CREATE TABLE sick (id int); INSERT INTO sick SELECT generate_series(1, 5000); "
                 "CREATE TABLE decoy (id int); INSERT INTO decoy SELECT generate_series(1, 5000)")
    database.settle()
    database.run("VACUUM (ANALYZE) sick")
    database.run("VACUUM (ANALYZE) decoy")
    database.run("DELETE FROM sick WHERE id <= 3000; DELETE FROM decoy WHERE id <= 100")
    database.settle()
    rows = database.rows("SELECT table_name, maintenance_sql FROM v_tables_needing_maintenance")
    assert rows == [("sick", "VACUUM (ANALYZE) public.sick;")]
    database.run(rows[0][1])
    database.settle()
    assert database.rows("SELECT * FROM v_tables_needing_maintenance") == []


def test_maintenance_status_has_temp_files(database):
    database.install()
    query = "SELECT database_name FROM v_maintenance_status WHERE temp_files > 0"
    assert (database.name,) not in database.rows(query)
    database.run("SET work_mem = '64kB'")
    database.run("SELECT count(*) FROM (SELECT i FROM generate_series(1, 200000) i "
                 "ORDER BY random()) x")
    database.settle()
    assert (database.name,) in database.rows(query)


def test_index_bloat_is_what_a_rebuild_saves(database, monitor):
    """The estimate beside the truth: what REINDEX makes of it. Decoys: deduplicated, wide, fresh."""
    database.install()
    database.run("""
        CREATE TABLE t (id bigint PRIMARY KEY, few int, word text, at timestamptz, partly int,
                        price numeric);
        INSERT INTO t SELECT i, i % 20, md5(i::text), now() - i * interval '1 s',
                             CASE WHEN i % 3 = 0 THEN i END, i FROM generate_series(1, 60000) AS i;
        CREATE INDEX t_few ON t (few); CREATE INDEX t_word ON t (word); CREATE INDEX t_at ON t (at);
        CREATE INDEX t_pair ON t (few, at); CREATE INDEX t_partly ON t (partly);
        CREATE INDEX t_price ON t (price); CREATE INDEX t_lower ON t (lower(word));
        CREATE INDEX t_part ON t (word) WHERE few = 3""")
    database.settle()
    database.run("VACUUM (ANALYZE) t")
    database.settle()
    query = "SELECT index_name, bloat_percent FROM v_index_bloat WHERE table_name = 't'"
    fresh = dict(database.rows(query))
    assert len(fresh) == 9 and max(fresh.values()) < 15, fresh
    database.run("DELETE FROM t WHERE id % 10 <> 0")
    database.settle()
    database.run("VACUUM (ANALYZE) t")
    database.settle()
    sizes = dict(database.rows("SELECT indexrelid::regclass::text, pg_relation_size(indexrelid) "
                               "FROM pg_index WHERE indrelid = 't'::regclass"))
    sick = dict(database.rows(query))
    database.run("REINDEX TABLE t")
    for name, percent in sick.items():
        new, = database.rows(f"SELECT pg_relation_size('{name}')")[0]
        truth = 100 * (1 - new / sizes[name])
        assert abs(float(percent) - truth) < 12, (name, percent, truth)
    assert sick["t_word"] > 70
    rows = database.rows("SELECT index_name, bloat_percent, basis FROM v_index_bloat "
                         "WHERE table_name = 't'", connection=monitor)
    assert len(rows) >= 8
    assert all(p is None and "not measurable with this role" in b for _, p, b in rows)


# ------------------------------------------------------------------------------ sickness and decoy


def test_connections_against_every_limit(database, monitor):
    role = f"app_{database.name}"
    database.run(f"CREATE ROLE {role} LOGIN CONNECTION LIMIT 5; "
                 f"CREATE ROLE {role}_calm LOGIN CONNECTION LIMIT 50")
    database.install()
    try:
        held = [database.connect(user=role) for _ in range(4)]
        held.append(database.connect(user=f"{role}_calm"))
        query = ("SELECT used, connection_limit, used_percent, health "
                 "FROM v_connection_pool_health WHERE scope = 'role' AND name = %s")
        for reader in (database.admin, monitor):
            assert database.rows(query, role, connection=reader) == [(4, 5, 80, "WARNING")]
            assert database.rows(query, f"{role}_calm", connection=reader)[0][3] == "OK"
            found = database.findings("connections", reader)
            assert [f[0] for f in found] == ["warning"] and role in found[0][1]
        held.append(database.connect(user=role))
        assert database.findings("connections")[0][0] == "critical"
        database.run(found[0][4])
        assert database.findings("connections") == []
        server = database.rows("SELECT connection_limit FROM v_connection_pool_health "
                               "WHERE scope = 'server'")
        assert server == [(37,)]  # 40 less 3 reserved
    finally:
        for connection in held:
            connection.close()
        wait_for(lambda: not database.rows("SELECT FROM pg_stat_activity WHERE usename LIKE %s",
                                           f"{role}%"), 10, "end of the sessions")
        database.run(f"DROP ROLE {role}, {role}_calm")


def test_idle_in_transaction(database, monitor):
    database.install()
    database.run("CREATE TABLE t (id int)")
    idle = database.connect(application_name="forgetful';--")
    idle.execute("BEGIN; INSERT INTO t VALUES (1)")
    assert database.findings("idle in transaction") == []  # the decoy: not for long yet
    time.sleep(0.3)
    for reader in (database.admin, monitor):
        reader.execute("SET pgdeck.idle_in_transaction_warning = '200 ms'")
        found = database.findings("idle in transaction", reader)
        assert [f[0] for f in found] == ["warning"] and "forgetful" in found[0][1]
    database.run(found[0][4])
    wait_for(lambda: database.findings("idle in transaction") == [], 10, "end of the session")


def test_forgotten_prepared_transaction(database):
    database.install()
    database.run("SET pgdeck.idle_in_transaction_warning = '0 s'")
    database.run("BEGIN; CREATE TABLE made_by_it (id int); PREPARE TRANSACTION 'it''s'")
    found = database.findings("idle in transaction")
    assert len(found) == 1 and "prepared transaction 'it''s'" in found[0][1]
    database.run(found[0][4])
    assert database.findings("idle in transaction") == []


def test_dead_rows(database):
    database.install()
    database.run("""
        CREATE TABLE sick (id int) WITH (autovacuum_enabled = off);
        CREATE TABLE decoy_few (id int); CREATE TABLE decoy_clean (id int);
        INSERT INTO sick SELECT generate_series(1, 60000);
        INSERT INTO decoy_few SELECT generate_series(1, 60000);
        INSERT INTO decoy_clean SELECT generate_series(1, 60000)""")
    database.settle()
    database.run("ANALYZE sick; ANALYZE decoy_few; ANALYZE decoy_clean")
    database.run("DELETE FROM sick WHERE id > 20000; DELETE FROM decoy_few WHERE id > 50000; "
                 "DELETE FROM decoy_clean WHERE id > 10000")
    database.settle()
    database.run("VACUUM decoy_clean")
    database.settle()
    found = database.findings("dead rows")
    assert len(found) == 1 and "public.sick has about 40000 dead rows" in found[0][1]
    for statement in found[0][4].split("; "):
        database.run(statement)
    database.settle()
    assert database.findings("dead rows") == []
    assert database.rows("SELECT count(*) FROM sick") == [(20000,)]


def test_invalid_indexes(database, monitor):
    database.install()
    database.run("CREATE TABLE t (id int, x int); CREATE INDEX decoy ON t (x); "
                 "CREATE TABLE building (id int); INSERT INTO t VALUES (1, 1), (2, 1)")
    with pytest.raises(psycopg.errors.UniqueViolation):
        database.run("CREATE UNIQUE INDEX CONCURRENTLY broken ON t (x)")
    blocker, builder = database.connect(), database.connect()
    blocker.execute("BEGIN; INSERT INTO building VALUES (1)")
    builder.pgconn.send_query(b"CREATE INDEX CONCURRENTLY in_progress ON building (id)")
    wait_for(lambda: database.rows("SELECT FROM pg_index WHERE NOT indisvalid AND indexrelid = "
                                   "to_regclass('in_progress')"), 10, "the build")
    for reader in (database.admin, monitor):
        found = database.findings("invalid indexes", reader)
        assert len(found) == 1 and "public.broken" in found[0][1]
    blocker.execute("ROLLBACK")
    database.run("UPDATE t SET x = id")
    database.run(found[0][4])
    assert database.findings("invalid indexes") == []


def test_partitions_that_run_out(database, monitor):
    database.install()
    database.run("SET timezone = 'UTC'")
    month = "date_trunc('month', now()) + interval '%s month'"
    for table, first, last, default in (("sick_now", -3, 0, False), ("sick_next", -2, 1, True),
                                        ("decoy", -2, 3, True), ("decoy_archive", -40, -20, False)):
        database.run(f"CREATE TABLE {table} (at timestamptz, n int) PARTITION BY RANGE (at)")
        for i in range(first, last):
            low, high = (database.rows(f"SELECT {month % k}")[0][0] for k in (i, i + 1))
            database.run(f"CREATE TABLE {table}_{i - first} PARTITION OF {table} "
                         f"FOR VALUES FROM ('{low}') TO ('{high}')")
        if default:
            database.run(f"CREATE TABLE {table}_default PARTITION OF {table} DEFAULT")
    database.run("CREATE TABLE decoy_days (d date) PARTITION BY RANGE (d); "
                 "CREATE TABLE decoy_days_1 PARTITION OF decoy_days "
                 "FOR VALUES FROM ('2020-01-01') TO (MAXVALUE); "
                 "CREATE TABLE decoy_ids (id int) PARTITION BY RANGE (id); "
                 "CREATE TABLE decoy_ids_1 PARTITION OF decoy_ids FOR VALUES FROM (1) TO (9)")
    for reader in (database.admin, monitor):
        found = database.findings("partitions", reader)
        assert [(f[0], f[1]) for f in found] == [
            ("critical", "public.sick_now has no partition for now"),
            ("warning", "public.sick_next has no partition for the next period")]
    for row in found:
        database.run(row[4])
    assert database.findings("partitions") == []
    database.run("INSERT INTO sick_now VALUES (now()), (now() + interval '1 month')")
    database.run("INSERT INTO decoy VALUES ('2000-01-01')")
    database.settle()
    found = database.findings("partitions")
    assert len(found) == 1 and "default partition public.decoy_default" in found[0][1]


def test_partitions_of_ids_that_run_out(database, monitor):
    """Integers that a sequence gives, and uuids of version 7, whose first bits are the time."""
    database.install()
    for table, last in (("sick_ids", 2500), ("sick_soon", 1500), ("decoy_ids", 900)):
        database.run(f"CREATE TABLE {table} (id bigint GENERATED ALWAYS AS IDENTITY) PARTITION BY RANGE (id)")
        for i in range(2):
            database.run(f"CREATE TABLE {table}_{i} PARTITION OF {table} "
                         f"FOR VALUES FROM ({i * 1000}) TO ({(i + 1) * 1000})")
        database.run(f"SELECT setval('{table}_id_seq', {last})")
    uuid = ("overlay(lpad(to_hex((extract(epoch FROM date_trunc('month', now(), 'UTC') + interval '%s month')"
            " * 1000)::bigint), 12, '0') PLACING '-' FROM 9 FOR 0) || '-0000-0000-000000000000'")
    for table, months in (("sick_uuids", 0), ("decoy_uuids", 3)):
        low, high = (database.rows(f"SELECT {uuid % k}")[0][0] for k in (months - 1, months))
        database.run(f"CREATE TABLE {table} (id uuid) PARTITION BY RANGE (id); CREATE TABLE {table}_0 "
                     f"PARTITION OF {table} FOR VALUES FROM ('{low}') TO ('{high}')")
    database.run("GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO pg_monitor")
    for reader in (database.admin, monitor):
        found = database.findings("partitions", reader)
        assert sorted((f[0], f[1]) for f in found) == [
            ("critical", "public.sick_ids has no partition for the next id"),
            ("critical", "public.sick_uuids has no partition for now"),
            ("warning", "public.sick_soon has no partition for the ids after the next ones")]
    alerts = database.rows("SELECT finding FROM monitoring.v_performance_alerts WHERE alert = 'partitions'")
    assert len(alerts) == 3
    for row in found:
        database.run(row[4])
    left = database.findings("partitions")
    assert [f[1] for f in left] in ([], ["public.sick_ids has no partition for the ids after the next ones"])


def test_stale_statistics(database):
    database.install()
    database.run("""
        CREATE TABLE never (id int); INSERT INTO never SELECT generate_series(1, 20000);
        CREATE TABLE decoy_small (id int); INSERT INTO decoy_small SELECT generate_series(1, 900);
        CREATE TABLE behind (id int); INSERT INTO behind SELECT generate_series(1, 20000);
        CREATE TABLE decoy_fresh (id int); INSERT INTO decoy_fresh SELECT generate_series(1, 20000);
        CREATE TABLE parent (id int) PARTITION BY HASH (id);
        CREATE TABLE parent_0 PARTITION OF parent FOR VALUES WITH (MODULUS 1, REMAINDER 0);
        INSERT INTO parent SELECT generate_series(1, 20000)""")
    database.settle()
    database.run("ANALYZE behind; ANALYZE decoy_fresh; ANALYZE parent_0")
    database.run("UPDATE behind SET id = id + 1")
    database.settle()
    found = database.findings("stale statistics")
    assert {f[1] for f in found} == {
        "public.never has never been analyzed",
        "planner statistics of public.behind are far behind",
        "partitioned table public.parent has never been analyzed"}
    for row in found:
        database.run(row[4])
    database.settle()
    assert database.findings("stale statistics") == []


def test_orphaned_results(database, monitor):
    database.run(TASKS.format("PARTITION BY LIST (status)") + ";" + PARTS)
    database.run("INSERT INTO ai_tasks (status, task_type) SELECT 'pending', 'x' "
                 "FROM generate_series(1, 1000)")
    database.run("INSERT INTO ai_results SELECT i, i, 1 FROM generate_series(1, 1000) AS i")
    database.install()
    assert database.findings("orphaned results") == []  # the decoy: every task is there
    database.run("DELETE FROM ai_tasks WHERE id > 900")
    for reader in (database.admin, monitor):
        found = database.findings("orphaned results", reader)
        assert len(found) == 1 and "about 10.00 %" in found[0][1]
        assert "every result was looked at" in found[0][3]
    database.run(found[0][4])
    assert database.findings("orphaned results") == []
    assert database.rows("SELECT count(*) FROM ai_results") == [(900,)]


def test_orphaned_results_of_a_large_table_from_a_sample(database):
    database.run(TASKS.format("") + """;
        INSERT INTO ai_tasks (status, task_type) SELECT 'pending', 'x' FROM generate_series(1, 500);
        INSERT INTO ai_results SELECT i, CASE WHEN i % 4 = 0 THEN -i ELSE 1 + i % 500 END, 1
          FROM generate_series(1, 200000) AS i; ANALYZE ai_results""")
    database.install()
    finding = database.findings("orphaned results")[0]
    share = float(re.search(r"about ([\d.]+) %", finding[1])[1])
    assert 20 < share < 30 and "plus or minus" in finding[3]
    looked_at = int(re.search(r"of (\d+) results looked at", finding[2])[1])
    assert 500 < looked_at < 5000
    database.run("ALTER TABLE ai_tasks DROP CONSTRAINT ai_tasks_pkey")
    finding = database.findings("orphaned results")[0]
    assert finding[0] == "unknown" and "no index" in finding[2]


def test_xid_age(database):
    database.install()
    assert database.findings("xid age") == []
    database.run("SET pgdeck.xid_age_warning = '0'")
    found = database.findings("xid age")
    names = {name for name, in database.rows("SELECT datname FROM pg_database")}
    assert all(any(f"database {n} " in f[1] for f in found) for n in names if n.islower())
    assert any("template0" in f[1] for f in found)
    own = [f for f in found if f"database {database.name} " in f[1]]
    for statement in own[0][4].split(" --")[0].rstrip(";").split("; "):
        database.run(statement)


def test_a_check_that_fails_loses_only_its_own_rows(database):
    database.install()
    database.run("SET pgdeck.dead_rows_warning = 'many'")
    rows = database.rows("SELECT severity, check_name, evidence FROM check_database_health()")
    unknown = [row for row in rows if row[0] == "unknown"]
    assert [row[1] for row in unknown] == ["dead rows"] and "many" in unknown[0][2]
    assert len(rows) > 5
    order = ["critical", "warning", "unknown", "info", "ok"]
    assert [order.index(r[0]) for r in rows] == sorted(order.index(r[0]) for r in rows)
