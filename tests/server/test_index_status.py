# SPDX-License-Identifier: MIT
"""pgdeck index status: what it says of a sick schema, and what it must not say of a sound one."""

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

from cluster import wait_for

DECK = """
deck: ix
servers:
  main: {conninfo: "CONNINFO", memory: 512MB, cpus: 2, storage: ssd}
environments:
  test: {server: main, memory: 256MB, max_connections: 20, workload: oltp, logging: minimal}
databases:
  DATABASE: {environment: test}
advisors: [index]
lock_wait: 50ms
give_up: 2s
index_review: REVIEW
"""


class Deck:
    """A deck of one database that is there, and what pgdeck index status says of it."""

    def __init__(self, pgdeck, server, folder, database):
        self.pgdeck, self.server, self.folder, self.database = pgdeck, server, folder, database
        folder.mkdir()
        self.file = folder / "deck.yaml"
        self.write()

    def write(self, indexes="", review="0s", more=""):
        conninfo = self.server.conninfo().replace("\\", "\\\\").replace('"', '\\"')
        text = DECK.replace("CONNINFO", conninfo).replace("DATABASE", json.dumps(self.database))
        text = text.replace("REVIEW", review) + more
        if indexes:
            (self.folder / "indexes.sql").write_text(indexes)
            text += "indexes: indexes.sql\n"
        self.file.write_text(text)
        return self

    def status(self, *args):
        result = self.pgdeck("index", "status", "-d", self.file, "--json", *args)
        assert result.code == 0, result.err
        return json.loads(result.out)[0]

    def findings(self, *args):
        """{index or foreign key: {verdict, ...}}"""
        found = {}
        for finding in self.status(*args)["findings"]:
            name = finding["index"] or finding["foreign_key"]
            found.setdefault(name, set()).add(finding["verdict"])
        return found

    def sql(self, name):
        return [finding["sql"] for finding in self.status()["findings"]
                if name in (finding["index"], finding["foreign_key"])]

    def run(self, sql, *values):
        return self.server.query(sql, *values, dbname=self.database)

    def value(self, sql, *values):
        return self.run(sql, *values)[0][0]


@pytest.fixture
def deck(pgdeck, server, tmp_path):
    server.query("CREATE DATABASE ix")
    yield Deck(pgdeck, server, tmp_path / "deck", "ix")
    server.query("DROP DATABASE IF EXISTS ix WITH (FORCE)")


