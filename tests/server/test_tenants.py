# SPDX-License-Identifier: MIT
"""Row-level security by tenant: two tenants through psql's way in and through the pool, who try
everything to see each other's rows."""

import json

import psycopg
import pytest
from psycopg import errors

from cluster import free_port, wait_for
from test_advisor_security import changes, log_in, passwords, write_deck
from test_security import items

SCHEMA = """
CREATE TABLE projects (project_id uuid PRIMARY KEY, name text NOT NULL UNIQUE);
CREATE TABLE tasks (
    id bigserial, project_id uuid NOT NULL REFERENCES projects, title text NOT NULL,
    PRIMARY KEY (project_id, id)
);
CREATE TABLE notes (
    id bigserial PRIMARY KEY, project_id uuid NOT NULL, task_id bigint NOT NULL, body text,
    FOREIGN KEY (project_id, task_id) REFERENCES tasks (project_id, id)
);
CREATE TABLE countries (code text PRIMARY KEY);
CREATE TABLE owners (id bigint PRIMARY KEY, project_id uuid NOT NULL);
CREATE TABLE pets (
    id bigint PRIMARY KEY, project_id uuid NOT NULL,
    owner_id bigint REFERENCES owners ON DELETE CASCADE, mother_id bigint REFERENCES pets
);
"""
DECK = """
deck: secured
advisors: [schema, security]
pooler: {port: PORT}
tenants: {column: project_id, identity: IDENTITY}
servers:
  main: {conninfo: "CONNINFO"}
environments:
  blue:
    server: main
    pools:
      web: {min: 1, max: 4}
    security: {allow: [10.0.0.0/8]}
databases:
  blue_one: {environment: blue, services: [web]}
schema: schema.sql
"""
ACME = "11111111-1111-1111-1111-111111111111"
BOLT = "22222222-2222-2222-2222-222222222222"
DATA = f"""
INSERT INTO projects VALUES ('{ACME}', 'acme'), ('{BOLT}', 'bolt');
INSERT INTO tasks (project_id, title) SELECT p.project_id, p.name || i
  FROM projects p, generate_series(1, 3) i;
INSERT INTO countries VALUES ('de');
ANALYZE;
"""
REFUSED = (errors.InsufficientPrivilege, errors.ForeignKeyViolation)


@pytest.fixture(params=["login", "setting"])
def tenants(request, pgdeck, fresh_server, tmp_path):
    """(connect(name), deck, identity): as a tenant, directly or through the pool."""
    server, identity, port = fresh_server, request.param, free_port()
    deck = write_deck(tmp_path / "deck", server.conninfo(),
                      DECK.replace("IDENTITY", identity).replace("PORT", str(port)), SCHEMA)
    (server.data / "pg_hba.conf").write_text("local all postgres trust\n"
                                             "local all all scram-sha-256\n"
                                             "host all all 127.0.0.1/32 scram-sha-256\n")
    server.query("SELECT pg_reload_conf()")
    pgdeck("apply", "-d", deck, "--yes", expect=0)
    server.psql(text=DATA, dbname="blue_one")
    if identity == "login":
        text = deck.read_text() + "roles: {acme: {login: true, member_of: [blue_web]}, " \
                                  "bolt: {login: true, member_of: [blue_web]}}\n"
        for name, tenant in (("acme", ACME), ("bolt", BOLT)):
            server.psql(text=f"CREATE ROLE {name} LOGIN PASSWORD '{name}' IN ROLE blue_web;"
                             f"INSERT INTO tenants.login VALUES ('{name}', '{tenant}');",
                        dbname="blue_one")
        deck.write_text(text.replace("max: 4}", "max: 4, login_max: 2}"))
        pgdeck("apply", "-d", deck, "--yes", expect=0)
    pgdeck.start("pool", "-d", deck)
    secret = passwords(pgdeck)["blue_web_a"]

    def through(role, password):
        return psycopg.connect(host="127.0.0.1", port=port, user=role, password=password,
                               dbname="blue_one", connect_timeout=20)

    def answers():
        try:
            login = ("acme", "acme") if identity == "login" else ("blue_web_a", secret)
            return through(*login).close() is None
        except psycopg.OperationalError:
            return False

    wait_for(answers, 60, "the pool")

    def connect(name, pooled):
        if identity == "login":  # each tenant comes as itself
            return through(name, name) if pooled else log_in(server, name, "blue_one", name)
        one = through("blue_web_a", secret) if pooled else log_in(server, "blue_web_a", "blue_one",
                                                                   secret)
        one.autocommit = False
        one.execute("SELECT set_config('app.tenant', %s, true)", [ACME if name == "acme" else BOLT])
        return one

    return connect, deck, identity


