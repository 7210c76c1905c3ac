# SPDX-License-Identifier: MIT
"""Ways around a table that tenants try: views, functions, COPY, RETURNING, MERGE, prepared
statements and plans that stay, partitions by their own names. What row-level security cannot hide
is shown to be visible, so that docs/security.md stays true."""

import psycopg
import pytest
from psycopg import errors

from test_advisor_security import changes, write_deck
from test_security import items
from test_tenants import ACME, BOLT, tenants  # noqa: F401

MADE = """
SET ROLE blue_owner;
CREATE VIEW plain AS SELECT * FROM tasks;
CREATE VIEW barrier WITH (security_barrier) AS SELECT * FROM tasks;
CREATE VIEW of_a_view AS SELECT title FROM plain;
CREATE MATERIALIZED VIEW stored AS SELECT count(*) AS n FROM tasks;
CREATE FUNCTION ask() RETURNS SETOF text LANGUAGE sql AS 'SELECT title FROM public.tasks';
CREATE FUNCTION ask_as_owner() RETURNS SETOF text LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp AS 'SELECT title FROM public.tasks';
CREATE FUNCTION shout(text) RETURNS bool LANGUAGE plpgsql COST 0.0000001 AS
    $$ BEGIN RAISE NOTICE 'heard %', $1; RETURN true; END $$;
GRANT SELECT ON plain, barrier, of_a_view, stored TO blue_web;
"""
INVOKER = "CREATE VIEW invoker WITH (security_invoker) AS SELECT * FROM tasks; " \
          "GRANT SELECT ON invoker TO blue_web;"
ROWS = [
    "SELECT title FROM plain", "SELECT title FROM barrier", "SELECT title FROM of_a_view",
    "SELECT ask()", "SELECT ask_as_owner()",
    "SELECT title FROM tasks WHERE shout(title)", "SELECT title FROM plain WHERE shout(title)",
    "SELECT title FROM tasks WHERE title ~ 'bolt' OR 1 / (length(title) - length(title)) = 0",
    "INSERT INTO tasks (project_id, title) VALUES (%s, 'mine') RETURNING title",
    "UPDATE tasks SET title = title RETURNING title", "DELETE FROM tasks RETURNING title",
    "WITH gone AS (DELETE FROM tasks RETURNING *) SELECT title FROM gone",
    "SELECT most_common_vals::text FROM pg_stats WHERE tablename = 'tasks'",
    "SELECT t.title FROM notes n RIGHT JOIN tasks t ON true",
    "TABLE tasks", "SELECT query_to_xml('SELECT * FROM tasks', true, true, '')::text",
]
MERGE = "MERGE INTO tasks t USING (SELECT 1) s ON true WHEN MATCHED THEN UPDATE SET title = 'taken'"


def all_that_is_told(connection, statement):
    """Rows, notices and the error of a statement, as one text; the statement is undone."""
    told = []
    connection.add_notice_handler(lambda notice: told.append(notice.message_primary))
    try:
        with connection.transaction(force_rollback=True):
            cursor = connection.execute(statement, [ACME] if "%s" in statement else None)
            told += map(str, cursor.fetchall() if cursor.description else [])
    except psycopg.Error as error:
        told.append(str(error))
    return "\n".join(told)


def test_ways_around_a_table(pgdeck, fresh_server, tenants):  # noqa: F811
    connect, deck, identity = tenants
    fresh_server.psql(text=MADE + (INVOKER if fresh_server.version >= 15 else ""), dbname="blue_one")
    rows = ROWS + (["SELECT title FROM invoker", MERGE] if fresh_server.version >= 15 else [])
    for pooled in (False, True) if identity == "setting" else (False,):
        with connect("acme", pooled) as acme:
            for statement in rows:
                told = all_that_is_told(acme, statement)
                assert "bolt" not in told and BOLT not in told, (statement, told)
            assert "acme1" in all_that_is_told(acme, "SELECT title FROM barrier")
            assert all_that_is_told(acme, "SELECT ask_as_owner()") == (
                "" if identity == "login" else "('acme1',)\n('acme2',)\n('acme3',)")
            with acme.transaction(force_rollback=True), \
                    acme.cursor().copy("COPY (SELECT * FROM plain) TO STDOUT") as copy:
                assert BOLT not in str(b"".join(copy))
            with pytest.raises(errors.FeatureNotSupported), acme.transaction():
                with acme.cursor().copy("COPY tasks FROM STDIN") as copy:
                    copy.write(f"9\t{BOLT}\tx\n")
            for statement in (f"INSERT INTO tasks (project_id, id, title) VALUES ('{BOLT}', 4, 'x') "
                              "ON CONFLICT (project_id, id) DO UPDATE SET title = 'taken'",
                              f"INSERT INTO tasks (project_id, id, title) VALUES ('{ACME}', 1, 'x') "
                              f"ON CONFLICT (project_id, id) DO UPDATE SET project_id = '{BOLT}'"):
                with pytest.raises(errors.InsufficientPrivilege), acme.transaction():
                    acme.execute(statement)
    plans_that_stay(connect, identity)
    what_is_not_hidden(pgdeck, fresh_server, connect, deck)


