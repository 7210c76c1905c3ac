# SPDX-License-Identifier: MIT
"""pgdeck security: each fault of the checklist is made, found, mended by the statement that is
shown, and no longer found; nothing secret is in any output."""

import json

import psycopg
import pytest

from cluster import SOURCE
from test_advisor_security import DECK, apply, passwords, write_deck

WIDER = DECK.replace("""  green:
    server: main
    pools:
""", """  green:
    server: main
    pools:
      job: {min: 1, max: 2, query_timeout: 30s}
""").replace("services: [web]}", "services: [web, job]}")


@pytest.fixture(scope="module")
def secured(module_server, module_pgdeck, root, pg_version):
    """A server that a deck has been applied to, and the deck."""
    server = module_server
    (server.data / "pg_hba.conf").write_text(
        "local all postgres trust\nlocal all all scram-sha-256\n"
        "host all all 127.0.0.1/32 scram-sha-256\n")
    server.query("ALTER SYSTEM SET log_connections = on")
    server.query("ALTER SYSTEM SET idle_in_transaction_session_timeout = '1min'")
    server.query("ALTER SYSTEM SET log_line_prefix = '%m [%p] %q%u@%d '")
    server.restart()
    deck = write_deck(root / f"secured-{pg_version}", server.conninfo(), WIDER)
    apply(module_pgdeck, deck)
    return server, deck


def items(pgdeck, deck, code=None, **more):
    result = pgdeck("security", "-d", deck, "--json", **more)
    document = json.loads(result.out)
    worst = 2 if document["fail"] else 1 if document["warn"] else 3 if document["unknown"] else 0
    assert result.code == worst, result.err
    assert code is None or result.code == code, result.out
    return document["items"]


def bad(pgdeck, deck):
    return {(item["item"], item["database"], item["finding"]): item
            for item in items(pgdeck, deck) if item["state"] != "ok"}


