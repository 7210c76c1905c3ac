# SPDX-License-Identifier: MIT
"""pgdeck health: more sicknesses than fit into the ward of test_health.py, each beside a healthy
decoy, as superuser and with pg_monitor only."""

import datetime
import shutil
import threading

import psycopg
import pytest

from cluster import SOURCE, wait_for
from test_health import bad, content, look, write_deck

LEVELS = """
alerts:
  waiting: {warning: 8, critical: 1000}
  wal_size: {warning: 64MB, critical: 100GB}
  long_transaction: {warning: 3s, critical: 1h}
  long_query: {warning: 3s, critical: 1h}
  query_mean: {warning: 15ms, critical: 1h}
  session_rate: {warning: 1, critical: 1000}
  lock_wait: {warning: 1h, critical: 2h}
  recovery_conflicts: {warning: 1, critical: 1000}
  unused_index: {warning: 3000d, critical: 3650d}
"""
TABLES = """
    CREATE SCHEMA sick_open; GRANT CREATE ON SCHEMA sick_open TO PUBLIC; CREATE SCHEMA decoy_closed;
    CREATE FUNCTION sick_definer() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';
    CREATE PROCEDURE sick_routine() LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';
    CREATE TABLE decoy_ages (at date) PARTITION BY RANGE (at);
    CREATE TABLE decoy_age PARTITION OF decoy_ages FOR VALUES FROM ('4000-01-01 BC') TO ('today');
    CREATE FUNCTION decoy_path() RETURNS int LANGUAGE sql SECURITY DEFINER
      SET search_path = pg_catalog, pg_temp AS 'SELECT 1';
    CREATE FUNCTION decoy_caller() RETURNS int LANGUAGE sql AS 'SELECT 1';
    CREATE FUNCTION decoy_owner() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';
    ALTER FUNCTION decoy_owner() OWNER TO owner;
    CREATE TABLE sick_keyless AS SELECT generate_series(1, 2000) AS id;
    CREATE TABLE decoy_few AS SELECT generate_series(1, 20) AS id;
    CREATE TABLE decoy_keyed (id int PRIMARY KEY);
    INSERT INTO decoy_keyed SELECT generate_series(1, 2000);
    CREATE UNLOGGED TABLE sick_unlogged (id int PRIMARY KEY);
    CREATE TABLE sick_checked (id int PRIMARY KEY);
    ALTER TABLE sick_checked ADD CONSTRAINT sick_check CHECK (id > 0) NOT VALID,
      ADD CONSTRAINT decoy_check CHECK (id < 9);
    CREATE FUNCTION fire() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE TRIGGER sick_trigger BEFORE INSERT ON sick_checked EXECUTE FUNCTION fire();
    CREATE TRIGGER decoy_trigger BEFORE INSERT ON sick_checked EXECUTE FUNCTION fire();
    ALTER TABLE sick_checked DISABLE TRIGGER sick_trigger;
    CREATE TABLE sick_scanned (id int PRIMARY KEY);
    INSERT INTO sick_scanned SELECT generate_series(1, 25000);
    CREATE TABLE decoy_report (id int PRIMARY KEY);
    INSERT INTO decoy_report SELECT generate_series(1, 25000);
    CREATE TABLE one_side (id int PRIMARY KEY, n int); INSERT INTO one_side VALUES (1, 0), (2, 0);
    CREATE TABLE sick_page (id int PRIMARY KEY); INSERT INTO sick_page VALUES (1);
    CREATE TABLE ai_tasks (id serial PRIMARY KEY, status text, task_type text,
      created_at timestamptz DEFAULT now(), started_at timestamptz, completed_at timestamptz);
    INSERT INTO ai_tasks (status, task_type, started_at, completed_at)
      SELECT CASE WHEN i % 5 = 0 AND t = 'sick_type' THEN 'failed' ELSE 'completed' END, t,
             now() - interval '2 s', now() - interval '1 s'
        FROM generate_series(1, 30) AS i, unnest('{sick_type,decoy_type}'::text[]) AS t;
    INSERT INTO ai_tasks (status, task_type, started_at, completed_at)
      SELECT 'failed', 'decoy_seldom', now(), now() FROM generate_series(1, 5);
"""
# check: what its finding names, and whether the statement with it makes it vanish
SICK = {
    "archiver": ("archiving fails", False), "checksums": ("damaged pages read in", False),
    "subscriptions": ("sick_sub", True), "wal size": ("pg_wal holds", False),
    "security": ("sick_definer", True), "wait events": ("wait for Lock: advisory", False),
    "query mean": ("took", False), "ai tasks": ("sick_type", False),
    "long transactions": ("sick_statement", True), "session rate": ("new sessions", False),
    "settings": ("zero_damaged_pages is true for database sick", True),
    "query slowdown": ("times as long", False)}
