# SPDX-License-Identifier: MIT
"""Rollups: made by plan, exact whatever happens to the rows, kept up, taken back."""

import random
import threading

import psycopg
import pytest

from test_advisor_ddl import deck  # noqa: F401

pytestmark = pytest.mark.pg(max=15)  # one version will do: plain SQL
JOBS = """
CREATE TABLE jobs (
    id bigint GENERATED ALWAYS AS IDENTITY,
    at timestamptz NOT NULL DEFAULT now(),
    owner integer,
    status text NOT NULL DEFAULT 'new',
    cost numeric NOT NULL DEFAULT 1
);
CREATE INDEX jobs_at_idx ON jobs (at);
"""
ADVISORS = "advisors: [schema, index, partition, rollup, maintenance]\n"
ROLLUP = """
rollups:
  jobs_by_hour:
    table: jobs
    time: at
    by: [owner, status]
    figures: [count(*) AS jobs, sum(cost) AS cost, max(id) AS newest]
"""
PLAIN = """SELECT date_bin('1 hour', at, '0001-01-01 00:00+00') AS bucket, owner, status, count(*) AS jobs,
                  sum(cost) AS cost, max(id) AS newest
             FROM jobs WHERE at >= {0} AND at < {1} GROUP BY 1, 2, 3"""
ROLLED = "SELECT * FROM jobs_by_hour({0}, {1})"
DIFFERENT = f"(({PLAIN}) EXCEPT ({ROLLED})) UNION ALL (({ROLLED}) EXCEPT ({PLAIN}))"
LOAD = ("INSERT INTO jobs (at, owner, status, cost) SELECT now() - i * interval '7 minutes', "
        "nullif(i % 5, 0), CASE i % 3 WHEN 0 THEN 'new' ELSE 'done' END, i "
        "FROM generate_series(0, 3000) i")
CLOSED = "SELECT closed_until FROM rollups.jobs_by_hour_state"


def write(deck, rollup=ROLLUP, schema=JOBS, more=""):
    deck.write(schema, more=rollup + more)
    deck.file.write_text(deck.file.read_text().replace(
        "advisors: [schema, index, partition, maintenance]\n", ADVISORS))
    return deck


def refresh(deck):
    while deck.value("SELECT rollups.jobs_by_hour_refresh()"):
        pass


def differences(connection, since="'-infinity'", until="'infinity'"):
    since, until = f"{since}::timestamptz", f"{until}::timestamptz"
    return connection.execute(DIFFERENT.format(since, until)).fetchall()


def check(deck, ranges=12):
    """The same figures as without the rollup: of all, and of any part of it."""
    chance = random.Random(1)
    with deck.server.connect(deck.database) as connection:
        assert differences(connection) == []
        for _ in range(ranges):
            ends = sorted(chance.randrange(-400 * 3600, 3600) for _ in range(2))
            since, until = (f"now() + interval '{end} seconds'" for end in ends)
            assert differences(connection, f"({since})", f"({until})") == [], (since, until)


@pytest.fixture
def rolled(deck):
    write(deck).applied()
    deck.run(LOAD)
    refresh(deck)
    return deck


