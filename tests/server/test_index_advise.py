# SPDX-License-Identifier: MIT
"""pgdeck index advise: what it proposes for which statements, and that it runs none of them."""

import json
import re
import signal

import pytest

from cluster import SOURCE, wait_for

DECK = SOURCE / "decks" / "saas-control-deck"


@pytest.fixture(scope="module")
def shop(module_server):
    """The tables of the shipped deck with data, and none of its indexes. With hypopg on PostgreSQL
    15, the only one that Debian has it for; on others costs are by rules."""
    module_server.configure(shared_preload_libraries="pg_stat_statements")
    module_server.restart()
    module_server.query("CREATE DATABASE shop")
    module_server.psql("-f", DECK / "schema.sql", dbname="shop")
    module_server.psql("-1", text="SET pgdeck.size = 20; SET pgdeck.seed = 1;\n"
                       + (DECK / "data.sql").read_text(), dbname="shop")
    module_server.psql("-c", "VACUUM ANALYZE", dbname="shop")
    module_server.query("CREATE EXTENSION pg_stat_statements", dbname="shop")
    if module_server.version == 15:
        module_server.query("CREATE EXTENSION hypopg", dbname="shop")
    return module_server


@pytest.fixture
def advise(pgdeck, shop, tmp_path):
    """advise("SELECT ...", *options): the JSON of the advice for these statements."""
    def run(text, *options, dbname="shop"):
        files = []
        if text is not None:
            (tmp_path / "queries.sql").write_text(text)
            files = [tmp_path / "queries.sql"]
        return json.loads(pgdeck("index", "advise", "--json", "--from", shop.conninfo(dbname),
                                 *options, *files, expect=0).out)
    return run


def creates(advice):
    return [re.sub(r"CREATE INDEX \w+ ON ", "", index["create"]) for index in advice["indexes"]]


def gain(advice, at):
    statement = advice["statements"][at]
    return statement["before"] / statement["after"]


def test_equality_then_range_then_order(advise, shop):
    advice = advise("""
        SELECT id FROM ai_tasks WHERE user_id = $1 AND created_at > now() - interval '7 days';
        SELECT id, project_id FROM ai_tasks WHERE project_id = $1 ORDER BY created_at DESC LIMIT 10;
        SELECT id, priority FROM ai_tasks WHERE status = 'pending' ORDER BY priority DESC, created_at
         LIMIT 10;
        SELECT t.id, r.confidence_score FROM ai_tasks t JOIN ai_results r ON r.task_id = t.id
         WHERE t.id = $1;
        SELECT id, created_at FROM ai_tasks WHERE lower(task_name) = $1;
        SELECT id FROM audit_trails WHERE user_id IN ($1, $2, $3);
        SELECT count(*) FROM system_logs WHERE created_at >= $1 AND created_at < $2;
        """)
    found = creates(advice)
    assert any(one.startswith("ai_tasks (user_id, created_at)") for one in found)
    assert any(one.startswith("ai_tasks (project_id, created_at)") for one in found)
    assert any(re.match(r"ai_tasks \(.* WHERE status = 'pending'", one) for one in found)
    assert any(one.startswith("ai_results (task_id)") for one in found)
    assert any(one.startswith("ai_tasks (lower(task_name))") for one in found)
    assert any(one.startswith("audit_trails (user_id)") for one in found)
    assert any(one.startswith("system_logs (created_at)") for one in found)
    assert all(gain(advice, at) > 2 for at in range(7)), advice["statements"]
    assert advice["after"] < advice["before"] / 2
    assert advice["estimated_by"] == ("hypopg" if shop.version == 15 else "rules")
    assert any("by rules" in note for note in advice["notes"]) == (shop.version != 15)


def test_what_it_proposes_is_what_the_server_then_uses(advise, shop):
    advice = advise("SELECT count(*) FROM audit_trails WHERE entity_id = '7' AND action = 'create';")
    [index] = advice["indexes"]
    shop.query(index["create"], dbname="shop")
    try:
        plan = shop.query("EXPLAIN SELECT count(*) FROM audit_trails WHERE entity_id = '7' "
                          "AND action = 'create'", dbname="shop")
        assert index["name"] in str(plan)
        again = advise("SELECT count(*) FROM audit_trails WHERE entity_id = '7' "
                       "AND action = 'create';")
        if shop.version == 15:
            assert again["indexes"] == []
        else:  # rules may find a better one, never the same
            assert index["definition"] not in [one["definition"] for one in again["indexes"]]
    finally:
        shop.query(index["drop"].replace("CONCURRENTLY ", ""), dbname="shop")


def test_the_dashboard_as_the_server_counted_it(advise, shop, tmp_path):
    """pg_stat_statements has INTERVAL $1 and EXTRACT($2 FROM ..), which no server takes."""
    advise(None, "--save", tmp_path / "before.json")
    project = shop.value("SELECT project_id FROM ai_tasks LIMIT 1", dbname="shop")
    for name in ("dashboard", "dashboard_project"):
        text = re.split("-- before:.*", (DECK / "workload" / f"{name}.sql").read_text())[-1]
        with shop.connect("shop") as connection:
            for _ in range(3):
                connection.execute(text.replace("$1", f"'{project}'"))
    advice = advise(None, "--since", tmp_path / "before.json")
    dashboards = [at for at, one in enumerate(advice["statements"]) if "interval $" in one["sql"]]
    assert len(dashboards) == 2
    helped = {at for index in advice["indexes"] for at in index["helps"]}
    for at in dashboards:
        assert advice["statements"][at]["calls"] == 3
        assert at in helped and gain(advice, at) > 1.5, advice["statements"][at]


def test_one_longer_index_in_the_place_of_what_is_there(advise, shop):
    shop.psql(text="""
        CREATE TABLE orders AS SELECT i AS id, i % 50 AS customer,
               now() - i % 1000 * interval '1 hour' AS at, repeat('x', 60) AS note
          FROM generate_series(1, 40000) i;
        CREATE INDEX orders_customer ON orders (customer);
        VACUUM ANALYZE orders""", dbname="shop")
    try:
        indexes = advise("SELECT count(id) FROM orders WHERE customer = $1 AND at > $2;"
                         "SELECT count(note) FROM orders WHERE customer = $1;")["indexes"]
        [longer] = [one for one in indexes if "(customer, at)" in one["create"]]
        assert longer["replaces"] == ["orders_customer"]
    finally:
        shop.query("DROP TABLE orders", dbname="shop")


