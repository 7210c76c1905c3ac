# SPDX-License-Identifier: MIT
"""pgdeck bench --ai: tasks from enqueue to done, on databases with the shipped deck's schema."""

import json
import re
import signal
import time

import pytest

from cluster import SOURCE, wait_for

pytestmark = pytest.mark.short(15)

DECK = SOURCE / "decks" / "saas-control-deck"
AFTER, BEFORE = "ai_after", "ai_before"
OWN = "SELECT count(*) FROM ai_tasks WHERE task_type = 'pgdeck bench'"


@pytest.fixture(scope="module")
def arms(module_server, tmp_path_factory):
    """The server and the deck's file. Both databases are pgdeck's own; one has the indexes."""
    server = module_server
    for name in (BEFORE, AFTER):
        server.query(f"CREATE DATABASE {name}")
        server.query(f"COMMENT ON DATABASE {name} IS 'made by pgdeck bench'")
        server.psql("-q", "-f", DECK / "schema.sql", dbname=name)
    server.psql("-q", "-f", DECK / "indexes.sql", dbname=AFTER)
    for name in (BEFORE, AFTER):
        server.psql("-q", "-1", "-c", "SET pgdeck.size = 1; SET pgdeck.seed = 1", "-f",
                    DECK / "data.sql", dbname=name)
        server.query("VACUUM ANALYZE", dbname=name)
    return server


@pytest.fixture
def run(arms, module_pgdeck, tmp_path):
    deck = tmp_path / "deck.yaml"
    deck.write_text(f"""deck: ai
servers:
  main: {{conninfo: "{arms.conninfo()}", memory: 1GB, cpus: 2}}
environments:
  test: {{server: main, memory: 512MB, max_connections: 60, targets: {{ai_task: 10s, cache_hit: 50%}}}}
databases:
  {AFTER}: {{environment: test}}
""")
    args = ("bench", "--deck", deck, "--ai", "--quick", "--before", arms.conninfo(BEFORE),
            "--output", tmp_path / "out", "--json")

    def call(*more, expect=0):
        return module_pgdeck(*args, *more, expect=expect, timeout=150)
    call.args = args
    call.results = lambda: json.loads((tmp_path / "out" / "results.json").read_text())
    return call


def suite_of(results):
    return next(s for s in results["suites"] if s["name"] == "ai")


def row(suite, title, name):
    table = next(t for t in suite["tables"] if t["title"].startswith(title))
    return next(r for r in table["rows"] if r["name"] == name)


def test_tasks_from_enqueue_to_done(run, arms):
    run("--block-ms", "150", "--run-ms", "5", "--snapshot-s", "1")
    suite = suite_of(run.results())
    jobs, life, claim = suite["works"]
    for work in (jobs, life, claim):
        for arm in ("before", "after"):
            assert work[arm]["done"] > 0, (work["name"], arm)
    for work in (jobs, life):  # each job writes a result
        for arm in ("before", "after"):
            each = work[arm]["each"]
            assert each["wal_bytes"] > 500 and each["buffers"] > 1, (work["name"], arm)
            assert each["server_cpu_us"] > 10 and each["temp_bytes"] >= 0
            assert each["driver_cpu_us"] > 0
    assert jobs["after"]["each"]["server_cpu_us"] < jobs["before"]["each"]["server_cpu_us"]
    assert life["after"]["response"]["p95_ms"] > life["after"]["response"]["p50_ms"] > 0
    for what in ("a task", "a result", "a log line", "a task with two of each"):
        wal = row(suite, "What an inserted row", f"{what}, WAL")
        assert all(50 < float(wal[arm].split()[0]) < 20000 for arm in ("before", "after")), wal
        assert " times" in row(suite, "What an inserted row", f"{what}, server CPU")["note"]
    cpu = {what: float(row(suite, "What an inserted row", f"{what}, server CPU")["after"].split()[0])
           for what in ("a task", "a result", "a log line", "a task with two of each")}
    assert abs(cpu["a task"] + 2 * cpu["a result"] + 2 * cpu["a log line"]
               - cpu["a task with two of each"]) < 0.35  # each is rounded to 0.1
    for name in ("lost", "done twice"):
        assert row(suite, "Tasks", name)["before"] == row(suite, "Tasks", name)["after"] == "0"
    assert int(row(suite, "Tasks", "tasks")["after"]) >= life["after"]["done"]
    tables = {table["title"]: {row["name"]: row for row in table["rows"]}
              for s in run.results()["suites"] if s["name"] == "targets" for table in s["tables"]}
    targets = {name: row["note"] for name, row in tables["Targets"].items()}
    assert targets["AI task from enqueue to done, p95"] == "at most 10.0 s: met"
    assert targets["cache hit over the run"] == "at least 50 %: met"
    promises = tables["Promises"]
    task = promises["AI task from enqueue to done, less its run, median"]
    assert task["before"] == row(suite, "Tasks", "enqueue to done, less the run, p50")["before"]
    assert re.match(r"at least 40 % sooner: -?[\d.]+ %, (kept|too little data to say: "
                    r"the database has [\d.]+ MB)$", task["note"])
    assert promises["shared memory, resident"]["after"].endswith("MB")
    assert not any("queries" in name or "requests" in name for name in promises)  # not measured
    assert row(suite, "Tasks", "memory of a connection")["after"].endswith("MB")
    for name in ("FOR UPDATE", "queue"):
        assert int(row(suite, "Ways", name)["after"]) > 0
    for name in ("claim, p50", "claim, p95", "server CPU a task"):
        beside = row(suite, "Claims beside an open snapshot", name)
        assert re.match(r"\d+\.\d\d times", beside["note"]) and beside["before"][0].isdigit()
    for database in (BEFORE, AFTER):
        assert arms.value(OWN, dbname=database) == 0
        assert arms.value("SELECT count(*) FROM ai_task_queue", dbname=database) == 0


