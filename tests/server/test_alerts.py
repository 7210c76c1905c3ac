# SPDX-License-Identifier: MIT
"""Alerts, from sessions on a server to a real Alertmanager, a webhook, mail and a program."""

import contextlib
import email
import email.policy
import json
import re
import signal
import subprocess
import time
import urllib.request

import pytest

from alert_sinks import Alertmanager, Mail, Webhook, free_port, until
from cluster import SOURCE
from test_watch import check_metrics, wait_for_line

DECK = """
deck: alerting
servers:
  main: {conninfo: "CONNINFO", memory: 512MB, cpus: 2, storage: ssd}
environments:
  test: {server: main}
databases:
  postgres: {environment: test}
watch: {alerts: 100ms, sample: 100ms}
alerts:
  connections: {warning: 50%, critical: 90%, fire: 2, clear: 12}
"""
FEW, MANY = 0, 13  # sessions of max_connections = 20

pytestmark = pytest.mark.pg(max=15)  # what is asked of the server is test_watch's


class Daemon:
    """pgdeck watch over a server of 20 connections, some of which the test holds."""

    def __init__(self, pgdeck, server, folder):
        self.pgdeck, self.server, self.folder = pgdeck, server, folder
        self.sessions, self.process = [], None

    def write_deck(self, notify):
        self.deck = self.folder / "deck.yaml"
        self.deck.write_text(DECK.replace("CONNINFO", self.server.conninfo()) + notify)

    def start(self, listen="none"):
        self.process = self.pgdeck.start("watch", "-d", self.deck, "--listen", listen)

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        assert self.process.wait(20) == (0 if how == signal.SIGTERM else -how)

    def hold(self, count):
        while len(self.sessions) < count:
            self.sessions.append(self.server.connect("postgres"))
        while len(self.sessions) > count:
            self.sessions.pop().close()

    def alerts(self, *more, expect=None):
        return self.pgdeck("alerts", *more, "-d", self.deck, expect=expect)

    def state(self):
        return json.loads(self.alerts("--json").out)

    def is_open(self):
        return bool(self.state()["alerts"])


@pytest.fixture
def daemon(pgdeck, make_server, tmp_path):
    made = Daemon(pgdeck, make_server(15, max_connections=20, fsync="on"), tmp_path)
    yield made
    made.hold(0)


@pytest.fixture
def webhook():
    with contextlib.closing(Webhook()) as sink:
        yield sink


def test_twenty_toggles_at_an_alertmanager(daemon, webhook, tmp_path):
    """One message when it begins, one when it is over: from a real Alertmanager, too."""
    with contextlib.closing(Webhook()) as people, \
            contextlib.closing(Alertmanager(tmp_path, people)) as alertmanager:
        daemon.write_deck(f"notify:\n  hook: {{kind: webhook, url: '{webhook.url}'}}\n"
                          f"  am: {{kind: alertmanager, url: '{alertmanager.url}'}}\n")
        daemon.start()
        for _ in range(20):
            daemon.hold(MANY)
            time.sleep(0.25)
            daemon.hold(FEW)
            time.sleep(0.25)
        until(lambda: len(people.bodies) >= 2, "Alertmanager did not tell that it cleared")
        until(lambda: len(webhook.events()) >= 2, "the webhook was not told")
        time.sleep(2)
        daemon.stop()
        told = [alert["status"] for body in people.bodies for alert in body["alerts"]]
        assert told == ["firing", "resolved"]
        assert webhook.events() == [("fired", "connections"), ("cleared", "connections")]
        labels = people.bodies[0]["alerts"][0]["labels"]
        assert labels["alertname"] == "connections" and labels["deck"] == "alerting"
        assert labels["severity"] == "warning" and labels["server"] == "main"
        notes = people.bodies[0]["alerts"][0]["annotations"]
        assert "of 20 connections are in use" in notes["summary"]
        assert "pg_terminate_backend" in notes["fix_sql"]
        assert alertmanager.alerts() == []
    history = json.loads(daemon.alerts("history", "--json", expect=0).out)
    assert [event["event"] for event in history] == ["fired", "cleared"]