def test_what_may_go_is_named_as_it_is_dropped(pgdeck, shop, tmp_path):
    """And what sorts by other rules than the new one may not."""
    shop.psql(text="""
        CREATE SCHEMA "Größe";
        CREATE TABLE "Größe".orders AS SELECT i AS id, 'c' || i % 50 AS customer, i % 1000 AS at,
               repeat('x', 60) AS note FROM generate_series(1, 40000) i;
        CREATE INDEX "by c" ON "Größe".orders (customer);
        CREATE INDEX other ON "Größe".orders (customer COLLATE "POSIX");
        VACUUM ANALYZE "Größe".orders""", dbname="shop")
    try:
        (tmp_path / "q.sql").write_text(
            """SELECT count(id) FROM "Größe".orders WHERE customer = $1 AND at > $2;
               SELECT count(note) FROM "Größe".orders WHERE customer = $1;""")
        out = pgdeck("index", "advise", "--from", shop.conninfo("shop"), tmp_path / "q.sql",
                     expect=0).out
        [drop] = set(re.findall(r"may be dropped then: (.*);", out))
        assert drop == 'DROP INDEX CONCURRENTLY "Größe"."by c"'
        shop.query(drop, dbname="shop")
    finally:
        shop.query('DROP SCHEMA "Größe" CASCADE', dbname="shop")


def test_ranges_of_pages_are_in_no_order(advise, shop):
    """By rules, too: BRIN helps a range where the rows lie in order, and no ORDER BY."""
    shop.psql(text="""
        CREATE DATABASE plain;
        \\c plain
        CREATE TABLE readings AS SELECT i AS id, i * 2 AS at, repeat('x', 60) AS note
          FROM generate_series(1, 60000) i;
        VACUUM ANALYZE readings""")
    try:
        advice = advise("SELECT * FROM readings WHERE at > 119000;"
                        "SELECT * FROM readings ORDER BY at DESC LIMIT 5;", dbname="plain")
        assert advice["estimated_by"] == "rules"
        brin = [one for one in advice["indexes"] if "USING brin (at)" in one["create"]]
        assert all(one["helps"] == [0] for one in brin), brin
    finally:
        shop.query("DROP DATABASE plain")


def test_of_a_materialized_view(pgdeck, shop, tmp_path):
    """A deck declares none: what is accepted does not stop the next plan."""
    shop.psql(text="""CREATE MATERIALIZED VIEW seen AS
        SELECT i AS a, repeat('x', 80) AS b FROM generate_series(1, 20000) i; ANALYZE seen""",
              dbname="shop")
    file = tmp_path / "deck.yaml"
    file.write_text(f"""
deck: mv
advisors: [index]
servers: {{test: {{conninfo: "{shop.conninfo()}"}}}}
environments: {{test: {{server: test}}}}
databases: {{shop: {{environment: test, indexes: mv.sql}}}}
""")
    (tmp_path / "mv.sql").write_text("")
    (tmp_path / "q.sql").write_text("SELECT b FROM seen WHERE a = 7;")
    try:
        pgdeck("index", "advise", "-d", file, "--accept", tmp_path / "q.sql", expect=0)
        assert "-- CREATE INDEX seen_a_idx ON seen (a)" in (tmp_path / "mv.sql").read_text()
        pgdeck("plan", "-d", file, expect=0)
    finally:
        shop.query("DROP MATERIALIZED VIEW seen", dbname="shop")


def test_bytes_that_are_no_text(pgdeck, shop, tmp_path):
    """A statement in another encoding: listed, in JSON too, and each keeps its number."""
    (tmp_path / "q.sql").write_bytes(b"SELECT id FROM users WHERE email = 'a\xffb';\nSELECT 1;")
    advice = json.loads(pgdeck("index", "advise", "--json", "--from", shop.conninfo("shop"),
                               tmp_path / "q.sql", expect=0).out)
    assert len(advice["statements"]) == 2, advice
    assert "problem" in advice["statements"][0]
    assert advice["statements"][0]["sql"].startswith("SELECT id FROM users WHERE email = 'a")


def test_saved_from_a_database_without_encoding(pgdeck, shop, tmp_path):
    shop.query("CREATE DATABASE raw ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' "
               "TEMPLATE template0")
    try:
        shop.psql(text="CREATE EXTENSION pg_stat_statements; SET client_encoding = 'SQL_ASCII'; "
                  "CREATE TABLE t (a int)", dbname="raw")
        shop.psql(text="""DO $$ BEGIN EXECUTE convert_from('SELECT a AS "x'::bytea || '\\xff'::bytea
                  || '" FROM t'::bytea, 'SQL_ASCII'); END $$; SET pg_stat_statements.track = 'all';
                  DO $$ BEGIN EXECUTE convert_from('SELECT a AS "x'::bytea || '\\xff'::bytea
                  || '" FROM t'::bytea, 'SQL_ASCII'); END $$""", dbname="raw")
        pgdeck("index", "advise", "--json", "--save", tmp_path / "raw.json", "--from",
               shop.conninfo("raw"), expect=0)
        saved = json.loads((tmp_path / "raw.json").read_text())
        assert any(one["sql"] == 'SELECT a AS "x?" FROM t' for one in saved["statements"])
    finally:
        shop.query("DROP DATABASE raw WITH (FORCE)")


def test_writes_are_charged(advise):
    reading = "SELECT id, user_id FROM ai_tasks WHERE status = $1 AND priority = 3;\n"
    writing = "-- calls: 100000\nUPDATE ai_tasks SET status = $2, priority = $3 WHERE id = $1;\n"
    assert len(advise(reading)["indexes"]) == 1
    assert advise(reading + writing)["indexes"] == []


def test_updates_that_would_no_longer_be_hot_are_told_and_avoided(advise):
    advice = advise("""
        -- calls: 5000
        SELECT id FROM ai_tasks WHERE status = 'pending' AND priority = 9;
        -- calls: 500
        SELECT id, updated_at FROM ai_tasks WHERE user_id = $1;
        UPDATE ai_tasks SET status = 'running', updated_at = now() WHERE id = $1;""")
    by_status = [one for one in advice["indexes"] if "status" in one["create"]]
    assert by_status and all(one["breaks_hot"] == [2] for one in by_status)
    [by_user] = [one for one in advice["indexes"] if "(user_id)" in one["create"]]
    assert by_user["breaks_hot"] == [] and "updated_at" not in by_user["create"]


