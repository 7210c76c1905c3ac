# SPDX-License-Identifier: MIT
"""pgdeck watch: what it knows of servers that are well, and of those that are not."""

import json
import os
import signal
import subprocess
import threading
import time
import urllib.request

import pytest

from cluster import SOURCE, free_port, wait_for
from test_pool import PASSWORD, Pool

DECK = """
deck: watched
servers:
  main: {{conninfo: "{conninfo}", memory: 512MB, cpus: 2, storage: ssd}}
environments:
  test: {{server: main, memory: 256MB, max_connections: 20,
          targets: {{connections: 1-10, cache_hit: 90%, ai_task: 10s}}}}
databases:
{databases}
"""


def write_deck(folder, conninfo, *databases, more=""):
    text = DECK.format(conninfo=conninfo.replace("\\", "\\\\").replace('"', '\\"'),
                       databases="\n".join(f'  "{database}": {{environment: test, services: []}}'
                                           for database in databases))
    (folder / "deck.yaml").write_text(text + more)
    return folder / "deck.yaml"


def look(pgdeck, deck, document, *more):
    return json.loads(pgdeck("watch", "-d", deck, "--once", document, *more, expect=0).out)


def test_what_it_knows_at_once(pgdeck, server, tmp_path):
    deck = write_deck(tmp_path, server.conninfo(), "postgres")
    overview = look(pgdeck, deck, "overview")
    environment, = overview["environments"]
    assert environment["is_reachable"] and environment["error"] is None
    database, = environment["databases"]
    assert database["is_reachable"] and database["not_measured"] == {}
    targets = {target["name"]: target for target in environment["targets"]}
    assert targets["connections"]["target"] == 10 and targets["connections"]["now"] == 0
    assert targets["connections"]["budget_left"] == 1
    known, = overview["servers"]
    assert known["version"].startswith(str(server.version)) and known["max_connections"] > 0
    load, = look(pgdeck, deck, "load")["servers"]
    assert [e["event"] for e in load["hour"]["events"]] == ["CPU", "other"]
    assert load["cores"] == 2


def test_unreachable_is_a_row_too(pgdeck, server, tmp_path):
    gone = f"host=127.0.0.1 port={free_port()} user=postgres dbname=postgres"
    deck = write_deck(tmp_path, gone, "postgres")
    environment, = look(pgdeck, deck, "overview")["environments"]
    assert not environment["is_reachable"] and "refused" in environment["error"]
    deck = write_deck(tmp_path, server.conninfo(), "postgres", "not_there")
    environment, = look(pgdeck, deck, "overview")["environments"]
    assert [d["is_reachable"] for d in environment["databases"]] == [True, False]
    assert "not_there" in environment["error"]


def test_signals(pgdeck, server, tmp_path):
    """SIGHUP reads the decks again, all or nothing; SIGTERM ends it."""
    deck = write_deck(tmp_path, server.conninfo(), "postgres")
    sessions = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pgdeck watch'"
    watch = pgdeck.start("watch", "-d", deck)
    wait_for(lambda: server.value(sessions) == 1, 10, "the connection")
    write_deck(tmp_path, server.conninfo(), "postgres", "template1")
    watch.send_signal(signal.SIGHUP)
    wait_for(lambda: server.value(sessions) == 2, 10, "the second connection")
    deck.write_text("deck: [")
    watch.send_signal(signal.SIGHUP)
    assert wait_for_line(watch, "stay as they were")
    assert server.value(sessions) == 2
    watch.send_signal(signal.SIGTERM)
    assert watch.wait(10) == 0
    wait_for(lambda: server.value(sessions) == 0, 10, "the end of the connections")