NOTED = {  # severity info
    "security": ["sick_open"], "tables": ["sick_keyless", "sick_unlogged", "sick_check",
                                          "sick_trigger"],
    "extensions": ["pg_stat_statements"], "sequential scans": ["sick_scanned"],
    "deadlocks and rollbacks": ["1 deadlocks"], "settings": ["synchronous_commit is off for role"]}
CURED_BY_HAND = {"huge pages", "archiver", "checkpoints", "replication slots", "checksums",
                 "wal size", "wait events", "query mean", "ai tasks", "session rate",
                 "query slowdown"}


class Clinic:
    """A server with the databases sick and well."""

    SETTINGS = {
        "shared_preload_libraries": "pg_stat_statements", "wal_level": "logical", "fsync": "on",
        "synchronous_commit": "on", "full_page_writes": "on", "archive_mode": "on",
        "archive_command": "true", "max_wal_size": "32MB", "min_wal_size": "32MB",
        "autovacuum_naptime": "2000000", "deadlock_timeout": "100ms", "huge_pages": "try",
        "max_connections": "60", "max_prepared_transactions": "5"}

    def __init__(self, server):
        self.server = server
        self.connections = []
        if server.value("SHOW data_checksums") == "off":
            self.add_checksums(server)
        for name in ("sick", "well"):
            server.query(f"CREATE DATABASE {name}")
            server.query("REVOKE CREATE ON SCHEMA public FROM PUBLIC", dbname=name)  # as from 15 on
        server.query("CREATE ROLE watcher LOGIN IN ROLE pg_monitor")
        server.query("CREATE ROLE owner")

    @staticmethod
    def add_checksums(server):
        """By a new initdb: pg_checksums comes with Debian's PostgreSQL only."""
        server.stop()
        kept = {name: (server.data / name).read_bytes()
                for name in ("postgresql.conf", "postgresql.auto.conf", "pg_hba.conf")}
        shutil.rmtree(server.data)
        server.run("initdb", "-D", server.data, "-U", "postgres", "-A", "trust", "-E", "UTF8",
                   "--locale=C.UTF-8", "--no-sync", "--data-checksums")
        for name, content in kept.items():
            (server.data / name).write_bytes(content)
        server.start()

    def run(self, text, dbname="sick"):
        self.server.psql(text=text, dbname=dbname)

    def connect(self, dbname="sick", **more):
        self.connections.append(self.server.connect(dbname, **more))
        return self.connections[-1]

    def infect(self):
        self.run(TABLES)
        self.run("CREATE TABLE sick_page_two (id int)", "well")
        self.run("ANALYZE")
        self.run("SELECT count(*) FROM sick_scanned;" * 110
                 + "SELECT count(*) FROM decoy_report;" * 5
                 + "SELECT count(*) FROM one_side;" * 200)
        self.run("ALTER DATABASE sick SET zero_damaged_pages = true; ALTER DATABASE well SET "
                 "enable_seqscan = 'true'; ALTER ROLE owner SET synchronous_commit = off; ")
        self.subscribe()
        self.damage_a_page()
        self.fall_into_a_deadlock()
        # After the restart above: what is measured from now on.
        self.run("SELECT pg_sleep(0.03);" * 6 + "SELECT 1 AS decoy;" * 6)
        self.run("SELECT monitoring.record_performance_metrics()")
        self.run("SELECT pg_sleep(0.03);" * 26 + "SELECT 1 AS decoy;" * 26)
        self.run("SELECT monitoring.record_performance_metrics()")
        self.make_history_older()
        self.server.client("pgbench", "-n", "-C", "-c", "1", "-t", "900", "-f", "-",
                           text="SELECT 1;\n", dbname="sick")
        self.fail_to_archive()

    def make_history_older(self):
        """The statements were faster two days ago: sick ones ten times, decoys not."""
        self.run("""
            CREATE TABLE monitoring.statement_history_before
              PARTITION OF monitoring.statement_history FOR VALUES FROM (MINVALUE) TO ('today');
            INSERT INTO monitoring.statement_history
            SELECT h.at - interval '2 days', h.since - interval '2 days', h.query_id, h.role_oid,
                   h.calls, h.total_ms / CASE WHEN t.query LIKE '%pg_sleep%' THEN 10 ELSE 1 END,
                   h.result_rows, h.cache_hits, h.cache_reads, h.temp_blocks, h.io_ms, h.wal_bytes
              FROM monitoring.statement_history AS h
              JOIN monitoring.query_texts AS t ON t.query_id = h.query_id""")

    def subscribe(self):
        self.run("CREATE PUBLICATION all_of_it; SELECT pg_create_logical_replication_slot(n, "
                 "'pgoutput') FROM unnest('{sick_slot,decoy_slot}'::text[]) AS n;", "well")
        for name, is_on in (("sick", "false"), ("decoy", "true")):
            target = self.server.conninfo("well").replace("'", "''")
            self.run(f"CREATE SUBSCRIPTION {name}_sub CONNECTION '{target}' PUBLICATION all_of_it "
                     f"WITH (create_slot = false, slot_name = {name}_slot, enabled = {is_on})")

    def damage_a_page(self):
        path = self.server.data / self.server.value(
            "SELECT pg_relation_filepath('sick_page')", dbname="sick")
        self.run("CHECKPOINT")
        self.server.restart()
        with open(path, "r+b") as file:
            file.seek(5000)
            file.write(b"damage")
        with self.server.connect("sick") as connection:
            connection.execute("SET zero_damaged_pages = off")
            with pytest.raises(psycopg.Error, match="invalid page"):
                connection.execute("SELECT * FROM sick_page")

    def fall_into_a_deadlock(self):
        one, two = self.connect(), self.connect()
        one.execute("BEGIN; UPDATE one_side SET n = 1 WHERE id = 1")
        two.execute("BEGIN; UPDATE one_side SET n = 1 WHERE id = 2")
        thread = threading.Thread(target=self.fails, args=(one, 2))
        thread.start()
        self.fails(two, 1)
        thread.join()
        for connection in (one, two):
            connection.execute("ROLLBACK")
            connection.close()

    @staticmethod
    def fails(connection, row):
        try:
            connection.execute(f"UPDATE one_side SET n = 2 WHERE id = {row}")
        except psycopg.errors.DeadlockDetected:
            connection.execute("ROLLBACK")
        else:
            connection.execute("COMMIT")

    def fail_to_archive(self):
        self.run("ALTER SYSTEM SET archive_command = 'false'")
        self.server.reload()
        for _ in range(7):
            self.run("SELECT pg_switch_wal(); CREATE TABLE t (); DROP TABLE t")
        wait_for(lambda: self.server.value("SELECT failed_count FROM pg_stat_archiver"), 20, "it")

    def make_trouble(self):
        holder = self.connect(application_name="holder")
        holder.execute("SELECT pg_advisory_lock(1)")
        for _ in range(10):
            self.connect(application_name="waits").pgconn.send_query(b"SELECT pg_advisory_lock(1)")
        self.connect(application_name="sick_statement").pgconn.send_query(b"SELECT pg_sleep(600)")
        wait_for(lambda: self.server.value("SELECT count(*) FROM pg_locks WHERE NOT granted") == 10
                 and self.server.value("SELECT count(*) FROM pg_stat_activity WHERE now() - "
                                       "query_start > '3 s' AND wait_event = 'PgSleep'"), 20, "it")
        self.connect(application_name="decoy_short").pgconn.send_query(b"SELECT pg_sleep(2)")

    def recover(self):
        """What no statement that pgdeck could know mends."""
        self.server.query("ALTER SYSTEM RESET archive_command")
        self.server.reload()
        self.run("SELECT pg_switch_wal()")
        wait_for(lambda: self.server.value("SELECT last_archived_time > last_failed_time FROM "
                                           "pg_stat_archiver"), 90, "the archive")
        self.run("CHECKPOINT; DROP TABLE sick_page; DELETE FROM ai_tasks WHERE status = 'failed';"
                 "UPDATE monitoring.statement_history SET at = at - interval '8 days'; "
                 "CHECKPOINT; CHECKPOINT; SELECT pg_stat_reset(); SELECT pg_stat_reset_shared("
                 + ("'checkpointer')" if self.server.version >= 17 else "'bgwriter')"))

    def end(self):
        for connection in self.connections:
            connection.close()
        self.connections = []


