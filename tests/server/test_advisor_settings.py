# SPDX-License-Identifier: MIT
"""Parameters: derived, set where they belong, found again, taken back."""

import json
import re
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader

import pytest

from cluster import SOURCE

DECK = """
deck: tuned
advisors: [schema, settings]
servers:
  main: {conninfo: "CONNINFO", memory: 1GB, cpus: 4, storage: nvme}
environments:
  blue: {server: main, memory: 256MB, max_connections: 20, workload: web, logging: verbose}
  green:
    server: main
    memory: 768MB
    max_connections: 30
    workload: analytics
    logging: minimal
    pools:
      web: {min: 1, max: 10}
databases:
  blue_one: {environment: blue}
  green_one: {environment: green, services: [web]}
  green_two: {environment: green}
"""
LISTED = re.compile(r'^    \{"([\w.]+)", SETTINGS_OF_(\w+), (\d+), (\d+),', re.M)


def write_deck(folder, conninfo, text=DECK):
    folder.mkdir(exist_ok=True)
    quoted = conninfo.replace("\\", "\\\\").replace('"', '\\"')
    (folder / "deck.yaml").write_text(text.replace("CONNINFO", quoted))
    return folder / "deck.yaml"


@pytest.fixture
def deck(tmp_path, fresh_server):
    return write_deck(tmp_path / "deck", fresh_server.conninfo())


def plan(pgdeck, deck, *args):
    result = pgdeck("plan", "-d", deck, "--json", *args)
    assert result.code == 0, result.err
    return json.loads(result.out)


def changes(pgdeck, deck, *args):
    return plan(pgdeck, deck, *args)["changes"]


def auto_conf(server):
    text = (server.data / "postgresql.auto.conf").read_text()
    return sorted(line for line in text.splitlines() if line and not line.startswith("#"))


def shown(server, dbname, name):
    return server.value(f"SHOW {name}", dbname=dbname)


def load_parameters():
    loader = SourceFileLoader("parameters", str(SOURCE / "tools/parameters"))
    parameters = module_from_spec(spec_from_loader("parameters", loader))
    loader.exec_module(parameters)
    return parameters


@pytest.fixture
def full_server(make_server, pg_version):
    """With all libraries that pgdeck may preload; pgaudit is at hand for 15 only."""
    libraries = load_parameters().libraries(pg_version)
    return make_server(pg_version, shared_preload_libraries=",".join(libraries))


def test_every_rule_is_a_parameter_of_that_version(full_server):
    rows = LISTED.findall((SOURCE / "src/settings/rules.c").read_text())
    assert len({row[0] for row in rows}) > 100
    assert len({row[0] for row in rows if row[1] != "POSTGRESQL"}) >= 60
    there = {row[0] for row in full_server.query("SELECT name FROM pg_settings")}
    for name, _scope, low, high in rows:
        is_here = not name.startswith("pgaudit.") or full_server.version == 15
        if is_here and int(low) <= full_server.version <= (int(high) or 99):
            assert name in there, name


def test_what_is_known_without_a_server_is_what_the_server_says(full_server):
    parameters = load_parameters()
    known = {name: columns for name, columns in parameters.of_table(full_server.version).items()
             if full_server.version == 15 or not name.startswith("pgaudit.")}
    assert parameters.of_server(full_server) == known


def test_values_come_into_effect(pgdeck, deck, fresh_server):
    result = pgdeck("apply", "-d", deck, "--yes", "--restart")
    assert result.code == 0, result.err
    fresh = {name: shown(fresh_server, "postgres", name) for name in (
        "shared_buffers", "effective_cache_size", "maintenance_work_mem", "max_connections",
        "random_page_cost", "max_parallel_workers", "checkpoint_timeout", "max_wal_size",
        "shared_preload_libraries", "log_autovacuum_min_duration")}
    assert fresh == {
        "shared_buffers": "256MB", "effective_cache_size": "768MB",
        "maintenance_work_mem": "64MB", "max_connections": "60",  # 50, 3 reserved, 3 and 4
        "random_page_cost": "1.1", "max_parallel_workers": "4", "checkpoint_timeout": "15min",
        "max_wal_size": "1GB", "shared_preload_libraries": "pg_stat_statements, auto_explain, pg_prewarm",
        "log_autovacuum_min_duration": "1s"}
    assert shown(fresh_server, "blue_one", "work_mem") == "8MB"
    assert shown(fresh_server, "green_one", "work_mem") == "28MB"
    assert shown(fresh_server, "green_two", "work_mem") == "28MB"
    assert shown(fresh_server, "blue_one", "jit") == "off"
    assert shown(fresh_server, "green_one", "jit") == "on"
    assert shown(fresh_server, "blue_one", "log_min_duration_statement") == "100ms"
    assert shown(fresh_server, "postgres", "work_mem") == "4MB"
    assert "Nothing to do" in pgdeck("plan", "-d", deck, "--detailed-exitcode", expect=0).out


