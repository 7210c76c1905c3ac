# SPDX-License-Identifier: MIT
"""pgdeck rescue: all connections taken and a lock storm; shown, offered, ended, recorded."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time

import psycopg
import pytest

from cluster import SOURCE
from test_pool import PASSWORD, Pool

DECK = """
deck: rescue
servers:
  main: {conninfo: "CONNINFO", memory: 512MB, cpus: 2, storage: ssd}
environments:
  test: {server: main, max_connections: 20}
databases:
  shop: {environment: test}
"""
MOST = 30


def until(condition, what):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


class Fire:
    """Sessions of role app: idle ones, a head that holds a table, those that wait for it; beside
    them replication and a session of pgdeck's own."""

    def __init__(self, server, folder):
        self.server, self.folder = server, folder
        server.query("CREATE DATABASE shop")
        server.query("CREATE ROLE app LOGIN")
        server.query("CREATE TABLE stock (id int); ", dbname="shop")
        server.query("GRANT ALL ON stock TO app", dbname="shop")
        self.sessions, self.waiters, self.threads = [], [], []

    def write_deck(self, conninfo, more=""):
        self.deck = self.folder / "deck.yaml"
        self.deck.write_text(DECK.replace("CONNINFO", conninfo) + more)

    def app(self, name="shop"):
        connection = self.server.connect("shop", user="app", application_name=name)
        self.sessions.append(connection)
        return connection

    def light(self):
        self.own = self.app("pgdeck pool")
        self.head = self.app("head")
        self.head.execute("BEGIN; LOCK TABLE stock")
        for _ in range(6):
            self.waiters.append(self.app("waiter"))
        for connection in self.waiters:
            thread = threading.Thread(target=self.wait, args=(connection,))
            thread.start()
            self.threads.append(thread)
        with pytest.raises(psycopg.OperationalError, match="slots|too many clients"):
            while True:
                self.app("idle")
        until(lambda: self.count("wait_event_type = 'Lock'") == 6, "nobody waits")

    @staticmethod
    def run(connection, sql):
        try:
            connection.execute(sql)
        except psycopg.Error:
            pass

    def wait(self, connection):
        self.run(connection, "SELECT count(*) FROM stock")

    def count(self, where):
        return self.server.value(f"SELECT count(*) FROM pg_stat_activity WHERE {where}")

    def out(self):
        for connection in self.sessions:
            connection.close()
        for thread in self.threads:
            thread.join(20)


@pytest.fixture
def fire(make_server, tmp_path, pg_version):
    server = make_server(pg_version, max_connections=str(MOST), wal_level="replica")
    fire = Fire(server, tmp_path)
    fire.replication = psycopg.connect(server.conninfo(replication="true"), autocommit=True)
    fire.write_deck(server.conninfo())
    try:
        until(lambda: fire.count("backend_type = 'walsender'") == 1, "no replication")
        yield fire
    finally:
        fire.out()
        fire.replication.close()


