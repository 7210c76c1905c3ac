# SPDX-License-Identifier: MIT
"""pgdeck init: a deck from a live server, on which plan has nothing to do; whatever the names."""

import json

import pytest
import yaml

NAMES = ['My "Shop"', "new\nline", "größe 7€", "it's", "2024", "null", "-- x", "a: b #c", "tab\there"]


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


def fill(server, database, name):
    """Tables, indexes and partitions that are all called like the name."""
    statements = """
        CREATE SCHEMA {n};
        CREATE TABLE {n}.{n} ({n} int PRIMARY KEY, txt text UNIQUE, doc jsonb);
        CREATE INDEX {i1} ON {n}.{n} ({n}, txt DESC) WHERE {n} > 5;
        CREATE UNIQUE INDEX {i2} ON {n}.{n} (lower(txt)) INCLUDE (doc);
        CREATE INDEX {i3} ON {n}.{n} USING gin (doc jsonb_path_ops) WITH (fastupdate = off);
        CREATE TABLE days ({n} date, v int) PARTITION BY RANGE ({n});
        CREATE INDEX days_v ON days (v);
        CREATE TABLE {n}.lists ({n} text) PARTITION BY LIST ({n});
        CREATE TABLE {n}.{part} PARTITION OF {n}.lists FOR VALUES IN ({lit}, 'x''y', 'null');
        CREATE TABLE {n}.lists_rest PARTITION OF {n}.lists FOR VALUES IN ('7', NULL);
        CREATE TABLE {n}.other PARTITION OF {n}.lists DEFAULT;
        CREATE TABLE hashes ({n} uuid) PARTITION BY HASH ({n});
        CREATE TABLE odd (a int, b int) PARTITION BY RANGE (a, b);
        CREATE TABLE old (at timestamptz) PARTITION BY RANGE (at);
        CREATE TABLE old_1 PARTITION OF old FOR VALUES FROM (MINVALUE) TO ('2020-01-01');
    """.format(n=quoted(name), i1=quoted(name + "1"), i2=quoted(name + "2"),
               i3=quoted(name + "3"), part=quoted("lists_" + name),
               lit="'" + name.replace("'", "''") + "'")
    with server.connect(database) as connection:
        connection.execute("SET timezone = 'UTC'")
        connection.execute(statements)
        for day in range(-3, 8):
            start, end = connection.execute(
                "SELECT (current_date + %s)::text, (current_date + %s)::text",
                (day, day + 1)).fetchone()
            connection.execute(f"CREATE TABLE days_{day + 3} PARTITION OF days "
                               f"FOR VALUES FROM ('{start}') TO ('{end}')")
        for part in range(3):
            connection.execute(f"CREATE TABLE hashes_{part} PARTITION OF hashes "
                               f"FOR VALUES WITH (modulus 3, remainder {part})")


@pytest.fixture
def hostile(fresh_server):
    with fresh_server.connect() as connection:
        for name in NAMES:
            connection.execute(f"CREATE ROLE {quoted(name)} LOGIN CONNECTION LIMIT 3")
            connection.execute(f"CREATE DATABASE {quoted(name)} OWNER {quoted(name)}")
        connection.execute("CREATE ROLE main_owner")
        connection.execute(f"GRANT main_owner, pg_monitor, postgres TO {quoted(NAMES[0])}")
    for name in NAMES:
        fill(fresh_server, name, name)
    return fresh_server


def test_plan_finds_nothing_to_do(hostile, pgdeck, tmp_path):
    out = tmp_path / "deck"
    done = pgdeck("init", "--from", hostile.conninfo(), "--output", out, expect=0)
    assert f"{len(NAMES)} databases, {len(NAMES) * 4} indexes" in done.out
    deck = yaml.safe_load((out / "deck.yaml").read_text())
    assert set(deck["databases"]) == set(NAMES)
    assert set(deck["roles"]) == set(NAMES) | {"main_owner"}
    assert deck["roles"][NAMES[0]] == {"login": True, "connection_limit": 3,
                                       "member_of": ["main_owner", "pg_monitor"]}
    tables = {item["table"]: item for item in deck["databases"][NAMES[1]]["partitions"]}
    assert set(tables) == {"days", "hashes", "lists"}
    assert tables["days"] == {"schema": "public", "table": "days", "range": NAMES[1],
                              "every": "1 day", "premake": 7, "past": 3}
    assert tables["hashes"]["parts"] == 3
    assert tables["lists"]["parts"] == {NAMES[1]: [NAMES[1], "x'y", "null"], "rest": ["7"]}
    assert done.out.count("public.odd is partitioned") == len(NAMES)
    assert done.out.count("public.old is partitioned") == len(NAMES)
    pgdeck("check", out / "deck.yaml", expect=0)
    plan = pgdeck("plan", "--deck", out / "deck.yaml", "--detailed-exitcode")
    assert plan.code == 0, plan.out + plan.err