def test_killed_and_started_again(daemon, webhook):
    """What was told is told no second time; what was not, is."""
    daemon.write_deck(f"notify: {{hook: {{kind: webhook, url: '{webhook.url}'}}}}\n")
    daemon.start()
    daemon.hold(MANY)
    until(lambda: webhook.events() == [("fired", "connections")], "it does not fire")
    until(lambda: daemon.is_open(), "it is not remembered")
    until(lambda: "hook" in json.dumps(daemon.state()["alerts"]), "that it was told is not kept")
    daemon.stop(signal.SIGKILL)
    daemon.start()
    until(lambda: daemon.state()["is_kept"], "it does not come up")
    webhook.status = 503
    daemon.hold(FEW)
    until(lambda: not daemon.is_open(), "it does not clear")
    until(lambda: daemon.state()["targets"][0]["failures"] >= 2, "it does not try again")
    target, = daemon.state()["targets"]
    assert "answers 503 \\x1bno" in target["error"] and target["failing_ms"] > 0
    assert "target fails since" in daemon.alerts(expect=0).out
    daemon.stop(signal.SIGKILL)
    webhook.bodies.clear()
    webhook.status = 200
    daemon.start()
    until(lambda: webhook.events() == [("cleared", "connections")], "it is not told")
    until(lambda: daemon.state()["targets"][0]["failing_ms"] == 0, "the target fails for ever")
    daemon.stop()


def test_silence(daemon, webhook):
    daemon.write_deck(f"notify: {{hook: {{kind: webhook, url: '{webhook.url}'}}}}\n")
    assert "what it wrote never" in daemon.alerts(expect=0).err
    for wrong in (["connections"], ["connections", "--for", "2h"],
                  ["connections", "--for", "90d", "--why", "x"],
                  ["connections", "--for", "2h", "--why", "x", "--environment", "tset"]):
        assert daemon.alerts("silence", *wrong).code == 64
    said = daemon.alerts("silence", "connections", "--for", "1h", "--why", "load test\x1b[2J",
                         expect=0).out
    daemon.start()
    daemon.hold(MANY)
    until(daemon.is_open, "it does not fire")
    listed = daemon.alerts(expect=2).out
    assert "silenced until" in listed and "load test\\x1b[2J" in listed
    assert "pg_terminate_backend" in listed
    assert webhook.bodies == []
    daemon.alerts("unsilence", re.search(r"silence (\w+)", said)[1], expect=0)
    until(lambda: webhook.events() == [("fired", "connections")], "the end is not noticed")
    assert daemon.alerts("unsilence", "0000").code == 64
    daemon.stop()


def test_two_decks_of_one_name(daemon, pgdeck, tmp_path):
    """Each has alerts and silences of its own; one that moves takes its own along."""
    decks = [tmp_path / name / "deck.yaml" for name in ("one", "two")]
    for deck in decks:
        deck.parent.mkdir()
        deck.write_text(DECK.replace("CONNINFO", daemon.server.conninfo()))

    def silences(deck):
        return len(json.loads(pgdeck("alerts", "--json", "-d", deck).out)["silences"])

    pgdeck("alerts", "silence", "all", "--for", "60m", "--why", "one", "-d", decks[0], expect=0)
    assert [silences(deck) for deck in decks] == [1, 0]
    moved = tmp_path / "moved"
    decks[0].parent.rename(moved)
    assert silences(moved / "deck.yaml") == 1 and silences(decks[1]) == 0
    done = pgdeck("watch", moved / "deck.yaml", decks[1], "--listen", "none")
    assert done.code != 0 and "are both called alerting" in done.err


def test_the_page_and_a_changed_deck(daemon, webhook):
    """What is open is on the board with its SQL; a reload takes targets over and clears what is gone."""
    daemon.write_deck("")
    port = free_port()
    daemon.start(f"127.0.0.1:{port}")
    daemon.hold(MANY)

    def read(path):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=5) as answer:
            return answer.read().decode()

    def board():
        return json.loads(read("data/alerts"))

    def metrics():
        text = check_metrics(read("metrics"))
        return [text.get(f'pgdeck_{name}{{deck="alerting",{label}}}') for name, label in (
            ("alerts_firing", 'alert="connections",severity="warning"'),
            ("notifications_sent_total", 'target="hook"'),
            ("notifications_failed_total", 'target="hook"'),
            ("notify_target_failing", 'target="hook"'))]

    until(daemon.is_open, "it does not fire")
    until(lambda: board()["alerts"], "it is not on the board")
    alert, = board()["alerts"]
    assert alert["deck"] == "alerting" and alert["level"] == "warning"
    assert "pg_terminate_backend" in alert["fix_sql"] and time.time() - alert["since"] < 60
    daemon.write_deck(f"notify: {{hook: {{kind: webhook, url: '{webhook.url}'}}}}\n")
    daemon.process.send_signal(signal.SIGHUP)
    until(lambda: webhook.events() == [("fired", "connections")], "the new target is not told")
    until(lambda: [target["is_failing"] for target in board()["targets"]] == [False],
          "how the target does is not on the board")
    until(lambda: metrics() == [1, 1, 0, 0], "the metrics do not say so")
    webhook.status = 503
    daemon.deck.write_text(daemon.deck.read_text().replace("main", "other"))
    daemon.process.send_signal(signal.SIGHUP)
    until(lambda: ("cleared", "connections") in webhook.events(), "of no server any more, it stays")
    until(lambda: metrics()[:2] == [None, 1] and metrics()[2] >= 1 and metrics()[3] == 1,
          "the metrics do not say that it fails")
    daemon.stop()


