# SPDX-License-Identifier: MIT
"""pgdeck pool: servers that ask at the login for what a password is not given for."""

import base64
import socket
import struct
import time

import psycopg
import pytest

from test_pool import PASSWORD, FakeServer, Pool, message

SCRAM = "the server's SCRAM iteration count is not acceptable"
WAY = "a way of authentication that is not SCRAM-SHA-256"


def request(code, data=b""):
    return message(b"R", struct.pack(">I", code) + data)


class AskingServer(FakeServer):
    """Asks with the bytes given, or for that many iterations of SCRAM; keeps all that is said."""

    def __init__(self, asked):
        self.asked = asked
        self.heard = b""
        super().__init__(b"")

    def listen(self, connection):
        data = connection.recv(10000)
        self.heard += data
        return data

    def serve(self, connection):
        with connection:
            try:
                self.listen(connection)
                if isinstance(self.asked, bytes):
                    connection.sendall(self.asked)
                else:
                    connection.sendall(request(10, b"SCRAM-SHA-256\0\0"))
                    nonce = self.listen(connection).partition(b",r=")[2]
                    salt = base64.b64encode(b"salt" * 4)
                    connection.sendall(request(11, b"r=%sserver,s=%s,i=%s" % (
                        nonce, salt, self.asked.encode())))
                while self.listen(connection):
                    pass
            except OSError:
                pass


@pytest.mark.pg(min=15, max=15)
@pytest.mark.parametrize("asked, told", [
    (request(3), WAY), (request(5, b"salt"), WAY), (request(7), WAY), (request(10, b"PLAIN\0\0"),
                                                                       "offers no SCRAM-SHA-256"),
    ("2000000000", SCRAM), ("4294971392", SCRAM), ("1000001", SCRAM), ("4095", SCRAM),
    ("1", SCRAM), ("0", SCRAM), ("-4096", SCRAM), ("", SCRAM)],
    ids=["clear text", "md5", "gss", "plain", "2e9", "4096 + 2^32", "too many", "too few", "one",
         "none", "negative", "empty"])
def test_a_server_that_asks_for_too_much_or_too_little(pgdeck, tmp_path, asked, told):
    """It is refused with the reason, at once, and neither the password nor a proof is sent."""
    fake = AskingServer(asked)
    folder = tmp_path / "pool"
    folder.mkdir()

    class Where:
        host, port = "127.0.0.1", fake.port

    pool = Pool(pgdeck, folder, Where, {"app": {"max": 1}})
    try:
        start = time.monotonic()
        with pytest.raises(psycopg.OperationalError, match=told):
            pool.connect()
        assert time.monotonic() - start < 9
        assert told in pool.log_text()
        assert len(pool.show("POOLS")) >= 1  # its console answers
    finally:
        pool.stop()
        fake.listener.shutdown(socket.SHUT_RDWR)
        fake.listener.close()
    assert b"user\0alice\0" in fake.heard
    assert PASSWORD.encode() not in fake.heard and b",p=" not in fake.heard
    assert PASSWORD not in pool.log_text() and "Sanitizer: " not in pool.log_text()
