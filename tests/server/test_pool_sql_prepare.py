# SPDX-License-Identifier: MIT
"""pgdeck pool: statements prepared by SQL follow their client from server to server."""

import random

import psycopg
import pytest
from psycopg import pq

from cluster import wait_for
from test_pool import ALWAYS_DATABASE, logins, make_pool, pinned  # noqa: F401

NAMES = "SELECT array_agg(name ORDER BY name) FROM pg_prepared_statements WHERE from_sql"


class Held:
    """Holds a server for a while, so that others get another."""

    def __init__(self, connection):
        self.connection = connection

    def __enter__(self):
        self.connection.execute("BEGIN")
        return self.connection.execute("SELECT pg_backend_pid()").fetchone()[0]

    def __exit__(self, *_):
        self.connection.execute("COMMIT")


def test_each_client_has_its_own_on_any_server(make_pool):  # noqa: F811
    pool = make_pool(max=2)
    with pool.connect() as one, pool.connect() as two, pool.connect() as third:
        one.execute("PREPARE p AS SELECT 'one', pg_backend_pid()")
        two.execute("PREPARE p (int) AS SELECT 'two ' || $1, pg_backend_pid()")
        two.execute('PREPARE "Q ""x" AS SELECT \'quoted\'; SELECT 1; PREPARE r AS SELECT \';\'')
        servers = set()
        for _ in range(4):
            for holder, user, use, want in ((one, two, "EXECUTE p (7)", "two 7"),
                                            (third, one, "EXECUTE p", "one"),
                                            (third, two, "EXECUTE p (8)", "two 8")):
                with Held(holder) as pid:
                    word, server = user.execute(use).fetchone()
                    assert word == want and server != pid
                    servers.add(server)
            assert third.execute(NAMES).fetchone() == (None,)
            assert two.execute(NAMES).fetchone() == (['Q "x', "p", "r"],)
            assert two.execute('EXECUTE "Q ""x"').fetchone() == ("quoted",)
            assert two.execute("EXECUTE r").fetchone() == (";",)
        assert len(servers) == 2 or ALWAYS_DATABASE
        with pytest.raises(psycopg.errors.InvalidSqlStatementName):
            third.execute("EXECUTE p")
        assert pinned(pool) == []
        assert two.pgconn.exec_prepared(b"p", [b"9"]).get_value(0, 0) == b"two 9"
        for drop, left in (("DEALLOCATE p", ['Q "x', "r"]), ("DEALLOCATE ALL", None)):
            two.execute(drop)
            with Held(third):
                assert two.execute(NAMES).fetchone() == (left,)
        one.execute("DISCARD ALL")
        for client in (one, two, third):
            assert client.execute(NAMES).fetchone() == (None,)


def test_transactions_and_faults(make_pool):  # noqa: F811
    """What fails leaves nothing; what a transaction that rolls back has prepared stays."""
    pool = make_pool(max=2)
    with pool.connect() as one, pool.connect() as other:
        one.execute("BEGIN")
        one.execute("PREPARE p AS SELECT 1")
        with pytest.raises(psycopg.errors.UndefinedColumn):
            one.execute("PREPARE q AS SELECT no_column")
        one.execute("ROLLBACK")
        with pytest.raises(psycopg.errors.DivisionByZero):
            one.execute("PREPARE s AS SELECT 3; SELECT 1 / 0; PREPARE t AS SELECT 4")
        with Held(other):
            assert one.execute(NAMES).fetchone() == (["p", "s"],)
            assert one.execute("EXECUTE s").fetchone() == (3,)
            one.execute("DO $$ BEGIN EXECUTE 'PREPARE made AS SELECT 5'; END $$")
        other.execute("SELECT 1")
        with Held(other):
            assert one.execute("EXECUTE made").fetchone() == (5,)
            assert one.execute("EXPLAIN (COSTS OFF) EXECUTE p").fetchone() == ("Result",)
        done = one.pgconn.close_prepared(b"p") if hasattr(one.pgconn, "close_prepared") else None
        assert done is None or done.status == pq.ExecStatus.COMMAND_OK
        assert pinned(pool) == []


