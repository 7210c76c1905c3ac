# SPDX-License-Identifier: MIT
"""Installs the objects of src/monitoring/objects by their headers (docs/design/monitoring-sql.md), as
the monitoring advisor does: for the tests of the SQL alone."""

import re
from dataclasses import dataclass, field

from psycopg import sql

from cluster import SOURCE

FOLDER = SOURCE / "src" / "monitoring" / "objects"
DECK = SOURCE / "decks" / "saas-control-deck" / "monitoring"
CHECKS = SOURCE / "src" / "monitoring" / "checks"
HEADER = re.compile(r"^-- (what|object|check|scope|rank|servers|needs|after|grant): (.+)$")
NEED = re.compile(r"^(no )?(table|column) (\S+?)(?:\(([\w, ]+)\))?$")
GRANT = re.compile(r"^select \(([\w, ]+)\) on (\w+)$")

TABLES = """
    SELECT n.nspname, c.relname FROM pg_catalog.pg_class AS c
      JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
     WHERE c.relname = %s AND c.relkind IN ('r', 'p') AND NOT c.relispartition
       AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
       AND %s::text[] <@ ARRAY(SELECT a.attname::text FROM pg_catalog.pg_attribute AS a
                                WHERE a.attrelid = c.oid AND NOT a.attisdropped)"""


@dataclass
class File:
    """One file of the folder: its object and what its header asks for."""

    name: str
    text: str
    what: str = ""
    object: str = ""
    check: str = ""
    scope: str = ""
    rank: str = ""
    servers: range = range(0)
    needs: list = field(default_factory=list)
    after: list = field(default_factory=list)
    grants: list = field(default_factory=list)


def words(text):
    return [word.strip() for word in text.split(",")]


def read(path):
    file = File(path.name, path.read_text())
    for line in file.text.splitlines():
        match = HEADER.match(line)
        if not match:
            break
        key, value = match.groups()
        if key == "needs":
            no, kind, name, columns = NEED.match(value).groups()
            file.needs.append((not no, kind, name, words(columns) if columns else []))
        elif key == "grant":
            columns, table = GRANT.match(value).groups()
            file.grants.append((words(columns), table))
        elif key == "after":  # commas inside of (text, text) do not separate
            file.after += [word.strip() for word in re.split(r",(?![^(]*\))", value)]
        elif key == "servers":
            low, high = value.split("..")
            file.servers = range(int(low), int(high) + 1)
        else:
            setattr(file, key, value)
    return file


def read_all():
    """pgdeck's own objects and those of the shipped deck."""
    files = [read(path) for folder in (FOLDER, DECK) for path in sorted(folder.glob("*.sql"))]
    return [file for file in files if not file.check]


def read_checks():
    files = [read(path) for folder in (CHECKS, DECK) for path in sorted(folder.glob("*.sql"))]
    return [file for file in files if file.check]


def filled(connection, text):
    """With the checks that this database takes where pgdeck puts them; the deck says nothing."""
    rows = "".join(f", ('{f.check}', {f.rank}, $check${body(f)}$check$)" for f in read_checks()
                   if all(is_met(connection, need) for need in f.needs))
    return text.replace("/* checks */", rows)


def body(check):
    return check.text[:check.text.rindex(";")]


def is_met(connection, need):
    wanted, kind, name, columns = need
    if kind == "column" and name.startswith("monitoring."):
        return wanted
    if kind == "column":
        table, _, column = name.rpartition(".")
        query = ("SELECT FROM pg_catalog.pg_attribute WHERE attrelid = pg_catalog.to_regclass(%s)"
                 " AND attname = %s AND NOT attisdropped")
        values = (table, column)
    else:
        query, values = TABLES, (name, columns)
    return (connection.execute(query, values).fetchone() is not None) == wanted


def chosen(connection):
    """The files that this database takes, each behind those that it reads."""
    left = [f for f in read_all() if all(is_met(connection, need) for need in f.needs)]
    done, ordered = set(), []
    while left:
        ready = [f for f in left if not {o for o in f.after} & {x.object.split(" ", 1)[1]
                                                                 for x in left}]
        assert ready, f"'after' goes in a circle: {[f.name for f in left]}"
        ordered += ready
        done |= {f.object for f in ready}
        left = [f for f in left if f not in ready]
    return ordered


def install(connection):
    """As `pgdeck apply`: schema, objects, grants. Returns the files that were run."""
    with connection.transaction():
        connection.execute("SET LOCAL search_path = pg_catalog, pg_temp")
        connection.execute("CREATE SCHEMA IF NOT EXISTS monitoring")
        connection.execute("GRANT USAGE ON SCHEMA monitoring TO pg_monitor")
        files = chosen(connection)
        for file in files:
            kind, name = file.object.split(" ", 1)
            if kind == "table" and connection.execute("SELECT pg_catalog.to_regclass(%s)",
                                                      (name,)).fetchone()[0]:
                continue
            connection.execute(filled(connection, file.text))
            for columns, table in file.grants:
                for schema, name in connection.execute(TABLES, (table, columns)).fetchall():
                    connection.execute(
                        sql.SQL("GRANT SELECT ({}) ON {}.{} TO pg_monitor").format(
                            sql.SQL(", ").join(map(sql.Identifier, columns)),
                            sql.Identifier(schema), sql.Identifier(name)))
    return files
