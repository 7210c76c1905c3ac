# SPDX-License-Identifier: MIT
"""Roles, passwords and rights: each service gets in with its own password, does what it may and
nothing else, and no secret is seen anywhere."""

import json
import os

import psycopg
import pytest
from psycopg import errors

SCHEMA = """
CREATE TABLE items (
    id bigserial PRIMARY KEY,
    name text NOT NULL
);
"""
DECK = """
deck: secured
advisors: [schema, security]
servers:
  main: {conninfo: "CONNINFO"}
environments:
  blue:
    server: main
    pools:
      web: {min: 1, max: 3, query_timeout: 30s}
      job: {min: 1, max: 2, query_timeout: 1500ms}
  green:
    server: main
    pools:
      web: {min: 1, max: 3, query_timeout: 30s}
databases:
  blue_one: {environment: blue, services: [web, job]}
  blue_two: {environment: blue, services: [job]}
  green_one: {environment: green, services: [web]}
schema: schema.sql
"""
LOGINS = ["blue_job_a", "blue_web_a", "green_web_a"]
PRIVILEGE = errors.InsufficientPrivilege


def write_deck(folder, conninfo, text=DECK, schema=SCHEMA):
    folder.mkdir(exist_ok=True)
    (folder / "schema.sql").write_text(schema)
    quoted = conninfo.replace("\\", "\\\\").replace('"', '\\"')
    (folder / "deck.yaml").write_text(text.replace("CONNINFO", quoted))
    return folder / "deck.yaml"


@pytest.fixture
def guarded(fresh_server):
    """A server that asks for passwords over TCP, and trusts the socket."""
    (fresh_server.data / "pg_hba.conf").write_text(
        "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n")
    fresh_server.query("ALTER SYSTEM SET log_statement = 'all'")
    fresh_server.query("ALTER SYSTEM SET log_min_duration_statement = 0")
    fresh_server.restart()
    return fresh_server


@pytest.fixture
def deck(tmp_path, guarded):
    return write_deck(tmp_path / "deck", guarded.conninfo())


def changes(pgdeck, deck, *args, **more):
    result = pgdeck("plan", "-d", deck, "--json", *args, **more)
    assert result.code == 0, result.err
    return json.loads(result.out)["changes"]


def apply(pgdeck, deck, *args, **more):
    return pgdeck("apply", "-d", deck, "--yes", *args, expect=0, **more)


def password_file(pgdeck):
    return pgdeck.home / "state" / "pgdeck" / "secured" / "passwords"


def passwords(pgdeck):
    lines = password_file(pgdeck).read_text().splitlines()
    return {line.split(":")[3]: line.split(":")[4] for line in lines}


def log_in(server, role, dbname, password):
    return server.connect(dbname, user=role, host="127.0.0.1", password=password)


def rights(server):
    """All that the advisor may change, over all databases."""
    state = {"roles": server.query(
        "SELECT rolname, rolcanlogin, rolconnlimit, rolpassword IS NULL, "
        "ARRAY(SELECT roleid::regrole::text FROM pg_auth_members WHERE member = r.oid ORDER BY 1), "
        "(SELECT array_agg(setconfig::text) FROM pg_db_role_setting WHERE setrole = r.oid) "
        "FROM pg_authid r WHERE rolname !~ '^pg_' ORDER BY 1")}
    for name, owner, acl in server.query(
            "SELECT datname, datdba::regrole::text, datacl::text FROM pg_database ORDER BY 1"):
        state[name] = (owner, acl)
        if name != "template0":
            state[name] += tuple(server.query(sql, dbname=name) for sql in (
                "SELECT nspname, nspacl::text FROM pg_namespace WHERE nspname !~ '^pg' ORDER BY 1",
                "SELECT relname, relowner::regrole::text, relacl::text FROM pg_class "
                "WHERE relnamespace = 'public'::regnamespace ORDER BY 1",
                "SELECT defaclrole::regrole::text, defaclobjtype::text, defaclacl::text "
                "FROM pg_default_acl ORDER BY 1, 2"))
    return state


