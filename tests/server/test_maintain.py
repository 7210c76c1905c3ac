# SPDX-License-Identifier: MIT
"""pgdeck maintain: what is due is done, recorded, within its window, and nothing else."""

import json
import signal
import time

import pytest

from test_advisor_ddl import EVENTS, bounds, deck  # noqa: F401


def maintain(deck, verb, *args, expect=0, env=None):
    result = deck.pgdeck("maintain", verb, "-d", deck.file, "--json", *args, env=env)
    assert result.code == expect, result.err + result.out
    return json.loads(result.out)


def tasks(reports, state=None):
    return {(task["task"], task["relation"]) for report in reports for task in report["tasks"]
            if state is None or task["state"] == state}


def settled(deck):
    """Until the server's counters have what was done."""
    deadline = time.monotonic() + 20
    while deck.value("SELECT count(*) FROM pg_stat_user_tables WHERE relname ~ '^t_' "
                     "AND n_live_tup + n_dead_tup < 1000"):
        assert time.monotonic() < deadline, "counters do not arrive"
        time.sleep(0.05)


@pytest.fixture
def twenty(deck):
    """20 tables without autovacuum, all tended; then five get work."""
    deck.write().applied()
    for i in range(20):
        deck.run(f"CREATE TABLE t_{i:02} (id int PRIMARY KEY, n int) "
                 "WITH (autovacuum_enabled = off)")
        deck.run(f"INSERT INTO t_{i:02} SELECT i, i FROM generate_series(1, 2000) i")
    settled(deck)
    for i in range(20):
        deck.run(f"VACUUM ANALYZE t_{i:02}")
    return deck


def make_work(deck):
    for i in (3, 7):
        deck.run(f"DELETE FROM t_{i:02} WHERE id <= 600")
    for i in (11, 12):
        deck.run(f"INSERT INTO t_{i:02} SELECT i, i FROM generate_series(3001, 4000) i")
    deck.run("UPDATE t_19 SET n = n + 1")
    deadline = time.monotonic() + 20
    while deck.value("SELECT count(*) FROM pg_stat_user_tables "
                     "WHERE n_mod_since_analyze >= 600") < 5:
        assert time.monotonic() < deadline, "counters do not arrive"
        time.sleep(0.05)


def test_daily_touches_the_five_that_need_work(twenty):
    assert tasks(maintain(twenty, "daily")) == set()
    make_work(twenty)
    wanted = {("vacuum", "public.t_03"), ("vacuum", "public.t_07"), ("vacuum", "public.t_19"),
              ("analyze", "public.t_11"), ("analyze", "public.t_12")}
    before = twenty.value("SELECT count(*) FROM pgdeck.maintenance_run")
    planned = maintain(twenty, "daily", "--dry-run")
    assert tasks(planned, "planned") == wanted
    assert twenty.value("SELECT count(*) FROM pgdeck.maintenance_run") == before
    done = maintain(twenty, "daily")
    assert tasks(done, "done") == wanted and tasks(done) == wanted
    touched = twenty.run("SELECT relname FROM pg_stat_user_tables WHERE relname ~ '^t_' "
                         "AND vacuum_count + analyze_count > 2 ORDER BY 1")
    assert [row[0] for row in touched] == ["t_03", "t_07", "t_11", "t_12", "t_19"]
    records = dict(twenty.run("SELECT relation, gained FROM pgdeck.maintenance_task "
                              "WHERE state = 'done' AND finished_at >= started_at"))
    assert "600 dead rows cleared" in records["public.t_03"]
    assert "changed since the last" in records["public.t_11"]
    assert tasks(maintain(twenty, "daily")) == set()


def test_one_failure_does_not_stop_the_rest(twenty):
    make_work(twenty)
    with twenty.server.connect(twenty.database) as holder:
        holder.execute("BEGIN; LOCK TABLE t_07 IN SHARE UPDATE EXCLUSIVE MODE")
        report = maintain(twenty, "daily", expect=20)
    assert tasks(report, "failed") == {("vacuum", "public.t_07")}
    assert len(tasks(report, "done")) == 4
    failed, = [task for task in report[0]["tasks"] if task["state"] == "failed"]
    assert "lock timeout" in failed["error"]
    assert twenty.value("SELECT state FROM pgdeck.maintenance_run ORDER BY id DESC LIMIT 1") \
        == "failed"


