# SPDX-License-Identifier: MIT
"""pgdeck health: every sickness found, no healthy decoy flagged, the cure attached."""

import json
import os
import shutil
import signal
import subprocess
import time

import pytest

from cluster import wait_for

DECK = """
deck: patients
servers:
  main: {{conninfo: "{conninfo}", memory: 512MB, cpus: 2, storage: ssd}}
environments:
  test: {{server: main, memory: 256MB, max_connections: 20}}
databases:
{databases}
"""


def write_deck(folder, server, *databases, user="postgres", more=""):
    conninfo = server.conninfo(user=user).replace("\\", "\\\\").replace('"', '\\"')
    text = DECK.format(conninfo=conninfo, databases="\n".join(
        f'  "{name}": {{environment: test, services: []}}' for name in databases))
    (folder / "deck.yaml").write_text(text + more)
    return folder / "deck.yaml"


def look(pgdeck, deck, *args):
    """[{severity, database, check, finding, fix_sql, ...}], and how long it took."""
    result = pgdeck("health", "-d", deck, "--json", *args)
    assert result.code in (0, 1, 2, 3), result.err
    report = json.loads(result.out)
    return report["findings"], report["took_s"]


def bad(findings):
    """But that a release has come to its end: the tests' oldest server has."""
    return [f for f in findings if f["severity"] in ("critical", "warning", "unknown")
            and f["check"] != "version"]


def content(server, dbname, but=""):
    """{table: fingerprint of its rows} of the schema public."""
    names = server.query("SELECT relname FROM pg_class WHERE relkind = 'r' AND relname <> "
                         f"'{but}' AND relnamespace = 'public'::regnamespace", dbname=dbname)
    return {name: server.value("SELECT md5(string_agg(t::text, '' ORDER BY t::text)) "
                               f"FROM {name} AS t", dbname=dbname) for name, in names}


@pytest.fixture
def healthy(make_server, pg_version):
    server = make_server(pg_version, fsync="on", full_page_writes="on", synchronous_commit="on")
    server.query("CREATE DATABASE one")
    server.query("CREATE DATABASE two")
    return server


@pytest.mark.pg(min=15)  # 14 gets no corrections since 2026-11-12, and health says so
def test_a_fresh_server_is_healthy_in_all_forms(pgdeck, healthy, tmp_path):
    deck = write_deck(tmp_path, healthy, "one", "two")
    healthy.psql(text="CHECKPOINT;" * 9)  # so few are nothing yet
    result = pgdeck("health", "-d", deck, expect=0)
    assert "0 critical, 0 warning, 0 not measurable" in result.out
    assert "2 databases on 1 server" in result.out
    findings, _ = look(pgdeck, deck)
    assert bad(findings) == [] and len([f for f in findings if f["severity"] == "ok"]) > 10
    result = pgdeck("health", "-d", deck, "--nagios", expect=0)
    first, = result.out.splitlines()
    assert first.startswith("PGDECK OK - 0 critical") and " | critical=0" in first
    assert "xid age" in pgdeck("health", "-d", deck, "--all", expect=0).out


@pytest.mark.pg(min=15)  # as above
def test_exit_codes_and_order(pgdeck, healthy, tmp_path):
    deck = write_deck(tmp_path, healthy, "one", "two")
    assert pgdeck("health", "-d", deck).code == 0
    deck = write_deck(tmp_path, healthy, "one", "two",
                      more="alerts: {xid_age: {warning: 0%, critical: 90%}}\n")
    result = pgdeck("health", "-d", deck, "--nagios", expect=1)
    assert result.out.startswith("PGDECK WARNING")
    deck = write_deck(tmp_path, healthy, "one", "nowhere",
                      more="alerts: {xid_age: {warning: 0%, critical: 90%}}\n")
    result = pgdeck("health", "-d", deck, "--nagios", expect=2)
    assert result.out.startswith("PGDECK CRITICAL") and "nowhere" in result.out.splitlines()[0]
    findings, _ = look(pgdeck, deck)
    order = ["critical", "warning", "unknown", "info", "ok"]
    places = [order.index(f["severity"]) for f in findings]
    assert places == sorted(places) and places[0] == 0
    for usage in (["-d", tmp_path / "none.yaml"], ["--check", "xidage"], ["--nonsense"], ["more"],
                  ["--timeout", "0"], ["--timeout", "x"], ["--database", "x"]):
        result = pgdeck("health", *(usage if "-d" in usage else ["-d", deck, *usage]), "--nagios")
        assert result.code == 3 and result.out.startswith("PGDECK UNKNOWN - "), usage
    assert pgdeck("health", "-d", deck, "--check", "xid age").out.count("xid age") >= 1
    assert "there is no check" in pgdeck("health", "-d", deck, "--check", "xidage", expect=64).err
    assert "no database" in pgdeck("health", "-d", deck, "--database", "x", expect=64).err