def test_each_service_gets_its_own_and_nothing_else(pgdeck, deck, guarded):
    apply(pgdeck, deck)
    secret = passwords(pgdeck)
    assert sorted(secret) == LOGINS
    with log_in(guarded, "blue_web_a", "blue_one", secret["blue_web_a"]) as web:
        web.execute("INSERT INTO items (name) VALUES ('one')")
        web.execute("UPDATE items SET name = 'two'")
        assert web.execute("SELECT id, name FROM items").fetchall() == [(1, "two")]
        web.execute("DELETE FROM items")
        assert web.execute("SHOW statement_timeout").fetchone() == ("30s",)
        for forbidden in ("CREATE TABLE mine (x int)", "ALTER TABLE items ADD x int",
                          "TRUNCATE items", "DROP TABLE items", "CREATE TEMP TABLE t (x int)",
                          "CREATE SCHEMA mine", "SET ROLE blue_owner", "SET ROLE blue_job",
                          "SELECT * FROM pg_authid", "CREATE ROLE friend"):
            with pytest.raises(PRIVILEGE):
                web.execute(forbidden)
    with log_in(guarded, "blue_job_a", "blue_two", secret["blue_job_a"]) as job:
        assert job.execute("SHOW statement_timeout").fetchone() == ("1500ms",)
    for role, dbname in (("blue_web_a", "blue_two"), ("blue_web_a", "green_one"),
                         ("green_web_a", "blue_one")):
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            log_in(guarded, role, dbname, secret[role])
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        log_in(guarded, "blue_web_a", "blue_one", secret["green_web_a"])
    for role in ("blue_owner", "blue_web"):
        with pytest.raises(psycopg.OperationalError, match="not permitted to log in"):
            guarded.connect("blue_one", user=role)


def test_a_pool_cannot_grow_beyond_its_limit(pgdeck, deck, guarded):
    apply(pgdeck, deck)
    secret = passwords(pgdeck)["blue_job_a"]
    held = [log_in(guarded, "blue_job_a", "blue_two", secret) for _ in range(2)]
    with pytest.raises(psycopg.OperationalError, match="too many connections for role"):
        log_in(guarded, "blue_job_a", "blue_two", secret)
    for connection in held:
        connection.close()


def test_tables_to_come_are_included(pgdeck, deck, guarded):
    apply(pgdeck, deck)
    (deck.parent / "schema.sql").write_text(SCHEMA + "CREATE TABLE more (x bigserial);")
    apply(pgdeck, deck)
    assert changes(pgdeck, deck) == []
    with guarded.connect("blue_one", user="blue_web_a") as web:
        web.execute("INSERT INTO more DEFAULT VALUES")
        assert guarded.value("SELECT tableowner FROM pg_tables WHERE tablename = 'more'",
                             dbname="blue_one") == "blue_owner"


def test_a_second_plan_is_empty_and_rollback_is_complete(pgdeck, deck, guarded):
    before = rights(guarded)
    apply(pgdeck, deck)
    assert changes(pgdeck, deck) == []
    pgdeck("rollback", "-d", deck, "--yes", expect=0)
    assert rights(guarded) == before


