# SPDX-License-Identifier: MIT
"""Server settings on the database's host: one file of pgdeck's own, all or nothing, and back."""

import os
import random
import re
import shutil
import signal
import subprocess
import time

import pytest

from cluster import as_server_user, wait_for
from test_advisor_settings import plan, shown, write_deck

pytestmark = pytest.mark.short(15)

DECK = """
deck: safe
advisors: [schema, settings]
servers:
  main: {conninfo: "CONNINFO", memory: 512MB, cpus: 2, storage: nvme}
environments:
  only: {server: main, memory: 512MB, max_connections: 20, workload: web}
databases:
  safe_one: {environment: only}
"""
FILES = ("postgresql.conf", "postgresql.auto.conf", "pgdeck.conf")


@pytest.fixture
def deck(tmp_path, fresh_server):
    return write_deck(tmp_path / "deck", fresh_server.conninfo(), DECK)


def files(folder):
    """What is in the configuration files, whose they are and what they allow."""
    found = {}
    for name in FILES:
        path = folder / name
        if path.exists():
            status = path.stat()
            found[name] = (path.read_bytes(), status.st_uid, status.st_gid, status.st_mode)
    return found


def leftovers(folder):
    return [path.name for path in folder.iterdir() if path.name.endswith("pgdeck-new")]


def include_lines(server):
    text = (server.data / "postgresql.conf").read_text()
    return [line for line in text.splitlines() if line.startswith("include")]


def change_deck(deck, before, after):
    text = deck.read_text()
    assert before in text
    deck.write_text(text.replace(before, after))


def test_settings_go_to_one_file(pgdeck, deck, fresh_server):
    os.chmod(fresh_server.data / "postgresql.conf", 0o640)
    before = files(fresh_server.data)
    shared = [c for c in plan(pgdeck, deck)["changes"] if c["phase"] == "server setting"]
    assert all(c["file"].startswith(f"{fresh_server.data}/pgdeck.conf: ") for c in shared)
    assert files(fresh_server.data) == before
    assert pgdeck("apply", "-d", deck, "--yes", "--restart").code == 0
    after = files(fresh_server.data)
    assert after["postgresql.auto.conf"] == before["postgresql.auto.conf"]
    assert after["postgresql.conf"][1:] == before["postgresql.conf"][1:]
    assert after["pgdeck.conf"][1:] == before["postgresql.conf"][1:]
    assert after["postgresql.conf"][0].startswith(before["postgresql.conf"][0])
    lines = after["pgdeck.conf"][0].decode().splitlines()
    assert lines[0].startswith("# Written by pgdeck apply")
    assert "shared_buffers = '128MB'" in lines
    assert shown(fresh_server, "postgres", "shared_buffers") == "128MB"
    assert "Nothing to do" in pgdeck("plan", "-d", deck, "--detailed-exitcode", expect=0).out
    change_deck(deck, "storage: nvme", "storage: hdd")
    assert pgdeck("apply", "-d", deck, "--yes").code == 0
    assert len(include_lines(fresh_server)) == 1 and not leftovers(fresh_server.data)
    assert shown(fresh_server, "postgres", "random_page_cost") == "4"


def test_rollback_twice_in_a_row_is_to_the_byte(pgdeck, deck, fresh_server):
    fresh_server.query("ALTER SYSTEM SET random_page_cost = 3")
    fresh_server.query("ALTER SYSTEM SET log_checkpoints = off")
    fresh_server.restart()
    os.chmod(fresh_server.data / "postgresql.conf", 0o640)
    os.chmod(fresh_server.data / "postgresql.auto.conf", 0o640)
    first = files(fresh_server.data)
    assert pgdeck("apply", "-d", deck, "--yes", "--restart").code == 0
    second = files(fresh_server.data)
    assert b"random_page_cost" not in second["postgresql.auto.conf"][0]
    change_deck(deck, "storage: nvme", "storage: hdd")
    change_deck(deck, "servers:", "servers: # changed")
    assert pgdeck("apply", "-d", deck, "--yes").code == 0
    assert files(fresh_server.data) != second
    assert pgdeck("rollback", "-d", deck, "--yes").code == 0
    assert files(fresh_server.data) == second
    assert pgdeck("rollback", "-d", deck, "--yes", "--restart").code == 0
    assert files(fresh_server.data) == first
    assert shown(fresh_server, "postgres", "random_page_cost") == "3"
    assert shown(fresh_server, "postgres", "shared_buffers") == "64MB"
    assert "Nothing to roll back" in pgdeck("rollback", "-d", deck, "--yes", expect=0).out
    assert files(fresh_server.data) == first