@pytest.mark.short(15)
def test_host(pgdeck, make_server, pg_version, tmp_path):
    """The machine of a server that runs here: CPU, memory, and the room of its folders."""
    server = make_server(pg_version)
    place = server.folder / "space"
    server.query(f"COPY (SELECT) TO PROGRAM 'mkdir {place}'")
    server.query(f"CREATE TABLESPACE other_disk LOCATION '{place}'")
    deck = write_deck(tmp_path, server.conninfo(), "postgres")
    known, = look(pgdeck, deck, "overview", "--for", 3)["servers"]
    host = known["host"]
    assert 0 <= host["cpu"] <= 1 and 0 <= host["steal"] <= 1 and host["load"] >= 0
    assert 0 < host["memory_available_bytes"] <= host["memory_bytes"]
    data, wal, space = host["disks"]
    assert [data["name"], wal["name"], space["name"]] == ["data", "WAL", "other_disk"]
    room = os.statvfs(place)
    assert space["size_bytes"] == room.f_blocks * room.f_frsize
    assert space["free_bytes"] == pytest.approx(room.f_bavail * room.f_frsize, rel=0.5)  # others write, too
    assert data["device"] == os.stat(server.data).st_dev == wal["device"]
    metrics = check_metrics(pgdeck("watch", "-d", deck, "--once", "metrics", "--for", 3,
                                   expect=0).out)
    labels = '{deck="watched",server="main"'
    assert metrics[f"pgdeck_host_memory_bytes{labels}}}"] == host["memory_bytes"]
    assert metrics[f'pgdeck_host_disk_size_bytes{labels},disk="data"}}'] == data["size_bytes"]


def wait_for_line(process, part):
    for line in process.stderr:
        if part in line:
            return line
    return None


@pytest.fixture
def counted(make_server, pg_version):
    """A server with pg_stat_statements."""
    server = make_server(pg_version, shared_preload_libraries="pg_stat_statements")
    server.query("CREATE EXTENSION pg_stat_statements")
    return server


def metrics_of(text):
    """{name{labels}: value}; each only once."""
    found = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            series, value = line.rsplit(" ", 1)
            assert series not in found
            found[series] = float(value)
    return found


def check_metrics(text):
    subprocess.run(["promtool", "check", "metrics"], input=text, text=True, check=True,
                   capture_output=True)
    return metrics_of(text)


def test_statements(pgdeck, counted, tmp_path):
    """What ran between two readings, whatever was reset in between; the rest is other."""
    deck = write_deck(tmp_path, counted.conninfo(), "postgres", more="watch: {statements: 1s}\n")
    counted.query("CREATE TABLE things AS SELECT g AS id FROM generate_series(1, 1000) AS g")
    counted.query("SELECT count(*) FROM things WHERE id < 10 /* before */")
    watch = pgdeck.start("watch", "-d", deck, "--once", "queries", "--for", 6)
    sessions = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pgdeck watch'"
    wait_for(lambda: counted.value(sessions) == 1, 10, "the connection")
    calls = 0
    while watch.poll() is None:
        counted.query("SELECT sum(id) AS \"<script>\" FROM things")
        calls += 1
        if calls == 20:
            counted.query("SELECT pg_stat_statements_reset()")
        time.sleep(0.05)
    server, = json.loads(watch.communicate()[0])["servers"]
    assert server["problem"] is None
    query, = [q for q in server["queries"] if "<script>" in (q["query"] or "")]
    assert 0 < query["calls"] <= calls and query["role"] == "postgres"
    assert query["database"] == "postgres" and query["mean_ms"] > 0
    assert query["p95_is_estimate"] and query["mean_ms"] / 4 < query["p95_ms"]
    assert not any("before" in (q["query"] or "") for q in server["queries"])
    assert all(q["calls"] > 0 and q["total_ms"] >= 0 for q in server["queries"])
    assert server["other"]["calls"] >= 0
    own, texts = server["own"], [q["query"] or "" for q in server["queries"]]
    assert own["statements"] > 3 and own["calls"] > 3
    assert not any("pg_stat_statements(" in text or "pg_catalog." in text for text in texts)
    shares = [one["share"] for one in [own, server["other"], *server["queries"]]]
    assert all(share >= -1e-9 for share in shares) and abs(sum(shares) - 1) < 1e-6


