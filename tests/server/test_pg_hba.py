# SPDX-License-Identifier: MIT
"""pg_hba.conf from the deck's networks: shown, put in place, tried, put back by itself."""

import json
import os
import shutil
import socket
import subprocess
import threading
import time

import psycopg
import pytest

from test_advisor_security import apply, changes, log_in, passwords, write_deck

DECK = """
deck: secured
advisors: [schema, security]
servers:
  main: {conninfo: "CONNINFO"}
environments:
  blue:
    server: main
    pools:
      web: {min: 1, max: 3}
    security: {allow: [10.0.0.0/8, 127.0.0.0/8, 10.1.0.0/16]}
  green:
    server: main
    pools:
      web: {min: 1, max: 3}
    security: {allow: [10.0.0.0/8], tls: required}
databases:
  blue_one: {environment: blue, services: [web]}
  green_one: {environment: green, services: [web]}
"""
KEY = "pg_hba.conf"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost", "-days", "90",
                    "-keyout", folder / "server.key", "-out", folder / "server.crt"],
                   check=True, capture_output=True)
    return folder


@pytest.fixture
def deck(tmp_path, fresh_server, certificate):
    for name in ("server.key", "server.crt"):
        path = fresh_server.data / name
        path.write_bytes((certificate / name).read_bytes())
        path.chmod(0o600)
        shutil.chown(path, "postgres" if os.getuid() == 0 else None)
    fresh_server.query("ALTER SYSTEM SET ssl = on")
    (fresh_server.data / "pg_hba.conf").write_text(
        "local all all trust\nhost all all 127.0.0.1/32 trust\n")
    fresh_server.query("SELECT pg_reload_conf()")
    return write_deck(tmp_path / "deck", fresh_server.conninfo(), DECK, "")


def rules(server):
    return server.query("SELECT type, array_to_string(database, ','), array_to_string(user_name, "
                        "','), address, auth_method FROM pg_hba_file_rules ORDER BY line_number")


def test_from_the_deck_and_back(pgdeck, deck, fresh_server):
    file = fresh_server.data / "pg_hba.conf"
    before = file.read_bytes()
    (row,) = [change for change in changes(pgdeck, deck) if change["key"] == KEY]
    assert "-- + hostssl green_one green_web_a 10.0.0.0/8 scram-sha-256" in row["sql"]
    assert row["file"] == str(file) and KEY in pgdeck("plan", "-d", deck, "--sql").out
    apply(pgdeck, deck)
    assert changes(pgdeck, deck) == []
    assert rules(fresh_server) == [
        ("host", "blue_one", "blue_web_a", "10.1.0.0", "scram-sha-256"),
        ("host", "blue_one", "blue_web_a", "10.0.0.0", "scram-sha-256"),
        ("host", "blue_one", "blue_web_a", "127.0.0.0", "scram-sha-256"),
        ("host", "blue_one", "blue_web_a", "127.0.0.1", "scram-sha-256"),
        ("host", "blue_one", "blue_web_a", "::1", "scram-sha-256"),
        ("hostssl", "green_one", "green_web_a", "10.0.0.0", "scram-sha-256"),
        ("hostssl", "green_one", "green_web_a", "127.0.0.1", "scram-sha-256"),
        ("hostssl", "green_one", "green_web_a", "::1", "scram-sha-256"),
        ("host", "blue_one,green_one", "all", "all", "reject"),
        ("local", "all", "all", None, "trust"),
        ("host", "all", "all", "127.0.0.1", "trust")]
    secret = passwords(pgdeck)
    log_in(fresh_server, "blue_web_a", "blue_one", secret["blue_web_a"]).close()
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        log_in(fresh_server, "blue_web_a", "blue_one", "wrong")
    with pytest.raises(psycopg.OperationalError, match="pg_hba.conf rejects"):
        log_in(fresh_server, "postgres", "blue_one", "")
    pgdeck("rollback", "-d", deck, "--yes", expect=0)
    assert file.read_bytes() == before
    log_in(fresh_server, "postgres", "postgres", "").close()