def test_statements_that_differ_in_a_digit_of_a_table(advise, shop):
    shop.psql(text="CREATE TABLE box1 AS SELECT i AS id, i % 900 AS kind FROM generate_series(1, "
              "30000) i; CREATE TABLE box2 AS TABLE box1; ANALYZE box1, box2", dbname="shop")
    try:
        advice = advise("SELECT id FROM box1 WHERE kind = 1; SELECT id FROM box2 WHERE kind = 1;"
                        "SELECT id FROM box1 WHERE kind = 2;")
        assert [one["calls"] for one in advice["statements"]] == [2, 1]
        assert sorted(one["table"] for one in advice["indexes"]) == ["box1", "box2"]
    finally:
        shop.query("DROP TABLE box1, box2", dbname="shop")


def test_the_budget_holds(advise):
    text = (DECK / "workload" / "dashboard_project.sql").read_text() + ";" + \
        "SELECT count(*) FROM ai_results WHERE task_id = $1;"
    assert sum(one["size_bytes"] for one in advise(text)["indexes"]) > 300 << 10
    small = advise(text, "--budget", "300kB")
    assert small["indexes"] and sum(one["size_bytes"] for one in small["indexes"]) <= 300 << 10


def test_statements_that_cannot_be_advised_are_listed(pgdeck, shop, tmp_path):
    (tmp_path / "queries.sql").write_text(
        "SELEC 1;\nSELECT a FROM nowhere;\nSELECT nothing FROM users;\nVACUUM;\n"
        "SELECT count(*) FROM ai_tasks WHERE user_id = $1;\n")
    result = pgdeck("index", "advise", "--from", shop.conninfo("shop"), tmp_path / "queries.sql",
                    expect=0)
    assert "1 statements; 1 indexes" in result.out
    for line, why in ((1, "syntax error"), (2, '"nowhere" does not exist'), (3, '"nothing"'),
                      (4, "no SELECT, INSERT, UPDATE, DELETE or MERGE")):
        assert re.search(rf"queries.sql:{line}: .*{why}", result.out), result.out


def test_all_that_the_server_counted_is_told(pgdeck, shop):
    """Also what is gone, lies elsewhere, is no query or reads the catalogs."""
    shop.psql(text="""
        SELECT pg_stat_statements_reset();
        CREATE SCHEMA aside; CREATE TABLE aside.parcels (id int); CREATE TABLE gone (id int);
        SET search_path = aside; SELECT id FROM parcels WHERE id = 1; RESET search_path;
        SELECT id FROM gone WHERE id = 1; DROP TABLE gone;
        SELECT count(*) FROM pg_class; WITH a AS (SELECT 1) SELECT * FROM a;
        SELECT count(*) FROM ai_tasks WHERE task_name = 'x'""", dbname="shop")
    try:
        arguments = ("index", "advise", "--from", shop.conninfo("shop"))
        text = pgdeck(*arguments, expect=0).out
        assert re.search(r'relation "parcels" does not exist \(but in schema aside: --search-path\): '
                         'SELECT id FROM parcels', text), text
        assert re.search('relation "gone" does not exist: SELECT id FROM gone', text), text
        assert re.search(r"\n  \d+ that name no table, or system catalogs only\n", text), text
        assert re.search(r"Not looked at: \d+ utility statements", text), text
        statements = json.loads(pgdeck(*arguments, "--json", expect=0).out)["statements"]
        for start, why in (("SELECT count(*) FROM pg_class", "reads system catalogs only"),
                           ("WITH a AS (SELECT", "names no table")):
            [one] = [one for one in statements if one["sql"].startswith(start)]
            assert one["problem"] == why
    finally:
        shop.query("DROP SCHEMA aside CASCADE", dbname="shop")


def test_the_statistics_keep_what_people_ran(advise, shop):
    """Thousands of EXPLAINs would push that out."""
    shop.query("SELECT pg_stat_statements_reset()", dbname="shop")
    assert advise("SELECT count(*) FROM ai_tasks WHERE user_id = $1 AND task_name = $2;")["indexes"]
    counted = shop.query("SELECT query FROM pg_stat_statements", dbname="shop")
    assert not re.search("EXPLAIN|PREPARE|hypopg|pg_stats|DISCARD", str(counted)), counted


def test_other_search_path(advise, shop):
    shop.query("CREATE SCHEMA hidden", dbname="shop")
    shop.query("CREATE TABLE hidden.orders AS SELECT i AS id, i % 500 AS customer, repeat('x', 80) "
               "AS note FROM generate_series(1, 20000) i", dbname="shop")
    shop.query("ANALYZE hidden.orders", dbname="shop")
    try:
        text = "SELECT id FROM orders WHERE customer = 7;"
        assert "does not exist" in advise(text)["statements"][0]["problem"]
        [index] = advise(text, "--search-path", "hidden, public")["indexes"]
        assert index["create"].startswith("CREATE INDEX orders_customer_idx ON hidden.orders (customer)")
    finally:
        shop.query("DROP SCHEMA hidden CASCADE", dbname="shop")


def test_nothing_is_run_and_nobody_waits(advise, shop):
    """A writer holds ROW EXCLUSIVE, which lets in no lock that is stronger."""
    shop.query("CREATE SEQUENCE runs", dbname="shop")
    text = ("DELETE FROM ai_tasks WHERE user_id = $1;"
            "UPDATE ai_tasks SET priority = 1 WHERE project_id = $1 AND nextval('runs') > 0;"
            "INSERT INTO audit_trails (action, entity_type, entity_id) VALUES ($1, $2, $3);"
            "SELECT id FROM ai_tasks WHERE project_id = $1 AND nextval('runs') > 0;")
    tasks = shop.value("SELECT count(*) FROM ai_tasks", dbname="shop")
    with shop.connect("shop") as writer:
        writer.execute("BEGIN")
        writer.execute("UPDATE ai_tasks SET priority = priority WHERE id = 1")
        advice = advise(text)
        assert not any("problem" in one for one in advice["statements"])
        assert advice["indexes"]
        writer.execute("LOCK TABLE ai_tasks IN ACCESS EXCLUSIVE MODE")
        locked = advise(text)
        assert ["lock timeout" in one.get("problem", "") for one in locked["statements"]] == \
            [True, True, False, True]
        writer.execute("ROLLBACK")
    assert shop.value("SELECT is_called FROM runs", dbname="shop") is False
    assert shop.value("SELECT count(*) FROM ai_tasks", dbname="shop") == tasks
    shop.query("DROP SEQUENCE runs", dbname="shop")