# item, state, a part of the finding, what makes it (database, SQL)
FAULTS = [
    ("passwords", "fail", "blue_web_a is kept as MD5", "postgres",
     "SET password_encryption = 'md5'; ALTER ROLE blue_web_a PASSWORD 'old-and-secret'"),
    ("passwords", "fail", "new passwords are kept as md5", "postgres",
     "ALTER SYSTEM SET password_encryption = 'md5'"),
    ("passwords", "warn", "blue_job_a has expired", "postgres",
     "ALTER ROLE blue_job_a VALID UNTIL '2020-01-01'"),
    ("passwords", "warn", "of role green_web_a has few iterations", "postgres",
     "ALTER ROLE green_web_a PASSWORD 'SCRAM-SHA-256$1000:c2FsdHNhbHRzYWx0c2FsdA==$"
     "WOp0kLmOTXHFm2v0Qd1Qzj4nDkrmVfGNDrVuyZaZxOY=:WOp0kLmOTXHFm2v0Qd1Qzj4nDkrmVfGNDrVuyZaZxOY='"),
    ("passwords", "warn", "green_job_a logs in and has no password", "postgres",
     "ALTER ROLE green_job_a PASSWORD NULL"),
    ("roles", "fail", "blue_web of the deck may too much", "postgres",
     "ALTER ROLE blue_web BYPASSRLS CREATEDB"),
    ("roles", "fail", "owner blue_owner may log in", "postgres", "ALTER ROLE blue_owner LOGIN"),
    ("roles", "fail", "blue_web_a of blue has the rights of green", "postgres",
     "GRANT green_web TO blue_web_a"),
    ("roles", "warn", "blue_web_a has the rights of another service", "postgres",
     "GRANT blue_job TO blue_web_a"),
    ("roles", "fail", "blue_web_a owns what it uses", "postgres",
     "GRANT blue_owner TO blue_web_a"),
    ("roles", "fail", "blue_job has server-wide rights", "postgres",
     "GRANT pg_execute_server_program TO blue_job"),
    ("roles", "warn", "blue_web_a may take every connection", "postgres",
     "ALTER ROLE blue_web_a CONNECTION LIMIT -1"),
    ("roles", "warn", "boss, which may log in, is a superuser", "postgres",
     "CREATE ROLE boss LOGIN SUPERUSER"),
    ("roles", "warn", "chief, which may log in, is above", "postgres",
     "CREATE ROLE chief LOGIN BYPASSRLS"),
    ("timeouts", "warn", "blue_web_a: a statement may go on for ever", "postgres",
     "ALTER ROLE blue_web_a RESET statement_timeout"),
    ("timeouts", "warn", "blue_web_a: an idle transaction may hold", "postgres",
     "ALTER SYSTEM RESET idle_in_transaction_session_timeout"),
    ("logging and audit", "warn", "connections are not logged", "postgres",
     "ALTER SYSTEM SET log_connections = 'off'"),
    ("logging and audit", "warn", "do not say who did it", "postgres",
     "ALTER SYSTEM SET log_line_prefix = '%m '"),
    ("access", "fail", "everybody has CONNECT", "blue_one",
     "GRANT CONNECT ON DATABASE blue_one TO PUBLIC"),
    ("access", "warn", "everybody may create objects in schema public", "blue_one",
     "GRANT CREATE ON SCHEMA public TO PUBLIC"),
    ("access", "warn", "everybody has SELECT on public.items", "blue_one",
     "GRANT SELECT ON items TO PUBLIC"),
    ("access", "fail", "green_web_a of green may connect", "blue_two",
     "GRANT CONNECT ON DATABASE blue_two TO green_web_a"),
    ("access", "warn", "public.items belongs to blue_web_a, which may log in", "blue_one",
     "ALTER TABLE items OWNER TO blue_web_a"),
    ("functions", "warn", "public.f() runs as postgres, with names as its caller wants them", "blue_one",
     "CREATE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';"
     "REVOKE EXECUTE ON FUNCTION f() FROM PUBLIC"),
    ("functions", "warn", "everybody may run public.g() as postgres", "blue_one",
     "CREATE FUNCTION g() RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, "
     "pg_temp AS 'SELECT 1'"),
    ("functions", "warn", "extension file_fdw is installed", "blue_one",
     "CREATE EXTENSION file_fdw"),
    ("row-level security", "warn", "the owner of public.guarded sees all rows", "blue_one",
     "CREATE TABLE guarded (x int); ALTER TABLE guarded ENABLE ROW LEVEL SECURITY"),
    ("row-level security", "warn", "p on public.guarded does not say what may be written", "blue_one",
     "CREATE POLICY p ON guarded USING (x = 1)"),
    ("row-level security", "warn", "calls public.maybe(), which is volatile", "blue_one",
     "CREATE FUNCTION maybe() RETURNS bool LANGUAGE sql AS 'SELECT true';"
     "CREATE POLICY q ON guarded FOR SELECT USING (maybe())"),
    ("row-level security", "warn", "view public.all_of_it reads public.guarded as its owner", "blue_one",
     "CREATE VIEW all_of_it WITH (security_barrier) AS SELECT * FROM guarded"),
    ("row-level security", "warn", "materialized view public.kept shows rows of public.guarded to blue_web",
     "blue_one", "CREATE MATERIALIZED VIEW kept AS SELECT * FROM guarded; GRANT SELECT ON kept TO blue_web"),
    ("functions", "warn", "blue_job may run public.h() as postgres", "blue_one",
     "CREATE FUNCTION h() RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, "
     "pg_temp AS 'SELECT 1'; REVOKE EXECUTE ON FUNCTION h() FROM PUBLIC;"
     "GRANT EXECUTE ON FUNCTION h() TO blue_job"),
]
FINDINGS = [fault[:3] for fault in FAULTS]


def found_faults(pgdeck, deck):
    entries = items(pgdeck, deck)
    return {fault: entry for fault in FINDINGS for entry in entries
            if entry["item"] == fault[0] and fault[2] in entry["finding"]
            and entry["state"] == fault[1]}