def test_one_command_brings_the_server_back(fire, pgdeck):
    fire.light()
    shown = pgdeck("rescue", "-d", fire.deck, "--dry-run", expect=0)
    assert "6 sessions wait behind" in shown.out and "CPU:" in shown.out
    assert fire.count("application_name = 'head'") == 1
    asked = pgdeck("rescue", "-d", fire.deck, text="", expect=0)  # nobody says yes
    assert "Done: 0 of" in asked.out
    assert fire.count("application_name = 'head'") == 1
    report, = json.loads(pgdeck("rescue", "-d", fire.deck, "--yes", "--json", expect=0).out)
    for thread in fire.threads:
        thread.join(20)
    assert not any(thread.is_alive() for thread in fire.threads)
    for connection in fire.waiters:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    for _ in range(3):
        fire.app("new")
    assert fire.replication.pgconn.exec_(b"IDENTIFY_SYSTEM").ntuples == 1
    assert fire.own.execute("SELECT 1").fetchone() == (1,)
    assert report["failed"] == 0 and report["recorded_in_server"]
    ended = fire.server.query("SELECT sight, what, why, outcome FROM pgdeck.rescue ORDER BY at")
    assert ended[0][0] == "locks" and "6 sessions wait behind" in ended[0][2]
    assert {row[3] for row in ended} == {"done"} and len(ended) == report["done"]
    assert {row[0] for row in ended} == {"locks", "connections"}
    with open(report["record"], encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    assert [line["outcome"] for line in lines] == ["begun", "done"] * report["done"]


def end_sql():
    text = (SOURCE / "src/maintenance/sql/rescue_end.sql").read_text()
    text = "\n".join(line for line in text.splitlines() if not line.startswith("--"))
    return text.replace("%", "%%").replace("$1", "%s").replace("$2", "%s").replace("$3", "%s")


def test_what_is_never_ended(fire):
    """By no way: replication, autovacuum, the server's own, pgdeck's, and another's old pid."""
    app = fire.app("pgdeck pool")
    client = fire.app("client")
    rows = fire.server.query("SELECT pid, backend_start, backend_type FROM pg_stat_activity "
                             "WHERE backend_type <> 'client backend' OR pid = %s",
                             app.info.backend_pid)
    assert {"walsender", "autovacuum launcher", "client backend"} <= {row[2] for row in rows}
    for pid, start, _kind in rows:
        assert fire.server.query(end_sql(), "terminate", pid, start) == []
    assert fire.server.query(end_sql(), "terminate", client.info.backend_pid, "2020-01-01") == []
    assert client.execute("SELECT 1").fetchone() == (1,)


def test_autovacuum_for_wraparound_is_left(make_server, pg_version, tmp_path, pgdeck):
    """It does not give way, sessions wait behind it, and rescue says so and lets it work."""
    server = make_server(pg_version, autovacuum_naptime="1s", autovacuum_freeze_max_age="100000")
    fire = Fire(server, tmp_path)
    fire.write_deck(server.conninfo())
    server.query("INSERT INTO stock SELECT generate_series(1, 200000)", dbname="shop")
    server.query("ALTER TABLE stock SET (autovacuum_vacuum_cost_delay = 100, "
                 "autovacuum_vacuum_cost_limit = 1)", dbname="shop")
    server.query("DO $$ BEGIN FOR i IN 1..110000 LOOP PERFORM pg_current_xact_id(); COMMIT; "
                 "END LOOP; END $$", dbname="shop")
    worker = "backend_type = 'autovacuum worker' AND query ~ 'stock.*to prevent wraparound'"
    changer = server.connect("shop", application_name="changer")
    try:
        until(lambda: fire.count(worker) == 1, "no autovacuum")
        pid = server.value(f"SELECT pid FROM pg_stat_activity WHERE {worker}")
        jobs = [(changer, "ALTER TABLE stock ADD COLUMN more int")]
        jobs += [(fire.app("waiter"), "SELECT count(*) FROM stock") for _ in range(3)]
        for number, job in enumerate(jobs, 1):
            thread = threading.Thread(target=fire.run, args=job)
            thread.start()
            fire.threads.append(thread)
            until(lambda: fire.count("wait_event_type = 'Lock'") == number, "nobody waits")
        report, = json.loads(pgdeck("rescue", "-d", fire.deck, "--yes", "--json", expect=0).out)
        line, = [line for line in report["lines"] if line["sight"] == "locks"]
        assert f"4 sessions wait behind autovacuum worker {pid} on shop" in line["text"]
        assert "(to prevent wraparound), which is not ended" in line["text"]
        assert report["offers"] == [] and fire.count(f"{worker} AND pid = {pid}") == 1
        assert server.query(end_sql(), "terminate", pid, server.value(
            f"SELECT backend_start FROM pg_stat_activity WHERE pid = {pid}")) == []
    finally:
        server.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                     "WHERE application_name IN ('changer', 'waiter')")
        fire.out()
        changer.close()


def test_the_door_is_told(fire, pgdeck):
    def door(user):
        return pgdeck("rescue", "--check", "-d", fire.deck, "--set", "servers.main.conninfo="
                      + fire.server.conninfo(user=user), expect=0).out
    assert "by superuser_reserved_connections (3)" in door("postgres")
    assert "no way in" in door("app")
    fire.server.query("CREATE ROLE anybody LOGIN")
    assert "does not see what sessions of other roles do" in door("anybody")
    assert "GRANT pg_signal_backend TO anybody" in door("anybody")
    fire.server.query("GRANT pg_read_all_stats, pg_signal_backend TO anybody")
    assert not any("rights" in door(user) for user in ("anybody", "postgres"))
    if fire.server.version >= 16:
        fire.server.query("GRANT pg_use_reserved_connections TO app")
        assert "reserved_connections is 0" in door("app")