def test_what_someone_changed_by_hand_is_put_right(pgdeck, deck, guarded):
    apply(pgdeck, deck)
    good = rights(guarded)
    for sql, dbname in (
            ("REVOKE UPDATE ON items FROM blue_web", "blue_one"),
            ("GRANT CONNECT ON DATABASE blue_one TO PUBLIC", "blue_one"),
            ("GRANT CREATE ON SCHEMA public TO PUBLIC", "blue_one"),
            ("REVOKE USAGE ON SCHEMA public FROM blue_job", "blue_two"),
            ("ALTER DEFAULT PRIVILEGES FOR ROLE green_owner IN SCHEMA public "
             "REVOKE INSERT ON TABLES FROM green_web", "green_one"),
            ("ALTER ROLE blue_web_a CONNECTION LIMIT 99", "postgres"),
            ("ALTER ROLE blue_web_a SET statement_timeout = 0", "postgres"),
            ("REVOKE green_web FROM green_web_a", "postgres"),
            ("ALTER ROLE blue_job_a NOLOGIN", "postgres")):
        guarded.query(sql, dbname=dbname)
    bad = rights(guarded)
    assert bad != good
    keys = {change["key"] for change in changes(pgdeck, deck)}
    assert keys == {"rights of blue_web", "access to the database", "rights of blue_job",
                    "rights of green_web", "role blue_web_a", "role green_web_a",
                    "role blue_job_a"}
    apply(pgdeck, deck)
    assert changes(pgdeck, deck) == []
    assert guarded.value("SELECT rolconnlimit FROM pg_roles WHERE rolname = 'blue_web_a'") == 3
    assert guarded.value("SELECT has_table_privilege('blue_web', 'items', 'UPDATE')",
                         dbname="blue_one")
    pgdeck("rollback", "-d", deck, "--yes", expect=0)
    as_found = rights(guarded)
    assert as_found["roles"] == bad["roles"]
    assert not guarded.value("SELECT has_table_privilege('blue_web', 'items', 'UPDATE')",
                             dbname="blue_one")
    assert guarded.value("SELECT has_table_privilege('blue_web', 'items', 'INSERT')",
                         dbname="blue_one")


def journal(server):
    return "\n".join(
        row[0] for name in ("postgres", "blue_one", "blue_two", "green_one")
        for row in server.query("SELECT j::text FROM pgdeck.journal j", dbname=name))


def test_no_secret_is_seen_anywhere(pgdeck, deck, guarded, tmp_path):
    mine = "outside+secret+0123456789"
    env = {"PGDECK_PASSWORD_GREEN_WEB_A": mine}
    seen = []

    def run(*args):
        result = pgdeck(*args, env=env)
        assert result.code == 0, result.err
        seen.extend((result.out, result.err))

    run("plan", "-d", deck)
    run("plan", "-d", deck, "--sql")
    run("plan", "-d", deck, "--json", "--out", tmp_path / "plan.json")
    run("apply", "-d", deck, "--yes")
    run("plan", "-d", deck, "--sql")
    run("rollback", "-d", deck, "--dry-run")
    seen += [(tmp_path / "plan.json").read_text(), journal(guarded), guarded.log_text()]
    everything = "\n".join(seen)
    assert "blue_web_a" in everything and "ALTER ROLE" in everything
    verifiers = dict(guarded.query(
        "SELECT rolname, rolpassword FROM pg_authid WHERE rolname = ANY (%s)", LOGINS))
    assert len(verifiers) == 3
    assert all(text.startswith("SCRAM-SHA-256$4096:") for text in verifiers.values())
    secret = {**passwords(pgdeck), "green_web_a": mine}
    assert sorted(secret) == LOGINS
    for role in LOGINS:
        log_in(guarded, role, role.split("_")[0] + "_one", secret[role]).close()
        for hidden in (secret[role], verifiers[role], verifiers[role].split("$")[2]):
            assert hidden not in everything, role
    assert mine not in password_file(pgdeck).read_text()
    assert password_file(pgdeck).stat().st_mode & 0o777 == 0o600


