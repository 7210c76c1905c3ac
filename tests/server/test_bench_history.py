# SPDX-License-Identifier: MIT
"""pgdeck bench list, compare, --baseline and --gate."""

import json
import os

import pytest
from test_bench import DATABASE, bench, pair  # noqa: F401


def write_run(folder, p95, started="2026-01-02 03:04:05 UTC", rate=100.0,
              queries=2):
    folder.mkdir(parents=True)
    (folder / "results.json").write_text(json.dumps({
        "started": started, "database": "shop \x1b[31m", "command": "c", "stopped": None,
        "total": {"times_faster": 2.5, "low": 2, "high": 3},
        "queries": [{"name": "one", "after": {"median_ms": p95 / 2, "p95_ms": p95}},
                    {"name": "two", "after": {"median_ms": 1, "p95_ms": 4}}][:queries],
        "suites": [{"works": [{"name": "writes", "after": {
            "per_second": rate, "response": None, "service": {"p50_ms": 1, "p95_ms": 2}}}]}]}))
    return folder


def test_list(pgdeck, tmp_path):
    write_run(tmp_path / "runs" / "b", 8)
    write_run(tmp_path / "runs" / "a" / "one", 8, "2026-01-03 03:04:05 UTC")
    (tmp_path / "runs" / "broken").mkdir()
    (tmp_path / "runs" / "broken" / "results.json").write_text("{")
    out = pgdeck("bench", "list", tmp_path / "runs", expect=0).out.splitlines()
    assert len(out) == 3 and "2.5x" in out[1] and out[1].endswith("/b") and out[2].endswith("/one")
    assert "\x1b" not in out[1]
    assert "no runs" in pgdeck("bench", "list", tmp_path / "nowhere", expect=0).out
    data = json.loads(pgdeck("bench", "list", tmp_path / "runs", "--json", expect=0).out)
    assert [r["works"] for r in data] == [3, 3]


def test_compare_and_gate(pgdeck, tmp_path):
    older = write_run(tmp_path / "older", 10)
    newer = write_run(tmp_path / "newer", 10.4, rate=90.0)

    def compare(*args, **more):
        return pgdeck("bench", "compare", older, newer / "results.json", *args, **more)

    result = compare(expect=0)
    assert "+4.0%" in result.out and "writes" in result.out and "only in B" not in result.out
    works = json.loads(compare("--json", expect=0).out)["works"]
    assert [w["work"] for w in works] == ["one", "two", "writes"]
    assert works[0]["p95"] == {"a_ms": 10, "b_ms": 10.4, "change": pytest.approx(0.04)}
    more = "bench", "compare", write_run(tmp_path / "less", 9, queries=1), newer
    assert "only in B" in pgdeck(*more, expect=0).out
    works = json.loads(pgdeck(*more, "--json", expect=0).out)["works"]
    assert works[2]["work"] == "two" and works[2]["p50"] == {"a_ms": None, "b_ms": 1, "change": None}
    assert compare("--gate", "p95:+5%", expect=0)
    result = compare("--gate", "p95:+3%", expect=24)
    assert "gate p95:+3%: 1 of 3 over it" in result.out and "one" in result.out
    result = compare("--gate", "p95:+5%,rate:-5%", expect=24)
    assert "10.0 % worse" in result.out
    data = json.loads((newer / "results.json").read_text())
    for of, key in (data["suites"][0]["works"][0], "failed"), (data["queries"][0], "errors"):
        of["after"].update({key: 1, "done": 99, "executions": 99})
        (newer / "results.json").write_text(json.dumps(data))
        assert "; 1 % failed or had no answer" in compare("--gate", "p95:+5%", expect=24).out
        of["after"][key] = 0
    data = json.loads((newer / "results.json").read_text())
    data["queries"][0]["after"]["errors"] = 0
    del data["queries"][1]
    (newer / "results.json").write_text(json.dumps(data))
    assert "missing" in compare("--gate", "p95:+5%", expect=24).out
    for gate in "p95", "p95:5%", "p95:-5%", "rate:+5%", "p94:+5%", "p95:+x%", "p95:+5", "p95:+0%":
        assert "is not a gate" in compare("--gate", gate, expect=64).err
    (newer / "results.json").write_text("[1]")
    assert "not a run" in compare(expect=21).err
    (newer / "results.json").write_text("{\n?")
    assert "line 2" in compare(expect=21).err
    (newer / "results.json").unlink()
    assert "No such file" in compare(expect=21).err
    assert "not understood" in pgdeck("bench", "compare", older, expect=64).err


