# SPDX-License-Identifier: MIT
"""Whom a conversion waits for, how long, and who waits for it meanwhile."""

import re
import socket
import threading
import time

import psycopg
import pytest

from cluster import SOURCE
from test_advisor_ddl import Deck, deck, existing  # noqa: F401
from test_partition_live import KINDS, Load, impatient, is_partitioned, prepare, wait_for

pytestmark = pytest.mark.short(15)


def at_ready(deck):
    """A conversion that has done all but the swap."""
    with deck.server.connect(deck.database) as holder:
        holder.execute("BEGIN; SELECT FROM events LIMIT 1")
        assert impatient(deck).code == 17
    assert deck.value("SELECT step FROM pgdeck.conversion ORDER BY id DESC LIMIT 1") == "ready"
    return deck


def attempts(deck, begin):
    """When the server ended waits of pgdeck for a lock, in seconds."""
    lines = re.findall(r"\d\d:(\d\d):(\d\d\.\d+) .*canceling statement due to lock timeout",
                       deck.server.log_text()[begin:])
    return [int(minutes) * 60 + float(seconds) for minutes, seconds in lines]


@pytest.mark.alone
def test_who_writes_does_not_wait_for_who_is_waited_for(existing, full_size):
    """The log and the swap cannot have their lock: clients queue behind each try for a moment only,
    and the tries come at growing, uneven intervals."""
    prepare(existing, 500, "hash")
    for statement in ("INSERT INTO events (n) VALUES (-1)", "SELECT FROM events LIMIT 1"):
        begin = len(existing.server.log_text())
        with existing.server.connect(existing.database) as holder, Load(existing, 3, 60) as load:
            load.settle(0.2)
            holder.execute("BEGIN; " + statement)
            result = existing.pgdeck("apply", "-d", existing.file, "--yes", "--set", "give_up=1s")
            assert result.code == 17, result.err
        load.check_waits(full_size)
        tries = attempts(existing, begin)
        gaps = [later - earlier for earlier, later in zip(tries, tries[1:])]
        assert len(tries) >= 3 and max(gaps) > 1.5 * min(gaps), gaps
        existing.run("DELETE FROM events WHERE id >= 10000000")
    assert existing.value("SELECT step FROM pgdeck.conversion") == "ready"
    existing.applied()
    with existing.server.connect(existing.database) as holder, Load(existing, 3, 60) as load:
        load.settle(0.2)
        holder.execute("BEGIN; SELECT FROM events LIMIT 1")
        result = existing.pgdeck("partition", "gc", "-d", existing.file, "--all", "--yes",
                                 "--set", "give_up=500ms")
        assert result.code != 0
    load.check_waits(full_size)
    existing.pgdeck("partition", "gc", "-d", existing.file, "--all", "--yes", expect=0)
    assert existing.run("SELECT tgname FROM pg_trigger WHERE tgname ~ 'pgdeck'") == []


def test_all_locks_of_an_attempt_have_one_limit(existing):
    prepare(existing, 100, "hash")
    at_ready(existing)
    existing.run("CREATE TABLE one (); CREATE TABLE two ()")
    with existing.server.connect(existing.database) as first, \
            existing.server.connect(existing.database) as second, \
            existing.server.connect(existing.database) as waiter:
        first.execute("BEGIN; LOCK TABLE one")
        second.execute("BEGIN; LOCK TABLE two")
        threading.Timer(0.8, lambda: first.execute("ROLLBACK")).start()
        begun = time.monotonic()
        with pytest.raises(psycopg.errors.LockNotAvailable):
            waiter.execute("SELECT pgdeck.conversion_lock(ARRAY['one'::regclass, 'two'::regclass]::oid[], "
                           "NULL, 1000, 1200)")
        assert 1.1 < time.monotonic() - begun < 1.7


def test_readers_of_a_view_do_not_hold_it_up(existing):
    """They have the view when the swap wants it, and want the table when the swap has that."""
    prepare(existing, 500, "list")
    stop = threading.Event()
    failures, count = [], [0]

    def read():
        with existing.server.connect(existing.database) as connection:
            while not stop.is_set():
                try:
                    connection.execute("SELECT max(what) FROM seen WHERE id < 9")
                    count[0] += 1
                except psycopg.Error as error:
                    failures.append(str(error))

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    try:
        existing.applied()
        existing.rollback()
    finally:
        stop.set()
        for reader in readers:
            reader.join(20)
    assert failures == [] and count[0] > 100