def test_an_open_last_line_is_open_again(pgdeck, deck, fresh_server):
    path = fresh_server.data / "postgresql.conf"
    path.write_bytes(path.read_bytes() + b"work_mem = 5MB")
    before = files(fresh_server.data)
    assert pgdeck("apply", "-d", deck, "--yes").code == 0
    assert shown(fresh_server, "postgres", "work_mem") == "5MB"
    assert pgdeck("rollback", "-d", deck, "--yes").code == 0
    assert files(fresh_server.data) == before


def test_what_was_written_behind_since_stays(pgdeck, deck, fresh_server):
    assert pgdeck("apply", "-d", deck, "--yes", "--restart").code == 0
    fresh_server.configure(random_page_cost="7", log_hostname="on")
    fresh_server.reload()
    made = plan(pgdeck, deck)
    assert made["changes"] == []
    text = next(n["obstacle"] for n in made["manual"] if n["key"] == "setting random_page_cost")
    assert re.search(r"postgresql\.conf:\d+, behind the line that includes pgdeck\.conf", text)
    assert pgdeck("rollback", "-d", deck, "--yes", "--restart").code == 0
    text = (fresh_server.data / "postgresql.conf").read_text()
    assert text.endswith("random_page_cost = '7'\nlog_hostname = 'on'\n")
    assert "include" not in text[-400:]
    assert not (fresh_server.data / "pgdeck.conf").exists()


def test_rollback_without_the_kept_copy(pgdeck, deck, fresh_server):
    """The journal itself knows the way back of each parameter."""
    before = files(fresh_server.data)
    assert pgdeck("apply", "-d", deck, "--yes", "--restart").code == 0
    second = files(fresh_server.data)
    change_deck(deck, "storage: nvme", "storage: hdd")
    assert pgdeck("apply", "-d", deck, "--yes").code == 0
    other = {"PGDECK_STATE_DIR": str(deck.parent / "state")}
    assert pgdeck("rollback", "-d", deck, "--yes", env=other).code == 0
    assert files(fresh_server.data) == second
    assert pgdeck("rollback", "-d", deck, "--yes", env=other).code == 0
    assert files(fresh_server.data) == before


def test_what_a_session_keeps_from_its_begin(pgdeck, deck, fresh_server):
    """log_connections: the session that reloads does not see the new value."""
    change_deck(deck, "storage: nvme", "storage: nvme, settings: {log_connections: on}")
    pgdeck("apply", "-d", deck, "--yes", expect=0)
    assert shown(fresh_server, "postgres", "log_connections") in ("on", "all")


def test_debian_layout(pgdeck, make_server, tmp_path, pg_version):
    """config_file outside of the data directory, behind a link, with a conf.d of its own."""
    server = make_server(pg_version)
    server.stop()
    etc = server.folder / "etc"
    (etc / "conf.d").mkdir(parents=True)
    text = (server.data / "postgresql.conf").read_text()
    text += (f"data_directory = '{server.data}'\nhba_file = '{server.data}/pg_hba.conf'\n"
             f"ident_file = '{server.data}/pg_ident.conf'\ninclude_dir 'conf.d'\n")
    (etc / "real.conf").write_text(text)
    (etc / "postgresql.conf").symlink_to("real.conf")
    (etc / "conf.d" / "x.conf").write_text("random_page_cost = 2\n")
    owner = server.data.stat()
    for path in (etc, etc / "real.conf", etc / "conf.d", etc / "conf.d" / "x.conf"):
        os.chown(path, owner.st_uid, owner.st_gid)
    (server.data / "postgresql.conf").unlink()
    server.arguments = ["-c", f"config_file={etc}/postgresql.conf"]
    server.start()
    deck = write_deck(tmp_path / "deck", server.conninfo(), DECK)
    assert pgdeck("apply", "-d", deck, "--yes", "--restart").code == 0
    assert "random_page_cost = '1.1'" in (etc / "pgdeck.conf").read_text()
    assert (etc / "postgresql.conf").is_symlink()
    assert shown(server, "postgres", "random_page_cost") == "1.1"
    assert plan(pgdeck, deck)["changes"] == []
    assert pgdeck("rollback", "-d", deck, "--yes", "--restart").code == 0
    assert (etc / "real.conf").read_text() == text and not (etc / "pgdeck.conf").exists()


