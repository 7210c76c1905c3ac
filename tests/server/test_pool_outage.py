# SPDX-License-Identifier: MIT
"""Servers that cannot be had: what the pool's clients are told, and how soon."""

import contextlib
import errno
import os
import socket
import subprocess
import time

import psycopg
import pytest

from cluster import free_port, wait_for
from test_pool import PASSWORD, Pool, logins, make_pool  # noqa: F401 (fixtures)

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


def test_a_pool_larger_than_the_server(make_pool, make_server, pg_version):  # noqa: F811
    server = make_server(pg_version, max_connections=6)
    server.query(f"CREATE ROLE alice LOGIN PASSWORD '{PASSWORD}'")
    pool = make_pool({"postgres": {"host": server.host, "port": server.port, "max": 9}},
                     {"query_wait_timeout": "1s"})
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(pool.connect("postgres")) for _ in range(8)]
        with pytest.raises(psycopg.errors.TooManyConnections) as told:
            for client in clients:
                client.execute("BEGIN")
        assert "remaining connection slots" in told.value.diag.message_hint \
            or "too many clients" in told.value.diag.message_hint
        assert any("connection" in row["last_error"] or "clients" in row["last_error"]
                   for row in pool.show("POOLS"))
        clients[0].execute("ROLLBACK")
        assert clients[-1].execute("SELECT 1").fetchone() == (1,)


def refuses(family, address):
    with socket.socket(family) as probe:
        return probe.connect_ex(address) == errno.ECONNREFUSED


def test_places_that_are_taken(make_pool, pgdeck):  # noqa: F811
    """A port in use stops the start; a socket that a dead process left does not."""
    pool = make_pool(max=1)
    command = [pgdeck.path, "pool", "--allow-root", "--config", pool.file]
    second = subprocess.run(command, env=pgdeck.environment(None), capture_output=True,
                            text=True, timeout=10)
    assert second.returncode == 11 and "already in use" in second.stderr
    assert "Another process listens there" in second.stderr
    assert answers(pool)
    pool.is_stopped_by_test = True
    pool.process.kill()
    pool.process.wait(5)
    dead = pool.folder / f".s.PGSQL.{pool.port}"
    wait_for(lambda: refuses(socket.AF_UNIX, str(dead)) and
             refuses(socket.AF_INET, ("127.0.0.1", pool.port)), 5, "the end of its io_uring")
    pool.process = subprocess.Popen(command, env=pgdeck.environment(None), stdout=pool.log,
                                    stderr=pool.log, start_new_session=True)
    wait_for(pool.is_listening, 10, "the next pgdeck pool")
    with pool.connect(host=pool.folder) as client:
        assert client.execute("SELECT 1").fetchone() == (1,)


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        words = file.read().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def test_no_descriptor_is_left(pgdeck, tmp_path, logins):  # noqa: F811
    """Who comes then is told so, nobody spins, and those who are there go on."""
    folder = tmp_path / "pool"
    folder.mkdir()
    pool = Pool(pgdeck, folder, logins, {"app": {"max": 1}}, under=["prlimit", "--nofile=40:40"])
    first = pool.connect(sslmode="disable")
    clients = []
    try:
        for _ in range(60):
            try:
                clients.append(pool.connect(sslmode="disable"))
            except psycopg.OperationalError as error:
                assert "too many clients already" in str(error)
                assert "LimitNOFILE" in str(error)
        assert 5 < len(clients) < 50
        assert first.execute("SELECT 1").fetchone() == (1,)
        before = cpu_seconds(pool.process.pid)
        time.sleep(0.5)
        assert cpu_seconds(pool.process.pid) - before < 0.25
        clients.pop().close()
        wait_for(lambda: answers(pool), 10, "a descriptor")
    finally:
        for client in [first, *clients]:
            client.close()
        pool.stop()


def test_a_deck_with_two_services_for_one_login(pgdeck, tmp_path):
    deck = tmp_path / "deck.yaml"
    deck.write_text("""deck: shop
servers: {main: {conninfo: host=/run/postgresql}}
environments:
  dev: {server: main, pools: {api_x: {max: 1}}}
  dev2: {server: main, role_prefix: dev_api, pools: {x: {max: 1}}}
databases: {app: {environment: dev}}
""")
    told = pgdeck("pool", "--allow-root", "--deck", deck, expect=10).err
    assert 'deck.yaml:5:54: error: two roles would be called "dev_api_x"' in told, told
    assert "rename a service" in told
