# SPDX-License-Identifier: MIT
"""Settings that are decided elsewhere: found, named in the plan, never reported as done."""

import json
import subprocess

import pytest

from cluster import as_server_user, wait_for

DECK = """
deck: elsewhere
advisors: [schema, settings]
servers:
  main: {conninfo: "CONNINFO", memory: 1GB, cpus: 4, storage: nvme}
environments:
  green: {server: main, memory: 1GB, max_connections: 30, targets: {connections: 5-10}}
databases:
  green_one: {environment: green}
"""
LEFT = 3  # --detailed-exitcode: only what is left to the user


def write_deck(folder, conninfo, text=DECK):
    quoted = conninfo.replace("\\", "\\\\").replace('"', '\\"')
    (folder / "deck.yaml").write_text(text.replace("CONNINFO", quoted))
    return folder / "deck.yaml"


@pytest.fixture
def deck(tmp_path, fresh_server):
    return write_deck(tmp_path, fresh_server.conninfo())


@pytest.fixture
def applied(pgdeck, deck):
    pgdeck("apply", "-d", deck, "--yes", "--restart", expect=0)
    return deck


def left(pgdeck, deck):
    """{(database, key): entry} of what the plan leaves to the user."""
    plan = json.loads(pgdeck("plan", "-d", deck, "--json", expect=0).out)
    return {(entry["database"], entry["key"]): entry for entry in plan["manual"]}


def write_storage(deck, storage):
    deck.write_text(deck.read_text().replace("storage: nvme", f"storage: {storage}"))
    return deck


def is_said(pgdeck, deck, *texts):
    """Nothing to apply, and the plan does not say that all is well."""
    result = pgdeck("plan", "-d", deck, "--detailed-exitcode", expect=LEFT)
    for text in texts:
        assert text in result.out, result.out
    assert "as the deck says.\n" not in result.out and "left to you" in result.out
    applied = pgdeck("apply", "-d", deck, "--yes", expect=0)
    assert "left to you" in applied.out, applied.out


def restart_with(server, options):
    server.stop()
    subprocess.run([server.bin / "pg_ctl", "-D", server.data, "-w", "-s", "-l", server.log, "-o",
                    f"-p {server.port} {options}", "start"],
                   check=True, cwd=server.folder, **as_server_user())


def test_the_command_line_wins(pgdeck, applied, fresh_server):
    restart_with(fresh_server, "-c checkpoint_timeout=7min")
    entry = left(pgdeck, applied)[None, "setting checkpoint_timeout"]
    assert entry["what"] == "set checkpoint_timeout to 15min (now 7min)"
    assert "command line" in entry["obstacle"] and "pg_ctl -o" in entry["remedy"]
    is_said(pgdeck, applied, "set checkpoint_timeout to 15min (now 7min)")


def test_a_database_of_the_deck_with_a_value_of_its_own(pgdeck, applied, fresh_server):
    fresh_server.query("ALTER DATABASE green_one SET random_page_cost = 9")
    fresh_server.query("ALTER DATABASE postgres SET random_page_cost = 9")  # is not the deck's
    assert [key for key in left(pgdeck, applied)] == [("green_one", "override of random_page_cost")]
    is_said(pgdeck, applied, "random_page_cost is 9, not the server's 1.1",
            "ALTER DATABASE green_one RESET random_page_cost")
    fresh_server.query("ALTER DATABASE green_one RESET random_page_cost")
    assert left(pgdeck, applied) == {}


def test_a_value_for_all_roles(pgdeck, applied, fresh_server):
    fresh_server.query("ALTER ROLE ALL SET random_page_cost = 9")
    fresh_server.query("ALTER ROLE ALL SET work_mem = '1MB'")  # loses against the database's
    assert [key for key in left(pgdeck, applied)] == [(None, "override of random_page_cost")]
    is_said(pgdeck, applied, "ALTER ROLE ALL RESET random_page_cost")


def test_roles_with_values_of_their_own_are_named(pgdeck, applied, fresh_server):
    fresh_server.query("CREATE ROLE reporter")
    fresh_server.query("ALTER ROLE reporter SET work_mem = '1GB'")
    fresh_server.query("ALTER ROLE reporter IN DATABASE green_one SET random_page_cost = 2")
    out = pgdeck("plan", "-d", applied, "--detailed-exitcode", expect=0).out
    assert "sessions of role reporter have work_mem = 1GB, not" in out
    assert 'ALTER ROLE "reporter" RESET work_mem' in out
    assert 'ALTER ROLE "reporter" IN DATABASE green_one RESET random_page_cost' in out


def test_a_faulty_line_keeps_everything_from_being_read(pgdeck, deck, fresh_server):
    """Neither what is set nor a reload would have any effect: nothing is set."""
    fresh_server.configure(no_such_parameter="1")
    lines = (fresh_server.data / "postgresql.conf").read_text().count("\n")
    entries = left(pgdeck, deck)
    entry = entries[None, "setting random_page_cost"]
    assert f"postgresql.conf:{lines} is faulty (no_such_parameter" in entry["obstacle"]
    pgdeck("apply", "-d", deck, "--yes", expect=0)
    assert fresh_server.value("SHOW random_page_cost") == "4"
    auto = (fresh_server.data / "postgresql.auto.conf").read_text()
    assert "random_page_cost" not in auto
    is_said(pgdeck, deck, f"postgresql.conf:{lines} is faulty", "mend that line")


