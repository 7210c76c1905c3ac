# SPDX-License-Identifier: MIT
"""pgdeck pool: what a client sees through it, and what it must never see."""

import contextlib
import ctypes
import functools
import json
import os
import pwd
import re
import select
import signal
import socket
import struct
import subprocess
import threading
import time

import psycopg
import pytest
from psycopg import pq

from cluster import CLIENT_BIN, free_port, wait_for

PASSWORD = "open sesame"
EXACT = {"threads": 1}  # over several threads the order is that to a millisecond
# make test-long: all of it by epoll, by one thread, with buffers so small that nothing fits, with
# pools that threads share, too
ALWAYS, ALWAYS_DATABASE = (dict(pair.split("=") for pair in os.environ.get(name, "").split())
                           for name in ("PGDECK_TEST_POOLER", "PGDECK_TEST_DATABASE"))


class Pool:
    """A running pgdeck pool in front of a server."""

    def __init__(self, pgdeck, folder, server, databases, pooler=None, env=None, under=(),
                 **process):
        self.pgdeck, self.folder, self.server = pgdeck, folder, server
        self.port = free_port()
        self.file = folder / "pool.yaml"
        self.secret = folder / "secret"
        self.secret.write_text(PASSWORD + "\n")
        self.secret.chmod(0o600)
        self.pooler = {"port": self.port, "socket_folder": str(folder), **ALWAYS,
                       **(pooler or {})}
        self.databases = databases
        self.write()
        self.log = open(folder / "pool.log", "wb")
        self.process = subprocess.Popen(
            [*under, pgdeck.path, "pool", "--allow-root", "--config", self.file],
            env=pgdeck.environment(env), stdin=subprocess.DEVNULL, stdout=self.log,
            stderr=self.log, start_new_session=True, **process)
        wait_for(self.is_listening, 10, "pgdeck pool")

    def write(self, **more):
        lines = ["pooler:"] + [f"  {key}: {value}" for key, value in self.pooler.items()]
        lines.append("databases:")
        for name, values in {**self.databases, **more}.items():
            values = {"host": self.server.host, "port": self.server.port, "users": "[alice, bob]",
                      **ALWAYS_DATABASE, **values}
            body = ", ".join(f"{key}: {value}" for key, value in values.items())
            lines.append(f"  {name}: {{{body}}}")
        lines += ["users:", f"  alice: {{password_file: {self.secret}, admin: true}}",
                  f"  bob: {{password_file: {self.secret}}}"]
        self.file.write_text("\n".join(lines) + "\n")

    def is_listening(self):
        assert self.process.poll() is None, self.log_text()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def log_text(self):
        return (self.folder / "pool.log").read_text()

    def conninfo(self, dbname="app", user="alice", **more):
        words = {"host": "127.0.0.1", "port": self.port, "user": user, "dbname": dbname,
                 "password": f"'{PASSWORD}'", "connect_timeout": 10, **more}
        return " ".join(f"{key}={value}" for key, value in words.items())

    def connect(self, dbname="app", autocommit=True, **more):
        return psycopg.connect(self.conninfo(dbname, **more), autocommit=autocommit)

    def show(self, what, **more):
        with psycopg.connect(self.conninfo("pgdeck", **more), autocommit=True) as connection:
            done = connection.pgconn.exec_(f"SHOW {what}".encode())
            assert done.status == pq.ExecStatus.TUPLES_OK, done.error_message
            names = [done.fname(i).decode() for i in range(done.nfields)]
            return [dict(zip(names, [done.get_value(row, i).decode()
                                     for i in range(done.nfields)]))
                    for row in range(done.ntuples)]

    def command(self, text, user="alice"):
        with psycopg.connect(self.conninfo("pgdeck", user=user), autocommit=True) as connection:
            done = connection.pgconn.exec_(text.encode())
            return done.status, done.error_message

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(5)
        self.log.close()


@pytest.fixture
def logins(server):
    """Roles alice and bob with passwords, database app; the server asks for SCRAM over TCP only
    where a test says so."""
    server.query("DROP DATABASE IF EXISTS app WITH (FORCE)")
    for role in ("alice", "bob"):
        server.query(f"DROP ROLE IF EXISTS {role}")
        server.query(f"CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}'")
    server.query("CREATE DATABASE app")
    server.query("CREATE TABLE items (id int PRIMARY KEY, word text)", dbname="app")
    server.query("GRANT ALL ON items TO alice, bob", dbname="app")
    server.query("GRANT ALL ON SCHEMA public TO alice, bob", dbname="app")
    yield server
    server.query("DROP DATABASE app WITH (FORCE)")
    server.query("DROP ROLE alice, bob")


@pytest.fixture
def make_pool(pgdeck, tmp_path, logins):
    pools = []

    def make(databases=None, pooler=None, **settings):
        folder = tmp_path / f"pool{len(pools)}"
        folder.mkdir()
        pools.append(Pool(pgdeck, folder, logins, databases or {"app": settings}, pooler))
        return pools[-1]

    yield make
    for pool in pools:
        code = pool.process.poll()
        pool.stop()
        assert code is None or pool.is_stopped_by_test, f"{code}\n{pool.log_text()}"


Pool.is_stopped_by_test = False


@pytest.fixture(params=["16kB", "64B"])
def buffer(request):
    """All of it also with buffers so small that nothing fits, and then by epoll."""
    return {"buffer": request.param, **({"io": "epoll"} if request.param == "64B" else {})}


class SocketFilter(ctypes.Structure):
    _fields_ = [("code", ctypes.c_ushort), ("jt", ctypes.c_ubyte), ("jf", ctypes.c_ubyte),
                ("k", ctypes.c_uint)]


class SocketProgram(ctypes.Structure):
    _fields_ = [("len", ctypes.c_ushort), ("filter", ctypes.POINTER(SocketFilter))]


def forbid_io_uring():
    """As containers do, by seccomp: io_uring_setup (425) fails with EPERM."""
    rows = (SocketFilter * 4)((0x20, 0, 0, 0), (0x15, 0, 1, 425), (0x06, 0, 0, 0x00050001),
                              (0x06, 0, 0, 0x7FFF0000))
    libc = ctypes.CDLL(None, use_errno=True)
    program = SocketProgram(4, rows)
    assert libc.prctl(38, 1, 0, 0, 0) == 0  # no new privileges
    assert libc.prctl(22, 2, ctypes.byref(program), 0, 0) == 0, os.strerror(ctypes.get_errno())


@pytest.mark.parametrize("io", ["auto", "epoll", "io_uring"])
def test_loop_falls_back_to_epoll(pgdeck, logins, tmp_path, io):
    """Where io_uring is forbidden, auto works by epoll, and io_uring says why it does not."""
    make = functools.partial(Pool, pgdeck, tmp_path, logins, {"app": {}}, {"io": io},
                             preexec_fn=forbid_io_uring)
    if io == "io_uring":
        with pytest.raises(AssertionError, match="cannot use io_uring: Operation not permitted"):
            make()
        return
    pool = make()
    try:
        with pool.connect() as connection:
            assert connection.execute("SELECT 7").fetchone() == (7,)
        assert "waiting by epoll" in pool.log_text()
    finally:
        pool.stop()


@pytest.mark.parametrize("io", ["epoll", "io_uring"])
def test_streams_of_all_sizes(make_pool, io):
    """Small and large answers in turns, many clients: a socket changes how it is read."""
    pool = make_pool(pooler={"io": io}, max=3)
    faults = []

    def work(number):
        try:
            with pool.connect() as connection:
                for size in [1, 5000, 3, 70000, 1_000_000, 7, 4091, 4096] * 6 + [2] * 80 + [90000]:
                    got = connection.execute("SELECT repeat(%s, %s)", (chr(97 + number), size))
                    assert got.fetchone()[0] == chr(97 + number) * size
                    sent = connection.execute("SELECT length(%s)", ("x" * size,))
                    assert sent.fetchone()[0] == size
        except BaseException as error:  # told to the main thread
            faults.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert not faults


def test_clients_share_servers(make_pool, buffer):
    pool = make_pool(pooler=buffer, max=1)
    with pool.connect() as one, pool.connect() as two:
        pids = {connection.execute("SELECT pg_backend_pid()").fetchone()[0]
                for connection in (one, two, one, two)}
        assert len(pids) == 1
        assert one.execute("SELECT current_user, current_database()").fetchone() == (
            "alice", "app")
        assert one.execute("SELECT repeat('x', 100000)").fetchone()[0] == "x" * 100000
        rows = one.execute("SELECT g FROM generate_series(1, 20000) g").fetchall()
        assert [row[0] for row in rows] == list(range(1, 20001))


def test_transactions_keep_their_server(make_pool, buffer):
    pool = make_pool(pooler=buffer, max=2)
    with pool.connect() as one, pool.connect() as two:
        one.execute("BEGIN")
        one.execute("INSERT INTO items VALUES (1, 'one')")
        assert two.execute("SELECT count(*) FROM items").fetchone() == (0,)
        one.execute("ROLLBACK")
        assert two.execute("SELECT count(*) FROM items").fetchone() == (0,)
        with pytest.raises(psycopg.errors.UniqueViolation):
            with one.transaction():
                one.execute("INSERT INTO items VALUES (1, 'x')")
                one.execute("INSERT INTO items VALUES (1, 'x')")
        assert one.execute("SELECT count(*) FROM items").fetchone() == (0,)


