# SPDX-License-Identifier: MIT
"""What somebody changed by hand since the last apply shows in the plan as such."""

import json
import re

import pytest

from cluster import wait_for

DECK = """
deck: drifting
advisors: [schema, index, settings]
servers:
  main: {conninfo: "CONNINFO", memory: 1GB, cpus: 4, storage: nvme}
environments:
  green: {server: main, memory: 1GB, max_connections: 30, targets: {connections: 5-10}}
databases:
  green_one: {environment: green}
schema: schema.sql
indexes: indexes.sql
"""
TIME = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC"


def reload(server):
    before = server.value("SELECT pg_conf_load_time()")
    server.query("SELECT pg_reload_conf()")
    wait_for(lambda: server.value("SELECT pg_conf_load_time()") != before, 10, "the reload")


@pytest.fixture
def applied(pgdeck, tmp_path, make_server, pg_version):
    server = make_server(pg_version, track_commit_timestamp="on")
    quoted = server.conninfo().replace("\\", "\\\\").replace('"', '\\"')
    (tmp_path / "deck.yaml").write_text(DECK.replace("CONNINFO", quoted))
    (tmp_path / "schema.sql").write_text("CREATE TABLE task (id bigint, state text);")
    (tmp_path / "indexes.sql").write_text("CREATE INDEX task_state ON task (state);")
    deck = tmp_path / "deck.yaml"
    pgdeck("apply", "-d", deck, "--yes", "--restart", expect=0)
    return server, deck


def drifts(pgdeck, deck, *args):
    """{key: what the plan says of changes by hand}."""
    plan = json.loads(pgdeck("plan", "-d", deck, "--json", *args, expect=0).out)
    return {entry["key"]: entry["drift"] for entry in plan["changes"] + plan["manual"]
            if entry["drift"] is not None}


def test_alter_system_by_hand(pgdeck, applied):
    server, deck = applied
    assert drifts(pgdeck, deck) == {}
    with server.connect("green_one") as connection:  # where pgdeck has set log_statement
        connection.execute("ALTER SYSTEM SET random_page_cost = 3")
    reload(server)
    found = drifts(pgdeck, deck)
    assert list(found) == ["setting random_page_cost"]
    text = found["setting random_page_cost"]
    assert re.match(rf"pgdeck set 1\.1 on {TIME}, now it is 3 \(/\S+/postgresql\.auto\.conf:\d+, "
                    rf"a file last written on {TIME}\); the server read its files last on {TIME}",
                    text), text
    assert re.search(r"; the log: .* postgres@green_one .*LOG: +statement: ALTER SYSTEM SET random_p",
                     text), text
    assert 'parameter "random_page_cost" changed to "3"' in text
    out = pgdeck("plan", "-d", deck, expect=0).out
    assert "changed by hand: pgdeck set 1.1 on " in out
    assert "\n1 of them put right what was changed by hand.\n" in out
    pgdeck("apply", "-d", deck, "--yes", expect=0)
    assert drifts(pgdeck, deck) == {}


def test_files_by_hand(pgdeck, applied):
    server, deck = applied
    own = server.data / "pgdeck.conf"
    own.write_text("".join(line for line in own.read_text().splitlines(True)
                           if not line.startswith(("checkpoint_timeout", "random_page_cost"))))
    server.configure(checkpoint_timeout="7min")
    line = (server.data / "postgresql.conf").read_text().count("\n")
    reload(server)
    found = drifts(pgdeck, deck)
    assert f"now it is 7min ({server.data}/postgresql.conf:{line}, " in \
        found["setting checkpoint_timeout"]
    assert "now it is 4 (no file sets it any more)" in found["setting random_page_cost"]
    assert 'parameter "random_page_cost" removed from configuration file' in \
        found["setting random_page_cost"]


def test_what_waits_in_the_files_is_told(pgdeck, applied):
    """A reload of pgdeck's brings into effect what somebody else has left there."""
    server, deck = applied
    server.configure(deadlock_timeout="7s", max_prepared_transactions="3")
    lines = (server.data / "postgresql.conf").read_text().count("\n")
    out = pgdeck("plan", "-d", deck, expect=0).out
    assert (f"changed by hand in the files: deadlock_timeout = 7s, now 1s ({server.data}/"
            f"postgresql.conf:{lines - 1}). The next reload brings it into effect.") in out
    assert "max_prepared_transactions = 3, now 0" in out and "The next restart brings it" in out
    deck.write_text(deck.read_text().replace("storage: nvme", "storage: hdd"))
    assert "The reload brings it into effect as well." in pgdeck("plan", "-d", deck, expect=0).out
    pgdeck("apply", "-d", deck, "--yes", expect=0)
    assert server.value("SHOW deadlock_timeout") == "7s"
    assert "deadlock_timeout" not in pgdeck("plan", "-d", deck, expect=0).out