SICK = """
CREATE SCHEMA "Odd Schema";
CREATE TABLE customers (id int PRIMARY KEY, mail text, name text, country text);
CREATE TABLE orders (
    id int PRIMARY KEY,
    customer_id int REFERENCES customers,
    referrer_id int REFERENCES customers,
    "Ordered At" timestamptz,
    status text, total numeric, doc jsonb, note text
);
CREATE TABLE "Odd Schema"."a ""table" (x int, "Y y" int);
INSERT INTO customers SELECT n, n || '@x', 'n' || n, 'de' FROM generate_series(1, 2000) n;
INSERT INTO orders SELECT n, n % 2000 + 1, NULL, now(), 'new', n, '{}', 'x'
  FROM generate_series(1, 5000) n;

-- sick
CREATE INDEX same_1 ON orders (status, total);
CREATE INDEX same_2 ON orders (status, total);
CREATE INDEX "Same 3" ON orders USING btree (status ASC NULLS LAST, total);
CREATE INDEX prefix ON orders ("Ordered At");
CREATE INDEX prefix_of ON orders ("Ordered At", customer_id);
CREATE INDEX same_expression_1 ON customers (lower(mail));
CREATE INDEX same_expression_2 ON customers (lower(mail));
CREATE INDEX same_partial_1 ON orders (total) WHERE status = 'new';
CREATE INDEX same_partial_2 ON orders (total) WHERE status = 'new';
CREATE INDEX included ON customers (country) INCLUDE (name);
CREATE INDEX included_more ON customers (country) INCLUDE (name, mail);
CREATE INDEX "beside ""the"" key" ON customers (id);
CREATE INDEX "odd i" ON "Odd Schema"."a ""table" ("Y y");
CREATE INDEX "odd j" ON "Odd Schema"."a ""table" ("Y y");
"""
SICK_FINDINGS = {
    "same_2": {"duplicate"}, "Same 3": {"duplicate"}, "prefix": {"overlapping"},
    "same_expression_2": {"duplicate"}, "same_partial_2": {"duplicate"},
    "included": {"overlapping"}, 'beside "the" key': {"overlapping"}, "odd j": {"duplicate"},
    "orders_customer_id_fkey": {"missing"}, "orders_referrer_id_fkey": {"missing"},
}
# Pairs that look alike and are not, each on columns of its own.
DECOYS = """
CREATE TABLE decoys (
    id int PRIMARY KEY, a int, b int, c int, d int, e int, f text, g text, h text, i int, j int,
    k int, l int, m text, n jsonb, o int, p int, q int, r int, s int4range, t int
);
CREATE INDEX predicate_1 ON decoys (a) WHERE b > 1;
CREATE INDEX predicate_2 ON decoys (a) WHERE b > 2;
CREATE INDEX predicate_none ON decoys (a, c);
CREATE INDEX direction_1 ON decoys (d, e);
CREATE INDEX direction_2 ON decoys (d, e DESC);
CREATE INDEX nulls_1 ON decoys (e, d);
CREATE INDEX nulls_2 ON decoys (e NULLS FIRST, d);
CREATE INDEX class_1 ON decoys (f);
CREATE INDEX class_2 ON decoys (f text_pattern_ops);
CREATE INDEX collation_1 ON decoys (g);
CREATE INDEX collation_2 ON decoys (g COLLATE "C");
CREATE INDEX expression_1 ON decoys (lower(h));
CREATE INDEX expression_2 ON decoys (upper(h));
CREATE INDEX expression_3 ON decoys (h);
CREATE INDEX include_1 ON decoys (i) INCLUDE (j);
CREATE INDEX include_2 ON decoys (i) INCLUDE (k);
CREATE INDEX order_1 ON decoys (j, k);
CREATE INDEX order_2 ON decoys (k, j);
CREATE UNIQUE INDEX unique_1 ON decoys (l);
CREATE INDEX unique_longer ON decoys (l, a);
CREATE INDEX method_1 ON decoys (m);
CREATE INDEX method_2 ON decoys USING hash (m);
CREATE INDEX gin_1 ON decoys USING gin (n);
CREATE INDEX gin_2 ON decoys USING gin (n jsonb_path_ops);
CREATE UNIQUE INDEX partly_unique_1 ON decoys (o) WHERE p > 0;
CREATE UNIQUE INDEX partly_unique_2 ON decoys (o) WHERE p < 0;
ALTER TABLE decoys ADD CONSTRAINT apart EXCLUDE USING gist (s WITH &&);
CREATE INDEX brin_1 ON decoys USING brin (t);
CREATE INDEX brin_2 ON decoys (t);
INSERT INTO decoys (id, a, b, l, o, p, s) SELECT n, n, n, n, n, n, int4range(n, n + 1)
  FROM generate_series(1, 500) n;
"""


def test_a_sick_schema_and_its_decoys(deck):
    deck.run(SICK + DECOYS)
    assert deck.findings("--verdict", "duplicate,overlapping,missing,invalid") == SICK_FINDINGS
    assert deck.sql('beside "the" key')[0] == \
        'DROP INDEX CONCURRENTLY IF EXISTS public."beside ""the"" key";'
    # doing all that it says leaves nothing to say, and every query its index
    for finding in deck.status("--verdict", "duplicate,overlapping,missing")["findings"]:
        deck.run(finding["sql"])
    assert deck.findings("--verdict", "duplicate,overlapping,missing,invalid") == {}
    left = {row["name"] for row in deck.status()["indexes"]}
    assert {"same_1", "prefix_of", "same_expression_1", "included_more", "odd i"} <= left


