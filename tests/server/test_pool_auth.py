# SPDX-License-Identifier: MIT
"""How clients of pgdeck pool prove who they are: by what the server knows of them (auth_query), by a
certificate, by the user at the other end of the unix socket; and what lets nobody in."""

import getpass
import os
import threading
import time

import psycopg
import pytest

from cluster import SOURCE, free_port
from test_pool import PASSWORD, Pool, logins, make_pool  # noqa: F401 (fixtures)
from test_pool_tls import authority, full, tls_keys  # noqa: F401 (fixtures)


class AuthPool(Pool):
    """alice knows the password of auth; the others have only what the server knows."""

    users = ("users:", "  asker: {{password_file: {secret}}}", "  alice: {{}}", "  bob: {{}}")

    def write(self, **more):
        super().write(**more)
        text = self.file.read_text()
        head = text[:text.index("users:\n")]
        self.file.write_text(head + "\n".join(self.users).format(secret=self.secret) + "\n")

    def is_listening(self):
        return "listening on 127" in self.log_text() or super().is_listening()


@pytest.fixture
def asked(logins, pgdeck):  # noqa: F811
    """A server that tells verifiers to the role asker only, and asks everyone for passwords."""
    server = logins
    server.query("DROP ROLE IF EXISTS asker")
    server.query(f"CREATE ROLE asker LOGIN PASSWORD '{PASSWORD}'")
    made = pgdeck("pool", "render", "auth-function", expect=0).out
    assert made == (SOURCE / "src/pool/sql/pool_login.sql").read_text()
    server.psql(text=made, dbname="app")
    server.query("GRANT USAGE ON SCHEMA pgdeck TO asker", dbname="app")
    server.query("GRANT EXECUTE ON FUNCTION pgdeck.pool_login(text) TO asker", dbname="app")
    hba = server.data / "pg_hba.conf"
    before = hba.read_text()
    hba.write_text("host all alice,bob,asker 127.0.0.1/32 scram-sha-256\n" + before)
    server.reload()
    yield server
    hba.write_text(before)
    server.reload()
    server.query("DROP SCHEMA pgdeck CASCADE", dbname="app")
    server.query("DROP ROLE asker")


@pytest.fixture
def make(pgdeck, tmp_path):
    pools = []

    def new(server, databases, pooler=None, users=None):
        folder = tmp_path / f"auth{len(pools)}"
        folder.mkdir()
        kind = type("Other", (AuthPool,), {"users": users}) if users else AuthPool
        pools.append(kind(pgdeck, folder, server, databases, pooler))
        return pools[-1]

    yield new
    for pool in pools:
        assert pool.process.poll() is None, pool.log_text()
        pool.stop()


