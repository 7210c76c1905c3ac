# SPDX-License-Identifier: MIT
"""All that pg_dump knows of a table is there after its conversion, and after the way back."""

import re

import pytest

from test_advisor_ddl import DROP_RICH, MONTHLY, RICH, deck, described, existing  # noqa: F401
from test_partition_live import is_partitioned, prepare

MORE = """
ALTER TABLE events ALTER created_at SET NOT NULL;
CREATE DOMAIN amount AS numeric(10,2) CHECK (VALUE >= 0);
CREATE TYPE mood AS ENUM ('a','b');
ALTER TABLE events ADD money amount DEFAULT 1.5, ADD m mood[] DEFAULT '{a}', ADD j jsonb, ADD parent bigint, ADD dropped int;
ALTER TABLE events DROP dropped;
CREATE INDEX "Odd "" Index" ON events USING gin (j jsonb_path_ops);
CREATE INDEX events_expr ON events (lower(mail), (customer_id + 1) DESC NULLS LAST);
ALTER INDEX events_expr ALTER COLUMN 1 SET STATISTICS 77;
CREATE INDEX events_brin ON events USING brin (created_at) WITH (pages_per_range = 32);
CREATE STATISTICS "Stat s" (mcv) ON (lower(mail)), number FROM events; ALTER STATISTICS "Stat s" SET STATISTICS 200;
COMMENT ON STATISTICS "Stat s" IS 'stats'; ALTER STATISTICS "Stat s" OWNER TO ddl_owner;
ALTER TABLE events REPLICA IDENTITY FULL;
CREATE VIEW "Seen It" WITH (security_barrier) AS SELECT id, size, mail FROM events;
COMMENT ON VIEW "Seen It" IS 'seen'; COMMENT ON COLUMN "Seen It".id IS 'its id'; ALTER VIEW "Seen It" OWNER TO ddl_owner; GRANT SELECT ON "Seen It" TO ddl_reader;
GRANT SELECT (id) ON "Seen It" TO PUBLIC;
ALTER VIEW "Seen It" ALTER COLUMN mail SET DEFAULT 'x';
CREATE TRIGGER instead INSTEAD OF INSERT ON "Seen It" FOR EACH ROW EXECUTE FUNCTION stamp();
CREATE VIEW second AS SELECT e.id FROM events e JOIN "Seen It" s USING (id) WHERE EXISTS (SELECT FROM events x WHERE x.id = e.id);
CREATE PUBLICATION loud FOR TABLE events WITH (publish_via_partition_root = true, publish = 'insert');
GRANT USAGE ON SEQUENCE events_id_seq TO ddl_reader; GRANT SELECT ON SEQUENCE events_number_seq TO ddl_reader;
COMMENT ON SEQUENCE events_id_seq IS 'numbers'; COMMENT ON SEQUENCE events_number_seq IS 'more numbers';
COMMENT ON POLICY mine ON events IS 'policy'; COMMENT ON CONSTRAINT mail_once ON events IS 'once'; COMMENT ON INDEX mail_once IS 'once i';
CREATE TRIGGER always AFTER INSERT ON events REFERENCING NEW TABLE AS n FOR EACH STATEMENT EXECUTE FUNCTION stamp();
ALTER TABLE events ENABLE ALWAYS TRIGGER always;
CREATE TRIGGER replica BEFORE DELETE ON events FOR EACH ROW EXECUTE FUNCTION stamp('a', 'ON public.events b');
ALTER TABLE events ENABLE REPLICA TRIGGER replica; COMMENT ON TRIGGER replica ON events IS 'on replicas';
CREATE CONSTRAINT TRIGGER late AFTER INSERT ON events DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION stamp();
ALTER TABLE events ADD CONSTRAINT deferred_fk FOREIGN KEY (parent) REFERENCES customers ON UPDATE CASCADE DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE events ALTER COLUMN mail SET COMPRESSION pglz;
INSERT INTO customers VALUES (1), (2);
INSERT INTO events (customer_id, mail, "What, (ever)") SELECT i % 2 + 1, i, 'x' FROM generate_series(1, 300) i;
"""