def test_whoever_comes_second_is_told(twenty):
    make_work(twenty)
    with twenty.server.connect(twenty.database) as other:
        other.execute("SELECT pg_advisory_lock(x'7067646563'::bigint * 256 + 109)")
        report, = maintain(twenty, "daily")
    assert report["held"] and not report["tasks"]
    assert len(tasks(maintain(twenty, "daily"), "done")) == 5


def test_a_role_that_may_not_is_told(twenty):
    """PostgreSQL would only warn and do nothing."""
    make_work(twenty)
    owner = twenty.value("SELECT current_user")
    twenty.run("CREATE ROLE somebody LOGIN")
    twenty.run("ALTER TABLE t_03 OWNER TO somebody")
    twenty.run(f"GRANT CREATE ON DATABASE \"{twenty.database}\" TO somebody")
    try:
        report = maintain(twenty, "daily", "--set", "servers.main.conninfo="
                          + twenty.server.conninfo(user="somebody"))
    finally:
        twenty.run("DROP SCHEMA pgdeck CASCADE")
        twenty.run(f"ALTER TABLE t_03 OWNER TO {owner}")
        twenty.run("DROP OWNED BY somebody")
        twenty.run("DROP ROLE somebody")
    assert tasks(report, "done") == {("vacuum", "public.t_03")}
    assert len(tasks(report, "left")) == 4


def test_leftovers_and_partitions(deck):
    """What REINDEX CONCURRENTLY left is dropped, other invalid indexes are told; partitions are
    made ahead, and the whole of a partitioned table is analyzed."""
    deck.write(EVENTS, more="partitions:\n  - {table: events, range: created_at, every: 1 month, "
                            "premake: 2}\n").applied()
    deck.run("INSERT INTO events (created_at) SELECT now() FROM generate_series(1, 2000)")
    newest = sorted(bounds(deck, "events"))[-1]
    deck.run(f"DROP TABLE {newest}")
    deck.run("CREATE TABLE t_x (id int, n int)")
    deck.run("INSERT INTO t_x VALUES (1, 1), (1, 2)")
    for name in ("t_x_id_ccnew", "t_x_wanted"):
        with pytest.raises(Exception, match="could not create unique index"):
            deck.run(f"CREATE UNIQUE INDEX CONCURRENTLY {name} ON t_x (id)")
    deadline = time.monotonic() + 20
    report, = maintain(deck, "daily")
    while not any(task["what"] == "analyze public.events as a whole" for task in report["tasks"]):
        assert time.monotonic() < deadline, report
        report, = maintain(deck, "daily")
    names = deck.run("SELECT relname FROM pg_class WHERE relname ~ '^t_x_'")
    assert names == [("t_x_wanted",)]
    assert any("t_x_wanted" in finding["text"] for finding in report["findings"])
    assert newest in bounds(deck, "events")
    assert deck.value("SELECT count(*) FROM pgdeck.maintenance_task WHERE state = 'done' "
                      "AND task IN ('sweep', 'partition')") == 2


BLOATED = 60_000


@pytest.fixture
def bloated(deck):
    """Two indexes of 1 MB and more: one mostly air, one as it should be."""
    deck.write().applied()
    deck.run("CREATE EXTENSION IF NOT EXISTS pgstattuple")
    for name in ("t_air", "t_full"):
        deck.run(f"CREATE TABLE {name} (id int) WITH (autovacuum_enabled = off)")
        deck.run(f"INSERT INTO {name} SELECT i FROM generate_series(1, %s) i", BLOATED)
        deck.run(f"CREATE INDEX {name}_id ON {name} (id)")
    deck.run("DELETE FROM t_air WHERE mod(id, 5) <> 0")
    deck.run("VACUUM ANALYZE t_air")
    deck.run("VACUUM ANALYZE t_full")
    return deck


SMALL = ("--set", "environments.test.maintenance.index_size=1MB")