def test_a_target_that_hangs_delays_nobody(daemon, webhook):
    """Neither another target, nor the rounds, nor the end."""
    webhook.delay = 30
    with contextlib.closing(Webhook()) as other:
        daemon.write_deck(f"notify:\n  slow: {{kind: webhook, url: '{webhook.url}'}}\n"
                          f"  hook: {{kind: webhook, url: '{other.url}'}}\n")
        daemon.start()
        daemon.hold(MANY)
        until(lambda: other.events() == [("fired", "connections")], "it waits for the slow one")
        daemon.hold(FEW)
        until(lambda: len(other.events()) == 2, "it waits for the slow one")
        began = time.monotonic()
        daemon.stop()
        assert time.monotonic() - began < 5
        webhook.delay = 0


def test_a_secret_that_is_refused_is_said_before_it_is_needed(daemon, tmp_path):
    secret = tmp_path / "token"
    secret.write_text("one")
    secret.chmod(0o644)
    daemon.write_deck("notify: {hook: {kind: webhook, url: 'http://127.0.0.1:1', "
                      f"token_file: '{secret}'}}}}\n")
    daemon.start()
    line = wait_for_line(daemon.process, "notify.hook gets no alerts")
    owner = secret.stat().st_uid
    assert f"owner {owner}, mode 0644" in line and "chmod 600" in line and str(secret) in line
    secret.chmod(0o602)
    daemon.process.send_signal(signal.SIGHUP)
    assert "mode 0602" in wait_for_line(daemon.process, "notify.hook gets no alerts")
    daemon.stop()


def test_mail_slack_and_a_program(daemon, webhook, tmp_path):
    """Hostile text reaches each as text; a unreachable server is an alert."""
    told, arguments = tmp_path / "told", tmp_path / "arguments"
    program = tmp_path / "tell"
    program.write_text(f"#!/bin/sh\nprintf '%s|' \"$@\" > {arguments}\ncat > {told}.new\n"
                       f"mv {told}.new {told}\n")
    program.chmod(0o755)
    secret = tmp_path / "slack"
    secret.write_text(webhook.url + "?secret\n")
    secret.chmod(0o600)
    with contextlib.closing(Mail()) as mail:
        daemon.write_deck(
            "notify:\n"
            f"  slack: {{kind: slack, url_file: '{secret}'}}\n"
            f"  mail: {{kind: email, url: '{mail.url}', tls: off, from: pgdeck@example.com, "
            "to: [ops@example.com, dba@example.com]}\n"
            f"  run: {{kind: command, command: ['{program}', '$(id)', 'a b']}}\n")
        daemon.deck.write_text(daemon.deck.read_text().replace(
            "databases:\n", f'databases:\n  "<!channel> $(id) \u00e4": {{environment: test}}\n'))
        daemon.start()
        until(lambda: mail.mails and webhook.bodies and told.exists(), "nobody is told")
        daemon.stop()
        text = webhook.bodies[0]["text"]
        assert "&lt;!channel&gt;" in text and "<!channel" not in text
        assert webhook.headers[0][0] == "/hook?secret"
        body = json.loads(told.read_text())
        assert body["alerts"][0]["database"] == "<!channel> $(id) \u00e4"
        assert "does not exist" in body["alerts"][0]["message"]
        assert arguments.read_text() == "$(id)|a b|"
        sender, recipients, raw = mail.mails[0]
        assert sender == "<pgdeck@example.com>" and len(recipients) == 2
        assert all(len(line) < 79 for line in raw.split(b"\r\n"))
        message = email.message_from_bytes(raw, policy=email.policy.default)
        assert message["Subject"].startswith("[pgdeck] critical: unreachable fires (test, <!ch")
        assert set(message) >= {"Date", "Message-ID", "From", "To"} and message["Bcc"] is None
        assert "<!channel> $(id) \u00e4" in message.get_content()


