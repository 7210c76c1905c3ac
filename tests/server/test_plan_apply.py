# SPDX-License-Identifier: MIT
"""plan, apply, rollback: idempotent, journalled, resumable, and clear when something is wrong."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time

import pytest

SCHEMA = """
CREATE TABLE customers (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE orders (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id bigint NOT NULL REFERENCES customers (id),
    state text NOT NULL DEFAULT 'open',
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE events (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT now(),
    what text NOT NULL
);
"""
INDEXES = """
CREATE INDEX orders_open ON orders (created_at) WHERE state = 'open';
CREATE INDEX orders_customer ON orders (customer_id, created_at DESC);
CREATE INDEX events_time ON events (created_at);
"""
DECK = """
deck: mini
servers:
  main: {conninfo: "CONNINFO", memory: 512MB, cpus: 2, storage: ssd}
environments:
  test:
    server: main
    memory: 256MB
    max_connections: 20
    workload: oltp
    logging: minimal
    pools:
      app: {min: 1, max: 5, query_timeout: 30s}
databases:
  mini_one: {environment: test, services: [app]}
  mini_two: {environment: test, services: [app]}
schema: schema.sql
indexes: indexes.sql
partitions:
  - {table: events, range: created_at, every: 1 month, premake: 2}
"""


def write_deck(folder, conninfo, text=DECK, schema=SCHEMA, indexes=INDEXES):
    folder.mkdir(exist_ok=True)
    (folder / "schema.sql").write_text(schema)
    (folder / "indexes.sql").write_text(indexes)
    quoted = conninfo.replace("\\", "\\\\").replace('"', '\\"')
    (folder / "deck.yaml").write_text(text.replace("CONNINFO", quoted))
    return folder / "deck.yaml"


@pytest.fixture
def deck(tmp_path, fresh_server):
    return write_deck(tmp_path / "deck", fresh_server.conninfo())


def changes(pgdeck, deck, *args):
    result = pgdeck("plan", "-d", deck, "--json", *args)
    assert result.code == 0, result.err
    return json.loads(result.out)["changes"]


def catalog(server):
    """What a rollback must restore: databases, roles, their settings, relations, auto.conf."""
    auto = (server.data / "postgresql.auto.conf").read_text().splitlines()
    state = {
        "databases": server.query("SELECT datname, datacl::text FROM pg_database ORDER BY 1"),
        "roles": server.query("SELECT rolname, rolconfig::text FROM pg_roles ORDER BY 1"),
        "settings": server.query("SELECT setconfig::text FROM pg_db_role_setting ORDER BY 1"),
        "auto": sorted(line for line in auto if line and not line.startswith("#")),
    }
    for (name, _acl) in state["databases"]:
        if name in ("template0", "template1"):
            continue
        state[name] = server.query(
            "SELECT c.oid::regclass::text, c.relkind::text, c.relacl::text FROM pg_class c "
            "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname !~ '^(pg_|pgdeck$|inf)' "
            "ORDER BY 1", dbname=name)
    return state


def test_a_plan_right_after_an_apply_is_empty(pgdeck, deck, fresh_server):
    assert len(changes(pgdeck, deck)) > 10
    assert pgdeck("plan", "-d", deck, "--detailed-exitcode").code == 2
    result = pgdeck("apply", "-d", deck, "--yes")
    assert result.code == 0, result.err
    left = changes(pgdeck, deck)
    assert [change["phase"] for change in left] in ([], ["restart"]), left
    result = pgdeck("apply", "-d", deck, "--yes", "--restart")
    assert result.code == 0, result.err
    result = pgdeck("plan", "-d", deck, "--detailed-exitcode")
    assert result.code == 0, result.out
    assert "Nothing to do" in result.out
    fresh_server.query("INSERT INTO orders (customer_id) SELECT id FROM customers",
                       dbname="mini_one")
    invalid = fresh_server.query("SELECT indexrelid::regclass FROM pg_index WHERE NOT indisvalid",
                                 dbname="mini_one")
    assert invalid == []


def test_filters_keep_to_what_they_name(pgdeck, deck):
    only = changes(pgdeck, deck, "--only", "schema", "--database", "mini_two")
    assert {change["advisor"] for change in only} == {"schema"}
    assert {change["database"] for change in only} == {None, "mini_two"}
    assert [c["key"] for c in only if c["database"] is None] == ["database mini_two"]
    result = pgdeck("plan", "-d", deck, "--database", "mini_on")
    assert result.code == 64
    assert 'Did you mean "mini_one"' in result.err


def test_nothing_is_proposed_that_lacks_its_ground(pgdeck, deck, fresh_server):
    for advisor in ("index", "partition", "settings", "security", "monitoring"):
        result = pgdeck("apply", "-d", deck, "--yes", "--only", advisor)
        assert result.code == 0, result.err
        assert "mini_one" not in [row[0] for row in fresh_server.query(
            "SELECT datname FROM pg_database")]
        assert "is not there" in result.out
    fresh_server.query("CREATE DATABASE mini_one")
    for advisor, told in (("index", "waits for its table"), ("partition", "is not there")):
        result = pgdeck("apply", "-d", deck, "--yes", "--only", advisor, "--database", "mini_one")
        assert result.code == 0, result.err
        assert told in result.out, result.out


def test_rollback_restores_what_was_there(pgdeck, deck, fresh_server):
    before = catalog(fresh_server)
    assert pgdeck("apply", "-d", deck, "--yes", "--restart").code == 0
    assert catalog(fresh_server) != before
    told = pgdeck("rollback", "-d", deck, "--dry-run")
    assert told.code == 0, told.err
    assert catalog(fresh_server) != before
    result = pgdeck("rollback", "-d", deck, "--yes", "--restart")
    assert result.code == 0, result.err
    assert catalog(fresh_server) == before, result.out
    again = pgdeck("rollback", "-d", deck, "--yes")
    assert again.code == 0 and "Nothing to roll back" in again.out
    assert pgdeck("apply", "-d", deck, "--yes", "--restart").code == 0
    assert changes(pgdeck, deck) == []


def test_rollback_leaves_rows_alone(pgdeck, deck, fresh_server):
    assert pgdeck("apply", "-d", deck, "--yes").code == 0
    fresh_server.query("INSERT INTO customers (name) VALUES ('kept')", dbname="mini_one")
    result = pgdeck("rollback", "-d", deck, "--yes")
    assert result.code == 0, result.err
    assert "holds data" in result.out
    assert fresh_server.value("SELECT name FROM customers", dbname="mini_one") == "kept"
    names = [row[0] for row in fresh_server.query("SELECT datname FROM pg_database")]
    assert "mini_two" not in names
    result = pgdeck("rollback", "-d", deck, "--yes", "--drop-data")
    assert result.code == 0, result.err
    names = [row[0] for row in fresh_server.query("SELECT datname FROM pg_database")]
    assert "mini_one" not in names, result.out


def test_a_plan_file_is_a_promise(pgdeck, deck, fresh_server, tmp_path):
    plan = tmp_path / "plan.json"
    assert pgdeck("apply", "-d", deck, "--yes", "--restart").code == 0
    fresh_server.query("DROP INDEX orders_open", dbname="mini_one")
    assert pgdeck("plan", "-d", deck, "--out", plan).code == 0
    fresh_server.query("CREATE INDEX by_hand ON orders (state)", dbname="mini_one")
    result = pgdeck("apply", plan, "--yes")
    assert result.code == 19, result.err
    assert "mini_one" in result.err
    fresh_server.query("DROP INDEX by_hand", dbname="mini_one")
    result = pgdeck("apply", plan, "--yes")
    assert result.code == 0, result.err
    assert changes(pgdeck, deck) == []
    plan.write_text("{}")
    result = pgdeck("apply", plan, "--yes")
    assert result.code == 21 and "no plan" in result.err


def test_decks_on_one_server_do_not_mix(pgdeck, deck, fresh_server, tmp_path):
    other = write_deck(tmp_path / "other", fresh_server.conninfo(),
                       DECK.replace("deck: mini", "deck: other").replace("mini_", "other_")
                       .replace("  test:", "  other:").replace("environment: test",
                                                               "environment: other"))
    failed = pgdeck("apply", "-d", other, "--yes", env={"PGDECK_CRASH_AT": "9"})
    assert failed.code == -signal.SIGKILL
    result = pgdeck("apply", "-d", deck, "--yes", "--only", "schema,security")
    assert result.code == 0 and "continued" not in result.out
    assert pgdeck("rollback", "-d", other, "--yes").code == 0
    names = [row[0] for row in fresh_server.query("SELECT datname FROM pg_database ORDER BY 1")]
    assert names == ["mini_one", "mini_two", "postgres", "template0", "template1"]


def test_a_second_apply_says_who_holds_the_lock(pgdeck, deck, fresh_server):
    with fresh_server.connect() as holder:
        holder.execute("SET application_name = 'the other one'")
        holder.execute(f"SELECT pg_advisory_lock({int.from_bytes(b'pgdeck', 'big')})")
        result = pgdeck("apply", "-d", deck, "--yes")
        assert result.code == 17
        assert "the other one" in result.err
        timer = threading.Timer(1.0, holder.close)
        timer.start()
        result = pgdeck("apply", "-d", deck, "--yes", "--wait", "--restart")
        timer.join()
    assert result.code == 0, result.err


def test_ten_applies_at_once(pgdeck, deck):
    with_threads = []
    threads = [threading.Thread(target=lambda: with_threads.append(
        pgdeck("apply", "-d", deck, "--yes").code)) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(with_threads) <= {0, 17} and 0 in with_threads, with_threads
    assert [c["phase"] for c in changes(pgdeck, deck)] in ([], ["restart"])


@pytest.mark.short(15)
def test_killed_at_any_point_the_next_apply_completes(pgdeck, deck, fresh_server, full_size):
    before = catalog(fresh_server)
    point = 1
    kills = 0
    while True:
        result = pgdeck("apply", "-d", deck, "--yes", "--restart",
                        env={"PGDECK_CRASH_AT": str(point)})
        if result.code == 0:
            break
        assert result.code == -signal.SIGKILL, result.err
        kills += 1
        # each further apply is killed a little later: every stretch between two points is met
        point = 1 + (kills % 5 if full_size else kills % 23)
    assert kills > 3
    assert changes(pgdeck, deck) == []
    result = pgdeck("rollback", "-d", deck, "--yes", "--restart")
    assert result.code == 0, result.err
    assert catalog(fresh_server) == before, result.out


@pytest.mark.short(15)
def test_the_server_is_killed_in_the_middle(pgdeck, deck, fresh_server):
    done = []
    worker = threading.Thread(
        target=lambda: done.append(pgdeck("apply", "-d", deck, "--yes")))
    worker.start()
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        names = [row[0] for row in fresh_server.query("SELECT datname FROM pg_database")]
        if "mini_one" in names:
            break
    fresh_server.kill9()
    worker.join()
    assert done[0].code in (11, 18), done[0].err
    assert "hint" in done[0].err
    fresh_server.start()
    result = pgdeck("apply", "-d", deck, "--yes", "--restart")
    assert result.code == 0, result.err
    assert "continued" in result.out
    assert changes(pgdeck, deck) == []


@pytest.mark.short(15)
def test_a_lock_that_is_not_granted_is_given_up(pgdeck, deck, fresh_server):
    assert pgdeck("apply", "-d", deck, "--yes", "--restart").code == 0
    fresh_server.query("DROP INDEX orders_open", dbname="mini_one")
    deck.write_text(deck.read_text() + "give_up: 1s\n")
    with fresh_server.connect("mini_one") as writer:
        writer.execute("BEGIN")
        writer.execute("LOCK TABLE orders IN ROW EXCLUSIVE MODE")
        start = time.monotonic()
        result = pgdeck("apply", "-d", deck, "--yes")
        assert result.code == 17, result.err
        assert time.monotonic() - start < 30
    assert pgdeck("apply", "-d", deck, "--yes").code == 0
    assert changes(pgdeck, deck) == []


def test_a_lock_that_comes_late_is_no_fault(pgdeck, deck, fresh_server):
    assert pgdeck("apply", "-d", deck, "--yes", "--restart").code == 0
    fresh_server.query("DROP TABLE events", dbname="mini_one")
    with fresh_server.connect("mini_one") as holder:
        holder.execute("BEGIN")
        holder.execute("LOCK TABLE pgdeck.journal IN SHARE MODE")
        release = threading.Timer(2, holder.rollback)
        release.start()
        result = pgdeck("apply", "-d", deck, "--yes")
        release.join()
    assert result.code == 0
    assert "Done:" in result.out and "Stopped" not in result.out
    assert "lock timeout" not in result.err


def test_rollback_lets_nobody_wait_behind_it(pgdeck, deck, fresh_server):
    assert pgdeck("apply", "-d", deck, "--yes", "--restart").code == 0
    fresh_server.query("DROP TABLE orders; CREATE TABLE orders (id int)", dbname="mini_one")
    longest = 0.0
    with fresh_server.connect("mini_one") as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT FROM customers")
        rollback = pgdeck.start("rollback", "-d", deck, "--yes", "--drop-data")
        end = time.monotonic() + 3
        while time.monotonic() < end:
            start = time.monotonic()
            fresh_server.query("SELECT count(*) FROM customers", dbname="mini_one")
            longest = max(longest, time.monotonic() - start)
        assert rollback.poll() is None, "nothing stood in its way"
        reader.rollback()
    assert rollback.wait(60) == 0
    assert longest < 1, longest


def test_another_s_journal_is_not_trusted(pgdeck, deck, fresh_server):
    fresh_server.query("CREATE ROLE mallory LOGIN")
    fresh_server.query("CREATE DATABASE mini_one OWNER mallory")
    fresh_server.psql(dbname="mini_one", text="""
        SET SESSION AUTHORIZATION mallory;
        CREATE SCHEMA pgdeck;
        CREATE FUNCTION pgdeck.rise() RETURNS text LANGUAGE plpgsql
            AS $$BEGIN ALTER ROLE mallory SUPERUSER; RETURN 'done'; END$$;
        CREATE VIEW pgdeck.journal AS SELECT NULL::uuid AS apply_id, 1 AS seq, 'k' AS key,
            pgdeck.rise() AS state, 'd' AS declared, 'o' AS observed, now() AS started_at;""")
    assert pgdeck("plan", "-d", deck).code == 0
    for command in ("apply", "rollback"):
        result = pgdeck(command, "-d", deck, "--yes", expect=22)
        assert 'belongs to "mallory"' in result.err
    assert not fresh_server.value("SELECT rolsuper FROM pg_roles WHERE rolname = 'mallory'")


def test_rollback_does_not_mind_another_s_journal_elsewhere(pgdeck, tmp_path, fresh_server):
    fresh_server.query("CREATE ROLE small LOGIN CREATEDB CREATEROLE")
    fresh_server.query("CREATE DATABASE base OWNER small")
    fresh_server.query("CREATE DATABASE elsewhere")
    fresh_server.query("CREATE DATABASE closed")
    fresh_server.query("REVOKE CONNECT ON DATABASE closed FROM PUBLIC")
    fresh_server.psql(dbname="elsewhere", text="""
        CREATE SCHEMA pgdeck; CREATE TABLE pgdeck.journal (apply_id uuid);""")
    deck = write_deck(tmp_path / "deck", fresh_server.conninfo(user="small", dbname="base"),
                      "advisors: [schema]\n" + DECK)
    assert pgdeck("apply", "-d", deck, "--yes", expect=0)
    fresh_server.query("ALTER TABLE pgdeck.journal OWNER TO small", dbname="elsewhere")
    result = pgdeck("rollback", "-d", deck, "--yes", expect=0)
    assert "Undone" in result.out and result.err == ""
    assert fresh_server.query("SELECT FROM pg_database WHERE datname = 'mini_one'") == []


def test_statements_that_differ_are_all_shown(pgdeck, deck):
    other = SCHEMA.replace("what text", "which text")
    (deck.parent / "other.sql").write_text(other)
    deck.write_text(deck.read_text().replace(
        "mini_two: {", "mini_two: {schema: other.sql, "))
    shown = pgdeck("plan", "-d", deck, "--sql", expect=0).out
    assert "what text" in shown and "which text" in shown


@pytest.mark.parametrize("name", ['we"ird', "Cap Ital", "ünï-çode", "it's", "a\\b", "select", "$1",
                                  "{a,b}", "x;DROP"])
def test_names_are_only_names(pgdeck, tmp_path, server, name):
    quoted = '"' + name.replace('"', '""') + '"'
    text = DECK.replace("mini_one", json.dumps(name, ensure_ascii=False)).replace(
        "  mini_two: {environment: test, services: [app]}\n", "").replace(
        "  test:", "  " + json.dumps(name + " env", ensure_ascii=False) + ":").replace(
        "environment: test", "environment: " + json.dumps(name + " env", ensure_ascii=False)
        ).replace("table: events", "table: " + json.dumps(name + " events", ensure_ascii=False))
    schema = SCHEMA.replace("orders", quoted[:-1] + ' orders"').replace(
        "events", quoted[:-1] + ' events"')
    indexes = INDEXES.replace("ON orders", "ON " + quoted[:-1] + ' orders"').replace(
        "ON events", "ON " + quoted[:-1] + ' events"').replace(
        "orders_open", quoted[:-1] + ' open"')
    before = [row[0] for row in server.query("SELECT datname FROM pg_database ORDER BY 1")]
    deck = write_deck(tmp_path / "deck", server.conninfo(), text, schema, indexes)
    advisors = "schema,index,partition,monitoring,security"
    result = pgdeck("apply", "-d", deck, "--yes", "--only", advisors)
    assert result.code == 0, result.err
    result = pgdeck("plan", "-d", deck, "--detailed-exitcode", "--only", advisors)
    assert result.code == 0, result.out
    assert server.value("SELECT count(*) FROM pg_tables WHERE tablename = %s", name + " orders",
                        dbname=name) == 1
    assert server.value("SELECT count(*) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhparent "
                        "WHERE c.relname = %s", name + " events", dbname=name) == 3
    result = pgdeck("rollback", "-d", deck, "--yes")
    assert result.code == 0, result.err
    after = [row[0] for row in server.query("SELECT datname FROM pg_database ORDER BY 1")]
    assert after == before, result.out


# --- bad input: one clear error with place and hint, and an exit code of its own ------------------

def one_error(result, code):
    assert result.code == code, (result.code, result.err)
    errors = [line for line in result.err.splitlines() if " error: " in line]
    assert len(errors) == 1, result.err
    return errors[0]


def test_no_server(pgdeck, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    deck = write_deck(tmp_path / "deck", f"host=127.0.0.1 port={port} user=postgres")
    error = one_error(pgdeck("plan", "-d", deck), 11)
    assert re.match(r".*deck\.yaml:4:\d+: error: .*main", error)
    assert "hint" in pgdeck("plan", "-d", deck).err


def test_wrong_password(pgdeck, tmp_path, fresh_server):
    fresh_server.query("SET password_encryption = 'scram-sha-256'; "
                       "CREATE ROLE keeper LOGIN SUPERUSER PASSWORD 'right'")
    hba = fresh_server.data / "pg_hba.conf"
    hba.write_text("host all keeper 127.0.0.1/32 scram-sha-256\nlocal all postgres trust\n")
    fresh_server.reload()
    wrong = tmp_path / "wrong"
    wrong.write_text("wrong\n")
    wrong.chmod(0o600)
    text = DECK.replace("memory: 512MB", f"password_file: {wrong}, memory: 512MB")
    deck = write_deck(tmp_path / "deck", fresh_server.conninfo(user="keeper", host="127.0.0.1"),
                      text)
    error = one_error(pgdeck("plan", "-d", deck), 12)
    assert "deck.yaml:4" in error
    wrong.write_text("right\n")
    assert pgdeck("plan", "-d", deck).code == 0


def test_no_such_database(pgdeck, tmp_path, server):
    deck = write_deck(tmp_path / "deck", server.conninfo("not there"))
    assert "not there" in one_error(pgdeck("plan", "-d", deck), 13)


class OldServer(threading.Thread):
    """Speaks just enough of the protocol to be PostgreSQL 13."""

    def __init__(self):
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]

    def run(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            with client:
                while True:
                    packet = client.recv(4096)
                    if packet[4:8] in (b"\x04\xd2\x16\x2f", b"\x04\xd2\x16\x30"):
                        client.sendall(b"N")
                        continue
                    break
                client.sendall(b"R\0\0\0\x08\0\0\0\0")
                for name, value in ((b"server_version", b"13.22"), (b"client_encoding", b"UTF8")):
                    body = name + b"\0" + value + b"\0"
                    client.sendall(b"S" + (len(body) + 4).to_bytes(4, "big") + body)
                client.sendall(b"K\0\0\0\x0c\0\0\0\x01\0\0\0\x01Z\0\0\0\x05I")
                client.settimeout(5)
                client.recv(4096)


def test_a_server_older_than_14(pgdeck, tmp_path):
    old = OldServer()
    old.start()
    deck = write_deck(tmp_path / "deck", f"host=127.0.0.1 port={old.port} user=x")
    assert "13.22" in one_error(pgdeck("plan", "-d", deck), 14)
    old.listener.close()


def test_a_role_without_rights(pgdeck, tmp_path, fresh_server):
    fresh_server.query("CREATE ROLE nobody_special LOGIN")
    deck = write_deck(tmp_path / "deck", fresh_server.conninfo(user="nobody_special"))
    error = one_error(pgdeck("apply", "-d", deck, "--yes"), 15)
    assert "permission denied" in error or "rights" in error
    assert fresh_server.query("SELECT datname FROM pg_database WHERE datname ~ 'mini'") == []


@pytest.fixture
def small_disk(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("a small file system needs root to mount it")
    folder = tmp_path / "small"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300m,mode=0755", "tmpfs", folder],
                   check=True)
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_a_full_disk(pgdeck, tmp_path, make_server, small_disk):
    server = make_server(15)
    server.stop()
    shutil.copytree(server.data, small_disk / "data", symlinks=True)
    subprocess.run(["chown", "-R", "--reference", server.data, small_disk / "data"], check=True)
    kept, server.data = server.data, small_disk / "data"
    server.data.chmod(0o700)
    server.start()
    try:
        deck = write_deck(tmp_path / "deck", server.conninfo())
        filler = small_disk / "filler"
        with open(filler, "wb") as file:
            left = os.statvfs(small_disk)
            file.write(b"x" * (left.f_bavail * left.f_bsize - 2 * 1024 * 1024))
        one_error(pgdeck("apply", "-d", deck, "--yes"), 16)
        filler.unlink()
        result = pgdeck("apply", "-d", deck, "--yes", "--restart")
        assert result.code == 0, result.err
        assert changes(pgdeck, deck) == []
    finally:
        server.stop()
        server.data = kept


def test_a_standby_is_refused(pgdeck, tmp_path, make_server, server_bin):
    primary = make_server(15)
    standby_data = primary.folder / "standby"
    primary.client("pg_basebackup", "-D", str(standby_data), "-R", "-X", "stream", "-c", "fast")
    subprocess.run(["chown", "-R", "--reference", primary.data, standby_data], check=True)
    (standby_data / "postmaster.pid").unlink(missing_ok=True)
    standby = make_server(15)
    standby.stop()
    kept, standby.data = standby.data, standby_data
    standby.configure(unix_socket_directories=standby.host)
    standby.start()
    try:
        deck = write_deck(tmp_path / "deck", standby.conninfo())
        assert "standby" in one_error(pgdeck("plan", "-d", deck), 22)
    finally:
        standby.stop()
        standby.data = kept