def test_passwords_stay_until_another_is_given(pgdeck, deck, guarded):
    apply(pgdeck, deck)
    first = passwords(pgdeck)
    verifier = "SELECT rolpassword FROM pg_authid WHERE rolname = 'blue_web_a'"
    kept = guarded.value(verifier)
    guarded.query("ALTER ROLE blue_job_a PASSWORD NULL")
    apply(pgdeck, deck)
    assert passwords(pgdeck) == first and guarded.value(verifier) == kept
    env = {"PGDECK_PASSWORD_BLUE_WEB_A": "another one"}
    (change,) = changes(pgdeck, deck, env=env)
    assert change["key"] == "password blue_web_a" and change["undo"] is None
    apply(pgdeck, deck, env=env)
    log_in(guarded, "blue_web_a", "blue_one", "another one").close()
    assert changes(pgdeck, deck, env=env) == []
    apply(pgdeck, deck)  # without the variable: what pgdeck has made counts again
    log_in(guarded, "blue_web_a", "blue_one", first["blue_web_a"]).close()


def test_a_password_that_is_not_known_here_is_not_replaced(pgdeck, deck, guarded):
    apply(pgdeck, deck)
    password_file(pgdeck).unlink()
    result = pgdeck("plan", "-d", deck, "--detailed-exitcode", expect=0)
    assert "PGDECK_PASSWORD_BLUE_WEB_A" in result.out
    guarded.query("SET password_encryption = md5")
    with guarded.connect() as connection:
        connection.execute("SET password_encryption = md5")
        connection.execute("ALTER ROLE blue_web_a PASSWORD 'old style'")
    env = {"PGDECK_PASSWORD_BLUE_WEB_A": "old style"}
    (change,) = changes(pgdeck, deck, env=env)
    assert "SCRAM-SHA-256" in change["why"]


def test_a_password_file_that_others_may_read_is_refused(pgdeck, deck):
    apply(pgdeck, deck)
    password_file(pgdeck).chmod(0o644)
    result = pgdeck("plan", "-d", deck, expect=21)
    assert "chmod 600" in result.err


EXISTING = DECK.replace("advisors: [schema, security]", "advisors: [security]").replace(
    "schema: schema.sql\n", "roles:\n  clerk: {login: true, member_of: [staff]}\n  staff: {}\n")


def test_a_database_in_use_is_closed_with_a_warning(pgdeck, guarded, tmp_path):
    guarded.psql(text="""
        CREATE ROLE legacy LOGIN; CREATE ROLE clerk LOGIN; CREATE ROLE boss LOGIN SUPERUSER;
        CREATE ROLE tenant LOGIN; CREATE ROLE "\033[2J" LOGIN;
        CREATE DATABASE blue_one; CREATE DATABASE blue_two OWNER tenant;
        CREATE DATABASE green_one;""")
    guarded.psql(text="CREATE TABLE there (x int); GRANT SELECT ON there TO legacy;",
                 dbname="blue_one")
    before = rights(guarded)
    deck = write_deck(tmp_path / "deck", guarded.conninfo(), EXISTING)
    plan = changes(pgdeck, deck)
    warning = next(change["warning"] for change in plan
                   if change["key"] == "access to the database" and
                   change["database"] == "blue_one")
    assert "legacy" in warning and "tenant" in warning
    assert "clerk" not in warning and "boss" not in warning
    assert "\033" not in pgdeck("plan", "-d", deck, expect=0).out
    result = apply(pgdeck, deck)
    assert changes(pgdeck, deck) == []
    assert 'belongs to "tenant"' in pgdeck("plan", "-d", deck).out, result.out
    for role in ("clerk", "boss"):
        with guarded.connect("blue_one", user=role) as old:
            old.execute("CREATE TEMPORARY TABLE scratch (x int)")
    with pytest.raises(psycopg.OperationalError, match="permission denied"):
        guarded.connect("blue_one", user="legacy")
    guarded.connect("blue_two", user="tenant").close()
    with guarded.connect("blue_one", user="blue_web_a") as web:
        web.execute("INSERT INTO there VALUES (1)")
    owners = dict(guarded.query("SELECT datname, datdba::regrole::text FROM pg_database"))
    assert owners["blue_one"] == "blue_owner" and owners["blue_two"] == "tenant"
    pgdeck("rollback", "-d", deck, "--yes", expect=0)
    guarded.connect("blue_one", user="legacy").close()
    after = rights(guarded)
    assert after["roles"] == before["roles"]
    assert {name: state[0] for name, state in after.items() if name != "roles"} == \
           {name: state[0] for name, state in before.items() if name != "roles"}


