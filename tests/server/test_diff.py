# SPDX-License-Identifier: MIT
"""pgdeck diff: how two environments differ on their servers, and why."""

import json
import re

import pytest

DECK = """
deck: compared
advisors: [security, schema, index, settings]
servers:
  first: {conninfo: "FIRST", memory: 1GB, cpus: 4, storage: nvme}
  second: {conninfo: "SECOND", memory: 2GB, cpus: 4, storage: nvme}
environments:
  blue:
    server: first
    memory: 512MB
    max_connections: 30
    logging: balanced
    pools: {web: {max: 5, query_timeout: 60s}, jobs: {max: 4}}
  green:
    server: GREEN
    memory: 512MB
    max_connections: 30
    logging: balanced
    pools: {web: {max: 5, query_timeout: 60s}, jobs: {max: 4}}
databases:
  blue_jobs: {environment: blue, services: [jobs]}
  blue_web: {environment: blue, services: [web]}
  green_web: {environment: green, services: [web]}
  green_jobs: {environment: green, services: [jobs]}
schema: schema.sql
indexes: indexes.sql
"""
SCHEMA = """
CREATE TABLE task (id bigint PRIMARY KEY, state text NOT NULL DEFAULT 'new');
CREATE TABLE audit_log (at timestamptz, what text);
CREATE VIEW open_tasks AS SELECT id FROM task WHERE state <> 'done';
"""
TIME = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC"
SAME, DIFFERENT = 0, 2


def write_deck(folder, first, second=None):
    """Without a second server both environments are on the first one."""
    text = DECK.replace("GREEN", "second" if second else "first")
    if second is None:
        text = re.sub(r"(?m)^  second:.*\n", "", text)
    for name, server in (("FIRST", first), ("SECOND", second)):
        if server:
            text = text.replace(name, server.conninfo().replace("\\", "\\\\").replace('"', '\\"'))
    (folder / "deck.yaml").write_text(text)
    (folder / "schema.sql").write_text(SCHEMA)
    (folder / "indexes.sql").write_text("CREATE INDEX task_state ON task (state);")
    return folder / "deck.yaml"


@pytest.fixture
def one(pgdeck, fresh_server, tmp_path):
    deck = write_deck(tmp_path, fresh_server)
    pgdeck("apply", "-d", deck, "--yes", "--restart", expect=0)
    return fresh_server, deck


@pytest.fixture
def two(pgdeck, make_server, pg_version, tmp_path):
    servers = make_server(pg_version), make_server(pg_version)
    deck = write_deck(tmp_path, *servers)
    pgdeck("apply", "-d", deck, "--yes", "--restart", expect=0)
    return *servers, deck


def differences(pgdeck, deck, code=DIFFERENT, left="blue", right="green"):
    """{(kind, name): item}"""
    found = json.loads(pgdeck("diff", "-d", deck, left, right, "--json", expect=code).out)
    return {(item["kind"], item["name"]): item for item in found["differences"]}


def test_alike(pgdeck, one):
    _server, deck = one
    assert differences(pgdeck, deck, SAME) == {}
    out = pgdeck("diff", "-d", deck, "blue", "green", expect=SAME).out
    assert "Both are on one server" in out and out.endswith("\nNo difference\n")
    found = json.loads(pgdeck("diff", "-d", deck, "blue", "green", "--json", expect=SAME).out)
    assert found["databases"] == [["blue_jobs", "green_jobs"], ["blue_web", "green_web"]]
    assert differences(pgdeck, deck, SAME, "blue", "blue") == {}