def test_runs_that_were_not_made_alike_and_lost_tasks(pgdeck, tmp_path):
    older = write_run(tmp_path / "older", 10)
    newer = write_run(tmp_path / "newer", 10)

    def change(folder, seed, version, arrivals, lost):
        data = json.loads((folder / "results.json").read_text())
        data.update(seed=seed, where={"after": {"version": version, "size_bytes": 1000000 + seed}})
        data["suites"][0].update(name="ai", arrivals_per_second=arrivals,
                                 tasks_lost={"before": 9, "after": lost},
                                 tasks_done_twice={"before": 9, "after": 0})
        (folder / "results.json").write_text(json.dumps(data))

    def compare(*args, **more):
        return pgdeck("bench", "compare", older, newer, *args, **more)

    change(older, 1, "15.4", 80.2, 0)
    assert "not made alike" not in compare(expect=0).out  # newer does not say
    change(newer, 1, "15.4", 81, 0)
    assert "not made alike" not in compare("--gate", "p95:+5%", expect=0).out
    change(newer, 2, "16\x1b", 120, 0)
    expected = "seed 1 and 2", "arrivals a second (ai) 80.2 and 120"
    for args in ((), ("--gate", "p95:+5%")):
        out = compare(*args, expect=0).out
        assert out.count("not made alike: PostgreSQL 15.4 and 16") == 1 and "\x1b" not in out
        assert all(text in out for text in expected) and "bytes" not in out
    data = json.loads(compare("--json", expect=0).out)
    assert set(expected) < set(data["not_made_alike"]) and len(data["not_made_alike"]) == 3
    change(older, 100, "15.4", 80.2, 0)
    change(newer, 101, "15.4", 81, 0)
    out = compare(expect=0).out  # near is alike for what is measured only
    assert "not made alike: seed 100 and 101" in out and "arrivals" not in out
    change(newer, 100, "15.4", 80, 2)
    compare(expect=0)  # without a gate it only compares
    result = compare("--gate", "rate:-5%", expect=24)
    assert "AI tasks: 2 lost, 0 done twice, of which no gate allows any" in result.out


def test_baseline_gates_a_run(pgdeck, pair, tmp_path):  # noqa: F811
    out = tmp_path / "out"
    fast = write_run(tmp_path / "fast", 1)
    data = json.loads((fast / "results.json").read_text())
    data["queries"] = [{"name": "count", "after": {"median_ms": 1e-3, "p95_ms": 1e-3}}]
    data["suites"] = []
    (fast / "results.json").write_text(json.dumps(data))
    # By a rate that is given the same requests are due in each run.
    args = "--query", "count", "--pairs", "1", "--block-ms", "5", "--rate", "400"
    result = bench(pgdeck, pair, *args, "--output", out, "--baseline", fast, "--gate", "p95:+5%",
                   expect=24)
    assert "count" in result.out and "gate allows" in result.err and out.exists()
    work, = json.loads((out / "results.json").read_text())["suites"][0]["works"]
    assert work["after"]["done"] > 0
    itself = bench(pgdeck, pair, *args, "--output", out, "--baseline", out / "results.json",
                   "--gate", "p95:+5%")
    assert itself.code == 64 and "would replace the baseline" in itself.err
    bench(pgdeck, pair, *args, "--output", tmp_path / "again", "--baseline", out, "--gate",
          "p95:+100000%", expect=0)
    assert bench(pgdeck, pair, *args, "--gate", "p95:+5%").code == 64
    refused = bench(pgdeck, pair, *args, "--output", tmp_path / "x", "--baseline", tmp_path / "no",
                    "--gate", "p95:+5%")
    assert refused.code == 21 and not os.path.exists(tmp_path / "x")