def refuse(connection, statement):
    with pytest.raises(REFUSED), connection.transaction():
        connection.execute(statement)


@pytest.mark.parametrize("tenants", ["login"], indirect=True)
def test_tenants_logins_come_by_the_decks_pool(pgdeck, tenants, fresh_server):
    """Who may: members of the service that the deck lists, with a password that has not expired. Who
    asks for their verifiers may nothing else, and rollback takes it back."""
    connect, deck, _identity = tenants
    asker = passwords(pgdeck)["blue_pool_asker"]
    with connect("acme", True) as one:
        assert one.execute("SELECT session_user").fetchone() == ("acme",)
    with log_in(fresh_server, "blue_pool_asker", "blue_one", asker) as own:
        assert own.execute("SELECT pgdeck.pool_login('acme') LIKE 'SCRAM%%',"
                           " pgdeck.pool_login('postgres')").fetchone() == (True, None)
        refuse(own, "SELECT * FROM tasks")
    with log_in(fresh_server, "acme", "blue_one", "acme") as own:
        refuse(own, "SELECT pgdeck.pool_login('bolt')")
    fresh_server.query("ALTER ROLE bolt VALID UNTIL '2020-01-01'")
    fresh_server.query("CREATE ROLE stranger LOGIN PASSWORD 'stranger' IN ROLE blue_web")
    for name in ("bolt", "stranger", "blue_pool_asker"):
        with pytest.raises(psycopg.OperationalError, match="authentication failed|no pool"):
            connect(name, True)
    fresh_server.query("DROP ROLE stranger")
    assert changes(pgdeck, deck) == []
    fresh_server.query("GRANT EXECUTE ON FUNCTION pgdeck.pool_login TO PUBLIC", dbname="blue_one")
    assert [change["key"] for change in changes(pgdeck, deck)] == ["function pgdeck.pool_login"]
    pgdeck("rollback", "-d", deck, "--yes", expect=0)
    assert not fresh_server.query("SELECT FROM pg_proc WHERE proname = 'pool_login'",
                                  dbname="blue_one")


ESCAPES = [
    "SELECT * FROM tasks WHERE project_id = '{other}'",
    "SELECT * FROM tasks WHERE title LIKE 'bolt%%' OR true",
    "SELECT t.* FROM projects p JOIN tasks t USING (project_id)",
    "SELECT * FROM (VALUES ('{other}'::uuid)) v (other) JOIN tasks ON project_id = other",
    "UPDATE tasks SET title = 'taken' WHERE project_id = '{other}' RETURNING *",
    "DELETE FROM tasks WHERE project_id = '{other}' RETURNING *",
    "SELECT * FROM tasks TABLESAMPLE BERNOULLI (100)",
    "WITH x AS (SELECT * FROM tasks) SELECT * FROM x",
]


def test_a_tenant_sees_its_own_rows_only(tenants):
    connect, _deck, identity = tenants
    try_everything(connect, False, identity)
    try_everything(connect, True, identity)
    if identity == "setting":
        statements_of_the_pool(connect)
    else:
        statements_of_logins(connect)


def try_everything(connect, pooled, identity):
    with connect("acme", pooled) as acme:
        assert acme.execute("SELECT title FROM tasks ORDER BY 1").fetchall() == [
            ("acme1",), ("acme2",), ("acme3",)]
        assert acme.execute("SELECT name FROM projects").fetchall() == [("acme",)]
        assert acme.execute("SELECT code FROM countries").fetchall() == [("de",)]
        for escape in ESCAPES:
            rows = acme.execute(escape.format(other=BOLT)).fetchall()
            assert "bolt" not in str(rows) and BOLT not in str(rows), escape
        with acme.cursor().copy("COPY (SELECT * FROM tasks) TO STDOUT") as copy:
            assert BOLT not in str(b"".join(copy))
        with acme.cursor().copy("COPY tasks TO STDOUT") as copy:
            assert BOLT not in str(b"".join(copy))
        refuse(acme, f"INSERT INTO tasks (project_id, title) VALUES ('{BOLT}', 'x')")
        refuse(acme, f"UPDATE tasks SET project_id = '{BOLT}'")
        refuse(acme, f"INSERT INTO notes (project_id, task_id) VALUES ('{BOLT}', 1)")
        refuse(acme, f"INSERT INTO notes (project_id, task_id) SELECT '{ACME}', 999")
        for forbidden in ("SET ROLE blue_owner", "ALTER TABLE tasks DISABLE ROW LEVEL SECURITY",
                          "DROP POLICY pgdeck_tenant ON tasks", "SELECT * FROM pg_authid",
                          "TRUNCATE tasks", "ALTER ROLE blue_web_a BYPASSRLS"):
            refuse(acme, forbidden)
        with pytest.raises(errors.InsufficientPrivilege), acme.transaction():
            acme.execute("SET row_security = off")
            acme.execute("SELECT * FROM tasks")
        acme.rollback()
    with connect("bolt", pooled) as bolt:
        assert bolt.execute("SELECT count(*) FROM tasks WHERE title = 'taken'").fetchone() == (0,)
        assert bolt.execute("SELECT count(*) FROM tasks").fetchone() == (3,)
        if identity == "login":
            assert bolt.execute("SELECT role FROM tenants.login").fetchall() == [("bolt",)]
    # What it cannot hide, by design: that a value is taken already.
    with connect("acme", pooled) as acme, pytest.raises(errors.UniqueViolation):
        acme.execute(f"INSERT INTO projects VALUES ('{ACME}', 'bolt')")