def kills(pgdeck, deck, count):
    """Runs of apply that were killed: at each of its crash points, then at random moments. Each is
    given to the caller after its end; the last one that came to its end by itself is not."""
    for point in range(1, 1000):
        result = pgdeck("apply", "-d", deck, "--yes", "--wait", env={"PGDECK_CRASH_AT": str(point)})
        if result.code != -9:
            assert result.code == 0, result.err
            break
        yield f"point {point}"
    pgdeck("rollback", "-d", deck, "--yes", "--wait", expect=0)
    start = time.monotonic()
    pgdeck("apply", "-d", deck, "--yes", "--wait", expect=0)
    duration = time.monotonic() - start
    pgdeck("rollback", "-d", deck, "--yes", "--wait", expect=0)
    for _ in range(max(0, count - point + 1)):
        moment = random.uniform(0, duration)
        process = pgdeck.start("apply", "-d", deck, "--yes")
        try:
            process.wait(moment)
        except subprocess.TimeoutExpired:
            pgdeck.kill(process)
        yield f"after {moment:.4f} s"


def only_reloads(pgdeck, deck):
    """Applied, and then changed in what a reload brings: no scratch server for each run."""
    change_deck(deck, "[schema, settings]", "[settings]")
    pgdeck("apply", "-d", deck, "--yes", "--restart", expect=0)
    change_deck(deck, "storage: nvme", "storage: hdd")
    change_deck(deck, "workload: web", "workload: web, logging: verbose, monitoring: detailed")
    made = plan(pgdeck, deck)["changes"]
    assert len(made) >= 4 and not any(change["restart"] for change in made), made
    return {change["key"].split()[1] for change in made if change["key"].startswith("setting ")}


def has_begun(server):
    """Whether the newest apply has not ended: else rollback would take back the one before."""
    newest = "SELECT state FROM pgdeck.apply ORDER BY started_at DESC LIMIT 1"
    return server.value(newest) == "running"


def values(server, names):
    return {name: shown(server, "postgres", name) for name in names}


def test_killed_at_any_point_it_is_before_or_after(pgdeck, deck, fresh_server):
    """SIGKILL between any two steps: the files are the old ones or the new ones, nothing was
    reloaded half way, and the next run ends in the same files."""
    names = only_reloads(pgdeck, deck)
    before, stock = files(fresh_server.data), values(fresh_server, names)
    pgdeck("apply", "-d", deck, "--yes", "--wait", expect=0)
    after, effective = files(fresh_server.data), values(fresh_server, names)
    pgdeck("rollback", "-d", deck, "--yes", "--wait", expect=0)
    runs = 0
    for runs, when in enumerate(kills(pgdeck, deck, 20), 1):
        now = files(fresh_server.data)
        assert now in (before, after), when
        assert values(fresh_server, names) in ([stock] if now == before else [stock, effective])
        if runs % 2 or not has_begun(fresh_server):
            pgdeck("apply", "-d", deck, "--yes", "--wait", expect=0)
            assert files(fresh_server.data) == after and not leftovers(fresh_server.data), when
        pgdeck("rollback", "-d", deck, "--yes", "--wait", expect=0)
        assert files(fresh_server.data) == before, when
    assert runs >= 20