def test_a_stopped_server_a_dropped_database_a_changed_password(pgdeck, healthy, tmp_path):
    """Nothing hangs; one finding, which says what is the matter."""
    deck = write_deck(tmp_path, healthy, "one", "two")
    healthy.query("DROP DATABASE two")
    findings, took_s = look(pgdeck, deck)
    found, = bad(findings)
    assert found["severity"] == "critical" and found["database"] == "two" and took_s < 2
    assert "does not exist" in found["evidence"]

    healthy.query("CREATE ROLE watcher LOGIN PASSWORD 'right' IN ROLE pg_monitor")
    healthy.query("CREATE DATABASE two")
    hba = healthy.data / "pg_hba.conf"
    hba.write_text("local all watcher scram-sha-256\nhost all watcher all scram-sha-256\n"
                   + hba.read_text())
    healthy.reload()
    deck = write_deck(tmp_path, healthy, "one", "two", user="watcher")
    (tmp_path / "password").write_text("wrong")
    (tmp_path / "password").chmod(0o600)
    text = deck.read_text()
    deck.write_text(text.replace("memory: 512MB", "password_file: password, memory: 512MB"))
    found, = bad(look(pgdeck, deck)[0])
    assert found["database"] is None and "password authentication failed" in found["evidence"]
    (tmp_path / "password").write_text("right")
    assert [f for f in look(pgdeck, deck)[0] if f["check"] == "reachable"] == []

    healthy.stop()
    findings, took_s = look(pgdeck, deck)
    found, = bad(findings)
    assert found["check"] == "reachable" and found["database"] is None and took_s < 2
    assert "Is the server running" in found["evidence"]


def test_a_role_that_sees_little_says_so(pgdeck, healthy, tmp_path):
    """Without pg_monitor what is not visible is unknown, never healthy; and no alarm for ever."""
    healthy.query("CREATE ROLE plain LOGIN")
    healthy.query("CREATE TABLE large AS SELECT i, md5(i::text) AS t "
                  "FROM generate_series(1, 150000) AS i", dbname="one")
    healthy.query("VACUUM (ANALYZE) large", dbname="one")
    deck = write_deck(tmp_path, healthy, "one", user="plain")
    findings, _ = look(pgdeck, deck)
    unknown = {f["check"] for f in bad(findings)}
    assert {"long transactions", "old snapshots", "idle in transaction", "replication lag",
            "wal size", "configuration files", "table bloat"} <= unknown
    assert all(f["certainty"] == "not measurable with this role" for f in bad(findings))
    assert [f for f in findings if f["check"] in unknown and f["severity"] == "ok"] == []
    assert pgdeck("health", "-d", deck).code == (1 if healthy.version < 15 else 0)  # past its end


def test_no_connection_is_free(pgdeck, make_server, pg_version, tmp_path):
    server = make_server(pg_version, max_connections="12", superuser_reserved_connections="1",
                         max_wal_senders="0")
    server.query("CREATE ROLE app LOGIN")
    server.query("CREATE ROLE watcher LOGIN IN ROLE pg_monitor")
    deck = write_deck(tmp_path, server, "postgres", user="watcher")
    held = []
    try:
        for _ in range(11):
            held.append(server.connect(user="app"))
        findings, took_s = look(pgdeck, deck)
        found, = bad(findings)
        assert found["severity"] == "critical" and took_s < 2
        assert "All connection slots are taken" in found["evidence"] or \
            "connection slots" in found["evidence"]
    finally:
        for connection in held:
            connection.close()


