# SPDX-License-Identifier: MIT
"""Indexes that are built while others use the tables: side by side, watched, given up and tried
again, and cleaned up after a kill."""

import json
import os
import signal
import subprocess
import time

import pytest

DECK = """
deck: build
servers:
  main: {conninfo: "CONNINFO", memory: 512MB, cpus: 2, storage: ssd, parallel: PARALLEL}
environments:
  test: {server: main, memory: 256MB, max_connections: 40, workload: oltp, logging: minimal}
databases:
  build_1: {environment: test}
  build_2: {environment: test}
advisors: [index]
lock_wait: 50ms
max_block: 300ms
give_up: GIVE_UP
indexes: indexes.sql
"""
TABLE = """
CREATE FUNCTION slow(n int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_sleep(0.01); RETURN n; END $$;
CREATE TABLE events (id int PRIMARY KEY, what int);
CREATE TABLE others (id int PRIMARY KEY, what int);
INSERT INTO events SELECT n, n FROM generate_series(1, 3000) n;
INSERT INTO others SELECT n, n FROM generate_series(1, 100) n;
"""
INDEX = "CREATE INDEX events_what ON events (what);"
SLOW = "CREATE INDEX events_slow ON events (public.slow(what));"


class Deck:
    def __init__(self, pgdeck, server, folder):
        self.pgdeck, self.server, self.folder = pgdeck, server, folder
        folder.mkdir()
        self.file = folder / "deck.yaml"
        self.write()

    def write(self, indexes=INDEX, parallel=2, give_up="30s"):
        conninfo = self.server.conninfo().replace("\\", "\\\\").replace('"', '\\"')
        self.file.write_text(DECK.replace("CONNINFO", conninfo)
                             .replace("PARALLEL", str(parallel)).replace("GIVE_UP", give_up))
        (self.folder / "indexes.sql").write_text(indexes)

    def start(self, *args):
        return self.pgdeck.start("apply", "-d", self.file, "--yes", *args)

    def apply(self, *args, expect=0, **env):
        return self.pgdeck("apply", "-d", self.file, "--yes", *args, expect=expect, env=env)

    def applied(self):
        plan = json.loads(self.pgdeck("plan", "-d", self.file, "--json", expect=0).out)
        return plan["changes"] == []

    def run(self, sql, *values, database="build_1"):
        return self.server.query(sql, *values, dbname=database)

    def valid(self, name="events_what", database="build_1"):
        """None: not there."""
        rows = self.run("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)",
                        name, database=database)
        return rows[0][0] if rows else None

    def building(self):
        return self.run("SELECT datname::text, phase FROM pg_stat_progress_create_index ORDER BY 1")

    def wait(self, condition, seconds=20):
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "it did not come to that"
            time.sleep(0.05)


