# SPDX-License-Identifier: MIT
"""psycopg2 (libpq, simple protocol): README.md."""

import io
import json
import os
import select
import threading

import psycopg2
import psycopg2.extras

TYPES = ("SELECT 1::int4, 9007199254740993::int8, 1.50::numeric, 'größer'::text, '\\x00ff'::bytea, true, "
         "'2026-02-28 12:00:00+00'::timestamptz, '2026-02-28'::date, '{\"a\": [1]}'::jsonb, "
         "ARRAY[1, NULL, 3], NULL::text")


def connect():
    where = json.loads(os.environ["PGDECK_DRIVER"])
    if "sslrootcert" in where:
        where["sslmode"] = "verify-full"
    return psycopg2.connect(**where)


def rows(connection, text, values=None):
    with connection.cursor() as cursor:
        cursor.execute(text, values)
        return [[v.tobytes().hex() if isinstance(v, memoryview) else str(v) for v in row]
                for row in cursor.fetchall()]


def transactions(connection):
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO items VALUES (1, 'one')")
        connection.rollback()
        cursor.execute("INSERT INTO items VALUES (2, 'two')")
        cursor.execute("SAVEPOINT s")
        try:
            cursor.execute("INSERT INTO items VALUES (2, 'again')")
            seen = None
        except psycopg2.Error as error:
            seen = [error.pgcode, error.diag.constraint_name]
        cursor.execute("ROLLBACK TO s")
        cursor.execute("SELECT count(*) FROM items")
        found = cursor.fetchone()[0]
    connection.rollback()
    return [seen, found, rows(connection, "SELECT count(*) FROM items")]


def failed_transaction(connection):
    codes = []
    with connection.cursor() as cursor:
        for text in ("SELECT 1/0", "SELECT 1"):
            try:
                cursor.execute(text)
            except psycopg2.Error as error:
                codes.append(error.pgcode)
    connection.rollback()
    return codes


def many(connection):
    with connection.cursor() as cursor:
        psycopg2.extras.execute_values(cursor, "INSERT INTO items VALUES %s",
                                       [(i, f"word {i}") for i in range(2000)])
        psycopg2.extras.execute_batch(cursor, "UPDATE items SET word = %s WHERE id = %s",
                                      [("changed", i) for i in range(0, 2000, 2)])
    found = rows(connection, "SELECT word, count(*) FROM items WHERE word = 'changed' GROUP BY 1")
    connection.rollback()
    return found


def copies(connection):
    text = "".join(f"{i}\tline {i}\n" for i in range(20000))
    out = io.StringIO()
    with connection.cursor() as cursor:
        cursor.copy_expert("COPY items FROM STDIN", io.StringIO(text))
        cursor.copy_expert("COPY (SELECT * FROM items ORDER BY id) TO STDOUT", out)
        try:
            cursor.execute("SAVEPOINT s")
            cursor.copy_expert("COPY items FROM STDIN", io.StringIO("x\ty\n"))
            code = None
        except psycopg2.Error as error:
            code = error.pgcode
    connection.rollback()
    return [out.getvalue() == text, code]


def cursors(connection):
    sums = []
    with connection.cursor("named") as cursor:
        cursor.itersize = 100
        cursor.execute("SELECT i, repeat('x', i % 50) FROM generate_series(1, 5000) i")
        sums.append(sum(row[0] + len(row[1]) for row in cursor))
    connection.rollback()
    return sums


def cancelled(connection):
    timer = threading.Timer(0.2, connection.cancel)
    timer.start()
    try:
        rows(connection, "SELECT pg_sleep(20)")
        code = None
    except psycopg2.Error as error:
        code = error.pgcode
    connection.rollback()
    return [code, rows(connection, "SELECT 1")]


def large_objects(connection):
    large = connection.lobject(0, "wb")
    large.write(b"\0\1" * 50000)
    oid = large.oid
    large.close()
    read = connection.lobject(oid, "rb").read()
    connection.rollback()
    return len(read)


def settings(connection):
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("SET timezone = 'Asia/Tokyo'; SET search_path = pg_catalog, public")
    return [rows(connection, f"SHOW {name}") for name in ("timezone", "search_path", "datestyle")]


def notified(connection):
    with connection.cursor() as cursor:
        cursor.execute("DO $$BEGIN RAISE NOTICE 'look: %', 'here'; END$$")
        cursor.execute("LISTEN channel")
        cursor.execute("NOTIFY channel, 'payload'")
    while not connection.notifies:
        assert select.select([connection], [], [], 5)[0], "no notification in 5 s"
        connection.poll()
    return [connection.notices[-1], connection.notifies.pop().payload]


def main():
    connection = connect()
    found = {"who": rows(connection, "SELECT current_user, current_database()"),
             "types": rows(connection, TYPES),
             "wide": rows(connection, "SELECT sum(i)::text, max(repeat('w', 100000)) = repeat('w', 100000) "
                                      "FROM generate_series(1, 300) i")}
    connection.rollback()
    for step in (transactions, failed_transaction, many, copies, cursors, cancelled, large_objects,
                 settings, notified):
        found[step.__name__] = step(connection)
    connection.close()
    print(json.dumps(found, indent=1, default=str))


main()