def test_samples_of_a_query(pgdeck, counted, tmp_path, watching):
    """Who was seen to run it; a run that goes on is one sample. The environment is as slow."""
    deck = write_deck(tmp_path, counted.conninfo(), "postgres", more="watch: {statements: 1s}\n")
    counted.query("SELECT pg_sleep(0.1)")  # as below: a numeric one
    query_id = str(counted.value("SELECT queryid FROM pg_stat_statements "
                                 "WHERE query = 'SELECT pg_sleep($1)'"))
    watch = watching(deck)
    found, runs = [], []

    def seen():
        runs.append(time.time())
        with counted.connect(application_name="sleeper") as connection:
            connection.execute("SELECT pg_sleep(2.2)")
        found[:] = [q for server in (watch.document("queries") or {"servers": []})["servers"]
                    for q in server["queries"] if q["query_id"] == query_id]
        found[:] = [watch.document(f"query/{q['id']}") for q in found]
        return found and found[0]["samples"]
    wait_for(seen, 40, "samples")
    sample = found[0]["samples"][-1]
    assert sample["application"] == "sleeper" and sample["event"] == "Timeout:PgSleep"
    assert sample["database"] == "postgres" and sample["sessions"] == 1
    assert 0.2 < sample["runs_s"] < 2.3
    times = [sample["at"] for sample in found[0]["samples"]]
    assert times == sorted(times) and len(times) <= len(runs)
    environment, = watch.document("overview")["environments"]
    targets = {target["name"]: target for target in environment["targets"]}
    assert targets["query_p95"]["is_estimate"] and targets["query_p95"]["now"] > 1000
    assert targets["query_mean"]["now"] > 500  # watch's own statements are not among them
    watch.end()


def test_plans_without_auto_explain(pgdeck, counted, tmp_path, watching):
    """For any values, as the role that ran it; nothing where a stranger's function could run."""
    counted.query("CREATE DATABASE strange")
    counted.query("CREATE ROLE app LOGIN; CREATE SCHEMA app AUTHORIZATION app; "
                  "CREATE TABLE app.things AS SELECT g AS id FROM generate_series(1, 1000) AS g; "
                  "ALTER TABLE app.things OWNER TO app")
    counted.psql(text="CREATE SCHEMA app AUTHORIZATION app; SET ROLE app; CREATE FUNCTION "
                 "app.early(int) RETURNS int LANGUAGE sql IMMUTABLE RETURN 1", dbname="strange")
    deck = write_deck(tmp_path, counted.conninfo(), "postgres", "strange",
                      more="watch: {statements: 1s}\n")
    watch = watching(deck)
    pages = {}

    def seen():
        with counted.connect(user="app") as session:
            session.execute("SELECT sum(id) FROM things WHERE id < %s /* planned */", [7])
        with counted.connect("strange", user="app") as session:
            session.execute("SELECT app.early(%s) /* planned */", [7])
        for server in (watch.document("queries") or {"servers": []})["servers"]:
            for query in server["queries"]:
                if "/* planned */" in (query["query"] or ""):
                    pages[query["database"]] = watch.document(f"query/{query['id']}") or {}
        return pages.get("postgres", {}).get("plans") and pages.get("strange", {}).get("no_plan")
    wait_for(seen, 40, "the plan, and why there is none")
    plan, = pages["postgres"]["plans"]
    assert "Seq Scan on things" in plan["plan"] and "(id < $1)" in plan["plan"]
    assert plan["duration_ms"] is None and plan["source"].startswith("EXPLAIN")
    assert "function app.early of app" in pages["strange"]["no_plan"]
    assert pages["strange"]["plans"] == []
    session, = counted.query("SELECT count(*) FROM pg_stat_activity WHERE datname = 'postgres' AND "
                             "application_name = 'pgdeck watch' AND state = 'idle'")[0]
    assert session == 1  # its transaction is over
    watch.end()


def test_metrics(pgdeck, counted, tmp_path):
    counted.query('CREATE DATABASE "a ""quoted"" \\ name"')
    deck = write_deck(tmp_path, counted.conninfo(), "postgres", 'a \\"quoted\\" \\\\ name',
                      more="watch: {statements: 1s}\n")
    text = pgdeck("watch", "-d", deck, "--once", "metrics", "--for", 4, expect=0).out
    metrics = check_metrics(text)
    assert metrics['pgdeck_server_up{deck="watched",server="main"}'] == 1
    assert metrics['pgdeck_target_goal{deck="watched",environment="test",target="connections",'
                   'estimate="no"}'] == 10
    assert any(series.startswith("pgdeck_database_commits_total") and "\\\"quoted\\\" \\\\" in series
               for series in metrics)
    assert any(series.startswith("pgdeck_statement_calls_hour") and 'query_id="other"' in series
               for series in metrics)
    assert all(value >= 0 for series, value in metrics.items() if "_total" in series)