def test_without_superuser(pgdeck, guarded, tmp_path):
    """As on a rented server: the role may create roles and databases, no more."""
    guarded.query("CREATE ROLE rented LOGIN CREATEROLE CREATEDB PASSWORD 'x'")
    guarded.query("CREATE DATABASE admin OWNER rented")
    deck = write_deck(tmp_path / "deck", guarded.conninfo("admin", user="rented"))
    apply(pgdeck, deck)
    assert changes(pgdeck, deck) == []
    secret = passwords(pgdeck)
    with log_in(guarded, "blue_web_a", "blue_one", secret["blue_web_a"]) as web:
        web.execute("INSERT INTO items (name) VALUES ('one')")
        if guarded.version >= 15:
            with pytest.raises(PRIVILEGE):
                web.execute("CREATE TABLE mine (x int)")
        else:
            assert "only a superuser can end that" in pgdeck("plan", "-d", deck).out
    guarded.connect("blue_one", user="rented").close()
    pgdeck("rollback", "-d", deck, "--yes", "--drop-data", expect=0)
    assert guarded.query("SELECT 1 FROM pg_roles WHERE rolname ~ '^(blue|green)_'") == []


def test_a_role_that_may_not_create_roles_is_told_so(pgdeck, guarded, tmp_path):
    guarded.query("CREATE ROLE modest LOGIN")
    guarded.query("CREATE DATABASE admin OWNER modest")
    deck = write_deck(tmp_path / "deck", guarded.conninfo("admin", user="modest"))
    result = pgdeck("plan", "-d", deck, expect=15)
    assert "may not create role" in result.err and "CREATEROLE" in result.err


NAMES = ['q"uote', "it's", "sp ace", "ünï", "UPPER", "x;DROP TABLE items", "a=b", "{c,d}", "p|q",
         "back\\slash", "select", 'x"; DROP DATABASE postgres; --', "new\nline", "%I%s$1", "名前",
         "'||pg_sleep(9)||'", "x" * 30]


@pytest.mark.parametrize("name", NAMES)
def test_names_are_only_names(pgdeck, server, tmp_path, name):
    deck = write_deck(tmp_path / "deck", server.conninfo(), f"""
deck: {json.dumps(name, ensure_ascii=False)}
advisors: [schema, security]
servers:
  main: {{conninfo: "CONNINFO"}}
environments:
  {json.dumps(name, ensure_ascii=False)}:
    server: main
    pools:
      {json.dumps(name, ensure_ascii=False)}: {{min: 1, max: 2}}
databases:
  {json.dumps(name, ensure_ascii=False)}:
    environment: {json.dumps(name, ensure_ascii=False)}
    services: [{json.dumps(name, ensure_ascii=False)}]
schema: schema.sql
""")
    before = rights(server)
    apply(pgdeck, deck)
    try:
        assert changes(pgdeck, deck) == []
        with server.connect(name, user=f"{name}_{name}_a") as service:
            service.execute("INSERT INTO items (name) VALUES ('x')")
    finally:
        pgdeck("rollback", "-d", deck, "--yes", "--drop-data", expect=0)
    assert rights(server) == before
    assert os.listdir(pgdeck.home / "state" / "pgdeck") != []


def test_rights_that_are_anothers_to_give_stay(pgdeck, guarded, tmp_path):
    guarded.query("CREATE ROLE rented LOGIN CREATEROLE CREATEDB")
    guarded.query("CREATE DATABASE admin OWNER rented")
    guarded.query("CREATE DATABASE blue_one")
    deck = write_deck(tmp_path / "deck", guarded.conninfo("admin", user="rented"),
                      DECK.replace("advisors: [schema, security]", "advisors: [security]")
                      .replace("  blue_two: {environment: blue, services: [job]}\n", "")
                      .replace("  green_one: {environment: green, services: [web]}\n", ""))
    text = pgdeck("plan", "-d", deck, expect=0).out
    assert 'belongs to "postgres"' in text and "to give" in text
    assert {change["phase"] for change in changes(pgdeck, deck)} == {"role"}