def test_what_enforces_or_serves_is_never_unused(deck):
    deck.run(SICK + DECOYS + """
        CREATE INDEX serves ON orders (referrer_id, total);
        CREATE INDEX clustered ON orders (note);
        CLUSTER orders USING clustered;
        CREATE TABLE identity (a int NOT NULL, b int);
        CREATE UNIQUE INDEX identity_a ON identity (a);
        ALTER TABLE identity REPLICA IDENTITY USING INDEX identity_a;
        CREATE TABLE pointed_at (a int); CREATE UNIQUE INDEX pointed ON pointed_at (a);
        CREATE TABLE pointing (a int REFERENCES pointed_at (a));
    """)
    findings = deck.findings("--verdict", "unused")
    for name in ("orders_pkey", "unique_1", "partly_unique_1", "apart", "serves", "clustered",
                 "identity_a", "pointed"):
        assert name not in findings
    for name in ("gin_1", "direction_1", "odd i", "prefix_of"):
        assert name in findings
    deck.write(review="1d")
    assert deck.findings("--verdict", "unused") == {}


def test_a_scan_is_use(deck):
    deck.run(DECOYS)
    with deck.server.connect(deck.database) as connection:
        connection.execute("SET enable_seqscan = off")
        connection.execute("SET enable_bitmapscan = off")
        connection.execute("SELECT * FROM decoys WHERE d = 3 ORDER BY d, e DESC")
    wait_for(lambda: deck.value("SELECT pg_stat_get_numscans('direction_2'::regclass)") == 1, 10,
             "the scan to be counted")  # by a session that has not quite ended
    findings = deck.findings("--verdict", "unused")
    assert "direction_2" not in findings and "direction_1" in findings
    row = next(row for row in deck.status()["indexes"] if row["name"] == "direction_2")
    assert row["scans"] == 1
    assert (row["last_scan"] is not None) == (deck.server.version >= 16)
    # a reset is no proof of anything
    deck.write(review="1h")
    deck.run("SELECT pg_stat_reset()")
    assert deck.findings("--verdict", "unused") == {}


def test_an_invalid_index_is_named_with_its_remedy(deck):
    deck.run("CREATE TABLE t (a int, b int); INSERT INTO t VALUES (1, 1), (1, 2)")
    with deck.server.connect(deck.database) as connection:
        with pytest.raises(Exception, match="could not create unique"):
            connection.execute("CREATE UNIQUE INDEX CONCURRENTLY broken ON t (a)")
    assert deck.findings() == {"broken": {"invalid"}}
    deck.run("DELETE FROM t WHERE b = 2")
    deck.run(deck.sql("broken")[0])
    assert deck.findings() == {}


def test_partitioned_tables(deck):
    deck.run("""
        CREATE TABLE parent (id int PRIMARY KEY);
        CREATE TABLE p (id int, parent_id int REFERENCES parent, a int, b int, PRIMARY KEY (id))
            PARTITION BY RANGE (id);
        CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (100);
        CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (100) TO (200) PARTITION BY HASH (id);
        CREATE TABLE p2a PARTITION OF p2 FOR VALUES WITH (MODULUS 2, REMAINDER 0);
        CREATE TABLE p2b PARTITION OF p2 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
        INSERT INTO parent SELECT generate_series(0, 199);
        INSERT INTO p SELECT n, n, n, n FROM generate_series(0, 199) n;
        CREATE INDEX p_a ON p (a); CREATE INDEX p_a2 ON p (a); CREATE INDEX p_ab ON p (b, a);
        CREATE INDEX only_here ON p1 (b);
        CREATE INDEX half ON ONLY p (b);
        CREATE INDEX fk_of_p1 ON p1 (parent_id);
    """)
    findings = deck.findings("--verdict", "duplicate,overlapping,missing,invalid")
    assert findings == {"p_a2": {"duplicate"}, "p_parent_id_fkey": {"missing"},
                        "half": {"invalid"}}
    rows = {row["name"]: row for row in deck.status()["indexes"]}
    assert "p1_a_idx" not in rows and rows["p_a"]["is_partitioned"]
    assert rows["p_a"]["size_bytes"] == deck.value(
        "SELECT sum(pg_relation_size(relid)) FROM pg_partition_tree('p_a')")
    (sql,) = deck.sql("p_parent_id_fkey")
    for statement in sql.split("\n"):
        deck.run(statement)
    assert deck.value("SELECT count(*) FROM pg_partition_tree('p_parent_id_idx') "
                      "JOIN pg_index ON indexrelid = relid WHERE indisvalid") == 5
    assert "p_parent_id_fkey" not in deck.findings()