def test_lines_that_would_let_nobody_in_are_not_written(pgdeck, deck, fresh_server):
    """tls: required, ssl = off, and the deck gives no certificate: said everywhere, done nowhere."""
    fresh_server.query("ALTER SYSTEM RESET ssl")
    fresh_server.query("SELECT pg_reload_conf()")
    apply(pgdeck, deck)
    assert rules(fresh_server)[0] == ("local", "all", "all", None, "trust")
    manual = {row["key"]: row for row in json.loads(
        pgdeck("plan", "-d", deck, "--json", "--detailed-exitcode", expect=3).out)["manual"]}
    assert set(manual) == {"tls", KEY}
    assert 'gives server "main" no certificate' in manual["tls"]["obstacle"]
    assert "certificate_key" in manual["tls"]["remedy"]
    assert "let nobody in" in manual[KEY]["obstacle"]
    out = pgdeck("security", "-d", deck, expect=2).out
    assert "not as the deck says: turn TLS on" in out
    found = json.loads(pgdeck("health", "-d", deck, "--json").out)["findings"]
    assert [(one["severity"], one["evidence"]) for one in found if one["check"] == "certificate"] \
        == [("critical", "environment green; ssl = off")]
    fresh_server.query("ALTER SYSTEM SET ssl = on")
    fresh_server.query("SELECT pg_reload_conf()")
    apply(pgdeck, deck)
    assert changes(pgdeck, deck) == [] and rules(fresh_server)[5][0] == "hostssl"


def test_pgdeck_comes_in_by_the_line_that_let_it_in(pgdeck, deck, fresh_server, tmp_path):
    """Over the network, into the deck's databases, too."""
    conninfo = f"host=127.0.0.1 port={fresh_server.port} user=postgres dbname=postgres sslmode=disable"
    deck = write_deck(tmp_path / "far", conninfo, DECK, "")
    apply(pgdeck, deck)
    assert rules(fresh_server)[0] == ("host", "blue_one,green_one", "postgres", "127.0.0.1",
                                      "trust")
    # The pool goes that way, too, in clear text: where it cannot do else TLS is not asked for.
    assert ("host", "green_one", "green_web_a", "127.0.0.1", "scram-sha-256") in rules(fresh_server)
    assert ("hostssl", "green_one", "green_web_a", "10.0.0.0", "scram-sha-256") in (
        rules(fresh_server))
    found = pgdeck("security", "-d", deck).out
    assert "green_one takes clear text on the server's own host" in found
    text = deck.read_text()
    deck.write_text(text.replace("16]}", "16], tls: required}"))  # one row a line
    listed = json.loads(pgdeck("security", "-d", deck, "--json").out)["items"]
    both = [one["evidence"] for one in listed if one["finding"] == (
        "blue, green: the deck says tls: required, and blue_one, green_one take clear text on the "
        "server's own host")]
    assert len(both) == len(set(both)) and "pgdeck" not in str(both) and both, listed
    deck.write_text(text)
    assert changes(pgdeck, deck) == []


def far_deck(folder, server, database, port=None):
    conninfo = f"host=127.0.0.1 port={port or server.port} user=postgres dbname={database} sslmode=disable"
    return write_deck(folder, conninfo, DECK, "")


LINES = [
    "host all all samehost trust", "host all all samenet trust", "host all all localhost trust",
    "host all +admins all trust", "host samerole all 127.0.0.1/32 trust",
    'host all "postgres" 127.0.0.0 255.0.0.0 trust',
    # the one that let it in, none that asks for a password or refuses
    "host all postgres other.invalid scram-sha-256\nhost all all 10.0.0.0/8 reject\n"
    "host blue_one,green_one,postgres postgres samehost trust"]