def test_try_a_target(daemon, webhook):
    daemon.write_deck("notify:\n"
                      f"  hook: {{kind: webhook, url: '{webhook.url}'}}\n"
                      "  gone: {kind: webhook, url: 'http://127.0.0.1:9/'}\n"
                      "  away: {kind: slack}\n  chat: {kind: slack}\n"
                      "  bad: {kind: command, command: [/bin/false]}\n"
                      "  slow: {kind: command, command: [/bin/sleep, '60'], timeout: 300ms}\n")
    env = {"PGDECK_NOTIFY_HOOK_TOKEN": "s3cret"}
    done = daemon.pgdeck("alerts", "test", "hook", "-d", daemon.deck, env=env, expect=0)
    assert done.out == "hook took it\n"
    assert webhook.headers[0][1]["Authorization"] == "Bearer s3cret"
    assert webhook.bodies[0]["test"] is True
    daemon.pgdeck("alerts", "test", "chat", "-d", daemon.deck, expect=0,
                  env={"PGDECK_NOTIFY_CHAT_URL": webhook.url})
    assert "test fires: this is a test" in webhook.bodies[1]["text"]
    for target, why in (("gone", "onnect"), ("away", "has no URL"), ("bad", "exited with 1"),
                        ("slow", "was ended after 300 ms")):
        done = daemon.alerts("test", target)
        assert done.code != 0 and why in done.err
    assert daemon.alerts("test", "none").code == 64


def test_rules_and_dashboard_name_metrics_that_there_are(daemon, deck_dir, pgdeck, tmp_path):
    """promtool takes the rules, and each metric in them and in the dashboard is one of ours."""
    deck = deck_dir("saas-control-deck") / "deck.yaml"
    rules = tmp_path / "rules.yml"
    rules.write_text(pgdeck("alerts", "rules", "-d", deck, expect=0).out)
    assert rules.read_text() == (SOURCE / "packaging/prometheus/pgdeck.rules.yml").read_text()
    done = subprocess.run(["promtool", "check", "rules", rules], capture_output=True, text=True)
    assert done.returncode == 0 and "20 rules found" in done.stdout + done.stderr, done.stderr
    daemon.write_deck("")
    metrics = set(re.findall(r"^# TYPE (\w+)", pgdeck("watch", "-d", daemon.deck, "--once", "metrics",
                                                      expect=0).out, re.M))
    dashboard = json.loads((SOURCE / "packaging/grafana/pgdeck.json").read_text())
    asked = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
    assert len(asked) >= 10
    for text in [rules.read_text(), *asked]:
        named = set(re.findall(r"\bpgdeck_\w+(?=\{| |\)|$|\[)", text)) - {"pgdeck_watch_absent"}
        assert named and named <= metrics, named - metrics


def sql_of(name):
    text = (SOURCE / f"src/alert/sql/{name}.sql").read_text()
    return text[text.index("\nSELECT"):]


def test_what_the_sql_mends(server):
    """Each runs where there is nothing to mend, and mends what there is."""
    server.query("CREATE DATABASE mended")
    with server.connect("mended") as one, server.connect("mended") as other, \
            server.connect("mended") as waiter:
        one.execute("CREATE TABLE ai_tasks (id int, status text, created_at timestamptz, "
                    "started_at timestamptz, completed_at timestamptz, error_message text)")
        one.execute("INSERT INTO ai_tasks SELECT g, 'failed', now(), now(), now(), 'no model '"
                    " || g % 2 FROM generate_series(1, 3001) AS g")
        one.execute("SELECT pg_stat_force_next_flush()")
        found = {path.stem: one.execute(sql_of(path.stem)).fetchall()
                 for path in (SOURCE / "src/alert/sql").glob("*.sql")}
        assert {"connections", "cache_hit", "xid_age", "replication_lag"} <= set(found)
        assert [row[:1] + row[2:3] for row in found["ai_task_errors"]] == [
            (1501, "no model 1"), (1500, "no model 0")]
        assert found["lock_wait"] == [] and found["ai_task"][0][0] == "failed"
        assert ("statistics are old", "ANALYZE ai_tasks;") in [row[:2] for row in found["query_mean"]]
        one.execute("ANALYZE ai_tasks")
        one.execute(next(row[3] for row in found["xid_age"]))
        one.execute("BEGIN")
        one.execute("LOCK TABLE ai_tasks")
        waiter.pgconn.send_query(b"TABLE ai_tasks")
        until(lambda: other.execute(sql_of("lock_wait")).fetchall(), "nobody waits")
        (row,) = other.execute(sql_of("lock_wait")).fetchall()
        assert row[0] == one.info.backend_pid and row[5] == 1
        other.execute(row[6])
        until(lambda: not other.execute(sql_of("lock_wait")).fetchall(), "it goes on")
        one.close()
        waiter.close()
    server.query("DROP DATABASE mended WITH (FORCE)")
