# SPDX-License-Identifier: MIT
"""Path A: a table in use becomes one partition of a new one; no row is copied."""

import signal
import time

import pytest

from test_advisor_ddl import RICH, DROP_RICH, bounds, deck, described, existing  # noqa: F401
from test_partition_keys import KINDS as KEYS, UUID7
from test_partition_live import KINDS, Load, TABLE, impatient, is_partitioned, most_held_ms, prepare

WHOLE = KINDS["range"].replace("premake: 2", "history: whole, premake: 4")
FILE = "SELECT pg_relation_filenode(%s::regclass)"


def whole(existing, rows=3000):
    prepare(existing, rows, "range")
    existing.write(more=f"partitions:\n  - {WHOLE}\n")
    return existing


def leftovers(existing):
    return existing.run("SELECT relname FROM pg_class WHERE relname ~ 'pgdeck_(new|wide|back)|history'")


@pytest.mark.alone
def test_the_rows_stay_where_they_are_while_clients_write(existing, full_size):
    rows = 1_000_000 if full_size else 10_000
    whole(existing, rows)
    file = existing.value(FILE, "events")
    change = existing.plan()["changes"][0]
    assert "stay where they are" in change["what"] and "No row is copied" in change["why"]
    assert "VALIDATE CONSTRAINT" in change["sql"] and "ACCESS EXCLUSIVE" in change["lock"]
    with Load(existing, 4, 200 if full_size else 60) as load:
        time.sleep(0.2)
        result = existing.pgdeck("apply", "-d", existing.file, "--yes", timeout=280)
        assert result.code == 0, result.err
        time.sleep(0.2)
    load.check(rows)
    assert is_partitioned(existing) and existing.changes() == [] and existing.notes() == []
    assert existing.value(FILE, "events_history") == file
    parts = bounds(existing, "events")
    assert parts["events_history"].startswith("FOR VALUES FROM (MINVALUE) TO") and len(parts) == 3
    held = existing.value("SELECT held_ms FROM pgdeck.adoption")
    assert held < most_held_ms(full_size) * (1 if full_size else 4)
    print(f"\nlocked for {held} ms, slowest statement {max(w.slowest_ms for w in load.writers):.1f} ms")
    assert existing.value("SELECT count(*) FROM seen") > 0
    existing.run("INSERT INTO events (id, created_at) VALUES (-1, now() + interval '100 days')")
    assert existing.value("SELECT tableoid::regclass::text FROM events WHERE id = -1") != "events_history"
    more = Load(existing, 4, 60)
    for writer in more.writers:
        writer.next_id += 5_000_000
    with more:
        time.sleep(0.2)
        existing.rollback()
    load.writers += more.writers
    assert not is_partitioned(existing) and leftovers(existing) == []
    assert existing.value("SELECT n FROM events WHERE id = -1") == 0
    assert existing.value(FILE, "events") == file
    existing.run("DELETE FROM events WHERE id = -1")
    load.check(rows)
    assert existing.run("SELECT relname FROM pg_class WHERE relname ~ '^events'") == \
        [("events",), ("events_id_seq",), ("events_n",), ("events_pkey",)]


@pytest.mark.parametrize("kind", KEYS)
def test_ranges_of_ids(existing, kind):
    its = KEYS[kind]
    existing.run(UUID7 + its["schema"])
    existing.run(its["fill"])
    rows = existing.value("SELECT count(*) FROM events")
    existing.write(more=f"partitions:\n  - {{table: events, {its['deck']}, history: whole}}\n")
    before = described(existing, "events")
    existing.applied()
    assert is_partitioned(existing) and existing.changes() == []
    assert existing.value("SELECT count(*) FROM events_history") == rows
    existing.run(its["row"])
    existing.rollback()
    after = described(existing, "events")
    before.pop("sequences"), after.pop("sequences")
    assert after == before
    assert existing.value("SELECT count(*) FROM events") == rows + 1


@pytest.fixture
def rich(existing):
    existing.server.query(DROP_RICH)
    existing.run(RICH.replace("NOT VALID", "").replace("DEFERRABLE INITIALLY DEFERRED", ""))
    existing.run("""
        ALTER TABLE events ALTER created_at SET NOT NULL;
        CREATE VIEW "Seen It" WITH (security_barrier) AS SELECT id, size FROM events;
        CREATE PUBLICATION loud FOR TABLE events WITH (publish_via_partition_root = true);
        GRANT USAGE ON SEQUENCE events_id_seq TO ddl_reader;
        INSERT INTO customers VALUES (1), (2);
        INSERT INTO events (customer_id, mail, "What, (ever)") SELECT i % 2 + 1, i, 'x'
          FROM generate_series(1, 3000) i""")
    yield existing
    existing.server.query(f"DROP DATABASE {existing.database} WITH (FORCE)")
    existing.server.query(DROP_RICH)