def test_the_door_is_told_at_set_up(fire, pgdeck):
    """By init, and by the apply that does something."""
    told = pgdeck("init", "--from", fire.server.conninfo(), "-o", fire.folder / "made", expect=0)
    line = ("When all connections of server main are taken: role postgres comes in by "
            "superuser_reserved_connections (3); no pgdeck watch holds a connection here\n")
    assert line in told.out
    text = fire.deck.read_text()
    fire.deck.write_text(text + "advisors: [schema]\nschema: schema.sql\n")
    (fire.folder / "schema.sql").write_text("CREATE TABLE made (id int PRIMARY KEY);\n")
    assert line in pgdeck("apply", "-d", fire.deck, "--yes", expect=0).out
    assert "are taken" not in pgdeck("apply", "-d", fire.deck, "--yes", expect=0).out


def test_runaway_queries_are_cancelled(fire, pgdeck):
    slow = fire.app("slow")
    cancelled = []

    def run():
        try:
            slow.execute("SELECT pg_sleep(60)")
        except psycopg.errors.QueryCanceled:
            cancelled.append(True)

    thread = threading.Thread(target=run)
    thread.start()
    until(lambda: fire.count("query ~ '^SELECT pg_sleep'") == 1, "it does not run")
    out = pgdeck("rescue", "-d", fire.deck, "--yes", "--query-minutes", "0", expect=0).out
    thread.join(20)
    assert cancelled and "cancel the query" in out
    assert slow.execute("SELECT 1").fetchone() == (1,)


# --- each sight -------------------------------------------------------------------------------

def seen(fire, pgdeck, sight, *args):
    """The lines and offers of one sight."""
    report, = json.loads(pgdeck("rescue", "-d", fire.deck, "-n", "--json", *args, expect=0).out)
    return ([line for line in report["lines"] if line["sight"] == sight],
            [offer for offer in report["offers"] if offer["sight"] == sight])


def sight_rows(server, name, *change, parameters=("60", "5")):
    """What a sight's query finds, with a figure of it changed for the test."""
    text = (SOURCE / f"src/maintenance/sql/rescue_{name}.sql").read_text()
    text = "\n".join(line for line in text.splitlines() if not line.startswith("--"))
    if change:
        assert change[0] in text
        text = text.replace(*change)
    for number, value in enumerate(parameters, 1):
        text = text.replace(f"${number}", f"'{value}'")
    return [row[1:5] for row in server.query(text)]


def test_idle_for_an_hour_and_idle_in_transaction(fire):
    """Both go when nearly all is taken, those idle for less only as far as there has to be room."""
    for connection in [fire.app("open") for _ in range(3)]:
        connection.execute("BEGIN; SELECT 1")
    assert all(row[1] is None for row in sight_rows(fire.server, "connections"))
    with pytest.raises(psycopg.OperationalError, match="slots"):
        while True:
            fire.app("idle")
    young = sight_rows(fire.server, "connections")
    assert "3 idle in a transaction" in young[0][0]
    ends = [row for row in young if row[1]]
    assert ends and all("longest of those" in row[0] and "idle on" not in row[0] for row in ends)
    late = sight_rows(fire.server, "connections", "interval '1 minute'", "interval '0 minute'")
    in_transaction = [row for row in late if row[1] and "idle in transaction" in row[0]]
    assert len(in_transaction) == 3 and {row[2] for row in in_transaction} == {"terminate"}
    hour = sight_rows(fire.server, "connections", parameters=("0", "5"))
    idle = fire.count("state = 'idle' AND application_name IN ('idle', 'open')")
    assert len([row for row in hour if row[1]]) == idle > len(ends)


@pytest.mark.short(15)
def test_each_offer_can_be_asked_about(fire, pgdeck):
    """On a terminal: one of two is wanted, and the other is not offered again."""
    for _ in range(2):
        fire.app("runaway").pgconn.send_query(b"SELECT pg_sleep(60) AS runaway")
    until(lambda: fire.count("query LIKE '%AS runaway' AND state = 'active'") == 2, "they run")
    terminal, theirs = os.openpty()
    rescue = subprocess.Popen([pgdeck.path, "rescue", "-d", fire.deck, "--query-minutes", "0"],
                              stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env=pgdeck.environment(None))
    os.set_blocking(rescue.stderr.fileno(), False)
    for question, answer in ((b"ask about [e]ach: ", b"e\n"), (b"? [y/N] ", b"y\n"),
                             (b"? [y/N] ", b"n\n")):
        asked = []
        until(lambda: asked.append(rescue.stderr.read() or b"") or
              b"".join(asked).endswith(question), question)
        os.write(terminal, answer)
    out, _ = rescue.communicate(timeout=30)
    assert b"Done: 1 of 2" in out and fire.count("query LIKE '%AS runaway' AND state = 'active'") == 1
    os.close(terminal)
    os.close(theirs)


