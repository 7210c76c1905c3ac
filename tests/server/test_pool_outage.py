# SPDX-License-Identifier: MIT
"""Servers that cannot be had: what the pool's clients are told, and how soon."""

import time

import psycopg
import pytest

from cluster import free_port, wait_for
from test_pool import PASSWORD, logins, make_pool  # noqa: F401 (fixtures)

pytestmark = pytest.mark.pg(max=15)


def refusal(pool, dbname="app", user="alice"):
    """What a client is told that logs in, which must not take long."""
    start = time.monotonic()
    with pytest.raises(psycopg.OperationalError) as told:
        pool.connect(dbname, user=user)
    assert time.monotonic() - start < 3, str(told.value)
    return str(told.value)


def test_no_server_at_all(make_pool):  # noqa: F811
    nowhere = free_port()
    pool = make_pool({"app": {"host": "127.0.0.1", "port": nowhere, "min": 0, "max": 2},
                      "file": {"host": "/nowhere", "max": 2, "threads": 2}})
    for database, words in (("app", (f"127.0.0.1:{nowhere}", "cannot connect to the server")),
                            ("file", ("/nowhere/", "No such file"))):
        for _ in range(2):  # at once, and while it is not tried again
            message = refusal(pool, database)
            assert "the pool has no connection to the server" in message
            for word in ("DETAIL:", "HINT:", "PostgreSQL runs", *words):
                assert word in message, message


def test_logins_that_the_server_refuses(make_pool, logins):  # noqa: F811
    hba = logins.data / "pg_hba.conf"
    before = hba.read_text()
    hba.write_text("host app alice 127.0.0.1/32 scram-sha-256\n" + before)
    logins.query("ALTER ROLE alice PASSWORD 'another'")
    logins.reload()
    pool = make_pool({"app": {"host": "127.0.0.1", "max": 1},
                      "gone": {"database": "not_there", "max": 1}})
    try:
        message = refusal(pool)
        assert 'password authentication failed for user "alice"' in message
        assert "The password that the pool has for this login is not the server's" in message
        rows = {row["database"]: row["last_error"] for row in pool.show("POOLS")
                if row["user"] == "alice"}
        assert "password authentication failed" in rows["app"]
        logins.query(f"ALTER ROLE alice PASSWORD '{PASSWORD}'")
        wait_for(lambda: answers(pool), 5, "a login once the password is right")
    finally:
        hba.write_text(before)
        logins.reload()
    message = refusal(pool, "gone")
    assert 'database "not_there" does not exist' in message and "Create the database" in message


def answers(pool, dbname="app"):
    try:
        with pool.connect(dbname) as client:
            return client.execute("SELECT 7").fetchone() == (7,)
    except psycopg.OperationalError:
        return False


def test_a_server_that_stays_away(make_pool, make_server, pg_version):  # noqa: F811
    """Clients wait for a restart; of one that takes longer they are told, and keep their
    connections."""
    server = make_server(pg_version)
    server.query(f"CREATE ROLE alice LOGIN PASSWORD '{PASSWORD}'")
    pool = make_pool({"postgres": {"host": server.host, "port": server.port, "max": 2}},
                     {"connect_timeout": "2s"})
    with pool.connect("postgres") as one, pool.connect("postgres") as two:
        one.execute("SELECT 1")
        two.execute("SELECT 1")
        server.stop()
        start = time.monotonic()
        with pytest.raises(psycopg.OperationalError, match="no connection to the server") as told:
            one.execute("SELECT 2")
        assert 1.5 < time.monotonic() - start < 6
        assert told.value.sqlstate == "08001" and "at /" in told.value.diag.message_detail
        start = time.monotonic()
        with pytest.raises(psycopg.OperationalError, match="no connection"), two.pipeline():
            for number in range(200):
                two.execute("SELECT %s::int", (number,))
        assert time.monotonic() - start < 3
        server.start()
        wait_for(lambda: answers(pool, "postgres"), 5, "an answer")
        assert one.execute("SELECT 3").fetchone() == two.execute("SELECT 3").fetchone() == (3,)
