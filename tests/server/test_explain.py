# SPDX-License-Identifier: MIT
"""pgdeck explain: the plan of one query and what is wrong in it, without running it."""

import json

import pytest

from test_health import write_deck


@pytest.fixture
def deck(make_server, pg_version, tmp_path):
    server = make_server(pg_version, shared_preload_libraries="pg_stat_statements", jit="off",
                         autovacuum="off")
    server.query("CREATE EXTENSION pg_stat_statements")
    server.query("CREATE SCHEMA app")
    server.query("ALTER DATABASE postgres SET search_path = app, public")
    server.psql(text="""
        CREATE TABLE app.sale (id int PRIMARY KEY, customer int, note text);
        INSERT INTO app.sale SELECT i, i % 5000, md5(i::text) FROM generate_series(1, 50000) AS i;
        CREATE TABLE app.few (id int PRIMARY KEY);
        INSERT INTO app.few SELECT generate_series(1, 100);
        CREATE TABLE app.fresh (a int, b int);
        CREATE TABLE app.skew (a int, b int);
        INSERT INTO app.skew SELECT i % 50, i % 50 FROM generate_series(1, 100000) AS i;
        CREATE TABLE app.log (at int) PARTITION BY RANGE (at);
        """ + "".join(f"CREATE TABLE app.log_{i} PARTITION OF app.log FOR VALUES FROM ({i}) "
                      f"TO ({i + 1});" for i in range(12)))
    server.settle_statistics()
    server.query("VACUUM (ANALYZE)")
    server.settle_statistics()
    return write_deck(tmp_path, server, "postgres"), server


def explain(pgdeck, deck, query, *args):
    done = pgdeck("explain", "-d", deck[0], "--json", *args, query, expect=0)
    return json.loads(done.out)


def wrong(pgdeck, deck, query, *args):
    found = explain(pgdeck, deck, query, *args)["wrong"]
    return " | ".join(f"{f['node']}: {f['what']}" for f in found)


def test_what_is_wrong_and_what_is_not(pgdeck, deck):
    assert "no index serves (sale.customer = 7)" in wrong(
        pgdeck, deck, "SELECT * FROM sale WHERE customer = 7")
    assert wrong(pgdeck, deck, "SELECT * FROM sale WHERE id = 7") == ""
    assert wrong(pgdeck, deck, "SELECT * FROM sale WHERE customer > 7") == ""  # wants nearly all
    assert wrong(pgdeck, deck, "SELECT * FROM few WHERE id + 0 = 7") == ""  # small
    deck[1].query("ALTER ROLE postgres SET work_mem = '64kB'")
    assert "will probably not fit into work_mem" in wrong(
        pgdeck, deck, "SELECT * FROM sale ORDER BY note")
    assert "temporary files" in wrong(pgdeck, deck, "SELECT * FROM sale ORDER BY note", "--analyze")
    deck[1].query("ALTER ROLE postgres RESET work_mem")
    assert "reads 12 partitions" in wrong(pgdeck, deck, "SELECT * FROM log")
    assert "partitions" not in wrong(pgdeck, deck, "SELECT * FROM log WHERE at = 3")
    assert "rows were expected" in wrong(
        pgdeck, deck, "SELECT count(*) FROM skew WHERE a = 1 AND b = 1 AND a + b = 2", "--analyze")
    deck[1].query("INSERT INTO app.fresh SELECT i, i FROM generate_series(1, 5000) AS i")
    deck[1].query("UPDATE app.sale SET note = note || id WHERE id <= 30000")
    deck[1].settle_statistics()
    text = pgdeck("explain", "-d", deck[0], "SELECT * FROM sale WHERE id = 1", expect=0).out
    assert "rows changed since the table was analyzed" in text and 'ANALYZE' in text


def test_nothing_runs_and_nothing_is_changed(pgdeck, deck):
    path, server = deck
    before = server.value("SELECT count(*) FROM app.sale")
    for query in ("DELETE FROM sale", "INSERT INTO few VALUES (1000)",
                  "WITH gone AS (DELETE FROM sale RETURNING 1) SELECT count(*) FROM gone"):
        assert explain(pgdeck, deck, query)["plan"]
        refused = pgdeck("explain", "-d", path, "--analyze", query, expect=22)
        assert "changes or locks rows" in refused.err
    assert "locks" in pgdeck("explain", "-d", path, "--analyze", "SELECT * FROM few FOR UPDATE",
                             expect=22).err
    for query in ("SELECT * INTO copy FROM sale", "CREATE TABLE copy AS SELECT * FROM sale"):
        assert explain(pgdeck, deck, query)["plan"]
        refused = pgdeck("explain", "-d", path, "--analyze", query, expect=22)
        assert "returns no columns" in refused.err
    server.query("CREATE FUNCTION app.sneaky() RETURNS int LANGUAGE plpgsql AS "
                 "'BEGIN DELETE FROM app.sale; RETURN 1; END'")
    assert "read-only transaction" in pgdeck("explain", "-d", path, "--analyze",
                                             "SELECT sneaky()", expect=20).err
    assert pgdeck("explain", "-d", path, "SELECT 1; DELETE FROM sale").code != 0
    assert pgdeck("explain", "-d", path, "DROP TABLE sale").code != 0
    assert server.value("SELECT count(*) FROM app.sale") == before
    assert "does not exist" in pgdeck("explain", "-d", path, "SELECT * FROM nowhere", expect=20).err


def test_a_query_by_its_id(pgdeck, deck):
    path, server = deck
    server.query("SELECT * FROM app.sale WHERE customer = 17")
    query_id = server.value("SELECT queryid FROM pg_stat_statements WHERE query LIKE %s",
                            "%app.sale WHERE customer = $1%")
    found = explain(pgdeck, deck, str(query_id))
    assert found["is_generic"] and "$1" in found["query"]
    assert "no index serves" in found["wrong"][0]["what"]
    assert "The plan for any values" in pgdeck("explain", "-d", path, str(query_id), expect=0).out
    assert "lacks its values" in pgdeck("explain", "-d", path, "--analyze", str(query_id),
                                        expect=22).err
    assert "has no query 1 here" in pgdeck("explain", "-d", path, "1", expect=22).err
    assert "has no query -1 here" in pgdeck("explain", "-d", path, "-1", expect=22).err
