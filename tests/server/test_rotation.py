# SPDX-License-Identifier: MIT
"""pgdeck security rotate: two valid logins, then one; clients of the pool notice nothing."""

import threading

import psycopg
import pytest

from cluster import free_port, wait_for
from test_advisor_security import changes, log_in, passwords, write_deck

SCHEMA = "CREATE TABLE items (id bigserial PRIMARY KEY, name text NOT NULL);"
DECK = """
deck: secured
advisors: [schema, security]
pooler: {port: PORT}
servers:
  main: {conninfo: "CONNINFO"}
environments:
  blue:
    server: main
    pools:
      web: {min: 1, max: 3, query_timeout: 30s}
    security: {allow: [10.0.0.0/8, 127.0.0.0/8]}
databases:
  blue_one: {environment: blue, services: [web]}
schema: schema.sql
"""


@pytest.fixture
def guarded(fresh_server):
    (fresh_server.data / "pg_hba.conf").write_text("local all postgres trust\n"
                                                   "local all all scram-sha-256\n")
    fresh_server.query("SELECT pg_reload_conf()")
    return fresh_server


@pytest.fixture
def pool(pgdeck, guarded, tmp_path):
    """(deck, port) of a pool that serves it."""
    port = free_port()
    deck = write_deck(tmp_path / "deck", guarded.conninfo(), DECK.replace("PORT", str(port)),
                      SCHEMA)
    pgdeck("apply", "-d", deck, "--yes", expect=0)
    pgdeck.start("pool", "-d", deck)

    def answers():
        try:
            through(port, "blue_web_a", passwords(pgdeck)["blue_web_a"]).close()
            return True
        except psycopg.OperationalError:
            return False

    wait_for(answers, 60, "the pool")
    return deck, port


def through(port, role, password):
    return psycopg.connect(host="127.0.0.1", port=port, user=role, password=password,
                           dbname="blue_one", autocommit=True, connect_timeout=5)


def test_no_client_is_broken(pgdeck, pool, guarded):
    deck, port = pool
    guarded.query("ALTER ROLE blue_web_a SET work_mem = '7MB'")
    guarded.query("ALTER ROLE blue_web_a IN DATABASE blue_one SET search_path = '$user', public")
    first = passwords(pgdeck)["blue_web_a"]
    stop, faults, served, logins = threading.Event(), [], [], set()

    def work():
        try:
            with through(port, "blue_web_a", first) as client:
                while not stop.is_set():
                    with client.transaction():
                        client.execute("INSERT INTO items (name) VALUES ('x')")
                        logins.add(client.execute("SELECT session_user").fetchone()[0])
                    served.append(1)
        except psycopg.Error as error:
            faults.append(error)

    threads = [threading.Thread(target=work, daemon=True) for _ in range(2)]  # one connection is left
    for thread in threads:
        thread.start()
    wait_for(lambda: len(served) > 50, 60, "work")
    assert logins == {"blue_web_a"}
    out = pgdeck("security", "rotate", "blue", "web", "-d", deck, "--yes", expect=0).out
    assert "The pool on this machine has taken it." in out
    wait_for(lambda: "blue_web_b" in logins, 60, "the new login")
    secret = passwords(pgdeck)
    assert sorted(secret) == ["blue_web_a", "blue_web_b"] and secret["blue_web_a"] == first
    assert first not in out and secret["blue_web_b"] not in out
    for role in secret:  # both are valid, at the pool and at the server
        through(port, role, secret[role]).close()
        log_in(guarded, role, "blue_one", secret[role]).close()
    wait_for(lambda: guarded.value("SELECT count(*) FROM pg_stat_activity "
                                   "WHERE usename = 'blue_web_b'") <= 2, 60, "room for one more")
    with log_in(guarded, "blue_web_b", "blue_one", secret["blue_web_b"]) as new:
        assert new.execute("SHOW work_mem").fetchone() == ("7MB",)
        assert new.execute("SHOW search_path").fetchone() == ('"$user", public',)
        assert new.execute("SHOW statement_timeout").fetchone() == ("30s",)
    assert guarded.value("SELECT rolconnlimit FROM pg_roles WHERE rolname = 'blue_web_b'") == 3
    assert changes(pgdeck, deck) == []
    with log_in(guarded, "blue_web_a", "blue_one", first):
        result = pgdeck("security", "rotate", "blue", "web", "-d", deck, "--finish", "--yes",
                        expect=22)
        assert "still logged in" in result.err
    wait_for(lambda: guarded.value("SELECT count(*) FROM pg_stat_activity "
                                   "WHERE usename = 'blue_web_a'") == 0, 60, "its end")
    stop.set()
    for thread in threads:
        thread.join(60)
    assert faults == []
    pgdeck("security", "rotate", "blue", "web", "-d", deck, "--finish", "--yes", expect=0)
    assert list(passwords(pgdeck)) == ["blue_web_b"]
    assert guarded.query("SELECT rolname FROM pg_roles WHERE rolname ~ 'web_'") == [
        ("blue_web_b",)]
    assert changes(pgdeck, deck) == []
    with through(port, "blue_web_b", secret["blue_web_b"]) as client:
        assert client.execute("SELECT count(*) FROM items").fetchone()[0] == len(served)
    with pytest.raises(psycopg.OperationalError):
        through(port, "blue_web_a", first)
    pgdeck("security", "rotate", "blue", "web", "-d", deck, "--yes", expect=0)  # and back
    assert sorted(passwords(pgdeck)) == ["blue_web_a", "blue_web_b"]
    through(port, "blue_web_a", passwords(pgdeck)["blue_web_a"]).close()