def test_rollback_restores_the_configuration(pgdeck, deck, fresh_server):
    fresh_server.query("ALTER SYSTEM SET random_page_cost = 3")
    fresh_server.query("ALTER SYSTEM SET shared_preload_libraries = 'auto_explain'")
    fresh_server.restart()
    before = auto_conf(fresh_server)
    assert pgdeck("apply", "-d", deck, "--yes", "--restart").code == 0
    assert auto_conf(fresh_server) != before
    assert shown(fresh_server, "postgres", "shared_preload_libraries") == \
        "auto_explain, pg_stat_statements, pg_prewarm"
    result = pgdeck("rollback", "-d", deck, "--yes", "--restart")
    assert result.code == 0, result.err
    assert auto_conf(fresh_server) == before
    assert shown(fresh_server, "postgres", "random_page_cost") == "3"
    assert shown(fresh_server, "postgres", "shared_preload_libraries") == "auto_explain"


def test_the_same_in_another_unit_is_no_change(pgdeck, deck, fresh_server):
    fresh_server.query("ALTER SYSTEM SET shared_buffers = '262144kB'")
    fresh_server.query("ALTER SYSTEM SET checkpoint_timeout = '900s'")
    fresh_server.restart()
    keys = {change["key"] for change in changes(pgdeck, deck)}
    assert "setting shared_buffers" not in keys and "setting checkpoint_timeout" not in keys
    assert "setting effective_cache_size" in keys


def test_what_waits_for_a_restart_is_only_restarted(pgdeck, deck, fresh_server):
    assert pgdeck("apply", "-d", deck, "--yes").code == 0
    left = changes(pgdeck, deck)
    assert [change["phase"] for change in left] == ["restart"]
    assert "shared_buffers" in left[0]["why"]
    assert pgdeck("apply", "-d", deck, "--yes").code == 0
    assert shown(fresh_server, "postgres", "shared_buffers") == "64MB"
    fresh_server.restart()
    assert changes(pgdeck, deck) == []


def test_settings_of_who_applies_are_not_the_servers(pgdeck, deck, fresh_server):
    assert pgdeck("apply", "-d", deck, "--yes", "--restart").code == 0
    fresh_server.query("ALTER ROLE postgres SET random_page_cost = 9")
    fresh_server.query("ALTER DATABASE postgres SET effective_cache_size = '1MB'")
    assert changes(pgdeck, deck) == []


def test_drift_by_hand_is_found(pgdeck, deck, fresh_server):
    assert pgdeck("apply", "-d", deck, "--yes", "--restart").code == 0
    fresh_server.query("ALTER DATABASE green_one SET work_mem = '1GB'")
    fresh_server.query("ALTER DATABASE green_two RESET work_mem")
    fresh_server.query("ALTER SYSTEM SET random_page_cost = 4")
    fresh_server.query("SELECT pg_reload_conf()")
    found = changes(pgdeck, deck)
    assert {(change["database"], change["key"]) for change in found} == {
        ("green_one", "settings of the database"), ("green_two", "settings of the database"),
        (None, "setting random_page_cost"), (None, "reload")}
    undo = next(change["undo"] for change in found if change["database"] == "green_one")
    assert "'1GB'" in undo


def test_pools_that_do_not_fit_are_an_error(pgdeck, deck):
    deck.write_text(deck.read_text().replace("max: 10", "max: 31"))
    result = pgdeck("plan", "-d", deck, expect=10)
    assert re.search(r"deck\.yaml:\d+:\d+: error:", result.err), result.err
    assert "31" in result.err and "30" in result.err