@pytest.mark.pg(max=15)
def test_killed_at_its_first_apply(pgdeck, deck, fresh_server):
    """Two files then: until postgresql.conf has the line that includes it, pgdeck.conf is not
    read, so that postgresql.conf alone decides between before and after."""
    change_deck(deck, "[schema, settings]", "[settings]")
    before = files(fresh_server.data)
    pgdeck("apply", "-d", deck, "--yes", "--wait", expect=0)
    after = files(fresh_server.data)
    for point in range(1, 12):
        pgdeck("rollback", "-d", deck, "--yes", "--wait", expect=0)
        assert files(fresh_server.data) == before
        crash = {"PGDECK_CRASH_AT": str(point)}
        pgdeck("apply", "-d", deck, "--yes", "--wait", env=crash, expect=-9)
        now = files(fresh_server.data)
        if now["postgresql.conf"] == before["postgresql.conf"]:
            assert now.get("pgdeck.conf") in (None, after["pgdeck.conf"]), point
        else:
            assert now == after, point
            break
    assert point > 4
    pgdeck("apply", "-d", deck, "--yes", "--wait", expect=0)
    assert files(fresh_server.data) == after and not leftovers(fresh_server.data)


@pytest.mark.pg(max=15)
def test_alter_system_killed_at_any_point_is_completed(pgdeck, deck, fresh_server):
    change_deck(deck, "storage: nvme", "configuration: alter-system, storage: nvme")
    names = only_reloads(pgdeck, deck)
    before, stock = files(fresh_server.data), values(fresh_server, names)
    assert set(before) == {"postgresql.conf", "postgresql.auto.conf"}
    pgdeck("apply", "-d", deck, "--yes", "--wait", expect=0)
    after, effective = files(fresh_server.data), values(fresh_server, names)
    assert after["postgresql.conf"] == before["postgresql.conf"]
    pgdeck("rollback", "-d", deck, "--yes", "--wait", expect=0)
    assert files(fresh_server.data) == before
    runs = 0
    for runs, when in enumerate(kills(pgdeck, deck, 20), 1):
        assert values(fresh_server, names) in (stock, effective), when
        if runs % 2 or not has_begun(fresh_server):
            pgdeck("apply", "-d", deck, "--yes", "--wait", expect=0)
            assert files(fresh_server.data) == after, when
        pgdeck("rollback", "-d", deck, "--yes", "--wait", expect=0)
        assert files(fresh_server.data) == before, when
    assert runs >= 20


def test_what_would_not_start_is_refused_before(pgdeck, deck, fresh_server):
    """The library is named by somebody's line; the deck's own would join it at the next start."""
    fresh_server.configure(shared_preload_libraries="nonexist")
    before = files(fresh_server.data)
    result = pgdeck("apply", "-d", deck, "--yes", "--restart", expect=22)
    assert re.search(r"deck\.yaml:\d+:\d+: error: the server would not start with "
                     r"shared_preload_libraries = nonexist, pg_stat_statements", result.err)
    assert 'could not access file "nonexist"' in result.err
    assert "nothing was changed" in result.out
    assert files(fresh_server.data) == before
    assert fresh_server.value("SELECT count(*) FROM pg_database WHERE datname = 'safe_one'") == 0


def test_more_memory_than_the_host_has_is_refused_before(pgdeck, deck, fresh_server):
    deck.write_text(deck.read_text().replace("memory: 512MB", "memory: 8TB"))
    before = files(fresh_server.data)
    result = pgdeck("apply", "-d", deck, "--yes", "--restart", expect=22)
    reason = "shared_buffers = 2TB: \\d+MB of shared memory are more than this host has"
    if fresh_server.version < 15:  # has no shared_memory_size: the scratch start tells
        reason = "the server would not start with shared_buffers = 2TB"
    assert re.search(f"deck\\.yaml:\\d+:\\d+: error: {reason}", result.err), result.err
    assert files(fresh_server.data) == before


def restart_command(server, before=""):
    """As a service would: before is what the shell does first, in the server's own surroundings."""
    script = server.folder / "restart.sh"
    script.write_text(f"""cd {server.folder}
{before}
exec {server.bin}/pg_ctl -D {server.data} -w -t 30 -s -l {server.log} -o '-p {server.port}' restart
""")
    script.chmod(0o755)
    return f"runuser -u postgres -- sh {script}" if os.geteuid() == 0 else f"sh {script}"