def test_settings_with_the_rule_and_its_figures(pgdeck, two):
    first, second, deck = two
    found = differences(pgdeck, deck)
    buffers = found["server setting", "shared_buffers"]
    assert (buffers["left"], buffers["right"]) == ("256MB", "512MB")
    assert buffers["left_why"].startswith("25 % of 1GB (the server's memory)")
    assert re.search(r"25 % of 2GB .*; set in: /\S+pgdeck\.conf:\d+$", buffers["right_why"])
    assert ("server setting", "port") not in found
    deck.write_text(deck.read_text().replace("memory: 512MB", "memory: 1GB", 1))
    deck.write_text(deck.read_text().replace("logging: balanced", "logging: minimal"))
    pgdeck("apply", "-d", deck, "--yes", "--database", "blue_web", expect=0)
    duration = differences(pgdeck, deck)["database setting", "log_min_duration_statement"]
    assert duration["left_database"] == "blue_web" and duration["left"] == "1s"
    assert duration["right_why"].startswith("not applied yet: the deck says 1s (logging is minimal)")
    deck.write_text(deck.read_text().replace("logging: minimal", "logging: verbose", 1))
    deck.write_text(deck.read_text().replace("logging: minimal", "logging: balanced", 1))
    pgdeck("apply", "-d", deck, "--yes", "--restart", expect=0)
    found = differences(pgdeck, deck)
    duration = found["database setting", "log_min_duration_statement"]
    assert (duration["left"], duration["right"]) == ("100ms", "500ms")
    assert duration["left_why"] == "logging is verbose; set in: database"
    assert "of 1GB (its share)" in found["database setting", "work_mem"]["left_why"]
    out = pgdeck("diff", "-d", deck, "blue", "green", expect=DIFFERENT).out
    assert "log_min_duration_statement (2 pairs of databases)\n    blue: 100ms  logging is verb" in out
    # by the deck's own settings
    deck.write_text(deck.read_text().replace("    logging: verbose\n", "    logging: verbose\n"
                    "    settings: {work_mem: 3MB, from_collapse_limit: 5}\n"))
    pgdeck("apply", "-d", deck, "--yes", "--restart", expect=0)
    found = differences(pgdeck, deck)
    assert found["database setting", "work_mem"]["left"] == "3MB"
    assert "deck" in found["database setting", "work_mem"]["left_why"]
    assert (found["database setting", "from_collapse_limit"]["left"],
            found["database setting", "from_collapse_limit"]["right"]) == ("5", "8")
    # by hand
    second.query("ALTER SYSTEM SET random_page_cost = 3")
    second.query("SELECT pg_reload_conf()")
    second.query("ALTER DATABASE green_web SET work_mem = '1GB'")
    second.query("ALTER DATABASE green_web SET search_path = hidden")
    first.query("ALTER ROLE blue_web_a SET statement_timeout = '5s'")
    found = differences(pgdeck, deck)
    cost = found["server setting", "random_page_cost"]
    assert cost["left_why"].startswith("what a page read at random costs")
    assert re.match(rf"changed by hand: pgdeck set 1\.1 on {TIME}, now it is 3 \(.*; the deck says 1",
                    cost["right_why"])
    memory = found["database setting", "work_mem"]
    assert memory["right"] == "1GB" and memory["right_database"] == "green_web"
    assert "by ALTER DATABASE" in memory["right_why"]
    path = found["database setting", "search_path"]
    assert path["right"] == "hidden" and path["right_why"] == "set in: database"
    timeout = found["role setting", "statement_timeout of login web"]
    assert (timeout["left"], timeout["right"]) == ("5s", "60s")
    assert timeout["right_why"] == "its pool: at most 5, query_timeout 1min"


@pytest.mark.pg(min=18)
def test_two_versions(pgdeck, make_server, pg_version, tmp_path):
    deck = write_deck(tmp_path, make_server(15), make_server(pg_version))
    pgdeck("apply", "-d", deck, "--yes", "--restart", expect=0)
    found = differences(pgdeck, deck)
    assert found["server setting", "io_method"]["left"] is None
    assert found["server setting", "io_method"]["left_why"] == "this version does not have it"
    assert found["server setting", "effective_io_concurrency"]["right_why"] != ""
    others = {key: item for key, item in found.items() if not key[0].endswith("setting")}
    assert others == {}