def test_expected_memory_over_the_budget_is_an_error_with_its_terms(pgdeck, deck):
    text = deck.read_text()
    deck.write_text(text.replace("max: 10", "max: 30"))
    work_mem = [change["sql"] for change in changes(pgdeck, deck) if "green" in change["why"]]
    assert all("SET work_mem = '12MB'" in sql for sql in work_mem) and len(work_mem) == 2
    deck.write_text(text.replace("max: 10", "max: 20000").replace(
        "max_connections: 30", "max_connections: 20000"))
    result = pgdeck("plan", "-d", deck, expect=10)
    assert re.search(r"deck\.yaml:\d+:\d+: error: expected memory does not fit", result.err)
    assert "shared_buffers 256MB + " in result.err
    assert "20000 connections of green x 64kB" in result.err


def test_memory_in_the_worst_case_is_told_with_its_terms(pgdeck, deck):
    notes = [note["text"] for note in plan(pgdeck, deck)["notes"]]
    assert any("worst case" in text and
               "30 connections of green x (4 sorts or hashes x 28MB x 2 + 8MB)" in text
               for text in notes), notes


def test_without_superuser_what_can_be_set_is_set(pgdeck, fresh_server, tmp_path):
    fresh_server.query("CREATE ROLE rented LOGIN CREATEDB")
    fresh_server.query("CREATE DATABASE admin OWNER rented")
    deck = write_deck(tmp_path / "deck", fresh_server.conninfo("admin", user="rented"))
    result = pgdeck("apply", "-d", deck, "--yes")
    assert result.code == 0, result.err
    after = plan(pgdeck, deck)
    assert after["changes"] == []
    left = {(entry["database"], entry["key"]) for entry in after["manual"]}
    assert (None, "setting shared_buffers") in left
    assert ("blue_one", "setting log_min_duration_statement") in left
    assert shown(fresh_server, "green_one", "work_mem") == "28MB"
    assert auto_conf(fresh_server) == []


def test_nothing_is_derived_from_what_is_not_known(pgdeck, fresh_server, tmp_path):
    """No memory in the deck, and a server whose host is not this one's to know."""
    fresh_server.query("CREATE ROLE rented LOGIN CREATEDB")
    fresh_server.query("CREATE DATABASE admin OWNER rented")
    text = DECK.replace("memory: 1GB, cpus: 4, ", "").replace("memory: 256MB, ", "")
    deck = write_deck(tmp_path / "deck", fresh_server.conninfo("admin", user="rented"), text)
    left = "\n".join(entry["what"] for entry in plan(pgdeck, deck)["manual"])
    assert "shared_buffers" not in left and "max_parallel_workers" not in left
    assert "set random_page_cost to 1.1 (now 4)" in left


DEPTHS = """
deck: depths
advisors: [schema, settings]
servers:
  main: {conninfo: "CONNINFO", memory: 1GB, cpus: 4}
environments:
  dev: {server: main, memory: 256MB, max_connections: 9, monitoring: detailed, logging: verbose}
  stage: {server: main, memory: 256MB, max_connections: 9}
  prod: {server: main, memory: 256MB, max_connections: 9, monitoring: essential, AUDIT}
databases:
  dev_one: {environment: dev}
  stage_one: {environment: stage}
  prod_one: {environment: prod}
"""


def test_the_depth_of_monitoring_follows_the_environment(pgdeck, fresh_server, tmp_path):
    deck = write_deck(tmp_path / "deck", fresh_server.conninfo(), DEPTHS.replace("AUDIT", ""))
    pgdeck("apply", "-d", deck, "--yes", "--restart", expect=0)
    names = ("track_functions", "pg_stat_statements.track", "pg_stat_statements.track_planning",
             "auto_explain.log_min_duration", "auto_explain.log_analyze",
             "auto_explain.log_buffers", "auto_explain.log_nested_statements")
    found = {dbname: [shown(fresh_server, dbname, name) for name in names]
             for dbname in ("dev_one", "stage_one", "prod_one", "postgres")}
    assert found == {
        "dev_one": ["pl", "all", "on", "100ms", "on", "on", "on"],
        "stage_one": ["none", "top", "off", "1s", "off", "off", "off"],
        "prod_one": ["none", "top", "off", "5s", "off", "off", "off"],
        "postgres": ["none", "top", "off", "-1", "off", "off", "off"]}
    assert shown(fresh_server, "postgres", "track_wal_io_timing") == "on"  # one is detailed
    if fresh_server.version >= 16:
        assert shown(fresh_server, "prod_one", "auto_explain.log_parameter_max_length") == "0"
    fresh_server.query("SELECT pg_sleep(0.2)", dbname="dev_one")
    fresh_server.query("SELECT pg_sleep(0.2)", dbname="stage_one")
    assert fresh_server.log_text().count("Query Text: SELECT pg_sleep(0.2)") == 1
    assert "Nothing to do" in pgdeck("plan", "-d", deck, "--detailed-exitcode", expect=0).out