def test_a_statement_whose_table_is_gone(make_pool):  # noqa: F811
    """It cannot be made on another server: only its own EXECUTE fails, until the table is back."""
    pool = make_pool(max=1)
    with pool.connect() as one, pool.connect() as other:
        other.execute("CREATE TABLE gone (x int)")
        one.execute("PREPARE p AS SELECT count(*) FROM gone")
        one.execute("PREPARE q AS SELECT 2")
        other.execute("DROP TABLE gone")
        assert one.execute("EXECUTE q").fetchone() == (2,)
        with pytest.raises(psycopg.errors.InvalidSqlStatementName):
            one.execute("EXECUTE p")
        other.execute("CREATE TABLE gone (x int)")
        assert one.execute("EXECUTE p").fetchone() == (0,)


@pytest.mark.parametrize("text", [
    "PREPARE p AS SELECT '" + "x" * 9000 + "'",
    "PREPARE p AS SELECT 1; DEALLOCATE p; PREPARE p AS SELECT 2",
    "SET standard_conforming_strings = off; PREPARE p AS SELECT 'a\\b'",
    "PREPARE U&\"p\\0071\" AS SELECT 1",
])
def test_what_cannot_be_told_from_its_text_pins(make_pool, text):  # noqa: F811
    pool = make_pool(max=1)
    with pool.connect() as one:
        one.execute(text)
        wait_for(lambda: pinned(pool), 10, "pinning")
        assert pinned(pool)[0]["pinned_by"] == "statements prepared by SQL"
        one.execute("DEALLOCATE ALL")
        wait_for(lambda: not pinned(pool), 10, "end of pinning")


def test_many_statements(make_pool):  # noqa: F811
    """As many as there is room for are carried; more pin."""
    pool = make_pool(max=2)
    with pool.connect() as one, pool.connect() as other:
        for number in range(120):
            one.execute(f"PREPARE p{number} AS SELECT {number}")
        with Held(other):
            assert one.execute("EXECUTE p119").fetchone() == (119,)
        assert pinned(pool) == []
        for number in range(120, 140):
            one.execute(f"PREPARE p{number} AS SELECT {number}")
        wait_for(lambda: pinned(pool), 10, "pinning")
        assert one.execute("EXECUTE p139").fetchone() == (139,)
    with pool.connect() as one:
        assert one.execute(NAMES).fetchone() == (None,)


def answer(connection, text):
    """Rows or the SQLSTATE."""
    done = connection.pgconn.exec_(text.encode())
    if done.status == pq.ExecStatus.FATAL_ERROR:
        return done.error_field(pq.DiagnosticField.SQLSTATE)
    return [done.get_value(row, 0) for row in range(done.ntuples)]


@pytest.mark.parametrize("keys", [{}, {"reset": "full"}])
def test_any_order_is_as_without_the_pool(make_pool, keys):  # noqa: F811
    """Clients by chance, each beside a connection of its own that gets the same."""
    pool = make_pool(max=2, **keys)
    seed = random.randrange(1 << 32)
    chance = random.Random(seed)
    texts = ["PREPARE {0} AS SELECT {1}", "PREPARE {0} AS SELECT {1}; SELECT {1}", "EXECUTE {0}",
             "EXECUTE {0}", "DEALLOCATE {0}", "DEALLOCATE ALL", "DISCARD ALL", "SELECT 1 / 0",
             "SET work_mem = '{1}MB'", "SHOW work_mem", "PREPARE {0} AS SELECT no_column", NAMES]
    clients = [(pool.connect(), psycopg.connect(pool.server.conninfo("app"), autocommit=True))
               for _ in range(3)]
    try:
        for _ in range(300):
            mine, direct = chance.choice(clients)
            text = chance.choice(texts).format(chance.choice("abc"), chance.randrange(1, 9))
            for word in chance.choice(([text], [text], ["BEGIN", text, text, "ROLLBACK"])):
                assert answer(mine, word) == answer(direct, word), (seed, word)
        assert pinned(pool) == []
    finally:
        for pair in clients:
            for connection in pair:
                connection.close()