def test_databases_by_hand(pgdeck, applied):
    server, deck = applied
    with server.connect("green_one") as connection:
        connection.execute("ALTER DATABASE green_one SET work_mem = '1GB'")
        connection.execute("ALTER DATABASE green_one RESET tcp_keepalives_count")
    text = drifts(pgdeck, deck)["settings of the database"]
    assert re.search(rf"pgdeck set work_mem \d+MB on {TIME}, now it is 1GB \(by ALTER DATABASE, on "
                     rf"{TIME}\); the log: .* postgres@green_one .*work_mem = '1GB'", text), text
    assert re.search(rf"pgdeck set tcp_keepalives_count 6 on {TIME}, now it is 0 \(the database's "
                     "own value was RESET", text), text
    assert "jit" not in text


def test_what_the_deck_changes_is_no_drift(pgdeck, applied):
    server, deck = applied
    deck.write_text(deck.read_text().replace("storage: nvme", "storage: hdd"))
    plan = json.loads(pgdeck("plan", "-d", deck, "--json", expect=0).out)
    keys = [change["key"] for change in plan["changes"]]
    assert "setting random_page_cost" in keys and drifts(pgdeck, deck) == {}
    pgdeck("apply", "-d", deck, "--yes", expect=0)
    server.query("ALTER SYSTEM SET random_page_cost = 3")
    reload(server)
    assert "pgdeck set 4 on " in drifts(pgdeck, deck)["setting random_page_cost"]
    server.query("ALTER SYSTEM RESET random_page_cost")
    pgdeck("rollback", "-d", deck, "--yes", expect=0)  # of the second apply: as the first left it
    deck.write_text(deck.read_text().replace("storage: hdd", "storage: nvme"))
    assert drifts(pgdeck, deck) == {}


def test_what_waits_for_a_restart_is_no_drift(pgdeck, applied):
    server, deck = applied
    deck.write_text(deck.read_text().replace("max_connections: 30", "max_connections: 50"))
    pgdeck("apply", "-d", deck, "--yes", expect=0)
    assert drifts(pgdeck, deck) == {}
    server.query("ALTER SYSTEM SET max_connections = 200")
    found = drifts(pgdeck, deck)
    assert re.match(rf"pgdeck set 58 on {TIME}, now it is 200", found["setting max_connections"])


def test_objects_that_were_dropped_by_hand(pgdeck, applied):
    server, deck = applied
    server.query("DROP INDEX task_state", dbname="green_one")
    found = drifts(pgdeck, deck)
    assert list(found) == ["index public.task_state"]
    assert re.fullmatch(rf"pgdeck did this on {TIME}, and it is no longer so",
                        found["index public.task_state"])
    server.query("DROP TABLE task", dbname="green_one")
    assert set(drifts(pgdeck, deck)) == {"index public.task_state", 'table public."task"'}


def test_other_things_by_hand(pgdeck, applied):
    server, deck = applied
    text = deck.read_text().replace("[schema, index, settings]", "[schema, security]")
    deck.write_text(text.replace("{environment: green}", "{environment: green, services: [web]}")
                    .replace("targets: {connections: 5-10}", "pools: {web: {max: 5}}"))
    pgdeck("apply", "-d", deck, "--yes", expect=0)
    assert drifts(pgdeck, deck) == {}
    server.query("ALTER ROLE green_web_a CONNECTION LIMIT 50")
    server.query("REVOKE SELECT ON task FROM green_web", dbname="green_one")
    found = drifts(pgdeck, deck)
    assert list(found) == ["role green_web_a"]  # rights: another grant than the first
    deck.write_text(deck.read_text().replace("max: 5", "max: 6"))
    assert "role green_web_a" not in drifts(pgdeck, deck)  # now it is the deck that wants it


def test_a_log_of_the_servers_own_is_read_from_anywhere(pgdeck, applied):
    server, deck = applied
    server.configure(logging_collector="on", log_directory="log")
    server.restart()
    server.query("ALTER SYSTEM SET random_page_cost = 3")
    reload(server)
    wait_for(lambda: 'changed to "3"' in drifts(pgdeck, deck)["setting random_page_cost"], 10,
             "the line in the log")
