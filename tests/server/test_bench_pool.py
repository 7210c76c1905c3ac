# SPDX-License-Identifier: MIT
"""pgdeck bench --pool: one server, directly and through a pool that the suite starts."""

import json
import signal
from pathlib import Path

import pytest

from cluster import wait_for

pytestmark = pytest.mark.short(15)


def write_deck(folder, server):
    deck = folder / "deck.yaml"
    deck.write_text(f"""deck: pool
servers:
  main: {{conninfo: "{server.conninfo()}", memory: 1GB, cpus: 2}}
environments:
  test: {{server: main, memory: 512MB, max_connections: 60}}
databases:
  postgres: {{environment: test}}
""")
    return deck


def pools():
    """Processes of `pgdeck pool` that a bench started."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if b"pool" in words and any(b"/pgdeck-bench-" in word for word in words):
            found.append(path.parent.name)
    return found


def test_pool(pgdeck, server, tmp_path):
    before = set(pools())
    pgdeck("bench", "--deck", write_deck(tmp_path, server), "--pool", "--quick", "--block-ms", "300",
           "--output", tmp_path / "out", expect=0, timeout=120)
    assert set(pools()) <= before
    suite = next(s for s in json.loads((tmp_path / "out" / "results.json").read_text())["suites"]
                 if s["name"] == "pool")
    connect, request = suite["works"]
    for work in (connect, request):
        for arm in ("before", "after"):
            assert work[arm]["done"] > 10 and work[arm]["response"]["p50_ms"] > 0
    # The 3 ms of each transaction are in it.
    assert request["before"]["response"]["p50_ms"] >= 3
    for arm in ("before", "after"):
        assert request[arm]["each"]["server_cpu_us"] > 1 and request[arm]["each"]["buffers"] is None
    sizes = next(t for t in suite["tables"] if t["title"].startswith("p95 by"))
    assert "of CPU a request" in sizes["rows"][-1]["note"]
    assert [row["name"] for row in sizes["rows"][1:]] == ["1", "2", "4", "8", "16"]
    assert "not equal" in sizes["rows"][1]["note"]  # one connection cannot do 500 of 3 ms
    full = {row["name"]: row for row in
            next(t for t in suite["tables"] if t["title"].startswith("Many"))["rows"]}
    assert (full["clients"]["before"], full["clients"]["after"]) == ("not tried", "200")
    assert (full["slots"]["after"], full["refused or failed"]["after"]) == ("4", "0")
    wait_for(lambda: server.value("SELECT count(*) FROM pg_stat_activity "
                                  "WHERE query LIKE '%%pg_sleep(0.003)%%' AND pid <> "
                                  "pg_backend_pid()") == 0, 10, "end of all connections")


@pytest.mark.pg(max=15)
def test_a_server_without_room(pgdeck, make_server, tmp_path):
    server = make_server(15, max_connections="42")  # 3 are reserved, and 36 the pools'
    result = pgdeck("bench", "--deck", write_deck(tmp_path, server), "--pool", "--quick",
                    "--output", tmp_path / "out", expect=22)
    assert "has room for" in result.err and not (tmp_path / "out").exists()
    assert not any(tmp_path.glob("pgdeck-bench-*"))


@pytest.mark.pg(max=15)
def test_no_pool_can_log_in(pgdeck, server, tmp_path):
    """The pool takes no server that lets its login in by TCP without a password."""
    deck = write_deck(tmp_path, server)
    deck.write_text(deck.read_text().replace(server.conninfo(), server.conninfo(host="127.0.0.1")))
    result = pgdeck("bench", "--deck", deck, "--pool", "--quick", "--output", tmp_path / "out",
                    expect=11)
    assert "--pool: pgdeck pool does not serve: cannot log in" in result.err
    assert "did not ask for the password" in result.err and "socket" in result.err
    assert not (tmp_path / "out").exists()


@pytest.mark.pg(max=15)
@pytest.mark.parametrize("moment", ["query LIKE '%%pg_sleep(0.003)%%'", "application_name <> ''"],
                         ids=["requests", "opening"])
def test_what_was_cut_short_is_not_measured(pgdeck, server, tmp_path, moment):
    process = pgdeck.start("bench", "--deck", write_deck(tmp_path, server), "--pool", "--block-ms",
                           "20000", "--output", tmp_path / "out")
    wait_for(lambda: server.value("SELECT count(*) > 4 FROM pg_stat_activity WHERE pid <> "
                                  f"pg_backend_pid() AND {moment}"), 30, "requests")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 130
    suite = json.loads((tmp_path / "out" / "results.json").read_text())["suites"][0]
    assert "not measured to the end" in suite["what"]
    assert {row["note"] for row in suite["tables"][0]["rows"]} == {"not measured"}
