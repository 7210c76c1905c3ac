# SPDX-License-Identifier: MIT
"""TLS of servers: the private server's own certificate, looked at by a real client; expiry."""

import json
import os
import subprocess

import psycopg
import pytest

from cluster import CLIENT_BIN, as_server_user
from test_advisor_security import DECK, write_deck


@pytest.fixture
def private(pgdeck):
    """(port, folder, password) of a private server."""
    out = json.loads(pgdeck("up", "tls", "--json", expect=0).out)
    yield out["port"], out["folder"]
    pgdeck("down", "tls", "--destroy", "--yes")


def password_of(folder):
    with open(f"{folder}/passfile", encoding="utf-8") as file:
        return file.read().strip().split(":")[4]


def test_a_private_server_proves_who_it_is(pgdeck, private):
    port, folder = private
    assert sorted(os.listdir(folder))[:3] == ["data", "log", "passfile"]
    assert os.stat(f"{folder}/data/server.key").st_mode & 0o777 == 0o600
    where = {"port": port, "user": "deck_admin", "dbname": "postgres",
             "password": password_of(folder), "sslrootcert": f"{folder}/root.crt"}
    for host in ("127.0.0.1", "localhost"):
        with psycopg.connect(host=host, sslmode="verify-full", **where) as connection:
            version, = connection.execute("SELECT version FROM pg_stat_ssl WHERE pid = "
                                          "pg_backend_pid()").fetchone()
            assert version in ("TLSv1.2", "TLSv1.3")
    with pytest.raises(psycopg.OperationalError, match="does not match host name"):
        psycopg.connect(host="elsewhere.example", hostaddr="127.0.0.1", sslmode="verify-full",
                        **where)
    with pytest.raises(psycopg.OperationalError, match="certificate verify failed"):
        psycopg.connect(host="127.0.0.1", sslmode="verify-full",
                        **{**where, "sslrootcert": make_other(folder)})
    out = subprocess.run([CLIENT_BIN / "psql", "-XAtc", "SELECT 1",
                          f"host=127.0.0.1 port={port} user=deck_admin dbname=postgres "
                          f"sslmode=verify-full sslrootcert={folder}/root.crt "
                          f"passfile={folder}/passfile"], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "1"


def make_other(folder):
    """A certificate that has signed nothing here."""
    path = f"{folder}/other"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-days", "10", "-subj", "/CN=localhost",
                    "-keyout", f"{path}.key", "-out", f"{path}.crt"], check=True,
                   capture_output=True)
    return f"{path}.crt"


def states(pgdeck, deck):
    document = json.loads(pgdeck("security", "-d", deck, "--json").out)
    return {item["state"]: item["finding"] for item in document["items"]
            if item["item"] == "certificate"}


def test_the_end_of_a_certificate_is_told(pgdeck, make_server, tmp_path):
    server = make_server(15)
    deck = write_deck(tmp_path / "deck", server.conninfo(), DECK)
    assert states(pgdeck, deck) == {}
    other = make_other(server.folder)
    for name in ("key", "crt"):
        target = server.data / f"server.{name}"
        target.write_bytes(open(other[:-3] + name, "rb").read())
        target.chmod(0o600)
        if as_server_user():
            os.chown(target, as_server_user()["user"], as_server_user()["group"])
    server.query("ALTER SYSTEM SET ssl = on")
    server.query("SELECT pg_reload_conf()")
    assert states(pgdeck, deck)["warn"] in ("the server's certificate holds for 9 days",
                                            "the server's certificate holds for 10 days")
    (server.data / "server.crt").write_text("nonsense")  # a reload keeps the one that it has
    server.query("SELECT pg_reload_conf()")
    assert states(pgdeck, deck) == {"fail": "its file is no certificate"}
    psycopg.connect(host="127.0.0.1", port=server.port, user="postgres", dbname="postgres",
                    sslmode="require").close()