def test_prepared_statements_follow_the_client(make_pool, buffer):
    pool = make_pool(pooler={**buffer, "prepared_statements": 3}, max=2)
    with pool.connect() as one, pool.connect() as two, pool.connect() as three:
        for connection in (one, two):
            connection.prepare_threshold = 0
        for round_ in range(4):
            three.execute("BEGIN" if round_ % 2 else "SELECT 1")  # moves the others about
            for number in range(5):  # more than a server keeps
                for connection in (one, two):
                    row = connection.execute(
                        f"SELECT %s::int + {number}, current_user", (round_,)).fetchone()
                    assert row == (round_ + number, "alice")
            three.execute("COMMIT" if round_ % 2 else "SELECT 1")
        servers = pool.show("SERVERS")
        assert all(int(row["prepared_statements"]) <= 3 for row in servers)


def test_names_of_statements_are_each_clients_own(make_pool):
    pool = make_pool(max=1)
    with pool.connect() as one, pool.connect() as two:
        assert one.pgconn.prepare(b"s", b"SELECT 'one'").status == pq.ExecStatus.COMMAND_OK
        assert two.pgconn.prepare(b"s", b"SELECT 'two'").status == pq.ExecStatus.COMMAND_OK
        assert one.pgconn.exec_prepared(b"s", []).get_value(0, 0) == b"one"
        assert two.pgconn.exec_prepared(b"s", []).get_value(0, 0) == b"two"
        # One text is one statement on the server, whoever prepares it.
        assert two.pgconn.prepare(b"t", b"SELECT 'one'").status == pq.ExecStatus.COMMAND_OK
        assert pool.show("SERVERS")[0]["prepared_statements"] == "2"
        # Faults are the server's own.
        again = one.pgconn.prepare(b"s", b"SELECT 3")
        assert again.error_field(pq.DiagnosticField.SQLSTATE) == b"42P05"
        missing = one.pgconn.exec_prepared(b"t", [])
        assert missing.error_field(pq.DiagnosticField.SQLSTATE) == b"26000"
        own = one.execute("SELECT max(name) FROM pg_prepared_statements").fetchone()[0]
        assert own.startswith("_pgdeck_")
        stolen = one.pgconn.exec_prepared(own.encode(), [])
        assert stolen.error_field(pq.DiagnosticField.SQLSTATE) == b"26000"
        bad = one.pgconn.prepare(b"bad", b"SELEC")
        assert bad.error_field(pq.DiagnosticField.SQLSTATE) == b"42601"
        assert one.pgconn.prepare(b"bad", b"SELECT 4").status == pq.ExecStatus.COMMAND_OK
        assert one.pgconn.exec_prepared(b"bad", []).get_value(0, 0) == b"4"
        described = one.pgconn.describe_prepared(b"s")
        assert described.nfields == 1


def test_the_unnamed_statement_survives_too(make_pool):
    pool = make_pool(max=1)
    with pool.connect() as one, pool.connect() as two:
        one.pgconn.prepare(b"", b"SELECT 'mine'")
        two.pgconn.prepare(b"", b"SELECT 'other'")
        two.pgconn.prepare(b"named", b"SELECT 1")
        assert one.pgconn.exec_prepared(b"", []).get_value(0, 0) == b"mine"
        assert two.pgconn.exec_prepared(b"", []).get_value(0, 0) == b"other"
        two.execute("SELECT 1")  # ends it, as without a pool
        assert two.pgconn.exec_prepared(b"", []).error_message.startswith(
            b"ERROR:  unnamed prepared statement does not exist")
    with pool.connect() as three:
        done = three.pgconn.exec_prepared(b"", [])
        assert done.error_field(pq.DiagnosticField.SQLSTATE) == b"26000"


def test_statements_are_deallocated(make_pool):
    pool = make_pool(max=1)
    with pool.connect() as one, pool.connect() as two:
        for connection in (one, two):
            connection.pgconn.prepare(b"s", b"SELECT 1")
            connection.pgconn.prepare(b"Two Words", b"SELECT 2")
        one.execute("DEALLOCATE s")
        one.execute('DEALLOCATE PREPARE "Two Words"')
        for name in (b"s", b"Two Words"):
            gone = one.pgconn.exec_prepared(name, [])
            assert gone.error_field(pq.DiagnosticField.SQLSTATE) == b"26000"
            assert two.pgconn.exec_prepared(name, []).status == pq.ExecStatus.TUPLES_OK
        with pytest.raises(psycopg.errors.InvalidSqlStatementName):
            one.execute("DEALLOCATE s")
        one.execute("DEALLOCATE ALL")
        assert two.pgconn.exec_prepared(b"s", []).status == pq.ExecStatus.TUPLES_OK
        two.execute("DISCARD ALL")
        gone = two.pgconn.exec_prepared(b"s", [])
        assert gone.error_field(pq.DiagnosticField.SQLSTATE) == b"26000"


def test_a_changed_table_is_planned_anew(make_pool):
    """The client sees nothing of it, unless a transaction is open or answers were given already."""
    pool = make_pool(max=2)
    text = b"SELECT * FROM items WHERE id = $1"

    def run(connection):
        return connection.pgconn.exec_prepared(b"s", [b"1"])

    def change(columns):
        pool.server.query(f"ALTER TABLE items ADD more{columns} int", dbname="app")

    with pool.connect() as one, pool.connect() as two:
        one.execute("INSERT INTO items VALUES (1, 'one')")
        for connection in (one, two):
            connection.pgconn.prepare(b"s", text)
            connection.execute("BEGIN")  # so that both servers have it
        for connection in (one, two):
            assert run(connection).nfields == 2
        one.execute("COMMIT"), two.execute("COMMIT")
        for columns in range(3, 6):
            change(columns)
            for connection in (one, two, one):
                done = run(connection)
                assert done.status == pq.ExecStatus.TUPLES_OK, done.error_message
                assert (done.nfields, done.ntuples) == (columns, 1)
                assert one.pgconn.describe_prepared(b"s").nfields == columns
        change(6)
        described = one.pgconn.describe_prepared(b"s")
        assert (described.nfields, described.nparams) == (6, 1)
        assert run(one).nfields == 6
        # Nothing is left behind on the servers.
        count = one.execute("SELECT count(*) FROM pg_prepared_statements").fetchone()[0]
        assert count == 1
        one.execute("BEGIN")
        run(one)
        one.execute("COMMIT")
        change(7)
        one.execute("BEGIN")
        first = run(one)
        assert first.error_field(pq.DiagnosticField.SQLSTATE) == b"0A000"
        one.execute("ROLLBACK")
        assert run(one).nfields == 7
        # What was done is not done again: the insert runs once, its answer was given.
        change(8)
        one.pgconn.enter_pipeline_mode()
        one.pgconn.send_query_params(b"INSERT INTO items (id) VALUES (2)", [])
        one.pgconn.send_query_prepared(b"s", [b"1"])
        one.pgconn.pipeline_sync()
        states = []
        while len(states) < 3:
            result = one.pgconn.get_result()
            states += [] if result is None else [result.status]
        assert states == [pq.ExecStatus.COMMAND_OK, pq.ExecStatus.FATAL_ERROR,
                          pq.ExecStatus.PIPELINE_SYNC]
        one.pgconn.exit_pipeline_mode()
        assert run(one).nfields == 8
        assert one.execute("SELECT count(*) FROM items").fetchone() == (1,)


def test_pipelines(make_pool, buffer):
    pool = make_pool(pooler=buffer, max=2)
    with pool.connect() as one, pool.connect() as two:
        for round_ in range(3):
            with one.pipeline():
                cursors = [one.execute("SELECT %s::int", (n,)) for n in range(300)]
            assert [cursor.fetchone()[0] for cursor in cursors] == list(range(300))
            assert two.execute("SELECT 1").fetchone() == (1,)
        with pytest.raises(psycopg.errors.DivisionByZero):
            with one.pipeline() as pipeline:
                one.execute("SELECT 1")
                one.execute("SELECT 1 / 0")
                one.execute("SELECT 2")
                pipeline.sync()
        assert one.execute("SELECT 3").fetchone() == (3,)
        prepared = [f"SELECT {n}, %s::int" for n in range(20)]
        with one.pipeline():
            cursors = [one.execute(text, (n,), prepare=True) for n, text in enumerate(prepared * 9)]
        assert [c.fetchone() for c in cursors] == [(n % 20, n) for n in range(180)]


def test_a_pipeline_longer_than_the_pool_keeps_count_of(make_pool):
    pool = make_pool(max=1)
    with pool.connect() as one:
        with one.pipeline():
            cursors = [one.execute("SELECT %s::int", (n,), prepare=False) for n in range(2500)]
        assert [cursor.fetchone()[0] for cursor in cursors] == list(range(2500))


def test_copy_both_ways(make_pool, buffer):
    pool = make_pool(pooler=buffer, max=1)
    with pool.connect() as one, pool.connect() as two:
        with one.cursor().copy("COPY items FROM STDIN") as copy:
            for number in range(20000):
                copy.write_row((number, "word"))
        with two.cursor().copy("COPY items TO STDOUT") as copy:
            assert sum(bytes(part).count(b"\n") for part in copy) == 20000
        with pytest.raises(psycopg.errors.UniqueViolation):
            with one.cursor().copy("COPY items FROM STDIN") as copy:
                copy.write_row((1, "again"))
        with pytest.raises(psycopg.errors.QueryCanceled, match="ZeroDivisionError"):
            with one.cursor().copy("COPY items FROM STDIN") as copy:
                copy.write_row((1, "again"))
                raise ZeroDivisionError
        # Through the extended protocol, whose first Sync the server passes over.
        done = one.pgconn.exec_params(b"COPY items FROM STDIN", [])
        assert done.status == pq.ExecStatus.COPY_IN
        one.pgconn.put_copy_data(b"30000\tx\n")
        one.pgconn.put_copy_end()
        while result := one.pgconn.get_result():
            assert result.status == pq.ExecStatus.COMMAND_OK
        assert two.execute("SELECT count(*) FROM items").fetchone() == (20001,)