def test_figures_are_exact_whatever_happens(rolled):
    closed = rolled.value("SELECT count(*) FROM rollups.jobs_by_hour")
    assert closed > 300 and rolled.value("SELECT count(*) FROM rollups.jobs_by_hour_changed") == 0
    check(rolled)
    late = ("INSERT INTO jobs (at, owner) VALUES (now() - interval '9 days', 3)",
            "UPDATE jobs SET status = 'failed', cost = cost * 2 WHERE id % 40 = 0",
            "UPDATE jobs SET at = at - interval '30 hours' WHERE id % 50 = 0",
            "DELETE FROM jobs WHERE id % 60 = 0",
            "INSERT INTO jobs DEFAULT VALUES")
    for sql in late:
        rolled.run(sql)
        check(rolled, ranges=3)
    assert rolled.value("SELECT count(*) FROM rollups.jobs_by_hour_changed") > 10
    refresh(rolled)
    assert rolled.value("SELECT count(*) FROM rollups.jobs_by_hour_changed") == 0
    check(rolled)
    with rolled.server.connect(rolled.database) as connection:  # what is taken back leaves nothing
        with connection.transaction():
            with connection.transaction(force_rollback=True):
                connection.execute("DELETE FROM jobs WHERE at < now() - interval '5 days'")
                assert differences(connection) == []
            connection.execute("DELETE FROM jobs WHERE at < now() - interval '6 days'")
            assert differences(connection) == []
    check(rolled, ranges=3)
    rolled.run("TRUNCATE jobs")
    assert rolled.run("SELECT * FROM jobs_by_hour()") == []


def test_many_at_once_lose_nothing(rolled):
    """Writers of new and old rows, at two levels of isolation, beside who closes buckets."""
    statements = ("INSERT INTO jobs (owner) VALUES (1)",
                  "INSERT INTO jobs (at, owner) VALUES (now() - random() * interval '20 days', 2)",
                  "UPDATE jobs SET cost = cost + 1 WHERE id = 1 + floor(random() * 3000)::int",
                  "DELETE FROM jobs WHERE id = 1 + floor(random() * 3000)::int")
    ended, faults = threading.Event(), []

    def work(number):
        level = (psycopg.IsolationLevel.READ_COMMITTED, psycopg.IsolationLevel.REPEATABLE_READ)[number % 2]
        chance = random.Random(number)
        with rolled.server.connect(rolled.database) as connection:
            connection.autocommit, connection.isolation_level = False, level
            while not ended.is_set():
                try:
                    for _ in range(3):
                        connection.execute(chance.choice(statements))
                    connection.commit()
                except psycopg.errors.SerializationFailure:
                    connection.rollback()

    def close():
        while not ended.is_set():
            refresh(rolled)

    def run(target, *args):
        try:
            target(*args)
        except Exception as fault:  # pylint: disable=broad-except
            faults.append(fault)

    threads = [threading.Thread(target=run, args=(work, number)) for number in range(3)]
    threads.append(threading.Thread(target=run, args=(close,)))
    for thread in threads:
        thread.start()
    try:
        for _ in range(6):
            check(rolled, ranges=4)
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    assert faults == []
    refresh(rolled)
    check(rolled)
    assert rolled.value("SELECT count(*) FROM rollups.jobs_by_hour_changed") == 0


def test_a_bucket_is_not_closed_before_its_writers_are_done(deck):
    """A row written without a mark, by a transaction that is still open when its bucket is due."""
    write(deck).applied()
    definition = deck.value("SELECT pg_get_functiondef('rollups.jobs_by_hour_refresh()'::regprocedure)")
    hasty = definition.replace("- interval '900 seconds' - interval '1 minute'",
                               "+ interval '1 hour'").replace("IF now() < (", "IF false AND now() < (")
    assert hasty.count("+ interval '1 hour'") == 1
    deck.run(hasty)  # what is being written now is due at once
    with deck.server.connect(deck.database) as writer:
        writer.autocommit = False
        writer.execute("INSERT INTO jobs DEFAULT VALUES")
        refresh(deck)
        refresh(deck)
        assert str(deck.value(f"SELECT ({CLOSED})::text")) == "-infinity"
        writer.commit()
    refresh(deck)
    assert deck.value(f"SELECT ({CLOSED}) > now()")
    assert deck.value("SELECT sum(jobs) FROM rollups.jobs_by_hour") == 1
    check(deck, ranges=0)