def test_a_frozen_server_costs_the_timeout(pgdeck, healthy, tmp_path):
    """A statement that never ends is given up; here one that a lock holds up."""
    deck = write_deck(tmp_path, healthy, "one")
    with healthy.connect("one") as connection:
        connection.execute("BEGIN; LOCK TABLE pg_catalog.pg_class")
        begin = time.monotonic()
        findings, _ = look(pgdeck, deck, "--timeout", "2")
        assert time.monotonic() - begin < 3
        assert [f for f in findings if f["severity"] in ("unknown", "critical")]
        connection.execute("ROLLBACK")
    wait_for(lambda: bad(look(pgdeck, deck)[0]) == [], 10, "health")


def test_a_stopped_process_keeps_nobody_waiting(pgdeck, healthy, make_server, pg_version, tmp_path):
    """Connecting counts as well, and the other server is looked at all the same."""
    frozen = make_server(pg_version)
    deck = write_deck(tmp_path, healthy, "one")
    other = frozen.conninfo().replace("\\", "\\\\").replace('"', '\\"')
    deck.write_text(deck.read_text().replace(
        "\nenvironments:\n",
        f'\n  ice: {{conninfo: "{other}", memory: 512MB, cpus: 2, storage: ssd}}'
        "\nenvironments:\n  cold: {server: ice, memory: 256MB, max_connections: 20}\n")
        + "  postgres: {environment: cold, services: []}\n")
    os.kill(frozen.pid(), signal.SIGSTOP)
    try:
        begin = time.monotonic()
        findings, _ = look(pgdeck, deck, "--timeout", "2")
        assert time.monotonic() - begin < 3
    finally:
        os.kill(frozen.pid(), signal.SIGCONT)
    found, = bad(findings)
    assert found["check"] == "reachable" and found["server"] == "ice"
    assert "no answer from the server within" in found["evidence"]
    assert {f["check"] for f in findings if f["server"] == "main"} >= {"xid age", "dead rows"}


def test_json_keeps_a_finding_whose_text_is_no_utf8(pgdeck, healthy, tmp_path):
    """Until 16 a server cuts a long name of a role in the middle of a character."""
    deck = write_deck(tmp_path, healthy, "one", user="a" + "ü" * 40)
    found, = bad(look(pgdeck, deck)[0])
    assert found["check"] == "reachable" and "does not exist" in found["evidence"]


def test_a_remedy_that_cannot_run_is_not_given(pgdeck, healthy, tmp_path):
    """Types that cannot be changed in place; a setting of a role, not of the server."""
    healthy.query("ALTER DATABASE one SET enable_seqscan = off")
    healthy.psql(text="""
        CREATE TABLE keyed (id serial) PARTITION BY RANGE (id);
        CREATE TABLE viewed (id serial); CREATE VIEW seen AS SELECT id FROM viewed;
        CREATE DOMAIN number AS int; CREATE SEQUENCE of_domain;
        CREATE TABLE domained (id number DEFAULT nextval('of_domain'));
        CREATE DOMAIN natural_number AS int CHECK (VALUE > 0); CREATE SEQUENCE of_natural;
        CREATE TABLE limited (id natural_number DEFAULT nextval('of_natural'));
        CREATE TABLE spread (id serial, d int) PARTITION BY RANGE (d);
        CREATE TABLE all_spread PARTITION OF spread DEFAULT;
        SELECT setval(s, 2000000000) FROM unnest(
          '{keyed_id_seq,viewed_id_seq,of_domain,of_natural,spread_id_seq}'::regclass[]) AS s""",
        dbname="one")
    deck = write_deck(tmp_path, healthy, "one")
    found = bad(look(pgdeck, deck)[0])
    remarks = [f["fix_sql"] for f in found if f["fix_sql"].startswith("-- public.")]
    assert sorted(remark.split(",")[0] for remark in remarks) == [
        "-- public.keyed.id is part of the partition key",
        "-- public.limited.id has the domain public.natural_number"]
    for cure in {f["fix_sql"] for f in found} - set(remarks):
        healthy.psql(text=cure, dbname="one")
    assert {f["fix_sql"] for f in bad(look(pgdeck, deck)[0])} == set(remarks)
    healthy.query("INSERT INTO viewed DEFAULT VALUES", dbname="one")
    assert healthy.value("SELECT min(id) FROM viewed", dbname="one") == -2147483648


