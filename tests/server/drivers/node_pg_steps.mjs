// SPDX-License-Identifier: MIT
// node-postgres (own protocol code; unnamed and named statements): README.md.
import fs from "node:fs";
import { pipeline } from "node:stream/promises";
import { Readable } from "node:stream";
import { createRequire } from "node:module";

const require = createRequire(process.env.PGDECK_NODE_FOLDER + "/");
const pg = require("pg");
const Cursor = require("pg-cursor");
const copy = require("pg-copy-streams");

const where = JSON.parse(process.env.PGDECK_DRIVER);
const config = { host: where.host, port: where.port, user: where.user, password: where.password,
                 database: where.dbname };
if (where.sslrootcert) config.ssl = { ca: fs.readFileSync(where.sslrootcert) };
const client = new pg.Client(config);
const notices = [];
client.on("notice", (notice) => notices.push(notice.message));

async function rows(text, values) {
    return (await client.query({ text, values, rowMode: "array" })).rows;
}

async function codeOf(promise) {
    try { await promise; return null; } catch (error) { return error.code; }
}

const steps = {
    who: () => rows("SELECT current_user, current_database()"),
    types: () => rows("SELECT $1::int4, $2::int8, $3::numeric, $4::text, $5::bytea, $6::bool, " +
                      "$7::timestamptz, $8::jsonb, $9::int4[], $10::text",
                      [1, "9007199254740993", "1.50", "größer", Buffer.from([0, 255]), true,
                       "2026-02-28 12:00:00+00", { a: [1] }, [1, null, 3], null]),
    async transactions() {
        const seen = [];
        await client.query("BEGIN");
        await client.query("INSERT INTO items VALUES ($1, $2)", [1, "one"]);
        seen.push(await codeOf(client.query("INSERT INTO items VALUES ($1, $2)", [1, "again"])));
        seen.push(await codeOf(client.query("SELECT 1")));
        await client.query("ROLLBACK");
        seen.push(await rows("SELECT count(*) FROM items"));
        return seen;
    },
    async prepared() {
        let total = 0;
        for (let i = 0; i < 50; i++) {
            const done = await client.query({ name: "plus", text: "SELECT $1::int + 1 AS n", values: [i] });
            const other = await client.query({ name: "bang", text: "SELECT $1::text || '!' AS t",
                                               values: ["a".repeat(i)] });
            total += done.rows[0].n + other.rows[0].t.length;
        }
        return total;
    },
    async queued() { // all sent off without waiting for the one before
        const done = await Promise.all([...Array(100).keys()].map(
            (i) => i % 10 === 7 ? codeOf(client.query("SELECT 1 / $1::int", [0]))
                                : rows("SELECT $1::int * 2", [i])));
        return done;
    },
    async copies() {
        await client.query("BEGIN");
        const text = [...Array(20000).keys()].map((i) => `${i}\tline ${i}\n`).join("");
        await pipeline(Readable.from([text]), client.query(copy.from("COPY items FROM STDIN")));
        const chunks = [];
        for await (const chunk of client.query(copy.to("COPY (SELECT * FROM items ORDER BY id) TO STDOUT")))
            chunks.push(chunk);
        await client.query("ROLLBACK");
        return Buffer.concat(chunks).toString() === text;
    },
    async cursors() {
        await client.query("BEGIN");
        const cursor = client.query(new Cursor("SELECT i FROM generate_series(1, $1::int) i", [5000]));
        let total = 0, part;
        do {
            part = await cursor.read(100);
            for (const row of part) total += row.i;
        } while (part.length > 0);
        await cursor.close();
        await client.query("COMMIT");
        return total;
    },
    async cancelled() {
        const seen = codeOf(client.query("SELECT pg_sleep(20)"));
        await new Promise((resolve) => setTimeout(resolve, 200));
        const other = new pg.Client(config);
        await other.connect();
        await other.query("SELECT pg_cancel_backend(pid) FROM pg_stat_activity " +
                          "WHERE query = 'SELECT pg_sleep(20)' AND pid <> pg_backend_pid()");
        await other.end();
        return [await seen, await rows("SELECT 1")];
    },
    async settings() {
        await client.query("SET timezone = 'Asia/Tokyo'; SET search_path = pg_catalog, public");
        return [await rows("SHOW timezone"), await rows("SHOW search_path")];
    },
    async notified() {
        await client.query("DO $$BEGIN RAISE NOTICE 'look: %', 'here'; END$$");
        const got = new Promise((resolve) => client.once("notification", (m) => resolve(m.payload)));
        await client.query("LISTEN channel");
        await client.query("NOTIFY channel, 'payload'");
        return [notices, await got];
    },
};

const found = {};
await client.connect();
for (const [name, step] of Object.entries(steps)) found[name] = await step();
await client.end();
console.log(JSON.stringify(found, null, 1));