def test_partitioned_tables(advise, shop):
    shop.psql(text="""
        CREATE TABLE events (at timestamptz NOT NULL, kind int, note text) PARTITION BY RANGE (at);
        CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2020-01-01') TO ('2020-02-01');
        CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM ('2020-02-01') TO ('2020-03-01');
        INSERT INTO events SELECT '2020-01-01'::timestamptz + i * interval '2 min', i % 700,
                                  repeat('x', 50) FROM generate_series(1, 40000) i;
        ANALYZE events;""", dbname="shop")
    try:
        advice = advise("SELECT count(note) FROM events WHERE kind = $1;")
        assert creates(advice)[0].startswith("events (kind)") and gain(advice, 0) > 3
        shop.query(advice["indexes"][0]["create"], dbname="shop")
        shop.query(advice["indexes"][0]["drop"], dbname="shop")
    finally:
        shop.query("DROP TABLE events", dbname="shop")


def test_documents_words_and_arrays(advise):
    """GIN is not among what hypopg shows: built on a sample of the rows, and then gone."""
    advice = advise("""
        SELECT id FROM ai_tasks WHERE input_data @> '{"dataset": "x"}';
        SELECT id FROM ai_tasks WHERE input_data ->> 'dataset' = $1;
        SELECT id FROM ai_tasks WHERE task_name ILIKE '%report%';
        SELECT id FROM ai_tasks
         WHERE to_tsvector('english', task_name) @@ websearch_to_tsquery('english', $1);
        """)
    found = creates(advice)
    assert "ai_tasks USING gin (input_data jsonb_path_ops)" in found
    assert any(one.startswith("ai_tasks ((input_data ->> 'dataset'))") for one in found)
    assert "ai_tasks USING gin (task_name gin_trgm_ops)" in found
    assert "ai_tasks USING gin (to_tsvector('english', task_name))" in found
    [trigrams] = [one for one in advice["indexes"] if "gin_trgm_ops" in one["create"]]
    assert trigrams["needs_extension"] == "pg_trgm" and trigrams["is_sampled"]
    assert all(gain(advice, at) > 2 for at in range(4))


@pytest.fixture
def papers(shop):
    shop.psql(text="""
        CREATE TABLE papers AS
            SELECT i AS id, i % 7 AS shelf, 'title ' || i AS title, repeat('x', 80) AS text,
                   jsonb_build_object('dataset', 'd' || i) AS one,
                   jsonb_build_object('kind', 'k' || i, 'source', i, 'deep', '{}'::jsonb) AS many
              FROM generate_series(1, 20000) i;
        VACUUM ANALYZE papers""", dbname="shop")
    yield shop
    shop.query("DROP TABLE papers", dbname="shop")


def test_constants_that_became_parameters(pgdeck, advise, papers, tmp_path):
    """An index on an expression needs them: from wherever the statement was seen with them, or
    from what can be there at all; else it is said."""
    key = "SELECT id FROM papers WHERE many ->> $1 = $2;"
    advice = advise("SELECT id FROM papers WHERE one ->> $1 = $2 AND shelf = $3;"
                    "SELECT id FROM papers WHERE to_tsvector($1, title) @@ plainto_tsquery($2);" + key)
    assert "papers ((one ->> 'dataset'))" in [one.split(", ")[0] + ")" * ("shelf" in one)
                                              for one in creates(advice)], creates(advice)
    assert [one.get("problem") for one in advice["statements"]] == [None] * 3
    words, unknown = advice["statements"][1:]
    assert gain(advice, 0) > 5 and "$1 is taken for 'dataset'" in advice["statements"][0]["hint"]
    assert gain(advice, 1) > 2 and "default_text_search_config" in words["hint"]
    assert gain(advice, 2) == 1 and "in a sample its keys are: kind, source" in unknown["hint"]
    (tmp_path / "q.sql").write_text(key)
    text = pgdeck("index", "advise", "--from", papers.conninfo("shop"), tmp_path / "q.sql",
                  expect=0).out
    assert "an expression of column many with the constant $1, which is not known" in text
    found = creates(advise(key + "SELECT id FROM papers WHERE many ->> 'kind' = 'k7';"))
    assert found == ["papers ((many ->> 'kind'))"]
    with papers.connect("shop") as client:
        client.execute("SELECT id FROM papers WHERE many ->> 'source' = '8'")
        advice = advise(key)
        assert creates(advice) == ["papers ((many ->> 'source'))"]
        assert "as a session ran it" in advice["statements"][0]["hint"]


def test_views_subqueries_and_merge(advise, papers):
    """What is asked of a view, also of one over another, is asked of the tables behind it."""
    papers.psql(text="""
        CREATE SCHEMA shown;
        CREATE VIEW shown.titles AS SELECT id AS number, title AS heading, text FROM papers
                                     WHERE shelf > 0;
        CREATE VIEW late AS SELECT t.number, t.text FROM shown.titles t WHERE t.heading > 'a'""",
                dbname="shop")
    try:
        advice = advise("SELECT text FROM late WHERE number = $1;"
                        "SELECT heading FROM shown.titles WHERE heading = 'title 7';"
                        "SELECT * FROM (SELECT title AS t, count(*) FROM papers GROUP BY title) s "
                        "WHERE t = $1;")
        assert all(gain(advice, at) > 3 for at in range(3)), advice
        assert {one.split()[1] for one in creates(advice)} <= {"(id)", "(title)", "(title,"}, advice
        advice = advise("MERGE INTO papers p USING (VALUES (1, 'x')) AS n (id, t) ON p.id = n.id "
                        "WHEN MATCHED THEN UPDATE SET title = n.t "
                        "WHEN NOT MATCHED THEN INSERT (id, title) VALUES (n.id, n.t);")
        assert any(one.startswith("papers (id") for one in creates(advice)), advice
    finally:
        papers.query("DROP SCHEMA shown CASCADE", dbname="shop")


