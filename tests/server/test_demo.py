# SPDX-License-Identifier: MIT
"""pgdeck demo: runs through, and leaves nothing behind however it ends."""

import json
import os
import re
import signal
import subprocess
import urllib.request
from pathlib import Path

import psycopg
import pytest

from cluster import SOURCE, wait_for

DECK = """
deck: tiny
servers:
  main: {conninfo: "host=127.0.0.1 user=deck_admin dbname=postgres", memory: 1GB, cpus: 2}
environments:
  small: {server: main, memory: 128MB, max_connections: 20}
  big:
    server: main
    memory: 512MB
    max_connections: 20
    targets: {query_p95: 500ms}
databases:
  tiny_small: {environment: small}
  tiny_big: {environment: big}
schema: schema.sql
indexes: indexes.sql
workload: workload
"""
FILES = {
    "deck.yaml": DECK,
    "schema.sql": "CREATE TABLE item (id bigint PRIMARY KEY, made timestamptz, tag integer);\n",
    "indexes.sql": "CREATE INDEX item_tag_idx ON item (tag);\n",
    "data.sql": """
INSERT INTO item SELECT i, current_setting('pgdeck.now')::timestamptz, i % 1000
  FROM generate_series(1, 20000 * current_setting('pgdeck.size')::integer) i;
""",
    "load/by_tag.sql": """-- what a test's application does
-- weight: 3
\\set tag random(1, 1000)
SELECT count(*) FROM item WHERE tag = :tag;
""",
    "workload/by_tag.sql": """-- name: by_tag
-- class: lookup
-- $1 tag integer: SELECT DISTINCT tag FROM item ORDER BY tag LIMIT 50
SELECT count(*) FROM item WHERE tag = $1;
""",
}


@pytest.fixture
def tiny(tmp_path):
    folder = tmp_path / "tiny"
    (folder / "workload").mkdir(parents=True)
    (folder / "load").mkdir()
    for name, text in FILES.items():
        (folder / name).write_text(text)
    return folder / "deck.yaml"


@pytest.fixture
def demo(pgdeck, server_bin):
    """demo(*args): a running demo; what it left is removed after the test."""
    env = {"PGDECK_PG_BINDIR": str(server_bin(15))}

    def start(*args, **more):
        return pgdeck.start("demo", "--quick", "--size", "1", *args, env={**env, **more})

    yield start
    pgdeck.end()
    pgdeck("down", "--all", "--destroy", "--yes", expect=0)


def state(pgdeck):
    return pgdeck.home / "state" / "pgdeck"


def processes(pgdeck):
    """Whatever runs below this pgdeck's home or with it in its arguments."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            words = (entry / "cmdline").read_bytes()
            folder = os.readlink(entry / "cwd")
        except OSError:
            continue
        if str(pgdeck.home).encode() in words or folder.startswith(f"{pgdeck.home}/"):
            found.append((entry.name, words))
    return found


def remains(pgdeck):
    folder = state(pgdeck) / "servers"
    if not folder.exists():
        return []
    return [path.name for path in folder.iterdir() if path.name != ".lock"]


def watched(url):
    """{database: whether it is reached} once all were asked; None before."""
    with urllib.request.urlopen(f"{url}data/overview", timeout=5) as response:
        text = response.read()
    databases = [one for environment in json.loads(text)["environments"]
                 for one in environment["databases"]] if text else []
    if not databases or not all(one["was_asked"] for one in databases):
        return None
    return {one["name"]: one["is_reachable"] for one in databases}


def read_until(process, text):
    """Reads the demo's progress up to a line that holds text."""
    seen = ""
    for line in process.stderr:
        seen += line
        if text in line:
            return seen
    raise AssertionError(f"no {text} in:\n{seen}\n{process.stdout.read()}")


def show(pgdeck):
    return json.loads(pgdeck("status", "--json", expect=0).out)


def test_the_shipped_deck_runs_through(pgdeck, demo):
    process = demo("--keep")
    out, err = process.communicate(timeout=280)
    assert process.returncode == 0, err
    plan, _, table = out.partition("Nothing to do")
    assert "create table ai_tasks" in plan
    for query in ("dashboard", "model_analytics", "json_containment", "full_text", "service_logs"):
        assert f"\n{query} " in table
    assert "results differ" not in table and " errors" not in table
    report = state(pgdeck) / "demo" / "report"
    assert f"report: {report}/report.html" in out
    assert (report / "report.html").stat().st_size > 10_000
    results = json.loads((report / "results.json").read_text())
    assert results["database"] == "saascontrol_prod_pro1"
    assert "... in saascontrol_dev_pro1  refused\n0 fail, " in table
    assert re.search(r"\n36 policies: \d\.\d\d times the time without", table)
    all_of_the_security_is_on(pgdeck, table)
    services_come_through_the_pool(pgdeck, out)
    pgdeck("down", "--all", "--destroy", "--yes", expect=0)
    assert processes(pgdeck) == [] and remains(pgdeck) == []