@pytest.fixture
def rich(existing):
    existing.server.query(DROP_RICH)
    existing.run(RICH.replace("NOT VALID", ""))
    existing.run(MORE)
    yield existing
    existing.server.query(f"DROP DATABASE {existing.database} WITH (FORCE)")
    existing.server.query(DROP_RICH)


def dumped(deck):
    """The statements of pg_dump, but for partitions and what pgdeck keeps for the way back."""
    text = deck.server.client("pg_dump", "--schema-only", "--exclude-schema=pgdeck", dbname=deck.database)
    blocks = [block for block in re.split(r"\n(?=--\n-- Name)", text)
              if not re.search(r"-- Name: [^;]*(events_y\d|_pgdeck_old|pgdeck_\d)", block)
              and "zz_pgdeck" not in block]
    lines = [re.sub(r" ON ONLY | TABLE ONLY ", lambda word: word[0].replace(" ONLY", ""), line)
             for block in blocks for line in block.splitlines()]
    return {line for line in lines if line.strip() and not re.match(r"--|\\(un)?restrict|.*pgdeck_\d", line)}


def test_pg_dump_finds_it_all(rich):
    is_dumpable = rich.server.version <= 15  # by Debian's pg_dump; others: described()
    before = dumped(rich) if is_dumpable else None
    known = described(rich, "events")
    rich.write(more=MONTHLY.replace("premake: 2", "premake: 2, accept_key: true")).applied()
    if is_dumpable:
        after = dumped(rich)
        assert before - after == {
            "    ADD CONSTRAINT events_pkey PRIMARY KEY (id);",
            '    ADD CONSTRAINT mail_once UNIQUE (mail, "What, (ever)") DEFERRABLE INITIALLY DEFERRED;',
            "WITH (fillfactor='70', autovacuum_vacuum_scale_factor='0.01');"}
        assert after - before == {
            "    ADD CONSTRAINT events_pkey PRIMARY KEY (id, created_at);",
            '    ADD CONSTRAINT mail_once UNIQUE (mail, "What, (ever)", created_at) '
            "DEFERRABLE INITIALLY DEFERRED;",
            "PARTITION BY RANGE (created_at);"}
    converted = described(rich, "events")
    for what in ("columns", "policies", "statistics", "table", "sequences"):
        assert sorted(converted[what]) == sorted(known[what]), what
    assert rich.value("SELECT obj_description('events_id_seq'::regclass)") == "numbers"
    rich.rollback()
    again = described(rich, "events")
    for what in known:
        assert sorted(again[what]) == sorted(known[what]), what
    if is_dumpable:
        assert dumped(rich) == before


def test_the_owner_of_the_database_is_enough(existing):
    """As with rented servers: no superuser, no other role's rights."""
    existing.server.query("CREATE ROLE plain LOGIN")
    existing.server.query(f"ALTER DATABASE {existing.database} OWNER TO plain")
    try:
        prepare(existing, 500, "list")
        existing.run("ALTER TABLE events OWNER TO plain; ALTER VIEW seen OWNER TO plain; "
                     "ALTER SCHEMA public OWNER TO plain")
        text = existing.file.read_text()
        existing.file.write_text(text.replace(existing.server.conninfo(), existing.server.conninfo(
            existing.database, user="plain")))
        assert existing.file.read_text() != text
        existing.applied()
        assert is_partitioned(existing)
        existing.run("UPDATE events SET n = -1 WHERE id = 7")
        existing.rollback()
        assert not is_partitioned(existing)
        assert existing.run("SELECT n FROM events WHERE id = 7") == [(-1,)]
        assert existing.value("SELECT count(*) FROM events") == 500
    finally:
        existing.server.query(f"DROP DATABASE {existing.database} WITH (FORCE)")
        existing.server.query("DROP ROLE plain")