def test_what_cannot_be_rotated_is_told(pgdeck, guarded, tmp_path):
    deck = write_deck(tmp_path / "deck", guarded.conninfo(), DECK.replace("PORT", "6432"), SCHEMA)
    for words, what in ((("red", "web"), "no environment"), (("blue", "job"), "no pool")):
        assert what in pgdeck("security", "rotate", *words, "-d", deck, expect=64).err
    assert "is known on this machine" in pgdeck("security", "rotate", "blue", "web", "-d", deck,
                                                expect=22).err
    pgdeck("apply", "-d", deck, "--yes", expect=0)
    assert "no rotation" in pgdeck("security", "rotate", "blue", "web", "--finish", "-d", deck,
                                   expect=22).err
    assert "unknown verb" in pgdeck("security", "rotete", expect=64).err


@pytest.mark.pg(max=15)
def test_one_that_was_not_agreed_to_is_none(pgdeck, guarded, tmp_path):
    deck = write_deck(tmp_path / "deck", guarded.conninfo(),
                      DECK.replace("pooler: {port: PORT}\n", ""), SCHEMA)
    pgdeck("apply", "-d", deck, "--yes", expect=0)
    before = passwords(pgdeck)
    refused = pgdeck("security", "rotate", "blue", "web", "-d", deck, expect=22)
    assert "needs a yes" in refused.err
    assert "No rotation is under way: blue_web_a is the login as before." in refused.err
    assert passwords(pgdeck) == before and changes(pgdeck, deck) == []
    pgdeck("security", "rotate", "blue", "web", "-d", deck, "--yes", expect=0)
    guarded.query("DROP OWNED BY blue_web_b")
    guarded.query("DROP ROLE blue_web_b")
    early = pgdeck("security", "rotate", "blue", "web", "-d", deck, "--finish", "--yes", expect=22)
    assert "role blue_web_b is not there yet" in early.err
    pgdeck("security", "rotate", "blue", "web", "-d", deck, "--yes", expect=0)
    pgdeck("security", "rotate", "blue", "web", "-d", deck, "--finish", "--yes", expect=0)
    assert list(passwords(pgdeck)) == ["blue_web_b"] and changes(pgdeck, deck) == []


@pytest.mark.pg(max=15)
def test_killed_at_each_step_it_can_be_finished(pgdeck, make_server, pg_version, tmp_path):
    """Nothing is forgotten before the answer, nor before the role is gone. And no verifier is seen."""
    server = make_server(pg_version, shared_preload_libraries="pg_stat_statements")
    server.query("CREATE EXTENSION pg_stat_statements")
    deck = write_deck(tmp_path / "deck", server.conninfo(), DECK.replace("PORT", "6432"), SCHEMA)
    pgdeck("apply", "-d", deck, "--yes", expect=0)
    rotate = ("security", "rotate", "blue", "web", "-d", deck)
    pgdeck(*rotate, "--yes", expect=0)
    result = pgdeck(*rotate, "--finish", expect=22)
    assert "no terminal" in result.err
    assert sorted(passwords(pgdeck)) == ["blue_web_a", "blue_web_b"]
    for point in range(1, 60):
        there = len(passwords(pgdeck)) == 2
        result = pgdeck(*rotate, "--finish", "--yes", env={"PGDECK_CRASH_AT": str(point)})
        roles = server.value("SELECT count(*) FROM pg_roles WHERE rolname ~ '^blue_web_[ab]$'")
        assert len(passwords(pgdeck)) >= roles, point
        if result.code == 0 or not there:
            break
        assert result.code in (-9, 137), result.err
    assert point > 3
    assert list(passwords(pgdeck)) == ["blue_web_b"] and roles == 1
    assert "no rotation" in pgdeck(*rotate, "--finish", "--yes", expect=22).err
    assert changes(pgdeck, deck) == []
    seen = [query for (query,) in server.query("SELECT query FROM pg_stat_statements")]
    assert any("blue_web_b" in query for query in seen)  # what it does is seen, not this:
    assert [query for query in seen if "SCRAM-SHA-256$" in query or "PASSWORD '" in query] == []


