# SPDX-License-Identifier: MIT
"""asyncpg (own protocol code, prepares everything, binary): README.md."""

import asyncio
import io
import json
import os
import ssl

import asyncpg

TYPES = ("SELECT $1::int4, $2::int8, $3::numeric, $4::text, $5::bytea, $6::bool, $7::text::timestamptz, "
         "$8::jsonb, $9::int4[], $10::text")


async def connect():
    where = json.loads(os.environ["PGDECK_DRIVER"])
    authority = where.pop("sslrootcert", None)
    where["database"] = where.pop("dbname")
    if authority:
        where["ssl"] = ssl.create_default_context(cafile=authority)
    else:
        where["ssl"] = False
    return await asyncpg.connect(**where)


def plain(records):
    return [[v.hex() if isinstance(v, bytes) else str(v) for v in record] for record in records]


async def code_of(awaitable):
    try:
        await awaitable
        return None
    except asyncpg.PostgresError as error:
        return error.sqlstate


async def transactions(connection):
    seen = []
    outer = connection.transaction()
    await outer.start()
    await connection.execute("INSERT INTO items VALUES (1, 'one')")
    inner = connection.transaction()
    await inner.start()
    seen.append(await code_of(connection.execute("INSERT INTO items VALUES (1, 'again')")))
    seen.append(await code_of(connection.fetch("SELECT 1")))
    await inner.rollback()
    seen.append(await connection.fetchval("SELECT count(*) FROM items"))
    await outer.rollback()
    seen.append(await connection.fetchval("SELECT count(*) FROM items"))
    return seen


async def prepared(connection):
    one = await connection.prepare("SELECT $1::int + 1")
    two = await connection.prepare("SELECT $1::text || '!'")
    sums = [await one.fetchval(i) + len(await two.fetchval("a" * i)) for i in range(50)]
    return [sum(sums), [str(a.type.name) for a in one.get_attributes()]]


async def many(connection):
    outer = connection.transaction()
    await outer.start()
    await connection.executemany("INSERT INTO items VALUES ($1, $2)",
                                 [(i, f"word {i}") for i in range(2000)])
    found = await connection.fetchval("SELECT count(*) FROM items")
    await outer.rollback()
    seen = await code_of(connection.executemany("INSERT INTO items VALUES ($1, $2)",
                                                [(1, "a"), (2, "b"), (1, "c")]))
    return [found, seen, await connection.fetchval("SELECT count(*) FROM items")]


async def copies(connection):
    outer = connection.transaction()
    await outer.start()
    await connection.copy_records_to_table("items",
                                           records=[(i, f"line {i}") for i in range(20000)])
    out = io.BytesIO()
    await connection.copy_from_query("SELECT * FROM items ORDER BY id", output=out)
    await outer.rollback()
    return [out.getvalue() == b"".join(b"%d\tline %d\n" % (i, i) for i in range(20000))]


async def cursors(connection):
    total = 0
    async with connection.transaction():
        async for record in connection.cursor("SELECT i FROM generate_series(1, 5000) i",
                                              prefetch=100):
            total += record[0]
    return total


async def cancelled(connection):
    try:
        await connection.fetch("SELECT pg_sleep(20)", timeout=0.2)
        seen = "not cancelled"
    except asyncio.TimeoutError:
        seen = "timeout"
    return [seen, await connection.fetchval("SELECT 1")]


async def settings(connection):
    await connection.execute("SET timezone = 'Asia/Tokyo'; SET search_path = pg_catalog, public")
    return [await connection.fetchval(f"SHOW {name}") for name in ("timezone", "search_path")]


async def notified(connection):
    got, notices = asyncio.Queue(), []
    connection.add_log_listener(lambda _connection, message: notices.append(message.message))
    await connection.execute("DO $$BEGIN RAISE NOTICE 'look: %', 'here'; END$$")
    await connection.add_listener("channel", lambda *args: got.put_nowait(args[3]))
    await connection.execute("NOTIFY channel, 'payload'")
    payload = await asyncio.wait_for(got.get(), 5)
    return [notices, payload]


async def main():
    connection = await connect()
    found = {"who": plain(await connection.fetch("SELECT current_user, current_database()")),
             "types": plain(await connection.fetch(
                 TYPES, 1, 9007199254740993, 1.5, "größer", b"\0\xff", True, "2026-02-28 12:00:00+00",
                 '{"a": [1]}', [1, None, 3], None)),
             "wide": plain(await connection.fetch("SELECT length(repeat('w', 100000)), repeat('w', 5) "
                                                  "FROM generate_series(1, 300)"))[-1]}
    for step in (transactions, prepared, many, copies, cursors, cancelled, settings, notified):
        found[step.__name__] = await step(connection)
    await connection.reset()
    found["after reset"] = await connection.fetchval("SHOW timezone")
    await connection.close()
    print(json.dumps(found, indent=1, default=str))


asyncio.run(main())