def statements_of_the_pool(connect):
    """Prepared ones are shared between clients; the setting ends with its transaction."""
    for _round in range(4):
        for name in ("acme", "bolt"):
            with connect(name, True) as client:
                client.prepare_threshold = 0
                for _time in range(3):
                    assert client.execute("SELECT DISTINCT left(title, 4) FROM tasks").fetchall() \
                        == [(name,)]
                client.commit()
                if client.execute("SELECT count(*) FROM tasks").fetchone() != (0,):
                    raise AssertionError("the setting outlived its transaction")


def statements_of_logins(connect):
    """One prepared statement of many clients in turn; nobody gets to be another."""
    for _round in range(3):
        for name in ("acme", "bolt"):
            with connect(name, True) as client:
                client.prepare_threshold = 0
                for _time in range(3):
                    assert client.execute("SELECT DISTINCT left(title, 4), current_user, session_user "
                                          "FROM tasks").fetchall() == [(name, name, name)]
                with pytest.raises(errors.InsufficientPrivilege):
                    client.execute("SET SESSION AUTHORIZATION " + ("bolt" if name == "acme" else "acme"))


def test_the_plan_is_empty_then_and_the_way_back_is_whole(pgdeck, fresh_server, tenants):
    connect, deck, identity = tenants
    assert changes(pgdeck, deck) == []
    change_identity(pgdeck, fresh_server, connect, deck, identity)
    if identity == "login":
        other_ways_in(pgdeck, fresh_server, deck)
        table_of_logins(pgdeck, fresh_server, deck)
    else:
        references(pgdeck, fresh_server, deck)
    check_cost(pgdeck, fresh_server, connect, deck)
    state = ("SELECT relname, relrowsecurity, relforcerowsecurity FROM pg_class "
             "WHERE relname IN ('tasks', 'countries') ORDER BY 1")
    assert fresh_server.query(state, dbname="blue_one") == [
        ("countries", False, False), ("tasks", True, True)]
    fresh_server.query("ALTER TABLE tasks NO FORCE ROW LEVEL SECURITY", dbname="blue_one")
    fresh_server.query("ALTER POLICY pgdeck_tenant ON notes USING (true)", dbname="blue_one")
    (row,) = changes(pgdeck, deck)
    assert row["key"] == "row-level security" and row["what"].endswith(": notes, tasks")
    pgdeck("apply", "-d", deck, "--yes", expect=0)
    assert changes(pgdeck, deck) == []
    pgdeck("rollback", "-d", deck, "--yes", expect=0)
    assert fresh_server.query(state, dbname="blue_one")[1] == ("tasks", True, False)


def change_identity(pgdeck, server, connect, deck, identity):
    """Rolled back, the other way to tell a tenant leaves everything as it was."""
    def seen():
        with connect("acme", False) as acme:
            return acme.execute("SELECT title FROM tasks ORDER BY 1").fetchall(), server.query(
                "SELECT * FROM pg_policies ORDER BY 1, 2, 3", dbname="blue_one"), server.query(
                "SELECT relname, relrowsecurity, relforcerowsecurity FROM pg_class WHERE "
                "relrowsecurity ORDER BY 1", dbname="blue_one")

    before, text = seen(), deck.read_text()
    assert len(before[0]) == 3 and len(before[1]) >= 3
    other = "setting" if identity == "login" else "login"
    deck.write_text(text.replace(f"identity: {identity}", f"identity: {other}"))
    pgdeck("apply", "-d", deck, "--yes", "--only", "security", expect=0)
    assert changes(pgdeck, deck) == [] and seen()[1] != before[1]
    pgdeck("rollback", "-d", deck, "--yes", expect=0)
    deck.write_text(text)
    assert seen() == before and changes(pgdeck, deck) == []


