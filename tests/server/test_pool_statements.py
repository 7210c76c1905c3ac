# SPDX-License-Identifier: MIT
"""Prepared statements in pipelines through the pool, compared with the same bytes without it."""

import random
import socket
import struct

import psycopg
import pytest

from test_pool import buffer, logins, make_pool, message, raw  # noqa: F401 (fixtures)

SYNC = message(b"S")


def parse(name, text):
    return message(b"P", f"{name}\0{text}\0".encode() + b"\0\0")


def run(name):
    """Bind and Execute, by the unnamed portal."""
    return message(b"B", f"\0{name}\0".encode() + b"\0" * 6) + message(b"E", b"\0" * 5)


def describe(name):
    return message(b"D", f"S{name}\0".encode())


def close(name):
    return message(b"C", f"S{name}\0".encode())


def query(text):
    return message(b"Q", text.encode() + b"\0")


def read(wire):
    """The next message: of errors and notices only the SQLSTATE, as names differ in texts."""
    head = wire.recv(5, socket.MSG_WAITALL)
    assert len(head) == 5, "the connection was closed"
    kind, length = head[:1], struct.unpack(">I", head[1:])[0]
    body = wire.recv(length - 4, socket.MSG_WAITALL) if length > 4 else b""
    if kind in b"EN":
        body = next(field[1:] for field in body.split(b"\0") if field[:1] == b"C")
    return kind, body


def converse(connection, steps):
    """What comes for each step: bytes, all sent at once, and all their answers."""
    answers = []
    with raw(connection) as wire:
        wire.setblocking(True)
        wire.settimeout(10)
        for step in steps:
            wire.sendall(b"".join(step))
            ready = sum(part[:1] in (b"S", b"Q") for part in step)
            while ready > 0:
                answer = read(wire)
                ready -= answer[0] == b"Z"
                if answer[0] != b"S":
                    answers.append(answer)
    return answers


FAIL = parse("", "SELECT 1/0") + run("")
KNOWN = "SELECT 'known'"
CASES = {
    "left out by the group in front": [[FAIL, parse("s", "SELECT 1"), SYNC, run("s"), SYNC],
                                       [parse("s", "SELECT 2"), run("s"), SYNC]],
    "left out, then parsed": [[FAIL, parse("s", "SELECT 1"), SYNC, parse("s", "SELECT 2"), run("s"),
                               SYNC, run("s"), SYNC]],
    "left out, another name for the text": [[FAIL, parse("s", "SELECT 7"), SYNC,
                                             parse("t", "SELECT 7"), run("t"), SYNC]],
    "left out, described": [[FAIL, parse("s", KNOWN), SYNC, describe("s"), SYNC],
                            [parse("s", KNOWN), SYNC, describe("s"), SYNC]],
    "unnamed, left out": [[parse("", "SELECT 'first'"), SYNC],
                          [parse("f", "SELECT 1/0"), run("f"), parse("", "SELECT 'second'"), SYNC,
                           run(""), SYNC]],
    "unnamed, failed": [[parse("", "SELECT 'first'"), SYNC],
                        [parse("", "SELEC"), SYNC, run(""), SYNC]],
    "unnamed, ended by a query": [[parse("", "SELECT 'first'"), SYNC, query("SELECT 2"), run(""),
                                   SYNC]],
    "in a failed transaction": [[query("BEGIN"), query("SELECT 1/0")],
                                [parse("s", KNOWN), SYNC], [run("s"), SYNC],
                                [parse("e", "ROLLBACK"), run("e"), SYNC],
                                [parse("s", KNOWN), run("s"), SYNC]],
    "in a transaction that fails in front": [[query("BEGIN"), FAIL, SYNC, parse("s", KNOWN), SYNC,
                                              parse("", KNOWN), SYNC],
                                             [query("ROLLBACK"), parse("s", KNOWN), SYNC]],
    "a block that is opened in front": [[parse("", "BEGIN"), run(""), SYNC, FAIL, SYNC,
                                         parse("s", KNOWN), SYNC, query("ROLLBACK")],
                                        [run("s"), SYNC]],
    "closed in a failed group": [[parse("s", "SELECT 1"), SYNC], [FAIL, close("s"), SYNC],
                                 [run("s"), SYNC], [close("s"), SYNC], [run("s"), SYNC]],
    "closed and parsed in a failed group": [[parse("s", "SELECT 1"), SYNC],
                                            [FAIL, close("s"), parse("s", "SELECT 2"), SYNC,
                                             run("s"), SYNC], [run("s"), SYNC]],
    "unnamed, closed in a failed group": [[parse("", "SELECT 1"), SYNC],
                                          [parse("f", "SELECT 1/0"), run("f"), close(""), SYNC],
                                          [run(""), SYNC], [close(""), SYNC], [run(""), SYNC]],
    "all forgotten in a pipeline": [[parse("s", "SELECT 1"), SYNC],
                                    [parse("", "DEALLOCATE ALL"), run(""), parse("s", "SELECT 2"),
                                     run("s"), SYNC, run("s"), SYNC]],
    "all forgotten by a query": [[parse("s", "SELECT 1"), SYNC, query("DEALLOCATE ALL"),
                                  parse("s", "SELECT 2"), run("s"), SYNC]],
}


