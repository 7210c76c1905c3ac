# SPDX-License-Identifier: MIT
"""pgdeck maintain: what is due is done, recorded, within its window, and nothing else."""

import datetime
import json
import signal
import time
import zoneinfo

import pytest

from browser import PHONE, WIDE, open_browser
from cluster import wait_for
from test_advisor_ddl import EVENTS, Deck, bounds, deck  # noqa: F401
from test_partition_throttle import replicated  # noqa: F401

BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")
UTC = datetime.timezone.utc
SMALL = ("--set", "environments.test.maintenance.index_size=1MB")


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


@pytest.mark.short(15)
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


@pytest.mark.short(15)
def test_a_kill_in_the_middle_is_made_good(twenty):
    """Killed before and after each task: the next run does what is left, and nothing twice."""
    make_work(twenty)
    for point in (2, 5, 6):
        killed = twenty.pgdeck("maintain", "daily", "-d", twenty.file,
                               env={"PGDECK_CRASH_AT": str(point)})
        assert killed.code not in (0, 20), killed.out
    wait_until_free(twenty)
    maintain(twenty, "daily")
    states = twenty.run("SELECT state, count(*)::int FROM pgdeck.maintenance_task GROUP BY 1 "
                        "ORDER BY 1")
    assert dict(states)["stopped"] == 3 and "running" not in dict(states)
    assert twenty.run("SELECT state FROM pgdeck.maintenance_run ORDER BY id") == \
        [("stopped",)] * 3 + [("done",)]
    assert tasks(maintain(twenty, "daily")) == set()
    assert twenty.value("SELECT max(vacuum_count) FROM pg_stat_user_tables") == 2


def wait_until_free(deck):
    deadline = time.monotonic() + 20
    while deck.value("SELECT count(*) FROM pg_stat_activity WHERE application_name ~ '^pgdeck'"):
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.short(15)
def test_the_end_of_the_window_leaves_nothing(twenty):
    """What is under work is cancelled, what is not begun is not begun; no lock, no invalid index
    that the next sweep does not remove."""
    twenty.run("CREATE EXTENSION pgstattuple")
    twenty.run("CREATE TABLE t_big (id int, pad text) WITH (autovacuum_enabled = off)")
    twenty.run("INSERT INTO t_big SELECT i, repeat('x', 50) FROM generate_series(1, 200000) i")
    twenty.run("CREATE INDEX t_big_id ON t_big (id)")
    twenty.run("DELETE FROM t_big WHERE mod(id, 3) <> 0")
    twenty.run("VACUUM ANALYZE t_big")
    with twenty.server.connect(twenty.database) as holder:
        holder.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM t_big")
        begun = time.monotonic()
        now = datetime.datetime.now(UTC)
        begin = now - datetime.timedelta(minutes=1) + datetime.timedelta(seconds=4)
        weekly = begin.strftime("%a %H:%M").lower()
        late = datetime.datetime.combine(now.date(), datetime.time(begin.hour, begin.minute), UTC)
        result = twenty.pgdeck(
            "maintain", "calendar", "--run", "--json", "-d", twenty.file, *SMALL,
            "--now", (late + datetime.timedelta(seconds=57)).isoformat(),
            "--set", f"environments.test.maintenance.weekly={weekly}",
            "--set", "environments.test.maintenance.window=1min", "--set", "give_up=1min")
        took = time.monotonic() - begun
        report = json.loads(result.out)[0]["report"]
        task, = [task for task in report["tasks"] if task["task"] == "reindex"]
        assert result.code == 3, result.out
        assert task["state"] == "stopped" and "window ended" in task["error"], task
        assert took < 20
        assert twenty.value("SELECT count(*) FROM pg_locks WHERE relation = 't_big'::regclass "
                            "AND mode ~ 'Exclusive'") == 0
        left = twenty.run("SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid")
        told = [finding["sql"] for finding in report["findings"] if finding["sql"]]
        assert all(any(name[0] in sql for sql in told) for name in left)
    maintain(twenty, "daily")
    assert twenty.run("SELECT 1 FROM pg_index WHERE NOT indisvalid") == []


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


def bloat(deck):
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


@pytest.fixture
def bloated(deck):
    return bloat(deck)


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