@pytest.fixture
def clinic(make_server, pg_version, pgdeck, tmp_path):
    one = Clinic(make_server(pg_version, **Clinic.SETTINGS))
    version = {14: "1.8"}.get(pg_version, "1.9")
    one.run("CREATE SCHEMA monitoring; CREATE EXTENSION pg_stat_statements SCHEMA monitoring "
            f"VERSION '{version}'")
    deck = write_deck(tmp_path, one.server, "sick", "well", more=LEVELS
                      + f"views: {SOURCE}/decks/saas-control-deck/monitoring\n")
    one.run("CREATE TABLE ai_tasks (id serial, status text, task_type text, created_at timestamptz,"
            " started_at timestamptz, completed_at timestamptz)")
    pgdeck("apply", "-d", deck, "--yes", "--only", "monitoring", expect=0)
    one.run("DROP TABLE ai_tasks")
    one.infect()
    one.run("GRANT SELECT (status, task_type, created_at, started_at, completed_at) ON ai_tasks "
            "TO pg_monitor")
    one.make_trouble()
    yield one, deck
    one.end()


def check_found(findings, missing=()):
    for check, (name, _) in SICK.items():
        assert check in missing or [f for f in bad(findings) if f["check"] == check
                                    and name in f["finding"]], check
    for check, names in NOTED.items():
        for name in names:
            assert [f for f in findings if f["check"] == check and f["severity"] == "info"
                    and name in f["finding"]], (check, name)
    assert [f for f in findings if f["severity"] != "ok"
            and ("decoy" in f["finding"] or f["database"] == "well")
            and f["check"] not in ("statements", "restart")] == []