@pytest.mark.pg(max=15)
def test_what_is_still_worked_off_is_not_lost(arms):
    """Tasks that wait behind others that were done just now have only not had their turn."""
    sql = (SOURCE / "src" / "bench" / "sql" / "ai_check.sql").read_text()
    columns = ("tasks", "completed", "active", "lost", "doubled", "is_going_on", "others")
    with arms.connect(AFTER) as session:
        session.autocommit = False
        last = session.execute("SELECT coalesce(max(id), 0) FROM ai_tasks").fetchone()[0]
        for status, age in (("pending", None), ("completed", "20 s"), ("completed", "1 s")):
            session.execute(f"""INSERT INTO ai_tasks (project_id, user_id, task_name, task_type,
                                                     status, created_at, completed_at)
                SELECT id, owner_id, 'x', 'pgdeck bench', '{status}', now() - interval '1 hour',
                       CASE WHEN '{status}' = 'completed' THEN now() - interval '{age or 0}' END
                  FROM projects LIMIT 1""")
            counts = session.execute(sql.replace("$1", str(last))).fetchone()
            found = dict(zip(columns, counts, strict=True))
            assert found["active"] == 1 and found["is_going_on"] == (age == "1 s")
        assert found["tasks"] == 3 and found["completed"] == found["lost"] == 2
        session.rollback()


@pytest.mark.pg(max=15)
def test_workers_killed_lose_and_double_nothing(run, arms, module_pgdeck):
    """What a dead worker held comes back when its lease is over."""
    process = module_pgdeck.start(*run.args, "--block-ms", "800", "--rate", "100",
                                  "--run-ms", "50")
    killed = 0
    while process.poll() is None:
        killed += arms.value(
            "SELECT count(pg_terminate_backend(pid)) FROM (SELECT pid FROM pg_stat_activity "
            "WHERE datname = %s AND query LIKE '%%claims tasks in the queue%%' "
            "AND backend_start < now() - interval '700 ms' LIMIT 2) s", AFTER)
        time.sleep(0.2)
    out, err = process.communicate()
    assert process.returncode == 0, err
    suite = suite_of(json.loads(out))
    assert killed > 5
    assert row(suite, "Tasks", "lost")["after"] == row(suite, "Tasks", "done twice")["after"] == "0"
    assert int(row(suite, "Tasks", "failed statements")["after"]) > 0


def test_ctrl_c_leaves_report_and_no_task(run, arms, module_pgdeck):
    process = module_pgdeck.start(*run.args)
    wait_for(lambda: arms.value(OWN, dbname=AFTER) > 0, 30, "tasks")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 130 and run.results()["stopped"] == "interrupted"
    for database in (BEFORE, AFTER):
        assert arms.value(OWN, dbname=database) == 0