def test_the_table_for_people(deck):
    deck.run(SICK)
    result = deck.pgdeck("index", "status", "-d", deck.file, "--verdict", "duplicate", expect=0)
    assert "VERDICT" in result.out and "DROP INDEX CONCURRENTLY IF EXISTS public.same_2;" in result.out
    result = deck.pgdeck("index", "status", "-d", deck.file, "same_3", expect=64)
    assert 'no index "same_3"' in result.err
    result = deck.pgdeck("index", "status", "-d", deck.file, "--verdict", "dublicate", expect=64)
    assert "unused, duplicate" in result.err
    result = deck.pgdeck("index", "statu", expect=64)
    assert "Did you mean pgdeck index status?" in result.err
    assert "index status" in deck.pgdeck("index", "status", "--help", expect=0).out


@pytest.mark.pg(max=17)  # nothing in it changed since
def test_a_database_that_is_not_there_does_not_stop_the_others(deck):
    deck.run(SICK)
    deck.file.write_text(deck.file.read_text().replace(
        '  "ix"', '  absent: {environment: test}\n  "ix"'))
    result = deck.pgdeck("index", "status", "-d", deck.file, "--json", expect=13)
    assert 'database "absent"' in result.err
    assert [report["database"] for report in json.loads(result.out)] == ["ix"]


def test_dropped_only_when_told_and_back_with_rollback(deck):
    deck.run(SICK + "COMMENT ON TABLE orders IS 'all'")
    definitions = "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index " \
                  "WHERE indrelid IN ('orders'::regclass, 'customers'::regclass) ORDER BY 1"
    before = deck.run(definitions)
    deck.write(indexes="CREATE INDEX same_partial_2 ON orders (total) WHERE status = 'new';")

    def drop(*args, expect=0):
        return deck.pgdeck("index", "status", "-d", deck.file, "--drop", *args, expect=expect)

    assert "--yes" in drop("same_2", expect=22).err  # asked, and nobody there
    assert "nothing speaks for it" in drop("--yes", "orders_pkey", expect=22).err
    assert "indexes.sql:1:1" in drop("--yes", "same_partial_2", expect=22).err
    assert deck.run(definitions) == before
    assert "Done: 2 changes" in drop("--yes", "same_2", "public.prefix").out
    assert len(deck.run(definitions)) == len(before) - 2
    deck.pgdeck("rollback", "-d", deck.file, "--yes", expect=0)
    assert deck.run(definitions) == before
    # all of one verdict; what the deck declares stays
    drop("--yes", "--verdict", "duplicate")
    assert deck.findings("--verdict", "duplicate") == {}
    left = [name for name, _definition in deck.run(definitions)]
    assert "same_partial_2" in left and "same_partial_1" not in left and "same_1" in left
    deck.pgdeck("rollback", "-d", deck.file, "--yes", expect=0)
    assert deck.run(definitions) == before


def test_of_a_materialized_view(deck):
    deck.run("""CREATE MATERIALIZED VIEW seen AS SELECT 1 AS a;
        CREATE INDEX seen_1 ON seen (a); CREATE INDEX seen_2 ON seen (a);""")
    deck.pgdeck("index", "status", "-d", deck.file, "--drop", "--yes", "seen_2", expect=0)
    assert deck.value("SELECT to_regclass('seen_2') IS NULL")
    deck.pgdeck("rollback", "-d", deck.file, "--yes", expect=0)
    assert deck.value("SELECT indisvalid FROM pg_index WHERE indexrelid = 'seen_2'::regclass")


