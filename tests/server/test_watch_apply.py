# SPDX-License-Identifier: MIT
"""apply --watch: what got worse is taken back by itself, what did not stays."""

import json
import signal
import threading
import time

import psycopg
import pytest

from cluster import wait_for
from test_advisor_settings import shown, write_deck

pytestmark = pytest.mark.short(15)

DECK = """
deck: watched
advisors: [settings]
servers:
  main: {conninfo: "CONNINFO", memory: 512MB, cpus: 2, storage: nvme, settings: {}}
environments:
  only: {server: main, memory: 512MB, max_connections: 20, workload: web}
databases:
  postgres: {environment: only}
watch: {mean_time: 50%, errors: 5%}
"""


class Load:
    """A session that runs statements of two kinds until it is told to stop."""

    def __init__(self, server, queries):
        self.server, self.queries = server, queries
        self.calls, self.is_stopped = 0, False
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self):
        with self.server.connect() as connection:
            connection.prepare_threshold = None  # each call is planned anew
            while not self.is_stopped:
                for query in list(self.queries):
                    try:
                        connection.execute(query)
                    except psycopg.Error:
                        pass
                self.calls += 1
                time.sleep(0.001)

    def __enter__(self):
        self.thread.start()
        wait_for(lambda: self.calls > 300, 60, "the load's first calls")
        return self

    def __exit__(self, *_):
        self.is_stopped = True
        self.thread.join(30)


@pytest.fixture
def loaded(pgdeck, make_server, pg_version, tmp_path):
    """(server, deck, queries): applied, pg_stat_statements there, a table with an index."""
    server = make_server(pg_version)
    deck = write_deck(tmp_path / "deck", server.conninfo(), DECK)
    pgdeck("apply", "-d", deck, "--yes", "--restart", expect=0)
    server.query("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
    server.query("CREATE TABLE thing AS SELECT id, repeat('x', 100) AS filling "
                 "FROM generate_series(1, 30000) id")
    server.query("ALTER TABLE thing ADD PRIMARY KEY (id)")
    server.query("ANALYZE thing")
    return server, deck, ["SELECT filling FROM thing WHERE id = 4711", "SELECT pg_sleep(0.002)"]


def set_in_deck(deck, settings):
    text = deck.read_text()
    assert "settings: {}" in text
    deck.write_text(text.replace("settings: {}", f"settings: {{{settings}}}"))


def own_conf(server):
    return (server.data / "pgdeck.conf").read_bytes()


@pytest.mark.pg(max=15)
def test_a_change_that_hurts_nobody_stays(pgdeck, loaded):
    server, deck, queries = loaded
    set_in_deck(deck, "deadlock_timeout: 2s")
    with Load(server, queries):
        result = pgdeck("apply", "-d", deck, "--yes", "--watch", "10s", expect=0)
    assert "Watched for 10s: nothing got worse than the deck allows." in result.out
    seen = [line for line in result.out.splitlines() if line.startswith("  main, ")]
    assert len(seen) == 10 and all("transactions" in line for line in seen[1:])
    assert any("calls of known statements took" in line for line in seen), result.out
    assert shown(server, "postgres", "deadlock_timeout") == "2s"


def test_slower_statements_are_taken_back(pgdeck, loaded):
    """Without its index the query reads the whole table."""
    server, deck, queries = loaded
    before = own_conf(server)
    set_in_deck(deck, "enable_indexscan: off, enable_bitmapscan: off, enable_indexonlyscan: off")
    with Load(server, queries):
        start = time.monotonic()
        result = pgdeck("apply", "-d", deck, "--yes", "--watch", "20s", expect=23)
        assert time.monotonic() - start < 15
    assert "WORSE: " in result.out and "the changes made it worse and were taken back" in result.err
    assert "calls of known statements took" in result.err
    assert own_conf(server) == before
    assert shown(server, "postgres", "enable_indexscan") == "on"
    assert server.value("SELECT state FROM pgdeck.apply ORDER BY started_at DESC LIMIT 1") == \
        "rolled back"


def test_errors_are_taken_back_and_only_this_apply(pgdeck, loaded):
    server, deck, queries = loaded
    before = own_conf(server)
    set_in_deck(deck, "statement_timeout: 1ms")
    with Load(server, queries):
        result = pgdeck("apply", "-d", deck, "--yes", "--watch", "20s", "--json", expect=23)
    assert "rolled back" in result.err and json.loads(result.out)["error"]
    assert own_conf(server) == before
    assert shown(server, "postgres", "shared_buffers") == "128MB"  # of the apply before


def test_interrupted_it_says_what_stays(pgdeck, loaded):
    server, deck, _queries = loaded
    set_in_deck(deck, "deadlock_timeout: 2s")
    process = pgdeck.start("apply", "-d", deck, "--yes", "--watch", "10m")
    wait_for(lambda: shown(server, "postgres", "deadlock_timeout") == "2s", 30, "the apply")
    wait_for(lambda: server.value("SELECT count(*) FROM pg_stat_activity WHERE "
                                  "application_name LIKE 'pgdeck%'") > 0, 30, "the watch")
    wait_for(lambda: server.value("SELECT state FROM pgdeck.apply ORDER BY started_at DESC "
                                  "LIMIT 1") == "done", 30, "the end of the apply")
    process.send_signal(signal.SIGINT)
    _out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "watching has ended early, and the changes stay" in err
    assert shown(server, "postgres", "deadlock_timeout") == "2s"


@pytest.mark.pg(max=15)
def test_a_duration_that_is_none(pgdeck, loaded):
    _server, deck, _queries = loaded
    for word in ("soon", "5s", "10x"):
        assert "--watch" in pgdeck("apply", "-d", deck, "--yes", "--watch", word, expect=64).err