def found_of_tenants(pgdeck, deck):
    return {entry["finding"]: entry for entry in items(pgdeck, deck)
            if entry["item"] in ("tenants", "functions", "row-level security")}


def other_ways_in(pgdeck, server, deck):
    """Tables in pgdeck's schemas, more policies, functions of the tables' owner: told, mended."""
    assert not [finding for finding in found_of_tenants(pgdeck, deck) if "tenants.login" in finding]
    server.psql(text="""
        CREATE SCHEMA IF NOT EXISTS tenants;
        CREATE TABLE tenants.notes (project_id uuid PRIMARY KEY);
        CREATE TABLE toys (owner_id bigint REFERENCES owners);
        CREATE TABLE pgdeck.strays (project_id uuid PRIMARY KEY);
        GRANT SELECT ON tenants.notes TO blue_web;
        CREATE POLICY all_of_it ON tasks FOR SELECT USING (true);
        CREATE POLICY narrower ON tasks AS RESTRICTIVE USING (true) WITH CHECK (true);
        CREATE FUNCTION switch() RETURNS int LANGUAGE sql SECURITY DEFINER
            SET search_path = pg_catalog, pg_temp AS 'SELECT 1';
        ALTER FUNCTION switch() OWNER TO blue_owner;
        REVOKE EXECUTE ON FUNCTION switch() FROM PUBLIC;
        GRANT EXECUTE ON FUNCTION switch() TO blue_web;""", dbname="blue_one")
    wanted = {"every tenant sees all rows of tenants.notes": "fail",
              "every tenant sees all rows of pgdeck.strays": "fail",
              "policy all_of_it on public.tasks lets in more than the tenant's rows": "fail",
              "blue_web may run public.switch() as blue_owner": "warn"}
    found = found_of_tenants(pgdeck, deck)
    toys = found.pop("every tenant sees all rows of public.toys")
    assert toys["state"] == "warn" and "refers to public.owners" in toys["evidence"]
    assert {finding: found[finding]["state"] for finding in wanted if finding in found} == wanted
    assert not [finding for finding in found if "narrower" in finding]
    for finding in wanted:
        for statement in found[finding]["fix"].split(" --")[0].split(";"):
            if statement.strip() and not statement.startswith("--"):
                server.query(statement, dbname="blue_one")
    pgdeck("apply", "-d", deck, "--yes", "--only", "security", expect=0)
    found = found_of_tenants(pgdeck, deck)
    assert not set(wanted) & set(found), found
    assert server.query("SELECT count(*) FROM pg_policies WHERE policyname = 'pgdeck_tenant' AND "
                        "tablename IN ('notes', 'strays')", dbname="blue_one") == [(3,)]
    server.psql(text="DROP TABLE tenants.notes, public.strays, toys; DROP POLICY narrower ON tasks; "
                     "DROP FUNCTION switch();", dbname="blue_one")


