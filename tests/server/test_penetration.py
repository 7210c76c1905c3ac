# SPDX-License-Identifier: MIT
"""Every role tries what it must not; hostile objects in public are never called by pgdeck; the
binary is built as the checklist says. Tenants try each other's rows in test_tenants."""

import platform
import re
import subprocess

import psycopg
import pytest
from psycopg import errors

from cluster import SOURCE
from test_advisor_security import DECK, apply, log_in, passwords, write_deck

# The second to the last are refused before rights are looked at.
REFUSED = (errors.InsufficientPrivilege, errors.UndefinedFile, errors.InvalidParameterValue,
           errors.UndefinedObject, errors.WrongObjectType)
ROLES = [("blue_web_a", "blue_one"), ("blue_job_a", "blue_two"), ("green_web_a", "green_one")]
DATABASES = ["blue_one", "blue_two", "green_one"]
MAY = {("blue_web_a", "blue_one"), ("blue_job_a", "blue_one"), ("blue_job_a", "blue_two"),
       ("green_web_a", "green_one")}
TRIES = [
    "SELECT * FROM pg_authid", "SELECT rolpassword FROM pg_authid", "SELECT * FROM pg_shadow",
    "SELECT * FROM pg_user_mapping", "SELECT * FROM pg_hba_file_rules",
    "SELECT pg_read_file('pg_hba.conf')", "SELECT pg_ls_dir('.')", "SELECT lo_import('/etc/passwd')",
    "COPY items FROM '/etc/passwd'", "COPY items TO '/tmp/stolen'",
    "COPY items TO PROGRAM 'cat > /tmp/stolen'",
    "CREATE FUNCTION x() RETURNS int LANGUAGE c AS 'libc', 'getpid'",
    "CREATE TABLE mine (x int)", "CREATE TEMP TABLE mine (x int)", "CREATE SCHEMA mine",
    "CREATE EXTENSION file_fdw", "CREATE DATABASE mine", "CREATE ROLE friend",
    "ALTER TABLE items ADD x int", "DROP TABLE items", "TRUNCATE items",
    "ALTER TABLE items OWNER TO CURRENT_USER",
    "CREATE TRIGGER t BEFORE INSERT ON items EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "CREATE POLICY p ON items", "CREATE RULE r AS ON SELECT TO items DO INSTEAD SELECT 1",
    "SET ROLE postgres", "SET ROLE blue_owner", "SET ROLE green_owner", "SET ROLE green_job_a",
    "SET SESSION AUTHORIZATION postgres", "ALTER SYSTEM SET log_statement = 'none'",
    "SET session_preload_libraries = 'auto_explain'", "LOAD 'auto_explain'",
    "ALTER DATABASE blue_one OWNER TO CURRENT_USER", "ALTER ROLE CURRENT_USER SUPERUSER",
    "ALTER ROLE CURRENT_USER BYPASSRLS", "ALTER ROLE CURRENT_USER CONNECTION LIMIT -1",
    "ALTER DEFAULT PRIVILEGES FOR ROLE blue_owner GRANT ALL ON TABLES TO PUBLIC",
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'postgres'",
    "SELECT pg_reload_conf()", "SELECT pg_switch_wal()", "CHECKPOINT",
    "SELECT * FROM pgdeck.journal", "DELETE FROM pgdeck.journal", "CREATE PUBLICATION p",
    "CREATE SUBSCRIPTION s CONNECTION '' PUBLICATION p", "CREATE EVENT TRIGGER e ON ddl_command_end "
    "EXECUTE FUNCTION suppress_redundant_updates_trigger()",
]


@pytest.fixture
def guarded(fresh_server):
    (fresh_server.data / "pg_hba.conf").write_text(
        "local all postgres trust\nhost all all 127.0.0.1/32 scram-sha-256\n")
    fresh_server.query("SELECT pg_reload_conf()")
    return fresh_server


def test_every_role_is_refused_what_it_must_not(pgdeck, guarded, tmp_path):
    deck = write_deck(tmp_path / "deck", guarded.conninfo())
    apply(pgdeck, deck)
    secret = passwords(pgdeck)
    state = ("SELECT r.rolname, r.rolsuper, r.rolbypassrls, r.rolconnlimit, r.rolcanlogin "
             "FROM pg_roles r ORDER BY 1")
    before = guarded.query(state)
    for role, home in ROLES:
        for dbname in DATABASES:
            if (role, dbname) in MAY:
                continue
            with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
                log_in(guarded, role, dbname, secret[role])
        with log_in(guarded, role, home, secret[role]) as connection:
            connection.execute("SELECT count(*) FROM items")
            for statement in TRIES:
                try:
                    connection.execute(statement)
                except psycopg.Error as error:
                    assert isinstance(error, REFUSED), (statement, error)
                    continue
                raise AssertionError(f"{role} may: {statement}")
    assert guarded.query(state) == before


