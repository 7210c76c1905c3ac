# SPDX-License-Identifier: MIT
"""Documents as `pgdeck watch` puts them on its board (docs/design/watch.md), for the tests of the
dashboard: calm(now) of servers on which all is well, hostile(now) with names that try to be
markup, and with everything wrong at once. write(folder, documents) is what web_board reads."""

import json
import math

HOSTILE = "\"><script>window.hacked=1</script><img src=x onerror=window.hacked=1> '; ü 数据 \u202e{{x}}"
LEVELS = {"development": (500, 0.85), "staging": (200, 0.90), "production": (100, 0.95)}


def write(folder, documents):
    for kind in ("query", "environment"):
        (folder / kind).mkdir(exist_ok=True)
    for name, document in documents.items():
        (folder / f"{name}.json").write_text(json.dumps(document))
    (folder / "metrics.txt").write_text("# TYPE pgdeck_up gauge\npgdeck_up 1\n")


def target(name, label, unit, limit, now, **more):
    return {"name": name, "label": label, "unit": unit, "is_low_bad": name == "cache_hit",
            "source": "pg_stat_statements", "is_estimate": name == "query_p95", "target": limit,
            "now": now, "hour": now, "day": None if now is None else now * 1.1,
            "budget_left": 0.82} | more


def environment(name, at, prefix=""):
    p95, cache = LEVELS[name]
    databases = [{"name": f"{prefix}saascontrol_{name[:4]}_pro{i}", "was_asked": True,
                  "is_reachable": True, "since": at - 7200, "error": None, "sessions": 7 * i,
                  "active": i, "idle_in_transaction": 0, "not_measured": {}} for i in (1, 2)]
    return {"id": f"e{list(LEVELS).index(name)}", "deck": "saas-control-deck",
            "environment": prefix + name, "server": "main",
            "is_reachable": True, "error": None, "databases": databases, "targets": [
                target("query_p95", "Query p95", "ms", p95, p95 * 0.31),
                target("ai_task", "AI task p95", "ms", p95 * 100, p95 * 44),
                target("cache_hit", "Cache hit", "share", cache, 0.9931),
                target("connections", "Connections", "count", 20, 14, is_estimate=False),
                target("query_mean", "query mean", "ms", None, 3.2, budget_left=None)]}


def day(one, at):
    """What the page of the environment shows."""
    targets = [target | {"values": waves(288, (target["now"] or 1), 1), "limit": 40}
               for target in one["targets"]]
    return {name: one[name] for name in ("deck", "environment", "server")} | {
        "at": at, "step_s": 300, "until": at, "targets": targets}


def host(at):
    disk = {"free_bytes": 3e9, "size_bytes": 50e9, "device": 1, "problem": None}
    return {"at": at, "cpu": 0.34, "iowait": 0.02, "steal": 0.03, "memory_bytes": 16e9,
            "memory_available_bytes": 4e9, "load": 1.27, "disks": [
                disk | {"name": "data", "folder": "/var/lib/postgresql/15/main"},
                disk | {"name": "WAL", "folder": "/var/lib/postgresql/15/main/pg_wal"},
                disk | {"name": "away", "folder": "/mnt/away", "free_bytes": None,
                        "size_bytes": None, "device": None, "problem": "Permission denied"}]}


def waves(count, height, phase):
    return [round(height * (1.2 + math.sin(i / 17 + phase) + 0.4 * math.sin(i / 3.1)) / 2, 3)
            if height else 0 for i in range(count)]


def load(at, count=360, names=("IO:DataFileRead", "LWLock:WALWrite", "Lock:transactionid")):
    def span(step, steps):
        heights = [0.9, 0.5, 0.3, 0.25] + [0.2] * len(names)
        events = ["CPU", *names, "other"]
        return {"step_s": step, "until": at, "events": [
            {"event": event, "sessions": [max(0, value) for value in waves(steps, height, i)]}
            for i, (event, height) in enumerate(zip(events, heights))]}
    return {"at": at, "servers": [{"deck": "saas-control-deck", "server": "main", "cores": 2,
                                   "hour": span(10, count), "day": span(300, 288)}]}


QUERIES = (
    "SELECT t.id, t.name, count(r.id) FROM ai_tasks t LEFT JOIN ai_results r ON r.task_id = t.id "
    "WHERE t.user_id = $1 GROUP BY t.id ORDER BY t.created_at DESC LIMIT 20",
    "UPDATE ai_tasks SET status = $1, started_at = now() WHERE id = $2",
    "SELECT model_id, percentile_cont($1) WITHIN GROUP (ORDER BY processing_time_ms) "
    "FROM ai_results WHERE created_at > $2 GROUP BY model_id",
    "INSERT INTO system_logs (level, service, message, created_at) VALUES ($1, $2, $3, now())",
    "SELECT * FROM user_sessions WHERE token = $1 AND expires_at > now()",
)


