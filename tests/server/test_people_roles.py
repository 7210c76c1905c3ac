# SPDX-License-Identifier: MIT
"""The roles of an environment that people and tools are members of: one that reads every table,
one that monitors and reads none."""

import json

import psycopg
import pytest
from psycopg import errors

from test_advisor_security import DECK, apply, changes, log_in, rights, write_deck

PEOPLE = DECK.replace("    server: main\n    pools:\n      web: {min: 1, max: 3, query_timeout: 30s}\n"
                      "      job", "    server: main\n    security: {read_only: true, monitoring: true}\n"
                      "    pools:\n      web: {min: 1, max: 3, query_timeout: 30s}\n      job")


@pytest.fixture
def deck(fresh_server, tmp_path):
    (fresh_server.data / "pg_hba.conf").write_text(
        "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n")
    fresh_server.query("SELECT pg_reload_conf()")
    return write_deck(tmp_path / "deck", fresh_server.conninfo(), PEOPLE)


def members(server, deck):
    for name in ("reader", "watcher"):
        server.query(f"CREATE ROLE {name} LOGIN PASSWORD '{name}'")
    deck.write_text(deck.read_text() + "roles:\n"
                    "  reader: {login: true, member_of: [blue_read_only]}\n"
                    "  watcher: {login: true, member_of: [blue_monitoring]}\n")


def test_readers_read_and_monitors_monitor(pgdeck, deck, fresh_server):
    plan = {row["key"]: row["what"] for row in changes(pgdeck, deck)}
    assert plan["role blue_read_only"] == "create role blue_read_only (no login)"
    assert plan["role blue_monitoring"] == "create role blue_monitoring (no login, in pg_monitor)"
    assert plan["rights of blue_read_only"] == "let blue_read_only read in public"
    assert not any("green_read_only" in what for what in plan.values())
    apply(pgdeck, deck)
    members(fresh_server, deck)
    apply(pgdeck, deck)
    assert changes(pgdeck, deck) == []
    with log_in(fresh_server, "blue_web_a", "blue_one", secret(pgdeck)) as service:
        service.execute("INSERT INTO items (name) VALUES ('one')")
    fresh_server.psql(text="SET ROLE blue_owner; CREATE TABLE later (x serial);", dbname="blue_one")
    with log_in(fresh_server, "reader", "blue_one", "reader") as reader:
        assert reader.execute("SELECT name FROM items").fetchall() == [("one",)]
        assert reader.execute("SELECT * FROM later").fetchall() == []
        assert reader.execute("SELECT last_value FROM items_id_seq").fetchone() == (1,)
        for forbidden in ("INSERT INTO items (name) VALUES ('x')", "DELETE FROM items",
                          "UPDATE items SET name = ''", "TRUNCATE items", "CREATE TABLE mine (x int)",
                          "SELECT nextval('items_id_seq')", "SET ROLE blue_owner",
                          "SET ROLE blue_web", "SELECT pg_read_file('pg_hba.conf')"):
            with pytest.raises(errors.InsufficientPrivilege):
                reader.execute(forbidden)
    with log_in(fresh_server, "watcher", "blue_two", "watcher") as watcher:
        query, = watcher.execute("SELECT query FROM pg_stat_activity WHERE usename = 'postgres' "
                                 "AND backend_type = 'client backend' LIMIT 1").fetchone() or [""]
        assert query != "<insufficient privilege>"
        for forbidden in ("SELECT * FROM items", "SET ROLE blue_read_only"):
            with pytest.raises(errors.InsufficientPrivilege):
                watcher.execute(forbidden)
    for name in ("reader", "watcher"):
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            log_in(fresh_server, name, "green_one", name)
    surplus(pgdeck, deck, fresh_server)


def test_the_way_back(pgdeck, deck, fresh_server):
    before = rights(fresh_server)
    apply(pgdeck, deck)
    pgdeck("rollback", "-d", deck, "--yes", expect=0)
    assert rights(fresh_server)["roles"] == before["roles"]
    apply(pgdeck, deck)
    deck.write_text(deck.read_text().replace("read_only: true, ", ""))
    assert changes(pgdeck, deck) == []  # a role that the deck no longer names is left alone