def test_more_sicknesses_are_found_and_mended(pgdeck, clinic, tmp_path):
    one, deck = clinic
    findings, _ = look(pgdeck, deck)
    check_found(findings)
    hugeness, = [f for f in findings if f["check"] == "huge pages"]
    assert hugeness["severity"] == ("warning" if one.server.version >= 17 else "info")
    known = set(SICK) | {"replication slots", "checkpoints"}  # of the subscription; so much WAL
    assert {f["check"] for f in bad(findings)} <= known | {"huge pages"}
    assert len([f for f in findings if "sick_routine()" in f["finding"]]) == 1

    as_monitor = tmp_path / "monitor.yaml"
    as_monitor.write_text(deck.read_text().replace("user=postgres", "user=watcher"))
    seen, _ = look(pgdeck, as_monitor)
    check_found(seen)
    unknown = [f for f in seen if f["severity"] == "unknown"]
    assert {f["check"] for f in unknown} <= {"configuration files", "sequences"}
    assert all(f["certainty"] == "not measurable with this role" for f in unknown)

    before = content(one.server, "sick", but="sick_page")  # of which nothing can be read
    assert len(before) >= 10 and all(before[t] for t in ("ai_tasks", "sick_keyless", "one_side"))
    for finding in findings:
        cure = finding["fix_sql"]
        if cure and finding["severity"] != "ok" and finding["check"] not in CURED_BY_HAND \
                and "pg_drop_replication_slot" not in cure:
            one.run(cure, finding["fix_database"])
    assert content(one.server, "sick", but="sick_page") == before
    one.end()
    left, _ = look(pgdeck, deck)
    assert {f["check"] for f in bad(left)} <= CURED_BY_HAND
    noted = {name for names in NOTED.values() for name in names} - {
        "sick_keyless", "sick_scanned", "1 deadlocks"}
    assert [f["finding"] for f in left if f["severity"] == "info"
            and any(name in f["finding"] for name in noted)] == []
    one.recover()
    one.server.configure(huge_pages="off")
    one.server.restart()
    left, _ = look(pgdeck, deck)
    assert [f["finding"] for f in bad(left)] == []