def test_faults_are_found_and_their_statements_mend_them(module_pgdeck, secured):
    server, deck = secured
    assert found_faults(module_pgdeck, deck) == {}
    for fault in FAULTS:
        server.psql(text=f"{fault[4]};", dbname=fault[3])
    server.query("SELECT pg_reload_conf()")
    found = found_faults(module_pgdeck, deck)
    assert [fault for fault in FINDINGS if fault not in found] == []
    for fault, (_item, _state, _finding, dbname, _sql) in zip(FINDINGS, FAULTS):
        fix = found[fault]["fix"]
        if fix == "-- pgdeck apply":
            continue  # at the end
        if fix.startswith("-- before PostgreSQL 15"):
            fix = "DROP VIEW all_of_it"
        if fix.startswith("\\password"):
            fix = f"ALTER ROLE {fix.split()[1]} PASSWORD 'a new one'"
        for statement in fix.split(" --")[0].rstrip(";").split("; "):
            server.query(statement, dbname=dbname)
    server.query("ALTER ROLE blue_job_a VALID UNTIL 'infinity'")  # the deck lets it log in again
    apply(module_pgdeck, deck)
    assert found_faults(module_pgdeck, deck) == {}


HBA = [
    ("host all all 10.0.0.0/8 trust", "fail", "trust lets in from elsewhere"),
    ("host all all 10.0.0.0/8 md5", "fail", "md5 lets in from elsewhere"),
    ("host all all 10.0.0.0/8 password", "fail", "password lets in from elsewhere"),
    ("host all all 0.0.0.0/0 scram-sha-256", "warn", "every role may come from everywhere"),
    ("host blue_one all 10.0.0.0/8 scram-sha-256", "warn", "superusers may come from elsewhere"),
    ("host all all 127.0.0.1/32 trust", "warn", "whoever is on the host may be anybody"),
    ("local all all md5", "warn", "md5 is no longer safe"),
    ("host all all 10.0.0.0/8 nonsense", "fail", "line 8 is faulty"),
]


def test_lines_of_pg_hba_are_judged(module_pgdeck, secured):
    server, deck = secured
    file = server.data / "pg_hba.conf"
    good = file.read_text()
    file.write_text("\n".join(line[0] for line in HBA) + f"\n{good}")
    try:
        entries = items(module_pgdeck, deck)
    finally:
        file.write_text(good)
    for number, (_line, state, finding) in enumerate(HBA, 1):
        assert [entry["state"] for entry in entries if finding in entry["finding"]
                and (f"line {number}:" in entry["evidence"] or "faulty" in finding)] == [state]
    assert not [key for key in bad(module_pgdeck, deck)
                if key[0] == "pg_hba.conf" and "may be anybody" not in key[2]]


def test_clear_text_where_the_deck_wants_tls(module_pgdeck, secured, tmp_path):
    server, _deck = secured
    text = DECK.replace("  green:\n", "    security: {tls: required}\n  green:\n")
    deck = write_deck(tmp_path / "deck", server.conninfo(), text)
    file = server.data / "pg_hba.conf"
    good = file.read_text()
    file.write_text(f"{good}host blue_one blue_web_a 10.0.0.0/8 scram-sha-256\n")
    try:
        found = bad(module_pgdeck, deck)
        assert ("TLS", None, "the server has no TLS") in found
        assert any(key[0] == "pg_hba.conf" and "takes clear text" in key[2] for key in found)
    finally:
        file.write_text(good)


