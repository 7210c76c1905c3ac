# SPDX-License-Identifier: MIT
"""pgdeck health: every sickness found, no healthy decoy flagged, the cure attached."""

import json
import time

import pytest

from cluster import wait_for

DECK = """
deck: patients
servers:
  main: {{conninfo: "{conninfo}", memory: 512MB, cpus: 2, storage: ssd}}
environments:
  test: {{server: main, memory: 256MB, max_connections: 20}}
databases:
{databases}
"""


def write_deck(folder, server, *databases, user="postgres", more=""):
    conninfo = server.conninfo(user=user).replace("\\", "\\\\").replace('"', '\\"')
    text = DECK.format(conninfo=conninfo, databases="\n".join(
        f'  "{name}": {{environment: test, services: []}}' for name in databases))
    (folder / "deck.yaml").write_text(text + more)
    return folder / "deck.yaml"


def look(pgdeck, deck, *args):
    """[{severity, database, check, finding, fix_sql, ...}], and how long it took."""
    result = pgdeck("health", "-d", deck, "--json", *args)
    assert result.code in (0, 1, 2, 3), result.err
    report = json.loads(result.out)
    return report["findings"], report["took_s"]


def bad(findings):
    return [f for f in findings if f["severity"] in ("critical", "warning", "unknown")]


@pytest.fixture
def healthy(make_server, pg_version):
    server = make_server(pg_version)
    server.query("CREATE DATABASE one")
    server.query("CREATE DATABASE two")
    return server


def test_a_fresh_server_is_healthy_in_all_forms(pgdeck, healthy, tmp_path):
    deck = write_deck(tmp_path, healthy, "one", "two")
    result = pgdeck("health", "-d", deck, expect=0)
    assert "0 critical, 0 warning, 0 not measurable" in result.out
    assert "2 databases on 1 server" in result.out
    findings, _ = look(pgdeck, deck)
    assert bad(findings) == [] and len([f for f in findings if f["severity"] == "ok"]) > 10
    result = pgdeck("health", "-d", deck, "--nagios", expect=0)
    first, = result.out.splitlines()
    assert first.startswith("PGDECK OK - 0 critical") and " | critical=0" in first
    assert "xid age" in pgdeck("health", "-d", deck, "--all", expect=0).out


def test_exit_codes_and_order(pgdeck, healthy, tmp_path):
    deck = write_deck(tmp_path, healthy, "one", "two")
    assert pgdeck("health", "-d", deck).code == 0
    deck = write_deck(tmp_path, healthy, "one", "two",
                      more="alerts: {xid_age: {warning: 0%, critical: 90%}}\n")
    result = pgdeck("health", "-d", deck, "--nagios", expect=1)
    assert result.out.startswith("PGDECK WARNING")
    deck = write_deck(tmp_path, healthy, "one", "nowhere",
                      more="alerts: {xid_age: {warning: 0%, critical: 90%}}\n")
    result = pgdeck("health", "-d", deck, "--nagios", expect=2)
    assert result.out.startswith("PGDECK CRITICAL") and "nowhere" in result.out.splitlines()[0]
    findings, _ = look(pgdeck, deck)
    order = ["critical", "warning", "unknown", "info", "ok"]
    places = [order.index(f["severity"]) for f in findings]
    assert places == sorted(places) and places[0] == 0
    assert pgdeck("health", "-d", tmp_path / "none.yaml", "--nagios").code == 3
    assert pgdeck("health", "-d", deck, "--check", "xid age").out.count("xid age") >= 1
    assert "there is no check" in pgdeck("health", "-d", deck, "--check", "xidage", expect=64).err
    assert "no database" in pgdeck("health", "-d", deck, "--database", "x", expect=64).err


def test_a_stopped_server_a_dropped_database_a_changed_password(pgdeck, healthy, tmp_path):
    """Nothing hangs; one finding, which says what is the matter."""
    deck = write_deck(tmp_path, healthy, "one", "two")
    healthy.query("DROP DATABASE two")
    findings, took_s = look(pgdeck, deck)
    found, = bad(findings)
    assert found["severity"] == "critical" and found["database"] == "two" and took_s < 2
    assert "does not exist" in found["evidence"]

    healthy.query("CREATE ROLE watcher LOGIN PASSWORD 'right' IN ROLE pg_monitor")
    healthy.query("CREATE DATABASE two")
    hba = healthy.data / "pg_hba.conf"
    hba.write_text("local all watcher scram-sha-256\nhost all watcher all scram-sha-256\n"
                   + hba.read_text())
    healthy.reload()
    deck = write_deck(tmp_path, healthy, "one", "two", user="watcher")
    (tmp_path / "password").write_text("wrong")
    text = deck.read_text()
    deck.write_text(text.replace("memory: 512MB", "password_file: password, memory: 512MB"))
    found, = bad(look(pgdeck, deck)[0])
    assert found["database"] is None and "password authentication failed" in found["evidence"]
    (tmp_path / "password").write_text("right")
    assert [f for f in look(pgdeck, deck)[0] if f["check"] == "reachable"] == []

    healthy.stop()
    findings, took_s = look(pgdeck, deck)
    found, = bad(findings)
    assert found["check"] == "reachable" and found["database"] is None and took_s < 2
    assert "Is the server running" in found["evidence"]


def test_no_connection_is_free(pgdeck, make_server, pg_version, tmp_path):
    server = make_server(pg_version, max_connections="12", superuser_reserved_connections="1",
                         max_wal_senders="0")
    server.query("CREATE ROLE app LOGIN")
    server.query("CREATE ROLE watcher LOGIN IN ROLE pg_monitor")
    deck = write_deck(tmp_path, server, "postgres", user="watcher")
    held = []
    try:
        for _ in range(11):
            held.append(server.connect(user="app"))
        findings, took_s = look(pgdeck, deck)
        found, = bad(findings)
        assert found["severity"] == "critical" and took_s < 2
        assert "All connection slots are taken" in found["evidence"] or \
            "connection slots" in found["evidence"]
    finally:
        for connection in held:
            connection.close()


def test_a_frozen_server_costs_the_timeout(pgdeck, healthy, tmp_path):
    """A statement that never ends is given up; here one that a lock holds up."""
    deck = write_deck(tmp_path, healthy, "one")
    with healthy.connect("one") as connection:
        connection.execute("BEGIN; LOCK TABLE pg_catalog.pg_class")
        begin = time.monotonic()
        findings, _ = look(pgdeck, deck, "--timeout", "2")
        assert time.monotonic() - begin < 20
        assert [f for f in findings if f["severity"] in ("unknown", "critical")]
        connection.execute("ROLLBACK")
    wait_for(lambda: bad(look(pgdeck, deck)[0]) == [], 10, "health")
