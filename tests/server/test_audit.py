# SPDX-License-Identifier: MIT
"""What is auditable is found in the server's log, without passwords."""

import pytest

from test_advisor_security import DECK, write_deck

DOES = ("CREATE TABLE seen (x int)", "GRANT SELECT ON seen TO PUBLIC", "CREATE ROLE newcomer LOGIN",
        "ALTER ROLE newcomer PASSWORD 'a-secret-word'", "SELECT 'not of the audit'",
        "DROP TABLE seen")
SECRET = ("ALTER ROLE newcomer password'a-secret-word'", "ALTER ROLE newcomer PASSWORD\n'a-secret-word'",
          "ALTER ROLE newcomer PASSWORD/**/$$a-secret-word$$",
          "ALTER ROLE newcomer PASSWORD\n'a-secret-word statement: CREATE 2026-11-23 AUDIT: SESSION,'",
          "CREATE FOREIGN DATA WRAPPER nothing", "CREATE SERVER elsewhere FOREIGN DATA WRAPPER nothing",
          "CREATE USER MAPPING FOR newcomer SERVER elsewhere OPTIONS (\"password\" 'a-secret-word')",
          "CREATE SUBSCRIPTION gets CONNECTION 'host=nowhere.invalid password=a-secret-word' "
          "PUBLICATION p WITH (connect = false, slot_name = NONE)")


def settings_of(kind, destination):
    more = {"shared_preload_libraries": "pgaudit", "pgaudit.log": "ddl, role"} \
        if kind == "pgaudit" else {"log_statement": "ddl"}
    collector = "off" if destination == "a file" else "on"
    return {"logging_collector": collector, **more,
            "log_destination": "stderr" if destination == "a file" else destination}


@pytest.mark.parametrize("kind, destination, version", [
    ("pgaudit", "a file", 15), ("pgaudit", "stderr", 15), ("pgaudit", "csvlog", 15), ("pgaudit", "jsonlog", 15),
    ("log_statement", "stderr", 18), ("log_statement", "csvlog", 18)])
def test_what_was_changed_is_found(pgdeck, make_server, tmp_path, kind, destination, version):
    """In the log that the server keeps, or the file that its stderr is, as Debian starts it."""
    server = make_server(version, **settings_of(kind, destination))
    deck = write_deck(tmp_path / "deck", server.conninfo(), DECK)
    for statement in DOES + SECRET:
        server.query(statement)
    result = pgdeck("security", "audit", "-d", deck, expect=0)
    for statement in DOES[:3] + DOES[5:]:
        assert statement in result.out, statement
    assert "ALTER ROLE newcomer" in result.out
    for statement in ("CREATE USER MAPPING", "CREATE SUBSCRIPTION gets CONNECTION (left out)"):
        assert statement in result.out, statement
    assert "secret-word" not in result.out and "not of the audit" not in result.out
    assert ("AUDIT: SESSION" in result.out) == (kind == "pgaudit")


def test_a_server_without_a_log_of_its_own(pgdeck, make_server, tmp_path):
    server = make_server(15, log_destination="syslog", syslog_ident="pgdeck-test")
    deck = write_deck(tmp_path / "deck", server.conninfo(), DECK)
    assert "render rsyslog" in pgdeck("security", "audit", "-d", deck, expect=22).err
    assert "AUDIT" in pgdeck("security", "render", "rsyslog", expect=0).out
