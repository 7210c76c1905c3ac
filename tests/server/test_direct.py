# SPDX-License-Identifier: MIT
"""apply and rollback need the server itself: poolers that give a session to others, or leave out
its settings, are recognised and refused; one that keeps a session for its client is not."""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

import pytest

from cluster import free_port, wait_for
from test_plan_apply import write_deck
from test_pool import PASSWORD, logins, make_pool  # noqa: F401 (fixtures)

pytestmark = pytest.mark.pg(min=15, max=15)
DECK = """
deck: mini
servers:
  main: {conninfo: "CONNINFO", memory: 512MB, cpus: 2, storage: ssd}
environments:
  test:
    server: main
    memory: 256MB
    max_connections: 20
    workload: oltp
    pools:
      web: {min: 1, max: 2, query_timeout: 30s}
databases:
  app: {environment: test, services: [web]}
schema: schema.sql
advisors: [schema]
"""
SCHEMA = "CREATE TABLE made_through_it (id bigint PRIMARY KEY);\n"
SHARED = "goes through a pooler that gives the session to others after each transaction"
LEFT_OUT = "goes through a pooler that leaves out the settings of the session"


@pytest.fixture
def chief(logins):  # noqa: F811
    """alice may apply."""
    logins.query("ALTER ROLE alice SUPERUSER")
    return logins


def deck_of(tmp_path, port, dbname="app"):
    return write_deck(tmp_path / "deck", f"host=127.0.0.1 port={port} user=alice dbname={dbname}",
                      DECK, SCHEMA, "")


def tables(server):
    return server.query("SELECT count(*) FROM pg_tables WHERE tablename = 'made_through_it' "
                        "OR schemaname = 'pgdeck'", dbname="app")


def run(pgdeck, command, deck, expect):
    return pgdeck(command, "--yes", "-d", deck, env={"PGPASSWORD": PASSWORD}, expect=expect)


def is_refused(pgdeck, deck, reason):
    for command in ("apply", "rollback"):
        result = run(pgdeck, command, deck, 22)
        assert reason in result.err and 'server "main"' in result.err, result.err
        assert "host and port of the server itself" in result.err


@pytest.mark.parametrize("most", [1, 3])
def test_the_pool_of_pgdeck_in_transaction_mode(pgdeck, chief, make_pool, tmp_path,  # noqa: F811
                                                most):
    before = tables(chief)
    pool = make_pool(max=most, mode="transaction")
    is_refused(pgdeck, deck_of(tmp_path, pool.port), SHARED)
    assert tables(chief) == before


def test_the_pool_of_pgdeck_in_session_mode(pgdeck, chief, make_pool, tmp_path):  # noqa: F811
    pool = make_pool(max=9, mode="session")
    deck = deck_of(tmp_path, pool.port)
    run(pgdeck, "apply", deck, 0)
    with pool.connect() as client:
        assert client.execute("SELECT count(*) FROM made_through_it").fetchone() == (0,)


@pytest.fixture
def make_bouncer(chief):
    """PgBouncer in front of the server, with these settings; gives its port."""
    program = shutil.which("pgbouncer", path="/usr/sbin:/usr/bin")
    assert program, "PgBouncer is of the package pgbouncer"
    user = {"user": "postgres", "group": "postgres"} if os.geteuid() == 0 else {}
    with tempfile.TemporaryDirectory(prefix="pgdeck-test-", dir="/tmp") as folder, \
            contextlib.ExitStack() as running:
        def make(**settings):
            port = free_port()
            Path(folder, "users").write_text(f'"alice" "{PASSWORD}"\n')
            Path(folder, "ini").write_text(
                f"[databases]\napp = host=127.0.0.1 port={chief.port} dbname=app\n[pgbouncer]\n"
                f"listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
                f"auth_type = scram-sha-256\nauth_file = {folder}/users\n"
                + "".join(f"{key} = {value}\n" for key, value in settings.items()))
            os.chmod(folder, 0o755)
            process = running.enter_context(subprocess.Popen(
                [program, "-q", f"{folder}/ini"], cwd="/", stderr=subprocess.DEVNULL, **user))
            running.callback(process.terminate)

            def is_there():
                with socket.socket() as probe:
                    return probe.connect_ex(("127.0.0.1", port)) == 0

            wait_for(is_there, 10, "PgBouncer")
            return port

        yield make


IGNORES = "extra_float_digits, options"


@pytest.mark.parametrize("settings, reason", [
    ({"pool_mode": "transaction"}, "unsupported startup parameter"),
    ({"pool_mode": "transaction", "ignore_startup_parameters": IGNORES}, LEFT_OUT),
    ({"pool_mode": "session", "ignore_startup_parameters": IGNORES}, LEFT_OUT),
    ({"pool_mode": "transaction", "ignore_startup_parameters": IGNORES}, SHARED),
    ({"pool_mode": "transaction", "ignore_startup_parameters": IGNORES, "server_round_robin": 1},
     SHARED)], ids=["as it comes", "transaction", "session", "settings of the role", "in turn"])
def test_pgbouncer(pgdeck, chief, make_bouncer, tmp_path, settings, reason):
    """Of itself it takes none of the session's settings; a role may have them all the same."""
    before = tables(chief)
    if reason == SHARED:
        chief.query("ALTER ROLE alice SET search_path = pg_catalog,pg_temp")
    port = make_bouncer(**settings)
    deck = deck_of(tmp_path, port)
    if reason == "unsupported startup parameter":
        result = run(pgdeck, "apply", deck, 22)
        assert reason in result.err and "host and port of the server itself" in result.err
    else:
        is_refused(pgdeck, deck, reason)
    assert tables(chief) == before