def test_once_knows_its_documents(pgdeck, server, tmp_path):
    deck = write_deck(tmp_path, server.conninfo(), "postgres")
    fault = pgdeck("watch", "-d", deck, "--once", "nonsense", expect=64).err
    assert 'no document "nonsense"' in fault and "overview" in fault


def test_ai_tasks(pgdeck, fresh_server, tmp_path):
    fresh_server.query("CREATE TABLE ai_tasks (status text, created_at timestamptz, "
                       "started_at timestamptz, completed_at timestamptz)")
    fresh_server.query("CREATE INDEX ON ai_tasks (created_at)")
    fresh_server.query(
        "INSERT INTO ai_tasks SELECT CASE WHEN g <= 10 THEN 'failed' ELSE 'completed' END, "
        "now() - interval '30 s', now() - interval '24 s', now() - interval '20 s' "
        "FROM generate_series(1, 100) AS g")
    deck = write_deck(tmp_path, fresh_server.conninfo(), "postgres")
    environment, = look(pgdeck, deck, "overview", "--for", 3)["environments"]
    targets = {target["name"]: target for target in environment["targets"]}
    assert 2500 < targets["ai_task"]["now"] <= 5000 and targets["ai_task"]["target"] == 10000
    assert targets["ai_task_errors"]["now"] == 0.1
    assert targets["ai_task"]["budget_left"] == 1
    fresh_server.query("INSERT INTO ai_tasks SELECT 'completed', now() - interval '100 min', "
                       "now() - interval '50 min', now() - interval '10 s' "
                       "FROM generate_series(1, 1000)")
    environment, = look(pgdeck, deck, "overview", "--for", 3)["environments"]
    long, = [one["now"] for one in environment["targets"] if one["name"] == "ai_task"]
    assert 30 * 60000 < long <= 120 * 60000


def read(watch_port, document):
    with urllib.request.urlopen(f"http://127.0.0.1:{watch_port}/{document}", timeout=2) as answer:
        return answer.read().decode()


class Watch:
    """A running pgdeck watch whose documents are read as its page reads them."""

    def __init__(self, pgdeck, deck):
        self.port = free_port()
        self.process = pgdeck.start("watch", "-d", deck, "--listen", f"127.0.0.1:{self.port}")

    def document(self, name):
        """Never waits for a database: 2 s are for this machine."""
        return json.loads(read(self.port, f"data/{name}") or "null")  # not there yet

    def metrics(self):
        return metrics_of(read(self.port, "metrics"))

    def is_up(self):
        try:
            return self.document("overview") is not None
        except OSError:
            return False

    def wait(self, name, condition, what, timeout_s=20):
        wait_for(lambda: condition(self.document(name) or {}), timeout_s, what)
        return self.document(name)

    def databases(self):
        return {one["name"]: one for environment in self.document("overview")["environments"]
                for one in environment["databases"]}

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(10) == 0


@pytest.fixture
def watching(pgdeck):
    def start(deck):
        watch = Watch(pgdeck, deck)
        wait_for(watch.is_up, 10, "pgdeck watch")
        return watch
    return start


@pytest.mark.short(15)
def test_a_role_without_pg_monitor(pgdeck, fresh_server, tmp_path, watching):
    """It counts the sessions of others and sees who waits for whom, and says what it cannot see."""
    server = fresh_server
    server.query('CREATE ROLE "the watch" LOGIN')
    deck = write_deck(tmp_path, server.conninfo(user="the watch"), "postgres")
    with server.connect() as holder, server.connect() as waiter:
        holder.execute("SELECT pg_advisory_lock(7)")
        waiting = threading.Thread(target=waiter.execute, args=("SELECT pg_advisory_lock(7)",))
        waiting.start()
        watch = watching(deck)
        pids = {holder.info.backend_pid, waiter.info.backend_pid}
        watch.wait("blocking", lambda d: d and d["servers"] and
                   pids == {one["pid"] for one in d["servers"][0]["sessions"]}, "both sessions")
        known, = watch.document("overview")["servers"]
        assert known["sessions"] >= 2 and known["active"] is known["waiting_for_lock"] is None
        assert known["oldest_transaction_s"] is None
        said = watch.databases()["postgres"]["not_measured"]["activity"]
        assert said.endswith('not to be seen: GRANT pg_monitor TO "the watch";')
        metrics = watch.metrics()
        labels = '{deck="watched",server="main"}'
        assert f"pgdeck_server_sessions_waiting_for_lock{labels}" not in metrics
        assert metrics[f"pgdeck_server_sessions{labels}"] >= 2
        assert [metrics[name] for name in metrics if "watch_not_measured" in name] == [1]
        holder.execute("SELECT pg_advisory_unlock(7)")
        waiting.join()
    watch.end()
    assert 'GRANT pg_monitor TO "the watch";' in watch.process.stderr.read()


