# SPDX-License-Identifier: MIT
"""The units' sandbox as systemd rates it; the rule for rsyslog in a real rsyslogd. The binary's own
hardening is looked at in test_penetration (by readelf, as hardening-check does: its package,
devscripts, brings 47 others)."""

import os
import re
import shutil
import subprocess

import pytest

from cluster import SOURCE, wait_for

UNITS = sorted((SOURCE / "packaging" / "systemd").glob("*.service"))
MOST_EXPOSED = 2.5


def test_there_are_units():
    assert UNITS


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_is_closed(unit):
    result = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager", unit],
                            text=True, capture_output=True, check=False)
    level = re.search(r"Overall exposure level for \S+: ([\d.]+)", result.stdout)
    assert level, result.stderr
    assert float(level[1]) <= MOST_EXPOSED


@pytest.mark.parametrize("words", [("pool", "--config", "none.yaml"),
                                   ("watch", "--deck", "none.yaml", "--listen", "none")],
                         ids=lambda words: words[0])
def test_no_daemon_runs_as_root(pgdeck, words):
    """Unless it is said; as root of a namespace where the tests are nobody's in particular."""
    as_root = [] if os.geteuid() == 0 else ["unshare", "--map-root-user"]

    def run(*more):
        return subprocess.run([*as_root, pgdeck.path, *words, *more], text=True, timeout=60,
                              capture_output=True, check=False, env=pgdeck.environment({}))

    refused = run()
    assert refused.returncode == 22
    assert f"pgdeck {words[0]} does not run as root" in refused.stderr
    assert "--allow-root" in refused.stderr and "none.yaml" not in refused.stderr
    allowed = run("--allow-root")
    assert allowed.returncode != 0 and "root" not in allowed.stderr
    assert "none.yaml" in allowed.stderr


SECRET_DECK = """
deck: secret
servers: {main: {conninfo: "host=127.0.0.1 port=1", password_file: secret}}
environments: {test: {server: main}}
databases: {app: {environment: test}}
notify: {hook: {kind: webhook, url_file: secret}}
"""
SECRET_POOL = "databases: {app: {users: [alice]}}\nusers: {alice: {password_file: secret}}\n"
READERS = {
    "plan": ("plan", "-d", "deck.yaml"), "alert": ("alerts", "test", "hook", "-d", "deck.yaml"),
    "pool": ("pool", "--config", "pool.yaml", "--allow-root"),
    "watch": ("watch", "--deck", "deck.yaml", "--listen", "127.0.0.1:0", "--token-file", "secret",
              "--allow-root"),
    "key": ("watch", "--deck", "deck.yaml", "--listen", "127.0.0.1:0", "--tls-key", "secret",
            "--allow-root")}


@pytest.mark.parametrize("reader", READERS)
def test_a_secret_that_others_may_read_is_refused(pgdeck, tmp_path, reader):
    """Or that others may change: by its mode, or by a link that is theirs to set."""
    (tmp_path / "deck.yaml").write_text(SECRET_DECK)
    (tmp_path / "pool.yaml").write_text(SECRET_POOL)
    everybodys = tmp_path / "everybodys"
    everybodys.mkdir()
    secret, link, kept = tmp_path / "secret", everybodys / "secret", tmp_path / "kept"
    words = [str(tmp_path / word) if word in ("deck.yaml", "pool.yaml", "secret") else word
             for word in READERS[reader]]

    def look():
        result = pgdeck(*words)
        assert result.code != 0
        return "is not safe for a secret" in result.err and "chmod 600" in result.err

    for mode in (0o644, 0o602, 0o660):
        secret.write_text("http://127.0.0.1:1\n")
        secret.chmod(mode)
        assert look(), oct(mode)
    secret.rename(kept)
    kept.chmod(0o600)
    everybodys.chmod(0o777)
    for word in ("deck.yaml", "pool.yaml"):
        (tmp_path / word).write_text((tmp_path / word).read_text().replace(
            "file: secret", f"file: {link}"))
    words = [str(link) if word == str(secret) else word for word in words]
    link.symlink_to(kept)
    assert look()
    if reader in ("plan", "alert"):  # those that end by themselves when it is taken
        everybodys.chmod(0o1777)  # as a Secret volume of Kubernetes: nobody else may change the link
        assert not look()


AUDITED = ["AUDIT: SESSION,1,1,DDL,CREATE TABLE,,,CREATE TABLE x (a int)",
           "AUDIT: OBJECT,2,1,READ,SELECT,TABLE,public.x,select 1", "statement: DROP TABLE x",
           "statement: GRANT ALL ON x TO y", "statement:  ALTER ROLE y CREATEDB"]
OTHER = ["statement: SELECT 1", "connection authorized: user=AUDIT", "duration: 3 ms"]


def test_the_rule_for_rsyslog(pgdeck, tmp_path):
    """Lines as PostgreSQL gives them to syslog; other programs' are left where they are."""
    daemon = shutil.which("rsyslogd", path="/usr/sbin:/usr/bin")
    assert daemon, "rsyslogd is of the package rsyslog"
    rule = pgdeck("security", "render", "rsyslog", expect=0).out
    audit = tmp_path / "audit.log"
    configuration = tmp_path / "rsyslog.conf"
    configuration.write_text('module(load="imuxsock" SysSock.Use="off")\n'
                             f'input(type="imuxsock" Socket="{tmp_path}/log")\n'
                             + rule.replace("/var/log/postgresql/audit.log", str(audit))
                             + f'action(type="omfile" file="{tmp_path}/all.log")\n')
    assert str(audit) in configuration.read_text()
    subprocess.run([daemon, "-N1", "-f", configuration], check=True, capture_output=True)
    with subprocess.Popen([daemon, "-n", "-f", configuration, "-i", tmp_path / "pid"]) as process:
        try:
            wait_for((tmp_path / "log").exists, 60, "rsyslogd")
            for number, line in enumerate([*AUDITED, *OTHER, "the end"]):
                subprocess.run(["logger", "-u", tmp_path / "log", "-t", "postgres",
                                f"[{number}-1] LOG:  {line}"], check=True)
            subprocess.run(["logger", "-u", tmp_path / "log", "-t", "other",
                            "statement: DROP TABLE of another program"], check=True)
            everything = tmp_path / "all.log"
            wait_for(lambda: everything.exists() and "another program" in everything.read_text(), 60,
                     "the last line")
        finally:
            process.terminate()
    written = audit.read_text()
    assert all(line in written for line in AUDITED)
    assert not any(line in written for line in [*OTHER, "another program", "the end"])
    assert audit.stat().st_mode & 0o777 == 0o640


def test_every_test_that_the_docs_name_is_there():
    text = (SOURCE / "docs" / "security-tests.md").read_text()
    named = re.findall(r"\b(test_\w+)::(test_\w+)", text)
    assert len(named) > 30
    for file, test in named:
        source = (SOURCE / "tests" / "server" / f"{file}.py").read_text()
        assert f"\ndef {test}(" in source, f"{file}::{test}"
    for number in re.findall(r"`(?:bad/)?(\d\d)`", text):
        assert list((SOURCE / "tests" / "golden" / "decks" / "bad").glob(f"{number}-*.yaml")), number
