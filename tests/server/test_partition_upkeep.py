# SPDX-License-Identifier: MIT
"""pgdeck partition status, maintain, gc: partitions made ahead, dropped past their time, remains."""

import csv
import json
import re
import signal
import threading
import time

import psycopg
import pytest

from test_advisor_ddl import EVENTS, bounds, deck, existing  # noqa: F401

MONTHLY = "partitions:\n  - {table: events, range: created_at, every: 1 month, premake: 2, past: 4}\n"
RETAIN = MONTHLY.replace("past: 4", "retain: 2 months")


def maintain(deck, *args, expect=0, **env):
    result = deck.pgdeck("partition", "maintain", "-d", deck.file, *args, env=env)
    assert result.code == expect, result.err + result.out
    return result


@pytest.fixture
def filled(deck):
    """Seven months of partitions with a row a day, of which two months are to be kept."""
    deck.write(EVENTS, more=MONTHLY).applied()
    deck.run("INSERT INTO events (created_at) SELECT now() - i * interval '1 day' "
             "FROM generate_series(0, 100) i")
    deck.write(EVENTS, more=RETAIN)
    return deck


def test_what_is_past_its_time_goes_with_drop_only(filled):
    old = filled.value("SELECT count(*) FROM events")
    before = bounds(filled, "events")
    assert "Left out: 2" in maintain(filled).out
    assert bounds(filled, "events") == before
    maintain(filled, "--drop")
    kept = bounds(filled, "events")
    assert list(kept) == list(before)[2:]
    assert 0 < filled.value("SELECT count(*) FROM events") < old
    assert filled.run("SELECT relname FROM pg_class WHERE relname = ANY(%s)",
                      [name for name in before if name not in kept]) == []
    assert filled.changes() == []
    assert maintain(filled, "--drop").out.startswith("server")  # nothing is due


def test_nobody_waits_for_the_retention(filled):
    """Readers and writers of the table go on; whoever holds it is waited for without a lock."""
    oldest = min(bounds(filled, "events"))
    with filled.server.connect(filled.database) as holder:
        holder.execute("BEGIN; SELECT count(*) FROM events")
        result = filled.pgdeck("partition", "maintain", "-d", filled.file, "--drop",
                               "--set", "give_up=1s")
        assert result.code == 20 and "do not end" in result.err, result.err
        holder.execute("INSERT INTO events DEFAULT VALUES")
        with filled.server.connect(filled.database) as other:
            other.execute("SET statement_timeout = '1s'; INSERT INTO events DEFAULT VALUES")
    assert filled.value("SELECT count(*) FROM pg_inherits WHERE inhdetachpending") == 1
    assert "broken off" in filled.pgdeck("partition", "status", "-d", filled.file, expect=0).out
    maintain(filled, "--drop")
    assert filled.value("SELECT count(*) FROM pg_inherits WHERE inhdetachpending") == 0
    assert oldest not in bounds(filled, "events")


@pytest.mark.alone
def test_writers_go_on_while_a_month_goes(filled, full_size):
    """No read or write waits for the retention of a large partition."""
    oldest = min(bounds(filled, "events"))
    lower = bounds(filled, "events")[oldest].split("'")[1]
    filled.run("INSERT INTO events (created_at) SELECT %s::timestamptz + i % 27 * interval '1 day' "
               "FROM generate_series(1, %s) i".replace("i % 27", "i %% 27"), lower,
               1_000_000 if full_size else 20_000)
    slowest, stop, failures = [0.0], threading.Event(), []
    log_begin = len(filled.server.log_text())

    def work():
        with filled.server.connect(filled.database) as connection:
            connection.execute("SET log_lock_waits = on; SET deadlock_timeout = '10ms'")
            while not stop.is_set():
                begun = time.monotonic()
                try:
                    connection.execute("INSERT INTO events DEFAULT VALUES")
                    connection.execute("SELECT count(*) FROM events WHERE created_at > now()")
                except psycopg.Error as error:
                    failures.append(str(error))
                slowest[0] = max(slowest[0], (time.monotonic() - begun) * 1000)

    worker = threading.Thread(target=work)
    worker.start()
    try:
        time.sleep(0.3)
        usual = slowest[0]
        maintain(filled, "--drop")
    finally:
        stop.set()
        worker.join(20)
    assert oldest not in bounds(filled, "events") and failures == []
    waits = [float(word) for word in re.findall(r"process \d+ acquired .* after ([\d.]+) ms",
                                                filled.server.log_text()[log_begin:])]
    print(f"\nslowest: {slowest[0]:.1f} ms, before: {usual:.1f} ms; for a lock {max(waits, default=0)} ms at most")
    assert slowest[0] < usual + (100 if full_size else 1000)
    assert max(waits, default=0) < (20 if full_size else 200)