MORE = [["diff", "blue", "green"], ["init", "--from", "CONNINFO", "--output", "FOLDER", "--force"],
        ["maintain", "daily"], ["maintain", "weekly"], ["maintain", "calendar"],
        ["watch", "--once", "overview", "--for", "1"]]


def fill(words, server, folder):
    values = {"CONNINFO": server.conninfo("blue_one"), "FOLDER": folder / "made"}
    return [values.get(word, word) for word in words]


def test_hostile_objects_in_public_are_never_called(pgdeck, guarded, tmp_path):
    """Functions and operators that would be taken instead of PostgreSQL's, were they found."""
    deck = write_deck(tmp_path / "deck", guarded.conninfo())
    apply(pgdeck, deck)
    for dbname in ["postgres", *DATABASES]:
        guarded.psql(text="""
            CREATE TABLE public.calls (name text);
            GRANT ALL ON public.calls TO PUBLIC;
            CREATE FUNCTION public.lower(text) RETURNS text LANGUAGE plpgsql AS
                $$ BEGIN INSERT INTO public.calls VALUES ('lower'); RETURN $1; END $$;
            CREATE FUNCTION public.format(text, VARIADIC text[]) RETURNS text LANGUAGE plpgsql AS
                $$ BEGIN INSERT INTO public.calls VALUES ('format'); RETURN $1; END $$;
            CREATE FUNCTION public.same(text, text) RETURNS bool LANGUAGE plpgsql AS
                $$ BEGIN INSERT INTO public.calls VALUES ('='); RETURN true; END $$;
            CREATE OPERATOR public.= (LEFTARG = text, RIGHTARG = text, FUNCTION = public.same);
            CREATE FUNCTION public.same(name, text) RETURNS bool LANGUAGE plpgsql AS
                $$ BEGIN INSERT INTO public.calls VALUES ('='); RETURN true; END $$;
            CREATE OPERATOR public.= (LEFTARG = name, RIGHTARG = text, FUNCTION = public.same);
            CREATE VIEW public.pg_roles AS SELECT 'nobody'::name AS rolname;
            CREATE TABLE public."x""; SELECT pg_sleep(9)--" (a int);
            CREATE TABLE public."<img onerror=>" (a int);
            CREATE TABLE public."a
b{}" (a int);
            """, dbname=dbname)
        guarded.query(f'ALTER DATABASE "{dbname}" SET search_path = public, pg_catalog')
    for words in (["plan", "--sql"], ["security"], ["health"], ["security", "render", "hba"],
                  ["index", "status"], ["tune"], *MORE, ["apply", "--yes"], ["rollback", "--yes"]):
        result = pgdeck(*fill(words, guarded, tmp_path), "-d", deck)
        assert result.code in (0, 1, 2, 3), (words, result.err)
    for dbname in ["postgres", *DATABASES]:
        assert guarded.query("SELECT * FROM public.calls", dbname=dbname) == []