@pytest.mark.pg(min=15, max=15)  # pg_basebackup comes with Debian's only
def test_a_rebuild_waits_for_replicas(replicated):
    """A standby that stands still: its replay_lag does not grow, what it has replayed does not
    either. Until the window's end nothing is rebuilt; once it goes on, all is."""
    deck, standby = replicated
    standby.configure(recovery_min_apply_delay="0")
    standby.reload()
    bloat(deck)
    wait_for(lambda: deck.value("SELECT bool_and(replay_lsn >= pg_current_wal_lsn()) "
                                "FROM pg_stat_replication"), 20, "the standby")
    standby.query("SELECT pg_wal_replay_pause()")
    deck.run("CREATE TABLE t_more AS SELECT 1 AS n")
    keys = (*SMALL, "--set", "environments.test.maintenance.replica_lag=1s")
    process = deck.pgdeck.start("maintain", "weekly", "-d", deck.file, "--json", *keys)
    for line in process.stderr:
        if "waits: a replica is more than 1.0 s behind" in line:
            break
    else:
        raise AssertionError("it does not wait")
    assert process.poll() is None
    standby.query("SELECT pg_wal_replay_resume()")
    out, _err = process.communicate(timeout=60)
    assert tasks(json.loads(out), "done") >= {("reindex", "public.t_air_id")}


def test_what_is_told_is_sql(deck):
    """Tables with which autovacuum cannot keep up and indexes that nobody needs, each with the
    statement that helps; which the server takes, and after which nothing is told."""
    deck.write().applied()
    deck.run("CREATE TABLE t_off (id int, n int) WITH (autovacuum_enabled = off)")
    deck.run("CREATE TABLE t_late (id int, n int) WITH (autovacuum_vacuum_scale_factor = 100)")
    deck.run("CREATE INDEX t_late_one ON t_late (id)")
    deck.run("CREATE INDEX t_late_two ON t_late (id)")
    deck.run("CREATE INDEX t_late_idle ON t_late (n)")
    for name in ("t_off", "t_late"):
        deck.run(f"INSERT INTO {name} SELECT i, i FROM generate_series(1, 20000) i")
        deck.run(f"ANALYZE {name}")
    deck.run("DELETE FROM t_off WHERE id <= 8000")

    def told():
        report, = maintain(deck, "weekly", "--dry-run", "--set", "index_review=0s")
        return {finding["sql"]: finding["text"] for finding in report["findings"]
                if finding["sql"] and "t_" in finding["sql"]}

    off = "ALTER TABLE public.t_off RESET (autovacuum_enabled)"
    late = ("ALTER TABLE public.t_late SET (autovacuum_vacuum_scale_factor = 0.1, "
            "autovacuum_analyze_scale_factor = 0.1)")
    deadline = time.monotonic() + 20
    while off not in told():
        assert time.monotonic() < deadline, told()
    found = told()
    assert "has 8000 dead rows" in found[off] and "only after 2000050 dead ones" in found[late]
    drop = next(sql for sql, text in found.items() if "is duplicate" in text)
    assert "t_late_" in drop
    unused, = [sql for sql, text in found.items() if "t_late_idle is unused" in text]
    for sql in (off, late, drop, unused):
        deck.run(sql)
    assert not {off, late, drop, unused} & set(told())
    assert deck.value("SELECT to_regclass('t_late_idle')") is None


def test_autovacuum_cannot_keep_up(make_server, pg_version, pgdeck, tmp_path):
    """It has been at the table, and three times as much is dead as it starts at."""
    server = make_server(pg_version, autovacuum_naptime="1s")
    deck = Deck(pgdeck, server, tmp_path / "deck", "ddl").write()
    deck.applied()
    deck.run("CREATE TABLE t_busy AS SELECT i AS id, i AS n FROM generate_series(1, 2000) i")
    deck.run("CREATE TABLE t_calm AS SELECT i AS id, i AS n FROM generate_series(1, 2000) i")
    deck.run("UPDATE t_busy SET n = n + 1")
    wait_for(lambda: deck.value("SELECT autovacuum_count FROM pg_stat_user_tables "
                                "WHERE relname = 't_busy'"), 30, "autovacuum")
    with server.connect("ddl") as holder:
        holder.execute("BEGIN; LOCK TABLE t_busy IN SHARE UPDATE EXCLUSIVE MODE")
        deck.run("UPDATE t_busy SET n = n + 1")
        deck.run("UPDATE t_busy SET n = n + 1")

        def told():
            report, = maintain(deck, "weekly", "--dry-run")
            return {finding["sql"]: finding["text"] for finding in report["findings"]
                    if finding["sql"] and "t_" in finding["sql"]}

        sql = ("ALTER TABLE public.t_busy SET (autovacuum_vacuum_cost_limit = 2000, "
               "autovacuum_vacuum_cost_delay = 1)")
        wait_for(lambda: sql in told(), 20, "the proposal")
        assert "cannot keep up with public.t_busy" in told()[sql] and list(told()) == [sql]
        holder.execute("COMMIT")
        deck.run(sql)
        assert told() == {}