def test_long_messages(make_pool, buffer):
    pool = make_pool(pooler=buffer, max=1)
    long = "x" * 300_000
    with pool.connect() as one, pool.connect() as two:
        one.execute(f"INSERT INTO items VALUES (1, '{long}')")
        assert two.execute("SELECT length(word) FROM items").fetchone() == (300_000,)
        two.prepare_threshold = 0
        two.execute("UPDATE items SET word = %s", (long + "y",))
        assert one.execute("SELECT word FROM items").fetchone() == (long + "y",)
        assert one.execute(f"SELECT length(%s) /* {long} */", ("a",), prepare=True).fetchone() == (
            1,)
        with pytest.raises(psycopg.errors.DivisionByZero):
            one.execute(f"SELECT 1 / 0, '{long}'")
        assert not pinned(pool)
        with pytest.raises(psycopg.Error, match="too long"):
            one.execute(f"SELECT %s /* {60 * long} */", (1,))


@pytest.mark.pg(max=15)
@pytest.mark.parametrize("mode", ["transaction", "session"])
def test_long_statements_to_be_prepared(make_pool, mode):
    """Drivers send them so as soon as there is a parameter; in session mode of any length."""
    pool = make_pool(max=1, mode=mode)
    with pool.connect() as one:
        for millions in (2, 15) if mode == "transaction" else (2, 20):
            text = f"SELECT length('{'x' * millions * 1_000_000}'), %s::int"
            assert one.execute(text, (7,)).fetchone() == (millions * 1_000_000, 7)
            assert one.execute(text, (8,), prepare=True).fetchone()[1] == 8
        assert one.execute("SELECT %s::int", (9,)).fetchone() == (9,)


def test_large_objects_and_cursors(make_pool):
    pool = make_pool(max=1)
    with pool.connect(autocommit=False) as one, pool.connect() as two:
        oid = one.execute("SELECT lo_from_bytea(0, 'abc')").fetchone()[0]
        one.execute("DECLARE c CURSOR FOR SELECT g FROM generate_series(1, 10) g")
        assert one.execute("FETCH 2 FROM c").fetchall() == [(1,), (2,)]
        one.commit()
        assert bytes(two.execute("SELECT lo_get(%s)", (oid,)).fetchone()[0]) == b"abc"


def test_cancel_reaches_its_query_only(make_pool):
    pool = make_pool(max=2)
    with pool.connect() as one, pool.connect() as two:
        outcome = {}

        def run(name, connection):
            try:
                outcome[name] = connection.execute("SELECT pg_sleep(60)").fetchone()
            except psycopg.errors.QueryCanceled as error:
                outcome[name] = error

        threads = [threading.Thread(target=run, args=pair)
                   for pair in (("one", one), ("two", two))]
        for thread in threads:
            thread.start()
        wait_for(lambda: sum(int(row["owed"]) > 0 for row in pool.show("SERVERS")) == 2, 30,
                 "queries")
        one.cancel()
        threads[0].join()
        assert isinstance(outcome["one"], psycopg.errors.QueryCanceled)
        assert "two" not in outcome
        two.cancel()
        threads[1].join()
        assert isinstance(outcome["two"], psycopg.errors.QueryCanceled)
        one.cancel()  # idle: nothing may happen, to nobody
        for _ in range(5):
            assert one.execute("SELECT 1").fetchone() == (1,)
            one.cancel()
            assert two.execute("SELECT pg_sleep(0.01)").fetchone() == ("",)


@contextlib.contextmanager
def cancelled(connection):
    """What it is at is cancelled, again and again: the first may come before it has begun."""
    done = threading.Event()

    def cancel():
        while not done.wait(0.3):
            connection.cancel()

    thread = threading.Thread(target=cancel)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def test_cancel_while_waiting(make_pool):
    pool = make_pool(max=1)
    with pool.connect() as one, pool.connect() as two:
        one.execute("BEGIN")
        for run in (lambda: two.execute("SELECT 1"),
                    lambda: two.execute("SELECT %s::int", (1,))):
            with cancelled(two), pytest.raises(psycopg.errors.QueryCanceled):
                run()
        one.execute("COMMIT")
        assert two.execute("SELECT 2").fetchone() == (2,)


def test_parameters_follow_their_client_only(make_pool, buffer):
    pool = make_pool(pooler=buffer, max=1)
    with pool.connect(application_name="first", options="'-c extra_float_digits=2'") as one, \
            pool.connect(application_name="second") as two:
        one.execute("SET search_path = pg_catalog, \"odd 'name'\"")
        one.execute("SET app.tenant = 'it''s mine \\ ü'")
        one.execute("SELECT set_config('TimeZone', 'Asia/Tokyo', false)")
        one.execute("SET statement_timeout = '77s'")
        for _ in range(3):
            assert two.execute("SHOW search_path").fetchone() == ('"$user", public',)
            assert two.execute("SELECT current_setting('app.tenant', true)").fetchone()[0] in (
                None, "")
            assert two.execute("SHOW TimeZone").fetchone() != ("Asia/Tokyo",)
            assert two.execute("SHOW application_name").fetchone() == ("second",)
            assert two.execute("SHOW extra_float_digits").fetchone() == ("1",)
            assert two.execute("SHOW statement_timeout").fetchone() == ("0",)
            assert one.execute("SHOW search_path").fetchone() == (
                "pg_catalog, \"odd 'name'\"",)
            assert one.execute("SHOW app.tenant").fetchone() == ("it's mine \\ ü",)
            assert one.execute("SHOW TimeZone").fetchone() == ("Asia/Tokyo",)
            assert one.execute("SHOW application_name").fetchone() == ("first",)
            assert one.execute("SHOW extra_float_digits").fetchone() == ("2",)
            assert one.execute("SHOW statement_timeout").fetchone() == ("77s",)
        if one.info.server_version >= 170000:
            one.execute("SET transaction_timeout = '77s'")
            assert two.execute("SHOW transaction_timeout").fetchone() == ("0",)
            assert one.execute("SHOW transaction_timeout").fetchone() == ("77s",)
        assert one.info.parameter_status("TimeZone") == "Asia/Tokyo"
        assert two.info.parameter_status("TimeZone") != "Asia/Tokyo"
        one.execute("RESET ALL")
        assert two.execute("SELECT 1").fetchone() == (1,)
        assert one.execute("SHOW extra_float_digits").fetchone() == ("2",)
        assert one.execute("SHOW statement_timeout").fetchone() == ("0",)
        one.execute("BEGIN")
        one.execute("SET statement_timeout = '5s'")
        one.execute("ROLLBACK")
        assert one.execute("SHOW statement_timeout").fetchone() == ("0",)
        one.execute("BEGIN; SET LOCAL app.tenant = 'x'; COMMIT")
        one.execute("DO $$ BEGIN PERFORM set_config('work_mem', '1234kB', false); END $$")
        assert two.execute("SHOW work_mem").fetchone() == ("4MB",)
        assert one.execute("SHOW work_mem").fetchone() == ("1234kB",)


# Ways to set parameters that a scanner of texts may misread.
ODD_SETTINGS = {
    "local is an expression": ("SELECT set_config('app.x', 'secret', NOT true)",),
    "name is an expression": ("SELECT set_config('app.' || 'x', 'secret', false)",),
    "name is escaped": ("SELECT set_config(E'app\\x2ex', 'secret', false)",),
    "name is bound": ("SELECT set_config('app.'||$1, 'secret', $2 IS true)", ["x", False]),
    "space about the dot": ("SET app . x = 'secret'",),
    "begins with local": ("SET local.x = 'secret'",),
    "behind 64 kB": (f"SELECT '{'x' * 900_000}'; SET app.x = 'secret'",),
    "in a block": ("DO $$ BEGIN PERFORM set_config('app.x', 'secret', false); END $$",),
    "escaped function": ("SELECT U&\"set\\005fconfig\"('app.x', 'secret', false)",),
    "literals in a row": ("SELECT E'x'\n'\\''; SET app.x = 'secret'; --'",),
    "a view": ("UPDATE pg_settings SET setting = 'secret' WHERE name = 'application_name'",),
}


@pytest.mark.parametrize("name", ODD_SETTINGS)
def test_odd_settings_follow_their_client_only(make_pool, name):
    text, *values = ODD_SETTINGS[name]
    pool = make_pool(max=1)
    with pool.connect() as one:
        if values:
            one.pgconn.exec_params(text.encode(), [str(value).encode() for value in values[0]])
        else:
            one.execute(text)
        held = "SELECT concat(current_setting('app.x', true), current_setting('local.x', true)," \
               " current_setting('application_name'))"
        assert one.execute(held).fetchone() == ("secret",)
    with pool.connect() as two:
        assert two.execute(held).fetchone() == ("",)


@pytest.mark.parametrize("reset", ["tracked", "full"])
def test_anothers_settings_do_not_hold_up(make_pool, logins, reset):
    pool = make_pool(max=1, reset=reset)
    with logins.connect("app") as other, pool.connect() as one, pool.connect() as two:
        other.execute("BEGIN ISOLATION LEVEL SERIALIZABLE; CREATE TABLE busy ()")
        for _ in range(2):  # DEFERRABLE would wait for that one
            one.execute("SET SESSION CHARACTERISTICS AS TRANSACTION"
                        " ISOLATION LEVEL SERIALIZABLE, READ ONLY, DEFERRABLE")
            start = time.monotonic()
            assert two.execute("SELECT 1").fetchone() == (1,)
            assert time.monotonic() - start < 5
        other.rollback()
        one.execute("RESET ALL")
        for _ in range(20):
            with pool.connect() as third:
                for text in ("SET statement_timeout = 1", "SELECT 1"):
                    with contextlib.suppress(psycopg.errors.QueryCanceled):
                        third.execute(text)
            assert two.execute("SHOW statement_timeout").fetchone() == ("0",)