@pytest.mark.pg(max=17)  # nothing in it changed since
def test_a_drop_that_meets_a_reader_names_it(deck):
    deck.run(SICK)
    deck.write(review="0s")
    deck.file.write_text(deck.file.read_text() + "max_block: 100ms\n")
    with deck.server.connect(deck.database) as connection:
        connection.execute("BEGIN")
        connection.execute("SELECT * FROM orders LIMIT 1")
        pid = connection.execute("SELECT pg_backend_pid()").fetchone()[0]
        result = deck.pgdeck("index", "status", "-d", deck.file, "--drop", "--yes", "same_2",
                             expect=17)
        assert f"pid {pid} (" in result.err
        connection.execute("COMMIT")
    # what it began, it ends
    assert "invalid" in deck.findings()["same_2"]
    deck.pgdeck("index", "status", "-d", deck.file, "--drop", "--yes", "same_2", expect=0)
    assert deck.value("SELECT to_regclass('same_2') IS NULL")


@pytest.mark.pg(min=15)
def test_back_in_its_tablespace(deck):
    with deck.server.connect(deck.database) as connection:
        connection.execute("SET allow_in_place_tablespaces = on")
        connection.execute("CREATE TABLESPACE \"el se\" LOCATION ''")
    deck.run("""CREATE TABLE t (a int, b int);
        CREATE INDEX t_a ON t (a) WITH (fillfactor = 70) TABLESPACE "el se" WHERE b > 0;
        CREATE INDEX t_a2 ON t (a) WITH (fillfactor = 70) TABLESPACE "el se" WHERE b > 0;""")
    state = "SELECT spcname::text, pg_get_indexdef(c.oid) FROM pg_class c " \
            "JOIN pg_tablespace s ON s.oid = c.reltablespace WHERE relname = 't_a2'"
    before = deck.run(state)
    deck.pgdeck("index", "status", "-d", deck.file, "--drop", "--yes", "t_a2", expect=0)
    assert deck.run(state) == []
    deck.pgdeck("rollback", "-d", deck.file, "--yes", expect=0)
    assert deck.run(state) == before
    deck.run("DROP TABLE t")
    deck.server.query('DROP TABLESPACE "el se"')


def test_a_partitioned_index_comes_back(deck):
    deck.run("""
        CREATE TABLE p (id int, a int) PARTITION BY RANGE (id);
        CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (100);
        CREATE INDEX p_a ON p (a); CREATE INDEX p_a2 ON p (a);
    """)
    deck.pgdeck("index", "status", "-d", deck.file, "--drop", "--yes", "p_a2", expect=0)
    assert deck.value("SELECT to_regclass('p_a2') IS NULL")
    deck.pgdeck("rollback", "-d", deck.file, "--yes", expect=0)
    assert deck.value("SELECT count(*) FROM pg_partition_tree('p_a2') JOIN pg_index "
                      "ON indexrelid = relid WHERE indisvalid") == 2