def plans_that_stay(connect, identity):
    """A plan made for one tenant is used for the next: by name, over the pool, and in one session."""
    for name in ("acme", "bolt") * 3:
        with connect(name, identity == "setting") as client:
            client.execute("SET LOCAL plan_cache_mode = force_generic_plan"
                           if identity == "setting" else "SET plan_cache_mode = force_generic_plan")
            client.execute("PREPARE mine AS SELECT DISTINCT left(title, 4) FROM tasks")
            assert client.execute("EXECUTE mine").fetchall() == [(name,)]
            client.execute("DEALLOCATE mine")
    if identity == "setting":
        with connect("acme", True) as client:
            client.prepare_threshold = 0
            for tenant, name in ((ACME, "acme"), (BOLT, "bolt")) * 3:
                client.execute("SELECT set_config('app.tenant', %s, true)", [tenant])
                assert client.execute("SELECT DISTINCT left(title, 4) FROM tasks").fetchall() == [
                    (name,)]


def what_is_not_hidden(pgdeck, server, connect, deck):
    with connect("acme", False) as acme:
        with pytest.raises(errors.UniqueViolation), acme.transaction():
            acme.execute(f"UPDATE projects SET name = 'bolt' WHERE project_id = '{ACME}'")
        estimate, = acme.execute("SELECT reltuples FROM pg_class WHERE relname = 'tasks'").fetchone()
        assert estimate == 6
        last, = acme.execute("SELECT last_value FROM tasks_id_seq").fetchone()
        assert last >= 6
    server.psql(text="CREATE VIEW leak AS SELECT * FROM tasks; GRANT SELECT ON leak TO blue_web;",
                dbname="blue_one")
    with connect("acme", False) as acme:
        assert "bolt1" in str(acme.execute("SELECT title FROM leak").fetchall())
    found = {item["finding"] for item in items(pgdeck, deck) if item["state"] == "warn"}
    assert "view public.leak reads public.tasks as its owner" in str(found) or any(
        "view" in one and "leak" in one for one in found)


PARTS = """
CREATE TABLE events (project_id uuid NOT NULL, made timestamptz NOT NULL, what text);
"""
PARTED = """
deck: secured
advisors: [schema, security, partition, monitoring]
tenants: {column: project_id, identity: setting}
servers: {main: {conninfo: "CONNINFO"}}
environments:
  blue: {server: main, pools: {web: {min: 1, max: 4}}}
databases: {blue_one: {environment: blue, services: [web]}}
schema: schema.sql
partitions: [{table: events, range: made, every: 1 month, premake: 2}]
"""


@pytest.mark.parametrize("how", ["maintain", "sql"])
def test_a_new_partition_shows_nobody_a_row(pgdeck, fresh_server, tmp_path, how):
    deck = write_deck(tmp_path / "deck", fresh_server.conninfo(), PARTED, PARTS)
    pgdeck("apply", "-d", deck, "--yes", expect=0)
    deck.write_text(deck.read_text().replace("premake: 2", "premake: 4"))
    if how == "maintain":
        pgdeck("partition", "maintain", "-d", deck, expect=0)
    else:
        pgdeck("apply", "-d", deck, "--yes", "--only", "monitoring", expect=0)
        with fresh_server.connect("blue_one") as connection:
            connection.execute("CALL monitoring.maintain_partitions()")
    parts = fresh_server.query(
        "SELECT c.relname, relrowsecurity AND relforcerowsecurity, p.polname IS NOT NULL "
        "FROM pg_class c JOIN pg_inherits i ON i.inhrelid = c.oid LEFT JOIN pg_policy p ON "
        "p.polrelid = c.oid WHERE i.inhparent = 'events'::regclass ORDER BY 1", dbname="blue_one")
    assert len(parts) == 5 and all(is_on for _name, is_on, _has in parts)
    new = [name for name, _is_on, has_policy in parts if not has_policy]
    assert len(new) == 2
    fresh_server.psql(text=f"INSERT INTO events SELECT '{ACME}', now() + interval '1 month' * i, 'a' "
                           f"FROM generate_series(0, 4) i; INSERT INTO events SELECT '{BOLT}', now() "
                           "+ interval '1 month' * i, 'b' FROM generate_series(0, 4) i",
                      dbname="blue_one")
    fresh_server.query("GRANT SELECT ON ALL TABLES IN SCHEMA public TO blue_web", dbname="blue_one")
    assert asked(fresh_server, "SELECT what, count(*) FROM events GROUP BY 1") == [("a", 5)]
    assert [asked(fresh_server, f"SELECT what FROM {name}") for name in new] == [[], []]
    assert any(row["key"] == "row-level security" for row in changes(pgdeck, deck))
    pgdeck("apply", "-d", deck, "--yes", expect=0)
    assert [asked(fresh_server, f"SELECT what FROM {name}") for name in new] == [[("a",)]] * 2


def asked(server, query):
    """By the service, for one tenant."""
    with server.connect("blue_one") as connection:
        connection.execute("SET ROLE blue_web")
        connection.execute("SELECT set_config('app.tenant', %s, false)", [ACME])
        return connection.execute(query).fetchall()
