# SPDX-License-Identifier: MIT
"""pgdeck tune: what it shows of live servers and without one, and that servers start with it."""

import json
import random
import re
import subprocess

import pytest

from cluster import SOURCE, Server, as_server_user

DECK = """
deck: tuned
servers:
  main: {conninfo: "CONNINFO", memory: 1GB, cpus: 4, storage: nvme}
environments:
  blue: {server: main, memory: 256MB, max_connections: 20, workload: web, logging: verbose}
  green: {server: main, memory: 768MB, max_connections: 30, targets: {connections: 5-10}}
databases:
  blue_one: {environment: blue}
  green_one: {environment: green}
  green_two: {environment: green}
"""
PRODUCTION = ("--memory", "4GB", "--cpus", "4", "--storage", "nvme", "--connections", "150",
              "--workload", "mixed")


@pytest.fixture
def deck(tmp_path, fresh_server):
    conninfo = fresh_server.conninfo().replace("\\", "\\\\").replace('"', '\\"')
    (tmp_path / "deck.yaml").write_text(DECK.replace("CONNINFO", conninfo))
    return tmp_path / "deck.yaml"


def rows(pgdeck, *args):
    """{(environment, database, name): row} of the first server."""
    found = json.loads(pgdeck("tune", "--json", *args, expect=0).out)["servers"][0]
    return {(row["environment"], row["database"], row["name"]): row for row in found["settings"]}


def test_current_proposed_and_needs(pgdeck, deck):
    found = rows(pgdeck, "-d", deck)
    buffers = found[None, None, "shared_buffers"]
    assert buffers["current"] == "64MB" and buffers["proposed"] == "256MB"
    assert buffers["is_change"] and buffers["needs"] == "restart" and "25 %" in buffers["why"]
    assert found[None, None, "checkpoint_timeout"]["needs"] == "reload"
    assert found["blue", None, "work_mem"]["needs"] == "new sessions"
    assert found["blue", None, "work_mem"]["current"] == "4MB"
    assert found[None, None, "fsync"]["proposed"] is None  # and off, in these tests
    assert "power" in found[None, None, "fsync"]["why"]


def test_where_it_is_set_today(pgdeck, deck, fresh_server):
    fresh_server.query("CREATE DATABASE green_one")
    fresh_server.query("CREATE DATABASE green_two")
    fresh_server.query("CREATE ROLE bob")
    fresh_server.query("ALTER SYSTEM SET random_page_cost = 3")
    fresh_server.query("SELECT pg_reload_conf()")
    fresh_server.query("ALTER DATABASE green_one SET work_mem = '9MB'")
    fresh_server.query("ALTER ROLE bob IN DATABASE green_two SET work_mem = '1GB'")
    fresh_server.query("ALTER ROLE bob SET jit = off")
    fresh_server.query("ALTER ROLE postgres SET effective_cache_size = '1MB'")
    found = rows(pgdeck, "-d", deck)
    where = found[None, None, "shared_buffers"]["where"]
    path, line = where.rsplit(":", 1)
    assert path == str(fresh_server.data / "postgresql.conf")
    text = (fresh_server.data / "postgresql.conf").read_text().splitlines()[int(line) - 1]
    assert text == "shared_buffers = '64MB'"
    assert re.search(r"postgresql\.auto\.conf:\d+$", found[None, None, "random_page_cost"]["where"])
    assert found[None, None, "checkpoint_timeout"]["where"] == "default"
    one, two = found["green", "green_one", "work_mem"], found["green", "green_two", "work_mem"]
    assert (one["where"], one["current"], one["overrides"]) == ("database", "9MB", "")
    assert (two["where"], two["current"]) == ("default", "4MB")
    assert two["overrides"] == "role bob in green_two: 1GB"
    assert found["blue", None, "jit"]["overrides"] == "role bob: off"
    cache = found[None, None, "effective_cache_size"]  # what this session has is not the server's
    assert cache["current"] == "4GB" and cache["overrides"] == "role postgres: 1MB"


def test_the_command_line_is_named(pgdeck, deck, fresh_server):
    fresh_server.stop()
    subprocess.run([fresh_server.bin / "pg_ctl", "-D", fresh_server.data, "-w", "-s",
                    "-l", fresh_server.log, "-o",
                    f"-p {fresh_server.port} -c checkpoint_timeout=7min", "start"],
                   check=True, cwd=fresh_server.folder, **as_server_user())
    row = rows(pgdeck, "-d", deck)[None, None, "checkpoint_timeout"]
    assert row["current"] == "7min" and row["where"] == "command line"