def test_history(pgdeck, counted, tmp_path, watching):
    """Each database is sampled into its own history; what was known of the targets comes back."""
    deck = write_deck(tmp_path, counted.conninfo(), "postgres", more="advisors: [monitoring]\n")
    pgdeck("apply", "-d", deck, "--yes", expect=0)
    first = watching(deck)
    first.wait("history", lambda d: d and d["databases"][0]["recorded_at"], "the sample")
    assert counted.value("SELECT count(*) FROM monitoring.database_history") == 1
    second = watching(deck)  # doubles nothing
    second.wait("history", lambda d: d and d["databases"][0]["said"], "the second one's turn")
    assert second.document("history")["databases"][0]["said"] == "recorded already"
    first.end()
    second.end()
    counted.query(
        "INSERT INTO monitoring.target_history SELECT to_timestamp(600 * (floor(extract(epoch FROM "
        "now()) / 600) - 1)), 'cache_hit', array_fill(NULL::real, ARRAY[18]) || '{30,70}'::real[]")
    counted.query(
        "INSERT INTO monitoring.target_history SELECT to_timestamp(600 * (floor(extract(epoch FROM "
        "now()) / 600) - 3)), 'load CPU, Lock:relation', '{0,0,0,300,30,450}'")
    third = watching(deck)
    third.wait("overview", lambda d: d and 0 < hour(d, "cache_hit") < 0.999, "what was recalled")
    load = {event["event"]: event["sessions"] for event in
            third.wait("load", lambda d: d, "the load")["servers"][0]["day"]["events"]}
    assert [value for value in load["Lock:relation"] if value] == [1.5]
    known = third.document("overview")["environments"][0]["id"]
    page = third.wait(f"environment/{known}", lambda d: any(
        value is not None and value < 0.31 for t in d.get("targets", [])
        if t["name"] == "cache_hit" for value in t["values"]), "its day")
    assert {t["name"]: t.get("limit") for t in page["targets"]}["connections"] == 20
    assert all(len(t["values"]) * page["step_s"] == 86400 for t in page["targets"])
    third.end()


GROWTH = """
SELECT monitoring.record_performance_metrics();
DROP TABLE IF EXISTS monitoring.growth_history_before;
CREATE TABLE monitoring.growth_history_before PARTITION OF monitoring.growth_history
    FOR VALUES FROM (MINVALUE) TO ('today'); -- UTC
DELETE FROM monitoring.growth_history;
CREATE TABLE fast (id serial);
CREATE TABLE young (id serial);
CREATE TABLE jumpy (id serial);
INSERT INTO monitoring.growth_history
SELECT date_trunc('day', now()) - interval '1 us' - i * interval '1 hour', k.kind, k.name, k.value
  FROM generate_series(0, 240) AS i, LATERAL (VALUES
       ('sequence', 'public.fast_id_seq', 2000000000 - 1000000 * i),
       ('transaction ids', '', 5000 - 20 * i),
       ('sequence', 'public.jumpy_id_seq', 1000000000 - 500000 * i + 400000000 * (i % 2)),
       ('disk', 'data', 1000000000000000.0 + 1e12 * i)) AS k (kind, name, value);
SELECT setval('fast_id_seq', 2000000000), setval('jumpy_id_seq', 2000000000);
INSERT INTO monitoring.growth_history
SELECT date_trunc('day', now()) - i * interval '1 min', 'sequence', 'public.young_id_seq', 1e9 - i
  FROM generate_series(1, 20) AS i;
SELECT setval('young_id_seq', 1000000000);
"""