def test_backups_are_checked(deck, tmp_path):
    """Each tool's own answer; what is old, failed or not there is a critical finding of
    production: of maintain and of health."""
    deck.write().applied()
    assert deck.pgdeck("health", "-d", deck.file, "--check", "backup", expect=0)
    text = deck.file.read_text().replace("test:", "production:").replace(
        "environment: test", "environment: production")
    deck.file.write_text(text)
    deck.applied()
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    fixes = []

    def found(kind, answer, status=0, **more):
        for name in ("pgbackrest", "barman", "wal-g"):
            program = bin_folder / name
            program.write_text(f"#!/bin/sh\ncat <<'EOF'\n{answer}\nEOF\nexit {status}\n")
            program.chmod(0o755)
        sets = [word for key, value in {"kind": kind, **more}.items()
                for word in ("--set", f"environments.production.maintenance.backup.{key}={value}")]
        env = {"PATH": f"{bin_folder}:/usr/bin:/bin"}
        result = deck.pgdeck("maintain", "daily", "-n", "-d", deck.file, "--json", *sets, env=env)
        finding, = json.loads(result.out)[0]["findings"]
        is_critical = finding["severity"] == "critical"
        assert result.code == (2 if is_critical else 0), result.out
        health = deck.pgdeck("health", "-d", deck.file, "--check", "backup", "--json", *sets,
                             env=env, expect=2 if is_critical else 0)
        seen, = [row for row in json.loads(health.out)["findings"] if row["check"] == "backup"]
        assert seen["severity"] == ("critical" if is_critical else "ok")
        assert seen["finding"] == finding["text"]
        fixes.append(seen["fix_sql"])
        return finding["severity"], finding["text"]

    now = int(time.time())
    assert found("none", "")[0] == "critical" and "Say in the deck" in fixes[-1]
    backrest = '[{"name":"main","backup":[{"error":false,"timestamp":{"stop":%d}}]}]'
    assert found("pgbackrest", backrest % (now - 3600)) == (
        "info", "the newest good backup is 1.0 hours old")
    severity, said = found("pgbackrest", backrest % (now - 100 * 3600))
    assert severity == "critical" and "100.0 hours old, more than 26.0" in said
    assert found("pgbackrest", "[]", name="main") == ("critical", "there is no good backup")
    assert fixes[-2:] == ["-- Make one: pgbackrest backup --stanza=NAME",
                          "-- Make one: pgbackrest backup --stanza=main"]
    severity, said = found("pgbackrest", "no such stanza", status=55)
    assert severity == "critical" and "exit status 55" in said and "no such stanza" in said
    barman = '{"main":[{"status":"DONE","end_time_timestamp":"%d"}]}'
    assert found("barman", barman % (now - 7200))[1].endswith("2.0 hours old")
    walg = '[{"finish_time":"%s"}]' % time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now - 10800))
    assert found("wal-g", walg)[1].endswith("3.0 hours old")
    assert found("command", "", command=f"echo {now - 60}")[0] == "info"
    assert found("command", "", command="date -d '3 days ago'")[0] == "critical"
    assert found("command", "", command="true")[1] == "there is no good backup"
    slow = "environments.production.maintenance.backup={kind: command, command: sleep 20}"
    late = deck.pgdeck("health", "-d", deck.file, "-c", "backup", "--timeout", "1", "--set", slow)
    assert late.code == 3 and "no end within" in late.out, late.out


