# SPDX-License-Identifier: MIT
"""The advisors that make tables, partitions and indexes: schema, partition, index."""

import datetime
import json
import signal
import threading

import pytest

DECK = """
deck: ddl
servers:
  main: {conninfo: "CONNINFO", memory: 512MB, cpus: 2, storage: ssd}
environments:
  test: {server: main, memory: 256MB, max_connections: 20, workload: oltp, logging: minimal}
databases:
  DATABASE: {environment: test}
advisors: [schema, index, partition, maintenance]
lock_wait: 50ms
give_up: 2s
"""
CUSTOMERS = "CREATE TABLE customers (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text);\n"
EVENTS = """
CREATE TABLE events (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT now(),
    what text NOT NULL DEFAULT 'x'
);
"""
MONTHLY = "partitions:\n  - {table: events, range: created_at, every: 1 month, premake: 2}\n"


class Deck:
    """A deck of one database, and pgdeck to bring it there."""

    def __init__(self, pgdeck, server, folder, database):
        self.pgdeck, self.server, self.folder, self.database = pgdeck, server, folder, database
        self.folder.mkdir()
        self.file = folder / "deck.yaml"

    def write(self, schema="", indexes="", more=""):
        conninfo = self.server.conninfo().replace("\\", "\\\\").replace('"', '\\"')
        text = DECK.replace("CONNINFO", conninfo).replace(
            "DATABASE", json.dumps(self.database, ensure_ascii=False)) + more
        if schema:
            (self.folder / "schema.sql").write_text(schema)
            text += "schema: schema.sql\n"
        if indexes:
            (self.folder / "indexes.sql").write_text(indexes)
            text += "indexes: indexes.sql\n"
        self.file.write_text(text)
        return self

    def plan(self):
        result = self.pgdeck("plan", "-d", self.file, "--json")
        assert result.code == 0, result.err
        return json.loads(result.out)

    def changes(self):
        return [change["what"] for change in self.plan()["changes"]]

    def notes(self):
        return [note["text"] for note in self.plan()["notes"]]

    def apply(self, **env):
        return self.pgdeck("apply", "-d", self.file, "--yes", env=env)

    def applied(self):
        """Applied, and the plan is empty afterwards."""
        result = self.apply()
        assert result.code == 0, result.err
        assert self.changes() == []
        return self

    def rollback(self, *args):
        result = self.pgdeck("rollback", "-d", self.file, "--yes", *args)
        assert result.code == 0, result.err
        return result.out

    def run(self, sql, *values):
        return self.server.query(sql, *values, dbname=self.database)

    def value(self, sql, *values):
        return self.run(sql, *values)[0][0]