def test_rows_are_written_to_a_file_first(filled, tmp_path):
    filled.write(EVENTS, more=RETAIN.replace("retain:", f"export: {tmp_path}/out, retain:"))
    rows = filled.value(f"SELECT count(*) FROM {list(bounds(filled, 'events'))[1]}")
    second = list(bounds(filled, "events"))[1]
    for point in range(1, 40):  # killed anywhere, all is written before it is dropped
        result = filled.pgdeck("partition", "maintain", "-d", filled.file, "--drop",
                               env={"PGDECK_CRASH_AT": str(point)})
        if result.code == 0:
            break
        assert result.code == -signal.SIGKILL, result.err
    with open(tmp_path / "out" / f"{filled.database}.public.{second}.csv") as file:
        lines = list(csv.reader(file))
    assert lines[0] == ["id", "created_at", "what"] and len(lines) == rows + 1 and rows > 0
    assert second not in bounds(filled, "events")


def test_one_failure_does_not_stop_the_rest(deck):
    more = RETAIN + RETAIN.replace("partitions:\n", "").replace("events", "visits")
    schema = EVENTS + EVENTS.replace("events", "visits")
    deck.write(schema, more=more).applied()
    for table in ("events", "visits"):
        newest = max(bounds(deck, table))
        deck.run(f"DROP TABLE {newest}; INSERT INTO {table} DEFAULT VALUES")
        deck.run(f"CREATE TABLE {newest}_x (LIKE {table}); ANALYZE {table}")
    newest = max(bounds(deck, "visits"))
    with deck.server.connect(deck.database) as holder:
        holder.execute("BEGIN; LOCK events IN SHARE MODE")
        result = maintain(deck, "--set", "give_up=300ms", expect=20)
    assert "events" in result.err and "Failed: 1" in result.out
    assert max(bounds(deck, "visits")) > newest


def test_the_table_as_a_whole_is_analyzed(filled):
    assert "analyze events as a whole" in maintain(filled).out
    end = time.monotonic() + 10  # PostgreSQL 14 hears of statistics after a while
    while not filled.value("SELECT last_analyze IS NOT NULL FROM pg_stat_user_tables "
                           "WHERE relname = 'events'"):
        assert time.monotonic() < end
        time.sleep(0.05)
    assert "analyze" not in maintain(filled).out


def test_two_levels_are_kept_up(deck):
    """Parts of a list that are divided by month: made with the table, ahead, and for a new part."""
    schema = EVENTS.replace("what text", "state text NOT NULL DEFAULT 'new', what text")
    more = ("partitions:\n  - {table: events, list: state, then_range: created_at, every: 1 month, "
            "past: 4, parts: {open: [new], 'Done it': [done]}}\n")
    deck.write(schema, more=more).applied()
    deck.run("INSERT INTO events (state, created_at) SELECT 'done', now() - i * interval '1 day' "
             "FROM generate_series(0, 100) i; INSERT INTO events DEFAULT VALUES")
    assert set(bounds(deck, "events")) == {"events_open", "events_Done it"}
    assert len(bounds(deck, '"events_Done it"')) == 8
    assert deck.value("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'p' "
                      "AND conrelid = 'events'::regclass") == "PRIMARY KEY (id, state, created_at)"
    deck.write(schema, more=more.replace("past: 4", "retain: 2 months, premake: 4").replace(
        "done]", "done], worse: [failed]"))
    assert len(deck.changes()) == 1 + 2 + 4
    maintain(deck, "--drop")
    assert len(bounds(deck, '"events_Done it"')) == len(bounds(deck, "events_open")) == 7
    assert len(bounds(deck, "events_worse")) == 5
    deck.run("INSERT INTO events (state) VALUES ('failed')")
    assert deck.changes() == []
    assert "events_worse" in deck.pgdeck("partition", "status", "-d", deck.file, expect=0).out


def test_status_tells_what_comes_next(filled):
    out = filled.pgdeck("partition", "status", "-d", filled.file, expect=0).out
    assert "public.events" in out and "made next:" in out and "dropped next:" in out
    document = json.loads(filled.pgdeck("partition", "status", "-d", filled.file, "--json",
                                        expect=0).out)
    root, parts = document[0], document[1:]
    assert root["manager"] == "deck" and root["key"] == "RANGE (created_at)"
    assert root["dropped_next"].startswith(parts[0]["name"])
    assert sum(part["rows"] for part in parts) == 101
    assert all(part["bound"].startswith("FOR VALUES FROM") for part in parts)
    assert "No such" in filled.pgdeck("partition", "status", "nothing", "-d", filled.file).out


def test_gc_removes_what_a_conversion_left(existing):
    existing.run(EVENTS + "INSERT INTO events SELECT FROM generate_series(1, 100)")
    existing.write(more=MONTHLY.replace("past: 4", "accept_key: true")).applied()

    def gc(*args):
        return existing.pgdeck("partition", "gc", "-d", existing.file, *args)

    assert gc("--yes").code == 0
    assert existing.value("SELECT to_regclass('events_pgdeck_old') IS NOT NULL")
    assert gc("--all").code == 22
    assert "events_pgdeck_old" in gc("--all", "--dry-run").out
    assert gc("--all", "--yes").code == 0
    assert existing.value("SELECT to_regclass('events_pgdeck_old') IS NULL")
    assert existing.run("SELECT tgname FROM pg_trigger WHERE tgname ~ 'pgdeck'") == []
    existing.run("INSERT INTO events DEFAULT VALUES")
    assert existing.value("SELECT count(*) FROM events") == 101
    assert "kept" in existing.rollback()