@pytest.mark.pg(max=15)
def test_by_every_kind_of_line_pgdeck_gets_in_again(pgdeck, deck, fresh_server, tmp_path):
    fresh_server.query("CREATE ROLE admins ROLE postgres")
    fresh_server.query("CREATE ROLE blue_one ROLE postgres")
    fresh_server.query("CREATE DATABASE blue_one")
    far = far_deck(tmp_path / "far", fresh_server, "blue_one")
    for line in LINES:
        (fresh_server.data / "pg_hba.conf").write_text(f"local all all trust\n{line}\n")
        fresh_server.query("SELECT pg_reload_conf()")
        text = pgdeck("security", "render", "hba", "-d", far, expect=0).out
        assert "\nhost    blue_one,green_one postgres 127.0.0.1/32 trust\n" in text, line
    apply(pgdeck, far)
    assert changes(pgdeck, far) == []
    for name in ("blue_one", "green_one"):
        log_in(fresh_server, "postgres", name, "").close()


@pytest.mark.pg(min=16)
def test_lines_of_other_files_stand_where_they_are_included(pgdeck, deck, fresh_server, tmp_path):
    """Their numbers of lines begin at one again."""
    (fresh_server.data / "more.conf").write_text("host all postgres samehost trust\n")
    (fresh_server.data / "pg_hba.conf").write_text(
        "local all all trust\n\n\ninclude more.conf\nhost all all all reject\n")
    fresh_server.query("SELECT pg_reload_conf()")
    far = far_deck(tmp_path / "far", fresh_server, "postgres")
    apply(pgdeck, far)
    assert ("host", "blue_one,green_one", "postgres", "127.0.0.1", "trust") in rules(fresh_server)
    (fresh_server.data / "more.conf").write_text("host all postgres nonsense\n")
    fresh_server.query("SELECT pg_reload_conf()")
    far.write_text(far.read_text().replace("10.1.0.0/16", "10.2.0.0/16"))
    assert f"line 1 of {fresh_server.data / 'more.conf'} is faulty" in pgdeck(
        "apply", "-d", far, "--yes", expect=22).err


@pytest.mark.pg(max=15)
def test_a_file_that_would_lock_pgdeck_out_is_put_back(pgdeck, deck, fresh_server, tmp_path):
    """What is read first may have been the line by which pgdeck came in, and was not: a new login to
    the conninfo's database goes well, one to the deck's does not."""
    file = fresh_server.data / "pg_hba.conf"
    fresh_server.query("CREATE DATABASE blue_one")
    fresh_server.query("ALTER ROLE postgres PASSWORD 'geheim'")
    file.write_text("local all all trust\nhost all all other.invalid ldap ldapserver=127.0.0.1 "
                    "ldapport=1 ldapprefix=x\nhost all all 127.0.0.1/32 scram-sha-256\n")
    fresh_server.query("SELECT pg_reload_conf()")
    before = file.read_bytes()
    result = pgdeck("apply", "-d", far_deck(tmp_path / "far", fresh_server, "postgres"), "--yes",
                    env={"PGPASSWORD": "geheim"}, expect=22)
    assert "the old one is back: a new login to database \"blue_one\" fails" in result.err
    assert file.read_bytes() == before
    assert not list(pgdeck.home.rglob("pg_hba.conf.*"))


@pytest.mark.pg(max=15)
def test_an_edit_that_was_not_read_is_not_let_in(pgdeck, deck, fresh_server):
    """Put back, it would not be what the server held: nothing is tried then. Nor when it was in the
    second of the last reload, of which the server itself does not tell more."""
    file = fresh_server.data / "pg_hba.conf"
    text = "local all all trust\nhost all all 127.0.0.1/32 reject\n"
    read = "SELECT extract(epoch FROM pg_conf_load_time())"
    for _try in range(20):
        fresh_server.query("SELECT pg_reload_conf()")
        fresh_server.value(read)  # before a server lets in anybody else it has read
        time.sleep(0.01)  # the kernel's own step of a file's time
        file.write_text(text)
        if int(file.stat().st_mtime) == int(fresh_server.value(read)):
            break
    assert float(fresh_server.value(read)) < file.stat().st_mtime < fresh_server.value(read) + 1
    before = file.read_bytes()
    result = pgdeck("apply", "-d", deck, "--yes", expect=22)
    assert "was edited and not read since: apply refuses it" in result.out
    assert f"the server has not read {file} since it was edited" in result.err
    assert file.read_bytes() == before
    log_in(fresh_server, "postgres", "postgres", "").close()  # by what the server holds
    fresh_server.query("SELECT pg_reload_conf()")
    apply(pgdeck, deck)