class SlowNetwork:
    """A port of 127.0.0.1 that leads to the server, with a delay each way."""

    def __init__(self, server):
        self.server, self.delay_s = server, 0.0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client = self.listener.accept()[0]
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.server.port))
            for source, target in ((client, server), (server, client)):
                source.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self.carry, args=(source, target), daemon=True).start()

    def carry(self, source, target):
        try:
            while data := source.recv(65536):
                time.sleep(self.delay_s)
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass


@pytest.mark.pg(max=15)  # the same on all of them
def test_no_lock_waits_for_the_network(existing):
    """pgdeck is far away: an answer takes 0.3 s, a client waits for no lock nearly as long."""
    prepare(existing, 5000, "list")
    network = SlowNetwork(existing.server)
    text = existing.file.read_text()
    existing.file.write_text(text.replace(existing.server.conninfo(), existing.server.conninfo(
        host="127.0.0.1", port=network.port)))
    assert existing.file.read_text() != text
    with Load(existing, 3, 60) as load:
        load.settle(0.2)
        process = existing.pgdeck.start("apply", "-d", existing.file, "--yes")
        wait_for(lambda: existing.value("SELECT to_regclass('pgdeck.conversion') IS NOT NULL")
                 and existing.run("SELECT 1 FROM pgdeck.conversion WHERE step IN ('indexing', 'ready')"))
        network.delay_s = 0.15
        wait_for(lambda: existing.run("SELECT 1 FROM pgdeck.conversion WHERE step = 'swapped'"), 60)
        network.delay_s = 0.0
        _out, err = process.communicate(timeout=60)
        existing.pgdeck.running.remove(process)
        assert process.returncode == 0, err
    load.check(5000)
    network.listener.close()
    assert existing.value("SELECT held_ms FROM pgdeck.conversion") < 200
    assert max(writer.slowest_ms for writer in load.writers) < load.usual_ms + 200


def test_prepared_transactions(make_server, pg_version, pgdeck, tmp_path):
    """One that holds the table is named by the plan, and waited for by the swap."""
    server = make_server(pg_version, max_prepared_transactions=3)
    server.query("CREATE DATABASE live")
    deck = prepare(Deck(pgdeck, server, tmp_path / "deck", "live"), 500, "hash")
    deck.run("BEGIN; INSERT INTO events (n) VALUES (-1); PREPARE TRANSACTION 'odd ''one'''")
    assert deck.changes() == []
    assert "prepared transaction \"odd 'one'\" holds it: COMMIT PREPARED" in deck.notes()[0]
    deck.run("COMMIT PREPARED 'odd ''one'''")
    at_ready(deck)
    deck.run("BEGIN; INSERT INTO events (n) VALUES (-2); PREPARE TRANSACTION 'late'")
    result = impatient(deck)
    assert result.code == 17 and 'the prepared transaction "late"' in result.err, result.err
    deck.run("COMMIT PREPARED 'late'")
    deck.applied()
    assert deck.run("SELECT n FROM events WHERE n < 0 ORDER BY n") == [(-2,), (-1,)]


def test_snapshots_of_other_roles_are_seen_by_any_role(existing):
    """pg_stat_activity tells roles without pg_read_all_stats little of others."""
    text = (SOURCE / "src/partition/sql/live_blockers.sql").read_text()
    existing.server.query("CREATE ROLE nobody_much LOGIN")
    try:
        prepare(existing, 10, "hash")
        with existing.server.connect(existing.database) as old, \
                existing.server.connect(existing.database, user="nobody_much") as asking:
            old.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1")
            existing.run("UPDATE events SET n = n")
            mark = existing.value("SELECT pg_current_xact_id()::text")
            asking.execute("PREPARE blockers AS " + text)
            found = asking.execute(f"EXECUTE blockers ('{mark}', 'public', 'events')").fetchall()
            assert len(found) == 1 and str(old.info.backend_pid) in found[0][0]
    finally:
        existing.server.query("DROP ROLE nobody_much")