def test_many_sequences_before_any_analyze(pgdeck, healthy, tmp_path):
    healthy.psql(text="""
        DO $$ BEGIN FOR i IN 1 .. 3000 LOOP
            EXECUTE format('CREATE TABLE t%s (id serial)', i);
            IF i % 500 = 0 THEN COMMIT; END IF; END LOOP; END $$""", dbname="one")
    deck = write_deck(tmp_path, healthy, "one")
    findings, took_s = look(pgdeck, deck, "--check", "sequences")
    assert bad(findings) == [] and took_s < 2


def test_nothing_waits_behind_a_queued_alter_table(pgdeck, healthy, tmp_path):
    deck = write_deck(tmp_path, healthy, "one", "two",
                      more="alerts: {lock_wait: {warning: 0, critical: 1h}}\n")
    pgdeck("apply", "-d", deck, "--yes", "--only", "monitoring", expect=0)
    with healthy.connect("one") as reader, healthy.connect("one") as changer:
        healthy.query("CREATE TABLE busy (id serial PRIMARY KEY, t text); "
                      "CREATE INDEX ON busy (lower(t))", dbname="one")
        healthy.query("INSERT INTO busy (t) SELECT i FROM generate_series(1, 20000) AS i",
                      dbname="one")
        reader.execute("BEGIN; SELECT * FROM busy LIMIT 1")
        changer.pgconn.send_query(b"ALTER TABLE busy ADD COLUMN x int")
        wait_for(lambda: healthy.value("SELECT count(*) FROM pg_locks WHERE NOT granted"), 10,
                 "the queue")
        begin = time.monotonic()
        findings, took_s = look(pgdeck, deck)
        assert took_s < 2 and time.monotonic() - begin < 5
        waits, = [f for f in findings if f["check"] == "lock waits" and f["severity"] == "warning"]
        assert f"session {reader.info.backend_pid}" in waits["finding"]
        failed = [f for f in findings if f["severity"] == "unknown"]
        assert {f["check"] for f in failed} <= {"sequences"}  # its value cannot be read now
        with healthy.connect("one") as watcher:
            watcher.execute("SET statement_timeout = '2s'; SET search_path = monitoring, public")
            for name, in watcher.execute("SELECT relname FROM pg_class WHERE relkind = 'v' AND "
                                         "relname LIKE 'v\\_%' AND relnamespace = "
                                         "'monitoring'::regnamespace").fetchall():
                watcher.execute(f"SELECT * FROM {name}").fetchall()
        reader.execute("ROLLBACK")
        changer.close()  # its statement ran meanwhile, or goes with it


def lose_a_query_to_vacuum(primary, standby):
    """A snapshot on the standby wants rows that the primary has vacuumed."""
    primary.query("CREATE TABLE gone AS SELECT generate_series(1, 100) AS i", dbname="one")
    wait_for(lambda: standby.value("SELECT to_regclass('gone')", dbname="one"), 20, "the table")
    reader = standby.connect("one")
    reader.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM gone")
    primary.query("DELETE FROM gone", dbname="one")
    primary.query("VACUUM gone", dbname="one")
    wait_for(lambda: standby.value("SELECT confl_snapshot FROM pg_stat_database_conflicts "
                                   "WHERE datname = 'one'"), 20, "the conflict")
    reader.close()


