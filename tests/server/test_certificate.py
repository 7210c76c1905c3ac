# SPDX-License-Identifier: MIT
"""The server's certificate from the deck: put where the server has it, proved with a real client,
back by itself when it does not hold; its end is told."""

import json
import os
import subprocess

import psycopg
import pytest

from cluster import wait_for
from test_advisor_security import DECK, changes, write_deck

pytestmark = pytest.mark.short(15)


def openssl(*words):
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)


@pytest.fixture
def pairs(tmp_path):
    """make(name, days=90, authority="root"): name.crt and .key for 127.0.0.1, signed by it."""
    def authority(name):
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-days", 400, "-subj", f"/CN={name}", "-keyout", tmp_path / f"{name}.key",
                "-out", tmp_path / f"{name}.crt")

    def make(name, days=90, signer="root"):
        if not (tmp_path / f"{signer}.crt").exists():
            authority(signer)
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
                f"/CN={name}", "-keyout", tmp_path / f"{name}.key", "-out", tmp_path / "request")
        (tmp_path / "names").write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
        openssl("x509", "-req", "-in", tmp_path / "request", "-days", days, "-CA",
                tmp_path / f"{signer}.crt", "-CAkey", tmp_path / f"{signer}.key", "-out",
                tmp_path / f"{name}.crt", "-extfile", tmp_path / "names")
        return tmp_path / f"{name}.crt"

    return make


def with_certificate(deck, name):
    text = deck.read_text().replace("servers:\n  main: {", "servers:\n  main: {certificate: "
                                    f"../{name}.crt, certificate_key: ../{name}.key, ")
    deck.write_text(text)
    return deck


def name_shown(server):
    """The common name in the certificate that a client sees; None without TLS."""
    pem = subprocess.run(["openssl", "s_client", "-starttls", "postgres", "-connect",
                          f"127.0.0.1:{server.port}"], input="", text=True, capture_output=True
                         ).stdout
    if "BEGIN CERTIFICATE" not in pem:
        return None
    begin = pem.index("-----BEGIN CERTIFICATE")
    out = subprocess.run(["openssl", "x509", "-noout", "-subject"], input=pem[begin:], text=True,
                         capture_output=True, check=True).stdout
    return out.strip().rpartition("CN = ")[2]


def files(server):
    return {name: (server.data / name).read_bytes() if (server.data / name).exists() else None
            for name in ("server.crt", "server.key")}


def conninfo(server, root):
    return server.conninfo() + f" host=127.0.0.1 sslmode=verify-full sslrootcert={root}"


def test_from_the_deck_and_back(pgdeck, fresh_server, tmp_path, pairs):
    pairs("first"), pairs("second")
    deck = write_deck(tmp_path / "deck", fresh_server.conninfo(), DECK)
    pgdeck("apply", "-d", deck, "--yes", expect=0)
    plain = deck.read_text()
    with_certificate(deck, "first")
    (row,) = changes(pgdeck, deck)
    assert row["what"].startswith("let the server show the certificate of CN = first, good until 20")
    assert "PRIVATE KEY" not in pgdeck("plan", "-d", deck, "--sql").out
    pgdeck("apply", "-d", deck, "--yes", expect=0)
    assert name_shown(fresh_server) == "first"
    assert os.stat(fresh_server.data / "server.key").st_mode & 0o777 == 0o600
    with psycopg.connect(conninfo(fresh_server, tmp_path / "root.crt")) as connection:
        assert connection.execute("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
                                  ).fetchone() == (True,)
    assert changes(pgdeck, deck) == []
    deck.write_text(plain)
    with_certificate(deck, "second")
    pgdeck("apply", "-d", deck, "--yes", expect=0)
    assert name_shown(fresh_server) == "second"
    for left in fresh_server.query("SELECT j::text FROM pgdeck.journal j"):
        assert "PRIVATE KEY" not in left[0]
    pgdeck("rollback", "-d", deck, "--yes", expect=0)
    assert name_shown(fresh_server) == "first"
    pgdeck("rollback", "-d", deck, "--yes", expect=0)
    assert name_shown(fresh_server) is None
    assert files(fresh_server) == {"server.crt": None, "server.key": None}
    assert fresh_server.query("SHOW ssl") == [("off",)]


def test_one_that_shuts_pgdeck_out_is_put_back(pgdeck, fresh_server, tmp_path, pairs):
    """Signed by somebody whom pgdeck, with verify-full, does not believe."""
    pairs("good"), pairs("foreign", signer="stranger")
    deck = write_deck(tmp_path / "deck", fresh_server.conninfo(), DECK)
    pgdeck("apply", "-d", with_certificate(deck, "good"), "--yes", expect=0)
    before = files(fresh_server)
    deck = write_deck(tmp_path / "deck", conninfo(fresh_server, tmp_path / "root.crt"), DECK)
    with_certificate(deck, "foreign")
    result = pgdeck("apply", "-d", deck, "--yes")
    assert result.code != 0 and "the new certificate does not hold; the old one is back" in result.err
    assert "certificate verify failed" in result.err
    assert files(fresh_server) == before and name_shown(fresh_server) == "good"
    psycopg.connect(conninfo(fresh_server, tmp_path / "root.crt")).close()
    fresh_server.restart()
    assert name_shown(fresh_server) == "good"