# --- the calendar -----------------------------------------------------------------------------

SIX = [f"cal_{environment}_{i}" for environment in ("dev", "stage", "prod") for i in (1, 2)]
CALENDAR = """
deck: calendar
servers:
  main: {conninfo: "CONNINFO", memory: 512MB, cpus: 2, storage: ssd}
environments:
  dev: &e
    server: main
    max_connections: 10
    maintenance: {daily: "00:30", weekly: "sun 02:00", monthly: "first sun 03:00", time_zone: Europe/Berlin}
  stage:
    server: main
    max_connections: 10
    maintenance: {daily: "00:30", weekly: "sun 02:00", monthly: "first sun 03:00", time_zone: Europe/Berlin}
  prod:
    server: main
    max_connections: 10
    maintenance: {daily: "00:30", weekly: "sun 02:00", monthly: "first sun 03:00", time_zone: Europe/Berlin,
                  backup: {kind: command, command: "date"}}
databases:
""".replace(" &e", "")


class Calendar:
    def __init__(self, pgdeck, server, folder):
        folder.mkdir()
        self.pgdeck, self.server, self.file = pgdeck, server, folder / "deck.yaml"
        text = CALENDAR.replace("CONNINFO", server.conninfo())
        self.file.write_text(text + "".join(
            f"  {name}: {{environment: {name.split('_')[1]}}}\n" for name in SIX))
        self.ran = []

    def make_table(self, *tables):
        for name in SIX:
            for table in tables:
                self.server.query(f"CREATE TABLE {table} WITH (autovacuum_enabled = off) AS "
                                  "SELECT i FROM generate_series(1, 2000) i", dbname=name)

    def make_work(self, *tables):
        """Dead rows in each of the six databases."""
        for name in SIX:
            for table in tables:
                self.server.query(f"UPDATE {table} SET i = i + 1", dbname=name)
        deadline = time.monotonic() + 20
        while any(self.server.value("SELECT count(*) FROM pg_stat_user_tables WHERE n_dead_tup "
                                    ">= 2000", dbname=name) < len(tables) for name in SIX):
            assert time.monotonic() < deadline, "counters do not arrive"
            time.sleep(0.05)

    def arguments(self, now, *more):
        return ("maintain", "calendar", "-d", self.file, "--json", "--now", now.isoformat(), *more)

    def keep(self, now, twice=False, crash_at=None):
        """One tick of a daemon, of two at once, or of one that is killed and another after it."""
        if crash_at is not None:
            killed = self.pgdeck(*self.arguments(now, "--run"),
                                 env={"PGDECK_CRASH_AT": str(crash_at)})
            assert killed.code not in (0, 2), killed.out
        processes = [self.pgdeck.start(*self.arguments(now, "--run"))
                     for _ in range(2 if twice else 1)]
        for process in processes:
            out, err = process.communicate(timeout=60)
            assert process.returncode == 0, err + out
            self.note(now, json.loads(out))

    def note(self, now, appointments):
        for item in appointments:
            report = item["report"]
            if report and not report["held"] and not report["before"]:
                begin = datetime.datetime.fromisoformat(item["begin"] + ":00")
                self.ran.append((item["database"], item["kind"], begin, now))

    def rows(self, database, kind):
        return [row[0] for row in self.server.query(
            "SELECT window_begin FROM pgdeck.maintenance_run WHERE kind = %s "
            "AND window_begin IS NOT NULL AND state = 'done' ORDER BY 1", kind, dbname=database)]


@pytest.fixture
def calendar(pgdeck, server, tmp_path):
    for name in SIX:
        server.query(f"CREATE DATABASE {name}")
    yield Calendar(pgdeck, server, tmp_path / "calendar")
    for name in SIX:
        server.query(f"DROP DATABASE {name} WITH (FORCE)")


def wanted_windows(first, last):
    """What the deck's calendar means in Berlin, by Python's own reckoning."""
    windows = {"daily": [], "weekly": [], "monthly": []}
    day = first.date()
    while day <= last.date():
        def at(hour, minute, day=day):
            local = datetime.datetime.combine(day, datetime.time(hour, minute), BERLIN)
            return local.astimezone(UTC)
        windows["daily"].append(at(0, 30))
        if day.isoweekday() == 7:
            windows["weekly"].append(at(2, 0))
            if day.day <= 7:
                windows["monthly"].append(at(3, 0))
        day += datetime.timedelta(days=1)
    return {kind: [begin for begin in begins if first <= begin <= last]
            for kind, begins in windows.items()}


