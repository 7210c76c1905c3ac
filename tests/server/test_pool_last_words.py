# SPDX-License-Identifier: MIT
"""Clients of pgdeck pool that close their side of the connection behind what they ask: they get
their answers, as without the pool, and are told from those that have gone."""

import concurrent.futures
import socket
import time

import pytest

from cluster import wait_for
from test_pool import GREETING, buffer, logins, make_pool, message, raw  # noqa: F401


def shut(pool, data, **more):
    """What comes for data whose sender has closed its side behind it, up to the end."""
    client = pool.connect(**more)
    with raw(client) as wire:
        wire.settimeout(10)
        wire.sendall(data)
        wire.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: wire.recv(65536), b""))
    client.close()
    return answer


GROUP = (message(b"P", b"\0SELECT 'first'\0\0\0") + message(b"B", b"\0\0" + b"\0" * 6)
         + message(b"E", b"\0" * 5))
LAST_WORDS = {  # what is sent: what must come, and must not
    "query": (message(b"Q", b"SELECT 'first' FROM pg_sleep(0.3)\0"), [b"first", b"Z\0\0\0\5I"], []),
    "query, goodbye": (message(b"Q", b"SELECT 'first' FROM pg_sleep(0.05)\0") + message(b"X"),
                       [b"first", b"Z\0\0\0\5I"], []),
    "several": (message(b"Q", b"SELECT 'first'\0") * 3 + message(b"Q", b"SELECT 'last'\0"),
                [b"first", b"last"], []),
    "group": (GROUP + message(b"S"), [b"first", b"Z\0\0\0\5I"], []),
    "no sync": (GROUP + message(b"H"), [b"first"], [b"Z\0\0\0\5I"]),
    "error": (message(b"Q", b"SELECT 1/0\0"), [b"22012", b"Z\0\0\0\5I"], []),
    "block": (message(b"Q", b"BEGIN\0") + message(b"Q", b"SELECT 'first'\0"),
              [b"first", b"Z\0\0\0\5T"], []),
    "half a message": (message(b"Q", b"SELECT 'first'\0") + b"Q\0\0", [b"first"], []),
    "copy out": (message(b"Q", b"COPY (SELECT generate_series(1, 50000)) TO STDOUT\0"),
                 [b"50000\n", b"COPY 50000"], []),
    "copy in": (message(b"Q", b"COPY items FROM STDIN\0") + message(b"d", b"77\tx\n")
                + message(b"c"), [b"COPY 1\0", b"Z\0\0\0\5I"], []),
    "copy in without its end": (message(b"Q", b"COPY items FROM STDIN\0")
                                + message(b"d", b"78\ty\n"), [b"G\0\0\0"], [b"COPY 1"]),
}


@pytest.mark.pg(max=15)
def test_who_closes_his_side_gets_his_answer(make_pool, buffer):
    """As without the pool; and what he leaves is nobody's."""
    pool = make_pool(pooler=buffer, max=1)
    with pool.connect() as canary:
        for name, (data, there, not_there) in LAST_WORDS.items():
            answer = shut(pool, data)
            assert all(part in answer for part in there), (name, answer[-300:])
            assert not any(part in answer for part in not_there), (name, answer[-300:])
            assert canary.execute("SELECT 'mine'").fetchall() == [("mine",)], name
        assert canary.execute("SELECT id FROM items").fetchall() == [(77,)]
        # One that waits for a server gets its answer, too.
        with concurrent.futures.ThreadPoolExecutor() as threads, canary.transaction():
            canary.execute("SELECT 1")
            late = threads.submit(shut, pool, LAST_WORDS["group"][0])
            wait_for(lambda: pool.show("POOLS")[0]["cl_waiting"] == "1", 10, "a waiting client")
            time.sleep(0.3)
            assert pool.show("POOLS")[0]["cl_waiting"] == "1"
            canary.execute("SELECT 2")
        assert b"first" in late.result()


@pytest.mark.pg(max=15)
@pytest.mark.parametrize("host", ["127.0.0.1", "socket"])
def test_who_has_gone_is_told_from_who_listens(make_pool, host):  # noqa: F811
    """A closed side is all that can be seen of him: the query is stopped soon, not at its end, and
    who waits does so no more."""
    pool = make_pool(pooler={"io": "auto" if host == "socket" else "epoll"}, max=1)
    where = {} if host == "127.0.0.1" else {"host": pool.folder}
    clients = [pool.connect(**where) for _ in range(2)]
    for number, client in enumerate(clients):
        with raw(client) as wire:
            wire.sendall(message(b"Q", b"SELECT pg_sleep(100)\0"))
        wait_for(lambda: sum(int(pool.show("POOLS")[0][key]) for key in ("cl_active", "cl_waiting"))
                 == number + 1, 10, "a client")
    for client in clients:
        client.close()
    wait_for(lambda: pool.show("POOLS")[0]["cl_active"] == pool.show("POOLS")[0]["cl_waiting"]
             == "0", 5, "nobody")
    with pool.connect() as client:
        assert client.execute("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%sleep%' "
                              "AND pid <> pg_backend_pid()").fetchone() == (0,)


@pytest.mark.pg(max=15)
def test_a_start_up_is_answered_in_any_thread(make_pool):  # noqa: F811
    """It goes to its pool's thread with the end that stands behind it, as a cancel request does."""
    pool = make_pool(max=1)
    for _ in range(30):
        with socket.create_connection(("127.0.0.1", pool.port), 10) as client:
            client.settimeout(10)
            client.sendall(GREETING)
            client.shutdown(socket.SHUT_WR)
            assert b"SCRAM-SHA-256" in b"".join(iter(lambda: client.recv(65536), b""))


@pytest.mark.pg(max=15)
def test_a_console_whose_user_has_gone_is_closed(make_pool):
    """One that waits for PAUSE is not knocked at: its end is the end."""
    pool = make_pool(max=1)
    with pool.connect() as busy, busy.transaction():
        busy.execute("SELECT 1")
        console = pool.connect("pgdeck", autocommit=True)
        with raw(console) as wire:
            wire.sendall(message(b"Q", b"PAUSE\0"))
            wire.shutdown(socket.SHUT_WR)
        wait_for(lambda: sum(row["database"] == "pgdeck" for row in pool.show("CLIENTS")) == 1, 5,
                 "end of the console")
        console.close()
