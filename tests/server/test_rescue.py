# SPDX-License-Identifier: MIT
"""pgdeck rescue: all connections taken and a lock storm; shown, offered, ended, recorded."""

import json
import threading
import time

import psycopg
import pytest

from cluster import SOURCE

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
        with pytest.raises(psycopg.OperationalError, match="slots"):
            while True:
                self.app("idle")
        until(lambda: self.count("wait_event_type = 'Lock'") == 6, "nobody waits")

    @staticmethod
    def wait(connection):
        try:
            connection.execute("SELECT count(*) FROM stock")
        except psycopg.Error:
            pass

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
    deck = tmp_path / "deck.yaml"
    deck.write_text(DECK.replace("CONNINFO", server.conninfo()))
    fire.deck = deck
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


def test_what_is_never_ended(fire):
    """By no way: replication, autovacuum, the server's own, pgdeck's, and another's old pid."""
    text = (SOURCE / "src/maintenance/sql/rescue_end.sql").read_text()
    text = "\n".join(line for line in text.splitlines() if not line.startswith("--"))
    app = fire.app("pgdeck pool")
    client = fire.app("client")
    sql = text.replace("%", "%%").replace("$1", "%s").replace("$2", "%s").replace("$3", "%s")
    rows = fire.server.query("SELECT pid, backend_start, backend_type FROM pg_stat_activity "
                             "WHERE backend_type <> 'client backend' OR pid = %s",
                             app.info.backend_pid)
    assert {"walsender", "autovacuum launcher", "client backend"} <= {row[2] for row in rows}
    for pid, start, _kind in rows:
        assert fire.server.query(sql, "terminate", pid, start) == []
    assert fire.server.query(sql, "terminate", client.info.backend_pid, "2020-01-01") == []
    assert client.execute("SELECT 1").fetchone() == (1,)


def test_the_door_is_told(fire, pgdeck):
    def door(user):
        return pgdeck("rescue", "--check", "-d", fire.deck, "--set", "servers.main.conninfo="
                      + fire.server.conninfo(user=user), expect=0).out
    assert "by superuser_reserved_connections (3)" in door("postgres")
    assert "no way in" in door("app")
    if fire.server.version >= 16:
        fire.server.query("GRANT pg_use_reserved_connections TO app")
        assert "reserved_connections is 0" in door("app")


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
