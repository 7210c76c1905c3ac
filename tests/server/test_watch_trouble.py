# SPDX-License-Identifier: MIT
"""pgdeck watch while servers are in trouble: nothing hangs, nothing piles up, it says what is the
matter, and counters never go back."""

import os
import re
import shutil
import signal
import time
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from browser import open_browser
from cluster import SOURCE, wait_for
from test_watch import read, watching, write_deck  # noqa: F401 (fixtures)

pytestmark = pytest.mark.short(15)

SESSIONS = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pgdeck watch'"
ANSWER_S = 2
SOCKETS = 4  # one a database, one for pgdeck rescue, one to spare
GROWN_MB = 8  # of memory, whatever happens; what is let go of is not always given back
QUICK = """watch: {alerts: 1s}
alerts: {connections: {warning: 80%, critical: 95%, fire: 1, clear: 1}}
"""


@pytest.fixture(scope="module")
def browser(root):
    with open_browser() as one:
        one.look()
        yield one


def own_sockets(watch):
    """All but those of its dashboard."""
    dashboard = set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if int(fields[1].split(":")[1], 16) == watch.port:
            dashboard.add(f"socket:[{fields[9]}]")
    found = 0
    for entry in Path(f"/proc/{watch.process.pid}/fd").iterdir():
        try:
            name = os.readlink(entry)
        except OSError:  # closed in this moment
            continue
        found += name.startswith("socket:") and name not in dashboard
    return found


def status(watch, name):
    text = Path(f"/proc/{watch.process.pid}/status").read_text()
    return int(re.search(rf"^{name}:\s+(\d+)", text, re.M)[1])


class Seen:
    """What somebody sees who has the page open, and what watch takes meanwhile."""

    def __init__(self, browser, watch):
        self.browser, self.watch = browser, watch
        self.counters = counters(watch)
        self.threads, self.memory_kb = status(watch, "Threads"), status(watch, "VmRSS")
        browser.open(f"http://127.0.0.1:{watch.port}/")
        browser.wait_for_panels("environments", "alerts-panel")

    def check(self, said, panel="environments"):
        """In the middle of it: document, page and /metrics within 2 s, and the page says it."""
        self.browser.wait("return document.getElementById(arguments[0]).textContent"
                          ".includes(arguments[1])", said, panel, said)
        for look in (lambda: self.watch.document("overview"), self.watch.metrics,
                     lambda: read(self.watch.port, "")):
            began = time.monotonic()
            look()
            assert time.monotonic() - began < ANSWER_S
        self.check_bounds()

    def check_bounds(self):
        now = counters(self.watch)
        assert all(value >= 0 for value in now.values())
        assert all(now[series] >= value for series, value in self.counters.items()
                   if series in now)
        self.counters = now
        assert status(self.watch, "Threads") <= self.threads
        assert status(self.watch, "VmRSS") < self.memory_kb + GROWN_MB * 1024
        assert own_sockets(self.watch) <= SOCKETS

    def end(self):
        """When it is over: the page says so by itself, and nothing is left behind."""
        self.browser.wait("return !document.getElementById('environments').textContent"
                          ".includes('cannot be reached')", "end of it")
        self.check_bounds()
        assert not [line for line in self.browser.console() if "Failed to load" not in line]


def counters(watch):
    return {series: value for series, value in watch.metrics().items() if "_total" in series}


def environment(watch):
    one, = watch.document("overview")["environments"]
    return one


def is_reachable(watch, name="postgres"):
    database = watch.databases()[name]
    return database["was_asked"] and database["is_reachable"]


def error_of(watch, name="postgres"):
    return watch.databases()[name]["error"] or ""


def about_connections(alerts):
    return [one for one in alerts.get("alerts", []) if one["name"] == "connections"]


@pytest.fixture
def watched(make_server, pg_version, tmp_path, watching, browser):  # noqa: F811
    server = make_server(pg_version, max_connections="15")
    server.query("CREATE DATABASE other")
    watch = watching(write_deck(tmp_path, server.conninfo(), "postgres", "other", more=QUICK))
    wait_for(lambda: is_reachable(watch) and is_reachable(watch, "other"), 60, "both databases")
    wait_for(lambda: counters(watch), 60, "counters")
    return server, watch, Seen(browser, watch)