def test_a_standby(pgdeck, make_server, pg_version, tmp_path):
    """All checks answer there; replay that is paused is found, and the statement resumes it."""
    primary = make_server(pg_version, fsync="on", synchronous_commit="on", wal_level="replica")
    primary.query("CREATE DATABASE one")
    primary.query("CREATE ROLE repl LOGIN REPLICATION")
    standby = make_server(pg_version)
    standby.follow(primary, max_standby_streaming_delay="0")
    deck = write_deck(tmp_path, standby, "one",
                      more="alerts: {recovery_conflicts: {warning: 1, critical: 1000}}\n")
    assert bad(look(pgdeck, deck)[0]) == []
    lose_a_query_to_vacuum(primary, standby)
    found, = bad(look(pgdeck, deck)[0])
    assert found["check"] == "recovery conflicts" and found["database"] == "one"
    standby.psql(text=found["fix_sql"])
    wait_for(lambda: standby.value("SHOW hot_standby_feedback") == "on", 10, "it")
    assert bad(look(pgdeck, deck)[0]) == []
    standby.query("SELECT pg_wal_replay_pause()")
    found, = bad(look(pgdeck, deck)[0])
    assert found["check"] == "replication lag" and "paused" in found["finding"]
    standby.query(found["fix_sql"])
    assert bad(look(pgdeck, deck)[0]) == []
    primary.stop()
    wait_for(lambda: standby.value("SELECT count(*) FROM pg_stat_wal_receiver") == 0, 20, "its end")
    found, = bad(look(pgdeck, deck)[0])
    assert "receives nothing" in found["finding"]


def test_many_tables_and_six_databases(pgdeck, healthy, tmp_path, full_size):
    """Under 5 s with 10000 tables in one of them, under 2 s without; one connection each."""
    names = ["one", "two", "three", "four", "five", "six"]
    for name in names[2:]:
        healthy.query(f"CREATE DATABASE {name}")
    healthy.psql(text="""
        DO $$ BEGIN FOR i IN 1 .. 200 LOOP
            EXECUTE format('CREATE TABLE p%s (id serial PRIMARY KEY, a text)', i); END LOOP; END $$;
        """, dbname="two")
    deck = write_deck(tmp_path, healthy, *names)
    healthy.query("ALTER SYSTEM SET log_connections = on")
    healthy.reload()
    before = healthy.log_text().count("connection authorized")
    findings, took_s = look(pgdeck, deck)
    if healthy.version < 15:  # CREATE DATABASE asked for the checkpoints
        findings = [f for f in findings if f["check"] != "checkpoints"]
    assert took_s < 2 and bad(findings) == []
    assert healthy.log_text().count("connection authorized") - before <= len(names) + 1
    tables = 10000 if full_size else 2000
    healthy.psql(text=f"""
        DO $$ BEGIN FOR i IN 1 .. {tables} LOOP
            EXECUTE format('CREATE TABLE t%s (id int PRIMARY KEY, a text)', i);
            IF i % 500 = 0 THEN COMMIT; END IF; END LOOP; END $$;
        ANALYZE""", dbname="one")
    findings, took_s = look(pgdeck, deck)
    assert took_s < 5 and [f for f in findings if f["severity"] == "unknown"] == []


# ------------------------------------------------------------------------- the sick and the healthy

