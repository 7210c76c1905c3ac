# SPDX-License-Identifier: MIT
"""Rented servers and those of Patroni: what can be set is set, the rest is in the provider's form."""

import json
import re
import subprocess

import pytest

DECK = """
deck: rented
advisors: [schema, security, settings]
servers:
  main: {conninfo: "CONNINFO", memory: 1GB, cpus: 4, storage: ssd, provider: aws-rds}
environments:
  green:
    server: main
    memory: 1GB
    max_connections: 30
    logging: verbose
    pools: {web: {max: 5}}
databases:
  green_one: {environment: green, services: [web]}
"""
PRODUCTION = ("--memory", "4GB", "--cpus", "4", "--storage", "nvme", "--connections", "150")


def write_deck(folder, conninfo, text=DECK):
    quoted = conninfo.replace("\\", "\\\\").replace('"', '\\"')
    (folder / "deck.yaml").write_text(text.replace("CONNINFO", quoted))
    return folder / "deck.yaml"


def run_script(folder, script, **variables):
    """The calls that the script makes of programs that only say how they were called."""
    for name in ("aws", "gcloud", "az", "patronictl"):
        (folder / name).write_text("#!/usr/bin/python3\nimport json, sys\n"
                                   f"print(json.dumps(['{name}', *sys.argv[1:]]))\n")
        (folder / name).chmod(0o755)
    out = subprocess.run(["sh", "-eu"], input=script, text=True, capture_output=True, check=True,
                         env={"PATH": f"{folder}:/usr/bin:/bin", **variables}).stdout
    return [json.loads(line) for line in out.splitlines()]


def aws_parameters(calls):
    """{name: (value, method)} of shorthand words."""
    shorthand = re.compile(r'ParameterName=([\w.]+),ParameterValue="(.*)",ApplyMethod=(.*)')
    words = [word for call in calls for word in call[call.index("--parameters") + 1:]]
    return {match[1]: (match[2], match[3]) for match in map(shorthand.fullmatch, words)}


def is_accepted(server, values):
    """The server itself takes the plain numbers, and as what the other rendering says."""
    for name, value in values.items():
        server.psql(text=f"ALTER SYSTEM SET {name} = '{value}';")


def rendered(pgdeck, provider, version, *args):
    return pgdeck("tune", *PRODUCTION, "--provider", provider, "--version", version, "--render",
                  "provider", *args, expect=0).out


def conf_values(pgdeck, version):
    out = pgdeck("tune", *PRODUCTION, "--version", version, "--render", "conf", expect=0).out
    return dict(re.findall(r"^(\w+) = '(.*)'$", out, re.M))


def test_plain_numbers_mean_the_same_to_the_server(pgdeck, fresh_server, tmp_path):
    version = fresh_server.version
    calls = run_script(tmp_path, rendered(pgdeck, "aws-rds", version), GROUP="my-group")
    assert len(calls) > 1
    for call in calls:
        assert call[:5] == ["aws", "rds", "modify-db-parameter-group", "--db-parameter-group-name",
                            "my-group"]
        assert len(call) <= 6 + 20
    found = aws_parameters(calls)
    wanted = conf_values(pgdeck, version)
    assert found["shared_buffers"] == ("153600", "pending-reboot")  # of 8kB
    assert found["maintenance_work_mem"] == ("524288", "immediate")  # of 1kB
    assert found["checkpoint_timeout"] == ("900", "immediate")  # of 1s
    assert found["track_io_timing"] == ("1", "immediate")
    assert "log_line_prefix" not in found and "work_mem" not in found
    assert found["log_min_duration_statement"][0] == "1000"  # only a superuser sets it elsewhere
    shown = {}
    for values in ({name: value for name, (value, _method) in found.items()}, wanted):
        is_accepted(fresh_server, {name: values[name] for name in found})
        fresh_server.restart()
        for name in found:
            shown.setdefault(name, []).append(fresh_server.value(f"SHOW {name}"))
    assert [name for name, (ours, theirs) in shown.items() if ours != theirs] == []


def test_the_other_providers_commands(pgdeck, tmp_path, pg_version):
    found = aws_parameters(run_script(tmp_path, rendered(pgdeck, "aws-rds", pg_version), GROUP="g"))
    calls = run_script(tmp_path, rendered(pgdeck, "cloud-sql", pg_version), INSTANCE="mine")
    assert len(calls) == 1 and calls[0][:5] == ["gcloud", "sql", "instances", "patch", "mine"]
    assert calls[0][5].startswith("--database-flags=^;^")
    flags = dict(flag.split("=", 1) for flag in calls[0][5][len("--database-flags=^;^"):].split(";"))
    assert flags["shared_buffers"] == "153600" and flags["track_io_timing"] == "on"
    assert "shared_preload_libraries" not in flags and flags["log_line_prefix"].startswith("%m ")
    calls = run_script(tmp_path, rendered(pgdeck, "azure", pg_version), RESOURCE_GROUP="rg",
                       SERVER="mine")
    words = {call[call.index("--name") + 1]: call[-1] for call in calls}
    assert all(call[:4] == ["az", "postgres", "flexible-server", "parameter"] for call in calls)
    assert words["shared_buffers"] == "--value=153600" and words["track_io_timing"] == "--value=on"
    calls = run_script(tmp_path, rendered(pgdeck, "patroni", pg_version), CLUSTER="mine")
    assert calls[0][:4] == ["patronictl", "edit-config", "--force", "mine"]
    assert "shared_buffers=1200MB" in calls[0] and "track_io_timing=on" in calls[0]
    assert set(found) | {"log_line_prefix"} == set(words)