def test_a_setting_often_made_does_not_pin(make_pool):
    pool = make_pool(max=1)
    with pool.connect() as one, pool.connect() as two:
        for number in range(150):
            one.execute(f"SET app.tenant = '{number}'")
        assert two.execute("SELECT current_setting('app.tenant', true)").fetchone()[0] in (None, "")
        assert one.execute("SHOW app.tenant").fetchone() == ("149",)


def test_roles_follow_their_client_only(make_pool):
    pool = make_pool(max=1)
    pool.server.query("GRANT bob TO alice")
    with pool.connect() as one, pool.connect() as two:
        one.execute("SET ROLE bob")
        for _ in range(2):
            assert two.execute("SELECT current_user").fetchone() == ("alice",)
            assert one.execute("SELECT current_user").fetchone() == ("bob",)
        one.execute("RESET ROLE")
        assert one.execute("SELECT current_user").fetchone() == ("alice",)


STATES = {
    "temporary": ("CREATE TEMP TABLE t (x int)", "SELECT count(*) FROM t", "DROP TABLE t"),
    "into": ("SELECT 1 AS x INTO TEMP t", "SELECT count(*) FROM t", "DROP TABLE t"),
    "locks": ("SELECT pg_advisory_lock(7)", "SELECT 1", "SELECT pg_advisory_unlock(7)"),
    "listen": ("LISTEN news", "SELECT 1", "UNLISTEN *"),
    "hold": ("DECLARE c CURSOR WITH HOLD FOR SELECT 1", "FETCH ALL FROM c", "CLOSE c"),
    "sql": ("PREPARE p AS SELECT 1; DEALLOCATE p; PREPARE p AS SELECT 2", "EXECUTE p",
            "DEALLOCATE p"),
    "block": ("DO $$ BEGIN CREATE TEMP TABLE t (x int); END $$", "SELECT count(*) FROM t",
              "DROP TABLE t"),
    # names of types that the pool's own statements use
    "types": ("CREATE TEMP TABLE name (id int); CREATE TEMP TABLE text (id int)",
              "SELECT count(*) FROM name, text", "DROP TABLE name, text"),
}


def pinned(pool):
    return [row for row in pool.show("CLIENTS") if row["pinned_by"]]


@pytest.mark.parametrize("name", STATES)
def test_what_cannot_be_carried_pins(make_pool, name):
    make, use, drop = STATES[name]
    pool = make_pool(max=2)
    with pool.connect() as one, pool.connect() as two:
        one.execute(make)
        wait_for(lambda: len(pinned(pool)) == 1, 10, "pinning")
        two.execute("BEGIN")  # takes the other server
        one.execute(use)
        two.execute("COMMIT")
        one.execute(drop)
        wait_for(lambda: not pinned(pool), 10, "end of pinning")
    with pool.connect() as one:
        one.execute(make)
        wait_for(lambda: pinned(pool), 10, "pinning")
    # The client is gone: so is what it left.
    with pool.connect() as one, pool.connect() as two:
        for connection in (one, two):
            connection.execute("BEGIN")
            assert connection.execute(
                "SELECT (SELECT count(*) FROM pg_class WHERE relname = 't'"
                "        AND relnamespace = pg_my_temp_schema()),"
                " (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'),"
                " (SELECT count(*) FROM pg_listening_channels()),"
                " (SELECT count(*) FROM pg_cursors),"
                " (SELECT count(*) FROM pg_prepared_statements WHERE from_sql)"
            ).fetchone() == (0, 0, 0, 0, 0)


def test_listen_gets_its_notifications(make_pool):
    pool = make_pool(max=2)
    with pool.connect() as one, pool.connect() as two:
        one.execute("LISTEN news")
        two.execute("NOTIFY news, 'hello'")
        wait_for(lambda: one.pgconn.socket in select.select([one.pgconn.socket], [], [], 1)[0], 5,
                 "notification")
        one.pgconn.consume_input()
        assert one.pgconn.notifies().extra == b"hello"


def test_no_notification_is_lost(make_pool, logins):
    """Each SET and LISTEN has the pool ask the server what the session holds: what comes meanwhile
    is the client's all the same."""
    pool = make_pool(max=2)
    seen = []
    is_over = threading.Event()

    def notify():
        with logins.connect("app") as other:
            for number in range(100000):
                other.execute(f"NOTIFY news, '{number}'")
                if is_over.is_set():
                    break
            other.execute("NOTIFY news, 'end'")

    with pool.connect() as one:
        one.add_notify_handler(lambda notify: seen.append(notify.payload))
        one.execute("LISTEN news")
        thread = threading.Thread(target=notify)
        thread.start()
        for number in range(150):
            one.execute(f"SET work_mem = '{number + 100}kB'; LISTEN more{number}")
        is_over.set()
        thread.join()
        wait_for(lambda: one.execute("SELECT 1") and "end" in seen, 10, "the last one")
    numbers = [int(payload) for payload in seen[:-1]]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers))) and len(numbers) > 50


def test_temporary_by_search_path_pins(make_pool):
    pool = make_pool(max=1)
    with pool.connect() as one:
        one.execute("SET search_path TO pg_temp, public")
        one.execute("CREATE TABLE t AS SELECT 'secret' AS x")
        wait_for(lambda: len(pinned(pool)) == 1, 10, "pinning")
        one.execute("DROP TABLE t")
        wait_for(lambda: not pinned(pool), 10, "end of pinning")
        one.execute("CREATE COLLATION secret FROM \"C\"")
        wait_for(lambda: len(pinned(pool)) == 1, 10, "pinning")
        one.execute("DROP COLLATION pg_temp.secret; CREATE TEMP TABLE text (x int)")
        assert one.execute("SELECT count(*) FROM pg_temp.text").fetchone() == (0,)
    with pool.connect() as two:
        assert two.execute("SELECT count(*) FROM pg_depend WHERE refobjid = pg_my_temp_schema()"
                           "   AND refclassid = 'pg_namespace'::regclass").fetchone() == (0,)


@pytest.mark.parametrize("name", STATES)
def test_session_state_can_be_refused(make_pool, name):
    pool = make_pool(max=1, on_session_state="refuse")
    with pool.connect() as one:
        one.execute("DO $$ BEGIN PERFORM 1; END $$")
        if name in ("block", "sql"):  # seen only afterwards, which ends the connection
            one.execute(STATES[name][0])
            with pytest.raises(psycopg.OperationalError):
                one.execute("SELECT 1")
        else:
            with pytest.raises(psycopg.errors.FeatureNotSupported):
                one.execute(STATES[name][0])
            assert one.execute("SELECT 1").fetchone() == (1,)
            one.execute("SELECT pg_advisory_xact_lock(1)")
    with pool.connect() as two:
        assert two.execute("SELECT count(*) FROM pg_class WHERE relname = 't'").fetchone() == (0,)


def test_reset_full_leaves_nothing(make_pool):
    pool = make_pool(max=1, reset="full")
    pool.server.query(
        "CREATE FUNCTION hidden() RETURNS void LANGUAGE plpgsql AS $$ BEGIN"
        " PERFORM set_config('app.secret', 'x', false); PERFORM pg_advisory_lock(9);"
        " CREATE TEMP TABLE t (x int); END $$", dbname="app")
    with pool.connect() as one, pool.connect() as two:
        one.pgconn.prepare(b"s", b"SELECT 5")
        one.execute("SELECT hidden()")
        assert two.execute(
            "SELECT current_setting('app.secret', true),"
            " (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'),"
            " (SELECT count(*) FROM pg_class WHERE relname = 't')").fetchone()[1:] == (0, 0)
        assert two.execute("SELECT current_setting('app.secret', true)").fetchone()[0] in (None, "")
        assert one.pgconn.exec_prepared(b"s", []).get_value(0, 0) == b"5"


def test_session_mode(make_pool):
    pool = make_pool(max=1, mode="session")
    with pool.connect() as one:
        one.execute("CREATE TEMP TABLE t (x int)")
        one.execute("PREPARE p AS SELECT 1")
        one.execute("SET work_mem = '1MB'")
        assert one.execute("EXECUTE p").fetchone() == (1,)
        one.pgconn.prepare(b"s", b"SELECT 5")
        pid = one.execute("SELECT pg_backend_pid()").fetchone()
    with pool.connect() as two:
        assert two.execute("SELECT pg_backend_pid()").fetchone() == pid
        assert two.execute("SHOW work_mem").fetchone() == ("4MB",)
        assert two.execute("SELECT count(*) FROM pg_prepared_statements").fetchone()[0] <= 1
        assert two.execute("SELECT count(*) FROM pg_class WHERE relname = 't'").fetchone() == (0,)


