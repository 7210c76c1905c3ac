# SPDX-License-Identifier: MIT
"""Parameters that the deck sets itself: they win over the rules, and are checked before anything
is touched."""

import json
import re

import psycopg
import pytest

from cluster import SOURCE

DECK = """
deck: own
advisors: [schema, settings]
servers:
  main: {conninfo: "CONNINFO", memory: 1GB, cpus: 4, storage: nvme, settings: {SERVER}}
environments:
  blue: {server: main, memory: 256MB, max_connections: 20, settings: {BLUE}}
  green: {server: main, memory: 768MB, max_connections: 30}
databases:
  blue_one: {environment: blue}
  green_one: {environment: green}
"""


@pytest.fixture
def write(tmp_path, fresh_server):
    """write(server="...", blue="..."): the path of a deck with these settings."""
    quoted = fresh_server.conninfo().replace("\\", "\\\\").replace('"', '\\"')

    def write_deck(server="", blue="", text=DECK):
        path = tmp_path / "deck.yaml"
        path.write_text(text.replace("CONNINFO", quoted).replace("SERVER", server)
                        .replace("BLUE", blue))
        return path
    return write_deck


def plan(pgdeck, deck):
    return json.loads(pgdeck("plan", "-d", deck, "--json", expect=0).out)


def shown(server, dbname, name):
    return server.value(f"SHOW {name}", dbname=dbname)


def test_the_deck_wins_over_the_rules(pgdeck, write, fresh_server):
    deck = write("shared_buffers: 100MB, Random_Page_Cost: 2.5, wal_level: logical, "
                 "work_mem: 6144kB, log_destination: stderr, search_path: ['$user', public, 'a b']",
                 "work_mem: 0.005GB, statement_timeout: 2min, jit: y, "
                 "deadlock_timeout: 1500 ms, gin_pending_list_limit: 0x1000")
    changes = {change["key"]: change for change in plan(pgdeck, deck)["changes"]}
    line = next(number for number, text in enumerate(deck.read_text().splitlines(), 1)
                if "shared_buffers" in text)
    why = changes["setting shared_buffers"]["why"]
    assert why.startswith(f"the deck says so (line {line}); pgdeck would take 256MB: 25 % of 1GB")
    pgdeck("apply", "-d", deck, "--yes", "--restart", expect=0)
    assert {name: shown(fresh_server, "postgres", name) for name in (
        "shared_buffers", "random_page_cost", "wal_level", "work_mem", "search_path")} == {
            "shared_buffers": "100MB", "random_page_cost": "2.5", "wal_level": "logical",
            "work_mem": "6MB", "search_path": '"$user", public, "a b"'}
    assert {name: shown(fresh_server, "blue_one", name) for name in (
        "work_mem", "statement_timeout", "jit", "deadlock_timeout", "gin_pending_list_limit")} == {
            "work_mem": "5MB", "statement_timeout": "2min", "jit": "on",
            "deadlock_timeout": "1500ms", "gin_pending_list_limit": "4MB"}
    assert shown(fresh_server, "green_one", "work_mem") == "6MB"
    own = fresh_server.query("SELECT datname FROM pg_db_role_setting, unnest(setconfig) AS c, "
                             "pg_database AS d WHERE d.oid = setdatabase AND c LIKE 'work_mem=%'")
    assert own == [("blue_one",)]  # the others have the server's
    assert "Nothing to do" in pgdeck("plan", "-d", deck, "--detailed-exitcode", expect=0).out


def test_tune_says_that_it_is_the_decks(pgdeck, write):
    deck = write("shared_buffers: 100MB", "work_mem: 5MB, statement_timeout: 2min")
    out = json.loads(pgdeck("tune", "-d", deck, "--json", expect=0).out)["servers"][0]["settings"]
    rows = {(row["environment"], row["name"]): row for row in out}
    assert rows[None, "shared_buffers"]["proposed"] == "100MB"
    assert rows["blue", "work_mem"]["why"].startswith("the deck says so (line ")
    assert rows["blue", "statement_timeout"]["proposed"] == "2min"
    assert ("green", "statement_timeout") not in rows or \
        rows["green", "statement_timeout"]["proposed"] is None
    assert "the deck says so" in pgdeck("tune", "-d", deck, "--explain", "shared_buffers",
                                        expect=0).out