def table_of_logins(pgdeck, server, deck):
    """What all policies rest on: whatever is done to it is told, and mended."""
    whole = server.query("SELECT relrowsecurity, relacl::text, relowner FROM pg_class WHERE "
                         "oid = 'tenants.login'::regclass", dbname="blue_one")
    shown = "tenants.login shows a tenant more than its own row"
    for statement in ("ALTER TABLE tenants.login DISABLE ROW LEVEL SECURITY",
                      "DROP POLICY pgdeck_own_login ON tenants.login",
                      "ALTER POLICY pgdeck_own_login ON tenants.login USING (true)",
                      "ALTER TABLE tenants.login OWNER TO acme"):
        server.query(statement, dbname="blue_one")
        found = found_of_tenants(pgdeck, deck)
        assert found[shown]["state"] == "fail", statement
        row = changes(pgdeck, deck)[-1]
        assert row["key"] == "row-level security" and row["what"].endswith(": tenants.login"), row
        pgdeck("apply", "-d", deck, "--yes", "--only", "security", expect=0)
        assert changes(pgdeck, deck) == []
    server.psql(text="GRANT UPDATE (tenant), DELETE ON tenants.login TO acme WITH GRANT OPTION; SET ROLE "
                     "acme; GRANT DELETE ON tenants.login TO bolt, pg_monitor;", dbname="blue_one")
    given = server.query("SELECT relacl::text FROM pg_class WHERE oid = 'tenants.login'::regclass",
                         dbname="blue_one")
    server.query("CREATE POLICY more ON tenants.login FOR SELECT USING (true)", dbname="blue_one")
    found = found_of_tenants(pgdeck, deck)
    assert {found["acme has DELETE, UPDATE (tenant) on tenants.login"]["state"],
            found["policy more on tenants.login lets in more than the tenant's rows"]["state"]} == {"fail"}
    (row,) = changes(pgdeck, deck)
    assert row["what"] == "take DELETE, UPDATE (tenant) on table tenants.login from acme"
    assert row["warning"] == "acme gave it to bolt, pg_monitor, who lose it, too"
    server.query("DROP POLICY more ON tenants.login", dbname="blue_one")
    pgdeck("apply", "-d", deck, "--yes", "--revoke", "--only", "security", expect=0)
    pgdeck("rollback", "-d", deck, "--yes", expect=0)
    assert server.query("SELECT relacl::text FROM pg_class WHERE oid = 'tenants.login'::regclass",
                        dbname="blue_one") == given
    pgdeck("apply", "-d", deck, "--yes", "--revoke", "--only", "security", expect=0)
    assert changes(pgdeck, deck) == [] and not [
        finding for finding in found_of_tenants(pgdeck, deck) if "tenants.login" in finding]
    assert server.query("SELECT relrowsecurity, relacl::text, relowner FROM pg_class WHERE "
                        "oid = 'tenants.login'::regclass", dbname="blue_one") == whole


TWINS = """SELECT conname, convalidated, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE contype = 'f' AND conrelid = 'pets'::regclass ORDER BY 1"""


def references(pgdeck, server, deck):
    """A reference across tenants fails: on tables of the first apply, and on ones in use."""
    at_first = server.query(TWINS, dbname="blue_one")
    assert [row[:2] for row in at_first] == [
        ("pets_mother_id_fkey", True), ("pets_mother_id_fkey_tenant", True),
        ("pets_owner_id_fkey", True), ("pets_owner_id_fkey_tenant", True)]
    assert at_first[3][2] == ("FOREIGN KEY (project_id, owner_id) REFERENCES "
                              "owners(project_id, id) ON DELETE CASCADE")
    server.psql(text="ALTER TABLE pets DROP CONSTRAINT pets_mother_id_fkey_tenant, "
                     "DROP CONSTRAINT pets_owner_id_fkey_tenant; DROP INDEX owners_project_id_id_key, "
                     f"pets_project_id_id_key; INSERT INTO owners VALUES (1, '{ACME}'), (2, '{BOLT}');"
                     f"INSERT INTO pets VALUES (1, '{ACME}', 1, NULL), (2, '{BOLT}', 2, NULL), "
                     f"(3, '{ACME}', 2, NULL)", dbname="blue_one")
    without = server.query(TWINS, dbname="blue_one")
    found = [finding for finding in found_of_tenants(pgdeck, deck) if "may lead to another" in finding]
    assert len(found) == 2
    plan = changes(pgdeck, deck)
    assert [row["key"] for row in plan] == [
        "tenants: index public.pets_project_id_id_key", "tenants: index public.owners_project_id_id_key",
        "tenants: foreign key pets_mother_id_fkey_tenant of public.pets",
        "tenants: foreign key pets_owner_id_fkey_tenant of public.pets",
        "tenants: validate pets_mother_id_fkey_tenant of public.pets",
        "tenants: validate pets_owner_id_fkey_tenant of public.pets"]
    # a row that crosses already: the key stands for new ones, and says which is in the way
    result = pgdeck("apply", "-d", deck, "--yes")
    assert result.code != 0 and "pets_owner_id_fkey_tenant" in result.err
    assert [row["key"] for row in changes(pgdeck, deck)] == [plan[-1]["key"]]
    server.query("DELETE FROM pets WHERE id = 3", dbname="blue_one")
    pgdeck("apply", "-d", deck, "--yes", expect=0)
    assert server.query(TWINS, dbname="blue_one") == at_first and changes(pgdeck, deck) == []
    for statement in (f"INSERT INTO pets VALUES (3, '{ACME}', 2, NULL)",
                      f"INSERT INTO pets VALUES (3, '{ACME}', 1, 2)",
                      "UPDATE pets SET owner_id = 2 WHERE id = 1",
                      f"UPDATE owners SET project_id = '{BOLT}' WHERE id = 1"):
        with pytest.raises(errors.ForeignKeyViolation):
            server.query(statement, dbname="blue_one")
    server.query(f"INSERT INTO pets VALUES (3, '{ACME}', 1, 1)", dbname="blue_one")
    assert not [one for one in found_of_tenants(pgdeck, deck) if "may lead to another" in one]
    pgdeck("rollback", "-d", deck, "--yes", expect=0)  # of both: the second went on with the first
    assert server.query(TWINS, dbname="blue_one") == without
    assert server.query("SELECT to_regclass('owners_project_id_id_key')", dbname="blue_one") == [(None,)]
    server.psql(text="CREATE TABLE walks (project_id uuid, pet_id bigint REFERENCES pets) PARTITION BY "
                     "LIST (project_id); CREATE TABLE walks_all PARTITION OF walks DEFAULT;",
                dbname="blue_one")
    note = "walks_pet_id_fkey of public.walks may lead to another tenant's row"
    assert (note in pgdeck("plan", "-d", deck).out) == (server.version < 18)
    pgdeck("apply", "-d", deck, "--yes", expect=0)
    assert changes(pgdeck, deck) == []
    assert server.query("SELECT count(*) FROM pg_constraint WHERE conrelid = 'walks'::regclass AND "
                        "conname = 'walks_pet_id_fkey_tenant' AND convalidated", dbname="blue_one"
                        ) == [(1 if server.version >= 18 else 0,)]
    server.query("DROP TABLE walks", dbname="blue_one")