def test_nothing_to_change_after_apply(pgdeck, deck):
    pgdeck("apply", "-d", deck, "--yes", "--restart", "--only", "security,schema,settings", expect=0)
    changed = [key for key, row in rows(pgdeck, "-d", deck).items() if row["is_change"]]
    assert changed == []
    assert rows(pgdeck, "-d", deck)["green", None, "work_mem"]["where"] == "database"


def test_the_table_and_the_memory_with_its_terms(pgdeck, deck):
    out = pgdeck("tune", "-d", deck, expect=0).out
    assert re.search(r"shared_buffers +64MB +256MB +postgresql\.conf:\d+ +restart +25 % of", out)
    assert re.search(r"fsync +off +- +postgresql\.conf:\d+ +nothing", out)
    assert "environment green" in out
    assert re.search(r"Expected memory: \d+MB of 1GB .*\n  = shared_buffers 256MB \+ ", out)
    assert re.search(r"In the worst case: \d+MB of 1GB, more than there is .*\n  = shared_b", out)


def test_one_parameter_explained(pgdeck, deck):
    out = pgdeck("tune", "-d", deck, "--explain", "work_mem", expect=0).out
    assert "environment blue" in out and "environment green" in out
    assert re.search(r"why +90 % of 768MB \(its share\) / 30 connections", out)
    result = pgdeck("tune", "-d", deck, "--explain", "work_men", expect=64)
    assert 'Did you mean "work_mem"?' in result.err
    result = pgdeck("tune", "--memory", "1GB", "--version", "15", "--explain", "io_method",
                    expect=64)
    assert "this version" in result.err


def test_memory_that_does_not_fit_is_shown_and_an_error(pgdeck):
    result = pgdeck("tune", "--memory", "256MB", "--connections", "50000", expect=10)
    assert "Expected memory:" in result.out
    assert "20000 connections of production x 64kB" in result.err


def test_pools_that_do_not_fit_are_shown_and_an_error(pgdeck, deck, fresh_server):
    """Whoever may not raise max_connections (60 here) has to live with it."""
    fresh_server.query("CREATE ROLE rented LOGIN")
    deck.write_text(deck.read_text().replace("user='postgres'", "user='rented'").replace(
        "max_connections: 30, targets: {connections: 5-10}",
        "max_connections: 80, pools: {web: {max: 80}}"))
    result = pgdeck("tune", "-d", deck, expect=10)
    assert "shared_buffers" in result.out
    assert re.search(r"deck\.yaml:\d+:\d+: error: the pools do not fit into server", result.err)


@pytest.mark.parametrize("args, message", [
    (("--cpus", "4"), "needs --memory"),
    (("--memory", "4"), "has no unit"),
    (("--memory", "1MB"), "at least 64MB"),
    (("--memory", "1GB", "--database-size", "9"), "--database-size"),
    (("--memory", "1GB", "--version", "13"), "not from 14 to 18"),
    (("--memory", "1GB", "--storage", "tape"), 'no "tape"'),
    (("--memory", "1GB", "--connections", "0"), "not from 1 to"),
    (("--memory", "1GB", "--render", "ini"), 'no "ini"'),
    (("--memory", "1GB", "--compare", "guess"), 'no "guess"'),
    (("--memory", "1GB", "--compare", "pgtune", "--render", "conf"), "exclude each other"),
])
def test_bad_options(pgdeck, args, message):
    assert message in pgdeck("tune", *args, expect=64).err


def test_the_classic_figures_without_a_server(pgdeck):
    out = pgdeck("tune", *PRODUCTION, "--version", "15", "--render", "conf", expect=0).out
    for line in ("shared_buffers = '1200MB'", "effective_cache_size = '3200MB'",
                 "work_mem = '32MB'", "maintenance_work_mem = '512MB'", "wal_buffers = '32MB'",
                 "gin_pending_list_limit = '8MB'", "hash_mem_multiplier = '2.0'",
                 "max_parallel_workers = '6'", "max_parallel_workers_per_gather = '2'"):
        assert f"\n{line}\n" in out, line
    assert "warning: 6 parallel workers on 4 CPUs" in out
    for memory, connections, logging, figures in (
            ("1GB", "50", "verbose", ("256MB", "768MB", "16MB", "128MB")),
            ("2GB", "75", "balanced", ("512MB", "1536MB", "24MB", "256MB"))):
        found = rows(pgdeck, "--memory", memory, "--connections", connections, "--logging", logging)
        values = {name: row["proposed"] for (_, _, name), row in found.items()}
        assert tuple(values[name] for name in (
            "shared_buffers", "effective_cache_size", "work_mem", "maintenance_work_mem")) == figures