@pytest.fixture
def pair(make_pool):  # noqa: F811
    """A pool whose one server knows some texts already, and what a client gets without it."""
    def make(**settings):
        pool = make_pool(max=1, **settings)
        other = pool.connect()
        texts = [KNOWN, "ROLLBACK", "SELECT 1"]
        assert converse(other, [[parse(f"n{i}", text) for i, text in enumerate(texts)] + [SYNC]])
        direct = psycopg.connect(pool.server.conninfo(dbname="app"), autocommit=True)
        return pool, other, direct
    return make


@pytest.mark.pg(max=15)
@pytest.mark.parametrize("name", CASES)
def test_as_without_the_pool(pair, name):
    pool, other, direct = pair(auto_prepare="true")
    expected = converse(direct, CASES[name])
    with pool.connect() as client:
        assert converse(client, CASES[name]) == expected
        for _ in range(9):  # so often that unnamed ones are kept
            converse(other, [[parse("", KNOWN), SYNC]])
    with pool.connect() as client:
        assert converse(client, CASES[name]) == expected
    other.close(), direct.close()


TEXTS = [KNOWN, "SELECT 1", "SELECT 1/0", "SELEC", "BEGIN", "COMMIT", "ROLLBACK", "SELECT 2, 3"]


def steps_of(chance):
    names = ["", "a", "b"]
    parts = [lambda: parse(chance.choice(names), chance.choice(TEXTS)),
             lambda: parse(chance.choice(names), chance.choice(TEXTS)),
             lambda: run(chance.choice(names)), lambda: run(chance.choice(names)),
             lambda: describe(chance.choice(names)), lambda: close(chance.choice(names)),
             lambda: SYNC, lambda: SYNC + query(chance.choice(TEXTS)),
             lambda: SYNC + query("DEALLOCATE a"), lambda: SYNC + query("DEALLOCATE ALL")]
    weights = [4, 4, 4, 4, 1, 2, 6, 1, 1, 1]
    for _ in range(chance.randrange(1, 5)):
        bytes_ = [make() for make in chance.choices(parts, weights, k=chance.randrange(1, 20))]
        yield split(b"".join(bytes_) + SYNC)


def split(data):
    """Messages, one by one."""
    while data:
        length = 1 + struct.unpack(">I", data[1:5])[0]
        yield data[:length]
        data = data[length:]


@pytest.mark.pg(max=15)
def test_pipelines_by_chance_are_as_without_the_pool(pair, full_size):
    pool, other, direct = pair(auto_prepare="true")
    for seed in range(20000 if full_size else 200):
        steps = [list(step) for step in steps_of(random.Random(seed))]
        end = [[query("ROLLBACK"), query("DEALLOCATE ALL")]]
        with pool.connect() as client:
            assert converse(client, steps) == converse(direct, steps), f"seed {seed}: {steps}"
        converse(direct, end)
    other.close(), direct.close()