def test_pages_by_keys_and_rows(advise, papers):
    papers.query("CREATE TABLE sheets AS SELECT id, shelf, title, text, id / 3000 AS at FROM papers",
                 dbname="shop")
    papers.query("VACUUM ANALYZE sheets", dbname="shop")
    try:
        advice = advise("SELECT id, text FROM sheets WHERE (at, id) > ($1, $2) "
                        "ORDER BY at, id LIMIT 20;")
        assert creates(advice) == ["sheets (at, id)"] and gain(advice, 0) > 3
        advice = advise("SELECT count(text) FROM sheets WHERE (at, id) > (6, 18500);")
        assert creates(advice)[0].startswith("sheets (at") and gain(advice, 0) > 2
        assert gain(advise("SELECT text FROM sheets WHERE (title, at) = ($1, $2);"), 0) > 5
        assert gain(advise("SELECT text FROM sheets WHERE (at, id) IN ((1, 4), (2, 7));"), 0) > 5
    finally:
        papers.query("DROP TABLE sheets", dbname="shop")


def test_arrays_and_rows_in_order(advise, shop):
    shop.psql(text="""
        CREATE TABLE readings AS
            SELECT i AS id, '2024-01-01'::timestamptz + i * interval '1 min' AS at,
                   ARRAY['kind ' || i % 900] AS labels, repeat('x', 300) AS note
              FROM generate_series(1, 60000) i;
        VACUUM ANALYZE readings""", dbname="shop")
    try:
        found = creates(advise("SELECT id FROM readings WHERE labels && ARRAY['kind 1'];"
                               "SELECT count(note) FROM readings WHERE at >= '2024-02-01' "
                               "AND at < '2024-02-02';", "--budget", "900kB"))
        assert "readings USING gin (labels)" in found
        assert "readings USING brin (at)" in found
    finally:
        shop.query("DROP TABLE readings", dbname="shop")


def test_without_statistics_it_says_what_is_missing(pgdeck, shop):
    shop.query("CREATE DATABASE bare")
    result = pgdeck("index", "advise", "--from", shop.conninfo("bare"))
    assert result.code == 20 and "pg_stat_statements is not installed" in result.err
    shop.query("DROP DATABASE bare")


def test_deck_and_database(pgdeck, shop, deck_dir):
    folder = deck_dir("saas-control-deck", shop.conninfo())
    result = pgdeck("index", "advise", "-d", folder / "deck.yaml")
    assert result.code == 64 and "which database" in result.err
    result = pgdeck("index", "advise", "-d", folder / "deck.yaml", "-D", "saascontrol_prod_pro3")
    assert result.code == 64 and 'Did you mean "saascontrol_prod_pro1"?' in result.err


LOGS = {
    "server.log": """2024-05-01 10:00:00 UTC [7] LOG:  duration: 12.5 ms  statement: SELECT count(*)
\t  FROM ai_tasks
\t WHERE user_id = '{user}'
2024-05-01 10:00:01 UTC [7] LOG:  duration: 2.5 ms  execute <unnamed>: SELECT id FROM ai_results WHERE task_id = $1
2024-05-01 10:00:01 UTC [7] DETAIL:  parameters: $1 = '7'
2024-05-01 10:00:02 UTC [7] LOG:  checkpoint starting: time
2024-05-01 10:00:03 UTC [8] LOG:  statement: SELECT id FROM ai_results WHERE task_id = $1
""",
    "server.csv": """2024-05-01,"u","shop",7,"l",6,1,"SELECT",2024-05-01,3/4,0,LOG,00000,"duration: 12.5 ms  statement: SELECT count(*)
  FROM ai_tasks
 WHERE user_id = '{user}' AND ""task_name"" <> 'x'",,,,,,,,,"psql","client backend",,0
2024-05-01,"u","shop",7,"l",6,1,"SELECT",2024-05-01,3/4,0,LOG,00000,"execute a: SELECT id FROM ai_results WHERE task_id = $1","parameters: $1 = '7'",,,,,,,,"psql","client backend",,0
2024-05-01,"u","shop",7,"l",6,1,"SELECT",2024-05-01,3/4,0,LOG,00000,"execute a: SELECT id FROM ai_results WHERE task_id = $1",,,,,,,,,"psql","client backend",,0
""",
    "server.json": """{{"error_severity":"LOG","message":"duration: 12.5 ms  statement: SELECT count(*)\\n FROM ai_tasks WHERE user_id = '{user}'"}}
{{"error_severity":"LOG","message":"execute b: SELECT id FROM ai_results WHERE task_id = $1","detail":"x"}}
{{"error_severity":"LOG","message":"execute b: SELECT id FROM ai_results WHERE task_id = $1"}}
""",
}


@pytest.mark.parametrize("name", LOGS)
def test_a_log(advise, shop, tmp_path, name):
    user = shop.value("SELECT user_id FROM ai_tasks LIMIT 1", dbname="shop")
    (tmp_path / name).write_text(LOGS[name].format(user=user))
    advice = advise(None, "--log", tmp_path / name)
    assert [one["calls"] for one in advice["statements"]] == [1, 2], advice["statements"]
    assert advice["statements"][0]["total_ms"] == 12.5
    assert advice["statements"][0]["source"].endswith(f"{name}:1")
    assert {one["table"] for one in advice["indexes"]} == {"ai_tasks", "ai_results"}


JOBS = "SELECT id FROM jobs WHERE state = $1 AND note IS NOT DISTINCT FROM $2"
PLAN = """Seq Scan on jobs  (cost=0.00..17.50 rows=9 width=4) (actual time=0.1..0.2 rows=9)
  Filter: (state = $1)"""


def _log_entry(kind, message, detail=None):
    """As a server writes it."""
    if kind == "json":
        return json.dumps({"error_severity": "LOG", "message": message} |
                          ({"detail": detail} if detail else {})) + "\n"
    if kind == "csv":
        quoted = [f'"{one.replace(chr(34), chr(34) * 2)}"' for one in (message, detail or "")]
        return "t,u,d,7,l,6,1,S,t,3/4,0,LOG,00000," + ",".join(quoted) + ",,,,,,,,psql,c,,0\n"
    lines = [f"2024-05-01 10:00:00 UTC [7] LOG:  {message}"]
    lines += [f"2024-05-01 10:00:00 UTC [7] DETAIL:  {detail}"] if detail else []
    return "".join(line.replace("\n", "\n\t") + "\n" for line in lines)