def test_the_decks_memory_is_only_warned_of(pgdeck, write):
    notes = [note["text"] for note in plan(pgdeck, write("", "work_mem: 200MB"))["notes"]]
    assert any(text.startswith("Expected memory is ") and
               "8 connections of blue x 200MB" in text for text in notes), notes
    deck = write("shared_buffers: 1020MB")
    notes = [note["text"] for note in plan(pgdeck, deck)["notes"]]
    assert any("Expected memory is " in text and "shared_buffers 1020MB" in text for text in notes)


def test_a_database_that_has_its_own_follows_the_deck(pgdeck, write, fresh_server):
    fresh_server.query("CREATE DATABASE green_one")
    fresh_server.query("ALTER DATABASE green_one SET random_page_cost = 3")
    fresh_server.query("ALTER DATABASE green_one SET work_mem = '9MB'")
    deck = write("work_mem: 7MB")
    pgdeck("apply", "-d", deck, "--yes", "--restart", expect=0)
    assert shown(fresh_server, "green_one", "work_mem") == "7MB"


def test_another_version_than_the_decks_is_refused(pgdeck, write, pg_version):
    other = 17 if pg_version != 17 else 16
    text = DECK.replace("memory: 1GB,", f"memory: 1GB, version: {other},")
    result = pgdeck("plan", "-d", write(text=text), expect=10)
    assert f"is PostgreSQL {pg_version}, and the deck says {other}" in result.err
    assert "Change servers.main.version" in result.err


LIVE = [
    ("io_uring" and "io_method: io_uring", "", r"io_method: "),
    ("default_tablespace: nowhere", "", r"default_tablespace: .*nowhere"),
    ("", "default_text_search_config: klingon", r"default_text_search_config: .*klingon"),
    ("lc_messages: xx_XX.UTF-8", "", r"lc_messages: .*invalid value"),
    ("DateStyle: 'tomorrow'", "", r"DateStyle: .*invalid value"),
    ("TimeZone: Mars/Olympus", "", r"TimeZone: .*invalid value"),
    ("max_stack_depth: 1TB", "", r"max_stack_depth: "),
]


@pytest.mark.parametrize("server, blue, message", LIVE)
def test_what_this_server_does_not_take_is_refused(pgdeck, write, fresh_server, server, blue,
                                                   message):
    before = fresh_server.query("SELECT name, setting FROM pg_settings ORDER BY 1")
    result = pgdeck("apply", "-d", write(server, blue), "--yes", expect=10)
    assert re.search(r"deck\.yaml:\d+:\d+: error: (server \S+ )?(servers\.main|environments\.blue)"
                     r"\.settings\." + message, result.err), result.err
    assert fresh_server.query("SELECT name, setting FROM pg_settings ORDER BY 1") == before
    assert not fresh_server.query("SELECT FROM pg_database WHERE datname = 'blue_one'")


SAMPLE = re.compile(r'^    \{"(\w+)", "([^"]*)", (NULL|"[^"]*")\},', re.M)


def test_values_are_judged_as_the_server_judges_them(fresh_server):
    """The samples of the unit test that says what pgdeck takes."""
    samples = SAMPLE.findall((SOURCE / "tests/unit/settings/test_verify.c").read_text())
    assert len(samples) > 40
    for name, value, fault in samples:
        if value == "lz4":
            continue  # depends on how the server was built
        try:
            fresh_server.query(f"ALTER SYSTEM SET {name} = '{value}'")
            is_taken = True
        except psycopg.Error:
            is_taken = False
        assert is_taken == (fault == "NULL"), (name, value)