def test_forecasts(pgdeck, make_server, tmp_path, watching):
    """On which day; and no day where the history is short, or no line."""
    server = make_server(15, timezone="UTC")
    deck = write_deck(tmp_path, server.conninfo(), "postgres", more="advisors: [monitoring]\n"
                      "watch: {alerts: 1s}\nalerts: {runs_out: {warning: 8d, critical: 2d, fire: 1}}\n")
    pgdeck("apply", "-d", deck, "--yes", expect=0)
    server.psql(text=GROWTH)
    watch = watching(deck)
    watch.wait("forecasts", lambda d: len(d.get("forecasts", [])) == 5, "the forecasts")
    watch.wait("history", lambda d: d and d["databases"][0]["recorded_at"], "the sample")
    found = {one["name"]: one for one in watch.document("forecasts")["forecasts"]}
    fast = found["public.fast_id_seq"]
    days = (fast["runs_out_at"] - fast["measured_at"]) / 86400
    assert days == pytest.approx(147483647 / 24e6, rel=1e-3) and fast["room"] == 147483647
    assert fast["database"] == "postgres" and "TYPE bigint" in fast["fix_sql"]
    assert found["public.young_id_seq"]["outlook"] == "too little history"
    assert found["public.jumpy_id_seq"]["outlook"] == "no steady trend"
    assert found[""]["outlook"] == "kept young by autovacuum"
    assert found["data"]["outlook"] == "runs out"  # 24 TB a day, since ten days
    assert found["data"]["a_day"] == pytest.approx(24e12, rel=1e-6)
    assert [n for n, one in found.items() if one["runs_out_at"]] == ["data", "public.fast_id_seq"]
    alerts = {alert["database"]: alert for alert in watch.wait(
        "alerts", lambda d: len(d.get("alerts", [])) == 2, "the alerts")["alerts"]}
    assert alerts["postgres"]["name"] == alerts[None]["name"] == "runs_out"
    assert (alerts["postgres"]["level"], alerts[None]["level"]) == ("warning", "critical")
    assert alerts["postgres"]["message"].startswith("sequence public.fast_id_seq: used up on 20")
    assert alerts["postgres"]["fix_sql"] == fast["fix_sql"] and "pg_wal" in alerts[None]["fix_sql"]
    recorded = ("SELECT count(*) FROM monitoring.growth_history "
                "WHERE kind = 'disk' AND name = 'data' AND at > now() - interval '5 min'")
    wait_for(lambda: server.value(recorded) == 1, 20, "the room of the disk in the history")
    metrics = check_metrics(read(watch.port, "metrics"))
    assert metrics['pgdeck_runs_out_time_seconds{deck="watched",server="main",environment="test",'
                   'database="postgres",kind="sequence",name="public.fast_id_seq"}'] \
        == pytest.approx(fast["runs_out_at"], abs=1)
    watch.end()


def hour(overview, name):
    target, = [t for t in overview["environments"][0]["targets"] if t["name"] == name]
    return target["hour"] or 0


def test_no_pool_yet(pgdeck, fresh_server, tmp_path, watching):
    port, metrics_port = free_port(), free_port()
    deck = write_deck(
        tmp_path, fresh_server.conninfo(), "postgres",
        more=f"pooler: {{port: {port}, metrics_port: {metrics_port}, "
             f"socket_folder: {tmp_path}}}\n")
    text = deck.read_text().replace("services: []", "services: [api]").replace(
        "targets: {", "pools: {api: {min: 1, max: 2, auth: peer}}\n         , targets: {query_p95: 100ms, ")
    deck.write_text(text)
    fresh_server.query("CREATE ROLE test_api_a LOGIN")
    watch = watching(deck)
    watch.wait("pools", lambda d: d and "refused" in (d["sources"][0]["error"] or ""), "no pool yet")
    target, = [t for t in watch.document("overview")["environments"][0]["targets"]
               if t["name"] == "query_p95"]
    assert target["is_estimate"] and target["target"] == 100
    watch.end()