def test_other_peoples_databases_are_left_alone(run, arms):
    arms.query(f"COMMENT ON DATABASE {AFTER} IS 'production'")
    before = arms.value("SELECT count(*) FROM ai_tasks", dbname=AFTER)
    assert "--i-know" in run(expect=22).err
    arms.query("INSERT INTO ai_tasks (project_id, user_id, task_name, task_type) "
               "SELECT id, owner_id, 'mine', 'summary' FROM projects LIMIT 1", dbname=AFTER)
    assert "1 tasks that wait" in run("--i-know", expect=22).err
    assert arms.value("SELECT count(*) FROM ai_tasks", dbname=AFTER) == before + 1
    arms.query("DELETE FROM ai_tasks WHERE task_name = 'mine'", dbname=AFTER)
    arms.query(f"COMMENT ON DATABASE {AFTER} IS 'made by pgdeck bench'")


@pytest.mark.pg(max=15)
def test_tasks_that_come_meanwhile_are_left_alone(run, arms, module_pgdeck):
    """Others enqueue and complete beside the suite: it touches none of theirs, and ends."""
    arms.query(f"COMMENT ON DATABASE {AFTER} IS 'production'")
    try:
        process = module_pgdeck.start(*run.args, "--i-know")
        wait_for(lambda: arms.value(OWN, dbname=AFTER) > 0, 30, "tasks")
        for status in ("pending", "completed"):
            arms.query(f"""WITH task AS (
                INSERT INTO ai_tasks (project_id, user_id, task_name, task_type, priority, status,
                                      completed_at)
                SELECT id, owner_id, 'mine', 'summary', 9, '{status}',
                       CASE WHEN '{status}' = 'completed' THEN now() END
                  FROM projects LIMIT 1 RETURNING id, status),
                queue AS (INSERT INTO ai_task_queue (task_id, priority)
                          SELECT id, 9 FROM task WHERE status = 'pending')
                INSERT INTO ai_results (task_id, model_id, processing_time_ms)
                SELECT id, 1, 1 FROM task WHERE status = 'completed'""", dbname=AFTER)
        err = process.communicate(timeout=60)[1]
        assert process.returncode == 22, err
        assert "others enqueued 2 tasks" in err or "1 tasks that wait" in err
        assert arms.query("""SELECT t.status, q.worker, q.task_id IS NOT NULL, r.id IS NOT NULL
            FROM ai_tasks t LEFT JOIN ai_task_queue q ON q.task_id = t.id
            LEFT JOIN ai_results r ON r.task_id = t.id
            WHERE t.task_name = 'mine' ORDER BY t.id""", dbname=AFTER) == [
                ("pending", None, True, False), ("completed", None, False, True)]
        assert arms.value(OWN, dbname=AFTER) == 0
    finally:
        for table in ("ai_task_queue", "ai_results"):
            arms.query(f"DELETE FROM {table} WHERE task_id IN (SELECT id FROM ai_tasks "
                       "WHERE task_name = 'mine')", dbname=AFTER)
        arms.query("DELETE FROM ai_tasks WHERE task_name = 'mine'", dbname=AFTER)
        arms.query(f"COMMENT ON DATABASE {AFTER} IS 'made by pgdeck bench'")


def test_too_little_space_is_said_first(run, arms):
    result = run("--rate", "1000000", "--snapshot-s", "86400", expect=16)
    assert "MB are free" in result.err and "--snapshot-s" in result.err and "server " in result.err
    assert arms.value(OWN, dbname=AFTER) == 0


def test_a_database_without_tasks(run, arms):
    arms.query("ALTER TABLE ai_task_queue RENAME TO another", dbname=AFTER)
    assert "has no AI tasks" in run(expect=22).err
    arms.query("ALTER TABLE another RENAME TO ai_task_queue", dbname=AFTER)


@pytest.mark.pg(max=15)
def test_all_leaves_out_what_is_refused(run, arms, module_pgdeck, tmp_path):
    """A suite that would write is no reason not to measure the others."""
    workload = tmp_path / "workload"
    workload.mkdir()
    for query in (DECK / "workload").glob("*.sql"):
        if "_by_hour(" not in query.read_text():  # there are no rollups here
            (workload / query.name).write_text(query.read_text())
    arms.query(f"COMMENT ON DATABASE {AFTER} IS 'production'")
    module_pgdeck(*run.args, "--all", "--pairs", "1", "--block-ms", "50", "--set",
                  f"databases.{AFTER}.workload={workload}", expect=0, timeout=120)
    arms.query(f"COMMENT ON DATABASE {AFTER} IS 'made by pgdeck bench'")
    results = run.results()
    assert "Left out" in suite_of(results)["what"] and not suite_of(results)["works"]
    assert not [limit for limit in results["limits"] if "sessions" in limit]  # all are ours
    assert len(results["queries"]) > 10 and {s["name"] for s in results["suites"]} == \
        {"queries", "pgbench", "ai", "pool", "targets"}