def test_every_difference_from_pgtune_has_its_reason(pgdeck):
    out = pgdeck("tune", "--memory", "8GB", "--cpus", "4", "--storage", "ssd", "--workload", "web",
                 "--connections", "200", "--version", "18", "--compare", "pgtune", expect=0).out
    lines = out.splitlines()[2:]
    assert len(lines) > 40
    for line in lines:
        assert re.search(r" same$| pgdeck(, left as it is)?: \S.* \| pgtune: \S", line), line
    assert re.search(r"^  shared_buffers +2400MB +2GB +pgdeck: 30 % of 8GB", out, re.M)
    assert re.search(r"^  work_mem +\d+MB +10280kB ", out, re.M)
    assert re.search(r"^  io_method +worker +io_uring +pgdeck, left as it is: ", out, re.M)
    assert re.search(r"^  checkpoint_completion_target +0\.9 +0\.9 +same$", out, re.M)


PUBLISHED = {  # what pgtune has said of these inputs: ../shared/reference/settings.md
    ("8GB", 4, "ssd", "web", 200, 18): {
        "shared_buffers": "2GB", "effective_cache_size": "6GB", "maintenance_work_mem": "512MB",
        "work_mem": "10280kB", "min_wal_size": "1GB", "max_wal_size": "4GB",
        "max_worker_processes": "4", "max_parallel_workers_per_gather": "2",
        "max_parallel_workers": "4", "max_parallel_maintenance_workers": "2",
        "autovacuum_max_workers": None, "random_page_cost": "1.1"},
    ("16GB", 8, "ssd", "web", 200, 16): {
        "shared_buffers": "4GB", "effective_cache_size": "12GB", "maintenance_work_mem": "1GB",
        "work_mem": "20164kB", "min_wal_size": "1GB", "max_wal_size": "4GB",
        "max_worker_processes": "8", "max_parallel_workers_per_gather": "4",
        "max_parallel_workers": "8", "max_parallel_maintenance_workers": "4",
        "autovacuum_max_workers": None},
    ("24GB", 2, "ssd", "mixed", 100, 15): {
        "shared_buffers": "6GB", "effective_cache_size": "18GB", "maintenance_work_mem": "1536MB",
        "work_mem": "29127kB", "min_wal_size": "1GB", "max_wal_size": "4GB",
        "max_worker_processes": None, "max_parallel_workers_per_gather": None,
        "max_parallel_workers": None, "max_parallel_maintenance_workers": None},
    ("8GB", 16, "hdd", "web", 200, 16): {"random_page_cost": "4", "autovacuum_max_workers": "4"},
    ("8GB", 32, "ssd", "analytics", 40, 16): {"random_page_cost": "4",
                                              "autovacuum_max_workers": "5"},
}


def test_pgtunes_figures_are_the_published_ones(pgdeck):
    for (memory, cpus, storage, workload, connections, version), wanted in PUBLISHED.items():
        args = ("--memory", memory, "--cpus", cpus, "--storage", storage, "--workload", workload,
                "--connections", connections, "--version", version, "--compare", "pgtune")
        found = {name: row["pgtune"] for (_, _, name), row in rows(pgdeck, *args).items()}
        assert {name: found[name] for name in wanted} == wanted, args
        for line in pgdeck("tune", *args, expect=0).out.splitlines()[2:]:
            assert re.search(r" same$| pgdeck(, left as it is)?: \S.* \| pgtune: \S", line), line


def test_what_pgdeck_does_not_set_is_named(pgdeck, deck, fresh_server):
    fresh_server.query("CREATE ROLE rented LOGIN")
    deck.write_text(deck.read_text().replace("user='postgres'", "user='rented'"))
    found = rows(pgdeck, "-d", deck)
    assert found[None, None, "shared_buffers"]["obstacle"].startswith(
        'the role "rented" may not use ALTER SYSTEM: ')
    assert found[None, None, "fsync"]["obstacle"] is None
    assert found["blue", None, "work_mem"]["obstacle"] is None
    assert "only a superuser" in found["blue", None, "log_min_duration_statement"]["obstacle"]
    out = pgdeck("tune", "-d", deck, expect=0).out
    assert re.search(r'\nLeft to you, as the role "rented" may not use ALTER SYSTEM: .*\n  '
                     r".*shared_buffers ", out)
    assert "left to you   the role" in \
        pgdeck("tune", "-d", deck, "--explain", "shared_buffers", expect=0).out