LEVELS = """
alerts:
  idle_in_transaction: {warning: 3s, critical: 1h}
  lock_wait: {warning: 1s, critical: 1h}
  xid_age: {warning: 0.005%, critical: 80%}
  temp_bytes: {warning: 1MB, critical: 100GB}
  unused_index: {warning: 0, critical: 3650d}
  old_snapshot: {warning: 100000, critical: 500000000}
"""
PATIENTS = """
    CREATE TABLE sick_bloat AS
      SELECT i AS id, repeat('x', 300) AS filler FROM generate_series(1, 50000) AS i;
    CREATE TABLE decoy_bloat AS SELECT * FROM sick_bloat;
    CREATE TABLE decoy_wide AS SELECT i AS id, repeat('x', 900) AS a, repeat('y', 900) AS b,
                                      NULL::text AS c FROM generate_series(1, 4000) AS i;
    CREATE TABLE sick_index (id int, word text);
    INSERT INTO sick_index SELECT i, md5(i::text) FROM generate_series(1, 160000) AS i;
    CREATE TABLE decoy_index AS SELECT * FROM sick_index;
    CREATE INDEX sick_index_word ON sick_index (word);
    CREATE INDEX decoy_index_word ON decoy_index (word);
    CREATE INDEX decoy_index_few ON decoy_index ((id % 7));
    CREATE TABLE sick_dead (id int); INSERT INTO sick_dead SELECT generate_series(1, 60000);
    CREATE TABLE decoy_dead (id int); INSERT INTO decoy_dead SELECT generate_series(1, 60000);
    CREATE TABLE sick_stale (id int); INSERT INTO sick_stale SELECT generate_series(1, 20000);
    CREATE TABLE decoy_fresh (id int); INSERT INTO decoy_fresh SELECT generate_series(1, 20000);
    CREATE TABLE sick_off (id int) WITH (autovacuum_enabled = off);
    INSERT INTO sick_off SELECT generate_series(1, 5000);
    CREATE TABLE decoy_on (id int) WITH (autovacuum_enabled = on);
    INSERT INTO decoy_on SELECT generate_series(1, 5000);
    CREATE TABLE decoy_tiny (id int) WITH (autovacuum_enabled = off);
    CREATE TABLE twins (a int, b int, c text);
    INSERT INTO twins SELECT i, i, i FROM generate_series(1, 1000) AS i;
    CREATE INDEX twin_first ON twins (a); CREATE INDEX sick_twin ON twins (a);
    CREATE INDEX decoy_descending ON twins (a DESC);
    CREATE TABLE only_one (a int, b int); CREATE UNIQUE INDEX decoy_unique ON only_one (a);
    CREATE INDEX decoy_longer ON only_one (a, b);
    CREATE INDEX decoy_part ON twins (a) WHERE b > 5;
    CREATE INDEX sick_prefix ON twins (b); CREATE INDEX twin_long ON twins (b, c);
    CREATE INDEX decoy_pattern ON twins (c text_pattern_ops); CREATE INDEX decoy_c ON twins (c);
    CREATE INDEX decoy_lower ON twins (lower(c)); CREATE INDEX decoy_upper ON twins (upper(c));
    CREATE TABLE big (id int, w text);
    INSERT INTO big SELECT i, md5(i::text) FROM generate_series(1, 50000) AS i;
    CREATE INDEX sick_unused ON big (w); CREATE INDEX decoy_used ON big (id);
    CREATE TABLE parent (id int PRIMARY KEY);
    INSERT INTO parent SELECT generate_series(1, 1000);
    CREATE TABLE sick_child (p int CONSTRAINT sick_key REFERENCES parent, x int);
    INSERT INTO sick_child SELECT 1 + i % 1000, i FROM generate_series(1, 12000) AS i;
    CREATE TABLE decoy_child (p int CONSTRAINT decoy_key REFERENCES parent, x int);
    INSERT INTO decoy_child SELECT * FROM sick_child;
    CREATE INDEX decoy_child_p ON decoy_child (p, x);
    CREATE TABLE decoy_small_child (p int CONSTRAINT decoy_small REFERENCES parent);
    CREATE TABLE sick_serial (id serial PRIMARY KEY);
    SELECT setval('sick_serial_id_seq', 2147480000);
    CREATE SEQUENCE sick_feeder; SELECT setval('sick_feeder', 1900000000);
    CREATE TABLE fed (id int DEFAULT nextval('sick_feeder'));
    CREATE SEQUENCE decoy_cycle MAXVALUE 100 CYCLE; SELECT setval('decoy_cycle', 99);
    CREATE TABLE decoy_serial (id bigserial); SELECT setval('decoy_serial_id_seq', 2147480000);
    CREATE SEQUENCE decoy_down INCREMENT -1 START -1; SELECT nextval('decoy_down');
    CREATE TABLE broken (id int, x int); INSERT INTO broken VALUES (1, 1), (2, 1);
    CREATE TABLE locked (id int);
"""
SICK = {  # check: what its finding names
    "table bloat": ["public.sick_bloat"], "index bloat": ["sick_index_word"],
    "dead rows": ["public.sick_dead"], "stale statistics": ["public.sick_stale"],
    "autovacuum": ["public.sick_off"], "duplicate indexes": ["sick_twin", "sick_prefix"],
    "unused indexes": ["sick_unused"], "foreign keys": ["sick_key"],
    "sequences": ["sick_serial_id_seq", "sick_feeder"], "invalid indexes": ["sick_invalid"],
    "idle in transaction": ["sick_session"], "lock waits": ["'sick''lock'"],
    "replication slots": ["sick_slot"], "xid age": ["database ward "], "cache hit": ["cache hit"],
    "temp files": ["temporary files"], "checkpoints": ["checkpoint_timeout"],
    "settings": ["full_page_writes"], "old snapshots": ["session "]}