def check_cost(pgdeck, fresh_server, connect, deck):
    """Behind the policy indexes still serve; what would not, is told."""
    fresh_server.psql(text=f"INSERT INTO tasks (project_id, title) SELECT '{BOLT}', 'x' FROM "
                           "generate_series(1, 20000); ANALYZE tasks;", dbname="blue_one")
    with connect("acme", False) as acme:
        plan = acme.execute("EXPLAIN (FORMAT json, ANALYZE) SELECT * FROM tasks WHERE id = 1"
                            ).fetchone()[0][0]
    text = json.dumps(plan)
    assert "Index Scan" in text or "Bitmap" in text
    assert "Seq Scan on tasks" not in text and '"Relation Name": "tasks"' in text
    check_measured(pgdeck, fresh_server, deck)
    found = {entry["finding"] for entry in items(pgdeck, deck) if entry["item"] == "tenants"}
    assert "no index of public.notes begins with project_id" in found
    fresh_server.psql(text="CREATE TABLE loose (project_id uuid, task_id bigint, p uuid, "
                           "FOREIGN KEY (p, task_id) REFERENCES tasks (project_id, id));",
                      dbname="blue_one")
    found = {entry["finding"] for entry in items(pgdeck, deck) if entry["item"] == "tenants"}
    fresh_server.query("DROP TABLE loose", dbname="blue_one")
    assert "every tenant sees all rows of public.loose" in found
    assert any("may lead to another tenant's row" in finding for finding in found)


def check_measured(pgdeck, server, deck):
    """pgdeck security tenants: with the policy and without, and which indexes it makes useless."""
    server.psql(text="CREATE INDEX tasks_title_fts ON tasks USING gin (to_tsvector('simple', title));"
                     "VACUUM ANALYZE tasks;", dbname="blue_one")
    result = pgdeck("security", "tenants", "-d", deck, "--json")
    tables = {table["table"]: table for table in json.loads(result.out)["tables"]}
    assert result.code == (1 if any(table["is_read_whole"] for table in tables.values()) else 0)
    assert set(tables) == {"projects", "tasks", "notes", "owners", "pets"}
    tasks = tables["tasks"]
    assert tasks["rows"] in (3, 20003) and tasks["index"] in ("tasks_pkey", None)
    assert tasks["policy_cpu_ms"] > 0 and tasks["without_cpu_ms"] > 0
    assert 1 <= tasks["policy_pages"] and 1 <= tasks["without_pages"]
    assert tasks["policy_ms"] > 0 and tasks["without_ms"] > 0
    assert tasks["unusable_indexes"] == "tasks_title_fts"
    assert tables["notes"]["why_not"].endswith("rows")
    text = pgdeck("security", "tenants", "-d", deck).out
    assert "times the time without" in text and "times the server's CPU time" in text and "can use tasks_title_fts: not leakproof" in text
    with server.connect("blue_one") as connection:  # it is true: no index for a tenant's search
        connection.execute("SET enable_seqscan = off")
        search = "EXPLAIN SELECT * FROM tasks WHERE to_tsvector('simple', title) @@ 'x'::tsquery"
        assert "tasks_title_fts" in str(connection.execute(search).fetchall())
        connection.execute("SET ROLE blue_web")
        assert "tasks_title_fts" not in str(connection.execute(search).fetchall())
    server.query("DROP INDEX tasks_title_fts", dbname="blue_one")


