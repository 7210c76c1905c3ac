# SPDX-License-Identifier: MIT
"""pgdeck bench --pgbench: the suite, its costs, what it leaves behind and what it refuses."""

import csv
import json
import signal

import pytest

from test_bench import (DATABASE, Arm, bench, check_page, pair, quote_name,  # noqa: F401
                        write_deck)

pytestmark = pytest.mark.short(15)

SMALL = ("--pgbench", "--pairs", "3", "--block-ms", "40", "--scale", "1", "--clients", "2")
SCRATCH = "SELECT count(*) FROM pg_database WHERE datname LIKE 'pgdeck\\_bench%'"


def test_suite(pgdeck, pair, tmp_path):  # noqa: F811
    out = tmp_path / "out"
    server = pair[0].server
    server.query(f"ALTER DATABASE {quote_name(DATABASE)} SET synchronous_commit = 'off'")
    result = bench(pgdeck, pair, *SMALL, "--output", out, expect=0)
    assert server.value(SCRATCH) == 0
    suite = json.loads((out / "results.json").read_text())["suites"][0]
    works = {w["name"].removeprefix("pgbench "): w for w in suite["works"]}
    assert list(works) == ["read-only", "read-write", "simple-update", "write-only"]
    assert suite["noise_is_measured"] and suite["noise"] >= 0.01
    for name, work in works.items():
        kinds = [(b["pair"], b["arm"], b["again"]) for b in work["blocks"]]
        assert len(set(kinds)) == len(kinds) == 9
        assert kinds != sorted(kinds), "the order is not random"
        for arm in ("before", "after"):
            side = work[arm]
            assert side["done"] == sum(b["done"] for b in work["blocks"]
                                       if b["arm"] == arm and not b["again"])
            assert side["failed"] == 0 and side["per_second"] > 0 and side["response"] is None
            latency = side["service"]
            assert 0 < latency["p50_ms"] <= latency["p95_ms"] <= latency["max_ms"]
            each = side["each"]
            assert each["server_cpu_us"] > 0 and each["driver_cpu_us"] > 0 and each["buffers"] > 2
            assert name == "read-only" or each["wal_bytes"] > 200  # pruning writes some, too
    reads = {n: w["after"]["each"]["buffers"] for n, w in works.items()}
    assert reads["read-write"] > reads["simple-update"] > reads["read-only"]
    text = check_page(out / "report.html")
    assert "pgbench simple-update" in text and "--skip-some-updates" in text
    assert len(list(csv.DictReader((out / "works.csv").open(newline="")))) == 8
    assert len(list(csv.DictReader((out / "blocks.csv").open(newline="")))) == 36
    assert "pgbench write-only" in result.out


def test_schedule_gives_response_and_service(pgdeck, pair, tmp_path):  # noqa: F811
    out = tmp_path / "out"
    bench(pgdeck, pair, *SMALL, "--rate", "400", "--output", out, expect=0)
    for work in json.loads((out / "results.json").read_text())["suites"][0]["works"]:
        side = work["after"]
        assert side["response"]["p50_ms"] >= side["service"]["p50_ms"] > 0
        assert side["per_second"] < 1000


def test_ctrl_c_leaves_a_report_and_no_database(pgdeck, pair, tmp_path):  # noqa: F811
    out = tmp_path / "out"
    process = pgdeck.start("bench", "--deck", pair[2], "--before", pair[0].conninfo(),
                           "--database", DATABASE, "--output", out, *SMALL, "--pairs", "1000")
    while "pair 2 " not in process.stderr.readline():
        pass
    process.send_signal(signal.SIGINT)
    _out, err = process.communicate(timeout=60)
    assert process.returncode == 130 and "interrupted" in err
    data = json.loads((out / "results.json").read_text())
    assert "interrupted" in data["stopped"]
    assert all(w["before"]["done"] > 0 for w in data["suites"][0]["works"])
    assert "Stopped early" in check_page(out / "report.html")
    assert pair[0].server.value(SCRATCH) == 0


def test_refused_before_anything_runs(pgdeck, pair, tmp_path, monkeypatch):  # noqa: F811
    out = tmp_path / "out"
    server = pair[0].server

    def run(*args, **more):
        result = bench(pgdeck, pair, *SMALL, "--output", out, *args, **more)
        assert not out.exists()
        return result.code, result.err

    server.query("CREATE DATABASE pgdeck_bench_after")
    code, err = run()
    assert code == 22 and "pgdeck_bench_after" in err
    assert server.value(SCRATCH) == 1, "somebody else's database was dropped"
    server.query("DROP DATABASE pgdeck_bench_after")
    code, err = run("--scale", "90000")
    assert code == 16 and "--scale" in err
    code, err = run("--clients", "0")
    assert code == 64 and "--clients" in err


@pytest.mark.pg(max=15)
def test_a_server_in_recovery(pgdeck, make_server, tmp_path):
    """Suites that write say so before anything runs, whichever of the two it is; queries run."""
    primary = make_server(15, wal_level="replica")
    primary.query("CREATE ROLE repl LOGIN REPLICATION")
    arms = Arm(primary, DATABASE + " before", False), Arm(primary, DATABASE, True)
    standby = make_server(15)
    standby.follow(primary)
    out = tmp_path / "out"
    for label, deck_server, before, suites in (("after", standby, primary, ["--pgbench"]),
                                               ("before", primary, standby, ["--pgbench", "--ai"])):
        deck = write_deck(tmp_path / label, deck_server)
        for suite in suites:
            result = pgdeck("bench", "--deck", deck, "--before", before.conninfo(arms[0].dbname),
                            "--database", DATABASE, suite, "--output", out, expect=22)
            assert f'{suite}: server "{label}" is in recovery' in result.err and not out.exists()
    pgdeck("bench", "--deck", tmp_path / "after" / "deck.yaml", "--before",
           primary.conninfo(arms[0].dbname), "--database", DATABASE, "--query", "count", "--pairs",
           "1", "--block-ms", "5", "--output", out, expect=0)


@pytest.mark.pg(max=15)
@pytest.mark.parametrize("more", [(), ("--stock",)], ids=["before", "stock"])
def test_pgbench_is_missing(pgdeck, pair, server, tmp_path, more):  # noqa: F811
    """Where only Debian's client package is, a pgbench is there that looks for the real one."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("postgres", "initdb"):
        (programs / name).symlink_to(server.bin / name)
    (programs / "pgbench").write_text("#!/bin/sh\necho install the real one >&2\nexit 1\n")
    (programs / "pgbench").chmod(0o755)
    before = () if more else ("--before", pair[0].conninfo())
    result = pgdeck("bench", "--deck", pair[2], *before, *more, "--database", DATABASE, *SMALL,
                    "--output", tmp_path / "out", env={"PGDECK_PG_BINDIR": str(programs)}, expect=21)
    assert 'pgbench" does not run' in result.err and "install the real one" in result.err
    assert "postgresql-15" in result.err and not (tmp_path / "out").exists()
    assert "bench-stock" not in pgdeck("status").out
