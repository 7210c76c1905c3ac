# SPDX-License-Identifier: MIT
"""The fixtures do what they say."""

import os

import psycopg
import pytest

from cluster import wait_for


def test_server_is_the_version_it_says(server):
    assert server.value("SHOW server_version_num")[:2] == str(server.version)


def test_server_listens_on_loopback_only(server):
    assert server.value("SHOW listen_addresses") == "127.0.0.1"
    with server.connect(host="127.0.0.1") as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_server_does_not_run_as_root(server):
    assert os.stat(f"/proc/{server.pid()}").st_uid != 0


def test_server_has_contrib(server):
    names = {row[0] for row in server.query("SELECT name FROM pg_available_extensions")}
    assert {"pg_stat_statements", "pg_trgm", "btree_gin", "pgstattuple"} <= names


def test_psql_stops_at_an_error(server):
    assert server.psql("-c", "SELECT 6 * 7").strip() == "42"
    with pytest.raises(RuntimeError, match="no_such_table"):
        server.psql(text="SELECT 1 FROM no_such_table; SELECT 2;")


def test_database_name_with_quotes_and_spaces(server):
    name = "it's \"a\" näme\\"
    server.psql(text='CREATE DATABASE "it\'s ""a"" näme\\";')
    assert server.value("SELECT current_database()", dbname=name) == name
    server.psql(text='DROP DATABASE "it\'s ""a"" näme\\";')


def test_restart_keeps_data(fresh_server):
    fresh_server.psql("-c", "CREATE TABLE t AS SELECT 1 AS x")
    fresh_server.configure(work_mem="9MB")
    fresh_server.restart()
    assert fresh_server.value("SHOW work_mem") == "9MB"
    assert fresh_server.query("SELECT x FROM t") == [(1,)]


def test_kill9_takes_the_whole_server(fresh_server):
    busy = fresh_server.connect()
    children = fresh_server.children()
    assert busy.info.backend_pid in children
    fresh_server.kill9()
    assert not any(os.path.exists(f"/proc/{pid}") for pid in children)
    with pytest.raises(psycopg.OperationalError):
        fresh_server.connect()
    busy.close()
    fresh_server.start()
    assert fresh_server.value("SELECT 1") == 1


def test_server_that_somebody_else_restarted_is_still_ours(fresh_server):
    before = fresh_server.pid()
    fresh_server.run("pg_ctl", "restart", "-D", fresh_server.data, "-w", "-l", fresh_server.log)
    assert fresh_server.pid() not in (None, before)
    assert fresh_server.value("SELECT 1") == 1
    fresh_server.stop()
    assert fresh_server.pid() is None


def test_two_servers_of_one_version_differ(make_server, pg_version):
    identity = "SELECT system_identifier::text FROM pg_control_system()"
    first, second = make_server(pg_version), make_server(pg_version, work_mem="7MB")
    assert first.value(identity) != second.value(identity)
    assert (first.value("SHOW work_mem"), second.value("SHOW work_mem")) == ("4MB", "7MB")


def test_pgdeck_runs(pgdeck):
    assert pgdeck("--version", expect=0).out.startswith("pgdeck ")


def test_pgdeck_has_no_settings_of_the_tester(pgdeck, monkeypatch):
    monkeypatch.setenv("PGHOST", "elsewhere")
    assert "PGHOST" not in pgdeck.environment({})


def test_pgdeck_that_was_started_ends_with_the_test(pgdeck):
    process = pgdeck.start("--version")
    pgdeck.end()
    wait_for(lambda: process.returncode is not None, 5, "end of pgdeck")
