# SPDX-License-Identifier: MIT
"""pgdeck pool: rows of the fault matrix (docs/pool-faults.md) that no other file shows."""

import re
import socket

import psycopg
import pytest

from cluster import wait_for
from test_pool import buffer, logins, make_pool, message, raw  # noqa: F401 (fixtures)

pytestmark = pytest.mark.pg(max=15)


def test_the_pool_is_killed_within_a_transaction(make_pool, logins):  # noqa: F811
    """Its server rolls back, and no client is told that it has committed."""
    pool = make_pool(max=2)
    with pool.connect(autocommit=False) as client:
        client.execute("INSERT INTO items VALUES (1, 'x')")
        client.execute("SELECT pg_advisory_xact_lock(7)")
        pool.is_stopped_by_test = True
        pool.process.kill()
        pool.process.wait(10)
        with pytest.raises(psycopg.OperationalError):
            client.commit()
    assert logins.query("SET lock_timeout = '5s'; SELECT pg_advisory_xact_lock(7)",
                        dbname="app") is not None
    assert logins.query("SELECT count(*) FROM items", dbname="app") == [(0,)]


def test_one_backend_is_ended(make_pool, logins):  # noqa: F811
    """Only its client is told, with the server's own word; the next one gets another server."""
    pool = make_pool(max=2)
    with pool.connect(autocommit=False) as victim, pool.connect(autocommit=False) as other:
        pid, = victim.execute("SELECT pg_backend_pid()").fetchone()
        other.execute("CREATE TEMP TABLE own AS SELECT 'own' AS word")
        logins.query(f"SELECT pg_terminate_backend({pid}, 5000)")
        with pytest.raises(psycopg.OperationalError, match="due to administrator command"):
            victim.execute("SELECT 1")
        assert other.execute("SELECT * FROM own").fetchall() == [("own",)]
        other.commit()
    with pool.connect() as client:
        assert client.execute("SELECT 1").fetchone() == (1,)


def grown_kb(pool, before=0):
    """Its memory; of a sanitizer's, which keeps what is freed, nothing can be said: 0."""
    with open(f"/proc/{pool.process.pid}/maps", encoding="utf-8") as file:
        if re.search(r"lib[at]san", file.read()):
            return 0
    with open(f"/proc/{pool.process.pid}/status", encoding="ascii") as file:
        return int(re.search(r"VmRSS:\s*([0-9]+)", file.read())[1]) - before


@pytest.mark.parametrize("what", ["a long result", "many answers"])
def test_who_does_not_read_takes_no_memory(make_pool, buffer, what):  # noqa: F811
    """The server is not read while its client does not take what it gets, and that one's further
    queries are not; others go on."""
    pool = make_pool(pooler=buffer, max=2)
    text = {"a long result": b"SELECT repeat('x', 1000) FROM generate_series(1, 60000)\0",
            "many answers": b"SELECT repeat('x', 10000)\0"}[what]
    with pool.connect() as canary, pool.connect() as client, raw(client) as wire:
        before = grown_kb(pool)
        wire.setblocking(False)
        data = message(b"Q", text) * (1 if what == "a long result" else 20000)
        try:
            while data:
                data = data[wire.send(data):]
        except BlockingIOError:
            assert what == "many answers"

        def is_full():
            return int(pool.show("POOLS")[0]["cl_active"]) >= 1

        wait_for(is_full, 10, "the one who does not read")
        for _ in range(50):
            assert canary.execute("SELECT repeat('y', 10000)").fetchone() == ("y" * 10000,)
        assert grown_kb(pool, before) < 15000
        # All of it is there, once it reads.
        wire.settimeout(10)
        if what == "a long result":
            got = 0
            tail = b""
            while not tail.endswith(message(b"Z", b"I")):
                more = wire.recv(1 << 20)
                got += len(more)
                tail = (tail + more)[-6:]
            assert got > 60_000_000
        wire.shutdown(socket.SHUT_RDWR)


def test_slow_senders_hold_no_server(make_pool):  # noqa: F811
    """20 of them, with two servers: each has sent a query but for its last byte."""
    pool = make_pool(max=2)
    data = message(b"Q", b"SELECT 'late'\0")
    clients = [pool.connect() for _ in range(20)]
    wires = [raw(client) for client in clients]
    for wire in wires:
        wire.settimeout(10)
        wire.sendall(data[:-1])
    with pool.connect() as client:
        assert client.execute("SELECT 1").fetchone() == (1,)
    assert {row["sv_active"] for row in pool.show("POOLS")} == {"0"}
    for wire in wires:
        wire.sendall(data[-1:])
    for wire in wires:
        answer = b""
        while not answer.endswith(message(b"Z", b"I")):
            answer += wire.recv(1000)
        assert b"late" in answer
        wire.close()
    for client in clients:
        client.close()
