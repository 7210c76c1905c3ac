# SPDX-License-Identifier: MIT
"""pgdeck watch, its dashboard and a real server whose names are hostile, from end to end."""

import json
import re
import threading
import time
import urllib.request

from browser import WIDE, open_browser
from cluster import wait_for

NAME = "\"><script>window.hacked=1</script> ' ü"
ANSWER_S = 2  # as the issue wants it, with an ALTER TABLE queued behind an open transaction


def ask(url):
    """(body, seconds)"""
    began = time.monotonic()
    with urllib.request.urlopen(url, timeout=30) as response:
        return response.read(), time.monotonic() - began


def start_watch(pgdeck, deck):
    """Its URL; what it says further is read away."""
    process = pgdeck.start("watch", "-d", deck, "--listen", "127.0.0.1:0")
    seen = ""
    for line in process.stderr:
        seen += line
        found = re.search(r"dashboard: (http://\S+)", line)
        if found:
            threading.Thread(target=process.stderr.read, daemon=True).start()
            return found[1]
    raise AssertionError(f"no dashboard: {seen}")


def test_hostile_names_and_a_queued_alter(pgdeck, make_server, tmp_path):
    server = make_server(15, shared_preload_libraries="pg_stat_statements")
    table = '"' + NAME.replace('"', '""') + '"'
    server.query(f"CREATE DATABASE {table}")
    deck = tmp_path / "deck.yaml"
    deck.write_text(f"deck: hostile\nservers: {{main: {{conninfo: {json.dumps(server.conninfo())}}}}}\n"
                    "environments: {test: {server: main, targets: {query_p95: 100ms}}}\n"
                    f"databases: {{{json.dumps(NAME)}: {{environment: test}}}}\n")
    words = dict(dbname=NAME, application_name=NAME)
    with (server.connect(**words) as holder, server.connect(**words) as waiter,
          open_browser() as browser):
        holder.execute("CREATE EXTENSION pg_stat_statements")
        holder.execute(f"CREATE TABLE {table} (id int)")
        holder.execute("BEGIN")
        holder.execute(f"SELECT * FROM {table}")
        alter = threading.Thread(target=waiter.execute,
                                 args=[f"ALTER TABLE {table} ADD COLUMN more int"])
        alter.start()
        try:
            url = start_watch(pgdeck, deck)
            look(browser, url, lambda: holder.execute(
                f"SELECT count(*) FROM {table}, generate_series(1, 100000)"))
        finally:
            holder.execute("COMMIT")
            alter.join(30)


def look(browser, url, work):
    """work() goes on until it is among the queries: only what runs while it is watched counts."""
    browser.look(WIDE)
    browser.open(url)
    browser.wait_for_panels("environments", "load", "blocking")
    browser.wait("return document.querySelector('.tree ul') !== null", "waiter")
    assert "ALTER TABLE" in browser.text("#blocking") and "<script>" in browser.text("#blocking")
    for path in ("", "metrics", "data/overview", "data/blocking"):
        body, seconds = ask(url + path)
        assert body and seconds < ANSWER_S, path
    wait_for(lambda: work() and "generate_series" in browser.text("#queries-panel"), 60, "query")
    link = next(one for one in browser.find(".queries a") if "generate_series" in one.text)
    link.click()
    browser.wait("return document.querySelector('main pre')?.textContent.includes('<script>')",
                 "query's text")
    assert browser.run("return window.hacked") is None
    assert browser.run("return document.querySelectorAll('script').length") == 2
    assert browser.console() == []