def test_objects_with_what_the_journal_knows(pgdeck, one):
    server, deck = one
    server.query("DROP INDEX task_state", dbname="green_web")
    server.query("ALTER TABLE task ADD note text", dbname="blue_web")
    server.query("ALTER TABLE task ALTER state SET DEFAULT 'old'", dbname="green_web")
    server.query("CREATE TABLE by_hand (id int PRIMARY KEY)", dbname="green_jobs")
    server.query("CREATE EXTENSION pg_trgm", dbname="green_jobs")
    server.query("CREATE OR REPLACE VIEW open_tasks AS SELECT id FROM task WHERE state = 'new'",
                 dbname="blue_web")
    server.query("CREATE FUNCTION double(int) RETURNS int LANGUAGE sql AS 'SELECT $1 * 2'",
                 dbname="blue_web")
    server.query("GRANT SELECT ON task TO PUBLIC", dbname="green_web")
    server.query("DROP TABLE audit_log", dbname="green_jobs")
    found = differences(pgdeck, deck)
    index = found["index", "public.task_state"]
    assert index["right"] is None and index["left"] == "USING btree (state) on task"
    assert re.fullmatch(rf"pgdeck made it on {TIME}; it was dropped since", index["right_why"])
    assert re.fullmatch(rf"pgdeck made it on {TIME}", index["left_why"])
    assert found["column", "public.task.note"]["left"] == "text"
    state = found["column", "public.task.state"]
    assert (state["left"], state["right"]) == ("text not null default 'new'::text",
                                               "text not null default 'old'::text")
    table = found["table", "public.by_hand"]
    assert (table["left"], table["right"]) == (None, "plain")
    assert table["right_why"] == "not made by pgdeck"
    assert table["left_why"] == "pgdeck never made it here"
    assert found["extension", "pg_trgm"]["left"] is None
    assert found["view", "public.open_tasks"]["left"] != found["view", "public.open_tasks"]["right"]
    assert ("function", "public.double(integer)") in found
    rights = found["rights", "table public.task"]
    assert "all=r" in rights["right"] and "all=r" not in rights["left"]
    assert "owner=" in rights["left"] and "blue_owner" not in rights["left"]
    assert found["table", "public.audit_log"]["right"] is None
    assert {key for key in found if "by_hand" in key[1] or "audit_log" in key[1]} == {
        ("table", "public.by_hand"), ("table", "public.audit_log")}  # and not their columns
    assert len(found) == 9, sorted(found)


def test_roles(pgdeck, two):
    first, second, deck = two
    second.query("ALTER ROLE green_web_a CONNECTION LIMIT 50")
    second.query("CREATE ROLE stranger SUPERUSER")
    first.query("ALTER ROLE blue_jobs_a NOLOGIN")
    found = differences(pgdeck, deck)
    web = found["role", "login web"]
    assert web["left"].startswith("login, at most 5 connections, member of service web")
    assert "at most 50 connections" in web["right"] and web["right_why"].startswith("its pool: at")
    assert found["role", "stranger"]["left"] is None
    assert found["role", "stranger"]["right"] == "no login, superuser"
    assert found["role", "login jobs"]["left"].startswith("no login")
    assert {name for kind, name in found if kind == "role"} == {"login web", "stranger", "login jobs"}


def test_databases_that_are_not_there(pgdeck, one):
    server, deck = one
    server.query("DROP DATABASE green_web")
    found = differences(pgdeck, deck)
    assert found["database", "blue_web"]["right"] is None
    assert found["database", "blue_web"]["right_why"] == "not created yet, or dropped by hand"
    deck.write_text(re.sub(r"(?m)^  green_web:.*\n", "", deck.read_text()))
    assert differences(pgdeck, deck)["database", "blue_web"]["right_why"] == \
        "the deck has none for it"


def test_bad_operands(pgdeck, one):
    _server, deck = one
    assert 'Did you mean "green"?' in pgdeck("diff", "-d", deck, "blue", "gren", expect=64).err
    assert "two environments" in pgdeck("diff", "-d", deck, "blue", expect=64).err