def test_discard_gives_what_the_client_started_with(make_pool):
    """In each mode as without the pool: the start-up's values, not the server's."""
    pool = make_pool({"app": {"max": 1}, "held": {"max": 1, "mode": "session", "database": "app"}})
    options = "-c work_mem=5MB -c app.who=me"
    start = {"options": f"'{options}'", "application_name": "mine"}

    def seen(connection):
        return connection.execute("SELECT current_setting('work_mem'), current_setting('app.who'), "
                                  "current_setting('application_name')").fetchone()

    direct = psycopg.connect(pool.server.conninfo(
        dbname="app", options=options, application_name="mine"), autocommit=True)
    clients = [direct, pool.connect(**start), pool.connect("held", **start)]
    for command in ("DISCARD ALL", "RESET ALL"):
        for client in clients:
            client.execute("SET work_mem = '9MB'; SET application_name = 'other'")
            client.execute(command)
            assert seen(client) == ("5MB", "me", "mine"), (command, clients.index(client))
            client.execute(command)
            client.execute("SELECT 1")
            assert seen(client) == ("5MB", "me", "mine")
    for client in clients:  # one parameter: the others stay
        client.execute("SET work_mem = '9MB'; SET app.who = 'other'; SET application_name = 'x'")
        client.execute("RESET work_mem")
        assert seen(client) == ("5MB", "other", "x"), clients.index(client)
        client.execute("SET work_mem = '9MB'")
        client.execute("SET work_mem TO DEFAULT")
        assert seen(client) == ("5MB", "other", "x"), clients.index(client)
        client.execute("BEGIN")
        client.execute("RESET app.who")
        client.execute("ROLLBACK")
        assert seen(client) == ("5MB", "other", "x"), clients.index(client)
        client.execute("BEGIN")
        client.pgconn.exec_params(b"RESET application_name", [])
        client.execute("COMMIT")
        assert seen(client) == ("5MB", "other", "mine"), clients.index(client)
        assert client.info.parameter_status("application_name") == "mine"
        client.close()
    with pool.connect() as other:
        assert seen(other)[0] == "4MB"


def test_log_lines_are_text_or_json(make_pool):
    pool = make_pool(pooler={"log_format": "json"}, max=1)
    name = "'x\\n\x1b[2J\"end'"
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(pool.conninfo(user="'no\x1b[2J\"body'", password=name))
    lines = [json.loads(line) for line in pool.log_text().splitlines()]
    assert lines[0]["program"] == "pgdeck pool" and lines[0]["pid"] == pool.process.pid
    assert any('no\x1b[2J"body' in line["message"] for line in lines)
    assert "\x1b" not in pool.log_text()


FORMS = {
    "psycopg": r"min_size=2, max_size=7, timeout=\d+, .*statement_timeout=9000",
    "sqlalchemy": r"pool_size=2, max_overflow=7 - 2, .*statement_timeout=9000",
    "asyncpg": r'min_size=2, max_size=7, .*"statement_timeout": "9000"',
    "node-pg": r"min: 2, max: 7, .*statement_timeout: 9000",
}


def test_show_and_render(make_pool, pgdeck):
    """What the console shows as a command; the same sizes for pools in applications."""
    pool = make_pool(min=2, max=7, query_timeout="9s")
    with pool.connect() as one:
        one.execute("SELECT 1")
        for view in ("pools", "queries", "latency"):
            out = pgdeck("pool", "show", view, "--config", pool.file, "--json", expect=0).out
            shown, expected = json.loads(out), pool.show(view)
            assert [list(row) for row in shown] == [list(row) for row in expected] != []
        assert "cl_active" in pgdeck("pool", "show", "--config", pool.file, expect=0).out
        assert pgdeck("pool", "show", "nothing", "--config", pool.file).code != 0
    for form, pattern in FORMS.items():
        out = pgdeck("pool", "render", form, "--config", pool.file, expect=0).out
        assert re.search(pattern, out, re.S) and "app" in out and "alice" in out, out
        if form != "node-pg":
            compile(out, form, "exec")
    assert pgdeck("pool", "render", "nothing", "--config", pool.file).code != 0
    pool.databases["app"]["login"] = "bob"  # of one pool: each user gets a part of it
    pool.write()
    out = pgdeck("pool", "render", "psycopg", "--config", pool.file, expect=0).out
    for user in ("alice", "bob"):
        assert re.search(f"user={user}.*?min_size=1, max_size=3,", out, re.S), out
    pool.databases["app"]["host"] = "'one,two'"
    pool.write()
    told = pgdeck("pool", "render", "psycopg", "--config", pool.file)
    assert told.code != 0 and "cannot choose among the hosts of database" in told.err


def test_statement_mode(make_pool):
    pool = make_pool(max=1, mode="statement")
    with pool.connect() as one:
        assert one.execute("SELECT 1").fetchone() == (1,)
        one.execute("BEGIN")
        with pytest.raises(psycopg.OperationalError):
            one.execute("SELECT 1")
    with pool.connect() as two:
        assert two.execute("SELECT 1").fetchone() == (1,)


def test_waiting_has_a_deadline_and_an_explanation(make_pool):
    pool = make_pool(pooler={"query_wait_timeout": "300ms"}, max=1, **EXACT)
    report = {"application_name": "nightly-report"}
    with pool.connect(**report) as one:
        one.execute("BEGIN")
        with pool.connect(**report) as two:
            with pytest.raises(psycopg.errors.TooManyConnections) as caught:
                two.execute("SELECT 1")
            detail = caught.value.diag.message_detail
            assert "1 are idle in a transaction" in detail
            assert re.search(r'held by "alice" \(nightly-report\) for \d+\.\d s, idle in a transac',
                             detail), detail
            one.execute("COMMIT")
            assert two.execute("SELECT 1").fetchone() == (1,)


def test_a_login_needs_no_server_for_what_is_known(make_pool):
    """While all servers are held, who starts with values that others had, or a new name of an
    application, gets in, and is told what a server would tell; who cannot be answered hears why."""
    pool = make_pool(pooler={"query_wait_timeout": "300ms"}, max=1)
    zone = {"options": "'-c TimeZone=asia/tokyo'", "application_name": "first"}
    with pool.connect(**zone) as one, pool.connect(application_name="second") as two:
        one.execute("SELECT 1")
        two.execute("BEGIN")
        for name, tells, like in (("third", {}, two), ("fourth", zone, one)):
            with pool.connect(**{**tells, "application_name": name}) as client:
                told = client.info.parameter_status
                assert told("application_name") == name
                assert told("TimeZone") == like.info.parameter_status("TimeZone")
        with pytest.raises(psycopg.OperationalError, match="no server connection became free") \
                as caught:
            pool.connect(application_name="new", options="'-c work_mem=1MB'")
        assert "idle in a transaction" in str(caught.value)
        two.execute("COMMIT")
        with pool.connect(**{**zone, "application_name": "fifth"}) as client:
            assert client.execute("SELECT current_setting('application_name'), "
                                  "current_setting('timezone')").fetchone() == (
                "fifth", "Asia/Tokyo")
        with pytest.raises(psycopg.OperationalError, match="invalid value"):
            pool.connect(options="'-c work_mem=much'")


def test_users_of_a_pool_take_turns(make_pool):
    """All log in to the server as bob; alice's many do not keep the one of bob's waiting."""
    pool = make_pool(login="bob", max=1, **EXACT)
    holder, late = pool.connect(), pool.connect(user="bob")
    many = [pool.connect() for _ in range(8)]
    assert holder.execute("SELECT current_user").fetchone() == ("bob",)
    assert [row["user"] for row in pool.show("POOLS")] == ["alice"]
    holder.execute("BEGIN")

    def run(connection, word):
        connection.execute("INSERT INTO items SELECT count(*), %s FROM items", (word,))

    threads = []
    for number, connection in enumerate([*many, late]):
        word = "late" if connection is late else f"many {number}"
        threads.append(threading.Thread(target=run, args=(connection, word)))
        threads[-1].start()
        wait_for(lambda: pool.show("POOLS")[0]["cl_waiting"] == str(number + 1), 5, "queue")
    holder.execute("COMMIT")
    for thread in threads:
        thread.join()
    words = [row[0] for row in holder.execute("SELECT word FROM items ORDER BY id")]
    assert words == ["many 0", "late"] + [f"many {number}" for number in range(1, 8)]
    for connection in [holder, late, *many]:
        connection.close()


@pytest.mark.parametrize("login,users,said", [
    ("carol", "[alice, bob]", "must be a user with a password"),
    ("alice", "[alice, carol]", "there is no user"),
])
def test_a_shared_login_is_known(pgdeck, tmp_path, login, users, said):
    (tmp_path / "secret").write_text(PASSWORD)
    (tmp_path / "secret").chmod(0o600)
    (tmp_path / "pool.yaml").write_text(
        f"databases: {{app: {{login: {login}, users: {users}}}}}\n"
        "users: {alice: {password_file: secret}, bob: {password_file: secret}}\n")
    done = pgdeck("pool", "--config", tmp_path / "pool.yaml")
    assert done.code != 0 and said in done.err, done.err


def test_first_come_first_served(make_pool):
    pool = make_pool(max=1, **EXACT)
    connections = [pool.connect() for _ in range(6)]
    connections[0].execute("BEGIN")

    def run(number):
        connections[number].execute("INSERT INTO items SELECT count(*), %s FROM items", (number,))

    threads = []
    for number in range(1, 6):
        threads.append(threading.Thread(target=run, args=(number,)))
        threads[-1].start()
        wait_for(lambda: pool.show("POOLS")[0]["cl_waiting"] == str(number), 5, "queue")
    connections[0].execute("COMMIT")
    for thread in threads:
        thread.join()
    assert [row[0] for row in connections[0].execute("SELECT word FROM items ORDER BY id")] == [
        str(number) for number in range(1, 6)]
    for connection in connections:
        connection.close()


def test_query_timeout(make_pool):
    pool = make_pool(max=1, query_timeout="300ms")
    with pool.connect() as one:
        with pytest.raises(psycopg.errors.QueryCanceled):
            one.execute("SELECT pg_sleep(30)")
        assert one.execute("SELECT 1").fetchone() == (1,)


def test_wrong_passwords_and_names(make_pool):
    pool = make_pool(max=1)
    for words in ({"password": "wrong"}, {"user": "nobody"}, {"dbname": "nowhere"},
                  {"dbname": "pgdeck", "password": "wrong"}):
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            pool.connect(**words)
    status, message = pool.command("SHOW POOLS", user="bob")
    assert status == pq.ExecStatus.FATAL_ERROR and b"console is for admins" in message