@pytest.mark.pg(max=15)
def test_a_link_stays_one(pgdeck, deck, fresh_server):
    file, target = fresh_server.data / "pg_hba.conf", fresh_server.data / "shared.conf"
    file.rename(target)
    file.symlink_to("shared.conf")
    before = target.read_bytes()
    apply(pgdeck, deck)
    assert file.is_symlink() and "pgdeck begins" in target.read_text()
    assert changes(pgdeck, deck) == []
    pgdeck("rollback", "-d", deck, "--yes", expect=0)
    assert file.is_symlink() and target.read_bytes() == before


@pytest.mark.pg(max=15)
def test_pgdeck_may_come_by_the_other_way_of_this_host(pgdeck, deck, fresh_server, tmp_path):
    """First through the socket, then over either loopback address: nobody is shut out, and the lines
    are the same."""
    fresh_server.query("ALTER SYSTEM RESET ssl")
    fresh_server.query("ALTER ROLE postgres PASSWORD 'geheim'")
    deck.write_text(deck.read_text().replace(", tls: required", ""))
    (fresh_server.data / "pg_hba.conf").write_text(
        "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
        "host all all ::1/128 scram-sha-256\n")
    fresh_server.query("SELECT pg_reload_conf()")
    apply(pgdeck, deck)
    assert rules(fresh_server)[:2] == [
        ("host", "blue_one,green_one", "postgres", "127.0.0.1", "scram-sha-256"),
        ("host", "blue_one,green_one", "postgres", "::1", "scram-sha-256")]
    lines = (fresh_server.data / "pg_hba.conf").read_text().split("# pgdeck ends")[0]
    far = far_deck(tmp_path / "far", fresh_server, "blue_one")
    far.write_text(far.read_text().replace(", tls: required", ""))
    result = pgdeck("security", "render", "hba", "-d", far, env={"PGPASSWORD": "geheim"}, expect=0)
    for line in lines.splitlines()[:4]:
        assert line in result.out


@pytest.mark.pg(max=15)
def test_a_logical_subscriber_is_named(pgdeck, deck, make_server, pg_version, tmp_path):
    """It comes into a database, as any client."""
    server = make_server(pg_version, wal_level="logical")
    (server.data / "pg_hba.conf").write_text("local all all trust\nhost all all all trust\n")
    server.query("SELECT pg_reload_conf()")
    for statement in ("CREATE ROLE copier LOGIN REPLICATION", "CREATE DATABASE blue_one"):
        server.query(statement)
    here = write_deck(tmp_path / "logical", server.conninfo(),
                      DECK.replace(", tls: required", ""), "")
    far = f"host=127.0.0.1 port={server.port} user=copier dbname=blue_one replication=database"
    copier = psycopg.pq.PGconn.connect(far.encode())
    assert copier.status == psycopg.pq.ConnStatus.OK, copier.error_message
    (row,) = [change for change in changes(pgdeck, here) if change["key"] == KEY]
    copier.finish()
    assert row["warning"].endswith("copier from 127.0.0.1 to blue_one")


@pytest.mark.pg(max=15)
def test_what_could_not_be_put_back_is_kept(pgdeck, deck, fresh_server, tmp_path):
    """Logins fail once the new file is there, and nothing can be written then: what was is kept, and
    the next apply begins with it."""
    file = fresh_server.data / "pg_hba.conf"
    before = file.read_bytes()
    obstacle = fresh_server.data / "pg_hba.conf.pgdeck-new"

    def is_let_in():
        if list(pgdeck.home.rglob("pg_hba.conf.before")) and "pgdeck begins" in file.read_text():
            obstacle.mkdir(exist_ok=True)  # where the next file would be made
        return not obstacle.exists()

    far = far_deck(tmp_path / "far", fresh_server, "postgres",
                   forward(fresh_server, "127.0.0.1", is_let_in))
    result = pgdeck("apply", "-d", far, "--yes", expect=22)
    assert "Nor could the old one be put back" in result.err
    (kept,) = pgdeck.home.rglob("pg_hba.conf.before")
    assert kept.read_bytes() == before and b"pgdeck begins" in file.read_bytes()
    obstacle.rmdir()
    apply(pgdeck, deck)
    assert changes(pgdeck, deck) == []
    assert not list(pgdeck.home.rglob("pg_hba.conf.*"))
    pgdeck("rollback", "-d", deck, "--yes", expect=0)
    assert file.read_bytes() == before