@pytest.mark.short(15)
def test_a_query_has_the_p95_that_the_pool_measured(pgdeck, counted, tmp_path, watching):
    """One call in ten is slow: its p95 is that of the slow ones, which mean and deviation do not
    tell. The text is longer than the one that the pool keeps."""
    port = free_port()
    counted.query(f"CREATE ROLE alice LOGIN PASSWORD '{PASSWORD}'")
    pool = Pool(pgdeck, tmp_path, counted, {"postgres": {}}, {"metrics_port": port})
    watch = watching(write_deck(tmp_path, counted.conninfo(), "postgres", more="watch: {statements: 1s}\n"
                                f"pooler: {{port: {pool.port}, metrics_port: {port}}}\n"))
    text = "SELECT pg_sleep(%s), " + ", ".join(f"{i} AS column_{i}" for i in range(50))

    def seen():
        # constants are no part of it, and the pool has them as a question mark
        with pool.connect("postgres") as client, counted.connect(user="alice", password=PASSWORD) as direct:
            for i in range(10):
                client.execute(text, (0.2 if i == 9 else 0.002,))
                client.execute(f"SELECT pg_sleep(0.00{i}) AS short")
            direct.execute("SELECT pg_sleep(0.001), now() AS direct")
        queries = {q["query"].split("AS ")[1].split(",")[0]: q for server in watch.document("queries")["servers"]
                   for q in server["queries"] if "pg_sleep" in (q["query"] or "")}
        return {"column_0", "direct", "short"} <= set(queries) and \
            not queries["column_0"]["p95_is_estimate"] and not queries["short"]["p95_is_estimate"] and \
            highest(queries["column_0"]) > 180 and queries

    def highest(query):
        return max(value or 0 for value in watch.document(f"query/{query['id']}")["series"]["p95_measured_ms"])
    queries = wait_for(seen, 40, "the pool's p95")
    assert queries["column_0"]["p95_ms"] > 180 and queries["direct"]["p95_is_estimate"]  # estimated: 84
    assert set(watch.document(f"query/{queries['direct']['id']}")["series"]["p95_measured_ms"]) == {None}
    watch.end()
    pool.stop()


def test_surveys(pgdeck, counted, tmp_path, watching):
    """Health, partitions, drift and advice come to the page by themselves; what is critical is an
    alert."""
    counted.psql(text="CREATE TABLE orders AS SELECT g AS id, g % 1000 AS customer, repeat('x', 200) "
                      "AS note FROM generate_series(1, 30000) AS g; ANALYZE orders;"
                      + "SELECT sum(id) FROM orders WHERE customer = 7;" * 20)
    counted.query("CREATE SEQUENCE used_up AS smallint")
    counted.query("SELECT setval('used_up', 32000)")
    counted.query("CREATE TABLE events (at timestamptz) PARTITION BY RANGE (at)")
    counted.query("CREATE TABLE events_old PARTITION OF events "
                       "FOR VALUES FROM ('2020-01-01') TO ('2021-01-01')")
    deck = write_deck(tmp_path, counted.conninfo(), "postgres",
                      more="advisors: [monitoring]\nwatch: {alerts: 1s, advice: 1s}\n")
    watch = watching(deck)
    open_ones = watch.wait("alerts", lambda d: d.get("alerts"), "the alert", 60)["alerts"]
    alerts = {alert["name"]: alert for alert in open_ones}
    assert set(alerts) == {"health_sequences",
                           "health_partitions",  # there is none of now
                           "health_settings"}  # of the tests' servers: fsync is off
    alert = alerts["health_sequences"]
    assert (alert["database"], alert["environment"]) == ("postgres", "test")
    assert alert["level"] == "critical" and "used_up has used 97" in alert["message"]
    assert "ALTER SEQUENCE public.used_up" in alert["fix_sql"]
    drift, = watch.wait("drift", lambda d: d, "the drift", 60)["decks"]
    assert drift["error"] is None and drift["count"] > 10 and drift["changes"][0]["what"]
    table, = watch.document("partitions")["tables"]
    assert (table["database"], table["table"], table["parts"]) == ("postgres", "events", 1)
    advice, = watch.wait("advice", lambda d: d, "the advice", 60)["databases"]
    about, = [one for one in advice["statements"] if "FROM orders" in one["sql"]]
    assert (advice["database"], advice["error"]) == ("postgres", None)
    assert "(customer" in about["indexes"][0] and about["after"] < about["before"] / 5
    health, = watch.document("health")["decks"]
    assert all(f["severity"] in ("critical", "warning") for f in health["findings"])
    watch.end()


def test_the_unit_is_a_sandbox():
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=25",
         SOURCE / "packaging/systemd/pgdeck-watch.service"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