STRANGERS = """
    CREATE ROLE folk; CREATE ROLE eve LOGIN IN ROLE folk; CREATE ROLE warden LOGIN CREATEROLE;
    CREATE ROLE nobody; GRANT blue_job TO nobody;
"""
SURPLUS = """
    GRANT blue_job, green_web TO folk;
    GRANT TRUNCATE, SELECT ON items TO blue_web WITH GRANT OPTION;
    GRANT SELECT ON items TO PUBLIC;
    GRANT CREATE ON SCHEMA public TO blue_web_a;
    GRANT CONNECT, TEMPORARY ON DATABASE blue_one TO green_web;
    ALTER DEFAULT PRIVILEGES FOR ROLE blue_owner IN SCHEMA public GRANT TRIGGER ON TABLES TO blue_job;
    SET ROLE blue_web; GRANT TRUNCATE, SELECT ON items TO bob WITH GRANT OPTION;
    SET ROLE bob; GRANT TRUNCATE ON items TO carol, green_web; RESET ROLE;
    GRANT UPDATE ON items TO bob WITH GRANT OPTION;
    SET ROLE bob; GRANT UPDATE ON items TO green_web; RESET ROLE;
    GRANT blue_owner TO mallory;
    GRANT blue_web TO blue_web_a WITH ADMIN OPTION;
    CREATE AGGREGATE median(float8 ORDER BY float8) (SFUNC = ordered_set_transition, STYPE = internal,
                                                     FINALFUNC = percentile_cont_float8_final);
    GRANT EXECUTE ON FUNCTION median(float8, float8) TO green_web;
    ALTER ROLE blue_job_a CREATEDB BYPASSRLS;
    GRANT pg_read_all_data, blue_owner TO green_web_a WITH ADMIN OPTION;
    GRANT SELECT (name), REFERENCES (name) ON items TO green_web;
    GRANT UPDATE (name), REFERENCES (id) ON items TO blue_web;
    CREATE FUNCTION twice(int) RETURNS int LANGUAGE sql AS 'SELECT 2 * $1';
    GRANT EXECUTE ON FUNCTION twice TO green_web, blue_web;
    ALTER DEFAULT PRIVILEGES FOR ROLE blue_owner GRANT EXECUTE ON FUNCTIONS TO green_web, blue_web;
    ALTER DEFAULT PRIVILEGES FOR ROLE blue_owner GRANT USAGE ON TYPES TO green_web;
    ALTER DEFAULT PRIVILEGES FOR ROLE blue_owner GRANT CREATE ON SCHEMAS TO blue_web;
"""
NO_SCHEMA = """
    CREATE FUNCTION no_schema() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
        IF EXISTS (SELECT FROM pg_event_trigger_ddl_commands() WHERE object_type = 'SCHEMA') THEN
            RAISE 'schemas stay';
        END IF;
    END $$;
    CREATE EVENT TRIGGER no_schema ON ddl_command_end WHEN TAG IN ('REVOKE') EXECUTE FUNCTION no_schema();
"""
LET_IN = """
    SET ROLE blue_web_a; GRANT blue_web TO bob WITH ADMIN OPTION;
    SET ROLE bob; GRANT blue_web TO carol;
"""
PARAMETERS = "GRANT SET, ALTER SYSTEM ON PARAMETER log_statement TO blue_web_a WITH GRANT OPTION"


