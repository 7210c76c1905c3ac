# SPDX-License-Identifier: MIT
"""pgdeck pool: the rest of the hostile bytes, by the numbers of docs/pool-faults.md. Whatever
comes, the pool lives, nobody gets in, and a client beside sees its own rows only."""

import base64
import hashlib
import hmac
import os
import re
import socket
import struct
import threading

import psycopg
import pytest

from test_pool import (GREETING, PASSWORD, FakeServer, Pool, logins, make_pool,  # noqa: F401
                       message, raw, startup)
from test_pool_faults import grown_kb

pytestmark = pytest.mark.pg(max=15)
IS_IN = b"R\0\0\0\x08\0\0\0\0"


def packet(code, body=b""):
    return struct.pack(">II", len(body) + 8, code) + body


def alice(*more, code=196608):
    return startup(b"user", b"alice", b"database", b"app", *more, code=code)


SSL, GSS, CANCEL = 80877103, 80877104, 80877102
VERSION = 196608
REFUSED = {  # a word that must be in the ErrorResponse; "": an answer is not owed
    "16 no final NUL": (packet(VERSION, b"user\0alice\0"), ""),
    "17 no NUL at all": (packet(VERSION, b"useralice"), ""),
    "18 a key without a value": (packet(VERSION, b"user\0alice\0database\0"), ""),
    "19 a value without its end": (packet(VERSION, b"user\0alice\0database\0app"), ""),
    **{f"22 a user of {size}": (startup(b"user", b"u" * size, b"database", b"app"), "")
       for size in (63, 64, 128, 1024)},
    **{f"23 a database of {size}": (startup(b"user", b"alice", b"database", b"d" * size), "")
       for size in (63, 64, 128, 1024, 9000)},
    "24 user twice": (startup(b"user", b"nobody", b"user", b"nobody", b"database", b"app"), ""),
    "25 binary user": (startup(b"user", bytes(range(128, 188)), b"database", b"app"), ""),
    "28 a path": (startup(b"user", b"alice", b"database", b"../../etc/passwd"), ""),
    "29 a conninfo": (startup(b"user", b"alice", b"database", b"host=x dbname=app"), ""),
    **{f"32 protocol {code >> 16}.{code & 65535}": (alice(code=code), "protocol")
       for code in (0, 1 << 16, 0xffffffff)},
    "36 client_encoding": (alice(b"client_encoding", b"\xff'; DROP"), ""),
    "39 Redis": (b"*1\r\n$4\r\nPING\r\n", ""),
    "40 PROXY v1": (b"PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r\n" + GREETING, ""),
    "40 PROXY v2": (b"\r\n\r\n\0\r\nQUIT\n!\x11\0\x0c" + b"\1" * 12 + GREETING, ""),
    "41 noise": (os.urandom(65536), ""),
    "42 MySQL": (b"\x20\0\0\1\x85\xa6\x3f\0\0\0\0\1\x21" + b"\0" * 23, ""),
    "43 request, end": (packet(SSL), ""),
    "44 a request of 100": (packet(SSL, b"x" * 92), ""),
    "47 GSS, then SSL": (packet(GSS) + packet(SSL), ""),
    **{f"55 a key of {size}": (packet(CANCEL, b"k" * size), "")
       for size in (0, 3, 8, 9, 260, 5000)},
    "56 cut": (packet(CANCEL, b"12345678")[:13], ""),
    "57 a start-up behind it": (packet(CANCEL, b"12345678") + GREETING, ""),
    "61 a query first": (GREETING + message(b"S"), ""),
    **{f"63 a body of {size}": (GREETING + message(b"p", b"x" * size), "")
       for size in (0, 1, 995, 997, 1023, 1024, 1025, 65535)},
    **{f"65 {name}": (GREETING + message(b"p", name + b"\0" + struct.pack(">I", 3) + b"n,,"), "")
       for name in (b"SCRAM-SHA-1", b"", b"SCRAM-SHA-256-PLUS", b"scram-sha-256")},
    "65 unterminated": (GREETING + message(b"p", b"SCRAM-SHA-256"), ""),
    **{f"66 {size:x}": (GREETING + message(b"p", b"SCRAM-SHA-256\0" + struct.pack(">I", size)
                                           + b"n,,n=,r=abc"), "")
       for size in (0xfffffffe, 0xfffffffb, 0x7ffffff0)},
    **{f"67 {text[:20]!r}": (GREETING + message(b"p", b"SCRAM-SHA-256\0"
                                                + struct.pack(">I", len(text)) + text), "")
       for text in (b"q,,n=,r=a", b"n,,n=", b"n,,", b"n,,n=,r=\0", b"n,,n=,r=\x01",
                    b"n,,n=,r=" + b"r" * 60000)},
}