LAUNDERED = {
    "role": ("SELECT set_config('role', $1, false)", "'bob'", "SELECT current_user", "alice"),
    "parameter": ("SELECT set_config('work_mem', $1, false)", "'99kB'", "SHOW work_mem", "4MB"),
    "custom": ("SELECT set_config('app.x', $1, false)", "'secret'",
               "SELECT concat(current_setting('app.x', true))", ""),
    "any": ("SELECT set_config($1, 'secret', false)", "'app.x'",
            "SELECT concat(current_setting('app.x', true))", ""),
    "lock": ("SELECT pg_advisory_lock($1)", "7",
             "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
             "   AND pid = pg_backend_pid()", 0),
}


@pytest.mark.parametrize("way", ["execute", "bind", "explain", "block"])
def test_what_is_executed_counts_as_its_text(make_pool, way):  # noqa: F811
    pool = make_pool(max=1)
    pool.server.query("GRANT bob TO alice")
    for name, (text, value, look, want) in LAUNDERED.items():
        kind = "int" if name == "lock" else "text"
        prepare = f"PREPARE p ({kind}) AS {text}"
        if way == "block":
            prepare = f"DO $x$ BEGIN EXECUTE $y${prepare}$y$; END $x$"
        with pool.connect() as one:
            one.execute(prepare)
            if way == "bind":
                done = one.pgconn.exec_prepared(b"p", [value.strip("'").encode()])
                assert done.status == pq.ExecStatus.TUPLES_OK, done.error_message
            else:
                one.execute(("EXPLAIN ANALYZE " if way == "explain" else "") + f"EXECUTE p({value})")
            one.execute("DEALLOCATE p")
        with pool.connect() as two:
            assert two.execute(look).fetchone() == (want,), name


def test_what_a_function_deallocates_is_prepared_anew(make_pool):  # noqa: F811
    pool = make_pool(max=1)
    pool.server.query("CREATE FUNCTION forget() RETURNS void LANGUAGE plpgsql AS"
                      " 'BEGIN DEALLOCATE ALL; END'", dbname="app")
    with pool.connect() as one, pool.connect() as two:
        for name in (b"s", b"t"):
            two.pgconn.prepare(name, b"SELECT 1, '%s'" % name)
        for _ in range(2):
            one.execute("SELECT forget()")
            assert two.pgconn.describe_prepared(b"t").nfields == 2
            for name in (b"s", b"t"):
                done = two.pgconn.exec_prepared(name, [])
                assert done.status == pq.ExecStatus.TUPLES_OK, done.error_message
                assert done.get_value(0, 1) == name
        one.execute("SELECT forget()")
        two.execute("BEGIN")  # there it is an error, once
        assert two.pgconn.exec_prepared(b"s", []).status == pq.ExecStatus.FATAL_ERROR
        two.execute("ROLLBACK; BEGIN")
        assert two.pgconn.exec_prepared(b"s", []).status == pq.ExecStatus.TUPLES_OK
        two.execute("COMMIT")


def test_names_of_the_pools_own_are_refused(make_pool):  # noqa: F811
    pool = make_pool(max=1)
    with pool.connect() as one, pool.connect() as two:
        two.pgconn.prepare(b"s", b"SELECT 'private'")
        assert two.pgconn.exec_prepared(b"s", []).get_value(0, 0) == b"private"
        for name in one.execute("SELECT name FROM pg_prepared_statements").fetchall():
            for text in (f'EXECUTE "{name[0]}"', f"EXPLAIN ANALYZE EXECUTE {name[0].upper()}",
                         f"DEALLOCATE {name[0]}", f"DEALLOCATE PREPARE {name[0]}",
                         f"SELECT 1; PREPARE {name[0]} AS SELECT 1"):
                with pytest.raises(psycopg.errors.InvalidName):
                    one.execute(text)
        assert two.pgconn.exec_prepared(b"s", []).get_value(0, 0) == b"private"