@pytest.mark.pg(min=15, max=15)  # 14's counters come late: what was vacuumed looks as if it was not
def test_a_month_of_the_calendar(calendar):
    """Every job due ran once, in its window in Berlin, over the change to summer time; two at once
    and kills lose and double none; what was missed is made up for."""
    first = datetime.datetime(2026, 3, 1, 0, 0, tzinfo=BERLIN)
    down = (datetime.datetime(2026, 3, 14, 20, 0, tzinfo=BERLIN),
            datetime.datetime(2026, 3, 15, 14, 0, tzinfo=BERLIN))
    ticks = works = 0
    calendar.make_table("w_1")
    for number in range(31):
        for hour, minute in ((0, 40), (3, 20), (15, 0)):
            now = datetime.datetime(2026, 3, 1 + number, hour, minute, tzinfo=BERLIN)
            if down[0] < now < down[1] or (minute == 20 and now.isoweekday() != 7) or (
                    hour == 15 and number % 7 != 0):
                continue
            ticks += 1
            is_killed = ticks % 4 == 0 and hour != 15 and number != 15
            if is_killed:
                calendar.make_work("w_1")
                works += 1
            calendar.keep(now.astimezone(UTC), twice=ticks % 5 == 0,
                          crash_at=1 + ticks // 4 % 6 if is_killed else None)
    windows = wanted_windows(first, now)
    assert windows["weekly"][-1].hour == 1  # 02:00 does not exist on the 29th: 03:00, in UTC 01:00
    for name in SIX:
        for kind, begins in windows.items():
            assert calendar.rows(name, kind) == begins, (name, kind)
        assert works > 5 and calendar.server.query(
            "SELECT (SELECT vacuum_count FROM pg_stat_user_tables WHERE relname = 'w_1'), count(*) "
            "FROM pgdeck.maintenance_task WHERE state = 'running'", dbname=name) == [(works, 0)]
    late = [run for run in calendar.ran if not run[2] <= run[3] < run[2] + datetime.timedelta(hours=3)]
    missed = {(name, kind) for name in SIX for kind in ("daily", "weekly")}
    assert {run[:2] for run in late} == missed and len(late) == len(missed)
    for name, kind, begin, at in late:
        assert begin.date() in (datetime.date(2026, 3, 14), datetime.date(2026, 3, 15))
        local = at.astimezone(BERLIN)
        assert (local.day, local.hour) == ((15, 15) if kind == "daily" else (16, 0))
    assert len({run[:3] for run in calendar.ran}) == len(calendar.ran)  # none twice


def test_the_calendar_only_shows(calendar):
    now = datetime.datetime(2026, 3, 1, 1, 0, tzinfo=UTC)  # a Sunday, 02:00 in Berlin
    items = json.loads(calendar.pgdeck(*calendar.arguments(now), expect=0).out)
    assert {(item["kind"], item["turn"]) for item in items} == {
        ("daily", "due"), ("weekly", "due"), ("monthly", "to come")}
    weekly = next(item for item in items if item["kind"] == "weekly")
    assert (weekly["local_begin"], weekly["local_next"]) == ("2026-03-01 02:00", "2026-03-08 02:00")
    assert calendar.server.query("SELECT 1 FROM pg_namespace WHERE nspname = 'pgdeck'",
                                 dbname=SIX[0]) == []
    off = calendar.pgdeck("maintain", "calendar", "--run", "-d", calendar.file, "--set",
                          "advisors=[schema]", expect=0)
    assert off.out == "The deck's advisors leave maintenance out.\n"
    wrong = calendar.pgdeck(*calendar.arguments(now), "--set",
                            "environments.dev.maintenance.time_zone=Europe/Bremen")
    assert wrong.code == 11 and 'Europe/Bremen' in json.loads(wrong.out)[0]["outcome"]


def test_each_environment_has_its_own_time(calendar):
    """02:00 of the 8th of March is in Berlin, and is not in New York: there it is 03:00."""
    now = datetime.datetime(2026, 3, 8, 7, 30, tzinfo=UTC)
    items = json.loads(calendar.pgdeck(
        *calendar.arguments(now), "--set",
        "environments.prod.maintenance.time_zone=America/New_York", expect=0).out)
    begins = {(item["environment"], item["begin"], item["local_begin"]) for item in items
              if item["kind"] == "weekly"}
    assert begins == {("dev", "2026-03-08 01:00:00+00", "2026-03-08 02:00"),
                      ("stage", "2026-03-08 01:00:00+00", "2026-03-08 02:00"),
                      ("prod", "2026-03-08 07:00:00+00", "2026-03-08 03:00")}


def test_an_hour_that_comes_twice(calendar):
    """02:00 of the 25th of October in Berlin is twice: the second counts."""
    first, second = (datetime.datetime(2026, 10, 25, hour, 30, tzinfo=UTC) for hour in (0, 1))
    begins = []
    for now in (first, second):
        items = json.loads(calendar.pgdeck(*calendar.arguments(now), expect=0).out)
        begins += {datetime.datetime.fromisoformat(item["begin"] + ":00") for item in items
                   if item["kind"] == "weekly"}
    assert begins == [datetime.datetime(2026, 10, 18, 0, 0, tzinfo=UTC),
                      datetime.datetime(2026, 10, 25, 1, 0, tzinfo=UTC)]


@pytest.mark.short(15)
def test_a_deck_with_another_time_owes_nothing(calendar):
    """What the old time had done is not made up for when the deck changes; what nobody did is."""
    def turns(day, hour, *more):
        now = datetime.datetime(2026, 3, day, hour, 40, tzinfo=BERLIN).astimezone(UTC)
        items = json.loads(calendar.pgdeck(*calendar.arguments(now, *more), expect=0).out)
        return {item["turn"] for item in items if item["kind"] == "daily"}

    new = [word for environment in ("dev", "stage", "prod")
           for word in ("--set", f"environments.{environment}.maintenance.daily=04:30",
                        "--set", f"environments.{environment}.maintenance.time_zone=UTC")]
    calendar.keep(datetime.datetime(2026, 3, 2, 0, 40, tzinfo=BERLIN).astimezone(UTC))
    assert turns(2, 15) == {"has run"} and turns(2, 15, *new) == {"to come"}
    assert turns(3, 15) == turns(3, 15, *new) == {"missed"}
    for name in SIX:
        calendar.server.query("UPDATE pgdeck.maintenance_run SET state = 'failed' "
                              "WHERE kind = 'daily'", dbname=name)
    assert turns(2, 15, *new) == {"missed"}  # one that failed was not kept


def begin_now(calendar):
    """Arguments with which a daily and a weekly window of the six databases began a minute ago."""
    begin = datetime.datetime.now(UTC) - datetime.timedelta(minutes=1)
    keys = {"time_zone": "UTC", "daily": begin.strftime("%H:%M"), "monthly": "first sun 03:00",
            "weekly": begin.strftime("%a %H:%M").lower()}
    return ("watch", "-d", calendar.file, *(
        word for environment in ("dev", "stage", "prod") for key, value in keys.items()
        for word in ("--set", f"environments.{environment}.maintenance.{key}={value}")))


@pytest.mark.pg(min=15)
def test_two_watch_daemons_and_a_killed_one(calendar):
    """One is killed by kill -9 in the middle of a task, two others come at once: every run that is
    due is done once, every table is vacuumed once."""
    calendar.make_table("w_1", "w_2")
    calendar.make_work("w_1", "w_2")
    arguments = begin_now(calendar)
    killed = calendar.pgdeck.start(*arguments, env={"PGDECK_CRASH_AT": "2"})
    for line in killed.stderr:
        if "died of signal 9" in line:
            break
    calendar.pgdeck.kill(killed)
    daemons = [calendar.pgdeck.start(*arguments) for _ in range(2)]
    runs = "SELECT kind, state FROM pgdeck.maintenance_run WHERE kind <> 'calendar' ORDER BY kind"
    deadline = time.monotonic() + 40

    def is_done(name):
        there = calendar.server.query("SELECT to_regclass('pgdeck.maintenance_run')", dbname=name)
        return there != [(None,)] and calendar.server.query(runs, dbname=name) == [
            ("daily", "done"), ("weekly", "done")]

    while not all(is_done(name) for name in SIX):
        assert time.monotonic() < deadline, [process.poll() for process in daemons]
        time.sleep(0.1)
    for process in daemons:
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    for name in SIX:
        done = calendar.server.query("SELECT relation, count(*) FROM pgdeck.maintenance_task "
                                     "WHERE state = 'done' GROUP BY 1 ORDER BY 1", dbname=name)
        assert done == [("public.w_1", 1), ("public.w_2", 1)], name
        counts = calendar.server.query("SELECT vacuum_count FROM pg_stat_user_tables "
                                       "WHERE relname ~ '^w_'", dbname=name)
        assert counts == [(1,), (1,)], name
    tries = calendar.server.query("SELECT max(tries) FROM pgdeck.maintenance_run", dbname=SIX[0])
    assert tries == [(2,)]  # of the killed one, taken over


@pytest.mark.short(15)
def test_watch_ends_in_the_middle_of_a_task(calendar):
    """SIGTERM cancels what is under work; nothing of it stays on the server."""
    calendar.make_table("w_1", "w_2")
    calendar.make_work("w_1", "w_2")
    with calendar.server.connect(SIX[0]) as holder:
        holder.execute("BEGIN; LOCK TABLE w_1 IN SHARE UPDATE EXCLUSIVE MODE")
        process = calendar.pgdeck.start(*begin_now(calendar))
        at_it = ("SELECT count(*) FROM pg_stat_activity WHERE application_name ~ '^pgdeck maintain'"
                 " AND wait_event_type = 'Lock'")
        deadline = time.monotonic() + 20
        while calendar.server.value(at_it) == 0:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0 and time.monotonic() - began < 4  # before lock_timeout
        while calendar.server.value("SELECT count(*) FROM pg_stat_activity "
                                    "WHERE application_name ~ '^pgdeck'"):
            assert time.monotonic() - began < 4
            time.sleep(0.02)


def test_the_page_of_the_month(deck, tmp_path):
    """What the deck lets go is dropped with --drop only; the page has all, escaped."""
    monthly = ("partitions:\n  - {table: events, range: created_at, every: 1 month, premake: 2, "
               "PAST}\n")
    deck.write(EVENTS, more=monthly.replace("PAST", "past: 4")).applied()
    deck.run("INSERT INTO events (created_at) SELECT now() - i * interval '1 day' "
             "FROM generate_series(0, 100) i")
    deck.run('CREATE TABLE "<b>bold</b>" WITH (autovacuum_enabled = off) AS '
             "SELECT generate_series(1, 1000) AS id")
    deadline = time.monotonic() + 20
    while deck.value("SELECT count(*) FROM pg_stat_user_tables WHERE relname ~ 'bold' "
                     "AND n_live_tup >= 1000") == 0:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    deck.write(EVENTS, more=monthly.replace("PAST", "retain: 2 months"))
    old = bounds(deck, "events")
    pages = tmp_path / "pages"
    planned, = maintain(deck, "monthly", "-n", "--page", pages)
    assert not pages.exists() and {"retain", "page"} <= {t["task"] for t in planned["tasks"]}
    report, = maintain(deck, "monthly", "--page", pages)
    left = [task["error"] for task in report["tasks"] if task["state"] == "left"]
    assert len(left) == 2 and "needs --drop" in left[0] and bounds(deck, "events") == old
    text = (pages / report["page"].split("/")[-1]).read_text()
    assert "&lt;b&gt;bold&lt;/b&gt;" in text and "<b>" not in text and "http" not in text.replace(
        "http-equiv", "")
    assert "Ages of the oldest rows" in text and "write the page" not in text
    with open_browser() as browser:
        for size in (WIDE, PHONE):
            browser.look(size)
            browser.open((pages / report["page"].split("/")[-1]).as_uri())
            assert browser.console() == []
            assert "<b>bold</b>" in browser.text() and not browser.find("b")
            assert browser.run("return document.documentElement.scrollWidth") <= size[0], size
    maintain(deck, "monthly", "--page", pages, "--set", "environments.test.maintenance.drop=true")
    assert list(bounds(deck, "events")) == list(old)[2:]