def answer_to(pool, data):
    with socket.create_connection(("127.0.0.1", pool.port), 10) as client:
        client.settimeout(10)
        answer = b""
        try:
            client.sendall(data)
            client.shutdown(socket.SHUT_WR)
            while more := client.recv(65536):
                answer += more
        except (ConnectionResetError, BrokenPipeError):
            pass
        return answer


def test_before_the_login(make_pool):  # noqa: F811
    pool = make_pool(max=1)
    with pool.connect() as canary:
        for name, (data, word) in REFUSED.items():
            answer = answer_to(pool, data)
            assert IS_IN not in answer, name
            assert word.encode() in answer, (name, answer)
            assert canary.execute("SELECT %s", (name,)).fetchone() == (name,)
        # 31, 33: what is only newer is negotiated, not refused.
        for code, more in ((0x30001, ()), (0x30002, ()), (0x3270f, ()),
                           (VERSION, (b"_pq_.x", b"y"))):
            answer = answer_to(pool, alice(*more, code=code))
            assert answer[:1] == b"v" and b"SCRAM-SHA-256" in answer, (code, answer)


class Wire:
    """A client by hand up to its proof."""

    def __init__(self, pool):
        self.socket = socket.create_connection(("127.0.0.1", pool.port), 10)
        self.socket.settimeout(10)
        self.socket.sendall(GREETING)
        self.read()
        self.bare = b"n=,r=" + base64.b64encode(os.urandom(18))
        first = b"n,," + self.bare
        self.socket.sendall(message(b"p", b"SCRAM-SHA-256\0" + struct.pack(">I", len(first))
                                    + first))
        self.server_first = self.read()[9:]
        self.nonce = re.search(rb"r=([^,]*)", self.server_first)[1]

    def read(self):
        head = self.socket.recv(5, socket.MSG_WAITALL)
        if len(head) < 5:
            return head
        return head + self.socket.recv(struct.unpack(">I", head[1:])[0] - 4, socket.MSG_WAITALL)

    def final(self, binding=b"biws", nonce=None, password=PASSWORD):
        salt = base64.b64decode(re.search(rb"s=([^,]*)", self.server_first)[1])
        rounds = int(re.search(rb"i=([0-9]*)", self.server_first)[1])
        salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, rounds)
        key = hmac.digest(salted, b"Client Key", "sha256")
        text = b"c=" + binding + b",r=" + (self.nonce if nonce is None else nonce)
        signed = self.bare + b"," + self.server_first + b"," + text
        signature = hmac.digest(hashlib.sha256(key).digest(), signed, "sha256")
        return text, bytes(a ^ b for a, b in zip(key, signature))

    def send(self, text):
        """The answer to it, and all behind."""
        self.socket.sendall(message(b"p", text))
        self.socket.shutdown(socket.SHUT_WR)
        answer = b""
        while more := self.socket.recv(65536):
            answer += more
        self.socket.close()
        return answer


def with_proof(text, proof):
    return text + b",p=" + base64.b64encode(proof)


FINALS = {
    "wrong proof": lambda wire, text, proof: with_proof(text, bytes(32)),
    "short proof": lambda wire, text, proof: with_proof(text, proof[:31]),
    "long proof": lambda wire, text, proof: with_proof(text, proof + b"x"),
    "bad base64": lambda wire, text, proof: text + b",p=!" + base64.b64encode(proof)[1:],
    "no proof": lambda wire, text, proof: text,
    "empty proof": lambda wire, text, proof: text + b",p=",
    "order": lambda wire, text, proof: b"p=" + base64.b64encode(proof) + b"," + text,
    "something behind": lambda wire, text, proof: with_proof(text, proof) + b",x=y",
    "nothing": lambda wire, text, proof: b"",
    "wrong nonce": lambda wire, text, proof: with_proof(*wire.final(nonce=wire.nonce[:-1] + b"~")),
    "short nonce": lambda wire, text, proof: with_proof(*wire.final(nonce=wire.nonce[:20])),
    "gs2 y": lambda wire, text, proof: with_proof(*wire.final(binding=b"eSws")),
    "gs2 p": lambda wire, text, proof: with_proof(*wire.final(binding=b"cD14LCw=")),
    "password": lambda wire, text, proof: with_proof(*wire.final(password="another")),
}