def test_the_server_is_asked_for_verifiers(make, asked):
    pool = make(asked, {"app": {"host": "127.0.0.1", "max": 2, "min": 1, "auth_user": "asker"}})
    with pool.connect() as one, pool.connect() as two, pool.connect(user="bob") as other:
        assert one.execute("SELECT current_user").fetchone() == ("alice",)
        assert two.execute("SELECT current_user").fetchone() == ("alice",)
        assert other.execute("SELECT current_user").fetchone() == ("bob",)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        pool.connect(password="wrong")
    # Another password counts at once, an expired one no more, nor a login that is none.
    asked.query("ALTER ROLE alice PASSWORD 'changed'")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        pool.connect()
    with pool.connect(password="changed") as one:
        assert one.execute("SELECT 1").fetchone() == (1,)
    for change, back in (("VALID UNTIL '2000-01-01'", "VALID UNTIL 'infinity'"),
                         ("NOLOGIN", "LOGIN"), ("SUPERUSER", "NOSUPERUSER"),
                         ("PASSWORD NULL", "PASSWORD 'changed'")):
        asked.query(f"ALTER ROLE alice {change}")
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            pool.connect(password="changed")
        asked.query(f"ALTER ROLE alice {back}")
        with pool.connect(password="changed") as one:
            assert one.execute("SELECT 1").fetchone() == (1,)
    # Lost connections are made anew; many at once are asked for in their order.
    asked.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'asker'")
    seen = []

    def login():
        with pool.connect(password="changed", user="alice") as connection:
            seen.append(connection.execute("SELECT 1").fetchone())

    threads = [threading.Thread(target=login) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert seen == [(1,)] * 20


def test_a_server_that_cannot_be_asked(make, asked):
    asked.query("REVOKE EXECUTE ON FUNCTION pgdeck.pool_login(text) FROM asker", dbname="app")
    pool = make(asked, {"app": {"host": "127.0.0.1", "max": 1, "auth_user": "asker"},
                        "slow": {"host": "127.0.0.1", "max": 1, "auth_user": "asker",
                                 "database": "app", "auth_query": "'SELECT $1 FROM pg_sleep(60)'"}},
                {"login_timeout": "3s"})
    with pytest.raises(psycopg.OperationalError, match="cannot be asked"):
        pool.connect()
    assert "permission denied for function pool_login" in pool.log_text()
    started = time.monotonic()
    with pytest.raises(psycopg.OperationalError, match="the login took too long"):
        pool.connect(dbname="slow")
    assert time.monotonic() - started < 30


def test_certificates_instead_of_passwords(make, logins, authority):  # noqa: F811
    for name in ("alice", "mallory"):
        authority.sign(name, name)
    keys = tls_keys(authority, tls_client_ca=authority.path("ca.crt"))
    pool = make(logins, {"app": {"max": 1, "auth": "cert"}}, keys)

    def connect(certificate, **more):
        files = {"sslcert": authority.path(f"{certificate}.crt"),
                 "sslkey": authority.path(f"{certificate}.key")} if certificate else {}
        return pool.connect(**{**full(authority), **files, "password": "none", **more})

    with connect("alice") as one:
        assert one.execute("SELECT current_user").fetchone() == ("alice",)
    for certificate in ("mallory", None):
        with pytest.raises(psycopg.OperationalError, match="certificate authentication failed"):
            connect(certificate)
    with pytest.raises(psycopg.OperationalError, match="certificate authentication failed"):
        connect("alice", user="bob")
    with pytest.raises(psycopg.OperationalError, match="certificate authentication failed"):
        pool.connect(host=pool.folder, sslmode="disable")  # the unix socket shows none
    folder = authority.folder / "stranger"
    folder.mkdir()
    stranger = type(authority)(folder)
    stranger.sign("alice", "alice")
    with pytest.raises(psycopg.OperationalError):
        connect(None, sslcert=stranger.path("alice.crt"), sslkey=stranger.path("alice.key"))


def test_peers_of_the_unix_socket(make, logins):  # noqa: F811
    own = getpass.getuser()
    logins.query(f'DROP ROLE IF EXISTS "{own}"')
    logins.query(f'CREATE ROLE "{own}" LOGIN')
    try:
        users = ("users:", f"  {own}: {{{{}}}}", "  daemon: {{}}")
        pool = make(logins, {"app": {"max": 1, "auth": "peer", "users": f"[{own}, daemon]"}},
                    users=users)
        with pool.connect(host=pool.folder, user=own, password="none") as one:
            assert one.execute("SELECT current_user").fetchone() == (own,)
        for where in ({"user": own}, {"host": pool.folder, "user": "daemon"}):
            with pytest.raises(psycopg.OperationalError, match="peer authentication failed"):
                pool.connect(**where)
    finally:
        logins.query(f'DROP ROLE "{own}"')


def test_networks_of_a_database(make, logins):  # noqa: F811
    users = ("users:", "  alice: {{password_file: {secret}}}", "  bob: {{password_file: {secret}}}")
    pool = make(logins, {"app": {"max": 1, "allow": "[10.0.0.0/8, '::1/128']"},
                         "open": {"max": 1, "database": "app", "allow": "[127.0.0.0/8]"}},
                users=users)
    with pytest.raises(psycopg.OperationalError, match="address is not allowed"):
        pool.connect()
    for more in ({"dbname": "open"}, {"host": pool.folder}):
        with pool.connect(**more) as one:
            assert one.execute("SELECT 1").fetchone() == (1,)


def test_networks_of_a_user(make, logins):  # noqa: F811
    """Beside the database's, and on the console."""
    users = ("users:", "  alice: {{password_file: {secret}, admin: true, allow: [10.0.0.0/8]}}",
             "  bob: {{password_file: {secret}, admin: true, allow: [127.0.0.0/8]}}")
    pool = make(logins, {"app": {"max": 1}, "far": {"max": 1, "database": "app",
                                                    "allow": "[10.0.0.0/8]"}}, users=users)
    for more in ({"user": "alice"}, {"user": "alice", "dbname": "pgdeck"},
                 {"user": "alice", "dbname": "far"}, {"user": "bob", "dbname": "far"}):
        with pytest.raises(psycopg.OperationalError, match="address is not allowed"):
            pool.connect(**more)
    for more in ({"user": "bob"}, {"user": "alice", "host": pool.folder}):
        with pool.connect(**more) as one:
            assert one.execute("SELECT 1").fetchone() == (1,)
    assert pool.show("POOLS", user="bob")


def test_passwords_in_other_letters(make, logins):  # noqa: F811
    """The server keeps the verifier of the prepared text (SASLprep); so must the pool."""
    password = "p\u00e4ssw\u00f6rd \ufb01\u00aa\u2168"  # with letters that are written otherwise
    logins.query(f"ALTER ROLE alice PASSWORD '{password}'")
    hba = logins.data / "pg_hba.conf"
    before = hba.read_text()
    hba.write_text("host all alice 127.0.0.1/32 scram-sha-256\n" + before)
    logins.reload()
    try:
        users = ("users:", "  alice: {{password_env: OTHER}}", "  bob: {{password_env: OTHER}}")
        os.environ["OTHER"] = password
        try:
            pool = make(logins, {"app": {"host": "127.0.0.1", "max": 1}}, users=users)
        finally:
            del os.environ["OTHER"]
        for form in (password, "pa\u0308ssw\u00f6rd fiaIX"):
            with pool.connect(password=f"'{form}'") as one:
                assert one.execute("SELECT current_user").fetchone() == ("alice",)
    finally:
        hba.write_text(before)
        logins.reload()


@pytest.mark.parametrize("keys, message", [
    ("auth: cert", "needs pooler.tls_client_ca"), ("auth: peer", "no user \"alice\" on this"),
    ("auth_user: nobody", "must be a user with a password"), ("max: 1", "nothing is known"),
    ("auth: md5", "md5"), ("allow: [10.0.0.0/99]", "10.0.0.0/99")])
def test_bad_ways_are_told_at_the_start(pgdeck, tmp_path, keys, message):
    file = tmp_path / "pool.yaml"
    file.write_text(f"pooler: {{port: {free_port()}, socket_folder: {tmp_path}}}\n"
                    f"databases: {{app: {{users: [alice], {keys}}}}}\nusers: {{alice: {{}}}}\n")
    done = pgdeck("pool", "--config", file, timeout=20)
    assert done.code != 0
    assert message in done.err, done.err


@pytest.mark.parametrize("name", ["pgdeck", "pgbouncer"])
def test_no_database_has_the_name_of_the_console(pgdeck, tmp_path, name):
    file, secret = tmp_path / "pool.yaml", tmp_path / "secret"
    secret.write_text("word\n")
    secret.chmod(0o600)
    file.write_text(f"pooler: {{port: {free_port()}, socket_folder: {tmp_path}}}\n"
                    f"databases: {{{name}: {{users: [alice]}}}}\n"
                    f"users: {{alice: {{password_file: {secret}}}}}\n")
    done = pgdeck("pool", "--config", file, timeout=60)
    assert done.code != 0 and f'"{name}" is the console\'s name' in done.err, done.err