@pytest.mark.pg(max=15)
def test_what_was_edited_after_a_kill_stays(pgdeck, deck, fresh_server, tmp_path):
    file = fresh_server.data / "pg_hba.conf"
    runs = []

    def is_let_in():
        if "pgdeck begins" in file.read_text() and len(runs) == 1:
            runs[0].kill()
        return len(runs) != 1 or runs[0].poll() is None

    far = far_deck(tmp_path / "far", fresh_server, "postgres",
                   forward(fresh_server, "127.0.0.1", is_let_in))
    runs.append(pgdeck.start("apply", "-d", far, "--yes"))
    runs[0].communicate(timeout=60)
    runs.append(None)
    assert list(pgdeck.home.rglob("pg_hba.conf.before"))
    mine = "host all all 192.0.2.7/32 scram-sha-256\n"
    file.write_text(file.read_text() + mine)
    fresh_server.query("SELECT pg_reload_conf()")
    (row,) = [change for change in changes(pgdeck, far) if change["key"] == KEY]
    assert "has been edited since" in row["warning"] and "the same lines" in row["sql"]
    apply(pgdeck, far)
    assert file.read_text().endswith(mine) and changes(pgdeck, far) == []
    assert not list(pgdeck.home.rglob("pg_hba.conf.*"))


def test_a_faulty_file_is_put_back(pgdeck, deck, fresh_server):
    """Somebody has broken a line below: the server would read none of it."""
    file = fresh_server.data / "pg_hba.conf"
    file.write_text(file.read_text() + "host all all nonsense\n")
    fresh_server.query("SELECT pg_reload_conf()")
    before = file.read_bytes()
    result = pgdeck("apply", "-d", deck, "--yes", expect=22)
    assert "is faulty" in result.err and "the old one is back" in result.err
    assert file.read_bytes() == before


@pytest.mark.pg(max=15)
def test_a_kill_at_any_point_leaves_a_way_in(pgdeck, deck, fresh_server):
    file = fresh_server.data / "pg_hba.conf"
    before = file.read_bytes()
    wanted = deck.read_text()
    deck.write_text("".join(line for line in wanted.splitlines(True) if "allow" not in line))
    apply(pgdeck, deck)
    deck.write_text(wanted)
    for point in range(1, 60):
        result = pgdeck("apply", "-d", deck, "--only", "security", "--yes",
                        env={"PGDECK_CRASH_AT": str(point)})
        fresh_server.query("SELECT pg_reload_conf()")
        fresh_server.connect("blue_one").close()
        if result.code == 0:
            break
    else:
        raise AssertionError("never came to its end")
    assert point > 3 and changes(pgdeck, deck) == []
    pgdeck("rollback", "-d", deck, "--yes", expect=0)
    assert file.read_bytes() == before
    assert not list(pgdeck.home.rglob("pg_hba.conf.*"))


def test_without_the_files_the_lines_are_shown(pgdeck, deck, fresh_server, tmp_path):
    fresh_server.query("CREATE ROLE rented LOGIN CREATEROLE CREATEDB")
    fresh_server.query("CREATE DATABASE admin OWNER rented")
    far = write_deck(tmp_path / "far", fresh_server.conninfo("admin", user="rented"), DECK, "")
    assert "pgdeck security render hba" in pgdeck("plan", "-d", far, expect=0).out
    text = pgdeck("security", "render", "hba", "-d", far, expect=0).out
    assert "hostssl green_one green_web_a 10.0.0.0/8 scram-sha-256" in text
    assert "pg_reload_conf" in text
    if os.geteuid() != 0:
        return
    os.chmod(fresh_server.folder, 0o755)
    text = pgdeck("security", "render", "hba", "-d", deck, expect=0).out
    assert str(fresh_server.data / "pg_hba.conf") in text