TYPES = {"of_char": "char(10)", "of_varchar": "varchar(10)", "of_text": "text", "of_name": "name",
         "of_domain": "short", "of_padded": "padded", "of_nested": "shorter",
         "of_bigint": "bigint", "of_uuid": "uuid"}
OF_TYPES = ("CREATE DOMAIN short AS varchar(10); CREATE DOMAIN padded AS char(10);"
            "CREATE DOMAIN shorter AS short CHECK (length(VALUE) < 6);" + "".join(
    f"CREATE TABLE {name} (id int PRIMARY KEY, project_id {kind});" for name, kind in TYPES.items()))
ALONE = DECK.replace("pooler: {port: PORT}\n", "")


@pytest.mark.pg(min=15, max=15)
@pytest.mark.parametrize("identity", ["login", "setting"])
def test_a_tenant_is_told_by_all_of_its_name(pgdeck, fresh_server, tmp_path, identity):
    """Whatever the column's type is: not by its first letters, nor by what fits into the column."""
    deck = write_deck(tmp_path / "deck", fresh_server.conninfo(), ALONE.replace("IDENTITY", identity),
                      OF_TYPES)
    pgdeck("apply", "-d", deck, "--yes", expect=0)
    assert changes(pgdeck, deck) == []
    with fresh_server.connect("blue_one") as one:
        for name, kind in TYPES.items():
            values = {"bigint": ("1", "12"), "uuid": (ACME, BOLT)}.get(kind, ("acme", "a"))
            one.execute(f"INSERT INTO {name} VALUES (1, '{values[0]}'), (2, '{values[1]}')")
            if identity == "login":
                one.execute("DELETE FROM tenants.login")
                one.execute("INSERT INTO tenants.login VALUES ('blue_web', %s)", [values[0]])
            one.execute("SELECT set_config('app.tenant', %s, false)", [values[0]])
            one.execute("SET ROLE blue_web")
            assert one.execute(f"SELECT id FROM {name}").fetchall() == [(1,)], name
            one.execute("RESET ROLE")
        measured = pgdeck("security", "tenants", "-d", deck)
        assert measured.code in (0, 1), measured.err
        if identity == "setting":  # cast to the column's length it would be another's
            one.execute("SET app.tenant = 'acme567890 and more'")
            one.execute("INSERT INTO of_char VALUES (3, 'acme567890'); "
                        "INSERT INTO of_padded VALUES (3, 'acme567890'); SET ROLE blue_web")
            for name in ("of_char", "of_padded"):
                assert one.execute(f"SELECT id FROM {name}").fetchall() == [], name


OLD = """
CREATE TABLE owners (id bigint PRIMARY KEY, project_id text NOT NULL);
CREATE TABLE pets (
    id bigint PRIMARY KEY, project_id text NOT NULL, owner_id bigint REFERENCES owners,
    mother_id bigint REFERENCES pets
);
"""
HARD = """
CREATE TABLE herds (id bigint PRIMARY KEY, project_id text NOT NULL) PARTITION BY HASH (id);
CREATE TABLE herds_all PARTITION OF herds FOR VALUES WITH (MODULUS 1, REMAINDER 0);
ALTER TABLE pets ADD COLUMN herd_id bigint REFERENCES herds;
INSERT INTO owners VALUES (1, 'acme'), (2, 'bolt');
INSERT INTO herds VALUES (1, 'acme');
INSERT INTO pets VALUES (1, 'acme', 2, NULL, 1);
CREATE VIEW owners_project_id_id_key AS SELECT 1 AS one;
ALTER TABLE pets ADD CONSTRAINT pets_herd_id_fkey_tenant CHECK (true);
ALTER TABLE pets DROP CONSTRAINT pets_mother_id_fkey;
ALTER TABLE pets ADD CONSTRAINT pets_mother_id_fkey FOREIGN KEY (mother_id) REFERENCES pets NOT VALID;
"""