def test_plan_sees_what_goes_missing_afterwards(hostile, pgdeck, tmp_path):
    """The empty plan above is not empty because nothing is compared."""
    pgdeck("init", "--from", hostile.conninfo(), "--output", tmp_path / "deck", expect=0)
    name = NAMES[0]
    hostile.query(f"DROP INDEX {quoted(name)}.{quoted(name + '1')}", dbname=name)
    hostile.query("DROP TABLE days_9", dbname=NAMES[1])
    plan = json.loads(pgdeck("plan", "--deck", tmp_path / "deck" / "deck.yaml", "--json",
                             expect=0).out)
    assert sorted((c["database"], c["advisor"]) for c in plan["changes"]) == sorted(
        [(name, "index"), (NAMES[1], "partition")])


def test_never_replaces_a_file_unasked(server, pgdeck, tmp_path):
    out = tmp_path / "deck"
    out.mkdir()
    (out / "deck.yaml").write_text("mine\n")
    refused = pgdeck("init", "--from", server.conninfo(), "--output", out)
    assert refused.code == 22 and "is there already" in refused.err
    assert (out / "deck.yaml").read_text() == "mine\n"
    pgdeck("init", "--from", server.conninfo(), "--output", out, "--force", expect=0)
    pgdeck("check", out / "deck.yaml", expect=0)


def test_an_index_file_is_not_replaced_either(fresh_server, pgdeck, tmp_path):
    fresh_server.query("CREATE TABLE t (a int)")
    fresh_server.query("CREATE INDEX t_a ON t (a)")
    (tmp_path / "indexes").mkdir()
    (tmp_path / "indexes" / "postgres.sql").write_text("mine\n")
    refused = pgdeck("init", "--from", fresh_server.conninfo(), "--output", tmp_path)
    assert refused.code == 22
    assert not (tmp_path / "deck.yaml").exists()


@pytest.mark.parametrize("conninfo", ["{} password=hunter2", "uri"])
def test_the_password_stays_out_of_the_deck(server, pgdeck, tmp_path, conninfo):
    if conninfo == "uri":
        conninfo = f"postgresql://postgres:hunter2@127.0.0.1:{server.port}/postgres"
    done = pgdeck("init", "--from", conninfo.format(server.conninfo()), "--output", tmp_path,
                  expect=0)
    deck = (tmp_path / "deck.yaml").read_text()
    assert "hunter2" not in deck + done.out + done.err
    assert "password" in done.out
    pgdeck("plan", "--deck", tmp_path / "deck.yaml", expect=0)


def test_faults_have_their_exit_codes(server, pgdeck, tmp_path):
    assert pgdeck("init").code == 64
    assert pgdeck("init", "--from", "host=/nowhere").code == 11
    assert pgdeck("init", "--from", "prot=1").code == 64
    assert pgdeck("init", "--from", server.conninfo("no such")).code == 13
    assert not (tmp_path / "deck.yaml").exists()


def test_an_invalid_index_is_told(fresh_server, pgdeck, tmp_path):
    fresh_server.query("CREATE TABLE t (a int)")
    fresh_server.query("INSERT INTO t VALUES (1), (1)")
    with pytest.raises(Exception, match="could not create unique index"):
        fresh_server.query("CREATE UNIQUE INDEX CONCURRENTLY broken ON t (a)")
    done = pgdeck("init", "--from", fresh_server.conninfo(), "--output", tmp_path, expect=0)
    assert "index broken is invalid" in done.out
    assert "index broken is invalid" in (tmp_path / "deck.yaml").read_text()