@pytest.mark.parametrize("where", ["file", "alter-system"])
def test_a_restart_that_fails_only_there_is_put_back(pgdeck, deck, fresh_server, where):
    """The service has a limit of memory that the scratch server does not have."""
    pgdeck("apply", "-d", deck, "--yes", "--restart", expect=0)
    before = files(fresh_server.data)
    command = restart_command(fresh_server, "ulimit -v 600000")
    change_deck(deck, "storage: nvme", f'storage: nvme, restart_command: "{command}", '
                                       f"configuration: {where}")
    deck.write_text(deck.read_text().replace("memory: 512MB", "memory: 4GB"))
    if where == "file":
        pgdeck("apply", "-d", deck, "--yes", expect=0)
        fresh_server.query("ALTER SYSTEM SET log_min_messages = 'notice'")
    result = pgdeck("apply", "-d", deck, "--yes", "--restart", expect=1)
    assert ("log_min_messages = 'notice'" in result.err) == (where == "file"), result.err
    assert "the server did not come up; the old configuration is back and running" in result.err
    assert "could not map anonymous shared memory" in fresh_server.log_text()
    assert files(fresh_server.data) == before
    assert shown(fresh_server, "postgres", "shared_buffers") == "128MB"
    restart_command(fresh_server)  # the limit is lifted
    pgdeck("apply", "-d", deck, "--yes", "--restart", expect=0)
    assert shown(fresh_server, "postgres", "shared_buffers") == "1GB"
    for _ in range(2):
        pgdeck("rollback", "-d", deck, "--yes", "--restart", expect=0)
    assert shown(fresh_server, "postgres", "shared_buffers") == "64MB"
    assert not (fresh_server.data / "pgdeck.conf").exists() and not include_lines(fresh_server)


@pytest.mark.pg(max=15)
def test_what_is_not_set_is_said(pgdeck, deck, fresh_server):
    """The library of a parameter is not loaded, and its extension is none that pgdeck knows."""
    change_deck(deck, "storage: nvme", "storage: nvme, settings: {cron.timezone: UTC}")
    result = pgdeck("plan", "-d", deck)
    assert "The deck sets cron.timezone, which is not done" in result.out + result.err


@pytest.mark.parametrize("how", ["relative -D", "PGDATA", "gone"])
def test_a_server_that_was_started_from_a_folder(pgdeck, deck, fresh_server, how):
    """pg_ctl -D data, or no -D at all: what it was started with does not tell all by itself."""
    server = fresh_server
    server.stop()
    server.configure(port=server.port)
    folder = server.folder / "from"
    folder.mkdir(mode=0o755)
    arguments = [] if how == "PGDATA" else ["-D", "../data"]
    subprocess.run([server.bin / "pg_ctl", *arguments, "-w", "-s", "-l", server.log, "start"],
                   cwd=folder, env={"PGDATA": str(server.data), "PATH": os.environ["PATH"]},
                   check=True, **as_server_user())
    is_relative = '"-D" "../data"' in (server.data / "postmaster.opts").read_text()
    assert is_relative == (how != "PGDATA")
    if how != "gone":
        result = pgdeck("apply", "-d", deck, "--yes", "--restart", expect=0)
        assert "error" not in result.err and "Done: " in result.out, result.err
        assert shown(server, "postgres", "shared_buffers") == "128MB"
        pgdeck("rollback", "-d", deck, "--yes", "--restart", expect=0)
        assert shown(server, "postgres", "shared_buffers") == "64MB"
        return
    shutil.rmtree(folder)
    pid = server.pid()
    result = pgdeck("apply", "-d", deck, "--yes", "--restart")
    assert result.code != 0
    assert "would not start again as it was started" in result.err, result.err
    assert "It has not been stopped" in result.err, result.err
    assert server.pid() == pid


@pytest.mark.pg(max=15)
def test_a_kill_between_stop_and_start_leaves_no_server_down(pgdeck, deck, fresh_server):
    pid_file = fresh_server.data / "postmaster.pid"
    process = pgdeck.start("apply", "-d", deck, "--yes", "--restart")
    deadline = time.monotonic() + 60
    while pid_file.exists() and process.poll() is None and time.monotonic() < deadline:
        pass  # the moment is short
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    wait_for(fresh_server.pid, 30, "the server is there again")
    wait_for(lambda: "ready" in pid_file.read_text(), 30, "the server is up")
    assert shown(fresh_server, "postgres", "shared_buffers") == "128MB"