def query(i, text, database="saascontrol_prod_pro1", role="production_api_gateway_a"):
    mean = 0.4 * 7 ** (i % 4)
    return {"id": f"{i:x}f3a", "database": database, "role": role, "query": text,
            "query_id": "-4711", "environment": "production",
            "calls": 120000 // (i + 1), "rows": 5000, "total_ms": mean * 1000, "mean_ms": mean,
            "share": 0.45 / (i + 1), "p95_ms": mean * 2.9, "p95_is_estimate": True,
            "cache_hit": 0.997, "mean_ms_yesterday": mean * (0.6 + 0.5 * i) if i != 2 else None}


def detail(one, at):
    return one | {
        "deck": "saas-control-deck", "server": "main", "at": at,
        "series": {"step_s": 60, "until": at, "calls": waves(120, 40, 0),
                   "mean_ms": [None if i % 40 == 5 else value
                               for i, value in enumerate(waves(120, one["mean_ms"] * 2, 1))],
                   "p95_ms": waves(120, one["mean_ms"] * 6, 1),
                   "p95_measured_ms": [None] * 60 + waves(60, one["mean_ms"] * 5, 1)},
        "log": {"calls": 12, "total_ms": 9000.0, "max_ms": 3210.0, "last_at": at - 60},
        "samples": [{"at": at - i, "role": one["role"], "application": one["role"],
                     "event": "IO:DataFileRead", "runs_s": 0.2} for i in range(5)],
        "no_plan": f"not planned: permission denied for {one['role']}",
        "plans": [{"at": at - 3600, "since": at - 9000, "source": "auto_explain", "duration_ms": 33.2,
                   "plan": f"Limit  (cost=0.43..8.45 rows=1)\n  -> Index Scan on {one['role']}"}]}


def advice(queries, at):
    return {"at": at, "databases": [{
        "deck_file": "deck.yaml", "database": one["database"], "at": at, "error": None,
        "estimated_by": "hypopg", "statements": [{
            "sql": one["query"], "before": 100.0, "after": 10.0,
            "indexes": [f"CREATE INDEX CONCURRENTLY ON ai_tasks (user_id); -- {one['role']}"]}]}
        for one in queries]}


def calm(at):
    environments = [environment(name, at) for name in LEVELS]
    queries = [query(i, text) for i, text in enumerate(QUERIES * 3)]
    due = [("system_logs", "2027-01-01"), ("audit_trails", "2027-01-01"),
           ("performance_metrics", "2026-11-30")]
    documents = {
        "overview": {"at": at, "watch": {"version": "0.1.0", "started_at": at - 7200, "pid": 1},
                     "environments": environments, "servers": [{
                         "deck": "saas-control-deck", "server": "main", "is_reachable": True,
                         "version": "15.20", "is_in_recovery": False, "started_at": at - 90000,
                         "max_connections": 100, "reserved_connections": 3, "sessions": 42,
                         "active": 3, "idle_in_transaction": 1, "waiting_for_lock": 0,
                         "oldest_transaction_s": 400, "replay_lag_s": None, "xid_age": 3e8,
                         "multixact_age": 10, "cores": 2, "sampled_at": at,
                         "host": host(at)}]},
        "alerts": {"at": at, "alerts": []},
        "load": load(at),
        "blocking": {"at": at, "servers": []},
        "queries": {"at": at, "servers": [{
            "deck": "saas-control-deck", "server": "main", "window_s": 3600, "problem": None,
            "total_ms": 1e6, "queries": queries,
            "own": {"statements": 44, "calls": 5210, "total_ms": 1e4, "share": 0.01},
            "other": {"statements": 412, "calls": 90210, "total_ms": 4e4, "share": 0.04}}]},
        "pools": {"at": at, "sources": [{
            "deck": "saas-control-deck", "url": "http://127.0.0.1:6433/metrics", "error": None,
            "pools": [{"environment": name, "service": service, "database": "x", "clients": 40,
                       "waiting": 0, "servers": 12, "idle": 9, "p95_ms": 4.2, "max_wait_s": 0}
                      for name in LEVELS for service in ("api_gateway", "data_service")]}]},
        "partitions": {"at": at, "tables": [
            {"deck": "saas-control-deck", "environment": "production",
             "database": "saascontrol_prod_pro1", "table": table, "parts": 9, "newest": "x",
             "next_due": f"{table}_next on {day}", "problem": None} for table, day in due]},
        "health": {"at": at, "decks": [{"deck_file": "deck.yaml", "at": at - 30, "error": None,
                                        "count": 0, "findings": []}]},
        "drift": {"at": at, "decks": [{"deck": "saas-control-deck", "at": at - 200, "error": None,
                                       "changes": []}]},
    }
    documents["advice"] = advice(queries, at)
    for one in queries:
        documents[f"query/{one['id']}"] = detail(one, at)
    for one in environments:
        documents[f"environment/{one['id']}"] = day(one, at)
    documents["forecasts"] = forecasts(at, "main", "public.orders_id_seq")
    documents["log"] = log(at, "main", "duplicate key value violates unique constraint")
    return documents