def test_the_server_may_ask_for_scram(make_pool, make_server, logins, pg_version):
    scram = make_server(pg_version)
    scram.query(f"CREATE ROLE alice LOGIN PASSWORD '{PASSWORD}'")
    scram.query("CREATE ROLE bob LOGIN PASSWORD 'other'")
    scram.query("CREATE DATABASE app")
    hba = scram.data / "pg_hba.conf"
    hba.write_text("local all postgres trust\nhost all all 127.0.0.1/32 scram-sha-256\n")
    scram.query("SELECT pg_reload_conf()")
    pool = make_pool({"app": {"host": "127.0.0.1", "port": scram.port, "max": 2},
                      "trusting": {"host": "127.0.0.1", "port": logins.port, "database": "app"}})
    with pool.connect() as one:
        assert one.execute("SELECT current_user").fetchone() == ("alice",)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        pool.connect(user="bob")
    # A server elsewhere that does not ask for the password that we have may be any server.
    with pytest.raises(psycopg.OperationalError, match="did not ask for the password"):
        pool.connect("trusting")


def test_a_server_that_restarts(make_pool, make_server, pg_version):
    server = make_server(pg_version)
    server.query(f"CREATE ROLE alice LOGIN PASSWORD '{PASSWORD}'")
    pool = make_pool({"postgres": {"host": server.host, "port": server.port, "max": 2}})
    with pool.connect("postgres") as idle, pool.connect("postgres") as busy:
        idle.execute("SELECT 1")
        busy.execute("BEGIN")
        server.stop()
        with pytest.raises(psycopg.OperationalError):
            busy.execute("SELECT 1")
        server.start()
        assert idle.execute("SELECT 2").fetchone() == (2,)
    server.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'alice'")


def test_reload_is_all_or_nothing(make_pool):
    pool = make_pool(max=1)
    with pool.connect() as one:
        one.execute("SELECT 1")
        good = pool.file.read_text()
        pool.file.write_text("databases: {app: {users: [alice], mx: 3}}\nusers: {}\n")
        status, message = pool.command("RELOAD")
        assert status == pq.ExecStatus.FATAL_ERROR and b"fault" in message
        assert b'pool.yaml:1:35: unknown key "mx"' in message and b'HINT:  Did you mean "max"?' in message
        assert 'unknown key "mx"' in pool.log_text()
        assert one.execute("SELECT 2").fetchone() == (2,)
        pool.file.write_text(good.replace("max: 1", "max: 7"))
        pool.process.send_signal(signal.SIGHUP)
        wait_for(lambda: pool.show("DATABASES")[0]["pool_size"] == "7", 5, "reload")
        pool.write(more={"database": "app"})
        assert pool.command("RELOAD")[0] == pq.ExecStatus.COMMAND_OK
        with pool.connect("more") as two:
            assert two.execute("SELECT 3").fetchone() == (3,)


def test_console(make_pool):
    pool = make_pool(max=1)
    with pool.connect() as one:
        one.execute("SELECT 1")
        for what in ("POOLS", "CLIENTS", "SERVERS", "STATS", "DATABASES", "USERS", "CONFIG",
                     "LISTS", "MEM", "VERSION", "HELP"):
            assert pool.show(what), what
        assert PASSWORD not in str(pool.show("CONFIG") + pool.show("USERS"))
        assert pool.command("PAUSE app")[0] == pq.ExecStatus.COMMAND_OK
        timer = threading.Timer(0.3, pool.command, ("RESUME app",))
        timer.start()
        start = time.monotonic()
        assert one.execute("SELECT 2").fetchone() == (2,)
        assert time.monotonic() - start > 0.2
        timer.join()
        assert pool.command("DISABLE app")[0] == pq.ExecStatus.COMMAND_OK
        with pytest.raises(psycopg.OperationalError, match='database "app" is disabled'):
            pool.connect()
        assert one.execute("SELECT 1").fetchone() == (1,), "it was here before"
        assert pool.command("ENABLE app")[0] == pq.ExecStatus.COMMAND_OK
        pool.connect().close()
        for bad in ("", "SHOW NOTHING", "PAUSE nowhere", "KILL", "SELECT 1", "RELOAD junk",
                    "SHUTDOWN oops", "SHUTDOWN WAIT_FOR_CLIENTS", "SHUTDOWN IMMEDIATE now",
                    "DISABLE", "KILL app now", "SHOW POOLS app", "SHOW"):
            assert pool.command(bad or ";")[0] == pq.ExecStatus.FATAL_ERROR, bad
        assert pool.command("PAUSE", user="bob")[0] == pq.ExecStatus.FATAL_ERROR
    with pool.connect() as two:
        two.execute("SELECT 1")
        assert pool.command("RECONNECT")[0] == pq.ExecStatus.COMMAND_OK
        two.execute("SELECT 1")
        assert pool.command("KILL app")[0] == pq.ExecStatus.COMMAND_OK
        with pytest.raises(psycopg.OperationalError):
            two.execute("SELECT 1")
        assert pool.command("RESUME app")[0] == pq.ExecStatus.COMMAND_OK


@pytest.mark.pg(max=15)
def test_the_console_has_the_figures_of_pgbouncer(make_pool):
    """By its names, as numbers, with what clients that are still here have sent."""
    pool = make_pool(max=1)
    with pool.connect() as one, pool.connect("pgdeck") as console:
        for _ in range(3):
            one.execute("SELECT pg_sleep(0.01)")
        rows = {}
        for what in ("STATS", "STATS_TOTALS", "STATS_AVERAGES"):
            done = console.pgconn.exec_(b"SHOW " + what.encode())
            names = [done.fname(i).decode() for i in range(done.nfields)]
            assert {done.ftype(i) for i in range(done.nfields) if names[i] in ("database", "user")
                    } == {25}
            assert {done.ftype(i) for i in range(done.nfields)
                    if names[i] not in ("database", "user")} == {20}
            row = next(row for row in range(done.ntuples) if done.get_value(row, 1) == b"alice")
            rows[what] = {name: int(done.get_value(row, i)) for i, name in enumerate(names)
                          if done.ftype(i) == 20}
        stats = rows["STATS"]
        assert stats["total_query_count"] == 3 == stats["total_xact_count"]
        assert stats["total_xact_time"] >= stats["total_query_time"] >= 30000
        assert stats["total_received"] > 60 and stats["total_sent"] > 100
        assert {name: stats[f"total_{of}"] for name, of in (
            ("query_count", "query_count"), ("xact_count", "xact_count"),
            ("query_time", "query_time"), ("bytes_sent", "sent"))}.items() \
            <= rows["STATS_TOTALS"].items()
        assert list(stats)[7:14] == ["avg_xact_count", "avg_query_count", "avg_recv", "avg_sent",
                                     "avg_xact_time", "avg_query_time", "avg_wait_time"]
        assert [row["value"] for row in pool.show("STATE")] == ["yes", "no"]
        pool.command("PAUSE")
        assert [row["value"] for row in pool.show("STATE")] == ["no", "yes"]
        pool.command("RESUME")


@pytest.mark.pg(max=15)
def test_the_console_by_rights(make_pool, pgdeck):
    """stats_users may look and no more; users of the system among them need no password."""
    pool = make_pool(max=1, pooler={"stats_users": "[bob, postgres]"})
    assert pool.show("POOLS", user="bob")
    assert {row["name"]: (row["admin"], row["stats"]) for row in pool.show("USERS", user="bob")} \
        == {"alice": ("yes", "no"), "bob": ("no", "yes"), "postgres": ("no", "yes")}
    rights = {row["command"]: row["right"] for row in pool.show("HELP", user="bob")}
    commands = [command for command in rights if not command.startswith("SHOW ")]
    assert {rights[command] for command in commands} == {"admin"} and len(commands) == 9
    assert {rights[command] for command in rights if command not in commands} == {"stats"}
    with pool.connect("pgdeck", user="bob") as bob:
        for command in commands:  # with or without its name of a database: 42501
            done = bob.pgconn.exec_(re.sub(r"\W.*", " app", command).encode())
            assert done.error_field(pq.DiagnosticField.SQLSTATE) == b"42501", command
            assert b"for admins" in done.error_message and b'"bob"' in done.error_message
    assert pool.show("DATABASES")[0]["paused"] == "0"
    path = pool.folder / f".s.PGSQL.{pool.port}"
    os.chown(path, -1, pwd.getpwnam("postgres").pw_gid)
    for folder in (pool.folder, *list(pool.folder.parents)[:-2]):
        folder.chmod(folder.stat().st_mode | 0o011)
    for name, said in (("postgres", "1 row"), ("alice", "password")):
        done = subprocess.run(["runuser", "-u", "postgres", "--", CLIENT_BIN / "psql", "-Xw",
                               "-c", "SHOW VERSION", f"host={pool.folder} port={pool.port} "
                               f"user={name} dbname=pgdeck"], cwd="/", text=True, check=False,
                              capture_output=True)
        assert said in done.stdout + done.stderr
    pool.pooler["stats_users"] = "[nobody_at_all]"
    pool.write()
    status, message = pool.command("RELOAD")
    assert status == pq.ExecStatus.FATAL_ERROR and b'"nobody_at_all", one of stats_users' in message


class Console:
    """A connection to the console that may have to wait."""

    def __init__(self, pool):
        self.pgconn = pool.connect("pgdeck").pgconn

    def ask(self, text):
        self.pgconn.send_query(text)
        self.pgconn.flush()

    def is_there(self):
        select.select([self.pgconn.socket], [], [], 0.3)
        self.pgconn.consume_input()
        return not self.pgconn.is_busy()

    def status(self):
        wait_for(self.is_there, 5, "an answer")
        done = self.pgconn.get_result()
        assert self.pgconn.get_result() is None
        return done.command_status or done.error_field(pq.DiagnosticField.SQLSTATE)