def test_proofs(make_pool):  # noqa: F811
    """68, 69: only the one that fits, to this nonce."""
    pool = make_pool(max=1)
    wire = Wire(pool)
    right = with_proof(*wire.final())
    assert IS_IN in wire.send(right)
    for name, final in FINALS.items():
        wire = Wire(pool)
        answer = wire.send(final(wire, *wire.final()))
        assert IS_IN not in answer and answer[:1] == b"E", (name, answer)
    answer = Wire(pool).send(right)  # heard elsewhere, and said again
    assert IS_IN not in answer and answer[:1] == b"E"


def test_cancel_requests(make_pool):  # noqa: F811
    """58 to 60: keys that are nearly right reach nobody, 60 at once no idle session."""
    pool = make_pool(max=2)
    with pool.connect() as busy, pool.connect() as idle, raw(idle) as quiet:
        key = struct.pack(">I", busy.info.backend_pid)
        secret = busy.pgconn.get_cancel()
        assert secret is not None
        done = []
        thread = threading.Thread(target=lambda: done.append(busy.execute(
            "SELECT 'through' FROM pg_sleep(0.7)").fetchone()))
        thread.start()
        for bit in range(0, 32, 3):
            answer_to(pool, packet(CANCEL, key + struct.pack(">I", 1 << bit)))
        for number in range(1, 20):
            answer_to(pool, packet(CANCEL, struct.pack(">I", busy.info.backend_pid ^ number)
                                   + b"\0\0\0\0"))
        threads = [threading.Thread(target=idle.cancel) for _ in range(60)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        thread.join()
        assert done == [("through",)]
        quiet.settimeout(0.1)
        with pytest.raises(TimeoutError):
            quiet.recv(1)
        assert idle.execute("SELECT 'idle'").fetchone() == ("idle",)


BODIES = {
    "74 invalid UTF-8": message(b"Q", b"SELECT '\xc3\x28\xff'\0"),
    "74 500 statements": message(b"Q", b"SELECT 1;" * 500 + b"\0"),
    "74 20000 brackets": message(b"Q", b"SELECT " + b"(" * 20000 + b"1" + b")" * 20000 + b"\0"),
    "74 16 MB": message(b"Q", b"SELECT '" + b"x" * (16 << 20) + b"'\0"),
    "74 1 MB of quotes": message(b"Q", b"'" * (1 << 20) + b"\0"),
    "76 65535 types": message(b"P", b"\0SELECT 1\0\xff\xff" + b"\0\0\0\x17" * 65535),
    "76 no such type": message(b"P", b"\0SELECT $1\0\0\1\xff\xff\xff\xfe"),
    "77 65535 formats": message(b"B", b"\0\0\xff\xff" + b"\0\1" * 65535 + b"\0\0\0\0"),
    "77 65535 values": message(b"B", b"\0\0\0\0\xff\xff" + b"\0\0\0\0" * 65535 + b"\0\0"),
    **{f"77 a value of {size:x}": message(b"B", b"\0\0\0\0\0\1" + struct.pack(">I", size)
                                          + b"abc\0\0")
       for size in (0xfffffffe, 0x7fffffff, 0x80000000, 100)},
    "77 format 9": message(b"B", b"\0\0\0\1\0\x09\0\0\0\0"),
    "79 all rows": message(b"P", b"\0SELECT 1\0\0\0") + message(b"B", b"\0" * 8)
    + message(b"E", b"\0\xff\xff\xff\xff"),
    "81 COPY data": message(b"d", b"x" * 100000) + message(b"c"),
    "83 error, no Sync": message(b"P", b"\0SELECT 1/0\0\0\0") + message(b"B", b"\0" * 8)
    + message(b"E", b"\0" * 5) + message(b"Q", b"SELECT 'never'\0"),
}


def test_after_the_login(make_pool):  # noqa: F811
    pool = make_pool(max=2)
    with pool.connect() as canary:
        for name, data in BODIES.items():
            client = pool.connect()
            with raw(client) as wire:
                wire.settimeout(10)
                try:
                    wire.sendall(data + message(b"S"))
                    answer = b""
                    while b"Z\0\0\0\5" not in answer and (more := wire.recv(1 << 20)):
                        answer = answer[-20:] + more
                except ConnectionError:
                    pass
            client.close()
            assert canary.execute("SELECT %s", (name,)).fetchone() == (name,)
        # 75: what is only promised takes no memory.
        clients = [pool.connect() for _ in range(20)]
        before = grown_kb(pool)
        for client in clients:
            with raw(client) as wire:
                wire.sendall(b"Q\x3f\xff\xff\xffSELECT 1")
        assert canary.execute("SELECT 1").fetchone() == (1,)
        assert grown_kb(pool, before) < 20000
        for client in clients:
            client.close()


def test_groups_of_which_a_third_fails(make_pool):  # noqa: F811
    """84, 85: each has its own answer, and nothing is answered before its Sync."""
    pool = make_pool(max=1)
    data, expected = b"", []
    for number in range(60):
        text = b"SELECT 1/0" if number % 3 == 0 else b"SELECT 'number %d'" % number
        data += (message(b"P", b"\0" + text + b"\0\0\0") + message(b"B", b"\0" * 8)
                 + message(b"E", b"\0" * 5) + message(b"S"))
        expected.append(b"22012" if number % 3 == 0 else b"number %d" % number)
    with pool.connect() as client, raw(client) as wire:
        wire.settimeout(10)
        wire.sendall(data)
        answer = b""
        while answer.count(message(b"Z", b"I")) < 60:
            answer += wire.recv(65536)
        parts = answer.split(message(b"Z", b"I"))[:60]
        assert all(word in part for word, part in zip(expected, parts))
        wire.sendall(data[:data.index(message(b"S"))] + message(b"H"))
        assert wire.recv(65536)[:1] in b"1E"
        wire.settimeout(0.2)
        with pytest.raises(TimeoutError):
            assert wire.recv(65536) == b""
        wire.settimeout(10)
        wire.sendall(message(b"S"))
        assert wire.recv(65536).endswith(message(b"Z", b"I"))


class KeyServer(FakeServer):
    """Its cancel key has that many bytes."""

    def __init__(self, size):
        self.size = size
        super().__init__(message(b"C", b"SELECT 0\0") + message(b"Z", b"I"))

    def serve(self, connection):
        with connection:
            connection.recv(10000)
            connection.sendall(message(b"R", b"\0\0\0\0") + message(b"K", b"k" * self.size)
                               + message(b"Z", b"I"))
            while connection.recv(65536):
                connection.sendall(self.answer)


class ProofServer(FakeServer):
    """Asks for SCRAM, with a nonce of its own making, and lets in whoever answers."""

    def __init__(self, nonce, final):
        self.nonce, self.final = nonce, final
        super().__init__(message(b"C", b"SELECT 0\0") + message(b"Z", b"I"))

    def serve(self, connection):
        with connection:
            try:
                connection.recv(10000)
                connection.sendall(message(b"R", b"\0\0\0\x0aSCRAM-SHA-256\0\0"))
                own = connection.recv(10000).partition(b",r=")[2]
                connection.sendall(message(b"R", b"\0\0\0\x0br=" + self.nonce(own)
                                           + b",s=c2FsdHNhbHRzYWx0c2FsdA==,i=4096"))
                if connection.recv(10000):
                    connection.sendall(self.final + message(b"R", b"\0\0\0\0")
                                       + message(b"K", b"12345678") + message(b"Z", b"I"))
                while connection.recv(65536):
                    connection.sendall(self.answer)
            except OSError:
                pass


WRONG = message(b"R", b"\0\0\0\x0cv=" + base64.b64encode(bytes(32)))
SERVERS = {
    "a key of 3": lambda: KeyServer(3), "a key of 300": lambda: KeyServer(300),
    "a nonce of another": lambda: ProofServer(lambda own: b"x" * 30, WRONG),
    "the client's nonce only": lambda: ProofServer(lambda own: own, WRONG),
    "a nonce of 4 kB": lambda: ProofServer(lambda own: own + b"x" * 4000, WRONG),
    "a nonce of 60 kB": lambda: ProofServer(lambda own: own + b"x" * 60000, WRONG),
    "a wrong signature": lambda: ProofServer(lambda own: own + b"server", WRONG),
    "no signature": lambda: ProofServer(lambda own: own + b"server", b""),
    "an empty signature": lambda: ProofServer(lambda own: own + b"server",
                                              message(b"R", b"\0\0\0\x0cv=")),
}


@pytest.mark.parametrize("name", SERVERS)
def test_a_server_that_does_not_prove_itself(pgdeck, tmp_path, name):
    """Nobody is logged in through it, and the pool lives."""
    fake = SERVERS[name]()
    folder = tmp_path / "pool"
    folder.mkdir()

    class Where:
        host, port = "127.0.0.1", fake.port

    pool = Pool(pgdeck, folder, Where, {"app": {"max": 1}})
    try:
        with pytest.raises(psycopg.OperationalError, match="no connection to the server"):
            pool.connect()
        assert len(pool.show("POOLS")) >= 1
    finally:
        pool.stop()
        fake.listener.close()
    assert "Sanitizer: " not in pool.log_text()