SHADOWS = """
DO $make$
DECLARE shadow record;
BEGIN
    FOR shadow IN
        SELECT p.proname, t.arguments, format_type(p.prorettype, NULL) AS type
          FROM pg_catalog.pg_proc p
         CROSS JOIN LATERAL (SELECT pg_catalog.string_agg(format_type(a, NULL), ', ' ORDER BY i)
                               AS arguments FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY u(a, i)) t
         WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.prokind = 'f' AND NOT p.proretset
           AND p.provariadic = 0 AND p.proname = ANY ('{NAMES}')
           AND NOT EXISTS (SELECT FROM pg_type y WHERE y.typtype = 'p'
                            AND y.oid = ANY (p.proargtypes::oid[] || p.prorettype))
    LOOP
        EXECUTE format('CREATE FUNCTION public.%I(%s) RETURNS %s LANGUAGE plpgsql AS '
                       '$$ BEGIN RAISE EXCEPTION ''shadow called''; END $$',
                       shadow.proname, shadow.arguments, shadow.type);
    END LOOP;
    FOR shadow IN
        SELECT o.oprname, format_type(o.oprleft, NULL) AS l, format_type(o.oprright, NULL) AS r,
               format_type(o.oprresult, NULL) AS type
          FROM pg_catalog.pg_operator o
         WHERE o.oprnamespace = 'pg_catalog'::regnamespace AND o.oprleft <> 0
           AND o.oprname = ANY ('{=,<>,<,>,<=,>=,||,~,!~,->,->>,?,&&,@>,+,-,*,/}')
           AND NOT EXISTS (SELECT FROM pg_type y WHERE y.typtype = 'p'
                            AND y.oid IN (o.oprleft, o.oprright, o.oprresult))
    LOOP
        BEGIN
            EXECUTE format('CREATE FUNCTION public.shadow_operator(%s, %s) RETURNS %s LANGUAGE '
                           'plpgsql AS $$ BEGIN RAISE EXCEPTION ''shadow called''; END $$',
                           shadow.l, shadow.r, shadow.type);
        EXCEPTION WHEN duplicate_function OR invalid_function_definition THEN NULL;
        END;
        BEGIN
            EXECUTE format('CREATE OPERATOR public.%s (LEFTARG = %s, RIGHTARG = %s, '
                           'FUNCTION = public.shadow_operator)', shadow.oprname, shadow.l, shadow.r);
        EXCEPTION WHEN OTHERS THEN NULL;
        END;
    END LOOP;
END $make$;
"""
COMMANDS = [["plan", "--sql"], ["security"], ["health", "--all"], ["security", "render", "hba"],
            ["security", "tenants"], ["index", "status"], ["partition", "status"], ["tune"],
            *MORE, ["apply", "--yes"], ["rollback", "--yes"]]


def test_no_function_of_pg_catalog_is_shadowed(pgdeck, guarded, tmp_path):
    """Each function and operator that our SQL names, of the same types, in a schema that the database
    lets be searched first: whatever calls one of them fails, and says so."""
    deck = write_deck(tmp_path / "deck", guarded.conninfo(), DECK.replace(
        "schema: schema.sql", "schema: schema.sql\ntenants: {column: name, identity: setting}"))
    apply(pgdeck, deck)
    names = set()
    for path in (SOURCE / "src").rglob("*.sql"):
        names |= set(re.findall(r"\b([a-z_0-9]{2,})\(", path.read_text()))
    made = SHADOWS.replace("NAMES", ",".join(sorted(names)))
    for dbname in ("postgres", "blue_one"):
        guarded.psql(text=made, dbname=dbname)
        counts = guarded.query(
            "SELECT (SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace), "
            "(SELECT count(*) FROM pg_operator WHERE oprnamespace = 'public'::regnamespace)",
            dbname=dbname)
        assert counts[0][0] > 100 and counts[0][1] > 100
        guarded.query(f"ALTER DATABASE {dbname} SET search_path = public, pg_catalog")
    with guarded.connect("blue_one") as connection, pytest.raises(psycopg.errors.RaiseException,
                                                                   match="shadow called"):
        connection.execute("SELECT 'a'::text = 'a'::text")
    for words in COMMANDS:
        result = pgdeck(*fill(words, guarded, tmp_path), "-d", deck)
        assert "shadow called" not in result.out + result.err, words
        assert result.code in (0, 1, 2, 3), (words, result.err)


def test_the_binary_is_hardened(pgdeck):
    """As hardening-check looks at it: PIE, stack protector, fortified functions, RELRO, BIND_NOW."""

    def readelf(*options):
        return subprocess.run(["readelf", "-W", *options, pgdeck.path], check=True, text=True,
                              capture_output=True).stdout

    assert "DYN (" in readelf("-h")
    dynamic, symbols = readelf("-d"), readelf("--dyn-syms")
    assert "BIND_NOW" in dynamic or "NOW" in dynamic
    assert "GNU_RELRO" in readelf("-l")
    assert "__stack_chk_fail" in symbols
    assert "RWE" not in readelf("-l")
    assert "__snprintf_chk" in symbols or "__vsnprintf_chk" in symbols
    if platform.machine() == "x86_64":
        # The flag itself needs a libc whose start files have it, too: Debian 12's have not.
        code = subprocess.run(["objdump", "-d", "--no-show-raw-insn", pgdeck.path], check=True,
                              text=True, capture_output=True).stdout
        assert code.count("endbr64") > 1000  # -fcf-protection
        assert re.search(r"sub +\$0x1000,%rsp\n.*orq? +\$0x0,", code)  # -fstack-clash-protection