def test_version_against_the_calendar(pgdeck, make_server, pg_version, tmp_path):
    """What the schedule says, counted another way."""
    server = make_server(pg_version)
    findings, _ = look(pgdeck, write_deck(tmp_path, server, "postgres"), "--check", "version")
    first = {14: 20, 15: 15, 16: 11, 17: 7, 18: 1}[pg_version]
    today = datetime.date.today()
    out = [day for day in (datetime.date(2025, 11, 14) + datetime.timedelta(i)
                           for i in range((today - datetime.date(2025, 11, 14)).days))
           if day.weekday() == 3 and 8 <= day.day <= 14 and day.month in (2, 5, 8, 11)]
    minor = server.value("SELECT current_setting('server_version_num')::int % 10000")
    behind = [f for f in findings if f"there is {pg_version}.{first + len(out)} at least"
              in f["finding"]]
    assert len(behind) == (minor < first + len(out) and pg_version != 14)
    assert [f for f in bad(findings) if "no more corrections" not in f["finding"]] == []


def test_what_serves_a_foreign_key(pgdeck, make_server, pg_version, tmp_path):
    """Each kind of index beside its decoy; names as nobody should choose them."""
    server = make_server(pg_version, fsync="on", full_page_writes="on", synchronous_commit="on")
    kinds = {  # of the index on the referring columns: does it serve?
        "none": ("", False), "btree": ("CREATE INDEX ON {t} (a, b)", True),
        "turned": ("CREATE INDEX ON {t} (b DESC, a)", True),
        "longer": ("CREATE INDEX ON {t} (a, b, c)", True),
        "behind": ("CREATE INDEX ON {t} (c, a, b)", False),
        "half": ("CREATE INDEX ON {t} (a)", False),
        "included": ("CREATE INDEX ON {t} (a) INCLUDE (b)", False),
        "brin": ("CREATE INDEX ON {t} USING brin (a, b)", False),
        "partial": ("CREATE INDEX ON {t} (a, b) WHERE c = 1", False),
        "expression": ("CREATE INDEX ON {t} (a, (b + 0))", False),
        "invalid": ("CREATE INDEX i ON {t} (a, b); UPDATE pg_index SET indisvalid = false "
                    "WHERE indexrelid = 'i'::regclass", False)}
    name = 'weird "%s" ü\'; DROP'
    script = "CREATE TABLE referred (a int, b int, PRIMARY KEY (a, b)); " \
        "INSERT INTO referred SELECT i, i FROM generate_series(1, 10) AS i; " \
        "CREATE TABLE single (a int PRIMARY KEY); INSERT INTO single SELECT generate_series(1, 10);"
    for kind, (index, _) in kinds.items():
        table = '"' + (name % kind).replace('"', '""') + '"'
        script += f"CREATE TABLE {table} (a int, b int, c int, FOREIGN KEY (a, b) REFERENCES " \
            f"referred); INSERT INTO {table} SELECT 1, 1, i FROM generate_series(1, 10001) AS i; " \
            + index.format(t=table) + ";"
    for kind, index in (("hash", "CREATE INDEX ON s_hash USING hash (a)"),
                        ("hash_bare", "CREATE INDEX ON s_hash_bare USING brin (a)")):
        script += f"CREATE TABLE s_{kind} (a int REFERENCES single); INSERT INTO s_{kind} " \
            f"SELECT 1 FROM generate_series(1, 10001); {index};"
    for kind in ("parts", "parts_bare"):
        script += f"CREATE TABLE s_{kind} (b int, a int REFERENCES single) " \
            "PARTITION BY RANGE (b);" \
            f"CREATE TABLE s_{kind}_1 PARTITION OF s_{kind} FOR VALUES FROM (0) TO (9000);" \
            f"CREATE TABLE s_{kind}_2 (a int, b int);" \
            f"ALTER TABLE s_{kind} ATTACH PARTITION s_{kind}_2 FOR VALUES FROM (9000) TO (99999);" \
            f"INSERT INTO s_{kind} SELECT i, 1 FROM generate_series(1, 20001) AS i;" \
            f"CREATE INDEX ON s_{kind}_1 (a);"
    server.psql(text="SET allow_system_table_mods = on;" + script
                + "CREATE INDEX ON s_parts_2 (a); ANALYZE")
    deck = write_deck(tmp_path, server, "postgres")
    found = [f for f in look(pgdeck, deck, "--check", "foreign keys")[0] if f["severity"] != "ok"]
    wanted = {name % kind for kind, (_, serves) in kinds.items() if not serves}
    assert len(found) == len(wanted) + 2
    for one in wanted | {"s_hash_bare", "s_parts_bare"}:
        quoted = one.replace('"', '""')
        assert [f for f in found if quoted in f["fix_sql"]], one
    for one in found:
        server.psql(text=one["fix_sql"])
    assert bad(look(pgdeck, deck, "--check", "foreign keys")[0]) == []