def test_queue_behind_ddl(watched):
    server, watch, seen = watched
    server.query("CREATE TABLE busy (id int)")
    holder, alter = server.connect(), server.connect()
    holder.execute("BEGIN")
    holder.execute("SELECT * FROM busy")
    alter.pgconn.send_query(b"ALTER TABLE busy ADD COLUMN more int")
    watch.wait("blocking", lambda d: d and d["servers"][0]["sessions"], "the tree")
    sessions = {s["pid"]: s for s in watch.document("blocking")["servers"][0]["sessions"]}
    waiting = sessions[alter.info.backend_pid]
    assert waiting["blockers"] == [holder.info.backend_pid]
    assert waiting["waits_for"] == "AccessExclusiveLock"
    head = sessions[holder.info.backend_pid]
    assert head["state"] == "idle in transaction" and "pg_terminate_backend" in head["fix_sql"]
    seen.check("AccessExclusiveLock", "blocking")
    assert environment(watch)["is_reachable"]
    assert all(not d["not_measured"] for d in watch.databases().values())
    server.psql(text=head["fix_sql"])
    watch.wait("blocking", lambda d: d and not d["servers"][0]["sessions"], "the end of it")
    alter.close()
    holder.close()
    seen.end()


def test_all_connections_taken(watched):
    server, watch, seen = watched
    taken = []
    try:
        with pytest.raises(psycopg.OperationalError):
            while True:
                taken.append(server.connect())
        document = watch.wait("alerts", about_connections, "the alert", 60)
        assert "pg_terminate_backend" in about_connections(document)[0]["fix_sql"]
        seen.check("of 15 connections are in use", "alerts-panel")
        assert is_reachable(watch)  # it had its connection before
    finally:
        for connection in taken:
            connection.close()
    watch.wait("alerts", lambda d: "alerts" in d and not about_connections(d), "the end of it", 60)
    seen.end()


def test_stopped_and_started(watched):
    server, watch, seen = watched
    server.stop()
    wait_for(lambda: not is_reachable(watch), 60, "its end")
    assert not environment(watch)["is_reachable"] and environment(watch)["targets"]
    wait_for(lambda: any(why in error_of(watch) for why in (
        "refused", "No such file", "terminat", "closed")), 20, "why")
    wait_for(lambda: watch.metrics()['pgdeck_server_up{deck="watched",server="main"}'] == 0, 20,
             "the metric")
    seen.check("2 of 2 databases cannot be reached")
    server.start()
    wait_for(lambda: is_reachable(watch) and is_reachable(watch, "other"), 90, "its return")
    wait_for(lambda: server.value(SESSIONS) == 2, 60, "one connection each")
    wait_for(lambda: watch.metrics()['pgdeck_server_up{deck="watched",server="main"}'] == 1, 20,
             "the metric")
    seen.end()


def test_a_crash_resets_counters(watched):
    server, watch, seen = watched
    server.query("CREATE TABLE t AS SELECT g FROM generate_series(1, 10000) AS g")
    server.kill9()
    wait_for(lambda: not is_reachable(watch), 60, "its end")
    seen.check("postgres cannot be reached")
    server.start()
    wait_for(lambda: is_reachable(watch), 90, "its return")
    now = time.time()
    wait_for(lambda: watch.document("overview")["servers"][0]["sampled_at"] > now, 60, "a sample")
    seen.end()