@pytest.mark.pg(min=15, max=15)  # Debian's pgaudit is for its own PostgreSQL
def test_an_audit_loads_pgaudit(pgdeck, fresh_server, tmp_path):
    text = DEPTHS.replace("AUDIT", "security: {audit: true}")
    deck = write_deck(tmp_path / "deck", fresh_server.conninfo(), text)
    pgdeck("apply", "-d", deck, "--yes", "--restart", expect=0)
    assert shown(fresh_server, "postgres", "shared_preload_libraries").endswith(", pgaudit")
    assert shown(fresh_server, "prod_one", "pgaudit.log") == "ddl, role"
    assert shown(fresh_server, "dev_one", "pgaudit.log") == "none"
    fresh_server.query("CREATE TABLE audited ()", dbname="prod_one")
    assert "AUDIT: SESSION,1,1,DDL,CREATE TABLE" in fresh_server.log_text()
    assert "Nothing to do" in pgdeck("plan", "-d", deck, "--detailed-exitcode", expect=0).out


@pytest.mark.pg(min=16)
def test_what_is_not_installed_is_not_loaded_and_told(pgdeck, fresh_server, tmp_path):
    text = DEPTHS.replace("AUDIT", "security: {audit: true}")
    deck = write_deck(tmp_path / "deck", fresh_server.conninfo(), text)
    found = plan(pgdeck, deck)
    value = next(change["what"] for change in found["changes"]
                 if change["key"] == "setting shared_preload_libraries")
    assert "pgaudit" not in value and "auto_explain" in value
    assert any("pgaudit would be preloaded, but is not installed on the server" in note["text"] and
               "audit of prod" in note["text"] for note in found["notes"])


def test_what_cannot_be_found_out_is_not_loaded_and_told(pgdeck, fresh_server, tmp_path):
    """auto_explain is no extension: only who may look at files knows."""
    fresh_server.query("CREATE ROLE rented LOGIN CREATEDB IN ROLE pg_read_all_settings")
    fresh_server.query("CREATE DATABASE admin OWNER rented")
    deck = write_deck(tmp_path / "deck", fresh_server.conninfo("admin", user="rented"),
                      DEPTHS.replace("AUDIT", ""))
    found = plan(pgdeck, deck)
    value = next(entry["what"] for entry in found["manual"]
                 if entry["key"] == "setting shared_preload_libraries")
    assert "pg_stat_statements, pg_prewarm" in value and "auto_explain" not in value
    assert any("auto_explain would be preloaded, but this role cannot see whether it is installed"
               in note["text"] for note in found["notes"])


def test_libraries_are_added_never_replaced(pgdeck, make_server, pg_version, tmp_path):
    server = make_server(pg_version, shared_preload_libraries="auth_delay, $libdir/auto_explain")
    deck = write_deck(tmp_path / "deck", server.conninfo(), DEPTHS.replace("AUDIT", ""))
    pgdeck("apply", "-d", deck, "--yes", "--restart", expect=0)
    assert shown(server, "postgres", "shared_preload_libraries") == \
        "auth_delay, $libdir/auto_explain, pg_stat_statements, pg_prewarm"
    text = deck.read_text().replace("cpus: 4}", "cpus: 4, settings: "
                                    "{shared_preload_libraries: pg_stat_statements}}")
    deck.write_text(text)
    assert any("The server preloads auth_delay, which the deck's shared_preload_libraries does not"
               in note["text"] for note in plan(pgdeck, deck)["notes"])