def test_wide_keys_are_no_bloat(pgdeck, make_server, pg_version, tmp_path):
    """Of wide keys and a low fillfactor little fits on a page: a new index is as large."""
    server = make_server(pg_version, fsync="on", full_page_writes="on", synchronous_commit="on")
    server.psql(text="CREATE TABLE wide AS SELECT string_agg(md5(i::text || j), '') AS a FROM "
                "generate_series(1, 2000) AS i, generate_series(1, 40) AS j GROUP BY i;"
                "CREATE TABLE out_of_line AS SELECT a, a || a AS b FROM wide;"
                + "".join(f"CREATE INDEX {t}_{f} ON {t} (a) WITH (fillfactor = {f});"
                          for f in (10, 30, 50, 90) for t in ("wide", "out_of_line")))
    server.psql(text="VACUUM (ANALYZE)")
    deck = write_deck(tmp_path, server, "postgres",
                      more="alerts: {index_bloat: {warning: 25%, critical: 99%}}\n")
    assert bad(look(pgdeck, deck, "--check", "index bloat")[0]) == []
    server.psql(text="DELETE FROM wide WHERE a > '2'")
    server.psql(text="VACUUM (ANALYZE) wide")
    found = bad(look(pgdeck, deck, "--check", "index bloat")[0])
    assert {name for name in ("wide_10", "wide_30", "wide_50")
            for f in found if name in f["finding"]} == {"wide_10", "wide_30", "wide_50"}


def test_a_database_without_an_encoding(pgdeck, make_server, pg_version, tmp_path):
    """Bytes that are no UTF-8 in names cost nobody the report."""
    server = make_server(pg_version, fsync="on", full_page_writes="on", synchronous_commit="on")
    server.query("CREATE DATABASE bytes ENCODING 'SQL_ASCII' TEMPLATE template0 "
                 "LC_COLLATE 'C' LC_CTYPE 'C'")
    with server.connect("bytes", client_encoding="SQL_ASCII") as connection:
        for statement in (b"CREATE TABLE \"t\xfc\xff\" (i serial)",
                          b"SELECT setval('\"t\xfc\xff_i_seq\"', 2147480000)",
                          b"CREATE TABLE plain (i serial)",
                          b"SELECT setval('plain_i_seq', 2147480000)"):
            assert connection.pgconn.exec_(statement).status in (1, 2)
    deck = write_deck(tmp_path, server, "bytes", "postgres")
    findings, _ = look(pgdeck, deck)
    found = [f for f in bad(findings)]
    assert {f["check"] for f in found} == {"sequences"} and len(found) == 2
    plain, = [f for f in found if "plain" in f["finding"]]
    strange, = [f for f in found if "plain" not in f["finding"]]
    assert "t??_i_seq" in strange["finding"] and not strange["fix_sql"]
    server.psql(text=plain["fix_sql"], dbname="bytes")
    assert len(bad(look(pgdeck, deck)[0])) == 1
    assert pgdeck("health", "-d", deck, expect=2).out.count("sequence ") >= 1