@pytest.fixture
def deck(pgdeck, server, tmp_path):
    database = "ddl"
    yield Deck(pgdeck, server, tmp_path / "deck", database)
    server.query(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")


@pytest.fixture
def existing(deck):
    """The same with a database that is there before pgdeck looks at it."""
    deck.server.query(f"CREATE DATABASE {deck.database}")
    return deck


def bounds(deck, table):
    return dict(deck.run(
        "SELECT c.relname, pg_get_expr(c.relpartbound, c.oid) FROM pg_inherits i "
        "JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = %s::regclass ORDER BY 1", table))


def described(deck, table):
    """All that hangs on a table, but for its storage and what partitioning must change."""
    queries = {
        "columns": "SELECT attname::text, format_type(atttypid, atttypmod), attnotnull, attidentity, "
                   "attgenerated, attstorage, col_description(attrelid, attnum), attacl::text, "
                   "pg_get_expr(d.adbin, d.adrelid), coalesce(nullif(attstattarget, -1), -1) "
                   "FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = attrelid "
                   "AND d.adnum = attnum WHERE attrelid = %s::regclass AND attnum > 0 "
                   "AND NOT attisdropped ORDER BY attnum",
        "constraints": "SELECT conname::text, pg_get_constraintdef(oid), "
                       "obj_description(oid, 'pg_constraint') FROM pg_constraint "
                       "WHERE conrelid = %s::regclass ORDER BY 1",
        "indexes": "SELECT c.relname::text, replace(pg_get_indexdef(c.oid), ' ON ONLY ', ' ON '), "
                   "obj_description(c.oid) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid "
                   "WHERE i.indrelid = %s::regclass ORDER BY 1",
        "triggers": "SELECT tgname::text, pg_get_triggerdef(oid), tgenabled, "
                    "obj_description(oid, 'pg_trigger') FROM pg_trigger "
                    "WHERE tgrelid = %s::regclass AND NOT tgisinternal ORDER BY 1",
        "policies": "SELECT polname::text, polcmd, polpermissive, "
                    "polroles::regrole[]::text, pg_get_expr(polqual, polrelid), "
                    "pg_get_expr(polwithcheck, polrelid) FROM pg_policy "
                    "WHERE polrelid = %s::regclass ORDER BY 1",
        "statistics": "SELECT stxname::text, pg_get_statisticsobjdef(oid) FROM pg_statistic_ext "
                      "WHERE stxrelid = %s::regclass",
        "table": "SELECT relacl::text, relowner::regrole::text, relrowsecurity, relforcerowsecurity, "
                 "obj_description(oid, 'pg_class') FROM pg_class WHERE oid = %s::regclass",
        "sequences": "SELECT s.relname::text, s.relowner::regrole::text, d.refobjsubid, d.deptype, "
                     "q.seqstart, q.seqincrement, q.seqmax, pg_sequence_last_value(s.oid) "
                     "FROM pg_depend d JOIN pg_class s ON s.oid = d.objid "
                     "JOIN pg_sequence q ON q.seqrelid = s.oid "
                     "WHERE d.refobjid = %s::regclass AND d.classid = 'pg_class'::regclass "
                     "ORDER BY 1",
    }
    return {name: deck.run(query, table) for name, query in queries.items()}


# --- schema ---------------------------------------------------------------------------------------

def test_what_the_schema_declares_is_made_once(deck):
    deck.write(CUSTOMERS + """
        -- a statement that ends in a comment, and what comes after it
        CREATE TYPE mood AS ENUM ('good', 'bad');
        CREATE SCHEMA "Side Car";
        CREATE TABLE "Side Car"."T" (a int, m public.mood -- last
        );
        CREATE SEQUENCE numbers;
        CREATE FUNCTION twice(n int) RETURNS int LANGUAGE sql IMMUTABLE AS $$ SELECT n * 2; $$;
        CREATE VIEW few AS SELECT id FROM customers;
        CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN new; END $$;
        CREATE TRIGGER stamped BEFORE INSERT ON customers FOR EACH ROW EXECUTE FUNCTION stamp();
        COMMENT ON TABLE customers IS 'who buys; it''s "them"';
        COMMENT ON COLUMN customers.name IS 'full';
        COMMENT ON FUNCTION twice(int) IS 'n + n';
        CREATE EXTENSION pg_trgm;
        CREATE INDEX customers_name ON customers USING gin (name gin_trgm_ops);
    """, 'CREATE INDEX "T a" ON "Side Car" . "T" (twice(a)) WHERE m > \'good\';').applied()
    assert deck.value("SELECT obj_description('customers'::regclass)") == 'who buys; it\'s "them"'
    assert deck.value("SELECT obj_description('twice'::regproc)") == "n + n"
    assert deck.value("SELECT numbers.last_value + twice(2) FROM numbers") == 5
    deck.rollback()
    names = [row[0] for row in deck.server.query("SELECT datname FROM pg_database")]
    assert deck.database not in names


def test_comments_alone_are_no_change(existing):
    existing.run("CREATE TABLE customers (id bigint, name text)")
    existing.write("CREATE TABLE customers (id bigint, name text);"
                   "COMMENT ON TABLE customers IS 'who buys'")
    assert existing.changes() == []


def test_a_missing_column_is_added_or_named(existing):
    existing.run("CREATE TABLE t (id bigint); INSERT INTO t VALUES (1)")
    existing.write("""CREATE TABLE t (id bigint, plain text,
        soft numeric(10, 2) NOT NULL DEFAULT 1.5, -- cents
        since timestamptz DEFAULT now(), "Odd, Name" text[] DEFAULT '{a,b}'::text[],
        drawn uuid DEFAULT gen_random_uuid(), checked int CHECK (checked > 0), hard int NOT NULL,
        number serial);""")
    assert existing.changes() == [f"add column {name} to t"
                                  for name in ("plain", "soft", "since", "Odd, Name")]
    notes = " ".join(existing.notes())
    for name in ("drawn", "checked", "hard", "number"):
        assert f'lacks the column "{name}"' in notes
    assert existing.apply().code == 0
    assert existing.changes() == []
    assert existing.run('SELECT soft::text, "Odd, Name" FROM t') == [("1.50", ["a", "b"])]
    existing.rollback()
    assert existing.value("SELECT count(*) FROM pg_attribute WHERE attrelid = 't'::regclass "
                          "AND attnum > 0 AND NOT attisdropped") == 1


def test_a_column_that_was_written_stays(existing):
    existing.run("CREATE TABLE t (id bigint); INSERT INTO t VALUES (1)")
    existing.write("CREATE TABLE t (id bigint, a int, b int NOT NULL DEFAULT 7);").applied()
    existing.run("UPDATE t SET a = 3")
    assert "kept" in existing.rollback()
    assert existing.run("SELECT * FROM t") == [(1, 3)]


def test_a_database_with_rows_of_others_stays(deck):
    deck.write(CUSTOMERS).applied()
    deck.run("CREATE TABLE stranger AS SELECT 1 AS n")
    assert "kept" in deck.rollback()
    assert deck.run("SELECT n FROM stranger") == [(1,)]
    assert deck.value("SELECT to_regclass('customers') IS NULL")


def test_types_in_use_stay(deck):
    deck.write("CREATE TYPE mood AS ENUM ('good'); CREATE TABLE t (m mood);").applied()
    deck.run("INSERT INTO t VALUES ('good')")
    assert "kept" in deck.rollback()
    assert deck.run("SELECT m FROM t") == [("good",)]


# --- partitions -----------------------------------------------------------------------------------

RICH = """
CREATE ROLE ddl_owner; CREATE ROLE ddl_reader; CREATE ROLE "ddl We""ird";
GRANT CREATE ON SCHEMA public TO ddl_owner;
ALTER DEFAULT PRIVILEGES GRANT DELETE ON TABLES TO "ddl We""ird";
CREATE TABLE customers (id bigint PRIMARY KEY);
CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN new; END $$;
CREATE TABLE events (
    id bigint GENERATED BY DEFAULT AS IDENTITY (START 5 INCREMENT 3) PRIMARY KEY,
    number serial,
    customer_id bigint NOT NULL REFERENCES customers ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    "What, (ever)" text COLLATE "C" CHECK ("What, (ever)" <> ''),
    size int GENERATED ALWAYS AS (length("What, (ever)")) STORED,
    mail text,
    CONSTRAINT mail_once UNIQUE (mail, "What, (ever)") DEFERRABLE INITIALLY DEFERRED
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01);
ALTER TABLE events ADD CONSTRAINT early CHECK (created_at > '2000-01-01') NOT VALID;
ALTER TABLE events ALTER mail SET STATISTICS 500, ALTER mail SET STORAGE EXTERNAL,
    ALTER mail SET (n_distinct = -0.5);
CREATE INDEX events_mail ON events (lower(mail)) INCLUDE (number) WITH (fillfactor = 80)
    WHERE mail IS NOT NULL;
CREATE STATISTICS events_stats ON customer_id, mail FROM events;
CREATE TRIGGER stamped BEFORE INSERT ON events FOR EACH ROW WHEN (new.mail IS NULL)
    EXECUTE FUNCTION stamp();
CREATE TRIGGER asleep AFTER UPDATE OF mail ON events EXECUTE FUNCTION stamp();
ALTER TABLE events DISABLE TRIGGER asleep;
CREATE POLICY mine ON events AS RESTRICTIVE FOR UPDATE TO ddl_reader, "ddl We""ird"
    USING (mail = current_user) WITH CHECK (customer_id > 0);
ALTER TABLE events ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE events OWNER TO ddl_owner;
GRANT SELECT, INSERT ON events TO ddl_reader WITH GRANT OPTION;
GRANT UPDATE (mail) ON events TO PUBLIC;
REVOKE TRUNCATE ON events FROM ddl_owner;
COMMENT ON TABLE events IS 'it''s all';
COMMENT ON COLUMN events.mail IS 'mail';
COMMENT ON CONSTRAINT events_pkey ON events IS 'the key';
COMMENT ON CONSTRAINT early ON events IS 'check';
COMMENT ON CONSTRAINT events_customer_id_fkey ON events IS 'to whom';
COMMENT ON INDEX events_mail IS 'index';
COMMENT ON TRIGGER stamped ON events IS 'trigger';
SELECT nextval('events_id_seq'), nextval('events_id_seq'), nextval('events_number_seq');
"""
DROP_RICH = 'DROP ROLE IF EXISTS ddl_owner, ddl_reader, "ddl We""ird"'


@pytest.fixture
def rich(existing):
    existing.server.query(DROP_RICH)
    existing.run(RICH)
    yield existing
    existing.server.query(f"DROP DATABASE {existing.database} WITH (FORCE)")
    existing.server.query(DROP_RICH)


def test_a_conversion_keeps_all_that_hangs_on_the_table(rich):
    before = described(rich, "events")
    rich.write(more=MONTHLY).applied()
    after = described(rich, "events")
    constraints = {name: text for name, text, _comment in after["constraints"]}
    assert constraints["events_pkey"] == "PRIMARY KEY (id, created_at)"
    assert constraints["mail_once"] == \
        'UNIQUE (mail, "What, (ever)", created_at) DEFERRABLE INITIALLY DEFERRED'
    widened = ("events_pkey", "mail_once", "early")
    for what, rows in before.items():
        if what in ("constraints", "indexes"):
            assert [row[0] for row in rows] == [row[0] for row in after[what]]
            assert [row for row in rows if row[0] not in widened] == \
                [row for row in after[what] if row[0] not in widened]
            assert [row[-1] for row in rows] == [row[-1] for row in after[what]]
        else:
            assert rows == after[what], what
    leaves = rich.run("SELECT relowner::regrole::text, reloptions::text FROM pg_class "
                      "WHERE relname ~ '^events_y' AND relkind = 'r'")
    assert leaves == [("ddl_owner",
                       "{autovacuum_vacuum_scale_factor=0.01,fillfactor=70}")] * 3
    rich.run("INSERT INTO customers VALUES (1); INSERT INTO events (customer_id, mail) VALUES (1, 'm')")
    assert rich.run("SELECT id, number FROM events") == [(11, 2)]
    rich.run("DELETE FROM events")
    rich.rollback()
    again = described(rich, "events")
    assert again["sequences"][0][-1] == 11
    for what in ("sequences", "constraints"):
        before.pop(what), again.pop(what)
    assert again == before
    assert rich.value("SELECT relkind FROM pg_class WHERE relname = 'events'") == "r"


def test_premade_partitions_take_after_the_others(rich):
    rich.write(more=MONTHLY).applied()
    rich.write(more=MONTHLY.replace("premake: 2", "premake: 4"))
    assert len(rich.changes()) == 2
    rich.applied()
    leaves = rich.run("SELECT DISTINCT relowner::regrole::text, reloptions::text FROM pg_class "
                      "WHERE relname ~ '^events_y' AND relkind = 'r'")
    assert leaves == [("ddl_owner", "{autovacuum_vacuum_scale_factor=0.01,fillfactor=70}")]
    newest = max(bounds(rich, "events"))
    assert rich.value("SELECT count(*) FROM pg_index WHERE indrelid = %s::regclass "
                      "AND indisvalid", newest) == 3
    assert rich.value("SELECT count(*) FROM pg_constraint WHERE conrelid = %s::regclass "
                      "AND contype IN ('f', 'c')", newest) == 3
    rich.rollback()
    assert len(bounds(rich, "events")) == 3


def test_every_kind_of_partition(deck):
    deck.write("""
        CREATE TABLE by_day (id int, d date NOT NULL);
        CREATE TABLE by_week (id int, t timestamp);
        CREATE TABLE by_year (id int, t timestamptz);
        CREATE TABLE by_quarter (id int, t timestamptz);
        CREATE TYPE state AS ENUM ('new', 'it''s', 'done');
        CREATE TABLE by_list (id int, s state, n int);
        CREATE TABLE by_number (id int, n int);
        CREATE TABLE by_hash (id uuid PRIMARY KEY, m text);
    """, more="""partitions:
  - {table: by_day, range: d, every: 1 day, premake: 2, past: 3}
  - {table: by_week, range: t, every: 1 week, premake: 1}
  - {table: by_year, range: t, every: 1 year, premake: 1}
  - {table: by_quarter, range: t, every: 3 months, premake: 1}
  - {table: by_list, list: s, parts: {open: [new, "it's"], "Clo sed": [done]}}
  - {table: by_number, list: n, parts: {low: [1, 2], high: [-3]}}
  - {table: by_hash, hash: m, parts: 3}
""").applied()
    today = deck.value("SELECT (now() AT TIME ZONE 'UTC')::date")
    year, week, _day = today.isocalendar()
    day = datetime.timedelta(days=1)
    assert list(bounds(deck, "by_day")) == \
        [(today + day * i).strftime("by_day_y%Ym%md%d") for i in range(-3, 3)]
    assert f"by_week_y{year:04}w{week:02}" in bounds(deck, "by_week")
    assert f"by_year_y{today.year:04}" in bounds(deck, "by_year")
    assert f"by_quarter_y{today.year:04}m{(today.month - 1) // 3 * 3 + 1:02}" in \
        bounds(deck, "by_quarter")
    assert bounds(deck, "by_list") == {"by_list_open": "FOR VALUES IN ('new', 'it''s')",
                                       "by_list_Clo sed": "FOR VALUES IN ('done')"}
    assert bounds(deck, "by_number")["by_number_high"] in ("FOR VALUES IN (-3)",
                                                           "FOR VALUES IN ('-3')")
    assert len(bounds(deck, "by_hash")) == 3
    for sql in ("by_day SELECT 1, d FROM generate_series(current_date - 3, current_date + 2, '1 day') d",
                "by_week VALUES (1, now() AT TIME ZONE 'UTC')", "by_year VALUES (1, now())",
                "by_quarter VALUES (1, now() + '3 months')", "by_list VALUES (1, 'it''s', 1)",
                "by_number VALUES (1, -3)", "by_hash SELECT gen_random_uuid(), n FROM "
                "generate_series(1, 50) n"):
        deck.run("INSERT INTO " + sql)
    assert "kept" in deck.rollback()
    assert deck.value("SELECT count(*) FROM by_hash") == 50
    deck.rollback("--drop-data")


def test_boundaries_are_utc_whatever_the_time_zone(existing):
    existing.server.query(f"ALTER DATABASE {existing.database} SET timezone = 'Pacific/Auckland'")
    existing.server.query(f"ALTER DATABASE {existing.database} SET datestyle = 'German'")
    existing.write(EVENTS, more=MONTHLY).applied()
    with existing.server.connect(existing.database) as connection:
        connection.execute("SET timezone = 'UTC'; SET datestyle = 'ISO'")
        texts = [row[0] for row in connection.execute(
            "SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE relispartition "
            "AND relkind = 'r'").fetchall()]
    assert len(texts) == 3 and all("-01 00:00:00+00')" in text for text in texts), texts


def test_a_missing_period_is_added_without_stopping_writers(deck):
    deck.write(EVENTS, more=MONTHLY).applied()
    newest = max(bounds(deck, "events"))
    deck.run(f"DROP TABLE {newest}")
    assert deck.changes() == [f"add partition {newest} to events"]
    with deck.server.connect(deck.database) as writer:
        writer.execute("BEGIN; INSERT INTO events DEFAULT VALUES")
        deck.applied()
        writer.execute("INSERT INTO events DEFAULT VALUES; COMMIT")
    assert newest in bounds(deck, "events")


@pytest.mark.parametrize("sql, reason", [
    ("CREATE TABLE other (e bigint REFERENCES events)", "other_e_fkey"),
    ("CREATE MATERIALIZED VIEW seen AS SELECT id FROM events", "seen"),
    ("CREATE UNIQUE INDEX only_one ON events (what)", "only_one"),
    ("CREATE PUBLICATION loud FOR TABLE events", "loud"),
    ("CREATE TABLE child () INHERITS (events)", "child"),
    ("ALTER TABLE events SET UNLOGGED", "unlogged"),
    ("ALTER TABLE events DROP created_at", "no column"),
    ("ALTER TABLE events ALTER created_at DROP DEFAULT, ALTER created_at TYPE text", "type text"),
    ("ALTER TABLE events ADD EXCLUDE USING btree (what WITH =)", "exclusion"),
])
def test_what_stands_in_the_way_is_named(existing, sql, reason):
    existing.run(EVENTS + sql)
    existing.write(more=MONTHLY)
    assert existing.changes() == []
    assert "cannot be partitioned" in existing.notes()[0] and reason in existing.notes()[0]


def test_what_stands_in_the_way_of_a_new_table_stops_the_apply(deck):
    deck.write(EVENTS.replace("CREATE TABLE", "CREATE UNLOGGED TABLE"), more=MONTHLY)
    result = deck.apply()
    assert result.code == 22 and "unlogged" in result.err, result.err
    assert deck.value("SELECT relkind FROM pg_class WHERE relname = 'events'") == "r"


def test_partitioned_otherwise_is_left_alone_and_said(existing):
    existing.run("CREATE TABLE events (id int, created_at timestamptz) PARTITION BY HASH (id)")
    existing.write(more=MONTHLY)
    assert existing.changes() == []
    assert "HASH (id)" in existing.notes()[0] and "RANGE (created_at)" in existing.notes()[0]


def test_a_rule_that_is_gone_is_no_obstacle(existing):
    existing.run(EVENTS)
    existing.run("CREATE RULE r AS ON DELETE TO events DO INSTEAD NOTHING; DROP RULE r ON events")
    existing.write(more=MONTHLY)
    assert existing.notes() == []
    existing.applied()


def test_a_partition_that_does_not_fit_is_left_alone_and_said(existing):
    existing.run("CREATE TABLE t (n int) PARTITION BY LIST (n);"
                 "CREATE TABLE p PARTITION OF t FOR VALUES IN (1, 7)")
    existing.write(more="partitions:\n  - {table: t, list: n, parts: {a: [1, 2], b: [3]}}\n")
    assert existing.changes() == ["add partition t_b to t"]
    assert any("does not fit" in note for note in existing.notes())
    existing.applied()


def test_a_larger_partition_covers_a_wanted_one(existing):
    existing.run("CREATE TABLE events (created_at timestamptz) PARTITION BY RANGE (created_at);"
                 "CREATE TABLE e PARTITION OF events FOR VALUES FROM (MINVALUE) TO ('2999-01-01')")
    existing.write(more=MONTHLY)
    assert existing.changes() == [] and existing.notes() == []


def test_a_busy_table_is_given_up_and_stays_whole(existing):
    existing.run(EVENTS)
    existing.write(more=MONTHLY)
    with existing.server.connect(existing.database) as reader:
        reader.execute("BEGIN; LOCK TABLE events IN ACCESS SHARE MODE")
        assert existing.apply().code == 17
    assert existing.value("SELECT relkind FROM pg_class WHERE relname = 'events'") == "r"
    existing.applied()


# --- indexes --------------------------------------------------------------------------------------

INDEX = "CREATE INDEX events_what ON events (lower(what), created_at DESC) WHERE what <> 'x';"


def index_state(deck, name):
    return deck.run("SELECT pg_get_indexdef(indexrelid), indisvalid FROM pg_index "
                    "WHERE indexrelid = %s::regclass", name)[0]


@pytest.fixture
def filled(existing):
    existing.run(EVENTS + "INSERT INTO events (what) SELECT n FROM generate_series(1, 5000) n")
    return existing


def test_an_index_is_built_beside_writers(filled):
    filled.write(indexes=INDEX)
    plan = filled.plan()["changes"]
    assert "CONCURRENTLY" in plan[0]["sql"]
    stop = threading.Event()
    failures = []

    def write():
        with filled.server.connect(filled.database) as connection:
            connection.execute("SET lock_timeout = '2s'")
            while not stop.is_set():
                try:
                    connection.execute("INSERT INTO events (what) VALUES ('w')")
                except Exception as failure:  # any failure is the test's
                    failures.append(failure)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        filled.applied()
    finally:
        stop.set()
        writer.join()
    assert failures == []
    assert index_state(filled, "events_what")[1]
    filled.rollback()
    assert filled.value("SELECT to_regclass('events_what') IS NULL")


def test_what_is_there_already_is_no_change_however_it_is_written(filled):
    filled.run("CREATE INDEX a ON events USING btree (what ASC, ((id + 1)) DESC NULLS FIRST)")
    filled.write(indexes="CREATE INDEX a ON public.events(what,(id+1) DESC);")
    assert filled.changes() == [] and filled.notes() == []


def test_the_same_under_another_name_satisfies(filled):
    filled.run("CREATE INDEX other ON events (what)")
    filled.write(indexes="CREATE INDEX events_what ON events (what);")
    assert filled.changes() == []
    assert "other" in filled.notes()[0]


def test_another_definition_is_built_beside_and_swapped(filled):
    filled.run("CREATE INDEX events_what ON events (what)")
    before = index_state(filled, "events_what")
    filled.write(indexes=INDEX)
    assert len(filled.changes()) == 3
    filled.applied()
    assert "lower(what)" in index_state(filled, "events_what")[0]
    assert filled.value("SELECT count(*) FROM pg_class WHERE relname ~ '_pgdeck_'") == 0
    filled.rollback()
    assert index_state(filled, "events_what") == before
    assert filled.value("SELECT count(*) FROM pg_class WHERE relname ~ '_pgdeck_'") == 0


def test_an_invalid_index_is_built_again(filled):
    filled.write(indexes="CREATE UNIQUE INDEX once ON events (what);")
    filled.run("INSERT INTO events (what) VALUES ('1')")
    with filled.server.connect(filled.database) as connection:
        with pytest.raises(Exception, match="could not create unique"):
            connection.execute("CREATE UNIQUE INDEX CONCURRENTLY once ON events (what)")
    result = filled.apply()
    assert result.code == 20 and "could not create unique index" in result.err, result.err
    filled.run("DELETE FROM events WHERE id > 5000")
    assert filled.applied()
    assert index_state(filled, "once")[1]


def test_an_index_that_cannot_be_is_refused_with_its_place(filled):
    filled.write(indexes="CREATE INDEX fine ON events (what);\n\n"
                         "CREATE INDEX wrong ON events (no_such_column);")
    result = filled.pgdeck("plan", "-d", filled.file)
    assert result.code != 0
    assert "indexes.sql:3:1: error:" in result.err and "no_such_column" in result.err


def test_an_index_on_no_table_is_refused_with_its_place(filled):
    filled.write(indexes="CREATE INDEX wrong ON evens (what);")
    result = filled.pgdeck("plan", "-d", filled.file)
    assert result.code == 10 and "indexes.sql:1:1: error:" in result.err and "evens" in result.err


@pytest.fixture
def partitioned(existing):
    """With rows, three levels, and a name of the length that has to be cut."""
    existing.run("""
        CREATE TABLE events (id int, created_at timestamptz, what text) PARTITION BY RANGE (id);
        CREATE TABLE events_low PARTITION OF events FOR VALUES FROM (0) TO (1000);
        CREATE TABLE events_high PARTITION OF events FOR VALUES FROM (1000) TO (2000)
            PARTITION BY HASH (what);
        CREATE TABLE events_high_0 PARTITION OF events_high FOR VALUES WITH (MODULUS 2, REMAINDER 0);
        CREATE TABLE events_high_and_quite_a_long_name_so_that_it_has_to_be_cut_ PARTITION OF
            events_high FOR VALUES WITH (MODULUS 2, REMAINDER 1);
        INSERT INTO events SELECT n, now(), n FROM generate_series(0, 1999) n;
        CREATE INDEX by_hand ON events_low (lower(what), created_at DESC) WHERE what <> 'x';
    """)
    return existing.write(indexes=INDEX)


def parts(deck):
    return deck.value("SELECT count(*) FROM pg_partition_tree('events_what') "
                      "JOIN pg_index ON indexrelid = relid WHERE indisvalid")


def test_an_index_of_a_partitioned_table(partitioned):
    partitioned.applied()
    assert parts(partitioned) == 5
    assert partitioned.value("SELECT parentrelid::text FROM pg_partition_tree('events_what') "
                             "WHERE relid = 'by_hand'::regclass") == "events_what"
    partitioned.write(indexes=INDEX.replace("'x'", "'y'")).applied()
    assert parts(partitioned) == 5
    assert "'y'" in index_state(partitioned, "events_what")[0]
    partitioned.rollback()
    assert "'x'" in index_state(partitioned, "events_what")[0]


def test_killed_between_any_two_steps_the_build_goes_on(partitioned):
    for point in range(1, 100):
        result = partitioned.apply(PGDECK_CRASH_AT=str(point))
        if result.code == 0:
            break
        assert result.code == -signal.SIGKILL, result.err
        partitioned.applied()
        assert parts(partitioned) == 5
        assert partitioned.value("SELECT count(*) FROM pg_index WHERE NOT indisvalid") == 0
        partitioned.rollback()
        assert partitioned.value("SELECT to_regclass('events_what') IS NULL")
    assert 8 < point < 99


# --- names ----------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", ['we"ird', "Cap Ital", "ünï-çode", "it's", "a\\b", "select",
                                  "$1 :x :'y' %s", "x;DROP", "ab" * 31, "ü" * 31])