def test_statements_run_as_they_are(pgdeck, deck, fresh_server):
    for name in ("blue_one", "green_one", "green_two"):
        fresh_server.query(f"CREATE DATABASE {name}")
    fresh_server.psql(text=pgdeck("tune", "-d", deck, "--render", "alter-system", expect=0).out)
    fresh_server.restart()
    assert fresh_server.value("SHOW shared_buffers") == "256MB"
    assert fresh_server.value("SHOW work_mem", dbname="green_one") == \
        rows(pgdeck, "-d", deck)["green", None, "work_mem"]["proposed"]
    assert [key for key, row in rows(pgdeck, "-d", deck).items() if row["is_change"]] == []
    conf = pgdeck("tune", "-d", deck, "--render", "conf", expect=0).out
    assert "\nwork_mem" not in conf and "# by ALTER DATABASE in environment green: work_mem" in conf


SAMPLES = {False: 4, True: 40}
STARTABLE_MB = 512  # of shared_buffers: more than this host may have cannot start


def start_options(server, conf):
    """Shared memory of more than this host has is only computed; the rest is really started."""
    buffers = re.search(r"^shared_buffers = '(\d+)(MB|GB|TB)'$", conf, re.M)
    if int(buffers[1]) * {"MB": 1, "GB": 1024, "TB": 1024**2}[buffers[2]] <= STARTABLE_MB:
        return {}
    if server.version >= 15:
        needed = int(server.run("postgres", "-D", server.data, "-C", "shared_memory_size"))
        assert needed >= STARTABLE_MB
    return {"shared_buffers": "128MB"}


def test_a_scratch_server_starts_with_what_is_proposed(pgdeck, pg_version, server_bin, root,
                                                       full_size):
    """From the smallest to 4 TB and 256 CPUs; the unit tests look at a thousand of them."""
    made_up = random.Random(pg_version)
    inputs = [("64MB", 1, "hdd", "desktop", 1), ("4TB", 256, "nvme", "oltp", 900)] + [
        (f"{256 * 2**made_up.randint(0, 13) + made_up.randint(0, 255)}MB",
         made_up.choice((1, 2, 7, 64, 256)), made_up.choice(("nvme", "ssd", "san", "hdd")),
         made_up.choice(("web", "oltp", "analytics", "mixed", "desktop")),
         made_up.randint(1, 900)) for _ in range(SAMPLES[full_size] - 2)]
    for i, (memory, cpus, storage, workload, connections) in enumerate(inputs):
        conf = pgdeck("tune", "--memory", memory, "--cpus", cpus, "--storage", storage,
                      "--workload", workload, "--connections", connections,
                      "--logging", made_up.choice(("verbose", "balanced", "minimal")),
                      "--version", pg_version, "--render", "conf", expect=0).out
        server = Server.new(pg_version, server_bin(pg_version), root / f"tune-{pg_version}-{i}")
        with open(server.data / "postgresql.conf", "a", encoding="utf-8") as file:
            file.write(conf)
        server.configure(**start_options(server, conf))
        server.start()
        try:
            faults = server.query("SELECT name, error FROM pg_file_settings WHERE error IS NOT NULL")
            assert faults == [], (conf, faults)
            assert server.value("SHOW max_connections") == str(connections + 7)
        finally:
            server.destroy()


def test_every_emitted_name_is_in_the_servers_own_list(pgdeck, pg_version, server_bin):
    listed = subprocess.run([server_bin(pg_version) / "postgres", "--describe-config"], text=True,
                            capture_output=True, check=True, cwd="/", **as_server_user()).stdout
    names = {line.split("\t")[0] for line in listed.splitlines()}
    found = {name for _, _, name in rows(pgdeck, *PRODUCTION, "--version", pg_version)}
    assert len(names) > 300 and len(found) > 90
    of_extensions = {name for name in found if "." in name}  # not in the list before they load
    assert {name.split(".")[0] for name in of_extensions} == {"pg_stat_statements", "auto_explain",
                                                              "pgaudit"}
    assert found - of_extensions <= names


def test_the_docs_show_what_the_program_says(pgdeck):
    text = (SOURCE / "docs/tune.md").read_text()
    for command, shown in re.findall(r"```\n\$ pgdeck (tune [^\n]*)\n(.*?)```", text, re.S):
        assert pgdeck(*command.split(), expect=0).out == shown, command


def test_the_size_of_the_databases_counts(pgdeck):
    hdd = ("--memory", "8GB", "--cpus", "4", "--storage", "hdd", "--version", "18")
    for size, cost in (("4GB", "1.1"), ("40GB", "4")):
        found = rows(pgdeck, *hdd, "--database-size", size)
        assert found[None, None, "random_page_cost"]["proposed"] == cost
    out = pgdeck("tune", *hdd, "--database-size", "4GB", "--compare", "pgtune", expect=0).out
    assert re.search(r"^  random_page_cost +1\.1 +1\.1 +same$", out, re.M)