def forecasts(at, server, name):
    one = {"deck": "saas-control-deck", "server": server, "environment": None, "database": None,
           "kind": "disk", "name": name, "fix_sql": None, "measured_at": at, "room": 3e9,
           "a_day": 2e8, "fit": 0.98, "samples": 700, "history_s": 86400, "not_before": None,
           "runs_out_at": at + 15 * 86400, "outlook": "runs out"}
    away = {"runs_out_at": None, "room": 1e6, "kind": "sequence", "database": name}
    return {"at": at, "forecasts": [
        one, one | away | {"runs_out_at": at + 3 * 86400},
        one | away | {"outlook": "far", "not_before": at + 30 * 86400},
        one | away | {"outlook": "too little history"}, one | away | {"outlook": "no steady trend"},
        one | away | {"kind": "transaction ids", "name": "", "outlook": "kept young by autovacuum"}]}


def log(at, server, text):
    return {"at": at, "servers": [{
        "deck": "saas-control-deck", "server": server, "read_at": at, "file": "log/x.csv",
        "problem": None, "skipped_bytes": 0, "left_out": 0, "queries": [], "errors": [
            {"sqlstate": "23505", "hour": 12, "total": 40, "last_at": at - 30, "database": text,
             "message": text},
            {"sqlstate": "40P01", "hour": 0, "total": 3, "last_at": at - 9000, "database": None,
             "message": "of long ago"}]}]}


def session(pid, blockers, name, at):
    return {"pid": pid, "blockers": blockers, "waits_for": f"AccessExclusiveLock on {name}",
            "lock_type": "relation", "waiting_s": 12.5 if blockers else None,
            "transaction_s": 300.0, "database": name, "role": name, "application": name,
            "state": "idle in transaction", "query": f"ALTER TABLE {name} ADD x int", "at": at,
            "fix_sql": None if blockers else f"SELECT pg_terminate_backend({pid}) -- {name}"}


def hostile(at):
    documents = calm(at)
    environments = [environment(name, at, HOSTILE) for name in LEVELS]
    for one in environments[0]["databases"]:
        one.update(is_reachable=False, error=f"connection refused: {HOSTILE}", sessions=None)
    for one in environments[0]["targets"]:
        one.update(now=None, hour=None, day=None, budget_left=None)
    environments[1]["targets"][0].update(now=900.0, budget_left=-2.0, label=HOSTILE,
                                         source=HOSTILE)
    documents["overview"]["environments"] = environments
    server = documents["overview"]["servers"][0]
    server.update(server=HOSTILE, version=HOSTILE)
    for disk in server["host"]["disks"]:
        disk.update(name=HOSTILE, folder=HOSTILE)
    documents["alerts"]["alerts"] = [{
        "level": level, "name": HOSTILE, "server": HOSTILE, "environment": HOSTILE,
        "database": HOSTILE, "object": HOSTILE, "since": at - 100, "message": f"{level}: {HOSTILE}",
        "fix_sql": f"SELECT '{HOSTILE}';", "fix_database": HOSTILE}
        for level in ("critical", "warning")]
    documents["load"] = load(at, names=(HOSTILE, f"Extension:{HOSTILE}", "Lock:tuple"))
    documents["load"]["servers"][0]["server"] = HOSTILE
    queries = [query(i, f"SELECT {i}, '{HOSTILE}' -- {text}", HOSTILE, HOSTILE)
               for i, text in enumerate(QUERIES)]
    documents["queries"]["servers"][0].update(queries=queries, problem=HOSTILE, server=HOSTILE)
    documents["advice"] = advice(queries, at)
    for one in queries:
        documents[f"query/{one['id']}"] = detail(one, at)
    documents["blocking"]["servers"] = [{
        "deck": HOSTILE, "server": HOSTILE, "at": at, "sessions": [
            session(4711, [], HOSTILE, at), session(4712, [4711], HOSTILE, at),
            session(4713, [4712], HOSTILE, at), session(0, [], HOSTILE, at)]}]
    documents["pools"]["sources"][0].update(error=HOSTILE)
    for one in documents["pools"]["sources"][0]["pools"]:
        one.update(service=HOSTILE, waiting=9)
    for one in documents["partitions"]["tables"]:
        one.update(table=HOSTILE, database=HOSTILE, problem=HOSTILE)
    documents["health"]["decks"][0].update(error=HOSTILE, findings=[{
        "severity": "warning", "server": HOSTILE, "database": HOSTILE, "check": HOSTILE,
        "finding": HOSTILE, "evidence": HOSTILE, "certainty": "sure",
        "fix_sql": f"REINDEX {HOSTILE}", "fix_database": HOSTILE}] * 7)
    for one in environments:
        documents[f"environment/{one['id']}"] = day(one, at) | {"deck": HOSTILE, "server": HOSTILE}
    documents["forecasts"] = forecasts(at, HOSTILE, HOSTILE)
    documents["log"] = log(at, HOSTILE, HOSTILE)
    documents["drift"]["decks"][0].update(error=HOSTILE, changes=[
        {"database": HOSTILE, "what": HOSTILE, "why": HOSTILE}])
    return documents