def test_bloat_measured_estimated_or_unknown(deck):
    deck.run("""
        CREATE TABLE t (id int, word text, kind int);
        INSERT INTO t SELECT n, 'word ' || md5(n::text), n % 7 FROM generate_series(1, 40000) n;
        CREATE INDEX t_id ON t (id); CREATE INDEX t_word ON t (word);
        CREATE INDEX t_kind ON t (kind); CREATE INDEX t_expression ON t ((id % 100));
        CREATE INDEX t_gin ON t USING gin (to_tsvector('simple', word));
    """)

    def bloat():
        return {row["name"]: (row["bloat"], row["bloat_source"])
                for row in deck.status()["indexes"]}

    assert bloat()["t_id"] == (None, None)  # never analysed
    deck.run("VACUUM ANALYZE t")
    fresh = bloat()
    for name in ("t_id", "t_word", "t_kind", "t_expression"):
        assert fresh[name][1] == "estimate" and fresh[name][0] < 0.2, (name, fresh)
    assert fresh["t_gin"] == (None, None)
    deck.run("DELETE FROM t WHERE id % 5 <> 0")
    deck.run("VACUUM ANALYZE t")
    thin = bloat()
    for name in ("t_id", "t_word", "t_expression"):
        assert 0.5 < thin[name][0] < 0.95, (name, thin)
    deck.run("CREATE EXTENSION pgstattuple")
    measured = bloat()
    for name in ("t_id", "t_word"):
        assert measured[name][1] == "pgstattuple"
        assert abs(measured[name][0] - thin[name][0]) < 0.15, (name, thin, measured)
    assert "about" not in deck.pgdeck("index", "status", "-d", deck.file, "t_id", expect=0).out


@pytest.fixture
def pair(make_server):
    """A primary and its standby."""
    primary = make_server(15)
    copy = primary.folder / "standby"
    primary.client("pg_basebackup", "-D", str(copy), "-R", "-X", "stream", "-c", "fast")
    subprocess.run(["chown", "-R", "--reference", primary.data, copy], check=True)
    (copy / "postmaster.pid").unlink(missing_ok=True)
    standby = make_server(15)
    standby.stop()
    kept, standby.data = standby.data, copy
    standby.configure(unix_socket_directories=standby.host)
    yield primary, standby.start()
    standby.stop()
    standby.data = kept


def test_scans_on_a_replica_are_use(pgdeck, pair, tmp_path):
    primary, standby = pair
    primary.query("CREATE DATABASE ix")
    deck = Deck(pgdeck, primary, tmp_path / "deck", "ix")
    deck.run("CREATE TABLE t (a int, b int); CREATE INDEX t_a ON t (a); CREATE INDEX t_b ON t (b);"
             "INSERT INTO t SELECT n, n FROM generate_series(1, 1000) n")
    assert set(deck.findings("--verdict", "unused")) == {"t_a", "t_b"}
    wait_for(lambda: primary.value("SELECT bool_and(replay_lsn = pg_current_wal_lsn()) "
                                   "FROM pg_stat_replication"), 30, "the standby to be there")

    def replicas(text):
        plain = DECK.replace("storage: ssd}", "storage: ssd, replicas: {east: {conninfo: TEXT}}}")
        deck.file.write_text(plain.replace("TEXT", json.dumps(text)).replace("REVIEW", "0s")
                             .replace("CONNINFO", primary.conninfo()).replace("DATABASE", "ix"))

    replicas(standby.conninfo())
    with standby.connect("ix") as connection:
        connection.execute("SET enable_seqscan = off")
        assert connection.execute("SELECT b FROM t WHERE a = 3").fetchall() == [(3,)]
    wait_for(lambda: standby.value("SELECT pg_stat_get_numscans('t_a'::regclass)", dbname="ix"),
             10, "the scan to be counted")
    assert set(deck.findings("--verdict", "unused")) == {"t_b"}
    row = next(row for row in deck.status()["indexes"] if row["name"] == "t_a")
    assert row["scans"] == 1
    assert "nor on a replica" in deck.status("--verdict", "unused")["findings"][0]["evidence"]
    # one that is down, or is somebody else: told once, and nothing is called unused
    for wrong, what in ((standby.conninfo(port=1), "replica \"east\""),
                        (primary.conninfo(), "it is no replica of the server")):
        replicas(wrong)
        result = pgdeck("index", "status", "-d", deck.file, "--json", expect=0)
        assert what in result.err and result.err.count("error:") == 1
        assert json.loads(result.out)[0]["findings"] == []
    replicas("host=x password=y")
    assert "deck.yaml:4:" in pgdeck("check", deck.file, expect=10).err