def secret(pgdeck):
    lines = (pgdeck.home / "state" / "pgdeck" / "secured" / "passwords").read_text().splitlines()
    return {line.split(":")[3]: line.split(":")[4] for line in lines}["blue_web_a"]


def surplus(pgdeck, deck, server):
    """What such a role has beyond its own is a row of its own, as with services."""
    server.psql(text="GRANT INSERT ON items TO blue_read_only; GRANT SELECT ON items TO "
                     "blue_monitoring; GRANT pg_write_all_data TO blue_monitoring;",
                dbname="blue_one")
    server.query('GRANT CONNECT ON DATABASE green_one TO blue_read_only')
    found = {row["what"] for row in changes(pgdeck, deck)}
    assert found == {"take INSERT on table public.items from blue_read_only",
                     "take SELECT on table public.items from blue_monitoring",
                     "take blue_monitoring out of role pg_write_all_data",
                     "take CONNECT on database green_one from blue_read_only"}
    listed = json.loads(pgdeck("security", "-d", deck, "--json").out)["items"]
    fails = {item["finding"] for item in listed if item["state"] == "fail"}
    assert {"role blue_read_only of blue may connect",
            "role blue_monitoring has server-wide rights"} <= fails
    apply(pgdeck, deck, "--revoke")
    assert changes(pgdeck, deck) == []
    of_the_list(pgdeck, deck, server)


def of_the_list(pgdeck, deck, server):
    """Roles of the deck's list: what it does not give them; members of a service."""
    server.psql(text="ALTER ROLE reader CREATEDB; GRANT blue_web, pg_signal_backend TO reader;")
    wanted = {"take CREATEDB from role reader", "take reader out of role blue_web",
              "take reader out of role pg_signal_backend"}
    assert {row["what"] for row in changes(pgdeck, deck)} == wanted
    deck.write_text(deck.read_text().replace("[blue_read_only]", "[blue_read_only, blue_web]"))
    assert {row["what"] for row in changes(pgdeck, deck)} == wanted - {
        "take reader out of role blue_web"}
    apply(pgdeck, deck, "--revoke")
    assert changes(pgdeck, deck) == []
    pgdeck("rollback", "-d", deck, "--yes", expect=0)
    assert server.query("SELECT rolcreatedb FROM pg_roles WHERE rolname = 'reader'") == [(True,)]
    apply(pgdeck, deck, "--revoke")
    server.query("REVOKE blue_web FROM reader")
    assert [row["what"] for row in changes(pgdeck, deck)] == [
        "alter role reader (login, in blue_read_only, blue_web)"]
    text = deck.read_text()
    deck.write_text(text.replace("blue_web]", "pg_maintain]"))
    result = pgdeck("plan", "-d", deck)
    if server.version < 17:
        assert 'has no role "pg_maintain"' in result.err and "from 17 on" in result.err
    else:
        assert result.code == 0
    deck.write_text(text)


def test_names_of_these_roles_are_checked(pgdeck, deck):
    text = deck.read_text()
    deck.write_text(text.replace("      job:", "      read_only:").replace("[job]", "[read_only]")
                    .replace("[web, job]", "[web, read_only]"))
    result = pgdeck("check", "-d", deck)
    assert result.code != 0 and "blue_read_only" in result.err + result.out
    deck.write_text(text + "roles: {eve: {login: true, member_of: [green_read_only]}}\n")
    result = pgdeck("check", "-d", deck)
    assert 'there is no role "green_read_only"' in result.err + result.out
    deck.write_text(text + "roles: {eve: {login: true, member_of: [pg_moniter]}}\n")
    result = pgdeck("check", "-d", deck)
    assert 'there is no role "pg_moniter"' in result.err and 'pg_monitor' in result.err