@pytest.mark.pg(max=15)
def test_a_rotation_is_taken_back(pgdeck, pool, guarded):
    """The former login is the one again, at the pool, too. After --finish the new one is the only one
    left, and stays."""
    deck, port = pool
    rotate = ("security", "rotate", "blue", "web", "-d", deck, "--yes")
    pgdeck(*rotate, expect=0)
    out = pgdeck("rollback", "-d", deck, "--yes", expect=0).out
    assert "The pool on this machine has taken it." in out
    secret = passwords(pgdeck)
    assert list(secret) == ["blue_web_a"]
    with through(port, "blue_web_a", secret["blue_web_a"]) as client:
        assert client.execute("SELECT session_user").fetchone() == ("blue_web_a",)
    assert changes(pgdeck, deck) == []
    pgdeck(*rotate, expect=0)
    wait_for(lambda: guarded.value("SELECT count(*) FROM pg_stat_activity "
                                   "WHERE usename = 'blue_web_a'") == 0, 60, "its end")
    pgdeck(*rotate, "--finish", expect=0)
    secret = passwords(pgdeck)
    pgdeck("rollback", "-d", deck, "--yes", expect=0)  # of --finish: a dropped role is not made again
    for _ in range(2):
        out = pgdeck("rollback", "-d", deck, "--yes", expect=0).out
        assert out.count("kept: the only login left") == 3
        log_in(guarded, "blue_web_b", "blue_one", secret["blue_web_b"]).close()
        through(port, "blue_web_b", secret["blue_web_b"]).close()
    for _ in range(2):  # of the rotation, and of the first apply, whose login is gone
        pgdeck("rollback", "-d", deck, "--yes", "--drop-data", expect=0)
    assert guarded.query("SELECT rolname FROM pg_roles WHERE rolname ~ 'blue_web'") == []


def test_a_password_of_systemd(pgdeck, guarded, tmp_path):
    """LoadCredential=PGDECK_PASSWORD_BLUE_WEB_A:..."""
    deck = write_deck(tmp_path / "deck", guarded.conninfo(), DECK.replace("PORT", "6432"), SCHEMA)
    folder = tmp_path / "credentials"
    folder.mkdir()
    (folder / "PGDECK_PASSWORD_BLUE_WEB_A").write_text("from systemd\n")
    (folder / "PGDECK_PASSWORD_BLUE_WEB_A").chmod(0o600)
    env = {"CREDENTIALS_DIRECTORY": str(folder)}
    pgdeck("apply", "-d", deck, "--yes", env=env, expect=0)
    log_in(guarded, "blue_web_a", "blue_one", "from systemd").close()
    assert pgdeck("plan", "-d", deck, "--detailed-exitcode", env=env).code == 0
    rotate = ("security", "rotate", "blue", "web", "-d", deck, "--yes")
    result = pgdeck(*rotate, env=env, expect=22)
    assert "Give that of blue_web_b as PGDECK_PASSWORD_BLUE_WEB_B, too." in result.err
    (folder / "PGDECK_PASSWORD_BLUE_WEB_B").write_text("the next one\n")
    (folder / "PGDECK_PASSWORD_BLUE_WEB_B").chmod(0o600)
    pgdeck(*rotate, env=env, expect=0)
    log_in(guarded, "blue_web_b", "blue_one", "the next one").close()
    out = pgdeck(*rotate, "--finish", env=env, expect=0).out
    assert "PGDECK_PASSWORD_BLUE_WEB_A is still given" in out and "the next one" not in out
    assert guarded.query("SELECT rolname FROM pg_roles WHERE rolname ~ 'web_'") == [
        ("blue_web_b",)]
