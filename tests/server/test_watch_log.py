# SPDX-License-Identifier: MIT
"""pgdeck watch reads the servers' logs: errors by SQLSTATE, slow statements, plans."""

import json
import time

import psycopg
import pytest

from cluster import wait_for
from test_watch import Watch, check_metrics, read

HOSTILE = "<script>x</script>\nERROR:  XX001\n2026-11-23 05:50:00.123 UTC,\"a\"\",PANIC:  ü'"
LOGS = {
    "csv": {"log_destination": "csvlog"},
    "json": {"log_destination": "jsonlog"},
    "text": {"log_destination": "stderr", "log_line_prefix": "%m [%p] %q%u@%d,%a %e "},
}
PRIVATE = "GRANT EXECUTE ON FUNCTION pg_read_binary_file"


@pytest.fixture
def logging(make_server):
    """Servers of 15, one for each format, on which everything is slow."""
    return {name: make_server(
        15, logging_collector="on", log_min_duration_statement="0",
        shared_preload_libraries="pg_stat_statements,auto_explain",
        **{"auto_explain.log_min_duration": "0"}, **more) for name, more in LOGS.items()}


def write_deck(folder, conninfos):
    conninfos = {name: json.dumps(conninfo) for name, conninfo in conninfos.items()}
    deck = folder / "deck.yaml"
    deck.write_text(
        "deck: logs\nservers:\n"
        + "".join(f"  {name}: {{conninfo: {text}}}\n" for name, text in conninfos.items())
        + "environments:\n" + "".join(f"  {name}: {{server: {name}}}\n" for name in conninfos)
        + "databases:\n"
        + "".join(f"  {name}_db: {{environment: {name}}}\n" for name in conninfos)
        + "watch: {statements: 1s, log: 200ms}\n")
    return deck


def of_server(document, name):
    return next((one for one in document.get("servers", []) if one["server"] == name), {})


def make_trouble(server, database, application="ERROR:  XX000 x"):
    """Hostile text in messages, in the statement that failed and in one that is slow."""
    quoted = HOSTILE.replace("'", "''")
    with server.connect(database, application_name=application) as session:
        for _ in range(3):
            with pytest.raises(psycopg.errors.DivisionByZero):
                session.execute(f"SELECT 1 / 0, '{quoted}'")
        with pytest.raises(psycopg.errors.RaiseException):
            session.execute(f"DO $do$ BEGIN RAISE EXCEPTION USING MESSAGE = '{quoted}'; END $do$")
        for i in range(4):
            session.execute(f"SELECT sum(id) FROM things WHERE id < {i} AND '{quoted}' <> ''")
        with pytest.raises(psycopg.errors.SyntaxError):
            session.execute("SELECT " + "(" * 4000)


def known(log):
    """That all of it was read."""
    return {error["sqlstate"] for error in log.get("errors", [])} >= {"22012", "P0001", "42601"}


def slow(log, database):
    found = [q for q in log["queries"] if "sum(id) FROM things WHERE id <" in q["query"]]
    assert [q["database"] for q in found] == [database], log["queries"]
    return found[0]


def check_log(log, name):
    assert log["problem"] is None and log["skipped_bytes"] == 0
    errors = {error["sqlstate"]: error for error in log["errors"]}
    assert set(errors) == {"22012", "P0001", "42601"}  # none that clients only spoke of
    assert errors["22012"]["total"] == errors["22012"]["hour"] == 3
    assert errors["22012"]["database"] == f"{name}_db"
    assert errors["P0001"]["message"] == HOSTILE
    query = slow(log, f"{name}_db")
    assert query["calls"] == 4 and query["plans"] == 1  # told twice, counted once
    assert query["max_ms"] <= query["total_ms"]
    assert "script" not in query["query"]  # constants are not shown


def run_often(server, name):
    server.query("SELECT count(*) FROM things WHERE id < 3 AND 'x' <> ''", dbname=f"{name}_db")
    return True