def test_aurora_keeps_what_its_storage_decides(pgdeck, tmp_path):
    out = rendered(pgdeck, "aws-aurora", 16)
    calls = run_script(tmp_path, out, GROUP="g")
    assert calls[0][2:4] == ["modify-db-cluster-parameter-group", "--db-cluster-parameter-group-name"]
    found = aws_parameters(calls)
    assert "max_connections" in found and "shared_buffers" not in found
    assert "# left out: checkpoint_timeout: Aurora's storage has no checkpoints\n" in out


@pytest.fixture
def rented(fresh_server, tmp_path, request):
    """A role as rented servers give it: databases and roles, but no superuser and no files."""
    fresh_server.query("CREATE ROLE rented LOGIN CREATEDB CREATEROLE")
    fresh_server.query("CREATE DATABASE admin OWNER rented")
    if getattr(request, "param", False):
        fresh_server.query("GRANT pg_read_all_settings TO rented")
    return fresh_server, write_deck(tmp_path, fresh_server.conninfo("admin", user="rented"))


@pytest.mark.parametrize("rented", [False, True], indirect=True, ids=["blind", "reads settings"])
def test_what_can_be_set_is_set_and_the_rest_is_rendered(pgdeck, rented, tmp_path):
    server, deck = rented
    first = json.loads(pgdeck("plan", "-d", deck, "--json", expect=0).out)
    assert {change["phase"] for change in first["changes"]} >= {"role", "database",
                                                                "database setting"}
    pgdeck("apply", "-d", deck, "--yes", expect=0)
    assert server.value("SHOW work_mem", dbname="green_one") != "4MB"
    assert not (server.data / "pgdeck.conf").exists()
    plan = json.loads(pgdeck("plan", "-d", deck, "--json", expect=0).out)
    assert plan["changes"] == []
    forms = {entry["key"]: entry["form"] for entry in plan["manual"]}
    assert forms["setting shared_buffers"] == "shared_buffers = 32768 (x 8kB)"
    assert forms["setting log_min_duration_statement"] == "log_min_duration_statement = 100 (x ms)"
    assert any("does not take log_line_prefix" in note["text"] for note in plan["notes"])
    out = pgdeck("plan", "-d", deck, "--detailed-exitcode", expect=3).out
    assert "aws-rds manages this server (the deck says so): set it in its DB parameter group" in out
    assert "there: shared_buffers = 32768 (x 8kB)" in out
    # somebody does what it says, at first without the restart
    server.query("ALTER SYSTEM SET shared_buffers = 32768")
    server.query("SELECT pg_reload_conf()")
    assert "(now 64MB); a changed value waits for a restart" in pgdeck(
        "plan", "-d", deck, expect=0).out
    script = pgdeck("tune", "-d", deck, "--render", "provider", expect=0).out
    server.configure(**{name: value for name, (value, _method) in
                        aws_parameters(run_script(tmp_path, script, GROUP="g")).items()})
    server.restart()
    pgdeck("plan", "-d", deck, "--detailed-exitcode", expect=0)


def test_a_database_of_somebody_else(pgdeck, rented):
    server, deck = rented
    deck.write_text(deck.read_text().replace("[schema, security, settings]", "[settings]"))
    server.query("CREATE DATABASE green_one")
    plan = json.loads(pgdeck("plan", "-d", deck, "--json", expect=0).out)
    assert plan["changes"] == []
    entry = next(entry for entry in plan["manual"] if entry["key"] == "setting work_mem")
    assert entry["database"] == "green_one" and 'is not "rented"\'s' in entry["obstacle"]
    server.query("ALTER DATABASE green_one OWNER TO rented")
    pgdeck("apply", "-d", deck, "--yes", expect=0)
    assert server.value("SHOW work_mem", dbname="green_one") != "4MB"


@pytest.mark.parametrize("role, name", [("rds_superuser", "aws-rds"), ("azure_pg_admin", "azure"),
                                        ("cloudsqlsuperuser", "cloud-sql")])
def test_providers_are_recognized(pgdeck, rented, role, name):
    server, deck = rented
    deck.write_text(deck.read_text().replace(", provider: aws-rds", ""))
    server.query(f"CREATE ROLE {role}")
    out = pgdeck("plan", "-d", deck, expect=0).out
    assert f"{name} manages this server (it has the role {role})" in out
    own = deck.read_text().replace("user='rented'", "user='postgres'")
    deck.write_text(own)  # a provider gives no superuser away: the role came with a dump
    assert "manages this server" not in pgdeck("plan", "-d", deck, expect=0).out
    deck.write_text(own.replace("user='postgres'", "user='rented'").replace(
        "storage: ssd", "storage: ssd, provider: self"))
    assert 'the role "rented" may not use ALTER SYSTEM' in pgdeck("plan", "-d", deck, expect=0).out
    result = pgdeck("tune", "-d", deck, "--render", "provider", expect=64)
    assert re.search(r'deck\.yaml:\d+:\d+: error: server "main" is no provider\'s', result.err)