@pytest.fixture(scope="module")
def jobs(shop):
    shop.query("""
        CREATE TABLE jobs AS SELECT i AS id,
          CASE WHEN i % 500 = 0 THEN 'it''s lost, $2 = ''x''' ELSE 'done' END AS state, NULL::text AS note, repeat('x', 100) AS log FROM generate_series(1, 20000) i;
        ANALYZE jobs""", dbname="shop")
    yield
    shop.query("DROP TABLE jobs", dbname="shop")


@pytest.mark.pg(min=15, max=15)  # rules, where there is no hypopg, do not ask the planner
@pytest.mark.parametrize("kind", ("log", "csv", "json"))
def test_the_values_of_a_log(advise, jobs, tmp_path, kind):
    """The plan with a rare value costs less than that with what most rows have."""
    def after(detail):
        (tmp_path / f"a.{kind}").write_text(
            _log_entry(kind, f"duration: 2.5 ms  execute <unnamed>: {JOBS}", detail))
        only, = advise(None, "--log", tmp_path / f"a.{kind}")["statements"]
        assert only["calls"] == 1 and only.get("problem") is None, only
        return only["after"]

    rare = "$1 = 'it''s lost, $2 = ''x''', $2 = NULL"
    assert after(f"parameters: {rare}") < 0.8 * after("parameters: $1 = 'done', $2 = NULL")
    assert after(f"Parameters: {rare}") == after(f"parameters: {rare}")
    for unreadable in ("parameters: $1 = 'it...', $2 = NULL", "parameters: $1 = 'do", "$1 = 'x'"):
        assert after(unreadable) == after(None)


@pytest.mark.parametrize("kind", ("log", "csv", "json"))
def test_the_statements_of_auto_explain(advise, jobs, tmp_path, kind):
    text = f"{JOBS}\n   AND id > 0"
    rare = "$1 = 'it''s lost, $2 = ''x''', $2 = NULL"
    entries = [("duration: 12.5 ms  plan:\nQuery Text: " + text + "\n" + PLAN, None),
               ("duration: 12.7 ms  execute a: " + text, f"parameters: {rare}"),
               ("duration: 2 ms  plan:\n" + json.dumps({"Query Text": text + " ", "Plan": {}},
                                                       indent=2), None),
               (f"duration: 3 ms  plan:\nQuery Text: {text}\nQuery Parameters: {rare}\n{PLAN}",
                None)]
    (tmp_path / f"a.{kind}").write_text("".join(_log_entry(kind, *one) for one in entries))
    only, = advise(None, "--log", tmp_path / f"a.{kind}")["statements"]
    assert (only["calls"], only["total_ms"]) == (3, 17.5), only
    assert only.get("problem") is None, only


def test_accepted_into_the_deck(pgdeck, shop, deck_dir, tmp_path):
    folder = deck_dir("saas-control-deck", shop.conninfo())
    file = folder / "indexes.sql"
    file.write_text("-- mine\n")
    deck = (folder / "deck.yaml").read_text().replace("saascontrol_dev_pro1", "shop")
    (folder / "deck.yaml").write_text(deck)
    (tmp_path / "queries.sql").write_text("SELECT id FROM ai_results\n WHERE task_id = $1;")
    result = pgdeck("index", "advise", "-d", folder / "deck.yaml", "-D", "shop", "--accept",
                    tmp_path / "queries.sql", expect=0)
    assert f"Appended to {file}" in result.out
    assert file.read_text().startswith("-- mine\n\n-- Advised for:\n"
                                       "-- SELECT id FROM ai_results WHERE task_id = $1\n"
                                       "CREATE INDEX ai_results_task_id_idx ON ai_results (task_id)")
    pgdeck("check", folder / "deck.yaml", expect=0)
    result = pgdeck("index", "advise", "--accept", "--from", shop.conninfo("shop"))
    assert result.code == 64 and "--accept needs a deck" in result.err


@pytest.mark.parametrize("copy", ("private", "template"))
def test_verify_runs_the_statements_on_a_copy(pgdeck, shop, tmp_path, copy):
    shop.psql(text="""
        CREATE TYPE mood AS ENUM ('good', 'bad');
        CREATE TABLE moods AS SELECT i AS id, i % 3000 AS who, 'good'::mood AS mood,
               ARRAY['good'::mood] AS more FROM generate_series(1, 30000) i;
        CREATE UNIQUE INDEX moods_id ON moods (id);
        ANALYZE moods""", dbname="shop")
    (tmp_path / "queries.sql").write_text(
        "SELECT count(*) FROM moods WHERE who = $1 AND mood = 'good';\n"
        "SELECT mood FROM moods WHERE id = $1;\n"
        "DELETE FROM moods WHERE who = $1;\n"
        "SELECT 1 / (count(*) - count(*)) FROM moods;")
    databases = shop.query("SELECT datname FROM pg_database")
    try:
        proof = json.loads(pgdeck("index", "verify", "--json", "--copy", copy, "--from",
                                  shop.conninfo("shop"), tmp_path / "queries.sql", expect=0).out)
        assert shop.value("SELECT count(*) FROM moods", dbname="shop") == 30000
    finally:
        shop.query("DROP TABLE moods; DROP TYPE mood", dbname="shop")
    first, by_key, deleting, faulty = proof["statements"]
    assert first["verdict"] == "faster" and first["after_ms"] < first["before_ms"] / 2
    assert first["faster_pairs"] >= 0.8 * first["pairs"] >= 4
    assert first["after_pages"] < first["before_pages"] / 2
    assert first["uses"] == [proof["indexes"][0]["name"]]
    assert by_key["verdict"] == "same" and deleting["verdict"] == "faster"
    assert faulty["verdict"] == "not run" and "division by zero" in faulty["problem"]
    assert all(one["is_used"] and one["size_bytes"] > 8192 for one in proof["indexes"])
    assert shop.query("SELECT datname FROM pg_database") == databases
    assert "no private servers" in pgdeck("status", expect=0).out


