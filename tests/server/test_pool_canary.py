# SPDX-License-Identifier: MIT
"""The canary run: clients of two users on few servers, each with marks of its own in all that a
session can hold, while they err, cancel, vanish and come back. Nobody ever sees another's mark."""

import random
import re
import threading

import psycopg
import pytest

from cluster import wait_for
from test_pool import logins, make_pool, message, raw  # noqa: F401 (fixtures)

MARK = re.compile(r"mark[0-9]+_[0-9]+")
CLIENTS = 10
ABSENT = {"42P01", "26000"}  # no such table, no such statement


class Foreign(AssertionError):
    """Another's mark, or the end of a query that another has cancelled."""


class Canary:
    """One client after the other, in a thread."""

    def __init__(self, pool, number):
        self.pool, self.number = pool, number
        self.chance = random.Random(number)
        self.user = ("alice", "bob")[number % 2]
        self.lives = self.looks = 0
        self.connection = None

    def live(self, lives):
        try:
            self.go_on(lives)
        finally:
            if self.connection is not None:
                self.connection.close()

    def go_on(self, lives):
        while self.lives < lives:
            self.begin()
            for _ in range(self.chance.randrange(5, 25)):
                try:
                    self.chance.choice(DEEDS)(self)
                except psycopg.errors.QueryCanceled as error:
                    raise Foreign(f"{self.mark}: {error}") from error
            self.chance.choice(ENDS)(self)
            self.connection.close()

    def begin(self):
        self.lives += 1
        self.mark = f"mark{self.number}_{self.lives}"
        self.has_table = self.has_statement = False
        self.setting = None
        options = self.chance.choice(["", f"-c app.start={self.mark}"])
        self.start = self.mark if options else None
        self.connection = self.pool.connect(user=self.user, application_name=self.mark,
                                            **({"options": f"'{options}'"} if options else {}))
        self.connection.add_notice_handler(lambda notice: self.look(notice.message_primary))
        self.connection.add_notify_handler(lambda notify: self.look(notify.payload))

    def look(self, *values):
        for value in values:
            self.looks += 1
            for mark in MARK.findall(str(value)):
                if mark != self.mark:
                    raise Foreign(f"{self.mark} sees {mark}")

    def rows(self, query, *values, prepare=None):
        try:
            cursor = self.connection.execute(query, values or None, prepare=prepare)
            rows = cursor.fetchall() if cursor.description else []
        except psycopg.Error as error:
            self.look(error)
            raise
        self.look(*(value for row in rows for value in row))
        return rows

    def expect(self, expected, query, *values, prepare=None):
        """expected None: what it asks for is not there."""
        try:
            seen = self.rows(query, *values, prepare=prepare)
        except psycopg.Error as error:
            if expected is not None or error.sqlstate not in ABSENT:
                raise Foreign(f"{self.mark}: {query}: {error}") from error
            seen = None
        if seen != expected:
            raise Foreign(f"{self.mark}: {query}: {seen}, not {expected}")

    def cell(self, value):
        return None if value is None else [(value,)]

    # What it does:

    def ask(self):
        self.expect([(self.mark,)], f"SELECT '{self.mark}'")
        self.expect([(self.mark,)], "SELECT %s::text", self.mark, prepare=True)

    def look_around(self):
        self.expect([(self.mark,)], "SELECT current_setting('application_name')")
        # The name of such a parameter stays with a server, its value does not.
        self.expect([(self.setting,)], "SELECT nullif(current_setting('app.mark', true), '')")
        self.expect([(self.start,)], "SELECT nullif(current_setting('app.start', true), '')")
        self.expect(self.cell(self.mark) if self.has_table else None, "SELECT * FROM marks")
        self.expect(self.cell(self.mark) if self.has_statement else None, "EXECUTE marked")
        self.rows("SELECT name, setting FROM pg_settings WHERE setting LIKE '%mark%'")
        # Those that the pool itself keeps prepared may be others': see docs/pool.md.
        self.rows("SELECT statement FROM pg_prepared_statements WHERE from_sql")

    def set(self):
        self.setting = self.mark
        self.rows(f"SET app.mark = '{self.mark}'")

    def make_table(self):
        if not self.has_table:
            self.rows(f"CREATE TEMP TABLE marks AS SELECT '{self.mark}'::text AS mark")
        self.has_table = True

    def prepare(self):
        if not self.has_statement:
            self.rows(f"PREPARE marked AS SELECT '{self.mark}'::text")
        self.has_statement = True

    def notice(self):
        self.rows(f"DO $$ BEGIN RAISE NOTICE '{self.mark}'; END $$")

    def listen(self):
        self.rows(f"LISTEN {self.chance.choice(['everybody', self.mark])}")
        self.rows(f"NOTIFY {self.mark}, '{self.mark}'")
        self.rows("UNLISTEN *")

    def copy(self):
        with self.connection.cursor() as cursor, cursor.copy(
                f"COPY (SELECT '{self.mark}' FROM generate_series(1, 300)) TO STDOUT") as rows:
            lines = b"".join(bytes(part) for part in rows).decode().split()
        if lines != [self.mark] * 300:
            raise Foreign(f"{self.mark}: {lines[:3]}")

    def err_in_pipeline(self):
        try:
            with self.connection.pipeline():
                first = self.connection.execute("SELECT %s::text", (self.mark,))
                self.connection.execute("SELECT %s::int", (self.mark,))
                self.connection.execute("SELECT 'never'")
        except psycopg.Error as error:
            self.look(error)
        with self.connection.pipeline():
            second = self.connection.execute("SELECT %s::text, 'last'", (self.mark,))
        if first.fetchone() != (self.mark,) or second.fetchone() != (self.mark, "last"):
            raise Foreign(f"{self.mark}: not its rows")

    def cancel(self):
        """It may come too early, too late or in time: never to another."""
        timer = threading.Timer(self.chance.uniform(0, 0.02), self.connection.cancel)
        timer.start()
        try:
            self.rows(f"SELECT '{self.mark}', pg_sleep(0.01)")
        except psycopg.errors.QueryCanceled:
            pass
        timer.join()
        for _ in range(2):  # one that comes late ends the next query of the same client
            try:
                self.rows("SELECT 1 FROM pg_sleep(0.002)")
            except psycopg.errors.QueryCanceled:
                pass

    def transact(self):
        with self.connection.transaction():
            self.rows(f"SET LOCAL app.mark = '{self.mark} local'")
            self.rows("SELECT current_setting('app.mark')")

    # How it ends:

    def leave(self):
        """In order."""

    def vanish(self):
        """Within a query, a group, a transaction or a message."""
        words = [message(b"Q", f"SELECT '{self.mark}', pg_sleep(0.05)\0".encode()) * 2,
                 message(b"P", f"\0SELECT '{self.mark}'\0\0\0".encode())
                 + message(b"B", b"\0" * 8) + message(b"E", b"\0" * 5) + message(b"S"),
                 message(b"Q", f"BEGIN; SET app.mark = '{self.mark}'\0".encode()),
                 message(b"Q", f"SET app.mark = '{self.mark}'; SELECT 1\0".encode())]
        word = self.chance.choice(words)
        with raw(self.connection) as wire:
            wire.sendall(word[:self.chance.choice([len(word), len(word) - 3])])


