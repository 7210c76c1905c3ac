# SPDX-License-Identifier: MIT
"""What the live server shows of its load, where that beats a formula."""

import json
import os
import re
import shutil
import subprocess

import pytest

from cluster import wait_for

DECK = """
deck: measured
advisors: [schema, settings]
servers:
  main: {conninfo: "CONNINFO", memory: 2GB, cpus: 2, storage: hdd, settings: {SERVER}}
environments:
  blue: {server: main, memory: 1GB, max_connections: 40, targets: {connections: 5-10}}
  green: {server: main, memory: 1GB, max_connections: 40, targets: {connections: 5-10}}
databases:
  blue_one: {environment: blue}
  green_one: {environment: green}
"""
HOURS = 2


@pytest.fixture
def write(tmp_path, fresh_server):
    quoted = fresh_server.conninfo().replace("\\", "\\\\").replace('"', '\\"')

    def write_deck(server=""):
        path = tmp_path / "deck.yaml"
        path.write_text(DECK.replace("CONNINFO", quoted).replace("SERVER", server))
        return path
    return write_deck


def age(server):
    """The statistics look as if they had been gathered for hours: the times of their last reset are
    in the file that the server writes when it stops."""
    server.settle_statistics()
    moments = {row[0] for row in server.query(
        "SELECT (extract(epoch FROM moment - '2000-01-01 00:00:00+00') * 1000000)::bigint FROM "
        "(SELECT stats_reset FROM pg_stat_wal UNION SELECT stats_reset FROM pg_stat_database "
        " UNION SELECT stats_reset FROM pg_stat_bgwriter) AS s (moment) WHERE moment IS NOT NULL")}
    assert moments
    server.stop()
    path = server.data / "pg_stat" / ("pgstat.stat" if server.version >= 15 else "global.stat")
    data = path.read_bytes()
    for moment in moments:
        earlier = moment - HOURS * 3600 * 1000000
        assert moment.to_bytes(8, "little") in data
        data = data.replace(moment.to_bytes(8, "little"), earlier.to_bytes(8, "little"))
    owner = path.stat()
    path.write_bytes(data)
    os.chown(path, owner.st_uid, owner.st_gid)
    server.start()
    hours = server.value("SELECT extract(epoch FROM now() - stats_reset) / 3600 FROM pg_stat_wal")
    assert HOURS <= hours < HOURS + 1


def rows(pgdeck, deck):
    found = json.loads(pgdeck("tune", "-d", deck, "--json", expect=0).out)["servers"][0]
    return {(row["environment"], row["name"]): row for row in found["settings"]}


def is_settled(pgdeck, deck):
    pgdeck("apply", "-d", deck, "--yes", "--restart", expect=0)
    return "Nothing to do" in pgdeck("plan", "-d", deck, "--detailed-exitcode", expect=0).out


def test_the_log_that_is_written_makes_room_for_itself(pgdeck, write, fresh_server):
    fresh_server.query("CREATE TABLE t AS SELECT repeat('x', 900) FROM generate_series(1, 130000)")
    deck = write("checkpoint_timeout: 1d")
    assert rows(pgdeck, deck)[None, "max_wal_size"]["proposed"] == "2GB"  # minutes are no evidence
    age(fresh_server)
    row = rows(pgdeck, deck)[None, "max_wal_size"]
    assert row["proposed"] == "4GB"
    assert row["why"].startswith("measured: ") and "of log a second since 20" in row["why"]
    assert "checkpoints every 1d need twice" in row["why"]
    assert rows(pgdeck, deck)[None, "min_wal_size"]["proposed"] == "1GB"
    assert is_settled(pgdeck, deck)


def test_checkpoints_by_volume_make_room(pgdeck, write, fresh_server):
    for _ in range(12):
        fresh_server.query("CHECKPOINT")
    deck = write()
    assert rows(pgdeck, deck)[None, "max_wal_size"]["proposed"] == "2GB"
    age(fresh_server)
    row = rows(pgdeck, deck)[None, "max_wal_size"]
    assert row["proposed"] == "4GB" and "checkpoints since 20" in row["why"]
    assert "came by the volume written, not by the clock: twice 2GB" in row["why"]
    assert is_settled(pgdeck, deck)


def test_temporary_files_raise_work_mem_there(pgdeck, write, fresh_server):
    fresh_server.query("CREATE DATABASE blue_one")
    fresh_server.query("CREATE DATABASE green_one")
    deck = write()
    usual = rows(pgdeck, deck)["green", "work_mem"]["proposed"]
    with fresh_server.connect("green_one") as connection:
        connection.execute("SET work_mem = '64kB'")
        for _ in range(3):
            connection.execute("SELECT count(*) FROM (SELECT i FROM generate_series(1, 50000) AS i "
                               "ORDER BY i DESC OFFSET 1) AS s")
    age(fresh_server)
    found = rows(pgdeck, deck)
    assert found["blue", "work_mem"]["proposed"] == usual
    assert int(found["green", "work_mem"]["proposed"][:-2]) == 2 * int(usual[:-2])
    why = found["green", "work_mem"]["why"]
    assert re.match(r"measured: \d+ temporary files of \d+kB on average since 20", why)
    assert f"twice {usual}" in why
    assert is_settled(pgdeck, deck)
    assert int(fresh_server.value("SHOW work_mem", dbname="green_one")[:-2]) == 2 * int(usual[:-2])


def test_a_standby_comes_first(pgdeck, write, fresh_server, make_server, pg_version):
    standby = make_server(pg_version)
    standby.stop()
    fresh_server.stop()
    shutil.rmtree(standby.data)
    subprocess.run(["cp", "-a", fresh_server.data, standby.data], check=True)
    fresh_server.start()
    standby.configure(unix_socket_directories=standby.host,
                      primary_conninfo=fresh_server.conninfo())
    (standby.data / "standby.signal").touch()
    standby.start()
    wait_for(lambda: fresh_server.value("SELECT count(*) FROM pg_stat_replication "
                                        "WHERE state = 'streaming'") == 1, 20, "stream")
    plan = json.loads(pgdeck("plan", "-d", write("max_connections: 150"), "--json", expect=0).out)
    warnings = {change["key"]: change["warning"] for change in plan["changes"]}
    assert warnings["setting max_connections"] == (
        "1 standby follows this server: raise max_connections to 150 there first, or replay stops")
    assert not warnings["setting checkpoint_timeout"]