@pytest.mark.pg(max=17)  # nothing in it changed since
def test_verify_interrupted_leaves_no_copy(pgdeck, shop, tmp_path):
    (tmp_path / "q.sql").write_text("SELECT pg_sleep(20), count(*) FROM projects WHERE name = 'x';")
    process = pgdeck.start("index", "verify", "--copy", "template", "--from",
                           shop.conninfo("shop"), tmp_path / "q.sql")
    wait_for(lambda: shop.value("SELECT count(*) FROM pg_stat_activity WHERE datname "
                                "LIKE 'pgdeck_verify_%' AND query LIKE '%pg_sleep(20)%'") == 1,
             20, "the statement on the copy")
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=20) == 130
    assert shop.value("SELECT count(*) FROM pg_database WHERE datname LIKE 'pgdeck_verify_%'") == 0


@pytest.mark.pg(max=17)  # nothing in it changed since
@pytest.mark.parametrize("copy", ("private", "template"))
def test_verify_removes_what_a_killed_one_left(pgdeck, shop, tmp_path, copy):
    def sleepers():
        return shop.value("SELECT count(*) FROM pg_stat_activity WHERE datname LIKE "
                          "'pgdeck_verify_%'")

    (tmp_path / "q.sql").write_text("SELECT pg_sleep(2), count(*) FROM projects WHERE name = 'x';")
    arguments = ("index", "verify", "--copy", copy, "--from", shop.conninfo("shop"),
                 tmp_path / "q.sql")
    process = pgdeck.start(*arguments)
    if copy == "template":
        wait_for(lambda: sleepers() == 1, 20, "the copy")
    else:
        wait_for(lambda: "verify-" in pgdeck("status").out, 20, "the copy")
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=20)
    wait_for(lambda: sleepers() == 0, 20, "the server to notice")
    (tmp_path / "q.sql").write_text("SELECT count(*) FROM projects WHERE name = 'x';")
    out = pgdeck(*arguments, expect=0).out
    assert "left by a pgdeck that was killed" in out, out
    assert shop.value("SELECT count(*) FROM pg_database WHERE datname LIKE 'pgdeck_verify_%'") == 0
    assert "no private servers" in pgdeck("status", expect=0).out


def test_verify_on_a_sample(pgdeck, shop, tmp_path):
    (tmp_path / "queries.sql").write_text("SELECT count(*) FROM ai_results WHERE task_id = $1;")
    result = pgdeck("index", "verify", "--rows", "0", tmp_path / "queries.sql")
    assert result.code == 64 and "--rows" in result.err
    result = pgdeck("index", "verify", "--rows", "3000", "--from", shop.conninfo("shop"),
                    tmp_path / "queries.sql", expect=0)
    assert "faster   SELECT count(*)" in result.out and "about 3000 rows" in result.out


def test_review_of_what_was_built(pgdeck, advise, shop, tmp_path):
    shop.psql(text="""
        CREATE TABLE visits (id int, page int, at int, note text) PARTITION BY RANGE (at);
        CREATE TABLE visits_1 PARTITION OF visits FOR VALUES FROM (0) TO (40000);
        CREATE TABLE visits_2 PARTITION OF visits FOR VALUES FROM (40000) TO (80001);
        INSERT INTO visits SELECT i, i % 5000, i, repeat('x', 50) FROM generate_series(1, 80000) i;
        VACUUM ANALYZE visits""", dbname="shop")
    reading = "SELECT count(note) FROM visits WHERE page = 7"
    listing = "SELECT count(*) FROM visits WHERE at > 0 AND note > 'a'"
    try:
        for _ in range(5):
            shop.query(reading, dbname="shop")
        advise(None, "--save", tmp_path / "before.json")
        shop.query("CREATE INDEX visits_page ON visits (page)", dbname="shop")
        shop.query("CREATE INDEX visits_note ON visits (note)", dbname="shop")
        for _ in range(5):
            shop.query(reading, dbname="shop")
            shop.query(listing, dbname="shop")
        arguments = ("index", "review", "--since", tmp_path / "before.json", "--from",
                     shop.conninfo("shop"))
        review = json.loads(pgdeck(*arguments, "--json", expect=0).out)
        text = pgdeck(*arguments, expect=0).out
        note, page = review["indexes"]
        assert (note["name"], note["verdict"], note["scans"]) == ("visits_note", "unused", 0)
        assert note["drop"] == "DROP INDEX public.visits_note"
        assert (page["name"], page["verdict"], page["scans"]) == ("visits_page", "faster", 10)
        [statement] = page["statements"]
        assert statement["calls"] == 5 and statement["after_ms"] < statement["before_ms"] / 2
        assert page["drop"] is None and "visits_note on visits: not used, 0 scans" in text
        advise(None, "--save", tmp_path / "after.json")
        again = json.loads(pgdeck(*arguments, "--until", tmp_path / "after.json", "--json",
                                  expect=0).out)
        assert again["indexes"] == review["indexes"]
        shop.query(note["drop"], dbname="shop")
    finally:
        shop.query("DROP TABLE visits", dbname="shop")
    result = pgdeck("index", "review", "--from", shop.conninfo("shop"))
    assert result.code == 64 and "keeps no history" in result.err
    result = pgdeck("index", "review", "--until", tmp_path / "x", "--from", shop.conninfo("shop"))
    assert result.code == 64 and "--until needs --since" in result.err


def test_review_by_the_history(pgdeck, shop, tmp_path):
    """Without a file: what monitoring has recorded before the apply and since."""
    shop.query("CREATE DATABASE past")
    file = tmp_path / "deck.yaml"
    file.write_text(f"""
deck: past
advisors: [index, monitoring]
servers: {{test: {{conninfo: "{shop.conninfo()}"}}}}
environments: {{test: {{server: test}}}}
databases: {{past: {{environment: test, indexes: past.sql}}}}
""")
    (tmp_path / "past.sql").write_text("")
    record = "SELECT monitoring.record_performance_metrics()"
    reading = "SELECT count(note) FROM visits WHERE page = 7"
    review = ("index", "review", "-d", file, "--json")
    try:
        shop.psql(text="CREATE TABLE visits AS SELECT i AS id, i % 5000 AS page, repeat('x', 50) "
                  "AS note FROM generate_series(1, 80000) i; VACUUM ANALYZE visits", dbname="past")
        pgdeck("apply", "-d", file, "--yes", expect=0)
        assert "built no index" in pgdeck(*review).err
        shop.query(record, dbname="past")
        for _ in range(5):
            shop.query(reading, dbname="past")
        shop.query(record, dbname="past")
        (tmp_path / "past.sql").write_text("CREATE INDEX visits_page ON visits (page);"
                                           "CREATE INDEX visits_note ON visits (note);")
        pgdeck("apply", "-d", file, "--yes", expect=0)
        shop.query(record, dbname="past")
        assert "nothing yet since the indexes were built" in pgdeck(*review).err
        for _ in range(4):
            shop.query(reading, dbname="past")
        shop.query(record, dbname="past")
        note, page = json.loads(pgdeck(*review, expect=0).out)["indexes"]
        assert (note["name"], note["verdict"]) == ("visits_note", "unused") and note["drop"]
        assert (page["name"], page["verdict"], page["scans"]) == ("visits_page", "faster", 4)
        [statement] = page["statements"]
        assert statement["calls"] == 4 and statement["after_ms"] < statement["before_ms"] / 2
        text = pgdeck("index", "review", "-d", file, expect=0).out
        assert "proposed: pgdeck rollback" in text
    finally:
        shop.query("DROP DATABASE past WITH (FORCE)")