DEEDS = [Canary.ask] * 4 + [Canary.look_around] * 4 + [
    Canary.set, Canary.make_table, Canary.prepare, Canary.notice, Canary.listen, Canary.copy,
    Canary.err_in_pipeline, Canary.cancel, Canary.transact]
ENDS = [Canary.leave, Canary.vanish, Canary.vanish]


@pytest.mark.pg(max=15)
@pytest.mark.parametrize("mode", ["transaction", "session"])
@pytest.mark.parametrize("reset", ["tracked", "full"])
def test_nobody_sees_anothers_marks(make_pool, logins, full_size, mode, reset):  # noqa: F811
    shared = {"login": "alice"} if reset == "full" else {}  # then users share servers, too
    pool = make_pool({"app": {"mode": mode, "reset": reset, "max": 4, **shared}},
                     {"query_wait_timeout": "60s"})
    canaries = [Canary(pool, number) for number in range(CLIENTS)]
    faults = []

    def run(canary):
        try:
            canary.live(60 if full_size else 2)
        except Exception as fault:  # of any kind: told below
            faults.append(f"{type(fault).__name__}: {fault}")

    threads = [threading.Thread(target=run, args=(canary,)) for canary in canaries]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert all(canary.looks > 5 for canary in canaries)

    def rest():
        return logins.query("SELECT query FROM pg_stat_activity WHERE datname = 'app' "
                            "AND (state <> 'idle' OR xact_start IS NOT NULL)")

    wait_for(lambda: not rest(), 10, "nothing of them to be left")