def test_a_synchronous_standby_that_is_gone(pgdeck, make_server, pg_version, tmp_path):
    server = make_server(pg_version, fsync="on", full_page_writes="on")
    server.query("CREATE ROLE watcher LOGIN IN ROLE pg_monitor")
    deck = write_deck(tmp_path, server, "postgres")
    only = ("--check", "synchronous replication")
    assert bad(look(pgdeck, deck, *only)[0]) == []
    server.query("ALTER SYSTEM SET synchronous_standby_names = 'nowhere'")
    server.reload()
    wait_for(lambda: server.value("SHOW synchronous_standby_names") == "nowhere", 10, "it")
    watcher = write_deck(tmp_path, server, "postgres", user="watcher")
    found, = bad(look(pgdeck, watcher, *only)[0])
    assert found["severity"] == "critical" and "commits wait" in found["finding"]
    server.psql(text=found["fix_sql"])
    wait_for(lambda: server.value("SHOW synchronous_standby_names") == "", 10, "it")
    assert bad(look(pgdeck, deck, *only)[0]) == []


@pytest.mark.pg(min=15)  # on 14 this does not make it read: not looked into
def test_caches_and_reads_that_are_slow(pgdeck, make_server, pg_version, tmp_path):
    """With a level that anything reaches they are found, with that of the field they are not."""
    server = make_server(pg_version, track_io_timing="on", shared_buffers="1MB")
    server.psql(text="CREATE TABLE large AS SELECT i, repeat('x', 900) AS t FROM "
                "generate_series(1, 16000) AS i; VACUUM large; CHECKPOINT")
    server.restart()
    server.psql(text="SELECT count(*) FROM large WHERE i > 5;"
                "SELECT pg_xact_status(pg_current_xact_id()); SELECT 1")
    deck = write_deck(tmp_path, server, "postgres", more="alerts: {slru_reads: {warning: 0, "
                      "critical: 1000000000}, read_time: {warning: 0, critical: 1h}}\n")
    names = ["--check", "transaction caches"] + ["--check", "read time"] * (pg_version > 15)
    found = bad(look(pgdeck, deck, *names)[0])
    assert {f["check"] for f in found} == set(names) - {"--check"}
    for cure in (f["fix_sql"] for f in found if f["check"] == "transaction caches"):
        assert (cure is None) == (pg_version < 17)
        if cure:
            server.psql(text=cure)
    server.restart()  # with what was asked for
    assert bad(look(pgdeck, write_deck(tmp_path, server, "postgres"), *names)[0]) == []


def test_what_runs_out_at_this_rate(pgdeck, make_server, pg_version, tmp_path):
    """Levels say nothing yet; the history does. Decoys: further used but slow, and wide."""
    server = make_server(pg_version, fsync="on", full_page_writes="on", synchronous_commit="on")
    server.psql(text="CREATE TABLE sick (id serial PRIMARY KEY); SELECT setval('sick_id_seq', "
                "1000000000); CREATE TABLE decoy (id serial); SELECT setval('decoy_id_seq', "
                "1400000000); CREATE TABLE decoy_wide (id bigserial); SELECT setval("
                "'decoy_wide_id_seq', 100000000000000000)")
    deck = write_deck(tmp_path, server, "postgres")
    only = ("--check", "forecast", "--check", "sequences")
    assert bad(look(pgdeck, deck, *only)[0]) == []  # no history, no schema monitoring
    pgdeck("apply", "-d", deck, "--yes", "--only", "monitoring", expect=0)
    server.psql(text="SELECT monitoring.record_performance_metrics()")
    assert bad(look(pgdeck, deck, *only)[0]) == []  # no day of history
    server.psql(text="CREATE TABLE monitoring.growth_history_before PARTITION OF "
                "monitoring.growth_history FOR VALUES FROM (MINVALUE) TO ('yesterday'); "
                "UPDATE monitoring.growth_history SET at = at - interval '2 days'; "
                "SELECT setval('sick_id_seq', 1200000000), setval('decoy_id_seq', 1400001000), "
                "setval('decoy_wide_id_seq', 100000000900000000); "
                "SELECT monitoring.record_performance_metrics()")
    found, = bad(look(pgdeck, deck, *only)[0])
    assert "public.sick_id_seq: used up in 9." in found["finding"]
    in_sql = server.query("SELECT severity, finding FROM monitoring.check_database_health() "
                          "WHERE check_name = 'forecast'")
    assert in_sql == [("warning", found["finding"])]
    server.psql(text="SELECT monitoring.record_performance_metrics()")  # once an hour is enough
    assert server.value("SELECT count(*) FROM monitoring.growth_history WHERE kind = 'database'") \
        == 2
    server.psql(text=found["fix_sql"])
    assert bad(look(pgdeck, deck, *only)[0]) == []


