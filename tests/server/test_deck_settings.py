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
    assert changes["setting wal_level"]["warning"].startswith(
        "wal_level: pgdeck would leave it at replica, since minimal ends")
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


def test_tune_refuses_what_the_server_does_not_take(pgdeck, write):
    result = pgdeck("tune", "-d", write("shared_preload_libraries: nonexist"), expect=10)
    assert 'the library "nonexist" is not installed' in result.err


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
    # every row of the table of what each of PostgreSQL's own gates lets through
    ("work_mem: 1kB", "", r"work_mem: 1kB is out of range"),
    ("wal_level: logicl", "", r'wal_level: it cannot be "logicl"'),
    ("effective_io_concurrency: 5000", "", r"effective_io_concurrency: 5000 is out of range"),
    ("wal_buffers: 4GB", "", r"wal_buffers: 4GB is out of range"),
    ("wrk_mem: 1MB", "", r"wrk_mem: PostgreSQL .* has no such parameter"),
    ("work_mem: 64mb", "", r'work_mem: "mb" has no unit that PostgreSQL knows'),
    ("wal_level: minimal", "", r"wal_level: minimal is not possible with max_wal_senders 10 "
                               r"\(as the server has it\)"),
    ("wal_level: minimal, max_wal_senders: 0, archive_mode: on", "",
     r"wal_level: minimal is not possible with archive_mode on \(line \d+\)"),
    ("superuser_reserved_connections: 60, max_connections: 60", "",
     r"superuser_reserved_connections: reserved connections, 60, leave none of max_connections 60"),
    ("max_wal_size: 31MB, min_wal_size: 31MB", "",
     r"min_wal_size: 31MB is less than two segments of the log, of 16MB each"),
    ("min_wal_size: 80MB, max_wal_size: 31MB", "",
     r"min_wal_size: 80MB is more than max_wal_size 31MB"),
    ("shared_preload_libraries: [pg_stat_statements, nonexist]", "",
     r'shared_preload_libraries: the library "nonexist" is not installed on the server'),
    ("shared_buffers: 900GB", "", r"shared_buffers: 900GB is more than all the memory of the "
                                  r"server, 1GB"),
    ("huge_pages: on", "", r"huge_pages: the host has reserved \S+ for huge pages, less than "
                           r"shared_buffers 256MB"),
    ("listen_addresses: '192.0.2.1'", "", r'listen_addresses: "192\.0\.2\.1" is no address of'),
    ("listen_addresses: [localhost, nowhere.invalid]", "",
     r'listen_addresses: "nowhere\.invalid" is no address of'),
    ("min_wal_size: 2GB, max_wal_size: 1GB", "", r"min_wal_size: 2GB is more than max_wal_size"),
    ("work_mem: 1TB", "", r"work_mem: 1TB is more than all the memory of the server"),
    ("autovacuum_work_mem: 100GB", "", r"autovacuum_work_mem: 100GB is more than all"),
    # more that keeps a server from starting
    ("", "work_mem: 2GB", r"work_mem: 2GB is more than all the memory of the server, 1GB"),
    ("session_preload_libraries: nonexist", "", r'session_preload_libraries: the library "nonexist"'),
    ("", "local_preload_libraries: nonexist", r'local_preload_libraries: the library "nonexist"'),
    ("ssl: on", "", r'ssl: the server has no file "server\.crt" \(ssl_cert_file\)'),
    ("max_connections: 200000, max_worker_processes: 100000", "",
     r"max_connections: .* come to \d+ processes"),
    ("ssl_min_protocol_version: TLSv1.3, ssl_max_protocol_version: TLSv1.2", "",
     r"ssl_min_protocol_version: TLSv1\.3 is later than ssl_max_protocol_version TLSv1\.2"),
    # what only the server's own checks know
    ("default_tablespace: nowhere", "", r"default_tablespace: .*nowhere"),
    ("", "default_text_search_config: klingon", r"default_text_search_config: .*klingon"),
    ("lc_messages: xx_XX.UTF-8", "", r"lc_messages: .*invalid value"),
    ("DateStyle: 'tomorrow'", "", r"DateStyle: .*invalid value"),
    ("TimeZone: Mars/Olympus", "", r"TimeZone: .*invalid value"),
    ("max_stack_depth: 1TB", "", r"max_stack_depth: "),
]


@pytest.mark.parametrize("server_side, blue, message", LIVE)
def test_what_this_server_does_not_take_is_refused(pgdeck, tmp_path, server, server_side, blue,
                                                   message):
    """Before it is touched: its files are as they were, and no database was made."""
    path = tmp_path / "deck.yaml"
    quoted = server.conninfo().replace("\\", "\\\\").replace('"', '\\"')
    path.write_text(DECK.replace("CONNINFO", quoted).replace("SERVER", server_side)
                    .replace("BLUE", blue))
    before = files_of(server)
    result = pgdeck("apply", "-d", path, "--yes", "--restart", expect=10)
    assert re.search(r"deck\.yaml:\d+:\d+: error: (servers\.main|environments\.blue)\.settings\."
                     + message, result.err), result.err
    assert files_of(server) == before
    assert server.query("SELECT count(*) FROM pg_database WHERE datname LIKE 'blue%'") == [(0,)]


