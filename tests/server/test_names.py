# SPDX-License-Identifier: MIT
"""Hostile names everywhere that the security part of a deck takes one: they create exactly what they
say, and nothing else in the catalog changes. Those of databases and services: test_advisor_security."""

import json

import pytest

from test_advisor_security import apply, changes, write_deck

NAMES = ['"; DROP ROLE x; --', "a'b\\c %I%s$1 select", "two\nlines", "é" * 20, "{a,\"b\"}$tenants"]
LONGEST = 63
EVERYTHING = """
SELECT 'role', rolname, rolcanlogin::text FROM pg_roles UNION ALL
SELECT 'database', datname, datacl::text FROM pg_database UNION ALL
SELECT 'setting', setrole::regrole::text, setconfig::text FROM pg_db_role_setting ORDER BY 1, 2"""
DECK = """
deck: names
advisors: [schema, security]
tenants: {column: <NAME>, identity: <IDENTITY>}
servers: {main: {conninfo: "CONNINFO"}}
environments:
  <NAME>:
    server: main
    pools: {web: {min: 1, max: 2}}
    security: {read_only: true, monitoring: true, allow: [10.0.0.0/8]}
databases: {named: {environment: <NAME>, services: [web]}}
roles: {<ROLE>: {login: false, member_of: [<READER>]}}
schema: schema.sql
"""


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


@pytest.mark.pg(max=15)
@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_only_a_name(pgdeck, fresh_server, tmp_path, name):
    identity = "login" if NAMES.index(name) % 2 else "setting"
    role = (name + "x" * LONGEST)[:LONGEST]
    while len(role.encode()) > LONGEST:
        role = role[:-1]
    text = DECK
    for mark, value in (("<NAME>", json.dumps(name)), ("<ROLE>", json.dumps(role)),
                        ("<READER>", json.dumps(f"{name}_read_only")), ("<IDENTITY>", identity)):
        text = text.replace(mark, value)
    deck = write_deck(tmp_path / "deck", fresh_server.conninfo(), text,
                      f"CREATE TABLE owned ({quoted(name)} uuid, x int);\n"
                      f"CREATE INDEX owned_idx ON owned ({quoted(name)});\n")
    before = fresh_server.query(EVERYTHING)
    apply(pgdeck, deck)
    assert [row["what"] for row in changes(pgdeck, deck)] == []
    made = {row[:2] for row in fresh_server.query(EVERYTHING)} - {row[:2] for row in before}
    assert {name_ for kind, name_ in made if kind == "role"} == {
        role, *(f"{name}_{end}" for end in ("owner", "web", "web_a", "read_only", "monitoring"))}
    assert {name_ for kind, name_ in made if kind == "database"} == {"named"}
    (table,) = fresh_server.query(
        "SELECT relrowsecurity, pg_get_expr(polqual, c.oid) FROM pg_class c JOIN pg_policy p ON "
        "p.polrelid = c.oid WHERE relname = 'owned'", dbname="named")
    assert table[0] and table[1].startswith(f"({quoted(name)} = ") or name.isidentifier()
    assert pgdeck("security", "-d", deck).code in (0, 1, 2)
    assert pgdeck("security", "tenants", "-d", deck).code == 0
    pgdeck("rollback", "-d", deck, "--yes", "--drop-data", expect=0)
    assert fresh_server.query(EVERYTHING) == before