def test_the_disk_fills(make_server, pg_version, tmp_path, pgdeck):
    """How much is free and what grows; a slot that keeps WAL and archiving that fails are told with
    what helps; a query with much in temporary files is offered."""
    server = make_server(pg_version, max_wal_size="32MB", wal_level="replica", archive_mode="on",
                         archive_command="false", max_replication_slots="4")
    fire = Fire(server, tmp_path)
    fire.write_deck(server.conninfo())
    server.query("SELECT pg_create_physical_replication_slot('nobody', true)")
    for _ in range(6):
        server.query("SELECT pg_logical_emit_message(false, 'a', 'b')")
        server.query("SELECT pg_switch_wal()")
    until(lambda: server.value("SELECT failed_count > 0 FROM pg_stat_archiver"), "archiving works")
    lines, offers = seen(fire, pgdeck, "disk")
    text = "\n".join(line["text"] for line in lines)
    space = os.statvfs(server.data)
    free = float(re.search(r"([0-9.]+) of [0-9.]+ GB are free for the data", text)[1])
    assert free == pytest.approx(space.f_bavail * space.f_frsize / 2**30, rel=0.2, abs=1)
    assert "WAL grows by" in text and "the largest databases: " in text
    assert "slot nobody, which nobody uses, keeps" in text and "archiving has failed" in text
    assert any(line["sql"] == "SELECT pg_drop_replication_slot('nobody')" for line in lines)
    assert offers == []  # what a person has to decide
    sorter = fire.app("sorter")
    sorter.execute("SET work_mem = '64kB'")
    sorter.execute("BEGIN; DECLARE c CURSOR FOR SELECT i FROM generate_series(1, 200000) i "
                   "ORDER BY -i; FETCH c")
    rows = sight_rows(server, "disk", "1073741824", "100000")
    fire.out()
    row, = [row for row in rows if row[1]]
    assert row[2] == "cancel" and "of temporary files" in row[0]


SEGMENT = 1024 * 1024  # transactions of a file of pg_xact