@contextmanager
def postmaster_stopped(server):
    """No new connection; those that there are go on."""
    postmaster = server.pid()
    os.kill(postmaster, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(postmaster, signal.SIGCONT)


def test_backend_that_does_not_answer(watched):
    """One stopped backend delays no other database, and is not asked twice."""
    server, watch, seen = watched
    pid = server.value(SESSIONS.replace("count(*)", "min(pid)") + " AND datname = 'postgres'")
    os.kill(pid, signal.SIGSTOP)
    try:
        with postmaster_stopped(server):  # long enough for a page that looks every 2 s
            wait_for(lambda: "no answer" in error_of(watch), 60, "its fault")
            seen.check("no answer")
            assert is_reachable(watch, "other")
        now = time.time()
        wait_for(lambda: watch.document("overview")["servers"][0]["sampled_at"] > now, 60,
                 "samples by the other database")
        wait_for(lambda: is_reachable(watch), 60, "another connection")
        assert server.value(SESSIONS + " AND datname = 'postgres'") <= 3
    finally:
        os.kill(pid, signal.SIGCONT)
    wait_for(lambda: server.value(SESSIONS) == 2, 60, "the end of the old one")
    seen.end()


def test_database_dropped(watched):
    server, watch, seen = watched
    server.query("DROP DATABASE other WITH (FORCE)")
    wait_for(lambda: "does not exist" in error_of(watch, "other"), 60, "its fault")
    assert is_reachable(watch)
    seen.check('database "other" does not exist')
    server.query("CREATE DATABASE other")
    wait_for(lambda: is_reachable(watch, "other"), 90, "its return")
    seen.end()


def test_password_changed(make_server, pg_version, tmp_path, watching, browser):  # noqa: F811
    server = make_server(pg_version)
    server.query("CREATE ROLE watcher LOGIN PASSWORD 'one'")
    server.query("GRANT pg_monitor TO watcher")
    hba = server.data / "pg_hba.conf"
    hba.write_text("local all watcher scram-sha-256\nhost all watcher all scram-sha-256\n" + hba.read_text())
    server.reload()
    secret = tmp_path / "password"
    secret.write_text("one\n")
    secret.chmod(0o600)
    deck = write_deck(tmp_path, server.conninfo(user="watcher"), "postgres")
    deck.write_text(deck.read_text().replace("memory: 512MB", f"password_file: {secret}, memory: 512MB"))
    watch = watching(deck)
    wait_for(lambda: is_reachable(watch), 60, "the connection")
    seen = Seen(browser, watch)
    server.query("ALTER ROLE watcher PASSWORD 'two'")
    server.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'watcher'")
    wait_for(lambda: "password authentication failed" in error_of(watch), 60, "the fault")
    seen.check('password authentication failed for user "watcher"')
    secret.write_text("two\n")
    wait_for(lambda: is_reachable(watch), 90, "the new password")
    seen.end()


@pytest.mark.pg(min=15, max=15)  # pg_basebackup comes with Debian's only
def test_failover(make_server, pg_version, watching, tmp_path, browser):  # noqa: F811
    """The conninfo names primary and standby: when the primary dies and the standby is promoted,
    watch goes on with that, and says when nobody is there."""
    primary = make_server(pg_version, wal_level="replica", max_wal_senders="4", hot_standby="on")
    standby = make_server(pg_version)
    standby.stop()
    shutil.rmtree(standby.data)
    primary.run("pg_basebackup", "-h", primary.host, "-p", str(primary.port), "-U", "postgres",
                "-D", str(standby.data), "-R", "-X", "stream", "-c", "fast")
    standby.configure(unix_socket_directories=standby.host)
    standby.start()
    primary.query("CREATE TABLE written AS SELECT 1")
    wait_for(lambda: standby.value("SELECT now() - pg_last_xact_replay_timestamp() > '0.3 s'"), 60,
             "what was written")
    question = (SOURCE / "src/watch/sql/server.sql").read_text()
    lag = f"SELECT s.replay_lag_s FROM ({question.strip().rstrip(';')}) AS s"
    wait_for(lambda: standby.value(lag) == 0, 10, "an idle standby that is not behind")
    conninfo = (f"host={primary.host},{standby.host} port={primary.port},{standby.port} "
                "user=postgres dbname=postgres target_session_attrs=read-write")
    watch = watching(write_deck(tmp_path, conninfo, "postgres"))
    wait_for(lambda: is_reachable(watch) and counters(watch), 60, "the primary")
    seen = Seen(browser, watch)
    primary.kill9()
    wait_for(lambda: not is_reachable(watch), 60, "its end")
    seen.check("postgres cannot be reached")
    wait_for(lambda: standby.value(lag) > 0.3, 30, "the lag of one that receives nothing")
    assert standby.value("SELECT pg_promote()")
    wait_for(lambda: is_reachable(watch), 90, "the new primary")
    wait_for(lambda: not watch.document("overview")["servers"][0]["is_in_recovery"], 60, "the new one")
    seen.end()
