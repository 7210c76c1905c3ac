# SPDX-License-Identifier: MIT
"""pgdeck bench --stock: a private server with PostgreSQL's defaults and a copy of the data."""

import json
import os
import subprocess

import pytest

from test_bench import check_page, quote_name, yaml

pytestmark = pytest.mark.short(15)

SCHEMA = """
CREATE TABLE projects (id serial PRIMARY KEY, name text NOT NULL UNIQUE);
CREATE TABLE tasks (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project int NOT NULL REFERENCES projects,
    "odd ""name" text,
    twice int GENERATED ALWAYS AS (project * 2) STORED
);
CREATE TABLE urgent_tasks (until date) INHERITS (tasks);
CREATE INDEX later_for_the_deck_alone ON tasks ("odd ""name");
"""
DATA = """
INSERT INTO projects (name) SELECT 'p' || i FROM generate_series(1, 50) AS i;
INSERT INTO tasks (project, "odd ""name")
SELECT 1 + i % 50, E'tab\\there \\\\ ' || i FROM generate_series(1, 20000) AS i;
INSERT INTO urgent_tasks (id, project) OVERRIDING SYSTEM VALUE SELECT i, 1 FROM generate_series(1, 30) AS i;
CREATE INDEX ON tasks (project);
CREATE SCHEMA elsewhere;
CREATE TABLE elsewhere.mine (id int);
"""
NAMES = ["stock 'a'", "stock/b"]


@pytest.fixture
def deck(server, tmp_path):
    """Two databases of one environment."""
    folder = tmp_path / "deck"
    (folder / "workload").mkdir(parents=True)
    (folder / "schema.sql").write_text(SCHEMA)
    (folder / "workload" / "one.sql").write_text(
        '-- name: by_project\n-- class: lookup\n-- $1 project integer: SELECT id FROM projects WHERE id < 3\n'
        'SELECT id, "odd ""name", twice FROM tasks WHERE project = $1;\n')
    (folder / "deck.yaml").write_text(f"""deck: stock
servers:
  main: {{conninfo: {yaml(server.conninfo())}, memory: 1GB, cpus: 2}}
environments:
  test: {{server: main, memory: 512MB, max_connections: 20}}
databases:
  {yaml(NAMES[0])}: {{environment: test, workload: workload, schema: schema.sql}}
  {yaml(NAMES[1])}: {{environment: test, workload: workload}}
""")
    for name in NAMES:
        server.query(f"CREATE DATABASE {quote_name(name)}")
        server.query(SCHEMA + DATA, dbname=name)
    yield folder / "deck.yaml"
    for name in NAMES:
        server.query(f"DROP DATABASE {quote_name(name)}")


@pytest.fixture
def env(server):
    """The server's own programs are what pgdeck finds."""
    return {"PGDECK_PG_BINDIR": str(server.bin)}


def test_stock_has_the_data_and_nothing_else(pgdeck, deck, env, tmp_path):
    out = tmp_path / "out"
    result = pgdeck("bench", "--deck", deck, "--stock", "--database", NAMES[0], "--pairs", "3",
                    "--block-ms", "40", "--output", out, timeout=120, env=env, expect=0)
    data = json.loads((out / "results.json").read_text())
    query = data["queries"][0]
    assert query["results"]["equality"] == "equal" and query["results"]["compared"] > 0
    assert query["after"]["indexes"] == ["tasks_project_idx"] and query["before"]["indexes"] == []
    where = data["where"]
    assert where["before"]["tables"] == 3 and where["after"]["tables"] == 4
    assert where["before"]["indexes"] == 3 and where["after"]["indexes"] == 5
    assert where["before"]["version"] == where["after"]["version"]
    settings = {s["name"]: s["before"] for s in where["settings_that_differ"]}
    assert settings["shared_buffers"] == "128MB"
    assert "stock" in result.out and "stock" in check_page(out / "report.html")
    assert "bench-stock" not in pgdeck("status").out


def test_environment_means_all_its_databases(pgdeck, deck, env, tmp_path):
    out = tmp_path / "out"
    text = deck.read_text().replace("workload: workload}", "workload: workload, schema: schema.sql}")
    deck.write_text(text)
    pgdeck("bench", "--deck", deck, "--stock", "--environment", "test", "--pairs", "1",
           "--block-ms", "5", "--output", out, timeout=120, env=env, expect=0)
    assert {f.name for f in out.iterdir()} == {"stock 'a'", "stock%2Fb"}
    for folder in out.iterdir():
        check_page(folder / "report.html")


def test_refused_before_anything_is_made(pgdeck, deck, env, tmp_path):
    def run(*args):
        result = pgdeck("bench", "--deck", deck, "--pairs", "1", "--output", tmp_path / "out", *args,
                        timeout=60, env=env)
        assert not (tmp_path / "out").exists() and "bench-stock" not in pgdeck("status").out
        return result.code, result.err

    code, err = run("--stock", "--before", "host=x", "--database", NAMES[0])
    assert code == 64 and "exclude" in err
    code, err = run("--database", NAMES[0])
    assert code == 64 and "--stock" in err
    code, err = run("--stock", "--database", NAMES[1])
    assert code == 10 and "schema" in err and "deck.yaml:" in err
    # Of several databases the last is looked at before the first is measured.
    code, err = run("--stock", "--environment", "test")
    assert code == 10 and "stock/b" in err and "schema" in err and "deck.yaml:" in err
    code, err = run("--stock", "--environment", "tset")
    assert code == 64 and "tset" in err
    # Nothing was copied: the server asked is the deck's, not the one that would be made.
    code, err = run("--stock", "--ai", "--database", NAMES[0])
    assert code == 22 and 'server "deck" has no AI tasks' in err and "--ai" in err
    query = deck.parent / "workload" / "wrong.sql"
    query.write_text("-- name: wrong\n-- class: lookup\nSELECT nothing FROM tasks;\n")
    code, err = run("--stock", "--database", NAMES[0])
    assert 'on server "deck"' in err and "wrong.sql:3" in err
    query.unlink()
    code, err = run("--stock", "--database", "stock/c")
    assert code == 64 and "stock/b" in err


def test_the_suites_write_on_both_servers(pgdeck, server, deck, env, tmp_path):
    """Room for one of them is not enough where both are on one file system."""
    state = tmp_path / "state"
    state.mkdir()
    space = os.statvfs(state)
    scale = int(space.f_bavail * space.f_frsize / 2**20 * 0.7 / 40)
    if os.stat(server.data).st_dev != os.stat(state).st_dev or scale > 100000:
        pytest.skip("state folder and servers are on two file systems, or with 5 TB free")
    result = pgdeck("bench", "--deck", deck, "--stock", "--pgbench", "--scale", scale,
                    "--database", NAMES[0], env={**env, "PGDECK_STATE_DIR": str(state)})
    assert result.code == 16 and "MB are free" in result.err and "PGDECK_STATE_DIR" in result.err


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")
def test_too_little_space_is_said_first(pgdeck, deck, env, tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=50m,mode=700", "tmpfs", small], check=True)
    try:
        result = pgdeck("bench", "--deck", deck, "--stock", "--database", NAMES[0],
                        env={**env, "PGDECK_STATE_DIR": str(small)})
        assert result.code == 16 and "MB are free" in result.err
    finally:
        subprocess.run(["umount", small], check=True)