def test_all_that_hangs_on_the_table_comes_along(rich):
    before = described(rich, "events")
    rich.write(more="partitions:\n  - {table: events, range: created_at, every: 1 month, "
               "history: whole, premake: 4, accept_key: true}\n").applied()
    assert rich.notes() == []
    assert is_partitioned(rich)
    after = described(rich, "events")
    constraints = {name: text for name, text, _comment in after["constraints"]}
    assert constraints["events_pkey"] == "PRIMARY KEY (id, created_at)"
    for what, rows in before.items():
        if what in ("constraints", "indexes"):
            widened = ("events_pkey", "mail_once")
            assert [row[0] for row in rows] == [row[0] for row in after[what]]
            assert [row for row in rows if row[0] not in widened] == \
                [row for row in after[what] if row[0] not in widened]
        else:
            assert rows == after[what], what
    assert rich.value("SELECT count(*) FROM \"Seen It\"") == 3000
    assert rich.run("SELECT tablename::text FROM pg_publication_tables") == [("events",)]
    rich.run("INSERT INTO events (customer_id, \"What, (ever)\") VALUES (1, 'y')")
    rich.run("DELETE FROM customers WHERE id = 2")
    rich.run("UPDATE events SET mail = 'changed' WHERE number = 3")
    rich.rollback()
    again = described(rich, "events")
    before.pop("sequences"), again.pop("sequences")
    assert again == before
    assert rich.value("SELECT count(*) FROM events") == 1501
    assert rich.value("SELECT count(*) FROM \"Seen It\"") == 1501


def test_killed_at_any_point_it_goes_on(existing):
    whole(existing, 300)
    with Load(existing, 2, 60) as load:
        for point in range(1, 200):
            result = existing.pgdeck("apply", "-d", existing.file, "--yes",
                                     env={"PGDECK_CRASH_AT": str(9 + point % 5) if point < 30 else "9999"})
            if result.code == 0:
                break
            assert result.code == -signal.SIGKILL, result.err
            if point % 4 == 0:
                existing.rollback()
                assert not is_partitioned(existing) and leftovers(existing) == []
                existing.pgdeck("apply", "-d", existing.file, "--yes",
                                env={"PGDECK_CRASH_AT": str(point + 3)})
    assert is_partitioned(existing)
    load.check(300)
    assert existing.changes() == []


def test_who_holds_the_table_is_waited_for(existing):
    whole(existing, 300)
    with existing.server.connect(existing.database) as holder:
        holder.execute("BEGIN; SELECT FROM events LIMIT 1")
        result = impatient(existing)
        assert result.code == 17, result.err
    assert existing.changes() == ["go on with partitioning events"]
    existing.applied()
    assert is_partitioned(existing)


def test_the_plan_picks_the_way(existing):
    """Rows that cannot be divided at a bearable price stay together; a table that is small is copied."""
    prepare(existing, 300, "range")
    assert "while it is in use" in existing.changes()[0]
    existing.run("INSERT INTO events (created_at) VALUES ('1900-01-01')")
    existing.write(more=f"partitions:\n  - {KINDS['range'].replace('1 month', '1 day')}\n")
    change = existing.plan()["changes"][0]
    assert "stay where they are" in change["what"] and "would need" in change["why"]
    existing.write(more=f"partitions:\n  - {KINDS['range'].replace('1 month', '1 day, history: split')}\n")
    assert existing.changes() == [] and "would need" in existing.notes()[0]
    existing.run("ALTER TABLE events DROP CONSTRAINT events_pkey, ADD PRIMARY KEY (id) DEFERRABLE")
    existing.run("ALTER TABLE events ADD UNIQUE (id)")
    existing.write(more=f"partitions:\n  - {WHOLE}\n")
    assert existing.changes() == [] and "DEFERRABLE" in existing.notes()[0]


def test_the_way_back_ends_and_what_was_whole_is_split(existing):
    whole(existing, 300).applied()
    gc = existing.pgdeck("partition", "gc", "-d", existing.file, "--all", "--yes")
    assert gc.code == 0 and not [row for row in leftovers(existing) if "back" in row[0]]
    assert "kept" in existing.rollback()
    existing.write(more=f"partitions:\n  - {KINDS['range'].replace('premake', 'rewrite: true, premake')}\n")
    existing.applied()
    assert "events_history" not in bounds(existing, "events") and len(bounds(existing, "events")) > 10
    assert existing.value("SELECT count(*) FROM events") == 300
    assert existing.changes() == []