def granted(server):
    """Who gave what on the table to whom, and who let whom into which role."""
    return server.query("SELECT to_jsonb(m) - 'oid' FROM pg_auth_members AS m "
                        "ORDER BY roleid, member, grantor") + server.query("SELECT a::text FROM pg_class, unnest(relacl) AS a WHERE relname = 'items' "
                        "ORDER BY 1", dbname="blue_one")


def test_surplus_rights_are_shown_and_go_only_with_revoke(pgdeck, deck, guarded):
    apply(pgdeck, deck)
    for statement in ("CREATE ROLE bob", "CREATE ROLE carol"):
        guarded.query(statement)
    guarded.query("CREATE ROLE mallory LOGIN")
    guarded.psql(text=STRANGERS)
    clean = rights(guarded)
    guarded.psql(text=SURPLUS, dbname="blue_one")
    if guarded.version >= 15:
        guarded.query(PARAMETERS)
    if guarded.version >= 16:  # before, a membership does not end with that of who gave it
        guarded.psql(text=LET_IN)
    surplus, given = rights(guarded), granted(guarded)
    plan = changes(pgdeck, deck)
    assert {change["what"] for change in plan} == {
        "take SELECT on table public.items from PUBLIC",
        "take TRUNCATE on table public.items from blue_web",
        "take UPDATE on table public.items from green_web",
        "take the grant option of SELECT on table public.items from blue_web",
        "take the admin option of role blue_web from blue_web_a",
        "take mallory out of role blue_owner",
        "take folk out of role blue_job", "take folk out of role green_web",
        "take EXECUTE on routine public.median(double precision, double precision) from green_web",
        "take REFERENCES (id) on table public.items from blue_web",
        "take REFERENCES (name), SELECT (name) on table public.items from green_web",
        "take EXECUTE on routine public.twice(integer) from green_web",
        "take CREATE on schema public from blue_web_a",
        "take CONNECT, TEMPORARY on database blue_one from green_web",
        "give blue_job no TRIGGER on new tables of blue_owner",
        "give green_web no EXECUTE on new functions of blue_owner",
        "give green_web no USAGE on new types of blue_owner",
        "give blue_web no CREATE on new schemas of blue_owner",
        *(["take ALTER SYSTEM, SET on parameter log_statement from blue_web_a"]
          if guarded.version >= 15 else []),
        "take BYPASSRLS CREATEDB from role blue_job_a",
        "take green_web_a out of role pg_read_all_data",
        "take green_web_a out of role blue_owner"}
    assert all(change["revocation"] and change["undo"] for change in plan)
    assert "needs --revoke" in pgdeck("plan", "-d", deck).out
    assert "--revoke" in apply(pgdeck, deck).out
    assert rights(guarded) == surplus  # nothing without the flag
    told = pgdeck("security", "-d", deck).out
    assert "role mallory, which the deck does not know, has the rights of blue_owner" in told
    assert "role blue_web_a lets others into role blue_web" in told
    assert "role eve, which the deck does not know, has the rights of blue_job, green_web" in told
    assert "role warden, which the deck does not know, administers roles" in told
    assert "blue_web gave it to bob, carol, green_web, who lose it, too" in [
        change["warning"] for change in plan]
    guarded.psql(text=NO_SCHEMA, dbname="blue_one")  # one that fails keeps no other back
    assert "schemas stay" in pgdeck("apply", "-d", deck, "--yes", "--revoke", expect=20).err
    assert [change["what"] for change in changes(pgdeck, deck)] == [
        "take CREATE on schema public from blue_web_a"]
    pgdeck("rollback", "-d", deck, "--yes", expect=0)
    assert granted(guarded) == given
    guarded.query("DROP EVENT TRIGGER no_schema", dbname="blue_one")
    apply(pgdeck, deck, "--revoke")
    assert changes(pgdeck, deck) == []
    after = rights(guarded)
    assert after["roles"] == clean["roles"] and after["green_one"] == clean["green_one"]
    refused = ("SELECT has_table_privilege('blue_web', 'items', 'TRUNCATE') OR "
               "has_database_privilege('green_web', 'blue_one', 'CONNECT') OR "
               "has_schema_privilege('blue_web_a', 'public', 'CREATE') OR "
               "(SELECT rolbypassrls FROM pg_roles WHERE rolname = 'blue_job_a')")
    assert not guarded.value(refused, dbname="blue_one")
    guarded.query("GRANT TRUNCATE ON items TO blue_job", dbname="blue_one")
    pgdeck("apply", "-d", deck, "--yes", "--revoke", expect=0)
    pgdeck("rollback", "-d", deck, "--yes", expect=0)
    assert guarded.value("SELECT has_table_privilege('blue_job', 'items', 'TRUNCATE')",
                         dbname="blue_one")
    pgdeck("rollback", "-d", deck, "--yes", expect=0)
    assert guarded.value(refused, dbname="blue_one")
    assert rights(guarded)["roles"] == surplus["roles"]
    assert {change["what"] for change in plan} <= {c["what"] for c in changes(pgdeck, deck)}