@pytest.mark.pg(min=15, max=15)
def test_one_key_in_the_way_keeps_nothing_else(pgdeck, fresh_server, tmp_path):
    """A row that refers to another tenant's: its key fails, last; all tables are guarded before."""
    guarded = ALONE.replace("IDENTITY", "setting")
    without = guarded.replace("tenants: {column: project_id, identity: setting}\n", "")
    deck = write_deck(tmp_path / "deck", fresh_server.conninfo(), without.replace(
        "services: [web]", "services: []"), OLD)
    pgdeck("apply", "-d", deck, "--yes", expect=0)
    fresh_server.psql(text=HARD, dbname="blue_one")
    deck = write_deck(tmp_path / "deck", fresh_server.conninfo(), guarded, OLD)
    keys = [row["key"] for row in changes(pgdeck, deck, "--only", "security")]
    assert keys.index("row-level security") < min(
        keys.index("rights of blue_web"), *(i for i, key in enumerate(keys) if "tenants: " in key))
    result = pgdeck("apply", "-d", deck, "--yes", "--only", "security")
    assert result.code == 20 and "pets_owner_id_fkey_tenant" in result.err and "Not all" in result.out
    assert fresh_server.query("SELECT count(*) FROM pg_class WHERE relkind IN ('r', 'p') AND "
                              "relrowsecurity AND relforcerowsecurity", dbname="blue_one") == [(4,)]
    assert [row["key"] for row in changes(pgdeck, deck)] == [
        "tenants: validate pets_owner_id_fkey_tenant of public.pets"]
    twins = fresh_server.query("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'f' "
                               "AND conrelid = 'pets'::regclass AND cardinality(conkey) = 2 AND "
                               "conparentid = 0 ORDER BY 1", dbname="blue_one")
    assert twins == [("FOREIGN KEY (project_id, herd_id) REFERENCES herds(project_id, id)",),
                     ("FOREIGN KEY (project_id, mother_id) REFERENCES pets(project_id, id) NOT VALID",),
                     ("FOREIGN KEY (project_id, owner_id) REFERENCES owners(project_id, id) NOT VALID",)]
    assert fresh_server.query("SELECT has_table_privilege('blue_web', 'pets', 'SELECT')",
                              dbname="blue_one") == [(True,)]
    pgdeck("rollback", "-d", deck, "--yes", expect=0)  # an index of a partitioned table, too
    assert fresh_server.query("SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND "
                              "cardinality(conkey) = 2", dbname="blue_one") == [(0,)]


@pytest.mark.pg(min=15, max=15)
def test_new_keys_by_who_is_no_superuser(pgdeck, fresh_server, tmp_path):
    """Forced row-level security holds for the owner, too, and PostgreSQL's own look at a new key."""
    fresh_server.query("CREATE ROLE rented LOGIN CREATEROLE CREATEDB")
    fresh_server.query("CREATE DATABASE admin OWNER rented")
    text = ALONE.replace("IDENTITY", "login")
    deck = write_deck(tmp_path / "deck", fresh_server.conninfo("admin", user="rented"), text, OLD)
    pgdeck("apply", "-d", deck, "--yes", expect=0)
    later = OLD + "CREATE TABLE toys (id bigint PRIMARY KEY, project_id text, " \
                  "pet_id bigint REFERENCES pets);"
    write_deck(tmp_path / "deck", fresh_server.conninfo("admin", user="rented"), text, later)
    pgdeck("apply", "-d", deck, "--yes", expect=0)
    assert fresh_server.query("SELECT conrelid::regclass::text, count(*) FROM pg_constraint WHERE "
                              "contype = 'f' AND cardinality(conkey) = 2 AND convalidated GROUP BY 1 "
                              "ORDER BY 1", dbname="blue_one") == [("pets", 2), ("toys", 1)]
    assert fresh_server.query("SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relrowsecurity "
                              "AND relforcerowsecurity", dbname="blue_one") == [(3,)]
    assert changes(pgdeck, deck) == []
    fresh_server.psql(text="ALTER TABLE toys DROP CONSTRAINT toys_pet_id_fkey_tenant; INSERT INTO pets "
                           "VALUES (1, 'acme'); INSERT INTO toys VALUES (1, 'acme', 1), (2, 'bolt', 1);",
                      dbname="blue_one")
    result = pgdeck("apply", "-d", deck, "--yes")  # in use: a row that crosses is seen
    assert result.code == 20 and "toys_pet_id_fkey_tenant" in result.err, result.err
    fresh_server.query("DELETE FROM toys WHERE id = 2", dbname="blue_one")
    pgdeck("apply", "-d", deck, "--yes", expect=0)
    assert changes(pgdeck, deck) == []
    assert fresh_server.query("SELECT convalidated, (SELECT count(*) FROM pg_class WHERE relforcerowsecurity)"
                              " FROM pg_constraint WHERE conname = 'toys_pet_id_fkey_tenant'",
                              dbname="blue_one") == [(True, 3)]
