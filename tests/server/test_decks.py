# SPDX-License-Identifier: MIT
"""The shipped decks: they load, their data is the same everywhere, their indexes are used."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from cluster import SOURCE

FOLDER = SOURCE / "decks" / "saas-control-deck"
OBJECTS = "security,schema,index,partition,rollup"  # leaves the server's settings alone
DECK = "saascontrol_prod_pro1"
STOCK = "stock"
TABLES = 19
SIZE = 100  # of the loaded databases: smaller tables are rightly read without an index
NOW = "2024-03-01 12:00:00+00"  # February behind it: the shortest way into the month before
INDEX_NAMES = """
WITH RECURSIVE tree AS (
  SELECT oid, relname AS root FROM pg_class WHERE relkind IN ('i', 'I') AND NOT relispartition
  UNION ALL
  SELECT h.inhrelid, t.root FROM tree t JOIN pg_inherits h ON h.inhparent = t.oid)
SELECT c.relname::text, t.root::text FROM tree t JOIN pg_class c USING (oid)
"""


class Query:
    """One file of a workload folder, as psycopg reads it."""

    def __init__(self, path):
        text = path.read_text()
        self.name = path.stem
        uses = re.search(r"^-- uses: (.*)$", text, re.M)
        self.uses = set(re.split(r",\s*", uses[1])) if uses else set()
        found = re.findall(r"^-- \$\d+ \S+ ([^:]+): (.*)$", text, re.M)
        self.types = [kind for kind, _candidates in found]
        self.candidates = [candidates for _kind, candidates in found]
        statements = [re.sub(r"^--.*\n", "", part + "\n", flags=re.M).strip().rstrip(";")
                      for part in re.split(r"\n-- before:.*", text)]
        self.sql, self.stock_sql = statements[0], statements[-1]

    def prepare(self, connection, is_stock=False):
        types = f"({', '.join(self.types)})" if self.types else ""
        sql = self.stock_sql if is_stock else self.sql
        connection.execute(f"PREPARE {self.name}{types} AS {sql}")

    def draws(self, connection, count):
        """count tuples of values, spread over the candidates; one where there are none."""
        columns = [[row[0] for row in connection.execute(f"SELECT c::text FROM ({sql}) x (c)")]
                   for sql in self.candidates]
        assert all(columns), f"{self.name}: a parameter without candidates"
        steps = range(count if columns else 1)
        return [tuple(column[i * len(column) // count] for column in columns) for i in steps]

    def call(self, values):
        quoted = ", ".join("'" + value.replace("'", "''") + "'" for value in values)
        return f"EXECUTE {self.name}" + (f" ({quoted})" if values else "")


def queries_of(name):
    return [Query(path) for path in sorted((SOURCE / "decks" / name / "workload").glob("*.sql"))]


def apply(pgdeck, server, deck, *args):
    pgdeck("apply", "-d", SOURCE / "decks" / deck / "deck.yaml", "--yes", "--only", OBJECTS,
           "--set", f"servers.main.conninfo={server.conninfo()}", *args, expect=0, timeout=120)


def load(server, dbname, size, seed=1, now=None):
    with server.connect(dbname) as connection:
        for name, value in (("size", size), ("seed", seed), ("now", now or "")):
            connection.execute("SELECT set_config(%s, %s, false)", (f"pgdeck.{name}", str(value)))
        connection.execute((FOLDER / "data.sql").read_text())  # all in one, as libpq clients do
        connection.execute("VACUUM (ANALYZE)")


def create_stock(server, dbname):
    server.query(f"CREATE DATABASE {dbname}")
    server.psql("-f", FOLDER / "schema.sql", dbname=dbname)


def checksums(server, dbname):
    """Rows and contents of every table, whatever their order."""
    with server.connect(dbname) as connection:
        connection.execute("SET timezone = 'UTC'")
        names = [row[0] for row in connection.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace "
            "AND relkind IN ('r', 'p') AND NOT relispartition")]
        return {name: connection.execute(
            f"SELECT count(*), sum(hashtextextended(t::text, 0)) FROM {name} t").fetchone()
                for name in names}


def indexes_in(plan, roots):
    """The declared indexes that a plan reads; those of partitions by their parents."""
    found = {roots[plan["Index Name"]]} if "Index Name" in plan else set()
    for part in plan.get("Plans", []):
        found |= indexes_in(part, roots)
    return found


def unused(server, dbname, queries, count=10):
    """"query: index" for all that no plan of count draws reads, own or generic."""
    missing = []
    with server.connect(dbname) as connection:
        roots = dict(connection.execute(INDEX_NAMES).fetchall())
        for query in queries:
            query.prepare(connection)
            for mode in ("force_custom_plan", "force_generic_plan"):
                connection.execute(f"SET plan_cache_mode = {mode}")
                seen = set()
                for values in query.draws(connection, count):
                    explain = f"EXPLAIN (FORMAT JSON) {query.call(values)}"
                    seen |= indexes_in(connection.execute(explain).fetchone()[0][0]["Plan"], roots)
                missing += [f"{query.name}: {name}: {mode}" for name in query.uses - seen]
    return missing


@pytest.fixture(scope="module")
def loaded(module_server, module_pgdeck):
    """A server with the same data in STOCK and, as pgdeck made it, in DECK."""
    server = module_server
    apply(module_pgdeck, server, "saas-control-deck", "--database", DECK)
    create_stock(server, STOCK)
    now = server.value("SELECT now()::text")
    for dbname in (STOCK, DECK):
        load(server, dbname, SIZE, now=now)
    for rollup in ("ai_tasks_by_hour", "ai_results_by_hour", "system_logs_by_hour"):
        while server.value(f"SELECT rollups.{rollup}_refresh()", dbname=DECK):
            pass
        assert server.value(f"SELECT count(*) FROM rollups.{rollup}", dbname=DECK) > 0
    return server


def test_psql_accepts_schema_and_indexes(server):
    for deck in ("saas-control-deck", "pgbench-deck"):
        server.query("CREATE DATABASE plain")
        folder = SOURCE / "decks" / deck
        server.psql("-f", folder / "schema.sql", "-f", folder / "indexes.sql", dbname="plain")
        server.query("DROP DATABASE plain")


def test_equal_seeds_give_equal_rows(server):
    contents = []
    for seed in (7, 7, 8):
        create_stock(server, "seeded")
        load(server, "seeded", 1, seed, NOW)
        contents.append(checksums(server, "seeded"))
        server.query("DROP DATABASE seeded")
    assert len(contents[0]) == TABLES
    assert contents[0] == contents[1]
    assert all(count > 0 for count, _sum in contents[0].values()), contents[0]
    same = {name for name in contents[0] if contents[0][name] == contents[2][name]}
    assert same == {"ai_models"}  # the only one without chance


@pytest.mark.short(15)
def test_pgbench_runs_the_load(server):
    """What `pgdeck demo --keep` lets run, by the prepared protocol as there."""
    create_stock(server, "live")
    load(server, "live", 1)
    tasks = "SELECT count(*) FROM ai_tasks WHERE task_name = 'summary' AND completed_at IS NOT NULL"
    before = server.value(tasks, dbname="live")
    scripts = sorted((FOLDER / "load").glob("*.sql"))
    assert len(scripts) == 4
    pgbench = sorted(Path("/usr/lib/postgresql").glob("*/bin/pgbench"))[-1]
    for script in scripts:
        assert re.search(r"^-- weight: \d+$", script.read_text(), re.M), script
        subprocess.run([pgbench, "-n", "-M", "prepared", "-t", "10", "-c", "4", "-f", script,
                        server.conninfo("live")], check=True, capture_output=True, timeout=60)
    assert server.value(tasks, dbname="live") == before + 40
    server.query("DROP DATABASE live")


def test_the_data_is_of_the_size_asked_for(loaded):
    counts = {name: count for name, (count, _sum) in checksums(loaded, STOCK).items()}
    assert counts["ai_tasks"] == 300 * SIZE
    assert 600 * SIZE <= counts["ai_results"] <= 700 * SIZE
    assert counts["system_logs"] == 600 * SIZE


def test_the_data_is_traffic_of_the_last_30_days(loaded):
    def value(sql):
        return loaded.value(sql, dbname=STOCK)

    for table, column in (("ai_tasks", "created_at"), ("ai_results", "created_at"),
                          ("system_logs", "created_at"), ("performance_metrics", "recorded_at")):
        first, last, future, today = loaded.query(
            f"SELECT now() - min({column}) < '31 days', now() - max({column}) < '30 minutes', "
            f"count(*) FILTER (WHERE {column} > now()), "
            f"count(*) FILTER (WHERE {column} > now() - interval '1 day') * 30.0 / count(*) "
            f"FROM {table}", dbname=STOCK)[0]
        assert (first, last, future) == (True, True, 0), table
        assert 0.9 < today < 4, table
    shares = dict(loaded.query("SELECT status, count(*) * 100.0 / sum(count(*)) OVER () "
                               "FROM ai_tasks GROUP BY status", dbname=STOCK))
    assert set(shares) == {"pending", "running", "completed", "failed", "cancelled"}
    assert 85 < shares["completed"] < 93
    assert value("SELECT max(n) > 10 * avg(n) FROM (SELECT count(*) AS n FROM ai_tasks "
                 "GROUP BY project_id) x"), "no project has much more than the others"
    assert value("SELECT bool_and(last >= before) FROM (SELECT created_at AS last, "
                 "lag(created_at) OVER (ORDER BY id) AS before FROM ai_results) x")


def test_what_belongs_together_fits(loaded):
    none = {
        "results of a task that did not complete": "SELECT count(*) FROM ai_results r LEFT JOIN "
        "ai_tasks t ON t.id = r.task_id WHERE t.status IS DISTINCT FROM 'completed'",
        "results made outside of their task's time": "SELECT count(*) FROM ai_results r JOIN "
        "ai_tasks t ON t.id = r.task_id WHERE r.created_at NOT BETWEEN t.started_at AND "
        "t.completed_at + interval '1 ms'",
        "completed tasks without a result": "SELECT count(*) FROM ai_tasks t WHERE status = "
        "'completed' AND NOT EXISTS (SELECT FROM ai_results WHERE task_id = t.id)",
        "tasks in the queue or active, not both": "SELECT count(*) FROM (SELECT id FROM ai_tasks "
        "WHERE status IN ('pending', 'running')) t FULL JOIN ai_task_queue q ON q.task_id = t.id "
        "WHERE t.id IS NULL OR q.task_id IS NULL",
        "tasks of users outside of the project": "SELECT count(*) FROM ai_tasks t LEFT JOIN "
        "project_members m USING (project_id, user_id) WHERE m.user_id IS NULL",
    }
    found = {what: loaded.value(sql, dbname=STOCK) for what, sql in none.items()}
    assert not any(found.values()), found


def test_partitions_change_no_row_and_no_answer(loaded):
    assert checksums(loaded, STOCK) == checksums(loaded, DECK)
    for query in queries_of("saas-control-deck"):
        with loaded.connect(STOCK) as stock, loaded.connect(DECK) as deck:
            rows = 0
            for connection in (stock, deck):
                query.prepare(connection, is_stock=connection is stock)
            for values in query.draws(deck, 5):
                call = query.call(values)
                answers = [sorted(map(str, each.execute(call).fetchall()))
                           for each in (stock, deck)]
                assert answers[0] == answers[1], call
                rows += len(answers[0])
            assert rows > 0, f"{query.name} found nothing"


def test_each_index_is_named_by_a_query_and_used_by_it(loaded):
    queries = queries_of("saas-control-deck")
    declared = set(re.findall(r"^CREATE INDEX (\w+)", (FOLDER / "indexes.sql").read_text(), re.M))
    assert declared == set().union(*(query.uses for query in queries))
    assert unused(loaded, DECK, queries) == []


def test_a_task_moves_once(loaded):
    """What workers do: the claim touches only the queue; the end moves the task."""
    with loaded.connect(DECK) as connection, connection.transaction(force_rollback=True):
        def where():
            return connection.execute("SELECT tableoid::regclass::text FROM ai_tasks "
                                      "WHERE id = %s", (task,)).fetchone()[0]

        task = connection.execute(
            "UPDATE ai_task_queue SET lease_until = now() + interval '1 min', worker = 'w', "
            "attempt = attempt + 1 WHERE task_id = (SELECT task_id FROM ai_task_queue WHERE "
            "lease_until IS NULL ORDER BY priority DESC, place LIMIT 1 FOR UPDATE SKIP LOCKED) "
            "RETURNING task_id").fetchone()[0]
        active = where()
        connection.execute("UPDATE ai_tasks SET status = 'running', started_at = now() "
                           "WHERE id = %s", (task,))
        assert where() == active
        connection.execute("UPDATE ai_tasks SET status = 'completed', completed_at = now(), "
                           "output_data = '{}' WHERE id = %s", (task,))
        assert where() != active
        new = connection.execute(
            "INSERT INTO ai_tasks (project_id, user_id, task_name, task_type) "
            "SELECT project_id, user_id, 'new', 'summary' FROM ai_tasks LIMIT 1 "
            "RETURNING id").fetchone()[0]
        assert new == 300 * SIZE + 1  # identity goes on after the loaded rows


def test_pgbench_runs_on_its_deck(module_server, module_pgdeck):
    server = module_server
    apply(module_pgdeck, server, "pgbench-deck")
    server.client("pgbench", "-i", "-I", "g", "-s", "5", "-q", dbname="pgbench")
    server.client("pgbench", "-T", "2", "-c", "4", dbname="pgbench")
    server.client("pgbench", "-n", "-t", "500", "-c", "4", dbname="pgbench")
    server.query("VACUUM (ANALYZE)", dbname="pgbench")
    assert server.value("SELECT count(*) FROM pgbench_history", dbname="pgbench") >= 2000
    assert server.value("SELECT count(*) FROM pg_inherits WHERE inhparent = "
                        "'pgbench_history'::regclass", dbname="pgbench") >= 9
    assert unused(server, "pgbench", queries_of("pgbench-deck")) == []
    left = module_pgdeck("plan", "-d", SOURCE / "decks" / "pgbench-deck" / "deck.yaml", "--json",
                         "--set", f"servers.main.conninfo={server.conninfo()}", "--only", OBJECTS,
                         expect=0)
    assert json.loads(left.out)["changes"] == []