def test_a_subscription_that_fails(pgdeck, make_server, pg_version, tmp_path):
    """Beside one that works; the statement stops it, and loses nothing."""
    server = make_server(pg_version, wal_level="logical", wal_retrieve_retry_interval="200ms",
                         fsync="on", full_page_writes="on", synchronous_commit="on")
    server.query("CREATE ROLE watcher LOGIN IN ROLE pg_monitor")
    server.query("CREATE DATABASE target")
    conninfo = server.conninfo("postgres").replace("'", "''")
    for name in ("sick", "decoy"):
        server.psql(text=f"CREATE TABLE {name} (id int PRIMARY KEY); CREATE PUBLICATION {name} FOR "
                    f"TABLE {name}; SELECT pg_create_logical_replication_slot('{name}', "
                    "'pgoutput')")
        server.psql(text=f"CREATE TABLE {name} (id int PRIMARY KEY)", dbname="target")
        server.psql(text=f"CREATE SUBSCRIPTION {name}_sub CONNECTION '{conninfo}' PUBLICATION "
                    f"{name} WITH (create_slot = false, slot_name = {name}, copy_data = false)",
                    dbname="target")
    server.psql(text="INSERT INTO sick VALUES (1)", dbname="target")
    server.psql(text="INSERT INTO sick VALUES (1), (2); INSERT INTO decoy VALUES (1)")
    wait_for(lambda: server.value("SELECT count(*) FROM decoy", dbname="target") == 1, 20, "it")
    deck = write_deck(tmp_path, server, "postgres", "target")
    if pg_version == 14:  # nothing counts errors there; that the worker is gone is found
        assert bad(look(pgdeck, deck, "--check", "subscription errors")[0]) == []
        return
    wait_for(lambda: server.value("SELECT apply_error_count FROM pg_stat_subscription_stats "
                                  "WHERE subname = 'sick_sub'") > 1, 20, "errors")
    only = ("--check", "subscription errors")
    for user in ("postgres", "watcher"):
        found, = bad(look(pgdeck, write_deck(tmp_path, server, "postgres", "target", user=user),
                          *only)[0])
        assert "sick_sub fails again" in found["finding"] and found["fix_database"] == "target"
    server.psql(text=found["fix_sql"], dbname="target")
    assert bad(look(pgdeck, deck, *only)[0]) == []
    server.psql(text="DELETE FROM sick", dbname="target")
    server.psql(text="ALTER SUBSCRIPTION sick_sub ENABLE", dbname="target")
    wait_for(lambda: server.value("SELECT count(*) FROM sick", dbname="target") == 2, 20, "rows")


def test_updates_that_leave_their_page(pgdeck, make_server, pg_version, tmp_path):
    server = make_server(pg_version, fsync="on", full_page_writes="on", synchronous_commit="on")
    server.psql(text="CREATE TABLE sick (i int, n int); CREATE TABLE decoy (i int, n int) WITH "
                "(fillfactor = 45); CREATE TABLE decoy_few (i int, n int);"
                "INSERT INTO sick SELECT i, 0 FROM generate_series(1, 100000) AS i;"
                "INSERT INTO decoy SELECT i, 0 FROM generate_series(1, 100000) AS i;"
                "INSERT INTO decoy_few SELECT i, 0 FROM generate_series(1, 900) AS i;"
                "UPDATE sick SET n = 1; UPDATE decoy SET n = 1; UPDATE decoy_few SET n = 1")
    deck = write_deck(tmp_path, server, "postgres")
    only = ("--check", "updates on the page")
    if pg_version < 16:  # the counter is not there
        assert [f for f in look(pgdeck, deck, *only)[0] if f["severity"] != "ok"] == []
        return
    wait_for(lambda: len(look(pgdeck, deck, *only)[0]) == 1
             and look(pgdeck, deck, *only)[0][0]["severity"] == "info", 10, "the counters")
    found, = look(pgdeck, deck, *only)[0]
    assert "of the updates of public.sick go to another page" in found["finding"]
    server.psql(text=found["fix_sql"])
    assert [f for f in look(pgdeck, deck, *only)[0] if f["severity"] == "info"] == []
