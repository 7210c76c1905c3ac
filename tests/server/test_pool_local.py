# SPDX-License-Identifier: MIT
"""Servers that are named by TCP and are on this host: by their unix socket, once it is proven."""

import pytest

from cluster import wait_for
from test_pool import logins, make_pool  # noqa: F401 (fixtures)

TCP = {"host": "127.0.0.1"}


def ways(pool):
    return {row["addr"] for row in pool.show("SERVERS")}


def socket_of(server):
    return f"{server.host}/.s.PGSQL.{server.port}"


@pytest.fixture
def hba(logins):  # noqa: F811
    """By TCP they log in by SCRAM; puts lines in front of pg_hba.conf."""
    path = logins.data / "pg_hba.conf"
    before = path.read_text()

    def put(lines=""):
        path.write_text(lines + "host all alice,bob 127.0.0.1/32 scram-sha-256\n" + before)
        logins.reload()

    put()
    yield put
    path.write_text(before)
    logins.reload()


@pytest.mark.parametrize("io", ["epoll", "io_uring"])
def test_a_local_server_goes_by_its_socket(make_pool, logins, hba, io):  # noqa: F811
    pool = make_pool(pooler={"io": io}, max=2, **TCP)
    with pool.connect() as one, pool.connect() as two:
        one.execute("SET work_mem = '123kB'")
        for _ in range(5):
            with two.transaction():
                assert two.execute("SELECT inet_server_addr() IS NULL").fetchone() in (
                    (True,), (False,))
                assert one.execute("SHOW work_mem").fetchone() == ("123kB",)
        wait_for(lambda: ways(pool) == {socket_of(logins)}, 10, "unix sockets only")
        assert two.execute("SELECT inet_server_addr()").fetchone() == (None,)
        assert "is on this host" in pool.log_text()
        logins.restart()
        assert wait_for(lambda: answers(pool), 20, "an answer") == 7
        wait_for(lambda: answers(pool) and ways(pool) == {socket_of(logins)}, 20,
                 "the new server's socket")


def answers(pool):
    with pool.connect() as client:
        try:
            return client.execute("SELECT 7").fetchone()[0]
        except Exception:  # noqa: BLE001 (the server starts)
            return None


def test_not_when_it_is_not_wanted(make_pool, hba):  # noqa: F811
    pool = make_pool(pooler={"local_sockets": "false"}, max=1, **TCP)
    with pool.connect() as one:
        for _ in range(3):
            assert one.execute("SELECT inet_server_addr() IS NULL").fetchone() == (False,)


def test_not_where_the_server_refuses_it(make_pool, hba):  # noqa: F811
    """pg_hba.conf may ask for peer there: TCP it stays, and no client hears of it."""
    hba("local all alice reject\n")
    pool = make_pool(max=2, **TCP)
    with pool.connect() as one, pool.connect() as two:
        for _ in range(3):
            for client in (one, two):
                assert client.execute("SELECT inet_server_addr() IS NULL").fetchone() == (False,)
    assert pool.log_text().count("not by") in (1, 2)  # once in each thread
    assert all("127.0.0.1" in way for way in ways(pool))