def test_a_group_that_pgdeck_comes_in_by_stays(pgdeck, guarded, tmp_path):
    """Taking it out would take pgdeck's own rights, or those of who administers roles."""
    guarded.query("CREATE ROLE rented LOGIN CREATEDB")
    deck = write_deck(tmp_path / "deck", guarded.conninfo(), DECK)
    apply(pgdeck, deck)
    guarded.psql(text="""
        CREATE ROLE dba; CREATE ROLE alice LOGIN IN ROLE dba; CREATE ROLE warden LOGIN CREATEROLE;
        CREATE ROLE staff ROLE alice, warden; CREATE ROLE folk ROLE alice;
        GRANT dba TO rented; GRANT blue_web, blue_job TO staff, folk;
        GRANT blue_owner, green_owner, blue_web, blue_job TO dba WITH ADMIN OPTION;
    """)
    if guarded.version >= 16:  # who administers a group alone has nothing by it
        guarded.query("GRANT folk TO warden WITH ADMIN TRUE, INHERIT FALSE, SET FALSE")
    deck = write_deck(tmp_path / "deck", guarded.conninfo(user="rented"), DECK)
    plan = json.loads(pgdeck("plan", "-d", deck, "--json", expect=0).out)
    shut_out = {row["what"]: row["obstacle"] for row in plan["manual"] if "shut out" in row["obstacle"]}
    assert shut_out == {
        **{f"take dba out of role {role}": "it would shut out rented, too"
           for role in ("blue_owner", "green_owner", "blue_web", "blue_job")},
        **{f"take staff out of role {role}": "it would shut out warden, too"
           for role in ("blue_web", "blue_job")}}
    taken = {row["what"] for row in [*plan["changes"], *plan["manual"]]} - set(shut_out)
    assert {what for what in taken if "out of role" in what} == {
        "take folk out of role blue_web", "take folk out of role blue_job"}


@pytest.mark.pg(max=15)
def test_neither_pgdeck_nor_the_first_superuser_loses_its_rights(pgdeck, guarded, tmp_path):
    """Whatever the deck says of them: who applies could not take it back, nor could anybody else."""
    guarded.query("CREATE ROLE helper LOGIN SUPERUSER")
    roles = "roles:\n  postgres: {login: true}\n  helper: {login: true}\n"
    deck = write_deck(tmp_path / "deck", guarded.conninfo(), DECK + roles)
    apply(pgdeck, deck)
    assert [change["what"] for change in changes(pgdeck, deck)] == ["take SUPERUSER from role helper"]
    deck = write_deck(tmp_path / "deck", guarded.conninfo(user="helper"), DECK + roles)
    apply(pgdeck, deck, "--revoke")
    assert guarded.query("SELECT rolname FROM pg_roles WHERE rolsuper ORDER BY 1") == [
        ("helper",), ("postgres",)]
    assert changes(pgdeck, deck) == []