@pytest.mark.pg(max=15)
def test_pause_ends_when_no_server_is_left(make_pool):
    """So that what comes behind it may stop PostgreSQL. RESUME and others are heard meanwhile."""
    pool = make_pool({"app": {"max": 2}, "other": {"database": "app", "max": 1}})
    console = Console(pool)
    with pool.connect() as one, pool.connect() as two, pool.connect("other") as three:
        for client in (one, two, three):
            client.execute("SELECT 1")
        one.execute("BEGIN")
        console.ask(b"PAUSE app")
        assert not console.is_there()
        assert one.execute("SELECT 2").fetchone() == (2,)
        assert three.execute("SELECT 2").fetchone() == (2,)
        assert pool.command("RELOAD")[0] == pq.ExecStatus.COMMAND_OK
        assert not console.is_there()
        one.execute("COMMIT")
        assert console.status() == b"PAUSE"
        assert [row["database"] for row in pool.show("POOLS") if row["sv_idle"] != "0"] == ["other"]
        console.ask(b"PAUSE")
        assert console.status() == b"PAUSE" and not pool.show("SERVERS")
        assert pool.command("RESUME")[0] == pq.ExecStatus.COMMAND_OK
        one.execute("BEGIN")
        console.ask(b"PAUSE")
        assert not console.is_there()
        assert pool.command("RESUME")[0] == pq.ExecStatus.COMMAND_OK
        assert console.status() == b"57014"
        assert two.execute("SELECT 3").fetchone() == (3,), "it is not paused"
        console.ask(b"PAUSE")
        assert not console.is_there()
        console.pgconn.get_cancel().cancel()
        assert console.status() == b"57014"
        console.ask(b"PAUSE app")  # anew, and not as the rest of the one before
        one.execute("COMMIT")
        assert console.status() == b"PAUSE"
        pool.command("RESUME")
    console.pgconn.finish()


@pytest.mark.pg(max=15)
def test_wait_close(make_pool):
    """It ends when the servers that RECONNECT or RELOAD wants closed are gone, not before."""
    pool = make_pool({"app": {"max": 2}, "other": {"database": "app", "max": 1}})
    console = Console(pool)
    ask, is_there, status = console.ask, console.is_there, console.status

    with pool.connect() as one, pool.connect("other") as two:
        old = one.execute("SELECT pg_backend_pid()").fetchone()
        two.execute("SELECT 1")
        ask(b"WAIT_CLOSE")
        assert is_there() and status() == b"WAIT_CLOSE"  # there is nothing to wait for
        one.execute("BEGIN")
        assert pool.command("RECONNECT")[0] == pq.ExecStatus.COMMAND_OK
        assert "1" in {row["close_needed"] for row in pool.show("SERVERS")}
        ask(b"WAIT_CLOSE other")  # its one was idle
        assert status() == b"WAIT_CLOSE"
        ask(b"WAIT_CLOSE nowhere")
        assert status() == b"3D000"
        ask(b"WAIT_CLOSE app")
        assert not is_there() and pool.show("VERSION")
        console.pgconn.get_cancel().cancel()
        assert status() == b"57014"
        ask(b"WAIT_CLOSE app")
        assert not is_there()
        leaver = pool.connect("pgdeck")
        leaver.pgconn.send_query(b"WAIT_CLOSE")
        leaver.pgconn.flush()
        leaver.close()
        one.execute("COMMIT")
        assert status() == b"WAIT_CLOSE"
        assert one.execute("SELECT pg_backend_pid()").fetchone() != old
        two.execute("BEGIN")
        del pool.databases["other"]
        pool.write()
        assert pool.command("RELOAD")[0] == pq.ExecStatus.COMMAND_OK
        ask(b"WAIT_CLOSE")
        assert not is_there()
        two.execute("COMMIT")
        assert status() == b"WAIT_CLOSE"
    console.pgconn.finish()


@pytest.mark.pg(max=15)
@pytest.mark.parametrize("modes", [("session", "transaction"), ("transaction", "session")])
def test_another_mode_is_for_later_logins(make_pool, modes):
    """What a client has in its session stays its own when RELOAD changes how servers are shared."""
    pool = make_pool({"app": {"max": 1, "mode": modes[0], "reset": "tracked"}})
    with pool.connect() as one:
        one.execute("SET work_mem = '77MB'")
        one.execute("SELECT set_config('app.who', 'one', false)")
        if modes[0] == "session":
            one.execute("CREATE TEMP TABLE mine (x int)")
        pool.databases["app"]["mode"] = modes[1]
        pool.write()
        assert pool.command("RELOAD")[0] == pq.ExecStatus.COMMAND_OK
        if modes[0] == "transaction":  # lets go of its server as before
            with pool.connect() as two:
                assert two.execute("SHOW work_mem").fetchone() != ("77MB",)
        else:
            assert one.execute("SELECT count(*) FROM mine").fetchone() == (0,)
        found = one.execute("SELECT current_setting('work_mem'), current_setting('app.who')")
        assert found.fetchone() == ("77MB", "one")
    with pool.connect() as two:
        found = two.execute("SELECT to_regclass('pg_temp.mine'), current_setting('app.who', true),"
                            " current_setting('work_mem')").fetchone()
        assert found[0] is None and not found[1] and found[2] != "77MB", found


def test_stopping_lets_transactions_end(make_pool):
    pool = make_pool(max=2)
    pool.is_stopped_by_test = True
    one, two = pool.connect(), pool.connect()
    one.execute("BEGIN")
    one.execute("INSERT INTO items VALUES (1, 'x')")
    two.execute("SELECT 1")
    pool.process.send_signal(signal.SIGTERM)
    with pytest.raises(psycopg.OperationalError):
        wait_for(lambda: two.execute("SELECT 1") is None, 5, "end of the idle one")
    one.execute("COMMIT")
    assert pool.process.wait(10) == 0
    assert pool.server.value("SELECT count(*) FROM items", dbname="app") == 1