def test_a_partition_that_goes_leaves_its_figures(deck):
    parts = "partitions:\n  - {table: jobs, range: at, every: 1 day, premake: 2, past: 20}\n"
    write(deck, more=parts).applied()
    deck.run(LOAD)
    refresh(deck)
    check(deck)
    old = deck.value("SELECT sum(jobs) FROM jobs_by_hour()")
    write(deck, more=parts.replace("past: 20", "retain: 5 days"))
    result = deck.pgdeck("partition", "maintain", "-d", deck.file, "--drop")
    assert result.code == 0, result.err
    kept = deck.value("SELECT count(*) FROM jobs")
    assert kept < old and deck.value("SELECT sum(jobs) FROM jobs_by_hour()") == old
    deck.run("DELETE FROM jobs WHERE id % 7 = 0")
    refresh(deck)
    gone = kept - deck.value("SELECT count(*) FROM jobs")
    assert gone > 0 and deck.value("SELECT sum(jobs) FROM jobs_by_hour()") == old - gone
    assert deck.changes() == []


def test_plan_makes_replaces_drops_and_takes_back(deck):
    write(deck, rollup="").applied()
    deck.run(LOAD)
    assert write(deck).changes() == ["create rollup jobs_by_hour of jobs, by the hour and owner, status",
                                     "fill rollup jobs_by_hour",
                                     "let the readers of jobs read its rollup jobs_by_hour"]
    deck.applied()
    assert deck.value(f"SELECT ({CLOSED}) > now() - interval '3 hours'")
    check(deck, ranges=3)
    deck.run("CREATE ROLE rollup_reader")
    try:
        deck.run("GRANT SELECT ON jobs TO rollup_reader")
        assert deck.changes() == ["let the readers of jobs read its rollup jobs_by_hour"]
        deck.applied()
        deck.run("SET ROLE rollup_reader; SELECT * FROM jobs_by_hour(now() - interval '1 day')")
    finally:
        deck.run("DROP OWNED BY rollup_reader; DROP ROLE rollup_reader")
    write(deck, rollup=ROLLUP + "    every: 1d\n")
    assert deck.changes()[0] == "replace rollup jobs_by_hour of jobs, by the day and owner, status"
    deck.applied()
    deck.rollback()
    write(deck, rollup="")
    assert deck.changes() == []  # what came of the undone replacement is gone
    assert deck.run("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal") == []
    write(deck).applied()
    write(deck, rollup="")
    assert deck.changes() == ["drop rollup jobs_by_hour of jobs"]
    assert deck.apply().code != 0 or deck.changes() == ["drop rollup jobs_by_hour of jobs"]
    result = deck.pgdeck("apply", "-d", deck.file, "--yes", "--drop")
    assert result.code == 0, result.err
    assert deck.changes() == []


def test_what_cannot_be_rolled_up_is_said_first(deck):
    write(deck, rollup="").applied()
    for wrong, said in ((ROLLUP.replace("time: at", "time: att"), "has no column \"att\""),
                        (ROLLUP.replace("jobs_by_hour:", "Jobs:"), "cannot name a rollup"),
                        (ROLLUP.replace("table: jobs", "table: job"), "has the table job"),
                        (ROLLUP.replace("[owner, status]", "[ownr]"), "\"ownr\" does not exist")):
        result = write(deck, rollup=wrong).pgdeck("plan", "-d", deck.file)
        assert result.code == 10 and said in result.err, result.err
    deck.run("ALTER TABLE jobs ENABLE ROW LEVEL SECURITY")
    plan = write(deck).plan()
    assert plan["changes"] == [] and "row-level security" in plan["manual"][0]["obstacle"]


def test_the_calendar_keeps_it_up(rolled):
    rolled.run("UPDATE jobs SET cost = 2 WHERE id < 1000")
    assert rolled.value("SELECT count(*) FROM rollups.jobs_by_hour_changed") > 0
    result = rolled.pgdeck("maintain", "calendar", "--run", "-d", rolled.file)
    assert result.code == 0, result.err
    assert rolled.value("SELECT count(*) FROM rollups.jobs_by_hour_changed") == 0
    check(rolled, ranges=2)
