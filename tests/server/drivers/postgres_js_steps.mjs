// SPDX-License-Identifier: MIT
// postgres.js (own protocol code, pipelines and prepares by itself): README.md.
import fs from "node:fs";
import { pipeline } from "node:stream/promises";
import { Readable } from "node:stream";
import { createRequire } from "node:module";

const require = createRequire(process.env.PGDECK_NODE_FOLDER + "/");
const postgres = require("postgres");

const where = JSON.parse(process.env.PGDECK_DRIVER);
const notices = [];
const sql = postgres({
    host: where.host, port: where.port, user: where.user, password: where.password,
    database: where.dbname, max: 2, onnotice: (notice) => notices.push(notice.message),
    ssl: where.sslrootcert ? { ca: fs.readFileSync(where.sslrootcert) } : false,
});

async function codeOf(promise) {
    try { await promise; return null; } catch (error) { return error.code; }
}

const steps = {
    who: () => sql`SELECT current_user, current_database()`,
    types: () => sql`SELECT ${1}::int4 AS a, ${"9007199254740993"}::int8 AS b, ${"1.50"}::numeric AS c,
        ${"größer"}::text AS d, ${Buffer.from([0, 255])}::bytea AS e, ${true}::bool AS f,
        ${new Date("2026-02-28T12:00:00Z")}::timestamptz AS g, ${sql.json({ a: [1] })}::jsonb AS h,
        ${[1, 2, 3]}::int4[] AS i, ${null}::text AS j`,
    async transactions() {
        const seen = [];
        seen.push(await codeOf(sql.begin(async (own) => {
            await own`INSERT INTO items VALUES (1, 'one')`;
            seen.push(await codeOf(own.savepoint((inner) => inner`INSERT INTO items VALUES (1, 'again')`)));
            seen.push((await own`SELECT count(*) FROM items`)[0].count);
            await own`SELECT 1 / 0`;
        })));
        seen.push((await sql`SELECT count(*) FROM items`)[0].count);
        return seen;
    },
    async prepared() {
        let total = 0;
        for (let i = 0; i < 50; i++)
            total += (await sql`SELECT ${i}::int + 1 AS n`)[0].n + (await sql`SELECT ${"a"}::text || '!' AS t`)[0].t.length;
        return total;
    },
    queued: () => Promise.all([...Array(100).keys()].map(
        (i) => i % 10 === 7 ? codeOf(sql`SELECT 1 / ${0}::int`) : sql`SELECT ${i}::int * 2 AS n`)),
    copies: () => sql.begin(async (own) => {
        const lines = [...Array(20000).keys()].map((i) => `${i}\tline ${i}\n`);
        await pipeline(Readable.from(lines), await own`COPY items FROM STDIN`.writable());
        const chunks = []; // after more than its buffer takes (16 kB) the driver may stay paused
        for await (const chunk of await own`COPY (SELECT * FROM items ORDER BY id LIMIT 500) TO STDOUT`.readable())
            chunks.push(chunk);
        await own`DELETE FROM items`;
        return Buffer.concat(chunks).toString() === lines.slice(0, 500).join("");
    }),
    cursors: () => sql.begin(async (own) => {
        let total = 0;
        for await (const part of own`SELECT i FROM generate_series(1, 5000) i`.cursor(100))
            for (const row of part) total += row.i;
        return total;
    }),
    async cancelled() {
        const asleep = sql`SELECT pg_sleep(20)`;
        const seen = codeOf(asleep);
        await new Promise((resolve) => setTimeout(resolve, 300));
        asleep.cancel();
        return [await seen, await sql`SELECT 1 AS one`];
    },
    unsafe: () => sql.unsafe("SELECT 1 AS a; SELECT 2 AS b"),
    async notified() {
        await sql`DO $$BEGIN RAISE NOTICE 'look: %', 'here'; END$$`;
        let hear;
        const heard = new Promise((resolve) => { hear = resolve; });
        const { unlisten } = await sql.listen("channel", hear);
        await sql.notify("channel", "payload");
        const got = await heard;
        await unlisten(); // else it listens anew when its connection closes, in a pool that has ended
        return [notices, got];
    },
};

const found = {};
for (const [name, step] of Object.entries(steps)) found[name] = await step();
await sql.end({ timeout: 5 });
console.log(JSON.stringify(found, null, 1));