@pytest.mark.pg(min=15, max=15)  # Debian's pgaudit is for its own PostgreSQL
def test_an_audit_without_pgaudit(module_pgdeck, secured, tmp_path):
    server, plain = secured
    deck = write_deck(tmp_path / "deck", server.conninfo(), DECK.replace(
        "  green:\n", "    security: {audit: true}\n  green:\n"))
    absent = ("logging and audit", None, "blue asks for an audit, and pgaudit is not loaded")
    unseen = ("logging and audit", None, "blue asks for an audit, and changes in blue_one are not "
              "logged")
    found = bad(module_pgdeck, deck)
    assert found[absent]["state"] == "warn" and "pgdeck apply --restart" in found[absent]["fix"]
    assert found[unseen]["state"] == "fail"
    assert not [key for key in bad(module_pgdeck, plain) if "audit" in key[2]]
    for key in found:
        if key[2].endswith("are not logged"):
            for statement in found[key]["fix"].split(" --")[0].rstrip(";").split("; "):
                server.query(statement)
    found = bad(module_pgdeck, deck)
    assert absent in found and unseen not in found  # what settings can do is still less
    server.query("ALTER SYSTEM SET shared_preload_libraries = 'pgaudit'")
    server.restart()
    try:
        found = bad(module_pgdeck, deck)
        assert absent not in found and unseen not in found
    finally:
        server.query("ALTER SYSTEM RESET shared_preload_libraries")
        server.query("ALTER DATABASE blue_one RESET log_statement")
        server.query("ALTER DATABASE blue_two RESET log_statement")
        server.restart()


def test_what_was_changed_by_hand_is_told_against_the_deck(module_pgdeck, secured):
    server, deck = secured
    server.query("REVOKE UPDATE ON items FROM blue_web", dbname="blue_one")
    found = [key for key in bad(module_pgdeck, deck) if key[0] == "the deck"]
    assert len(found) == 1 and found[0][1] == "blue_one" and "blue_web" in found[0][2]
    apply(module_pgdeck, deck)
    assert [key for key in bad(module_pgdeck, deck) if key[0] == "the deck"] == []


def test_what_a_role_may_not_see_is_said(module_pgdeck, secured, tmp_path):
    server, _deck = secured
    server.query("CREATE ROLE looker LOGIN")
    server.query("GRANT pg_monitor TO looker")
    for name in ("blue_one", "blue_two", "green_one"):
        server.query(f"GRANT CONNECT ON DATABASE {name} TO looker")
    file = server.data / "pg_hba.conf"
    good = file.read_text()
    file.write_text(f"local all looker trust\n{good}")
    server.query("SELECT pg_reload_conf()")
    try:
        deck = write_deck(tmp_path / "deck", server.conninfo(user="looker"), DECK)
        found = {entry["item"]: entry["state"] for entry in items(module_pgdeck, deck)
                 if entry["state"] == "unknown"}
        assert {"passwords", "pg_hba.conf"} <= set(found)
    finally:
        file.write_text(good)
        server.query("SELECT pg_reload_conf()")


def test_nothing_secret_is_shown(module_pgdeck, secured):
    server, deck = secured
    seen = []
    for args in (("security",), ("security", "--json"), ("plan", "--sql"), ("health", "--all"),
                 ("pool", "render", "psycopg")):
        result = module_pgdeck(*args, "-d", deck)
        seen += [result.out, result.err]
    everything = "\n".join(seen)
    assert "blue_web" in everything
    secrets = list(passwords(module_pgdeck).values())
    with psycopg.connect(server.conninfo()) as connection:
        secrets += [row[0].split("$")[2] for row in connection.execute(
            "SELECT rolpassword FROM pg_authid WHERE rolpassword LIKE 'SCRAM%'").fetchall()]
    assert len(secrets) >= 6
    for secret in secrets:
        assert secret not in everything


def test_an_old_minor_version_is_told(server):
    """As the check would find it on servers that are not installed here."""
    text = (SOURCE / "src" / "security" / "checks" / "version.sql").read_text()
    known = "current_setting('server_version_num')::int"
    assert known in text and "$1::jsonb" in text
    with server.connect() as connection:
        for number, faults in ((150012, 3), (150014, 1), (150999, None), (180000, 1), (990000, None)):
            query = text.replace(known, str(number)).replace("$1::jsonb", "'{}'::jsonb")
            rows = connection.execute(query).fetchall()
            assert [row[2].count("CVE-") for row in rows] == ([faults] if faults else []), number
            assert all(row[0] == "warn" and "newest minor version" in row[3] for row in rows)