def files_of(server):
    return {path.name: path.read_bytes() for path in server.data.glob("*.conf")}


def test_what_is_in_use_is_refused(pgdeck, write, make_server, pg_version):
    server = make_server(pg_version, wal_level="logical", max_prepared_transactions=3)
    server.query("SELECT pg_create_logical_replication_slot('l', 'test_decoding')")
    server.query("SELECT pg_create_physical_replication_slot('p')")
    with server.connect() as connection:
        connection.execute("BEGIN")
        connection.execute("CREATE TABLE t ()")
        connection.execute("PREPARE TRANSACTION 'one'")
    for settings, message in (
            ("wal_level: replica", "wal_level: replica is not enough for 1 logical"),
            ("max_replication_slots: 1", "max_replication_slots: the server has 2 replication sl"),
            ("max_prepared_transactions: 0", "max_prepared_transactions: the server has 1 prep")):
        deck = write(settings)
        quoted = server.conninfo().replace("\\", "\\\\").replace('"', '\\"')
        deck.write_text(re.sub(r'conninfo: "[^"]*"', lambda _: f'conninfo: "{quoted}"',
                               deck.read_text()))
        assert message in pgdeck("plan", "-d", deck, expect=10).err


def test_what_the_server_could_start_with_is_taken(pgdeck, write, fresh_server):
    """Neither too strict: all of these at once, and the server is up with them."""
    deck = write("wal_level: minimal, max_wal_senders: 0, archive_mode: off, listen_addresses: "
                 "['127.0.0.1', localhost], huge_pages: try, min_wal_size: 64MB, "
                 "max_wal_size: 64MB, superuser_reserved_connections: 5, max_connections: 61, "
                 "shared_preload_libraries: [auto_explain, pg_stat_statements], "
                 "session_preload_libraries: auto_explain")
    pgdeck("apply", "-d", deck, "--yes", "--restart", expect=0)
    assert shown(fresh_server, "postgres", "wal_level") == "minimal"
    assert shown(fresh_server, "postgres", "max_connections") == "61"
    assert "Nothing to do" in pgdeck("plan", "-d", deck, "--detailed-exitcode", expect=0).out


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


def test_what_the_role_may_not_see_is_told(pgdeck, write, fresh_server):
    fresh_server.query("CREATE ROLE rented LOGIN CREATEDB")
    deck = write("shared_preload_libraries: auto_explain, log_directory: elsewhere")
    deck.write_text(deck.read_text().replace("user='postgres'", "user='rented'"))
    notes = [note["text"] for note in plan(pgdeck, deck)["notes"]]
    assert any(text.startswith("The deck sets shared_preload_libraries, which the role \"rented\" "
                               "may not even see") for text in notes), notes


def test_a_pools_timeout_wins_and_is_told(pgdeck, write, fresh_server):
    text = DECK.replace("max_connections: 20, ", "max_connections: 20, pools: {web: {max: 5, "
                        "query_timeout: 90s}}, ").replace("[schema, settings]",
                                                          "[schema, settings, security]")
    deck = write("", "statement_timeout: 2min", text)
    pgdeck("apply", "-d", deck, "--yes", "--restart", expect=0)
    assert shown(fresh_server, "blue_one", "statement_timeout") == "2min"
    notes = [note["text"] for note in plan(pgdeck, deck)["notes"]]
    assert [text for text in notes if "statement_timeout" in text] == [
        "sessions of role blue_web_a have the query_timeout of its pool, 90s, as "
        "statement_timeout; 2min is for all others."]


def test_timeouts_of_connections(pgdeck, write, fresh_server):
    """By TCP: a socket file has no keepalives."""
    pgdeck("apply", "-d", write(), "--yes", "--restart", expect=0)
    with psycopg.connect(fresh_server.conninfo("blue_one", host="127.0.0.1")) as connection:
        found = {name: connection.execute(f"SHOW {name}").fetchone()[0] for name in (
            "authentication_timeout", "client_connection_check_interval", "tcp_user_timeout",
            "tcp_keepalives_idle", "tcp_keepalives_interval", "tcp_keepalives_count",
            "idle_session_timeout", "idle_in_transaction_session_timeout")}
    assert found == {
        "authentication_timeout": "30s", "client_connection_check_interval": "10s",
        "tcp_user_timeout": "60000", "tcp_keepalives_idle": "60", "tcp_keepalives_interval": "10",
        "tcp_keepalives_count": "6", "idle_session_timeout": "0",
        "idle_in_transaction_session_timeout": "10min"}