SORT = "SELECT count(*) FROM (SELECT md5(i::text) AS w FROM generate_series(1, 60000) AS i " \
    "ORDER BY w) AS x"


class Ward:
    """A server with a sick database and a healthy one; tests/perf/health has one too."""

    SETTINGS = {
        "shared_preload_libraries": "pg_stat_statements", "fsync": "on",
        "synchronous_commit": "on", "full_page_writes": "off", "max_prepared_transactions": "5",
        "autovacuum": "on", "autovacuum_naptime": "2000000", "shared_buffers": "4MB",
        "work_mem": "256kB", "checkpoint_timeout": "1h", "max_wal_size": "256MB"}

    def __init__(self, server):
        self.server = server
        self.connections = []

    def prepare(self, pgdeck, folder, before_trouble=lambda: None):
        """Makes both databases and everything that is wrong; the deck."""
        self.server.query("CREATE DATABASE ward")
        self.server.query("CREATE DATABASE well")
        self.server.query("CREATE ROLE watcher LOGIN IN ROLE pg_monitor")
        deck = write_deck(folder, self.server, "ward", "well", more=LEVELS)
        pgdeck("apply", "-d", deck, "--yes", "--only", "monitoring", expect=0)
        self.infect()
        self.interval()
        before_trouble()
        self.make_trouble()
        return deck

    def connect(self, dbname="ward", **more):
        self.connections.append(self.server.connect(dbname, **more))
        return self.connections[-1]

    def run(self, text, dbname="ward"):
        self.server.psql(text=text, dbname=dbname)

    def interval(self):
        """The history gets a sample that is over a minute old."""
        for name in ("ward", "well"):
            self.run("SELECT monitoring.record_performance_metrics(); CREATE TABLE IF NOT EXISTS "
                     "monitoring.database_history_before PARTITION OF monitoring.database_history "
                     "DEFAULT; UPDATE monitoring.database_history SET at = at - interval "
                     "'2 minutes'", name)

    def infect(self):
        self.run(PATIENTS)
        self.run("CREATE TABLE decoy_calm AS SELECT generate_series(1, 5000) AS id", "well")
        for statement in ("DELETE FROM sick_bloat WHERE id % 10 <> 0",
                          "DELETE FROM sick_index WHERE id % 10 <> 0", "VACUUM (ANALYZE)",
                          "DELETE FROM sick_dead WHERE id > 10000",
                          "DELETE FROM decoy_dead WHERE id > 55000",
                          "UPDATE sick_stale SET id = id + 1",
                          "SET enable_seqscan = off; SELECT * FROM big WHERE id = 5; "
                          "SELECT * FROM sick_index WHERE word = 'a'; "
                          "SELECT * FROM decoy_index WHERE word = 'a'; "
                          "SELECT * FROM decoy_index WHERE id % 7 = 9"):
            self.run(statement)
        with pytest.raises(RuntimeError, match="could not create unique index"):
            self.run("CREATE UNIQUE INDEX CONCURRENTLY sick_invalid ON broken (x)")
        self.run("UPDATE broken SET x = id; CREATE INDEX decoy_valid ON broken (id); VACUUM broken")
        self.connect(application_name="sick_snapshot").execute(
            "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1")
        self.run("SET synchronous_commit = off; DO $$ BEGIN FOR i IN 1 .. 120000 LOOP "
                 "PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$")
        self.run("VACUUM (FREEZE, ANALYZE)", "well")
        self.run("SELECT pg_create_physical_replication_slot('sick_slot', true); "
                 "SELECT pg_create_physical_replication_slot('decoy_slot', false)")
        self.run("VACUUM (FREEZE) big")

    def make_trouble(self):
        """What happens in the interval, and who holds what."""
        self.run("CHECKPOINT;" * 12)
        self.run(SORT)
        self.run("SELECT count(*) FROM decoy_bloat; SELECT count(*) FROM decoy_wide;" * 15)
        idle = self.connect(application_name="sick_session")
        idle.execute("BEGIN; SELECT 1")
        self.run("BEGIN; LOCK TABLE locked IN SHARE MODE; PREPARE TRANSACTION 'sick''lock'")
        for waiting, text in enumerate((b"BEGIN; LOCK TABLE locked", b"SELECT * FROM locked"), 1):
            self.connect().pgconn.send_query(text)
            wait_for(lambda: self.server.value(
                "SELECT count(*) FROM pg_locks WHERE NOT granted") == waiting, 10, "the queue")
        time.sleep(3.1)  # the levels of idle in transaction and lock waits
        decoy = self.connect(application_name="decoy_session")
        decoy.execute("BEGIN; SELECT 1")
        self.run("SELECT pg_stat_force_next_flush()" if self.server.version >= 15 else "SELECT 1")

    def end(self):
        for connection in self.connections:
            connection.close()