@pytest.mark.pg(min=15, max=15)  # pg_resetwal comes with Debian's only
def test_wraparound_is_near(make_server, pg_version, tmp_path, pgdeck):
    """A server 1.2 thousand million transactions later, with a prepared transaction of before."""
    server = make_server(pg_version, max_prepared_transactions="2", autovacuum="off",
                         autovacuum_freeze_max_age="2000000000")
    fire = Fire(server, tmp_path)
    fire.write_deck(server.conninfo())
    server.query("INSERT INTO stock VALUES (1)", dbname="shop")
    with server.connect("shop") as connection:
        connection.execute("BEGIN; INSERT INTO stock VALUES (2)")
        connection.execute("PREPARE TRANSACTION 'forgotten'")
    assert seen(fire, pgdeck, "wraparound") == ([], [])
    server.stop()
    server.run("pg_resetwal", "-f", "-x", str(0x478 * SEGMENT), "-D", str(server.data))
    segment = server.data / "pg_xact" / "0478"
    segment.write_bytes(bytes(SEGMENT // 4))
    owner = server.data.stat()
    os.chown(segment, owner.st_uid, owner.st_gid)
    server.start()
    reader = fire.app("reader")  # its snapshot is as old, but not by its own doing
    reader.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1")
    lines, offers = seen(fire, pgdeck, "wraparound")
    fire.out()
    text = "\n".join(line["text"] for line in lines)
    assert offers == [] and "session" not in text
    assert "database shop has used 1199 of 2147 million ids" in text
    assert "prepared transaction 'forgotten' keeps rows from being frozen" in text
    assert any(line["sql"] == "ROLLBACK PREPARED 'forgotten'" for line in lines)


def test_a_prepared_transaction_at_the_head(make_server, pg_version, tmp_path, pgdeck):
    """It holds locks and has no session: it is shown with its SQL, and nobody ends it."""
    server = make_server(pg_version, max_prepared_transactions="2")
    fire = Fire(server, tmp_path)
    fire.write_deck(server.conninfo())
    with server.connect("shop") as connection:
        connection.execute("BEGIN; LOCK TABLE stock")
        connection.execute("PREPARE TRANSACTION 'forgotten'")
    for _ in range(3):
        connection = fire.app("waiter")
        thread = threading.Thread(target=fire.wait, args=(connection,))
        thread.start()
        fire.threads.append(thread)
    try:
        until(lambda: fire.count("wait_event_type = 'Lock'") == 3, "nobody waits")
        lines, offers = seen(fire, pgdeck, "locks")
        assert "3 sessions wait behind a prepared transaction: 'forgotten'" in lines[0]["text"]
        assert lines[0]["sql"] == "ROLLBACK PREPARED 'forgotten'" and offers == []
    finally:
        server.query("ROLLBACK PREPARED 'forgotten'", dbname="shop")
        fire.out()


@pytest.mark.parametrize("table", ["pg_class", "stock"])
def test_a_catalog_that_cannot_be_read(fire, pgdeck, table):
    """pg_class of the database, or a table, held ACCESS EXCLUSIVE: rescue answers, in seconds, and
    ends who holds it."""
    waiters = [fire.app("waiter") for _ in range(3)]
    head = fire.server.connect("shop", application_name="head")
    head.execute(f"BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
    for connection in waiters:
        thread = threading.Thread(target=fire.wait, args=(connection,))
        thread.start()
        fire.threads.append(thread)
    until(lambda: fire.count("wait_event_type = 'Lock'") == 3, "nobody waits")
    began = time.monotonic()
    report, = json.loads(pgdeck("rescue", "-d", fire.deck, "--yes", "--json", expect=0).out)
    assert time.monotonic() - began < 15
    for thread in fire.threads:
        thread.join(20)
    assert not any(thread.is_alive() for thread in fire.threads)
    assert [offer["sight"] for offer in report["offers"]] == ["locks"]
    head.close()


@pytest.mark.parametrize("table", ["pg_class", "pg_rewrite"])
def test_the_catalog_of_its_own_database_cannot_be_read(fire, pgdeck, table):
    """Held in the database of the conninfo: another database of the server is as good to see all
    from."""
    waiters = [fire.server.connect(application_name="waiter") for _ in range(3)]
    head = fire.server.connect(application_name="head")
    fire.server.query("CREATE TABLE held (id int)")
    head.execute(f"BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
    admin = fire.server.connect("shop")
    fire.count = lambda where: admin.execute(
        f"SELECT count(*) FROM pg_stat_activity WHERE {where}").fetchone()[0]
    for number, connection in enumerate(waiters):
        thread = threading.Thread(target=fire.run, args=(
            connection, f"CREATE OR REPLACE VIEW v_{number} AS SELECT * FROM held"))
        thread.start()
        fire.threads.append(thread)
    try:
        until(lambda: fire.count("wait_event_type = 'Lock'") == 3, "nobody waits")
        began = time.monotonic()
        report, = json.loads(pgdeck("rescue", "-d", fire.deck, "--yes", "--json", expect=0).out)
        assert time.monotonic() - began < 20
        for thread in fire.threads:
            thread.join(20)
        assert not any(thread.is_alive() for thread in fire.threads)
        assert [offer["sight"] for offer in report["offers"]] == ["locks"]
        lines = {line["text"]: line["severity"] for line in report["lines"]}
        assert "unknown" not in lines.values() and any("looks from shop" in line for line in lines)
    finally:
        for connection in (head, *waiters, admin):
            connection.close()


@pytest.mark.short(15)
def test_memory_is_short(fire, pgdeck, tmp_path):
    """On a host that says so: the session with the most memory of its own is offered and ended."""
    large, small = fire.app("large"), fire.app("small")
    large.execute("SET work_mem = '512MB'")
    for connection, rows in ((large, 500_000), (small, 10)):
        connection.execute("BEGIN; DECLARE c CURSOR FOR SELECT i, repeat('x', 100) FROM "
                           f"generate_series(1, {rows}) i ORDER BY -i; FETCH c")
    said = "".join("MemAvailable: 1000 kB\n" if line.startswith("MemAvailable") else line
                   for line in open("/proc/meminfo", encoding="ascii"))
    short = tmp_path / "meminfo"
    short.write_text(said)
    outcome = subprocess.run(
        ["unshare", "--mount", "--map-root-user", "sh", "-c",
         'mount --bind "$0" /proc/meminfo && exec "$@"', short, pgdeck.path, "rescue", "-d",
         fire.deck, "--yes", "--json"],
        env=pgdeck.environment({}), capture_output=True, text=True, timeout=60, check=True)
    assert seen(fire, pgdeck, "memory") == ([], [])  # by the host's real figures
    report, = json.loads(outcome.stdout)
    offer, = [offer for offer in report["offers"] if offer["sight"] == "memory"]
    megabytes = int(re.search(r"most memory of its own, ([0-9]+) MB", offer["why"])[1])
    assert offer["pid"] == str(large.info.backend_pid) and offer["done"] and megabytes > 40
    assert any("memory: 0 % of" in line["text"] and line["severity"] == "critical"
               for line in report["lines"])
    with pytest.raises(psycopg.OperationalError):
        large.execute("FETCH c")
    assert small.execute("FETCH c").fetchone()


@pytest.mark.pg(min=16)
def test_a_reserved_connection_without_superuser(make_server, pg_version, tmp_path, pgdeck):
    """All is taken; a role that may use what is reserved comes in and ends what may go."""
    server = make_server(pg_version, max_connections=str(MOST), reserved_connections="2")
    fire = Fire(server, tmp_path)
    server.query("CREATE ROLE medic LOGIN")
    server.query("GRANT pg_use_reserved_connections, pg_monitor, pg_signal_backend TO medic")
    fire.write_deck(server.conninfo(user="medic"))
    with pytest.raises(psycopg.OperationalError, match="slots"):
        while True:
            fire.app("idle")
    try:
        report, = json.loads(pgdeck("rescue", "-d", fire.deck, "--yes", "--json", expect=0).out)
        assert any("comes in by reserved_connections (2)" in line["text"]
                   for line in report["lines"])
        assert report["done"] > 0 and report["failed"] == 0
        fire.app("new")
    finally:
        fire.out()


@pytest.mark.parametrize("option", [[], ["--pool-kill"]], ids=["reconnect", "kill"])
@pytest.mark.short(15)
def test_a_pool_whose_clients_wait(make_server, pg_version, tmp_path, pgdeck, option):
    """One server connection, held by a client that does nothing: the next waits. RECONNECT is for
    servers that come free; KILL ends who holds it."""
    server = make_server(pg_version)
    fire = Fire(server, tmp_path)
    server.query(f"CREATE ROLE alice LOGIN PASSWORD '{PASSWORD}'")
    pool = Pool(pgdeck, tmp_path, server, {"shop": {"max": 1}})
    fire.write_deck(server.conninfo(), f"pooler: {{port: {pool.port}, "
                    f"socket_folder: {pool.folder}}}\n")
    assert seen(fire, pgdeck, "pool") == ([], [])
    holder, waiter = pool.connect("shop"), pool.connect("shop")
    try:
        holder.execute("BEGIN")
        fire.threads.append(threading.Thread(target=fire.wait, args=(waiter,)))
        fire.threads[0].start()
        until(lambda: any(row["cl_waiting"] == "1" for row in pool.show("POOLS")), "nobody waits")
        report, = json.loads(pgdeck("rescue", "-d", fire.deck, "--yes", "--json", *option,
                                    expect=0).out)
        offer, = [offer for offer in report["offers"] if offer["sight"] == "pool"]
        assert offer["done"] and offer["sql"].split()[0] == ("KILL" if option else "RECONNECT")
        if option:
            fire.threads[0].join(20)
            assert not fire.threads[0].is_alive()
            with pytest.raises(psycopg.Error):
                holder.execute("SELECT 1")
        else:
            first = holder.execute("SELECT pg_backend_pid()").fetchone()
            holder.execute("COMMIT")
            fire.threads[0].join(20)
            assert waiter.execute("SELECT pg_backend_pid()").fetchone() != first
    finally:
        holder.close()
        waiter.close()
        fire.out()
        pool.stop()


# --- through what watch holds -----------------------------------------------------------------

def wait_for_door(pgdeck, fire, text):
    until(lambda: text in pgdeck("rescue", "--check", "-d", fire.deck, expect=0).out, text)


def test_through_the_connection_that_watch_holds(make_server, pg_version, tmp_path, pgdeck):
    """Nothing is reserved and all is taken: rescue comes in through watch, once that is there; when
    it is killed the next watch has the door; a reload of the deck does not close it."""
    server = make_server(pg_version, max_connections=str(MOST), superuser_reserved_connections="0",
                         **({"reserved_connections": "0"} if pg_version >= 16 else {}))
    fire = Fire(server, tmp_path)
    server.query("CREATE ROLE medic LOGIN")
    server.query("GRANT pg_monitor, pg_signal_backend TO medic")
    server.query("GRANT CREATE ON DATABASE postgres TO medic")
    fire.write_deck(server.conninfo(user="medic"))
    wait_for_door(pgdeck, fire, "no way in when all connections are taken; no pgdeck watch holds")
    watches = [pgdeck.start("watch", "-d", fire.deck, "--quiet")]
    wait_for_door(pgdeck, fire, "through the connection that pgdeck watch holds")
    watches.append(pgdeck.start("watch", "-d", fire.deck, "--quiet"))
    pgdeck.kill(watches[0])
    wait_for_door(pgdeck, fire, "through the connection that pgdeck watch holds")
    until(lambda: fire.count("application_name = 'pgdeck rescue'") == 1, "one door")
    held = server.value("SELECT pid FROM pg_stat_activity WHERE application_name = 'pgdeck rescue'")
    admin = server.connect()
    fire.count = lambda where: admin.execute(
        f"SELECT count(*) FROM pg_stat_activity WHERE {where}").fetchone()[0]
    collector = "SELECT max(pid) FROM pg_stat_activity WHERE application_name = 'pgdeck watch'"
    until(lambda: server.value(collector) is not None, "no collector")
    before = server.value(collector)
    watches[1].send_signal(signal.SIGHUP)
    until(lambda: server.value(collector) not in (None, before), "no reload")
    until(lambda: fire.count(f"pid = {before}") == 0, "the old collector")
    try:
        fire.light()
        report, = json.loads(pgdeck("rescue", "-d", fire.deck, "--yes", "--json", expect=0).out)
        door, = [line["text"] for line in report["lines"] if line["sight"] == "door"]
        assert "rescue speaks through the connection that pgdeck watch holds" in door
        for thread in fire.threads:
            thread.join(20)
        assert not any(thread.is_alive() for thread in fire.threads)
        assert {"locks", "connections"} <= {offer["sight"] for offer in report["offers"]}
        assert report["failed"] == 0 and report["recorded_in_server"]
        assert fire.own.execute("SELECT 1").fetchone() == (1,)
        assert fire.count(f"pid = {held} AND application_name = 'pgdeck rescue'") == 1
        fire.app("new")
    finally:
        fire.out()
        admin.close()


@pytest.mark.short(15)
def test_the_door_is_for_rescue_only(make_server, pg_version, tmp_path, pgdeck):
    """Who has the socket gets rescue's own queries and nothing else, and nonsense ends nothing."""
    server = make_server(pg_version)
    fire = Fire(server, tmp_path)
    fire.write_deck(server.conninfo())
    pgdeck.start("watch", "-d", fire.deck, "--quiet")
    wait_for_door(pgdeck, fire, "through the connection that pgdeck watch holds")
    path, = (pgdeck.home / "state" / "pgdeck").glob("rescue-*.socket")
    assert path.stat().st_mode & 0o777 == 0o600

    folder = os.open(path.parent, os.O_PATH)

    def ask(*messages):
        answers = []
        with socket.socket(socket.AF_UNIX) as door:
            door.settimeout(10)
            door.connect(f"/proc/self/fd/{folder}/{path.name}")  # else too long
            for message in messages:
                door.sendall(message)
                length = int.from_bytes(door.recv(4, socket.MSG_WAITALL), sys.byteorder)
                answers.append(json.loads(door.recv(length, socket.MSG_WAITALL) or "null"))
        return answers

    def message(value):
        text = json.dumps(value).encode()
        return len(text).to_bytes(4, sys.byteorder) + text

    for file in ("maintenance/sql/run_end.sql", "maintenance/sql/rescue_door.sql; DROP", 3, None):
        refused, = ask(message({"file": file, "parameters": []}))
        assert "only rescue's own queries" in refused["message"], file
    assert "only rescue's own" in ask(message([]))[0]["message"]
    assert ask(b"\xff\xff\xff\xff") == [None] and ask(message({})[:4] + b"{]") == [None]
    sights = {"file": "maintenance/sql/rescue_sessions.sql", "parameters": []}
    wrong, good = ask(message({**sights, "parameters": ["1"]}), message(sights))
    assert wrong["code"] and good["columns"] == ["pid", "backend_start", "who"]
    wait_for_door(pgdeck, fire, "through the connection that pgdeck watch holds")
    os.close(folder)


def test_what_it_leaves_alone(pgdeck, make_server, pg_version, tmp_path):
    """A backup that was begun, a commit that waits for a standby, a leader by advisory lock."""
    server = make_server(pg_version, max_connections="20")
    fire = Fire(server, tmp_path)
    fire.write_deck(server.conninfo())
    start = "backup_start('x', true)" if pg_version >= 15 else "start_backup('x', true, false)"
    backup = server.connect()
    backup.execute(f"SELECT pg_{start}")
    leader, follower, writer = fire.app("leader"), fire.app("follower"), fire.app("writer")
    leader.execute("SELECT pg_advisory_lock(1)")
    server.query("ALTER SYSTEM SET synchronous_standby_names = 'gone'")
    server.reload()
    time.sleep(1)  # the checkpointer makes it count
    for connection, sql in ((follower, "SELECT pg_advisory_lock(1)"),
                            (writer, "INSERT INTO stock VALUES (1)")):
        fire.threads.append(threading.Thread(target=fire.run, args=(connection, sql)))
        fire.threads[-1].start()
    until(lambda: fire.count("wait_event = 'SyncRep'") == 1, "no commit waits")
    pids = {c.info.backend_pid for c in (backup, leader, follower, writer)}
    for _ in range(9):
        fire.app("idle")
    time.sleep(5.5)  # from 5 s on a wait for a lock counts
    done = pgdeck("rescue", "-d", fire.deck, "--yes", "--query-minutes", "0", expect=0)
    found = server.query("SELECT pid FROM pg_stat_activity")
    assert pids <= {row[0] for row in found}, done.out
    assert fire.count("wait_event = 'SyncRep'") == 1, done.out
    assert "which is not ended" in done.out, done.out
    server.query("ALTER SYSTEM RESET synchronous_standby_names")
    server.reload()
    leader.close()
    for thread in fire.threads:
        thread.join(10)
    backup.close()
    fire.out()


@pytest.mark.short(15)
def test_a_full_disk_does_not_hold_it_up(pgdeck, make_server, pg_version, tmp_path):
    server = make_server(pg_version)
    fire = Fire(server, tmp_path)
    fire.write_deck(server.conninfo())
    holder, waiter = fire.app("holder"), fire.app("waiter")
    holder.execute("BEGIN; LOCK TABLE stock")
    waiting = threading.Thread(target=fire.wait, args=(waiter,))
    waiting.start()
    state = tmp_path / "home" / "state" / "pgdeck"
    state.mkdir(parents=True, mode=0o700)
    (state / "rescue.jsonl").symlink_to("/dev/full")
    time.sleep(5.5)
    done = pgdeck("rescue", "-d", fire.deck, "--yes", expect=0)
    waiting.join(10)
    assert not waiting.is_alive(), done.out
    assert "not recorded" in done.out, done.out
    fire.out()


@pytest.mark.short(15)
def test_a_server_that_is_not_there_does_not_keep_it_from_the_others(pgdeck, make_server, pg_version,
                                                                     tmp_path):
    server = make_server(pg_version)
    fire = Fire(server, tmp_path)
    fire.write_deck(server.conninfo())
    fire.deck.write_text(fire.deck.read_text().replace(
        "servers:\n", 'servers:\n  dead: {conninfo: "host=127.0.0.1 port=1", memory: 512MB}\n'
                      '  away: {conninfo: "service=away", memory: 512MB}\n'))
    services = tmp_path / "services"
    services.write_text("[away]\nhost=192.0.2.1\nport=1\nconnect_timeout=1\n")
    done = pgdeck("rescue", "-d", fire.deck, "--yes", "--json", expect=11,
                  env={"PGSERVICEFILE": str(services)})
    reports = {report["server"]: [line["text"] for line in report["lines"]]
               for report in json.loads(done.out)}
    assert list(reports)[-1] == "main" and "port 1" in done.err
    assert reports["away"] == ["the server is on another host"]  # that is in the service's file
    assert any(text.startswith("CPU: ") for text in reports["main"])
