# SPDX-License-Identifier: MIT
"""Conversions of tables in use that pgdeck or the server does not live to see the end of: whatever
is killed, the next apply goes on, and no row is lost, stale or back from the dead."""

import signal
import threading
import time

import psycopg
import pytest

from test_advisor_ddl import Deck, deck, existing  # noqa: F401
from test_partition_live import KINDS, Load, is_partitioned, most_held_ms, prepare

pytestmark = pytest.mark.short(15)

POINTS = [("copying", 0.2), ("copying", 0.7), ("indexing", 0), ("ready", 0), ("swapped", 0)]


def pytest_generate_tests(metafunc):
    """At full size all kinds, else one."""
    if "kind" in metafunc.fixturenames:
        is_full = metafunc.config.getoption("--full-size")
        metafunc.parametrize("kind", ["range", "list", "hash"] if is_full else ["list"])


def start_until(deck, command, step, copied=0):
    """Starts pgdeck and comes back when it works at that step of the conversion, or has ended."""
    process = deck.pgdeck.start(command, "-d", deck.file, "--yes", "--wait")
    reader = threading.Thread(target=process.communicate)  # its output must not fill the pipe
    reader.start()
    is_there = ("SELECT 1 FROM pgdeck.conversion WHERE step = %s AND copied >= %s AND EXISTS (SELECT FROM "
                "pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'pgdeck%%')")
    with deck.server.connect(deck.database) as connection:
        while process.poll() is None:
            try:
                if connection.execute(is_there, (step, copied)).fetchone():
                    break
            except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
                pass
            time.sleep(0.0005)
    return process, reader


def ended(deck, process, reader):
    reader.join(60)
    deck.pgdeck.running.remove(process)
    return process.returncode


def kill_at(deck, point, rows):
    """Runs apply and kills it when the conversion has come to a point. False: it ended before."""
    process, reader = start_until(deck, "apply", point[0], point[1] * rows)
    process.send_signal(signal.SIGKILL)
    return ended(deck, process, reader) == -signal.SIGKILL


@pytest.mark.alone
def test_killed_at_five_points_under_load(existing, kind, full_size):
    rows = 1_000_000 if full_size else 20_000
    prepare(existing, rows, kind)
    with Load(existing, 4, 210 if full_size else 60) as load:
        load.settle(0.5 if full_size else 0.2)
        killed = [point for point in POINTS if kill_at(existing, point, rows)]
        result = existing.pgdeck("apply", "-d", existing.file, "--yes", "--wait", timeout=280)
        assert result.code == 0, result.err
    assert is_partitioned(existing)
    load.check(rows)
    assert existing.changes() == []
    print(f"\n{kind}: killed at {killed}; "
          f"locked for {existing.value('SELECT held_ms FROM pgdeck.conversion')} ms; ", end="")
    load.check_waits(full_size)
    assert len(killed) == len(POINTS) if full_size else killed


def test_a_rollback_killed_at_any_point_goes_on(existing):
    """Before the swap and after it; what was written meanwhile is there."""
    prepare(existing, 2000, "range")
    with Load(existing, 3, 60) as load:
        for crash_at in (12, 9999):  # apply ends in the middle, or does all
            existing.pgdeck("apply", "-d", existing.file, "--yes", "--wait",
                            env={"PGDECK_CRASH_AT": str(crash_at)})
            assert is_partitioned(existing) == (crash_at == 9999)
            for point in range(1, 40):
                result = existing.pgdeck("rollback", "-d", existing.file, "--yes", "--wait",
                                         env={"PGDECK_CRASH_AT": str(point)})
                if result.code == 0:
                    break
                assert result.code == -signal.SIGKILL, result.err
            assert point > 1 and not is_partitioned(existing)
            assert existing.run("SELECT relname FROM pg_class WHERE relname ~ 'pgdeck_(old|new)'") == []
            assert existing.run("SELECT tgname FROM pg_trigger WHERE tgname ~ 'pgdeck'") == []
    load.check(2000)


@pytest.fixture
def fresh(pgdeck, fresh_server, tmp_path):
    fresh_server.query("CREATE DATABASE live")
    return Deck(pgdeck, fresh_server, tmp_path / "deck", "live")


def interrupt_server(deck, command, step, how):
    """Takes the server away when the conversion has come to a step, and starts it again."""
    process, reader = start_until(deck, command, step)
    deck.server.kill9() if how is None else deck.server.stop(how)
    deck.server.start()
    return ended(deck, process, reader)


@pytest.mark.alone
def test_the_server_goes_in_the_middle(fresh, kind, full_size):
    """Restarted, stopped at once, killed: while rows are copied, before the swap, on the way back."""
    rows = 1_000_000 if full_size else 20_000
    prepare(fresh, rows, kind)
    if not full_size:
        fresh.write(more=f"partitions:\n  - {KINDS[kind][:-1]}, wal_rate: 2MB}}\n")
    with Load(fresh, 4, 210 if full_size else 60) as load:
        for writer in load.writers:
            writer.survives = True
        load.settle(0.3)
        ways = [("copying", signal.SIGINT), ("copying", None), ("ready", None)]
        codes = [interrupt_server(fresh, "apply", step, how) for step, how in ways]
        assert codes[0] != 0 and codes[1] != 0
        fresh.pgdeck("apply", "-d", fresh.file, "--yes", "--wait", timeout=280, expect=0)
        assert is_partitioned(fresh)
        assert fresh.value("SELECT held_ms FROM pgdeck.conversion") < most_held_ms(full_size)
        interrupt_server(fresh, "rollback", "finished", None)
        fresh.pgdeck("rollback", "-d", fresh.file, "--yes", "--wait", timeout=280, expect=0)
    assert not is_partitioned(fresh)
    load.check(rows)
    assert all(writer.lost > 0 for writer in load.writers)
    assert fresh.run("SELECT relname FROM pg_class WHERE relname ~ 'pgdeck_(old|new)'") == []
    print(f"\n{kind}: apply ended with {codes}; the server went {len(ways) + 1} times, "
          f"{sum(writer.lost for writer in load.writers)} statements had to be looked up")