@pytest.fixture
def ward(make_server, pg_version, pgdeck, tmp_path):
    one = Ward(make_server(pg_version, **Ward.SETTINGS))
    one.prepare(pgdeck, tmp_path)
    yield one
    one.end()


def named(findings):
    return {check: [f for f in findings if f["check"] == check] for check in SICK}


def test_every_sickness_is_found_and_mended(pgdeck, ward, tmp_path):
    deck = tmp_path / "deck.yaml"
    findings, took_s = look(pgdeck, deck)
    found = bad(findings)
    assert took_s < 2
    for check, names in SICK.items():
        for name in names:
            assert [f for f in found if f["check"] == check and name in f["finding"]], (check, name)
    assert [f for f in found if "decoy" in f["finding"] or f["database"] == "well"] == []
    assert [f for f in found if f["severity"] == "unknown"] == []
    head, = [f for f in found if f["check"] == "lock waits"]  # who only waits behind it is none
    assert head["fix_sql"].startswith("ROLLBACK PREPARED")

    as_monitor = write_deck(tmp_path, ward.server, "ward", "well", user="watcher", more=LEVELS)
    seen = bad(look(pgdeck, as_monitor)[0])
    assert [f for f in seen if "decoy" in f["finding"] or f["database"] == "well"
            and f["severity"] != "unknown"] == []
    for check, names in SICK.items():
        for name in names:
            assert [f for f in seen if f["check"] == check and
                    (name in f["finding"] or f["severity"] == "unknown")], (check, name)
    unknown = {f["check"] for f in seen if f["severity"] == "unknown"}
    assert unknown == {"table bloat", "index bloat", "sequences", "configuration files"}
    assert all("not measurable with this role" in f["certainty"] for f in seen
               if f["severity"] == "unknown")

    deck = write_deck(tmp_path, ward.server, "ward", "well", more=LEVELS)
    holders = [f for f in found if f["check"] in ("idle in transaction", "lock waits",
                                                  "old snapshots")]
    for cure, where in {(f["fix_sql"], f["fix_database"]) for f in holders}:
        ward.run(cure, where)  # nothing else gets its locks before; one can be both
    ward.end()
    ward.connections = []
    before = content(ward.server, "ward")
    for finding in found:
        if finding not in holders:
            assert finding["fix_sql"], finding
            ward.run(finding["fix_sql"], finding["fix_database"])
    assert content(ward.server, "ward") == before
    ward.server.restart()
    ward.interval()
    ward.run(SORT)
    for name, table in (("well", "decoy_calm"), ("ward", "parent")):
        ward.run(f"SELECT sum((SELECT count(*) FROM {table} WHERE i > 0)) "
                 "FROM generate_series(1, 4000) AS i; SELECT 1", name)
    left = [f for f in bad(look(pgdeck, deck)[0]) if "database ward " in f["finding"]
            or f["check"] != "xid age"]
    assert [f["finding"] for f in left] == []
