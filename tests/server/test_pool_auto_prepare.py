# SPDX-License-Identifier: MIT
"""auto_prepare: unnamed statements that come again are kept on the servers; a client sees nothing."""

import psycopg
import pytest
from psycopg import pq

from test_pool import buffer, logins, make_pool  # noqa: F401 (fixtures)


def run(connection, text, *values):
    """As most drivers do: Parse, Bind, Describe, Execute, Sync, all unnamed."""
    done = connection.pgconn.exec_params(text.encode(), [str(value).encode() for value in values])
    return done


def value(connection, text, *values):
    done = run(connection, text, *values)
    assert done.status == pq.ExecStatus.TUPLES_OK, done.error_message
    return done.get_value(0, 0).decode()


def kept(connection):
    return connection.execute("SELECT statement FROM pg_prepared_statements").fetchall()


def test_what_comes_again_is_kept(make_pool, buffer):  # noqa: F811
    pool = make_pool(pooler=buffer, max=1, auto_prepare="true")
    with pool.connect() as one, pool.connect() as two:
        for number in range(40):
            for connection in (one, two):
                assert value(connection, "SELECT $1::int + 1", number) == str(number + 1)
                assert value(connection, f"SELECT {number}, $1", "x") == str(number)
        assert kept(one) == [("SELECT $1::int + 1",)]
        counts = one.execute("SELECT generic_plans + custom_plans FROM pg_prepared_statements")
        assert counts.fetchone()[0] > 60
        # Other types are another statement, faults come as ever, and the next is not disturbed.
        for _ in range(20):
            assert run(one, "SELECT $1::int / $2::int", 1, 0).status == pq.ExecStatus.FATAL_ERROR
            assert run(one, "SELEC $1", 1).error_field(
                pq.DiagnosticField.SQLSTATE) == b"42601"
            assert value(two, "SELECT $1::int + 1", 5) == "6"
        with one.pipeline():
            cursors = [one.execute("SELECT %s::int * 2", (n,), prepare=False) for n in range(50)]
        assert [cursor.fetchone()[0] for cursor in cursors] == [2 * n for n in range(50)]


def test_off_unless_wanted(make_pool):  # noqa: F811
    pool = make_pool(max=1)
    with pool.connect() as one:
        for number in range(20):
            assert value(one, "SELECT $1::int + 1", number) == str(number + 1)
        assert kept(one) == []


def test_a_changed_table_is_not_noticed(make_pool):  # noqa: F811
    pool = make_pool(max=2, auto_prepare="true")
    with pool.connect() as one, pool.connect() as two:
        one.execute("INSERT INTO items VALUES (1, 'one')")
        for columns in range(2, 5):
            for _ in range(12):
                for connection in (one, two):
                    done = run(connection, "SELECT * FROM items WHERE id = $1", 1)
                    assert done.status == pq.ExecStatus.TUPLES_OK, done.error_message
                    assert (done.nfields, done.ntuples) == (columns, 1)
            pool.server.query(f"ALTER TABLE items ADD c{columns} int", dbname="app")


def test_the_same_text_with_another_meaning(make_pool):  # noqa: F811
    pool = make_pool(max=1, auto_prepare="true")
    for name in ("one", "two"):
        pool.server.query(f"CREATE SCHEMA {name} AUTHORIZATION alice", dbname="app")
        pool.server.query(f"CREATE TABLE {name}.t (word text)", dbname="app")
        pool.server.query(f"INSERT INTO {name}.t VALUES ('{name}')", dbname="app")
        pool.server.query(f"GRANT SELECT ON {name}.t TO alice", dbname="app")
    with pool.connect() as one, pool.connect() as two, pool.connect() as three:
        one.execute("SET search_path = one")
        two.execute("SET search_path = two")
        for _ in range(20):
            with one.transaction():
                assert value(one, "SELECT word, $1 FROM t", "x") == "one"
            with two.transaction():
                assert value(two, "SELECT word, $1 FROM t", "x") == "two"
        for _ in range(20):
            assert value(three, "SELECT count(*), $1 FROM items", "x") == "0"
        three.execute("CREATE TEMPORARY TABLE items (id text)")
        three.execute("INSERT INTO items VALUES ('a')")
        assert value(three, "SELECT count(*), $1 FROM items", "x") == "1"


def test_more_than_a_server_keeps(make_pool):  # noqa: F811
    pool = make_pool(pooler={"prepared_statements": 3}, max=2, auto_prepare="true")
    with pool.connect() as one, pool.connect() as two:
        for number in range(20):
            for statement in range(8):
                for connection in (one, two):
                    text = f"SELECT $1::int + {statement}"
                    assert value(connection, text, number) == str(number + statement)
        assert len(kept(one)) <= 3
        with pytest.raises(psycopg.Error):
            one.execute("SELECT 1 / 0")