@pytest.mark.pg(max=15)
def test_ctrl_c_does_not_end_a_restart_command_half_way(pgdeck, deck, fresh_server):
    mark = fresh_server.folder / "down"
    command = restart_command(fresh_server, f"""{fresh_server.bin}/pg_ctl -D {fresh_server.data} \\
    -s -w -m fast stop && touch {mark} && sleep 3
exec {fresh_server.bin}/pg_ctl -D {fresh_server.data} -w -s -l {fresh_server.log} \\
    -o '-p {fresh_server.port}' start""")
    change_deck(deck, "storage: nvme", f'storage: nvme, restart_command: "{command}"')
    process = pgdeck.start("apply", "-d", deck, "--yes", "--restart")
    wait_for(mark.exists, 60, "the server is down")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert shown(fresh_server, "postgres", "shared_buffers") == "128MB"


@pytest.mark.pg(max=15)
@pytest.mark.parametrize("settings, says", [
    ("listen_addresses: 203.0.113.7", "listen_addresses"),
    ("ssl: on, ssl_cert_file: there-is-none.crt", "ssl"),
])
def test_what_only_a_start_shows_is_refused_before(pgdeck, deck, fresh_server, settings, says):
    change_deck(deck, "storage: nvme", f"storage: nvme, settings: {{{settings}}}")
    before = files(fresh_server.data)
    result = pgdeck("apply", "-d", deck, "--yes", "--restart")
    assert result.code in (10, 22), result.err
    assert re.search(rf"deck\.yaml:\d+:\d+: error: .*({says})", result.err), result.err
    assert files(fresh_server.data) == before


TRIGGER = """
CREATE FUNCTION pgdeck.meddle() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.key = 'reload' THEN
        COPY (SELECT $q${line}$q$) TO PROGRAM 'cat >> {path}';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER meddle BEFORE INSERT ON pgdeck.journal FOR EACH ROW EXECUTE FUNCTION pgdeck.meddle();
"""


@pytest.mark.parametrize("where, line", [
    ("file", "this is no setting"), ("file", "random_page_cost = 77"),
    ("alter-system", "no_such_parameter = 1")])
def test_what_the_server_does_not_take_is_put_back(pgdeck, deck, fresh_server, where, line):
    """Somebody writes to the very file between the write and the reload."""
    change_deck(deck, "storage: nvme", f"storage: nvme, configuration: {where}")
    pgdeck("apply", "-d", deck, "--yes", "--restart", expect=0)
    before = files(fresh_server.data)
    name = "pgdeck.conf" if where == "file" else "postgresql.auto.conf"
    path = fresh_server.data / name
    fresh_server.query(TRIGGER.format(line=line, path=path))
    change_deck(deck, "storage: nvme", "storage: hdd")
    result = pgdeck("apply", "-d", deck, "--yes")
    assert result.code == 22, result.err
    assert "the server did not take the new configuration; the old one is back" in result.err
    assert ("random_page_cost is 77" if "random" in line else "is faulty") in result.err
    assert files(fresh_server.data) == before
    assert shown(fresh_server, "postgres", "random_page_cost") == "1.1"
    fresh_server.query("DROP FUNCTION pgdeck.meddle() CASCADE")
    pgdeck("apply", "-d", deck, "--yes", expect=0)
    assert shown(fresh_server, "postgres", "random_page_cost") == "4"
    pgdeck("rollback", "-d", deck, "--yes", expect=0)
    assert files(fresh_server.data) == before


def test_a_rollback_that_is_killed_goes_on(pgdeck, deck, fresh_server):
    only_reloads(pgdeck, deck)
    before = files(fresh_server.data)
    pgdeck("apply", "-d", deck, "--yes", expect=0)
    after = files(fresh_server.data)
    for point in range(1, 100):
        crash = {"PGDECK_CRASH_AT": str(point)}
        result = pgdeck("rollback", "-d", deck, "--yes", "--wait", env=crash)
        assert files(fresh_server.data) in (before, after), point
        if result.code == 0:
            break
        assert result.code == -9, result.err
        pgdeck("rollback", "-d", deck, "--yes", "--wait", expect=0)
        assert files(fresh_server.data) == before, point
        pgdeck("apply", "-d", deck, "--yes", "--wait", expect=0)
        assert files(fresh_server.data) == after, point
    assert point > 4 and files(fresh_server.data) == before