def test_one_that_the_server_does_not_take_is_put_back(pgdeck, fresh_server, tmp_path, pairs):
    """Another file of its TLS is not there: the server keeps what it had, and says so in its log."""
    pairs("good"), pairs("next")
    deck = write_deck(tmp_path / "deck", fresh_server.conninfo(), DECK)
    pgdeck("apply", "-d", with_certificate(deck, "good"), "--yes", expect=0)
    fresh_server.query("ALTER SYSTEM SET ssl_ca_file = 'nowhere.crt'")  # then no reload takes TLS
    before = files(fresh_server)
    deck = write_deck(tmp_path / "deck", fresh_server.conninfo(), DECK)
    with_certificate(deck, "next")
    result = pgdeck("apply", "-d", deck, "--yes")
    assert result.code != 0 and "the new certificate does not hold; the old one is back" in result.err
    assert "still shows another certificate" in result.err
    assert files(fresh_server) == before and name_shown(fresh_server) == "good"


def test_faulty_files_never_reach_the_server(pgdeck, fresh_server, tmp_path, pairs):
    pairs("good"), pairs("late", days=-1), pairs("other")
    cases = {"key that others may read": lambda: (tmp_path / "good.key").chmod(0o644),
             "another's key": lambda: (tmp_path / "good.key").write_bytes(
                 (tmp_path / "other.key").read_bytes()),
             "nonsense": lambda: (tmp_path / "good.crt").write_text("nonsense")}
    deck = write_deck(tmp_path / "deck", fresh_server.conninfo(), DECK)
    with_certificate(deck, "good")
    kept = {name: (tmp_path / name).read_bytes() for name in ("good.crt", "good.key")}
    for case, spoil in cases.items():
        spoil()
        result = pgdeck("plan", "-d", deck)
        assert result.code not in (0, 2) and 'certificate of server "main"' in result.err, case
        for name, data in kept.items():
            (tmp_path / name).write_bytes(data)
            (tmp_path / name).chmod(0o600)
    openssl("pkey", "-aes256", "-passout", "pass:secret", "-in", tmp_path / "good.key", "-out",
            tmp_path / "locked.key")
    (tmp_path / "good.key").write_bytes((tmp_path / "locked.key").read_bytes())
    result = pgdeck("plan", "-d", deck)
    assert result.code not in (0, 2) and "is protected by a passphrase" in result.err
    deck.write_text(deck.read_text().replace("good", "late"))
    result = pgdeck("plan", "-d", deck)
    assert result.code not in (0, 2) and "expired" in result.err
    deck.write_text(deck.read_text().replace("certificate_key: ../late.key, ", ""))
    result = pgdeck("check", "-d", deck)
    assert "go together" in result.out + result.err
    assert name_shown(fresh_server) is None


def state_of(pgdeck, deck, item):
    listed = json.loads(pgdeck("security", "-d", deck, "--json").out)["items"]
    return {(one["state"], one["finding"]) for one in listed if one["item"] == item}


def test_tls_that_is_old_or_off_and_a_certificate_that_has_ended(pgdeck, fresh_server, tmp_path,
                                                                 pairs):
    pairs("good"), pairs("late", days=-1)
    deck = write_deck(tmp_path / "deck", fresh_server.conninfo(), DECK)
    assert ("warn", "the server has no TLS") in state_of(pgdeck, deck, "TLS")
    required = write_deck(tmp_path / "required", fresh_server.conninfo(), DECK.replace(
        "    server: main\n", "    server: main\n    security: {tls: required}\n"))
    assert ("fail", "the server has no TLS") in state_of(pgdeck, required, "TLS")
    pgdeck("apply", "-d", with_certificate(deck, "good"), "--yes", expect=0)
    assert {state for state, _finding in state_of(pgdeck, deck, "TLS")} == {"ok"}
    fresh_server.query("ALTER SYSTEM SET ssl_min_protocol_version = 'TLSv1.1'")
    for name in ("crt", "key"):
        (fresh_server.data / f"server.{name}").write_bytes((tmp_path / f"late.{name}").read_bytes())
    fresh_server.query("SELECT pg_reload_conf()")
    assert ("fail", "the server takes TLSv1.1, which is broken") in state_of(pgdeck, deck, "TLS")
    assert state_of(pgdeck, deck, "certificate") == {("fail", "the server's certificate has expired")}

    def found():
        document = json.loads(pgdeck("health", "-d", deck, "--json").out)
        return [one["severity"] for one in document["findings"] if one["check"] == "certificate"]

    wait_for(lambda: found() == ["critical"], 60, "health's word")


def test_killed_at_each_step(pgdeck, fresh_server, tmp_path, pairs):
    pairs("good"), pairs("next")
    deck = write_deck(tmp_path / "deck", fresh_server.conninfo(), DECK)
    pgdeck("apply", "-d", with_certificate(deck, "good"), "--yes", expect=0)
    deck = write_deck(tmp_path / "deck", fresh_server.conninfo(), DECK)
    with_certificate(deck, "next")
    for step in range(1, 12):
        result = pgdeck("apply", "-d", deck, "--yes", env={"PGDECK_CRASH_AT": str(step)})
        assert name_shown(fresh_server) in ("good", "next")
        if result.code == 0:
            break
        if changes(pgdeck, deck) == []:
            break
    pgdeck("apply", "-d", deck, "--yes", expect=0)
    assert name_shown(fresh_server) == "next" and changes(pgdeck, deck) == []


def test_its_end_is_told_by_health_and_security(pgdeck, fresh_server, tmp_path, pairs):
    for name, days, severity, state in (("long", 90, "ok", "ok"), ("short", 9, "warning", "warn")):
        pairs(name, days=days)
        deck = write_deck(tmp_path / "deck", fresh_server.conninfo(), DECK)
        pgdeck("apply", "-d", with_certificate(deck, name), "--yes", expect=0)
        document = json.loads(pgdeck("health", "-d", deck, "--json").out)
        (found,) = [one for one in document["findings"] if one["check"] == "certificate"]
        assert found["severity"] == severity, found
        listed = json.loads(pgdeck("security", "-d", deck, "--json").out)["items"]
        assert [one["state"] for one in listed if one["item"] == "certificate"] == [state]