def test_lines_that_are_read_later(pgdeck, applied, fresh_server):
    """A second entry in the same file, and a folder of files, of which the last one counts."""
    data = fresh_server.data
    (data / "conf.d").mkdir()
    (data / "conf.d" / "10-first.conf").write_text("random_page_cost = 2\n")
    (data / "conf.d" / "20-last.conf").write_text("\nrandom_page_cost = 3\n")
    with open(data / "postgresql.conf", "a", encoding="utf-8") as file:
        file.write("checkpoint_timeout = 5min\ninclude_dir = 'conf.d'\ncheckpoint_timeout = 7min\n")
    lines = (data / "postgresql.conf").read_text().count("\n")
    fresh_server.query("SELECT pg_reload_conf()")
    wait_for(lambda: fresh_server.value("SHOW random_page_cost") == "3", 10, "the reload")
    entries = left(pgdeck, applied)
    assert set(entries) == {(None, "setting checkpoint_timeout"), (None, "setting random_page_cost")}
    assert f"postgresql.conf:{lines}, behind the line" in \
        entries[None, "setting checkpoint_timeout"]["obstacle"]
    assert "conf.d/20-last.conf:2, behind the line" in \
        entries[None, "setting random_page_cost"]["obstacle"]
    is_said(pgdeck, applied, "remove that line and plan again", "changed by hand: pgdeck set 1.1 on")


@pytest.mark.pg(min=17)
def test_alter_system_is_switched_off(pgdeck, deck, fresh_server):
    fresh_server.configure(allow_alter_system="off")
    fresh_server.restart()
    pgdeck("apply", "-d", deck, "--yes", expect=0)
    assert fresh_server.value("SHOW work_mem", dbname="green_one") != "4MB"
    entry = left(pgdeck, deck)[None, "setting shared_buffers"]
    assert "allow_alter_system is off" in entry["obstacle"] and entry["restart"]
    is_said(pgdeck, deck, "allow_alter_system is off", "set shared_buffers to", "provider: self")
    assert not (fresh_server.data / "pgdeck.conf").exists()
    deck.write_text(deck.read_text().replace("storage: nvme", "storage: nvme, provider: self"))
    pgdeck("apply", "-d", deck, "--yes", expect=0)
    assert fresh_server.value("SHOW random_page_cost") == "1.1"
    deck.write_text(deck.read_text().replace("provider: self", "configuration: alter-system"))
    assert "allow_alter_system is off" in \
        left(pgdeck, write_storage(deck, "hdd"))[None, "setting random_page_cost"]["obstacle"]


@pytest.mark.pg(min=17)
def test_what_alter_system_has_left_and_cannot_take_back(pgdeck, deck, fresh_server):
    fresh_server.query("ALTER SYSTEM SET random_page_cost = 3")
    fresh_server.configure(allow_alter_system="off")
    fresh_server.restart()
    write_storage(deck, "nvme, provider: self")
    pgdeck("apply", "-d", deck, "--yes", "--restart", expect=0)
    entries = left(pgdeck, deck)
    assert list(entries) == [(None, "setting random_page_cost")]
    assert "take it out of postgresql.auto.conf" in \
        entries[None, "setting random_page_cost"]["remedy"]
    is_said(pgdeck, deck, "set random_page_cost to 1.1 (now 3)")


@pytest.mark.parametrize("sign", ["patroni.dynamic.json", "postgresql.base.conf"])
def test_patroni_is_recognized(pgdeck, deck, fresh_server, sign):
    data = fresh_server.data
    if sign.endswith(".json"):
        (data / sign).write_text("{}")
    else:
        (data / "postgresql.conf").rename(data / sign)
        (data / "postgresql.conf").write_text(f"include '{sign}'\nrandom_page_cost = 4\n")
        fresh_server.query("SELECT pg_reload_conf()")
    pgdeck("apply", "-d", deck, "--yes", expect=0)
    auto = (data / "postgresql.auto.conf").read_text()
    assert "random_page_cost" not in auto
    entry = left(pgdeck, deck)[None, "setting random_page_cost"]
    assert "patroni manages this server" in entry["obstacle"] and sign in entry["obstacle"]
    assert entry["form"] == "random_page_cost = 1.1"
    is_said(pgdeck, deck, "set it in Patroni's own configuration", "set random_page_cost to 1.1")
    script = pgdeck("tune", "-d", deck, "--render", "provider", expect=0).out
    assert 'patronictl edit-config --force "$CLUSTER"' in script
    deck.write_text(deck.read_text().replace("storage: nvme", "storage: nvme, provider: self"))
    assert left(pgdeck, deck) == {}


@pytest.mark.pg(min=15)
def test_rights_that_were_granted_are_used(pgdeck, fresh_server, tmp_path):
    fresh_server.query("CREATE ROLE rented LOGIN CREATEDB")
    fresh_server.query("CREATE DATABASE admin OWNER rented")
    fresh_server.query("GRANT SET ON PARAMETER log_min_duration_statement TO rented")
    fresh_server.query("GRANT ALTER SYSTEM ON PARAMETER random_page_cost TO rented")
    fresh_server.query("GRANT EXECUTE ON FUNCTION pg_reload_conf() TO rented",
                       dbname="admin")
    deck = write_deck(tmp_path, fresh_server.conninfo("admin", user="rented"))
    pgdeck("apply", "-d", deck, "--yes", expect=0)
    assert fresh_server.value("SHOW random_page_cost") == "1.1"
    keys = {key for _database, key in left(pgdeck, deck)}
    assert "setting shared_buffers" in keys and "setting log_temp_files" in keys
    assert not keys & {"setting random_page_cost", "setting log_min_duration_statement"}
    setting = "SELECT count(*) FROM pg_db_role_setting WHERE 'log_min_duration_statement'"
    assert fresh_server.value(f"{setting} = ANY (SELECT split_part(unnest(setconfig), '=', 1))") == 1