@pytest.mark.parametrize("mode", ["simple", "extended", "prepared"])
def test_pgbench(make_pool, mode):
    pool = make_pool(max=3)
    environment = {**os.environ, "PGPASSWORD": PASSWORD}

    def run(*args):
        done = subprocess.run(
            [CLIENT_BIN / "pgbench", "-h", "127.0.0.1", "-p", str(pool.port), "-U", "alice", *args,
             "app"], env=environment, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    run("-i", "-q", "-s", "1")
    # pgbench waits within PQprepare, and then serves none of its other clients.
    clients = 3 if mode == "prepared" else 10
    out = run("-n", "-M", mode, "-c", str(clients), "-j", "2", "-t", "50")
    assert f"actually processed: {50 * clients}/{50 * clients}" in out
    out = run("-n", "-S", "-M", mode, "-c", "10", "-j", "2", "-t", "50")
    assert not re.search(r"failed transactions: [1-9]", out)
    run("-n", "-S", "-C", "-c", "4", "-t", "10")
    rows = pool.server.query("SELECT sum(abalance) FROM pgbench_accounts UNION ALL"
                             " SELECT sum(delta) FROM pgbench_history", dbname="app")
    assert rows[0] == rows[1]


def test_psql(make_pool):
    pool = make_pool(max=1)
    done = subprocess.run(
        [CLIENT_BIN / "psql", "-X", "-At", "-c", "\\d items", "-c", "SELECT 1; SELECT 2",
         pool.conninfo()], capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout.splitlines()[-2:] == ["1", "2"]


def message(kind, body=b""):
    return kind + struct.pack(">I", len(body) + 4) + body


def startup(*words, code=196608):
    body = struct.pack(">I", code) + b"".join(word + b"\0" for word in words)
    return struct.pack(">I", len(body) + 5) + body + b"\0"


GREETING = startup(b"user", b"alice", b"database", b"app")
HOSTILE = [
    b"", b"\0", b"\0\0\0", *(struct.pack(">I", n) for n in (
        0, 1, 4, 7, 8, 10001, 0x40000000, 0x7fffffff, 0x80000000, 0xfffffffc, 0xffffffff)),
    b"GET / HTTP/1.1\r\n\r\n", b"SSH-2.0-x\r\n", b"\0" * 65536, b"\xff" * 65536,
    startup(b"user"), startup(b"user", b""), startup(b"database", b"app"),
    startup(b"user", b"u" * 9000), startup(b"user", b"a\n\x1b[2J%s%n"),
    startup(*[b"user", b"alice"] + [b"a", b"b"] * 900),
    startup(b"user", b"alice", b"replication", b"true"),
    startup(b"user", b"alice", b"options", b"-c session_preload_libraries=x"),
    startup(b"user", b"alice", b"options", b"--role=postgres"),
    startup(b"user", b"alice", code=2 << 16), startup(b"user", b"alice", code=4 << 16),
    startup(code=80877103)[:8] + b"plaintext behind the request",
    (struct.pack(">II", 8, 80877103) * 50), (struct.pack(">II", 8, 80877104) * 50),
    struct.pack(">II", 16, 80877102) + b"12345678", struct.pack(">II", 9, 80877102) + b"1",
    GREETING + message(b"Q", b"SELECT 1\0"), GREETING + message(b"X"), GREETING + GREETING,
    GREETING + b"p\x7f\xff\xff\xff", GREETING + b"p\0\0\0\0", GREETING + message(b"p", b"x" * 996),
    GREETING + message(b"p", b"PLAIN\0" + struct.pack(">I", 3) + b"abc"),
    *(GREETING + message(b"p", b"SCRAM-SHA-256\0" + struct.pack(">I", n) + b"n,,n=,r=abc")
      for n in (0, 1, 12, 0x7fffffff, 0xffffffff, 0x80000000)),
    *(GREETING + message(b"p", b"SCRAM-SHA-256\0" + struct.pack(">I", len(text)) + text)
      for text in (b"y", b"p=x,,n=,r=a", b"n,a=b,n=,r=a", b"n,,m=1,n=,r=a", b"n,,n=,r=",
                   b"n,,n=,r=\xff", b"n,,n=,r=" + b"r" * 900)),
]


@pytest.mark.pg(max=15)
def test_hostile_bytes_before_the_login(make_pool):
    pool = make_pool(pooler={"login_timeout": "2s"}, max=1)
    with pool.connect() as canary:
        for data in HOSTILE:
            with socket.create_connection(("127.0.0.1", pool.port), 5) as client:
                client.settimeout(5)
                try:
                    client.sendall(data)
                    client.shutdown(socket.SHUT_WR)
                    while answer := client.recv(65536):
                        assert b"AuthenticationOk" not in answer
                        assert b"R\0\0\0\x08\0\0\0\0" not in answer, data
                except (ConnectionResetError, BrokenPipeError):
                    pass
            assert canary.execute("SELECT 'canary'").fetchone() == ("canary",)
        # A login that does nothing has an end, of all that it takes, not of each byte.
        with socket.create_connection(("127.0.0.1", pool.port), 5) as slow:
            slow.settimeout(10)
            start = time.monotonic()
            for byte in GREETING[:3]:
                slow.sendall(bytes([byte]))
                time.sleep(0.3)
            assert b"the login took too long" in slow.recv(1000)
            assert time.monotonic() - start < 6
    assert "\x1b" not in pool.log_text()


def raw(connection):
    """A socket of a client that is logged in; libpq does not know what goes over it."""
    return socket.socket(fileno=os.dup(connection.pgconn.socket))


LIVE = [
    *(kind + length for kind in (b"Q", b"P", b"B", b"E", b"D", b"C", b"S", b"H", b"X", b"F", b"d",
                                 b"c", b"f", b"p")
      for length in (b"\0\0\0\0", b"\0\0\0\3", b"\x7f\xff\xff\xff", b"\xff\xff\xff\xff", b"\0")),
    *(bytes([kind]) + b"\0\0\0\4" for kind in range(256) if bytes([kind]) not in b"BCDEFHPQSXcdfp"),
    message(b"Q", b"SELECT 1"), message(b"Q", b"SELECT 1\0SELECT 2\0"), b"Q\x3f\xff\xff\xffSELECT",
    message(b"P", b"a\0b\0\xff\xff"), message(b"P", b"a" * 65536),
    message(b"B", b"\0\0\0\0\0\1\xff\xff\xff\xfe\0\0"), message(b"B", b"\0\0\xff\xff\0\0\0\0"),
    message(b"D", b"Xa\0"), message(b"C", b"Xa\0"), message(b"F", b"\0" * 10),
    message(b"d", b"x") + message(b"c") + message(b"f", b"x\0"),
    message(b"S") * 5000, GREETING, startup(code=80877103)[:8],
    message(b"P", b"\0SELECT 1/0\0\0\0") + message(b"B", b"\0" * 8) + message(b"E", b"\0" * 5)
    + message(b"Q", b"SELECT 'not owed'\0"),
    message(b"Q", b"COPY items FROM STDIN\0") + message(b"Q", b"SELECT 1\0"),
    message(b"Q", b"COPY items FROM STDIN\0") + message(b"S") + message(b"H"),
]


@pytest.mark.pg(max=15)
def test_hostile_bytes_after_the_login(make_pool):
    pool = make_pool(max=2)
    with pool.connect() as canary:
        for number, data in enumerate(LIVE):
            client = pool.connect()
            with raw(client) as wire:
                wire.settimeout(0.05)
                try:
                    wire.sendall(data)
                    wire.recv(1 << 20)
                except (TimeoutError, ConnectionError):
                    pass
            client.close()
            token = f"token {number}"
            assert canary.execute("SELECT %s", (token,)).fetchone() == (token,)
            assert canary.execute(f"SELECT '{token}'").fetchone() == (token,)


@pytest.mark.pg(max=15)
def test_who_leaves_leaves_nothing_to_others(make_pool):
    """Clients that pipeline and vanish, at each byte of what they send; the next client of the
    same server sees its own rows only."""
    pool = make_pool(max=1)
    group = (message(b"P", b"s\0SELECT 'theirs'\0\0\0") + message(b"B", b"\0s\0" + b"\0" * 6)
             + message(b"E", b"\0" * 5) + message(b"S") + message(b"Q", b"SELECT 'theirs'\0"))
    with pool.connect() as canary:
        for cut in range(0, len(group) + 1, 3):
            client = pool.connect()
            with raw(client) as wire:
                wire.sendall(group[:cut])
            client.close()
            token = f"mine {cut}"
            assert canary.execute("SELECT %s", (token,)).fetchall() == [(token,)]
            assert canary.execute(f"SELECT '{token}'; SELECT 1").fetchall() == [(token,)]


@pytest.mark.pg(max=15)
def test_one_byte_at_a_time(make_pool):
    pool = make_pool(max=1)
    with pool.connect() as slow, pool.connect() as other, raw(slow) as wire:
        wire.settimeout(10)
        data = (message(b"P", b"s\0SELECT 'slow'\0\0\0") + message(b"B", b"\0s\0" + b"\0" * 6)
                + message(b"E", b"\0" * 5) + message(b"S"))
        for byte in data[:-1]:
            wire.sendall(bytes([byte]))
            assert other.execute("SELECT 1").fetchone() == (1,)  # the one server is not held
        wire.sendall(data[-1:])
        answer = b""
        while not answer.endswith(message(b"Z", b"I")):
            answer += wire.recv(1000)
        assert b"slow" in answer


class FakeServer(threading.Thread):
    """Logs everybody in, and answers each query with the bytes given."""

    def __init__(self, answer):
        super().__init__(daemon=True)
        self.answer = answer
        self.listener = self.open()
        self.port = self.listener.getsockname()[1]
        self.start()

    def open(self):
        return socket.create_server(("127.0.0.1", 0))

    def run(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with connection:
            try:
                connection.recv(10000)
                connection.sendall(message(b"R", struct.pack(">I", 0))
                                   + message(b"S", b"client_encoding\0UTF8\0")
                                   + message(b"K", b"12345678") + message(b"Z", b"I"))
                while connection.recv(65536):
                    connection.sendall(self.answer)
            except OSError:
                pass


ROW = message(b"T", b"\0\1x\0" + b"\0" * 6 + struct.pack(">IHIH", 25, 65535, 0xffffffff, 0)) + message(
    b"D", b"\0\1\0\0\0\6theirs") + message(b"C", b"SELECT 1\0")
SERVERS = {
    "two ready": ROW + message(b"Z", b"I") * 2,
    "rows behind ready": ROW + message(b"Z", b"I") + ROW,
    "error behind ready": ROW + message(b"Z", b"I") + message(b"E", b"SFATAL\0C57P01\0Mx\0\0"),
    "half a message behind ready": ROW + message(b"Z", b"I") + b"D\0\0",
    "bad status": ROW + message(b"Z", b"?"),
    "length 0": b"D\0\0\0\0", "length -1": b"D\xff\xff\xff\xff", "unknown": b"?\0\0\0\4",
    "empty error": message(b"E", b"\0") + message(b"Z", b"I"),
    "unterminated error": message(b"E", b"Mx") + message(b"Z", b"I"),
    "long error": message(b"E", b"SERROR\0M" + b"x" * 1000000 + b"\0\0") + message(b"Z", b"I"),
    "parameters": message(b"S", b"a'\"\0b'\0") * 10000 + ROW + message(b"Z", b"I"),
    "long parameter": message(b"S", b"a\0" + b"b" * 60000 + b"\0") + ROW + message(b"Z", b"I"),
    "bad parameter": message(b"S", b"ab") + ROW + message(b"Z", b"I"),
    "not asked": message(b"1") + message(b"Z", b"I"),
    "copy": message(b"W", b"\0\0\0"),
}


@pytest.mark.parametrize("name", SERVERS)
def test_hostile_servers(pgdeck, tmp_path, name):
    """Whatever a server says, the pool lives, and what one client's query brought on is never
    seen by the next client."""
    fake = FakeServer(SERVERS[name])
    folder = tmp_path / "pool"
    folder.mkdir()

    class Where:
        host, port = "127.0.0.1", fake.port

    pool = Pool(pgdeck, folder, Where, {"app": {"max": 1}})
    verifier = ("SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLm"
                "tbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=")  # of "pencil"
    pool.databases["app"]["users"] = "[carol]"
    pool.write()
    with open(pool.file, "a", encoding="utf-8") as file:
        file.write(f"  carol: {{verifier: '{verifier}'}}\n")
    try:
        assert pool.command("RELOAD")[0] == pq.ExecStatus.COMMAND_OK, pool.log_text()
        for _ in range(3):
            try:
                with pool.connect(user="carol", password="pencil") as client:
                    done = client.pgconn.exec_(b"SELECT 'theirs'")
                    if done.status == pq.ExecStatus.TUPLES_OK:
                        assert done.get_value(0, 0) == b"theirs"
            except psycopg.OperationalError:
                pass
        # The console of the same process works.
        assert len(pool.show("POOLS")) >= 1
        assert pool.process.poll() is None
    finally:
        pool.stop()
        fake.listener.close()
    assert "Sanitizer: " not in pool.log_text() and "runtime error" not in pool.log_text()
