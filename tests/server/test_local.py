# SPDX-License-Identifier: MIT
"""up, down and status: private servers."""

import json
import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import psycopg
import pytest

from cluster import wait_for
from program import Program

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


@pytest.fixture
def bindir(server_bin, pg_version):
    return {"PGDECK_PG_BINDIR": str(server_bin(pg_version))}


@pytest.fixture
def one_bindir(server_bin):
    """Where the version does not matter."""
    return {"PGDECK_PG_BINDIR": str(server_bin(15))}


@pytest.fixture
def local(pgdeck):
    """pgdeck whose private servers are gone after the test."""
    yield pgdeck
    for server in servers(pgdeck):
        pgdeck("down", server["name"], "--destroy", "--yes", expect=0)


def servers(pgdeck):
    return json.loads(pgdeck("status", "--json", expect=0).out)


def folder_of(pgdeck, name="deck"):
    return pgdeck.home / "state" / "pgdeck" / "servers" / name


def remains(pgdeck):
    """What is in the folder of the servers, but for the lock."""
    return [path.name for path in folder_of(pgdeck).parent.iterdir() if path.name != ".lock"]


def running(pgdeck):
    """pids of PostgreSQL below this pgdeck's state folder, whatever pgdeck itself believes."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            folder = os.readlink(entry / "cwd")
            words = (entry / "cmdline").read_bytes()
        except OSError:
            continue
        is_below = folder.startswith(f"{pgdeck.home}/") or f"{pgdeck.home}/".encode() in words
        if is_below and int(entry.name) != os.getpid():
            found.append(int(entry.name))
    return found


def up(pgdeck, env, *args):
    return json.loads(pgdeck("up", "--json", *args, env=env, expect=0).out)


def kill9(pid):
    os.kill(pid, signal.SIGKILL)


def test_life_of_a_server(local, bindir, pg_version):
    server = up(local, bindir)
    assert server["was_running"] is False
    with psycopg.connect(server["conninfo"], autocommit=True) as connection:
        def show(name):
            return connection.execute(f"SHOW {name}").fetchone()[0]
        assert show("server_version_num")[:2] == str(pg_version)
        assert show("listen_addresses") == "127.0.0.1"
        assert show("server_encoding") == "UTF8"
        assert show("data_checksums") == "on"
        assert show("password_encryption") == "scram-sha-256"
        connection.execute("CREATE TABLE kept AS SELECT 1 AS x")
    (listed,) = servers(local)
    assert listed["state"] == "running" and listed["port"] == server["port"]
    assert listed["size_bytes"] > 10_000_000
    assert "is running already" in local("up", env=bindir, expect=0).out

    assert "stopped" in local("down", expect=0).out
    assert running(local) == [] and servers(local)[0]["state"] == "stopped"
    assert "was not running" in local("down", expect=0).out

    again = up(local, bindir)
    assert again["port"] == server["port"]
    with psycopg.connect(again["conninfo"]) as connection:
        assert connection.execute("SELECT x FROM kept").fetchone() == (1,)
    assert "removed" in local("down", "--destroy", "--yes", expect=0).out
    assert running(local) == [] and not folder_of(local).exists() and servers(local) == []


def test_nobody_gets_in_without_the_password(local, one_bindir):
    conninfo = up(local, one_bindir)["conninfo"]
    for more in ({}, {"host": "127.0.0.1"}):
        with pytest.raises(psycopg.OperationalError, match="no password supplied"):
            psycopg.connect(conninfo, passfile="/dev/null", **more)
    assert stat.S_IMODE((folder_of(local) / "passfile").stat().st_mode) == 0o600


def test_psql_line_works_in_a_shell(local, one_bindir):
    line = up(local, one_bindir)["psql"]
    done = subprocess.run(["sh", "-c", f"{line} -XAtc 'SELECT current_user'"], text=True,
                          capture_output=True, check=True)
    assert done.stdout.strip() == "deck_admin"


@needs_root
def test_as_root_it_runs_as_postgres(local, one_bindir):
    server = up(local, one_bindir)
    postgres = pwd.getpwnam("postgres").pw_uid
    (pid, *_children) = running(local)
    status = Path(f"/proc/{pid}/status").read_text()
    assert f"Uid:\t{postgres}\t{postgres}\t{postgres}" in status
    assert "Groups:\t0" not in status
    folder = folder_of(local)
    owners = {path.name: path.stat().st_uid for path in folder.iterdir()}
    assert owners == {"data": postgres, "log": postgres, "passfile": 0, "root.crt": 0,
                      "server.json": 0}
    with psycopg.connect(server["conninfo"]) as connection:
        (sockets,) = connection.execute("SHOW unix_socket_directories").fetchone()
    assert os.stat(sockets).st_uid == postgres and stat.S_IMODE(os.stat(sockets).st_mode) == 0o700


def test_socket_is_in_the_servers_folder(local, one_bindir):
    with tempfile.TemporaryDirectory(prefix="pgdeck-test-", dir="/tmp") as state:
        os.chmod(state, 0o755)
        env = {**one_bindir, "PGDECK_STATE_DIR": state}
        with psycopg.connect(up(local, env)["conninfo"]) as connection:
            (sockets,) = connection.execute("SHOW unix_socket_directories").fetchone()
        local("down", "--destroy", "--yes", env=env, expect=0)
    assert sockets == f"{state}/servers/deck/socket"


@needs_root
def test_as_an_ordinary_user(pgdeck, tmp_path, one_bindir):
    nobody = pwd.getpwnam("nobody")
    home = tmp_path / "nobody"
    home.mkdir()
    os.chown(home, nobody.pw_uid, nobody.pw_gid)
    program = shutil.copy(pgdeck.path, tmp_path / "pgdeck")  # the clone may be in /root
    env = {**Program(program, home).environment({"XDG_STATE_HOME": f"{home}/state", **one_bindir})}
    del env["PGDECK_STATE_DIR"]

    def run(*args):
        return subprocess.run([program, *args], env=env, cwd=home, user=nobody.pw_uid,
                              group=nobody.pw_gid, extra_groups=[], text=True, check=True,
                              capture_output=True, timeout=60).stdout

    server = json.loads(run("up", "--json"))
    assert server["folder"] == f"{home}/state/pgdeck/servers/deck"
    assert stat.S_IMODE(os.stat(f"{home}/state/pgdeck/servers").st_mode) == 0o700
    with psycopg.connect(server["conninfo"]) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert "removed" in run("down", "--destroy", "--yes")
    assert not os.path.exists(server["folder"])


@pytest.mark.pg(min=15, max=15)
def test_a_state_folder_that_others_may_write_is_refused(pgdeck, tmp_path):
    folder = tmp_path / "state of others"
    folder.mkdir()
    for mode in (0o775, 0o757, 0o777, 0o1777):
        folder.chmod(mode)
        for command in (("status",), ("up",), ("down", "--destroy", "--yes")):
            result = pgdeck(*command, env={"PGDECK_STATE_DIR": str(folder)}, expect=21)
            assert f'others may write in the state folder "{folder}"' in result.err
            assert "chmod go-w" in result.err
    assert list(folder.iterdir()) == []
    folder.chmod(0o755)
    assert json.loads(pgdeck("status", "--json", env={"PGDECK_STATE_DIR": str(folder)},
                             expect=0).out) == []
    shutil.rmtree(folder)
    folder.write_text("")
    pgdeck("status", env={"PGDECK_STATE_DIR": str(folder)}, expect=21)


@needs_root
@pytest.mark.pg(min=15, max=15)
def test_a_state_folder_of_somebody_else_is_refused(pgdeck, tmp_path):
    nobody, other = pwd.getpwnam("nobody"), pwd.getpwnam("daemon")
    folder = tmp_path / "theirs"
    folder.mkdir(mode=0o755)
    program = shutil.copy(pgdeck.path, tmp_path / "pgdeck")

    def status(uid, mine=nobody):
        os.chown(folder, uid, -1)
        return subprocess.run([program, "status"], user=mine.pw_uid, group=mine.pw_gid,
                              extra_groups=[], cwd=tmp_path, text=True, capture_output=True,
                              env=pgdeck.environment({"PGDECK_STATE_DIR": str(folder)}),
                              timeout=20, check=False)

    result = status(other.pw_uid)
    assert result.returncode == 21
    assert f'the state folder "{folder}" belongs to somebody else' in result.stderr
    assert status(nobody.pw_uid).returncode == 0
    assert "belongs to" not in status(0).stderr
    os.chown(folder, other.pw_uid, -1)  # rescue, as root, by the folder of a service
    pgdeck("status", env={"PGDECK_STATE_DIR": str(folder)}, expect=0)


def test_taken_port_is_left_to_its_owner(local, one_bindir):
    port = up(local, one_bindir)["port"]
    local("down", expect=0)
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        server = up(local, one_bindir)
        assert server["port"] != port
        with psycopg.connect(server["conninfo"]) as connection:
            assert connection.execute("SHOW port").fetchone() == (str(server["port"]),)


def test_socket_goes_elsewhere_when_the_path_is_too_long(local, one_bindir):
    long = local.home / ("x" * 60) / ("y" * 60)
    env = {**one_bindir, "PGDECK_STATE_DIR": str(long)}
    server = up(local, env)
    with psycopg.connect(server["conninfo"]) as connection:
        (folder,) = connection.execute("SHOW unix_socket_directories").fetchone()
    assert folder.startswith("/tmp/pgdeck-") and len(folder) < 90
    local("down", env=env, expect=0)
    shutil.rmtree(folder)  # as a reboot may do
    with psycopg.connect(up(local, env)["conninfo"]) as connection:
        (folder,) = connection.execute("SHOW unix_socket_directories").fetchone()
    local("down", "--destroy", "--yes", env=env, expect=0)
    assert not os.path.exists(folder)


def test_folder_names_with_quotes_and_spaces(local, one_bindir):
    env = {**one_bindir, "PGDECK_STATE_DIR": str(local.home / "it's \"a\" $HOME, näme\\")}
    server = up(local, env)
    done = subprocess.run(["sh", "-c", f"{server['psql']} -XAtc 'SELECT 42'"], text=True,
                          capture_output=True, check=True)
    assert done.stdout.strip() == "42"
    local("down", "--destroy", "--yes", env=env, expect=0)


def test_after_kill9_of_the_server(local, one_bindir):
    up(local, one_bindir)
    for pid in running(local):
        kill9(pid)
    wait_for(lambda: not running(local), 60, "end of the server")
    assert (folder_of(local) / "data" / "postmaster.pid").exists()
    assert servers(local)[0]["state"] == "stopped"
    with psycopg.connect(up(local, one_bindir)["conninfo"]) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_another_program_under_the_old_pid_is_not_touched(local, one_bindir):
    up(local, one_bindir)
    local("down", expect=0)
    pid_file = folder_of(local) / "data" / "postmaster.pid"
    with subprocess.Popen(["sleep", "1000"]) as other:
        pid_file.write_text(f"{other.pid}\n{folder_of(local)}/data\n")
        assert "was not running" in local("down", expect=0).out
        local("up", env=one_bindir, expect=0)
        local("down", "--destroy", "--yes", expect=0)
        assert other.poll() is None
        other.kill()


def test_orphans_of_a_killed_postmaster_are_ended(local, one_bindir):
    server = up(local, one_bindir)
    connection = psycopg.connect(server["conninfo"])

    def be_busy():
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT count(*) FROM generate_series(1, 100000000000)")

    busy = threading.Thread(target=be_busy)
    busy.start()
    backend = connection.info.backend_pid
    stat_file = Path(f"/proc/{backend}/stat")
    wait_for(lambda: stat_file.read_text().split()[2] == "R", 60, "a busy backend")
    kill9(int((folder_of(local) / "data" / "postmaster.pid").read_text().split()[0]))
    local("down", expect=0)
    assert running(local) == []
    busy.join(10)
    connection.close()
    up(local, one_bindir)


def test_failed_start_shows_the_log(local, one_bindir):
    up(local, one_bindir)
    local("down", expect=0)
    with open(folder_of(local) / "data" / "postgresql.conf", "a", encoding="utf-8") as file:
        file.write("shared_buffers = 'plenty'\n")
    result = local("up", env=one_bindir)
    assert result.code == 1
    assert 'cannot start server "deck": the server ended while it started' in result.err
    assert 'invalid value for parameter "shared_buffers": "plenty"' in result.err
    assert running(local) == []


@pytest.mark.parametrize("delay", [0.02, 0.1, 0.3, 0.6, 0.9, 1.1, 1.3])
def test_interrupted_at_any_moment(local, one_bindir, delay):
    process = local.start("up", env=one_bindir)
    time.sleep(delay)
    os.killpg(process.pid, signal.SIGINT)  # as the terminal does, to the whole group
    os.killpg(process.pid, signal.SIGINT)
    out, _err = process.communicate(timeout=30)
    assert process.returncode in (0, 130, -signal.SIGINT)  # the last: before it had begun
    if process.returncode == 0:
        assert "is running" in out  # it was faster
        return
    assert running(local) == []
    assert remains(local) == []
    up(local, one_bindir)


def test_interrupted_during_initdb(local, one_bindir):
    process = local.start("up", env=one_bindir)
    wait_for(lambda: list(folder_of(local).parent.glob("*/data/global")), 60, "initdb")
    process.terminate()
    _out, err = process.communicate(timeout=30)
    assert process.returncode == 130 and "interrupted" in err
    assert running(local) == [] and remains(local) == []


def test_what_a_killed_pgdeck_left_is_removed(local, one_bindir):
    process = local.start("up", env=one_bindir)
    wait_for(lambda: list(folder_of(local).parent.glob("*/data/global")), 60, "initdb")
    kill9(process.pid)
    process.wait(10)
    wait_for(lambda: not running(local), 60, "end of initdb")
    assert servers(local) == [] and remains(local) != []
    up(local, one_bindir)
    assert remains(local) == ["deck"]


def test_two_ups_at_once_make_one_server(local, one_bindir):
    both = [local.start("up", "--json", env=one_bindir) for _ in range(2)]
    answers = [json.loads(process.communicate(timeout=60)[0]) for process in both]
    assert sorted(answer["was_running"] for answer in answers) == [False, True]
    assert answers[0]["port"] == answers[1]["port"]


def test_destroy_asks(local, one_bindir):
    up(local, one_bindir)
    result = local("down", "--destroy")
    assert result.code == 22 and "--yes" in result.err
    assert servers(local)[0]["state"] == "running"


def test_a_folder_of_somebody_else_is_left_alone(local, one_bindir):
    up(local, one_bindir, "other")
    foreign = folder_of(local) / "precious"
    foreign.parent.mkdir()
    foreign.write_text("x")
    for args in (["up"], ["down", "--destroy", "--yes"]):
        result = local(*args, env=one_bindir)
        assert result.code == 21 and "is not a private server of pgdeck" in result.err
    local("down", "--all", "--destroy", "--yes", expect=0)
    assert foreign.read_text() == "x"


def test_destroy_follows_no_links(local, one_bindir, tmp_path):
    up(local, one_bindir)
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").write_text("x")
    (folder_of(local) / "data" / "pg_tblspc" / "999").symlink_to(precious)
    local("down", "--destroy", "--yes", expect=0)
    assert (precious / "file").read_text() == "x"


def test_all_down(local, one_bindir):
    up(local, one_bindir, "a")
    up(local, one_bindir, "b")
    assert local("down", "--all", expect=0).out == 'server "a" stopped\nserver "b" stopped\n'
    assert running(local) == []


@pytest.mark.parametrize("name", ["..", "../x", "", "a/b", ".hidden", "x" * 64])
def test_bad_names(pgdeck, name):
    result = pgdeck("up", name)
    assert result.code == 64 and "cannot be the name" in result.err


def test_unknown_name(local, one_bindir):
    up(local, one_bindir, "a")
    result = local("down", "b")
    assert result.code == 21
    assert 'there is no private server "b"' in result.err and "There are: a." in result.err


def test_programs_that_are_not_there(pgdeck):
    result = pgdeck("up", "--bindir", "/nonexistent")
    assert result.code == 21 and "does not hold PostgreSQL's server programs" in result.err
    result = pgdeck("up", "--version", "99")
    assert result.code == 21 and "no server programs of PostgreSQL 99 found" in result.err
    assert not folder_of(pgdeck).exists()


def test_another_version_than_the_one_there(local, one_bindir):
    up(local, one_bindir)
    result = local("up", "--version", "99", env=one_bindir)
    assert result.code == 22 and "with PostgreSQL 15, not 99" in result.err