def check_plans(watch, name, server):
    """The query's page has its plan."""
    def page():
        top = of_server(watch.document("queries") or {}, name).get("queries", [])
        ids = [q["id"] for q in top if "count(*) FROM things WHERE id <" in (q["query"] or "")]
        return (watch.document(f"query/{ids[0]}") if ids else None) or {}

    def logged():
        return [p for p in page().get("plans", []) if p["source"] == "auto_explain"]
    wait_for(lambda: run_often(server, name) and logged(), 100, f"the plans of {name}")
    plan, = logged()
    assert page()["log"]["calls"] >= 1 and page()["log"]["max_ms"] > 0
    assert plan["runs"] >= 1 and plan["duration_ms"] > 0
    assert "Seq Scan on things" in plan["plan"] and "Query Text" not in plan["plan"]


def test_logs(pgdeck, logging, tmp_path):
    for name, server in logging.items():
        server.query(f"CREATE DATABASE {name}_db")
        server.query("CREATE EXTENSION pg_stat_statements", dbname=f"{name}_db")
        server.query("CREATE TABLE things AS SELECT 1 AS id", dbname=f"{name}_db")
        with pytest.raises(psycopg.errors.UndefinedTable):
            server.query("SELECT * FROM before_watch", dbname=f"{name}_db")
    watch = Watch(pgdeck, write_deck(tmp_path, {n: s.conninfo() for n, s in logging.items()}))
    wait_for(lambda: all(run_often(s, n) for n, s in logging.items()) and watch.is_up(), 10, "watch")
    def is_begun(log):
        return all(run_often(logging[name], name) and of_server(log, name).get("file")
                   for name in logging)
    watch.wait("log", is_begun, "the logs")
    for name, server in logging.items():
        make_trouble(server, f"{name}_db", *(["x"] if name == "text" else []))
    watch.wait("log", lambda d: all(known(of_server(d, name)) for name in logging), "the errors")
    for name in logging:
        check_log(of_server(watch.document("log"), name), name)
    for name, server in logging.items():
        check_plans(watch, name, server)

    server = logging["csv"]  # rotated, and the new file is cut off at its beginning
    before = of_server(watch.document("log"), "csv")["file"]
    for name, value in (("log_filename", "next.log"), ("log_min_duration_statement", "-1"),
                        ("auto_explain.log_min_duration", "-1")):
        server.query(f"ALTER SYSTEM SET {name} = '{value}'")
    server.query("SELECT pg_reload_conf()")
    server.query("SELECT pg_rotate_logfile()")
    watch.wait("log", lambda d: of_server(d, "csv")["file"] != before, "the next file")
    (server.data / "log" / "next.csv").write_text("")
    cut_at = time.time()
    watch.wait("log", lambda d: of_server(d, "csv")["read_at"] > cut_at, "the file that was cut")
    make_trouble(server, "csv_db")
    watch.wait("log", lambda d: {e["sqlstate"]: e["total"] for e in of_server(d, "csv")["errors"]}
               == {"22012": 6, "P0001": 2, "42601": 2}, "the errors of the next file")
    metrics = check_metrics(read(watch.port, "metrics"))
    wait_for(lambda: watch.metrics().get(
        'pgdeck_log_errors_total{deck="logs",server="csv",sqlstate="22012"}') == 6, 10, "6 errors")
    assert sum("pgdeck_log_errors_total" in series for series in metrics) == 9
    watch.end()


def test_logs_that_cannot_be_read(pgdeck, make_server, tmp_path):
    none, private, plain = (make_server(15, logging_collector=word) for word in ("off", "on", "on"))
    for name, server in (("none", none), ("private", private), ("plain", plain)):
        server.query(f"CREATE DATABASE {name}_db")
    private.query("CREATE ROLE watcher LOGIN IN ROLE pg_monitor")
    deck = write_deck(tmp_path, {"none": none.conninfo(), "plain": plain.conninfo(),
                                 "private": private.conninfo(user="watcher")})
    watch = Watch(pgdeck, deck)
    wait_for(watch.is_up, 10, "pgdeck watch")
    watch.wait("log", lambda d: all(of_server(d, n).get("problem")
                                    for n in ("none", "private", "plain")), "what is the matter")
    log = watch.document("log")
    assert "logging_collector" in of_server(log, "none")["problem"]
    assert PRIVATE in of_server(log, "private")["problem"]
    assert "%e" in of_server(log, "plain")["problem"]
    for environment in watch.document("overview")["environments"]:
        assert "log" not in environment["databases"][0]["not_measured"]
    watch.end()
