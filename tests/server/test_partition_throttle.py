# SPDX-License-Identifier: MIT
"""A conversion makes room for others: it waits while replicas are behind, while too much WAL is
written, while clients wait for the log of their changes."""

import os
import threading

import pytest

from cluster import Server, as_server_user
from test_advisor_ddl import Deck, deck, existing  # noqa: F401
from test_partition_live import KINDS, is_partitioned, prepare, wait_for

pytestmark = pytest.mark.short(15)


class Progress:
    """pgdeck apply, running; its lines of progress as they come."""

    def __init__(self, deck):
        self.deck, self.text = deck, ""
        self.process = deck.pgdeck.start("apply", "-d", deck.file, "--yes")
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self):
        for line in self.process.stderr:
            self.text += line

    def end(self):
        self.process.wait(60)
        self.reader.join(10)
        self.deck.pgdeck.running.remove(self.process)
        assert self.process.returncode == 0, self.text


def copied(deck):
    return deck.value("SELECT copied FROM pgdeck.conversion")


def test_it_waits_for_wal_and_for_a_slow_log(existing):
    """Too much WAL and changes of clients that wait for the log stop the copy: not for ever, as a log
    that is slow for other reasons stays slow."""
    prepare(existing, 20_000, "hash")
    existing.write(more=f"partitions:\n  - {KINDS['hash'][:-1]}, wal_rate: 1MB}}\n")
    conversion = Progress(existing)
    wait_for(lambda: "as much WAL is written as the deck allows" in conversion.text)
    existing.run("""
        CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS
          $$ BEGIN PERFORM pg_sleep(0.04); RETURN new; END $$;
        CREATE TRIGGER slow BEFORE INSERT ON pgdeck.log_1 FOR EACH ROW EXECUTE FUNCTION slow()""")
    stop = threading.Event()

    def change():
        with existing.server.connect(existing.database) as connection:
            while not stop.is_set():
                connection.execute("UPDATE events SET n = n + 1 WHERE id = 5")

    client = threading.Thread(target=change)
    client.start()
    try:
        wait_for(lambda: "changes wait for their log" in conversion.text)
        before = copied(existing)
        assert before < 20_000
        wait_for(lambda: copied(existing) > before)  # a batch after give_up
    finally:
        stop.set()
        client.join(10)
    existing.run("DROP FUNCTION slow() CASCADE")
    conversion.end()
    assert is_partitioned(existing)
    assert existing.value("SELECT count(*) FROM events") == 20_000


@pytest.fixture
def replicated(make_server, pg_version, pgdeck, tmp_path, root):
    """A server whose replica applies what it gets 2 seconds late, until told otherwise."""
    server = make_server(pg_version)
    server.query("CREATE DATABASE live")
    replica = Server(pg_version, server.bin, tmp_path / "replica")
    replica.folder.mkdir()
    replica.log.touch()
    user = as_server_user()
    if user:
        for path in (replica.folder, replica.log):
            os.chown(path, user["user"], user["group"])
    server.run("pg_basebackup", "-h", server.host, "-p", str(server.port), "-U", "postgres", "-D",
               replica.data, "-R", "-c", "fast", "--no-sync")
    replica.configure(unix_socket_directories=replica.host, recovery_min_apply_delay="2s",
                      wal_receiver_status_interval="1s")
    replica.start()
    yield Deck(pgdeck, server, tmp_path / "deck", "live"), replica
    replica.destroy()


@pytest.mark.pg(min=15, max=15)  # pg_basebackup comes with Debian's only
def test_it_waits_for_replicas(replicated):
    deck, replica = replicated
    prepare(deck, 20_000, "hash")
    deck.write(more=f"partitions:\n  - {KINDS['hash'][:-1]}, replica_lag: 1ms}}\n")
    conversion = Progress(deck)
    wait_for(lambda: "a replica is" in conversion.text, 60)
    replica.configure(recovery_min_apply_delay="0")
    replica.reload()
    conversion.end()
    assert is_partitioned(deck)
    rows = deck.value("SELECT count(*) FROM events")
    wait_for(lambda: replica.value("SELECT count(*) FROM events", dbname="live") == rows)


def test_autovacuum_makes_way(make_server, pg_version, pgdeck, tmp_path):
    """It would hold the table for hours, and lets nobody have it who waits for 50 ms only."""
    server = make_server(pg_version, autovacuum_naptime="1s")
    server.query("CREATE DATABASE live")
    deck = prepare(Deck(pgdeck, server, tmp_path / "deck", "live"), 20_000, "hash")
    deck.run("ALTER TABLE events SET (autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1, "
             "autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1)")
    deck.run("UPDATE events SET n = n + 1 WHERE id % 10 = 0")
    wait_for(lambda: deck.value("SELECT count(*) FROM pg_stat_progress_vacuum WHERE relid = 'events'::regclass"))
    deck.applied()
    assert is_partitioned(deck)