def test_sql_alone_does_the_upkeep(deck, full_size):
    """CALL maintain_partitions(): as pgdeck would name and bound them, and skips what is locked."""
    more = "partitions:\n  - {table: events, range: created_at, every: EVERY, premake: 2, past: 4}\n"
    periods = (("1 month", "2 months"), ("2 weeks", "4 weeks"), ("3 days", "6 days"),
               ("1 year", "1 year"))
    for every, keep in periods if full_size else periods[:2]:
        text = more.replace("EVERY", every)
        deck.write(EVENTS, more=text).applied()
        deck.write(EVENTS, more=text.replace("premake: 2, past: 4", f"retain: {keep}, premake: 5"))
        deck.file.write_text(deck.file.read_text().replace("partition,", "partition, monitoring,"))
        deck.pgdeck("apply", "-d", deck.file, "--yes", "--only", "monitoring", expect=0)
        kept = {name for name in bounds(deck, "events")}
        deck.run("CALL monitoring.maintain_partitions(false)")
        made = bounds(deck, "events")
        assert len(made) == len(kept) + 3
        deck.run("DO $$ BEGIN FOR i IN 1..100 LOOP EXIT WHEN (SELECT last_analyze IS NOT NULL FROM "
                 "pg_stat_all_tables WHERE relid = 'events'::regclass); PERFORM pg_sleep(0.05), "
                 "pg_stat_clear_snapshot(); END LOOP; END $$")
        assert deck.value("SELECT last_analyze IS NOT NULL FROM pg_stat_all_tables "
                          "WHERE relid = 'events'::regclass")
        plan = deck.pgdeck("plan", "-d", deck.file, "--only", "partition", "--json", expect=0)
        changes = json.loads(plan.out)["changes"]
        old = [change["what"].split()[2] for change in changes]
        assert old and all(change["what"].startswith("drop partition") for change in changes)
        with deck.server.connect(deck.database) as reader:
            reader.execute("BEGIN; SELECT count(*) FROM events")
            deck.run("CALL monitoring.maintain_partitions()")  # a warning, no waiting
        assert set(bounds(deck, "events")) == set(made)
        deck.run("CALL monitoring.maintain_partitions()")
        assert set(bounds(deck, "events")) == set(made) - set(old)
        assert deck.changes() == []
        deck.server.query(f"DROP DATABASE {deck.database} WITH (FORCE)")


def test_views_tell_sizes_and_scans(filled):
    filled.file.write_text(filled.file.read_text().replace("partition,", "partition, monitoring,"))
    filled.pgdeck("apply", "-d", filled.file, "--yes", expect=0)
    filled.run("ANALYZE events; SELECT count(*) FROM events WHERE created_at > now() - interval '1 day'")
    rows = filled.run("SELECT live_rows, about_bytes, bound, share_percent "
                      "FROM monitoring.partition_sizes WHERE table_name = 'events'")
    assert len(rows) == len(bounds(filled, "events")) and rows[0][1] > 0
    filled.run("SELECT pg_stat_force_next_flush()" if filled.server.version > 14 else "SELECT 1")
    scans = filled.run("SELECT sequential_scans + index_scans, evenness_percent "
                       "FROM monitoring.partition_scan_stats WHERE table_name = 'events'")
    assert len(scans) == len(rows)


@pytest.mark.pg(min=15, max=15)  # as pg_partman of Debian
def test_a_table_of_pg_partman_is_taken_over(existing):
    existing.run("CREATE SCHEMA partman; CREATE EXTENSION pg_partman SCHEMA partman")
    existing.run("CREATE TABLE events (id bigint, created_at timestamptz NOT NULL, "
                 "PRIMARY KEY (id, created_at)) PARTITION BY RANGE (created_at)")
    existing.run("SELECT partman.create_parent('public.events', 'created_at', 'native', 'monthly', "
                 "p_premake => 2)")
    existing.write(more=MONTHLY.replace("premake: 2, past: 4", "premake: 4"))
    assert "pg_partman" in existing.pgdeck("partition", "status", "-d", existing.file, expect=0).out
    changes = existing.changes()
    assert "take events over from pg_partman" in changes and len(changes) == 3, changes
    existing.applied()
    state = "SELECT automatic_maintenance FROM partman.part_config WHERE parent_table = 'public.events'"
    assert existing.value(state) == "off"
    existing.run("CALL partman.run_maintenance_proc()")
    assert existing.changes() == []
    existing.rollback()
    assert existing.value(state) == "on"