def test_weekly_rebuilds_what_gives_room_back(bloated):
    full = bloated.value("SELECT pg_relation_filenode('t_full_id')")
    report = maintain(bloated, "weekly", *SMALL)
    assert tasks(report, "done") == {("reindex", "public.t_air_id")}
    task, = report[0]["tasks"]
    assert "given back" in task["gained"] and "measured" in task["why"]
    assert bloated.value("SELECT pg_relation_filenode('t_full_id')") == full
    assert tasks(maintain(bloated, "weekly", *SMALL)) == set()


def test_growth_is_seen_without_pgstattuple(bloated):
    """The first sight is the measure; what grew beyond the deck's share since then is rebuilt."""
    bloated.run("DROP EXTENSION pgstattuple")
    assert tasks(maintain(bloated, "weekly", *SMALL)) == set()
    bloated.run("DELETE FROM t_full WHERE id > 20000")
    bloated.run("VACUUM ANALYZE t_full")
    bloated.run("REINDEX INDEX t_air_id")  # smaller than remembered: nothing to do
    bloated.run("INSERT INTO t_full SELECT 1 FROM generate_series(1, 10)")
    report = maintain(bloated, "weekly", *SMALL)
    assert tasks(report, "done") == {("reindex", "public.t_full_id")}


def test_the_budgets_of_a_rebuild(bloated):
    """Gains less than the deck's share: not done. Over the budget of WAL: left, and said."""
    def keys(**more):
        return SMALL + tuple(word for key, value in more.items()
                             for word in ("--set", f"environments.test.maintenance.{key}={value}"))
    assert tasks(maintain(bloated, "weekly", *keys(index_bloat="90%"))) == set()
    bloated.run("INSERT INTO t_air SELECT i FROM generate_series(1, 400000) i")
    bloated.run("DELETE FROM t_air WHERE mod(id, 3) <> 0")
    bloated.run("VACUUM ANALYZE t_air")
    report = maintain(bloated, "weekly", *keys(wal="1MB"))
    task, = [task for task in report[0]["tasks"] if task["task"] == "reindex"]
    assert task["state"] == "left" and "of the budget are left" in task["error"]


def test_backups_are_checked(deck, tmp_path):
    """Each tool's own answer; what is old, failed or not there is a critical finding of
    production."""
    text = deck.write().file.read_text().replace("test:", "production:").replace(
        "environment: test", "environment: production")
    deck.file.write_text(text)
    deck.applied()
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()

    def found(kind, answer, status=0, **more):
        for name in ("pgbackrest", "barman", "wal-g"):
            program = bin_folder / name
            program.write_text(f"#!/bin/sh\ncat <<'EOF'\n{answer}\nEOF\nexit {status}\n")
            program.chmod(0o755)
        sets = [word for key, value in {"kind": kind, **more}.items()
                for word in ("--set", f"environments.production.maintenance.backup.{key}={value}")]
        result = deck.pgdeck("maintain", "daily", "-n", "-d", deck.file, "--json", *sets,
                             env={"PATH": f"{bin_folder}:/usr/bin:/bin"})
        finding, = json.loads(result.out)[0]["findings"]
        assert (result.code == 2) == (finding["severity"] == "critical"), result.out
        return finding["severity"], finding["text"]

    now = int(time.time())
    assert found("none", "")[0] == "critical"
    backrest = '[{"name":"main","backup":[{"error":false,"timestamp":{"stop":%d}}]}]'
    assert found("pgbackrest", backrest % (now - 3600)) == (
        "info", "the newest good backup is 1.0 hours old")
    severity, said = found("pgbackrest", backrest % (now - 100 * 3600))
    assert severity == "critical" and "100.0 hours old, more than 26.0" in said
    assert found("pgbackrest", "[]") == ("critical", "there is no good backup")
    severity, said = found("pgbackrest", "no such stanza", status=55)
    assert severity == "critical" and "exit status 55" in said and "no such stanza" in said
    barman = '{"main":[{"status":"DONE","end_time_timestamp":"%d"}]}'
    assert found("barman", barman % (now - 7200))[1].endswith("2.0 hours old")
    walg = '[{"finish_time":"%s"}]' % time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now - 10800))
    assert found("wal-g", walg)[1].endswith("3.0 hours old")
    assert found("command", "", command=f"echo {now - 60}")[0] == "info"
    assert found("command", "", command="date -d '3 days ago'")[0] == "critical"
    assert found("command", "", command="true")[1] == "there is no good backup"