def test_a_rollback_whose_restart_fails(pgdeck, deck, fresh_server):
    """What the server ran with is back then, too."""
    command = restart_command(fresh_server)
    change_deck(deck, "storage: nvme", f'storage: nvme, restart_command: "{command}"')
    pgdeck("apply", "-d", deck, "--yes", "--restart", expect=0)
    after = files(fresh_server.data)
    restart_command(fresh_server, f"test -e {fresh_server.data}/pgdeck.conf || ulimit -v 100000")
    result = pgdeck("rollback", "-d", deck, "--yes", "--restart", expect=1)
    assert "the old configuration is back and running" in result.err
    assert files(fresh_server.data) == after
    assert shown(fresh_server, "postgres", "shared_buffers") == "128MB"


def test_from_elsewhere_it_is_alter_system(make_server, pgdeck, pg_version, tmp_path):
    """Neither root nor the owner of the data directory: the files are out of reach."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    server = make_server(pg_version)
    deck = write_deck(tmp_path / "deck", server.conninfo(), DECK)
    home = tmp_path / "nobody"
    home.mkdir()
    os.chown(home, 65534, 65534)
    env = {**os.environ, "HOME": str(home), "PGDECK_STATE_DIR": str(home / "state")}
    done = subprocess.run([pgdeck.path, "apply", "-d", deck, "--yes"], user=65534, group=65534,
                          extra_groups=[], env=env, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert ("The settings were not tried on a scratch server: its data directory cannot be read "
            "from here.") in done.stdout
    assert not (server.data / "pgdeck.conf").exists() and not include_lines(server)
    assert shown(server, "postgres", "random_page_cost") == "1.1"
    assert "random_page_cost" in (server.data / "postgresql.auto.conf").read_text()


@pytest.mark.pg(max=15)
def test_copies_of_a_server_are_told_apart(pgdeck, make_server, tmp_path, pg_version):
    """Both have the same system identifier, and pgdeck the same state folder."""
    servers = [make_server(pg_version) for _ in range(2)]
    for server in servers:
        server.stop()
    shutil.rmtree(servers[1].data)
    subprocess.run(["cp", "-a", servers[0].data, servers[1].data], check=True)
    servers[1].configure(unix_socket_directories=servers[1].host)
    for server in servers:
        server.start()
    for number, server in enumerate(servers):
        deck = write_deck(tmp_path / f"deck{number}", server.conninfo(), DECK)
        server.configure(log_checkpoints=["off", "on"][number])
        pgdeck("apply", "-d", deck, "--yes", "--restart", expect=0)
    limit = restart_command(servers[0], "ulimit -v 600000")
    deck = tmp_path / "deck0" / "deck.yaml"
    before = files(servers[0].data)
    change_deck(deck, "storage: nvme", f'storage: nvme, restart_command: "{limit}"')
    deck.write_text(deck.read_text().replace("memory: 512MB", "memory: 4GB"))
    result = pgdeck("apply", "-d", deck, "--yes", "--restart", expect=1)
    assert "the old configuration is back and running" in result.err
    assert files(servers[0].data) == before


def test_a_server_with_its_certificate_where_it_looks_by_itself(pgdeck, deck, fresh_server):
    """server.crt and server.key are in its folder, and no file of settings names them."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                    "-subj", "/CN=localhost", "-keyout", fresh_server.data / "server.key",
                    "-out", fresh_server.data / "server.crt"], check=True, capture_output=True)
    owner = fresh_server.data.stat()
    for name in ("server.key", "server.crt"):
        os.chown(fresh_server.data / name, owner.st_uid, owner.st_gid)
        (fresh_server.data / name).chmod(0o600)
    fresh_server.configure(ssl="on")
    fresh_server.stop()
    fresh_server.start()
    pgdeck("apply", "-d", deck, "--yes", "--restart", expect=0)
    assert fresh_server.value("SELECT current_setting('ssl')") == "on"