def services_come_through_the_pool(pgdeck, out):
    """The load is the services', and so each environment's p95 is the pool's and no estimate."""
    url = re.search(r"^Dashboard: +(http://127\.0\.0\.1:\d+/)$", out, re.M)[1]

    def read(name):
        with urllib.request.urlopen(f"{url}data/{name}", timeout=5) as response:
            return json.loads(response.read() or "null")

    def p95s():
        return {one["environment"]: target["now"] for one in read("overview")["environments"]
                for target in one["targets"]
                if target["name"] == "query_p95" and not target["is_estimate"]}

    wait_for(lambda: len(p95s()) == 3 and all(p95s().values()), 60, "the pool's p95")
    (source,) = read("pools")["sources"]
    services = {(pool["database"], pool["service"]) for pool in source["pools"]}
    assert source["error"] is None and ("saascontrol_prod_pro2", "ai_service") in services
    for log in (state(pgdeck) / "demo").glob("load-*.log"):
        assert "error" not in log.read_text().lower(), log


def all_of_the_security_is_on(pgdeck, out):
    """TLS with verify-full, SCRAM, a role for each service, hba from the deck, row security."""
    conninfo = re.search(r"with TLS:\n  psql '(host=127.*)'\n", out)[1]
    assert "sslmode=verify-full" in conninfo and "user=production_api_gateway_a" in conninfo
    (project,), = psycopg.connect(
        {server["name"]: server for server in show(pgdeck)}["demo-deck"]["conninfo"],
        dbname="saascontrol_prod_pro1").execute("SELECT project_id FROM ai_tasks LIMIT 1").fetchall()
    count = "SELECT count(*), count(DISTINCT project_id) FROM ai_tasks"
    with psycopg.connect(conninfo) as service:
        assert service.execute("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
                               ).fetchone() == (True,)
        assert service.execute(count).fetchone() == (0, 0)
        service.execute("SELECT set_config('app.tenant', %s, true)", [str(project)])
        rows, projects = service.execute(count).fetchone()
        assert rows > 0 and projects == 1
    for change in ({"user": "production_ai_service_a"}, {"dbname": "saascontrol_stage_pro1"}):
        with pytest.raises(psycopg.OperationalError, match="pg_hba.conf rejects"):
            psycopg.connect(psycopg.conninfo.make_conninfo(conninfo, **change))
    with pytest.raises(psycopg.OperationalError, match="certificate"):
        psycopg.connect(psycopg.conninfo.make_conninfo(conninfo, host="localhost",
                                                       sslrootcert=os.devnull))
    listed = json.loads(pgdeck("security", "-d", state(pgdeck) / "demo" / "deck.yaml",
                               "--json").out)
    assert listed["fail"] == listed["unknown"] == 0
    assert {item["item"] for item in listed["items"] if item["state"] == "warn"} <= {"tenants"}


def test_keep_leaves_servers_and_a_deck_to_go_on_with(pgdeck, demo, tiny, server_bin, pg_version):
    process = demo("--keep", "--deck", tiny, PGDECK_PG_BINDIR=str(server_bin(pg_version)))
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    servers = {server["name"]: server for server in show(pgdeck)}
    assert {name: one["state"] for name, one in servers.items()} == {
        "demo-deck": "running", "demo-stock": "running"}
    plan = re.search(r"^Change the deck and go on: +(.+)$", out, re.M)[1]
    subprocess.run(["sh", "-c", f"{plan} --detailed-exitcode"], check=True, env=pgdeck.environment({}))

    psql = [line.split(maxsplit=1)[1] for line in out.splitlines() if " psql 'host=" in line]
    rows = [subprocess.run(["sh", "-c", f"{line} -XAtc 'SELECT count(*), min(made) FROM item'"],
                           text=True, capture_output=True, check=True).stdout for line in psql]
    assert len(rows) == 2 and rows[0] == rows[1] and rows[0].startswith("20000|")
    indexes = "SELECT count(*) FROM pg_indexes WHERE tablename = 'item'"
    counts = []
    for name in ("demo-stock", "demo-deck"):
        conninfo = psycopg.conninfo.make_conninfo(servers[name]["conninfo"], dbname="tiny_big")
        with psycopg.connect(conninfo) as connection:
            counts.append(connection.execute(indexes).fetchone()[0])
    assert counts == [1, 2]
    with psycopg.connect(servers["demo-deck"]["conninfo"], dbname="tiny_small") as connection:
        assert connection.execute("SELECT count(*) FROM item").fetchone() == (20000,)

    url = re.search(r"^Dashboard: +(http://127\.0\.0\.1:\d+/)$", out, re.M)[1]
    databases = wait_for(lambda: watched(url), 60, "databases on the dashboard")
    assert databases == {"tiny_small": True, "tiny_big": True}
    with psycopg.connect(servers["demo-deck"]["conninfo"], autocommit=True) as connection:
        # autocommit: a transaction sees pg_stat_activity as it was at first.
        busy = """SELECT DISTINCT datname FROM pg_stat_activity
                   WHERE application_name = 'load' AND query LIKE '%FROM item WHERE tag%'"""
        loaded = set()
        wait_for(lambda: loaded.update(connection.execute(busy).fetchall())
                 or loaded == {("tiny_big",), ("tiny_small",)}, 60, "load in both databases")

    pgdeck("down", "--all", expect=0)
    assert processes(pgdeck) == []
    with pytest.raises(OSError):
        urllib.request.urlopen(url, timeout=5)