def test_what_pgdeck_has_just_built_gets_its_time(deck):
    deck.run("CREATE TABLE t (a int); INSERT INTO t VALUES (1)")
    deck.write("CREATE INDEX t_a ON t (a);", review="1s")
    deck.pgdeck("apply", "-d", deck.file, "--yes", expect=0)
    wait_for(lambda: deck.value("SELECT now() - max(stats_reset) > '2 s' FROM (SELECT stats_reset "
                                "FROM pg_stat_bgwriter UNION SELECT stats_reset FROM "
                                "pg_stat_database WHERE datname = current_database()) AS s"), 10,
             "older statistics")
    deck.run("UPDATE pgdeck.journal SET finished_at = now() + '1 h'")
    assert deck.findings() == {}
    deck.run("UPDATE pgdeck.journal SET finished_at = now() - interval '1 h'")
    assert deck.findings() == {"t_a": {"unused"}}
    assert "indexes.sql:1" in deck.status()["findings"][0]["evidence"]


def test_an_invalid_twin_goes_and_is_built_anew(deck):
    """Found by its definition, whatever its name; one that is being built is left alone."""
    deck.run("CREATE TABLE t (a int); INSERT INTO t VALUES (1), (1)")
    with deck.server.connect(deck.database) as connection:
        with pytest.raises(Exception, match="could not create unique"):
            connection.execute("CREATE UNIQUE INDEX CONCURRENTLY spare ON t (a)")
    deck.run("DELETE FROM t")
    deck.write("CREATE UNIQUE INDEX t_a ON t (a);")
    plan = deck.pgdeck("plan", "-d", deck.file, expect=0).out
    assert "drop the invalid index spare" in plan and "create index t_a" in plan
    deck.pgdeck("apply", "-d", deck.file, "--yes", expect=0)
    assert deck.run("SELECT indexrelid::regclass::text, indisvalid FROM pg_index "
                    "WHERE indrelid = 't'::regclass") == [("t_a", True)]
    deck.run("DROP INDEX t_a; INSERT INTO t VALUES (2)")
    with deck.server.connect(deck.database) as holder, \
            deck.server.connect(deck.database) as builder:
        holder.execute("BEGIN")
        holder.execute("UPDATE t SET a = 3")
        with ThreadPoolExecutor() as threads:
            build = threads.submit(builder.execute,
                                   "CREATE UNIQUE INDEX CONCURRENTLY theirs ON t (a)")
            wait_for(lambda: deck.value("SELECT to_regclass('theirs') IS NOT NULL"), 10,
                     "the build")
            plan = deck.pgdeck("plan", "-d", deck.file, expect=0).out
            holder.execute("COMMIT")
            build.result(timeout=20)
    assert "theirs, of the same definition as t_a, is being built now" in plan
    assert "drop the invalid" not in plan


def test_comments_and_targets_come_back(deck):
    deck.run("""CREATE TABLE t (a int, b text);
        CREATE INDEX t_b ON t (lower(b)) WITH (fillfactor = 90);
        CREATE INDEX t_b2 ON t (lower(b)) WITH (fillfactor = 70);
        ALTER INDEX t_b2 ALTER COLUMN 1 SET STATISTICS 321;
        COMMENT ON INDEX t_b2 IS 'it''s here';""")
    [finding] = [one for one in deck.status()["findings"] if one["verdict"] == "duplicate"]
    assert finding["index"] == "t_b2"
    assert "differ in storage parameters: (fillfactor=90), this one (fillfactor=70)" in \
        finding["evidence"]
    state = "SELECT pg_get_indexdef(c.oid), obj_description(c.oid), attstattarget::int " \
            "FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid WHERE relname = 't_b2'"
    before = deck.run(state)
    deck.pgdeck("index", "status", "-d", deck.file, "--drop", "--yes", "t_b2", expect=0)
    assert deck.run(state) == []
    deck.pgdeck("rollback", "-d", deck.file, "--yes", expect=0)
    assert deck.run(state) == before and before[0][1:] == ("it's here", 321)
    assert deck.status()["findings"]  # it reads the journal