FAULTY = """
SELECT p.id, count(t.id) FROM projects p LEFT JOIN ai_tasks t ON t.project_id = p.id
 WHERE t.created_at >= $1 GROUP BY p.id;
SELECT t.project_id, count(t.id) FROM ai_tasks t JOIN ai_results r ON r.task_id = t.id
 GROUP BY t.project_id;
SELECT id, name FROM projects WHERE status = 'active' OR owner_id IS NULL ORDER BY id LIMIT 5 OFFSET 7;
SELECT count(*) FROM logins WHERE at::date = $1;
SELECT count(*) FROM logins l WHERE date_trunc('hour', l.at) = '2024-01-03 04:00+00';
SELECT count(*) FROM logins WHERE lower(name) = 'x';
SELECT id, name FROM projects ORDER BY name LIMIT 5 OFFSET $1;
SELECT p.id, count(t.id) FROM projects p LEFT JOIN ai_tasks t ON t.project_id = p.id
   AND t.created_at >= $1 WHERE p.status = 'active' GROUP BY p.id;
"""


def test_faults_in_the_statements_themselves(pgdeck, advise, shop, tmp_path):
    shop.psql(text="""
        CREATE TABLE logins AS SELECT i AS id, 'name ' || i AS name,
               '2024-01-01 00:00+00'::timestamptz + i * interval '7 min' AS at
          FROM generate_series(1, 5000) i;
        CREATE INDEX logins_at ON logins (at); CREATE INDEX logins_name ON logins (name);
        ANALYZE logins""", dbname="shop")
    try:
        faults = advise(FAULTY)["faults"]
        assert [(one["statement"], one["kind"]) for one in faults] == [
            (0, "outer join"), (1, "multiplied rows"), (2, "offset"), (3, "function on a column"),
            (4, "function on a column"), (5, "function on a column"), (6, "offset")]
        assert {one["result"] for one in faults} == {"not compared"}
        assert "FROM projects p JOIN ai_tasks" in faults[0]["rewritten"]
        assert "count(DISTINCT t.id)" in faults[1]["rewritten"]
        assert "WHERE (status = 'active' OR owner_id IS NULL) AND (id) > (:last_1) ORDER BY id " \
            "LIMIT 5" in faults[2]["rewritten"]
        assert faults[3]["rewritten"].endswith(
            "(at >= ($1)::date AND at < ($1)::date + 1)"), faults[3]
        assert faults[5]["rewritten"] is None and faults[6]["rewritten"] is None
        (tmp_path / "faulty.sql").write_text(FAULTY)
        checked = json.loads(pgdeck("index", "verify", "--json", "--from", shop.conninfo("shop"),
                                    tmp_path / "faulty.sql", expect=0).out)["faults"]
        assert [one["result"] for one in checked] == [
            "equal", "differs", "equal", "equal", "equal", "not compared", "not compared"], checked
        assert checked[1]["changes_rows"] and not checked[0]["changes_rows"]
        text = pgdeck("index", "advise", "--from", shop.conninfo("shop"), tmp_path / "faulty.sql",
                      expect=0).out
        assert "LEFT JOIN ai_tasks keeps rows without a match" in text
    finally:
        shop.query("DROP TABLE logins", dbname="shop")


def test_a_connection_lost_in_the_middle(pgdeck, shop, tmp_path):
    columns = "id project_id user_id task_name status priority created_at updated_at".split()
    (tmp_path / "many.sql").write_text("".join(
        f"SELECT {a}, count(*) FROM ai_tasks WHERE {b} = $1 AND {c} > $2 GROUP BY {a};\n"
        for a in columns for b in columns[1:4] for c in columns[5:]))
    arguments = ("index", "advise", "--json", "--from", shop.conninfo("shop"), tmp_path / "many.sql")
    process = pgdeck.start(*arguments)
    with shop.connect() as watcher:
        wait_for(lambda: watcher.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'shop' "
            "AND application_name = 'pgdeck' AND query LIKE 'EXPLAIN%'").fetchall(), 30, "a plan")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    advice = json.loads(out)
    assert len(advice["statements"]) == 8 * 3 * 3
    assert not any("problem" in one for one in advice["statements"]) and advice["indexes"]
    assert sum("connection was lost" in note for note in advice["notes"]) == 1


def test_a_role_that_may_not_read_all(pgdeck, shop, tmp_path):
    shop.psql(text="CREATE ROLE guest LOGIN; GRANT SELECT ON ai_results TO guest; "
              "GRANT USAGE ON SCHEMA public TO guest", dbname="shop")
    (tmp_path / "queries.sql").write_text("SELECT count(*) FROM ai_results WHERE task_id = 7;\n"
                                          "SELECT count(*) FROM ai_tasks WHERE user_id = $1;")
    arguments = ("index", "advise", "--json", "--from", shop.conninfo("shop", user="guest"))
    try:
        shop.query("SELECT count(*) FROM users", dbname="shop")
        one, other = json.loads(pgdeck(*arguments, tmp_path / "queries.sql",
                                       expect=0).out)["statements"]
        assert one["after"] < one["before"] / 2
        assert other["problem"] == "permission denied for table ai_tasks"
        notes = json.loads(pgdeck(*arguments, expect=0).out)["notes"]
        assert any("pg_read_all_stats" in note for note in notes)
    finally:
        shop.psql(text="DROP OWNED BY guest; DROP ROLE guest", dbname="shop")
