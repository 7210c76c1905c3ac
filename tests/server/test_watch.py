# SPDX-License-Identifier: MIT
"""pgdeck watch: what it knows of servers that are well, and of those that are not."""

import json
import signal

from cluster import free_port, wait_for

DECK = """
deck: watched
servers:
  main: {{conninfo: "{conninfo}", memory: 512MB, cpus: 2, storage: ssd}}
environments:
  test: {{server: main, memory: 256MB, max_connections: 20,
          targets: {{connections: 1-10, cache_hit: 90%}}}}
databases:
{databases}
"""


def write_deck(folder, conninfo, *databases, name="deck.yaml"):
    text = DECK.format(conninfo=conninfo.replace("\\", "\\\\").replace('"', '\\"'),
                       databases="\n".join(f'  "{database}": {{environment: test, services: []}}'
                                           for database in databases))
    (folder / name).write_text(text)
    return folder / name


def look(pgdeck, deck, document):
    return json.loads(pgdeck("watch", "-d", deck, "--once", document, expect=0).out)


def test_what_it_knows_at_once(pgdeck, server, tmp_path):
    deck = write_deck(tmp_path, server.conninfo(), "postgres")
    overview = look(pgdeck, deck, "overview")
    environment, = overview["environments"]
    assert environment["is_reachable"] and environment["error"] is None
    database, = environment["databases"]
    assert database["is_reachable"] and database["not_measured"] == {}
    targets = {target["name"]: target for target in environment["targets"]}
    assert targets["connections"]["target"] == 10 and targets["connections"]["now"] == 0
    assert targets["connections"]["budget_left"] == 1
    known, = overview["servers"]
    assert known["version"].startswith(str(server.version)) and known["max_connections"] > 0
    load, = look(pgdeck, deck, "load")["servers"]
    assert [e["event"] for e in load["hour"]["events"]] == ["CPU", "other"]
    assert load["cores"] == 2


def test_unreachable_is_a_row_too(pgdeck, server, tmp_path):
    gone = f"host=127.0.0.1 port={free_port()} user=postgres dbname=postgres"
    deck = write_deck(tmp_path, gone, "postgres")
    environment, = look(pgdeck, deck, "overview")["environments"]
    assert not environment["is_reachable"] and "refused" in environment["error"]
    deck = write_deck(tmp_path, server.conninfo(), "postgres", "not_there")
    environment, = look(pgdeck, deck, "overview")["environments"]
    assert [d["is_reachable"] for d in environment["databases"]] == [True, False]
    assert "not_there" in environment["error"]


def test_signals(pgdeck, server, tmp_path):
    """SIGHUP reads the decks again, all or nothing; SIGTERM ends it."""
    deck = write_deck(tmp_path, server.conninfo(), "postgres")
    sessions = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pgdeck watch'"
    watch = pgdeck.start("watch", "-d", deck)
    wait_for(lambda: server.value(sessions) == 1, 10, "the connection")
    write_deck(tmp_path, server.conninfo(), "postgres", "template1")
    watch.send_signal(signal.SIGHUP)
    wait_for(lambda: server.value(sessions) == 2, 10, "the second connection")
    deck.write_text("deck: [")
    watch.send_signal(signal.SIGHUP)
    assert wait_for_line(watch, "stay as they were")
    assert server.value(sessions) == 2
    watch.send_signal(signal.SIGTERM)
    assert watch.wait(10) == 0
    wait_for(lambda: server.value(sessions) == 0, 10, "the end of the connections")


def wait_for_line(process, part):
    for line in process.stderr:
        if part in line:
            return line
    return None
