# SPDX-License-Identifier: MIT
"""Servers of pgdeck pool that are named by a host: the name's addresses are tried in turn, and one
that comes to stand for another server leads there, without a reload."""

import socket
import struct

import psycopg
import pytest

from cluster import wait_for
from test_pool import FakeServer, Pool, message

PENCIL = ("SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLm"
          "tbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=")


def row(word):
    return (message(b"T", b"\0\1x\0" + b"\0" * 6 + struct.pack(">IHIH", 25, 65535, 0xffffffff, 0))
            + message(b"D", b"\0\1" + struct.pack(">I", len(word)) + word)
            + message(b"C", b"SELECT 1\0") + message(b"Z", b"I"))


class NamedServer(FakeServer):
    """Answers each query with its own name; can go with all its connections."""

    def __init__(self, name, host, port=0):
        self.connections, self.where = [], (host, port)
        super().__init__(row(name))

    def open(self):
        return socket.create_server(self.where)

    def serve(self, connection):
        self.connections.append(connection)
        super().serve(connection)

    def end(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for connection in self.connections:
            if connection.fileno() >= 0:
                connection.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def named_pool(pgdeck, tmp_path):
    """Its /etc/hosts is a file of the test's, for it alone."""
    hosts = tmp_path / "hosts"
    pools = []

    def make(port, text, **more):
        hosts.write_text(text)
        folder = tmp_path / "pool"
        folder.mkdir()

        class Where:
            host = "db.test"

        Where.port = port

        class CarolsPool(Pool):
            def write(self, **more):
                super().write(**more)
                text = self.file.read_text()
                self.file.write_text(f"{text}  carol: {{verifier: '{PENCIL}'}}\n")

        pools.append(CarolsPool(
            pgdeck, folder, Where, {"app": {"max": 2, "users": "[carol]", **more}}, under=[
                "unshare", "--mount", "--map-root-user", "sh", "-c",
                'mount --bind "$0" /etc/hosts && exec "$@"', hosts]))
        return pools[-1], hosts

    yield make
    for pool in pools:
        pool.stop()


def answer(client):
    """None: an error."""
    return client.pgconn.exec_(b"SELECT 1").get_value(0, 0)


def ask(pool):
    try:
        with pool.connect(user="carol", password="pencil") as client:
            return answer(client)
    except psycopg.OperationalError:
        return None


@pytest.mark.pg(max=15)
def test_addresses_are_tried_in_turn_and_looked_up_anew(named_pool):
    first = NamedServer(b"first", "127.0.0.3")
    pool, hosts = named_pool(first.port, "127.0.0.2 db.test\n127.0.0.3 db.test\n")
    with pool.connect(user="carol", password="pencil") as client:
        assert answer(client) == b"first"
        second = NamedServer(b"second", "127.0.0.4", first.port)
        hosts.write_text("127.0.0.4 db.test\n")
        first.end()
        wait_for(lambda: ask(pool) == b"second", 20, "the second server")
        # Who was connected all the while goes there, too.
        assert answer(client) == b"second"
    hosts.write_text("")
    second.end()
    assert ask(pool) is None
    wait_for(lambda: "cannot be found" in pool.log_text(), 20, "word of the name")
    third = NamedServer(b"third", "127.0.0.4", first.port)  # the last good answer stays
    wait_for(lambda: ask(pool) == b"third", 20, "the third server")
    third.end()


@pytest.mark.pg(max=15)
def test_connections_that_fail_together_go_to_the_next_address(named_pool):
    """min: 2 makes both at once; nobody waits for them."""
    first = NamedServer(b"first", "127.0.0.3")
    pool, _ = named_pool(first.port, "127.0.0.2 db.test\n127.0.0.3 db.test\n", min=2)
    assert ask(pool) == b"first"
    wait_for(lambda: len(first.connections) == 2, 20, "two connections to the first server")
    second = NamedServer(b"second", "127.0.0.2", first.port)
    first.end()
    wait_for(lambda: len(second.connections) == 2, 20, "two connections to the second server")
    assert ask(pool) == b"second"
    second.end()