def test_names_are_only_names(deck, name):
    quoted = '"' + name.replace('"', '""') + '"'
    yaml = json.dumps(name, ensure_ascii=False)
    schema = f"""
        CREATE SCHEMA {quoted};
        CREATE TABLE {quoted}.{quoted} (id int PRIMARY KEY, {quoted} timestamptz NOT NULL
            DEFAULT now(), n int GENERATED ALWAYS AS IDENTITY);
        COMMENT ON COLUMN {quoted}.{quoted}.{quoted} IS 'x';
        CREATE TABLE {quoted} (id int, {quoted} text);
    """
    indexes = (f'CREATE INDEX "an index" ON {quoted}.{quoted} ({quoted}, id);'
               f'CREATE INDEX "it" ON {quoted} (lower({quoted}));')
    more = f"""partitions:
  - {{schema: {yaml}, table: {yaml}, range: {yaml}, every: 1 month, premake: 1}}
  - {{table: {yaml}, list: {yaml}, parts: {{{yaml}: [{yaml}], b: [c]}}}}
"""
    deck.write(schema, indexes, more).applied()
    deck.run("INSERT INTO {} VALUES (1, %s)".format(quoted.replace("%", "%%")), name)
    deck.run(f"INSERT INTO {quoted}.{quoted} VALUES (1)")
    # on tables that are there: built concurrently, replaced, premade
    indexes = indexes.replace(", id)", ", id DESC)")
    deck.write(schema + f'CREATE INDEX more ON {quoted} (id);', indexes,
               more.replace("premake: 1", "premake: 2"))
    assert len(deck.changes()) == 5
    deck.applied()
    assert deck.value("SELECT count(*) FROM pg_index WHERE NOT indisvalid") == 0
    deck.rollback("--drop-data")
    deck.rollback("--drop-data")
    names = [row[0] for row in deck.server.query("SELECT datname FROM pg_database")]
    assert deck.database not in names
