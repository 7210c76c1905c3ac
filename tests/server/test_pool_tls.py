# SPDX-License-Identifier: MIT
"""pgdeck pool over TLS: to its clients, to its servers, and what it refuses."""

import os
import signal
import socket
import ssl
import struct
import subprocess
import threading

import psycopg
import pytest

from cluster import free_port, wait_for
from test_pool import PASSWORD, cancelled, logins, make_pool  # noqa: F401 (fixtures)

SSL_REQUEST = struct.pack(">II", 8, 80877103)


class Authority:
    """Signs certificates. folder/ca.crt is its own."""

    def __init__(self, folder):
        self.folder = folder
        self.run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                 "-subj", "/CN=authority", "-days", "30", "-keyout", "ca.key", "-out", "ca.crt")

    def run(self, *args):
        subprocess.run(["openssl", *args], cwd=self.folder, check=True, capture_output=True)

    def path(self, name):
        return self.folder / name

    def sign(self, name, common_name, subject="DNS:localhost,IP:127.0.0.1", days=30):
        (self.folder / f"{name}.ext").write_text(f"subjectAltName={subject}\n")
        self.run("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                 "-subj", f"/CN={common_name}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
        self.run("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key",
                 "-CAcreateserial", "-days", str(days), "-extfile", f"{name}.ext", "-out",
                 f"{name}.crt")
        self.path(f"{name}.key").chmod(0o600)


@pytest.fixture
def authority(tmp_path):
    folder = tmp_path / "authority"
    folder.mkdir()
    made = Authority(folder)
    made.sign("pool", "pool")
    return made


def tls_keys(authority, mode="require", name="pool", **more):
    return {"tls": mode, "tls_certificate": authority.path(f"{name}.crt"),
            "tls_key": authority.path(f"{name}.key"), **more}


def full(authority):
    return {"sslmode": "verify-full", "sslrootcert": authority.path("ca.crt")}


@pytest.fixture
def tls_server(logins, authority):  # noqa: F811
    """The server speaks TLS, takes passwords, and alice only so."""
    data = logins.data
    authority.sign("server", "localhost")
    for name in ("server.crt", "server.key", "ca.crt"):
        target = data / name
        target.write_bytes(authority.path(name).read_bytes())
        os.chown(target, data.stat().st_uid, data.stat().st_gid)
        target.chmod(0o600)
    hba = data / "pg_hba.conf"
    before = hba.read_text()
    hba.write_text("hostssl all alice 127.0.0.1/32 scram-sha-256\n"
                   "host all alice 127.0.0.1/32 reject\n" + before)
    logins.query("ALTER SYSTEM SET ssl = on")
    logins.query("ALTER SYSTEM SET ssl_ca_file = 'ca.crt'")
    logins.reload()
    wait_for(lambda: logins.value("SHOW ssl") == "on", 60, "TLS")
    yield logins
    hba.write_text(before)
    logins.query("ALTER SYSTEM RESET ssl")
    logins.query("ALTER SYSTEM RESET ssl_ca_file")
    logins.reload()


def raw(pool):
    return socket.create_connection(("127.0.0.1", pool.port), timeout=10)


def startup(user="alice", database="app"):
    body = struct.pack(">I", 3 << 16)
    for word in ("user", user, "database", database):
        body += word.encode() + b"\0"
    body += b"\0"
    return struct.pack(">I", len(body) + 4) + body


@pytest.mark.parametrize("buffer", ["16kB", "64B"])
def test_clients_by_tls(make_pool, authority, buffer):  # noqa: F811
    pool = make_pool(pooler={**tls_keys(authority), "buffer": buffer, "listen": "[0.0.0.0]"}, max=2)
    with pool.connect(**full(authority)) as one, pool.connect(**full(authority)) as two:
        assert one.pgconn.ssl_in_use
        for connection in (one, two):
            rows = connection.execute("SELECT repeat('x', 100) FROM generate_series(1, 20000)")
            assert all(row == ("x" * 100,) for row in rows.fetchall())
        long = "y" * 3_000_000
        assert one.execute("SELECT length(%s)", (long,)).fetchone() == (len(long),)
        with one.pipeline():
            cursors = [one.execute("SELECT %s::int", (n,)) for n in range(500)]
        assert [cursor.fetchone()[0] for cursor in cursors] == list(range(500))
        with one.cursor().copy("COPY items FROM STDIN") as copy:
            for number in range(20000):
                copy.write_row((number, "word"))
        with cancelled(two), pytest.raises(psycopg.errors.QueryCanceled):
            two.execute("SELECT pg_sleep(20)")
        shown = pool.show("CLIENTS", sslmode="require")
        assert {row["tls"].split("/")[0] for row in shown} == {"TLSv1.3"}
    with pytest.raises(psycopg.OperationalError, match="requires TLS"):
        pool.connect(sslmode="disable")
    # Over the unix socket nothing is encrypted, and need not be.
    with pool.connect(host=pool.folder, sslmode="disable") as local:
        assert local.execute("SELECT 1").fetchone() == (1,)


def test_allowed_or_off(make_pool, authority):  # noqa: F811
    allowing = make_pool(pooler=tls_keys(authority, "allow"), max=1)
    with allowing.connect(sslmode="disable") as one, allowing.connect(sslmode="require") as two:
        assert not one.pgconn.ssl_in_use and two.pgconn.ssl_in_use
        assert one.execute("SELECT 1").fetchone() == two.execute("SELECT 1").fetchone()
    off = make_pool(max=1)
    with pytest.raises(psycopg.OperationalError, match="does not support SSL"):
        off.connect(sslmode="require")


def test_nothing_goes_before_the_handshake(make_pool, authority):  # noqa: F811
    pool = make_pool(pooler=tls_keys(authority, "allow"), max=1)
    with raw(pool) as one:  # a start-up behind the request
        one.sendall(SSL_REQUEST + startup())
        answer = one.recv(1000)
        assert answer.startswith(b"E") and b"unexpected data" in answer
    with raw(pool) as two:  # the same, later: it is no handshake
        two.sendall(SSL_REQUEST)
        assert two.recv(1) == b"S"
        two.sendall(startup())
        assert b"SCRAM" not in b"".join(iter(lambda: two.recv(1000), b""))
    with raw(pool) as three:  # within TLS there is no second request
        three.sendall(SSL_REQUEST)
        assert three.recv(1) == b"S"
        context = ssl.create_default_context(cafile=authority.path("ca.crt"))
        with context.wrap_socket(three, server_hostname="localhost") as inner:
            inner.sendall(SSL_REQUEST)
            assert inner.recv(1000).startswith(b"E")
    with raw(pool) as four:  # handshakes that are given up, or are none
        four.sendall(SSL_REQUEST)
        assert four.recv(1) == b"S"
        four.sendall(b"\x16\x03\x01\x02\x00" + b"\xff" * 512)
        while four.recv(1000):
            pass
    assert "TLS with the client at 127.0.0.1 failed" in pool.log_text()
    with pool.connect() as good:
        assert good.execute("SELECT 1").fetchone() == (1,)


def test_old_versions_and_direct_tls(make_pool, authority):  # noqa: F811
    pool = make_pool(pooler=tls_keys(authority, "require"), max=1)
    old = ssl.create_default_context(cafile=authority.path("ca.crt"))
    old.set_ciphers("ALL:@SECLEVEL=0")
    old.minimum_version = ssl.TLSVersion.TLSv1
    old.maximum_version = ssl.TLSVersion.TLSv1_1
    with raw(pool) as one:
        one.sendall(SSL_REQUEST)
        assert one.recv(1) == b"S"
        with pytest.raises((ssl.SSLError, ConnectionError)):
            old.wrap_socket(one, server_hostname="localhost")
    for names, is_good in ((["postgresql"], True), ([], False), (["http/1.1"], False)):
        context = ssl.create_default_context(cafile=authority.path("ca.crt"))
        if names:
            context.set_alpn_protocols(names)
        with raw(pool) as direct:
            try:
                with context.wrap_socket(direct, server_hostname="localhost") as inner:
                    inner.sendall(startup())
                    answer = inner.recv(1000)
                    assert (answer[:1] == b"R" and b"SCRAM-SHA-256" in answer) == is_good
                    assert is_good or b"direct TLS without" in answer
            except ssl.SSLError:
                assert not is_good


def test_certificates_are_replaced_while_clients_stay(make_pool, authority):  # noqa: F811
    pool = make_pool(pooler=tls_keys(authority), max=1)
    with pool.connect(**full(authority)) as one:
        one.execute("BEGIN")
        authority.sign("pool", "new")
        pool.process.send_signal(signal.SIGHUP)
        wait_for(lambda: "configuration loaded" in pool.log_text(), 60, "the reload")
        assert one.execute("SELECT 1").fetchone() == (1,)
        one.execute("COMMIT")

        def subject():
            with raw(pool) as probe:
                probe.sendall(SSL_REQUEST)
                assert probe.recv(1) == b"S"
                context = ssl.create_default_context(cafile=authority.path("ca.crt"))
                with context.wrap_socket(probe, server_hostname="localhost") as inner:
                    return dict(part[0] for part in inner.getpeercert()["subject"])["commonName"]

        assert subject() == "new"
        # Half of a pair, or a key that others may read: the old ones stay.
        authority.sign("other", "other")
        authority.path("pool.key").write_bytes(authority.path("other.key").read_bytes())
        status, message = pool.command("RELOAD")
        assert b"is not the certificate's" in message
        assert subject() == "new"
        with pool.connect(**full(authority)) as two:
            assert two.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.parametrize("fault, message", [
    ("expired", "expired at"), ("key", "is not the certificate's"), ("mode", "is not safe"),
    ("passphrase", "is protected by a passphrase"), ("text", "cannot use the certificate"), ("missing", "pool.crt"),
    ("unused", "does not use it"), ("open", "without TLS")])
def test_bad_certificates_at_the_start(pgdeck, tmp_path, authority, fault, message):
    keys = {**tls_keys(authority), "port": free_port(), "socket_folder": tmp_path}
    if fault == "expired":
        authority.sign("pool", "pool", days=-1)
    elif fault == "key":
        authority.sign("other", "other")
        keys["tls_key"] = authority.path("other.key")
    elif fault == "mode":
        authority.path("pool.key").chmod(0o644)
    elif fault == "passphrase":
        authority.run("pkey", "-aes256", "-passout", "pass:secret", "-in", "pool.key", "-out",
                      "locked.key")
        authority.path("locked.key").chmod(0o600)
        keys["tls_key"] = authority.path("locked.key")
    elif fault == "text":
        authority.path("pool.crt").write_text("nothing\n")
    elif fault == "missing":
        authority.path("pool.crt").unlink()
    elif fault == "unused":
        keys["tls"] = "off"
    else:
        keys = {"port": free_port(), "socket_folder": tmp_path, "listen": "[0.0.0.0]"}
    file = tmp_path / "pool.yaml"
    secret = tmp_path / "secret"
    secret.write_text(PASSWORD)
    secret.chmod(0o600)
    lines = ["pooler:"] + [f"  {key}: {value}" for key, value in keys.items()]
    file.write_text("\n".join(lines + [
        "databases: {app: {users: [alice]}}", f"users: {{alice: {{password_file: {secret}}}}}"]))
    done = pgdeck("pool", "--config", file, timeout=20)
    assert done.code != 0
    assert message in done.err, done.err


@pytest.mark.parametrize("buffer", ["16kB", "64B"])
def test_servers_by_tls(make_pool, tls_server, authority, buffer):  # noqa: F811
    pool = make_pool(pooler={"buffer": buffer}, max=1, host="localhost", **full(authority))
    with pool.connect() as one, pool.connect() as two:
        for connection in (one, two, one):
            row = connection.execute(
                "SELECT ssl, version FROM pg_stat_ssl WHERE pid = pg_backend_pid()").fetchone()
            assert row == (True, "TLSv1.3")
        rows = one.execute("SELECT repeat('x', 100) FROM generate_series(1, 20000)").fetchall()
        assert len(rows) == 20000
        long = "y" * 3_000_000
        assert two.execute("SELECT length(%s)", (long,)).fetchone() == (len(long),)
        with cancelled(two), pytest.raises(psycopg.errors.QueryCanceled):
            two.execute("SELECT pg_sleep(20)")
        assert one.execute("SELECT 1").fetchone() == (1,)
        assert {row["tls"].split("/")[0] for row in pool.show("SERVERS")} == {"TLSv1.3"}


def test_servers_that_are_not_who_they_should_be(make_pool, tls_server, authority,  # noqa: F811
                                                 tmp_path):
    folder = tmp_path / "stranger"
    folder.mkdir()
    stranger = Authority(folder)
    cases = [
        ({"sslmode": "verify-full", "sslrootcert": stranger.path("ca.crt")}, "verify failed"),
        ({"sslmode": "verify-ca", "sslrootcert": stranger.path("ca.crt")}, "verify failed"),
        ({"sslmode": "require", "sslrootcert": stranger.path("ca.crt")}, "verify failed"),
        ({"sslmode": "verify-full"}, "verify failed"),
    ]
    for keys, message in cases:
        pool = make_pool(max=1, host="localhost", **keys)
        with pytest.raises(psycopg.OperationalError, match=message):
            pool.connect()
    authority.sign("server", "localhost", days=-1)
    for name in ("server.crt", "server.key"):
        (tls_server.data / name).write_bytes(authority.path(name).read_bytes())
    tls_server.reload()
    pool = make_pool(max=1, host="localhost", **full(authority))
    with pytest.raises(psycopg.OperationalError, match="certificate has expired"):
        pool.connect()
    authority.sign("server", "elsewhere", subject="DNS:elsewhere")
    for name in ("server.crt", "server.key"):
        (tls_server.data / name).write_bytes(authority.path(name).read_bytes())
    tls_server.reload()
    pool = make_pool(max=1, host="127.0.0.1", sslmode="verify-full",
                     sslrootcert=authority.path("ca.crt"))
    with pytest.raises(psycopg.OperationalError, match="mismatch"):
        pool.connect()
    good = make_pool(max=1, host="127.0.0.1", sslmode="verify-ca",
                     sslrootcert=authority.path("ca.crt"))
    with good.connect() as one:
        assert one.execute("SELECT 1").fetchone() == (1,)


def test_a_server_that_sends_before_the_handshake(make_pool, authority):  # noqa: F811
    """And one that has no TLS: nothing of what it says is taken."""
    for answer, message in ((b"S" + b"R\0\0\0\x08\0\0\0\0", "more than its answer"),
                            (b"N", "does not offer TLS"), (b"E\0\0\0\x09Fail\0", "more than")):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            def serve():
                try:
                    while True:
                        peer, _ = listener.accept()
                        assert peer.recv(8) == SSL_REQUEST
                        peer.sendall(answer)
                        peer.recv(100)
                        peer.close()
                except OSError:
                    pass

            thread = threading.Thread(target=serve, daemon=True)
            thread.start()
            pool = make_pool(max=1, host="127.0.0.1", port=listener.getsockname()[1],
                             sslmode="require")
            with pytest.raises(psycopg.OperationalError, match=message):
                pool.connect()
            listener.shutdown(socket.SHUT_RDWR)
        thread.join(10)


@pytest.mark.parametrize("keys, message", [
    ("host: 192.0.2.1, sslmode: prefer", "does not connect to 192.0.2.1:5432 with sslmode=prefer"),
    ("host: 192.0.2.1, sslmode: disable", "sslmode=disable"),
    ("host: 192.0.2.1, sslmode: verify", "there is no sslmode"),
    ("host: 192.0.2.1, sslrootcert: /no/such", "cannot use the authorities"),
    ("host: 192.0.2.1, sslcert: pool.yaml", "go together")])
def test_servers_elsewhere_need_tls(pgdeck, tmp_path, keys, message):
    file = tmp_path / "pool.yaml"
    file.write_text(f"pooler: {{port: {free_port()}, socket_folder: {tmp_path}}}\n"
                    f"databases: {{app: {{users: [alice], {keys}}}}}\n"
                    "users: {alice: {password_env: SECRET}}\n")
    done = pgdeck("pool", "--config", file, timeout=20, env={"SECRET": PASSWORD})
    assert done.code != 0
    assert message in done.err, done.err
