# SPDX-License-Identifier: MIT
"""The driver of pgdeck bench against a real server, through tests/perf/bench/drive.c."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from cluster import wait_for

PROGRAM = "tests/perf/drive"
pytestmark = pytest.mark.pg(max=15)  # a client: its protocol is the same with all versions


@pytest.fixture
def drive(pgdeck):
    program = Path(pgdeck.path).parent / PROGRAM

    def start(server, sql, connections, rate, seconds, *more):
        args = [program, server.conninfo(), sql, connections, rate, seconds, *more]
        return subprocess.Popen([str(a) for a in args], stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)
    return start


@pytest.fixture(params=([], ["epoll"]), ids=("io_uring", "epoll"))
def way(request, drive, server):
    if request.param == [] and not result(drive(server, "SELECT 1", 1, 10, 0.1))["io_uring"]:
        pytest.skip("this kernel, or this container, has no io_uring")
    return request.param


def result(process, expect=0):
    out, err = process.communicate(timeout=60)
    assert process.returncode == expect, err
    return json.loads(out)


def signal_backends(server, number):
    for pid in server.children():
        os.kill(pid, number)


def test_a_frozen_server_is_in_the_percentiles(drive, fresh_server):
    """What was due while the server stood still waited for it, and says so."""
    process = drive(fresh_server, "SELECT 1", 8, 1000, 3)
    wait_for(lambda: fresh_server.value("SELECT count(*) FROM pg_stat_activity "
                                        "WHERE query = 'SELECT 1' AND state = 'idle'") > 0,
             10, "the driver")
    time.sleep(0.5)  # some of the run before, so that it is a share of it that is hit
    signal_backends(fresh_server, signal.SIGSTOP)
    time.sleep(0.205)  # arrivals are 1 ms apart on average: the first one is a little later
    signal_backends(fresh_server, signal.SIGCONT)
    load = result(process)
    assert load["errors"] == load["unfinished"] == 0 and load["done"] > 2500
    assert load["response_ms"]["p99.9"] >= 150 and load["response_ms"]["max"] >= 200
    # Some 200 requests of 3000 met it, the last ones of them briefly.
    assert load["response_ms"]["p99"] >= 50


def test_one_schedule_for_all_connections(drive, server):
    """One connection that is stuck does not keep requests from the others."""
    load = result(drive(server, "SELECT pg_sleep(CASE WHEN $1::int = 1 THEN 1 ELSE 0 END)", 4, 200,
                        2, 400))
    assert load["errors"] == load["unfinished"] == 0 and 300 < load["done"] < 500
    assert load["response_ms"]["max"] >= 1000
    assert load["response_ms"]["p95"] < 500


def test_overload_counts_what_was_not_done(drive, server):
    """Twice the rate that two connections can do: the wait grows with the run."""
    load = result(drive(server, "SELECT pg_sleep(0.02)", 2, 200, 1))
    assert load["errors"] == 0 and load["unfinished"] == 0
    assert load["response_ms"]["max"] > 500 and load["service_ms"]["p50"] < 200


def test_errors_by_sqlstate(drive, server, way):
    load = result(drive(server, "SELECT 1 / ($1::int % 2)", 2, 200, 1, 100, 1, *way))
    assert load["io_uring"] is (way == [])
    assert load["faults"]["22012"]["errors"] == load["errors"] > 20
    assert load["done"] > 20


def test_a_lost_connection_is_counted(drive, server, way):
    process = drive(server, "SELECT $1::int AS lost", 3, 100, 2, 1, 1, *way)
    wait_for(lambda: server.value(
        "SELECT count(pg_terminate_backend(pid)) FROM (SELECT pid FROM pg_stat_activity "
        "WHERE query LIKE '%%int AS lost' LIMIT 1) s") == 1, 10, "a connection")
    load = result(process)
    assert load["done"] > 100 and load["errors"] <= 1


def test_ctrl_c_keeps_what_was_measured(drive, server):
    process = drive(server, "SELECT 1 AS stopped", 2, 100, 60)
    wait_for(lambda: server.value("SELECT count(*) FROM pg_stat_activity "
                                  "WHERE query = 'SELECT 1 AS stopped'") > 0, 10, "the driver")
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    assert result(process, expect=130)["done"] > 5


def test_faults_before_anything_runs(drive, server):
    process = drive(server, "SELECT nope", 1, 1, 1)
    out, err = process.communicate(timeout=10)
    assert process.returncode == 20 and "42703" in err and "nope" in err and not out


def test_an_error_longer_than_its_room(drive, server):
    """Only the front of a fault is kept, and what follows it on the connection still fits."""
    load = result(drive(server, "SELECT CASE WHEN $1::int % 2 = 0 THEN 1 ELSE "
                        "repeat('x', 2999 + $1::int)::int END", 2, 300, 1, 100))
    assert load["faults"]["22P02"]["errors"] == load["errors"] > 50
    assert load["done"] > 50


def test_rows_longer_than_one_read(drive, server, way):
    """Answers that come in many pieces are walked through to their end."""
    load = result(drive(server, "SELECT repeat('y', 100000 + $1::int) FROM generate_series(1, 5)",
                        3, 50, 1, 1000, 1, *way))
    assert load["errors"] == 0 and load["done"] > 25


@pytest.mark.parametrize("digits", (600, 200000))
def test_values_longer_than_one_buffer(drive, server, digits):
    load = result(drive(server, f"SELECT 1 / (length($1) = {digits})::int", 2, 50, 0.5, 1, digits))
    assert load["errors"] == 0 and load["done"] > 10