def forward(server, source, is_let_in=lambda: True):
    """A port that leads to the server from another address of this host."""
    listener = socket.create_server(("127.0.0.1", 0))

    def copy(left, right):
        try:
            while data := left.recv(65536):
                right.sendall(data)
            right.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # the other direction has ended

    def serve():
        while True:
            client, _address = listener.accept()
            if not is_let_in():
                client.close()
                continue
            there = socket.create_connection(("127.0.0.1", server.port), source_address=(source, 0))
            for pair in ((there, client), (client, there)):
                threading.Thread(target=copy, args=pair, daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    return listener.getsockname()[1]


def test_who_would_not_get_in_again_is_named(pgdeck, deck, fresh_server):
    file = fresh_server.data / "pg_hba.conf"
    file.write_text("local all all trust\nhost all all 127.0.0.0/8 trust\n")
    fresh_server.query("SELECT pg_reload_conf()")
    fresh_server.query("CREATE ROLE legacy LOGIN")
    fresh_server.query("CREATE DATABASE green_one")
    deck.write_text(deck.read_text().replace("127.0.0.0/8, ", "")
                    .replace("[10.0.0.0/8], tls", "[10.0.0.0/8, 127.0.0.8/31], tls"))

    def warning():
        (row,) = [change for change in changes(pgdeck, deck) if change["key"] == KEY]
        return row["warning"]

    for statement in ("CREATE ROLE green_web_a LOGIN", "CREATE ROLE blue_web_a LOGIN",
                      "CREATE DATABASE blue_one"):
        fresh_server.query(statement)
    far = {"host": "127.0.0.1", "port": forward(fresh_server, "127.0.0.9"), "dbname": "green_one",
           "sslmode": "disable"}
    near = far | {"port": fresh_server.port}
    with psycopg.connect(**far, user="legacy"):
        assert warning().endswith("legacy from 127.0.0.9 to green_one")
    for who in ("legacy", "postgres"):  # from where others are let in
        with psycopg.connect(**near, user=who):
            assert warning().endswith(f"again: {who} from 127.0.0.1 to green_one")
    for where, address in ((near, "127.0.0.1"), (far, "127.0.0.9")):
        with psycopg.connect(**where, user="green_web_a"):
            assert warning().endswith(f"green_web_a from {address} to green_one in clear text")
    with psycopg.connect(**near | {"dbname": "blue_one"}, user="blue_web_a"):
        assert warning() is None
    with psycopg.connect(**near | {"dbname": "postgres"}, user="legacy"):  # no lines for that one
        assert warning() is None


NAMES = ['q"uote', "it's", "sp ace", "ünï", "UPPER", "a,b", "all", "+plus", "@at", "#hash",
         "/slash.*", "back\\slash", "x;DROP TABLE items"]


def test_names_are_only_names(pgdeck, fresh_server, tmp_path):
    quoted = [json.dumps(name, ensure_ascii=False) for name in NAMES]
    text = DECK.split("environments:")[0] + "environments:\n"
    for number, name in enumerate(quoted):
        text += (f"  e{number}:\n    server: main\n    pools: {{{name}: {{max: 2}}}}\n"
                 "    security: {allow: [10.0.0.0/8]}\n")
    text += "databases:\n"
    for number, name in enumerate(quoted):
        text += f"  {name}: {{environment: e{number}, services: [{name}]}}\n"
    deck = write_deck(tmp_path / "names", fresh_server.conninfo(), text, "")
    apply(pgdeck, deck)
    assert changes(pgdeck, deck) == []
    assert fresh_server.query("SELECT error FROM pg_hba_file_rules WHERE error IS NOT NULL") == []
    for number, name in enumerate(NAMES):
        with pytest.raises(psycopg.OperationalError, match="pg_hba.conf rejects"):
            log_in(fresh_server, "postgres", name, "")
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            log_in(fresh_server, f"e{number}_{name}_a", name, "wrong")
    log_in(fresh_server, "postgres", "postgres", "").close()