@pytest.mark.parametrize("step", range(1, 9))
def test_interrupted_in_each_step(pgdeck, demo, tiny, step):
    process = demo("--deck", tiny)
    read_until(process, f"[{step}/8]")
    if step == 2:
        wait_for(lambda: list((state(pgdeck) / "servers").glob("*/data/global")), 20, "initdb")
    for _ in range(3):  # an impatient user on a terminal: the whole group gets each
        os.killpg(process.pid, signal.SIGINT)
    _out, err = process.communicate(timeout=60)
    assert process.returncode == 130 and "interrupted" in err
    assert processes(pgdeck) == [] and remains(pgdeck) == []


def test_terminated_while_apply_runs(pgdeck, demo, tiny):
    """SIGTERM reaches the demo only: it passes it on."""
    process = demo("--deck", tiny)
    read_until(process, "create table")
    process.terminate()
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert processes(pgdeck) == [] and remains(pgdeck) == []


def test_killed_then_down_or_another_demo(pgdeck, demo, tiny):
    process = demo("--deck", tiny)
    read_until(process, "create table")
    process.kill()
    process.communicate(timeout=10)
    wait_for(lambda: not any(b"apply" in words for _pid, words in processes(pgdeck)), 20,
             "end of the killed demo's apply")
    assert {server["state"] for server in show(pgdeck)} == {"running"}
    deck = state(pgdeck) / "demo" / "deck.yaml"
    pgdeck("alerts", "silence", "all", "--for", "1h", "--why", "a test", "-d", deck, expect=0)
    alerts = next((state(pgdeck) / "alerts").iterdir())
    (alerts / "state.json").write_text("what was open then")
    again = demo("--deck", tiny)
    out, err = again.communicate(timeout=120)
    assert again.returncode == 0, err
    assert not {"state.json", "silences.json"} & {path.name for path in alerts.iterdir()}
    assert "\nby_tag " in out
    assert processes(pgdeck) == [] and remains(pgdeck) == []


def test_one_demo_at_a_time(demo, tiny):
    first = demo("--deck", tiny)
    read_until(first, "[2/8]")
    second = demo("--deck", tiny)
    _out, err = second.communicate(timeout=30)
    assert second.returncode == 17 and "another pgdeck demo is running" in err


def test_a_server_that_is_not_a_demos_is_left_alone(pgdeck, demo, tiny, server_bin):
    pgdeck("up", "demo-deck", env={"PGDECK_PG_BINDIR": str(server_bin(15))}, expect=0)
    process = demo("--deck", tiny)
    _out, err = process.communicate(timeout=60)
    assert process.returncode == 22 and 'server "demo-deck" is there and is not a demo\'s' in err
    assert {server["name"]: server["state"] for server in show(pgdeck)} == {
        "demo-deck": "running", "demo-stock": "stopped"}


def test_fault_in_the_data_names_its_database(pgdeck, demo, tiny):
    (tiny.parent / "data.sql").write_text("INSERT INTO item SELECT 1, now(), 1 / 0;")
    process = demo("--deck", tiny)
    _out, err = process.communicate(timeout=60)
    assert process.returncode == 20 and "tiny_big: data: division by zero" in err
    assert processes(pgdeck) == []
    assert {server["state"] for server in show(pgdeck)} == {"stopped"}


def test_bad_arguments(pgdeck, demo, tiny):
    assert pgdeck("demo", "--size", "0").code == 64
    (tiny.parent / "data.sql").unlink()
    result = pgdeck("demo", "--deck", tiny)
    assert result.code == 21 and "data.sql" in result.err
    result = pgdeck("demo", "--deck", SOURCE / "nothing.yaml")
    assert result.code == 21 and "nothing.yaml" in result.err
    result = pgdeck("demo", "--deck", tiny, "--size", "90000000")
    assert result.code == 64


def test_too_little_space(pgdeck, demo, tiny):
    result = pgdeck("demo", "--deck", tiny, "--size", "100000")
    assert result.code == 16 and "--size" in result.err


def test_shares_become_smaller_where_the_machine_has_less(pgdeck, demo, tiny):
    text = tiny.read_text()
    tiny.write_text(text.replace("memory: 1GB", "memory: 2000GB").replace("512MB", "900GB")
                    .replace("128MB", "100GB"))
    process = demo("--keep", "--deck", tiny)
    _out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    written = (state(pgdeck) / "demo" / "deck.yaml").read_text()
    server, small, big = (int(size) for size in re.findall(r"memory: (\d+)MB", written))
    assert server <= 8192 and small + big <= server and big == pytest.approx(9 * small, rel=0.01)