@pytest.fixture
def deck(pgdeck, server, tmp_path):
    for name in ("build_1", "build_2"):
        server.query(f"CREATE DATABASE {name}")
        server.query(TABLE, dbname=name)
    yield Deck(pgdeck, server, tmp_path / "deck")
    pgdeck.end()
    for name in ("build_1", "build_2"):
        server.query(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def writer(deck):
    """A transaction that has written to the table and stays open."""
    with deck.server.connect("build_1") as connection:
        connection.execute("BEGIN")
        connection.execute("UPDATE events SET what = 0 WHERE id = 1")
        yield connection
        connection.execute("ROLLBACK")


def ended(process, timeout=40):
    out, err = process.communicate(timeout=timeout)
    return process.returncode, err


def test_databases_side_by_side_and_no_more_than_parallel(deck, writer):
    deck.write(INDEX + "CREATE INDEX others_what ON others (what);")
    process = deck.start()
    # the first of build_1 waits for the writer; beside it all others are built
    deck.wait(lambda: deck.valid("others_what", "build_2") and deck.valid("events_what", "build_2")
              and deck.valid("others_what"))
    assert deck.building() == [("build_1", "waiting for writers before build")]
    writer.execute("COMMIT")
    code, err = ended(process)
    assert code == 0, err
    assert deck.valid()
    assert deck.applied()
    deck.pgdeck("rollback", "-d", deck.file, "--yes", expect=0)
    assert deck.valid() is None and deck.valid("others_what", "build_2") is None


def test_comment_and_targets_stay_when_a_definition_changes(deck):
    deck.write("CREATE INDEX events_what ON events (abs(what), id);")
    deck.apply()
    for database in ("build_1", "build_2"):
        deck.server.query("COMMENT ON INDEX events_what IS 'it''s ours';"
                          "ALTER INDEX events_what ALTER COLUMN 1 SET STATISTICS 700",
                          dbname=database)
    deck.write("CREATE INDEX events_what ON events (abs(what), what);")
    deck.apply()
    assert deck.applied()
    row, = deck.run("SELECT obj_description(indexrelid, 'pg_class'), attstattarget,"
                    "       pg_get_indexdef(indexrelid) FROM pg_index"
                    "  JOIN pg_attribute ON attrelid = indexrelid AND attnum = 1"
                    " WHERE indexrelid = 'events_what'::regclass")
    assert row[:2] == ("it's ours", 700) and "(abs(what), what)" in row[2], row


@pytest.mark.pg(max=17)  # nothing in it changed since
def test_one_at_a_time_where_the_deck_says_so(deck, writer):
    deck.write(parallel=1)
    process = deck.start()
    deck.wait(lambda: deck.building() == [("build_1", "waiting for writers before build")])
    time.sleep(1)  # in which the second could begin
    assert deck.valid(database="build_2") is None
    writer.execute("COMMIT")
    assert ended(process)[0] == 0
    assert deck.valid(database="build_2")


def test_who_is_in_the_way_is_named(deck, writer):
    pid = writer.execute("SELECT pg_backend_pid()").fetchone()[0]
    process = deck.start("-D", "build_1")
    deck.wait(lambda: deck.building() != [])
    time.sleep(1)  # more than max_block
    writer.execute("COMMIT")
    code, err = ended(process)
    assert code == 0 and f"waits for pid {pid} (" in err and "idle in transaction" in err, err
    assert "waiting for writers before build" in err


@pytest.mark.pg(max=17)  # nothing in it changed since
def test_given_up_named_and_mended_by_the_next_apply(deck, writer):
    deck.write(give_up="500ms")
    pid = writer.execute("SELECT pg_backend_pid()").fetchone()[0]
    result = deck.apply("-D", "build_1", expect=17)
    assert f"pid {pid} (" in result.err and "Tried 3 times" in result.err
    assert result.err.count("gave way, tries again") == 2
    assert deck.building() == [] and not deck.valid()
    writer.execute("COMMIT")
    deck.apply()
    assert deck.valid() and deck.applied()


@pytest.mark.pg(max=17)  # nothing in it changed since
def test_a_table_lock_is_named_and_waited_for(deck):
    with deck.server.connect("build_1") as connection:
        connection.execute("BEGIN")
        connection.execute("LOCK TABLE events IN SHARE ROW EXCLUSIVE MODE")
        pid = connection.execute("SELECT pg_backend_pid()").fetchone()[0]
        deck.write(give_up="1s")
        result = deck.apply("-D", "build_1", expect=17)
        assert f"pid {pid} (" in result.err and "no lock yet" in result.err
        assert deck.valid() is None
        connection.execute("COMMIT")
    deck.apply()


def test_a_prepared_transaction_is_named(pgdeck, make_server, tmp_path):
    server = make_server(15, max_prepared_transactions=2)
    for name in ("build_1", "build_2"):
        server.query(f"CREATE DATABASE {name}")
        server.query(TABLE, dbname=name)
    deck = Deck(pgdeck, server, tmp_path / "deck")
    deck.write(give_up="300ms")
    with server.connect("build_1") as connection:
        connection.execute("BEGIN; UPDATE events SET what = 0 WHERE id = 1")
        connection.execute("PREPARE TRANSACTION 'left ''over'")
    result = deck.apply("-D", "build_1", expect=17)
    assert "prepared transaction 'left 'over'" in result.err
    server.query("ROLLBACK PREPARED 'left ''over'", dbname="build_1")
    deck.apply()
    assert deck.valid()


def test_it_gives_way_when_others_queue_behind_it(deck, writer):
    process = deck.start("-D", "build_1")
    deck.wait(lambda: deck.building() != [])
    with deck.server.connect("build_1") as other:
        other.execute("SET lock_timeout = '2s'")
        with pytest.raises(Exception, match="lock timeout"):
            other.execute("ALTER TABLE events ADD COLUMN more int")
    writer.execute("COMMIT")
    code, err = ended(process)
    assert code == 0 and "wait behind it" in err and "gave way" in err, err
    assert deck.valid()


def test_killed_while_the_server_builds(deck):
    deck.write(SLOW, parallel=2)
    process = deck.start()
    deck.wait(lambda: len(deck.building()) == 2)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert len(deck.building()) == 2  # the server has not noticed
    for name in ("build_1", "build_2"):
        deck.run("CREATE OR REPLACE FUNCTION slow(n int) RETURNS int IMMUTABLE LANGUAGE sql AS "
                 "'SELECT n'", database=name)
    deck.apply()
    assert deck.building() == []
    for name in ("build_1", "build_2"):
        assert deck.valid("events_slow", name)
        assert deck.run("SELECT count(*) FROM pg_index WHERE NOT indisvalid",
                        database=name) == [(0,)]
    assert deck.applied()


@pytest.mark.short(15)
def test_an_index_of_partitions_changes_again_and_again(deck):
    """Its parts keep the names that they were built under."""
    deck.run("""
        CREATE TABLE parts (id int, what int) PARTITION BY RANGE (id);
        CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (100);
        CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (100) TO (5000);""")
    deck.run("CREATE TABLE parts (id int, what int)", database="build_2")
    for columns in ("what", "what, id", "id, what", "what DESC", "what"):
        deck.write(f"CREATE INDEX parts_what ON parts ({columns});")
        deck.apply("-D", "build_1")
        assert f"({columns})" in deck.run("SELECT pg_get_indexdef('parts_what'::regclass)")[0][0]
        assert deck.run("SELECT count(*) FROM pg_index JOIN pg_class ON oid = indexrelid "
                        "WHERE relname ~ 'parts.*what' AND indisvalid") == [(3,)]
    deck.pgdeck("rollback", "-d", deck.file, "--yes", expect=0)
    assert "(what DESC)" in deck.run("SELECT pg_get_indexdef('parts_what'::regclass)")[0][0]


def test_killed_and_no_longer_wanted(deck):
    """What a killed build leaves goes, although the deck does not name it any more."""
    deck.run("""
        CREATE TABLE parts (id int, what int) PARTITION BY RANGE (id);
        CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (100);
        CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (100) TO (5000);
        INSERT INTO parts SELECT n, n FROM generate_series(1, 2000) n;
        CREATE INDEX of_others ON ONLY parts (what);""")
    deck.run("CREATE TABLE parts (id int, what int)", database="build_2")
    deck.write("CREATE INDEX parts_slow ON parts (public.slow(what));"
               "CREATE INDEX others_what ON others (what);")
    process = deck.start("-D", "build_1")
    # two expressions at once would wait for each other's end
    deck.wait(lambda: deck.valid("parts_1_parts_slow") and deck.valid("others_what")
              and len(deck.building()) == 1)
    process.send_signal(signal.SIGKILL)
    process.wait()
    deck.write("-- nothing\n")
    deck.apply()
    left = deck.run("SELECT relname::text FROM pg_index JOIN pg_class ON oid = indexrelid "
                    "WHERE relnamespace = 'public'::regnamespace ORDER BY 1")
    assert left == [("events_pkey",), ("of_others",), ("others_pkey",), ("others_what",)]
    assert deck.building() == [] and deck.applied()


def test_a_rollback_killed_while_it_builds_again(deck):
    twice = SLOW.replace("events_slow", "events_same")
    deck.run("CREATE OR REPLACE FUNCTION slow(n int) RETURNS int IMMUTABLE LANGUAGE sql AS "
             "'SELECT n'")
    deck.run(SLOW + twice)
    deck.write("-- nothing\n")
    deck.pgdeck("index", "status", "-d", deck.file, "-D", "build_1", "--drop", "--yes",
                "--verdict", "duplicate", expect=0)
    assert deck.valid("events_same") is None
    deck.run(TABLE.split(";\nCREATE TABLE")[0].replace("CREATE", "CREATE OR REPLACE") + ";")
    process = deck.pgdeck.start("rollback", "-d", deck.file, "--yes")
    deck.wait(lambda: deck.building() != [])
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert deck.valid("events_same") is False
    deck.run("CREATE OR REPLACE FUNCTION slow(n int) RETURNS int IMMUTABLE LANGUAGE sql AS "
             "'SELECT n'")
    # and once more between the building and the journal
    result = deck.pgdeck("rollback", "-d", deck.file, "--yes", env={"PGDECK_CRASH_AT": "1"})
    assert result.code == -signal.SIGKILL and deck.valid("events_same")
    deck.pgdeck("rollback", "-d", deck.file, "--yes", expect=0)
    assert deck.valid("events_same")
    again = deck.pgdeck("rollback", "-d", deck.file, "--yes")
    assert "undone" not in again.out


def test_killed_between_any_two_steps_of_builds_side_by_side(deck):
    deck.write(INDEX + "CREATE INDEX others_what ON others (what);")
    for point in range(1, 40, 3):
        result = deck.apply(expect=None, PGDECK_CRASH_AT=str(point))
        if result.code == 0:
            break
        assert result.code == -signal.SIGKILL, result.err
        deck.apply()
        assert deck.valid() and deck.valid("others_what", "build_2")
        deck.pgdeck("rollback", "-d", deck.file, "--yes", expect=0)
        assert deck.valid() is None and deck.valid("others_what", "build_2") is None
    assert 10 < point < 39


def test_interrupted_it_ends_what_it_builds(deck):
    deck.write(SLOW)
    process = deck.start()
    deck.wait(lambda: len(deck.building()) == 2)
    process.send_signal(signal.SIGINT)
    assert ended(process)[0] == 130
    deck.wait(lambda: deck.building() == [])


@pytest.mark.pg(max=17)  # nothing in it changed since
def test_a_column_that_is_not_there_yet(deck):
    deck.write("CREATE INDEX events_when ON events (when_seen);")
    err = deck.apply(expect=20).err
    assert 'indexes.sql:1:1: error: index "events_when" cannot be built on table "events"' in err
    assert "apply --only schema adds it" in err


def test_a_definition_that_changes_twice(deck, writer):
    """The half-built successor of the first change is in the way of the second."""
    writer.execute("COMMIT")
    deck.apply()
    writer.execute("BEGIN")
    writer.execute("UPDATE events SET what = 0 WHERE id = 1")
    deck.write("CREATE INDEX events_what ON events (what DESC, id);", give_up="300ms")
    deck.apply("-D", "build_1", expect=17)
    assert deck.valid("events_what_pgdeck_new") is False and deck.valid()
    writer.execute("COMMIT")
    deck.write("CREATE INDEX events_what ON events (id, what);")
    deck.apply()
    assert deck.applied()
    assert "(id, what)" in deck.run("SELECT pg_get_indexdef('events_what'::regclass)")[0][0]
    assert deck.valid("events_what_pgdeck_new") is None


@pytest.mark.pg(max=17)  # nothing in it changed since
def test_progress_has_phase_percent_and_time_left(deck):
    deck.write(SLOW)
    process = deck.start("-D", "build_1")
    deck.wait(lambda: deck.building() != [])
    time.sleep(3)  # of 30
    process.send_signal(signal.SIGINT)
    _code, err = ended(process)
    assert "build_1 events_slow: building index: scanning table" in err
    assert " %, about " in err and " s left" in err, err


@pytest.fixture
def small_disk(tmp_path):
    """A folder with little room on its file system."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small file system")
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", folder], check=True)
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_disk_space_is_looked_at_before(deck, small_disk):
    subprocess.run(["chown", "--reference", deck.server.data, small_disk], check=True)
    deck.server.query(f"CREATE TABLESPACE small LOCATION '{small_disk}'")
    try:
        deck.server.query("ALTER DATABASE build_1 SET TABLESPACE small")
        deck.run("CREATE TABLE large (id int, words text);"
                 "INSERT INTO large SELECT n, repeat(md5(n::text), 6) FROM generate_series(1, 90000) n")
        deck.run("VACUUM ANALYZE large")
        deck.write("CREATE INDEX large_id ON large (id); CREATE INDEX large_words ON large (words);")
        (deck.folder / "deck.yaml").write_text(
            deck.file.read_text().replace("  build_2: {environment: test}\n", ""))
        result = deck.apply(expect=16)
        assert "no room for an index on \"large\"" in result.err
        assert "MB are free in" in result.err and str(small_disk) in result.err
        assert deck.valid("large_words") is None and deck.valid("large_id")
        deck.write("CREATE INDEX large_id ON large (id); "
                   "CREATE INDEX large_words ON large USING gin (to_tsvector('simple', words)); "
                   "CREATE INDEX large_part ON large (words) WHERE id > 10;")
        (deck.folder / "deck.yaml").write_text(
            deck.file.read_text().replace("  build_2: {environment: test}\n", ""))
        result = deck.apply(expect=16)
        assert deck.valid("large_part") is None
        deck.write("CREATE INDEX large_id ON large (id);"
                   "CREATE INDEX large_words ON large (words) WHERE id < 10;")
        (deck.folder / "deck.yaml").write_text(
            deck.file.read_text().replace("  build_2: {environment: test}\n", ""))
        deck.apply()
        assert deck.valid("large_words")
    finally:
        deck.server.query("DROP DATABASE build_1 WITH (FORCE)")
        deck.server.query("DROP TABLESPACE small")
        deck.server.query("CREATE DATABASE build_1")
