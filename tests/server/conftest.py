# SPDX-License-Identifier: MIT
"""Fixtures of the server tests. Everything lives below one folder in /dev/shm or /tmp, which is
removed at the end; a process of the tests that is still there then is ended, named, and fails the
run."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import pytest

from cluster import CACHE, SOURCE, Server, find_bin
from program import Program

ALWAYS = (15, 18)
ALL = (14, 15, 16, 17, 18)
MEMORY_NEEDED = 4 << 30
MARK = "PGDECK_TEST_FOLDER"  # in the environment of everything that the tests start


def pytest_addoption(parser):
    group = parser.getgroup("pgdeck")
    group.addoption("--all-versions", action="store_true", help="PostgreSQL 14 to 18")
    group.addoption("--pg", metavar="15,18", help="these versions of PostgreSQL only")
    group.addoption("--full-size", action="store_true", help="data of the real size")
    group.addoption("--keep", action="store_true", help="keep the folder of the run")
    group.addoption("--limit", type=int, default=300, metavar="S", help="seconds for one test")


def pytest_configure(config):
    config.addinivalue_line("markers", "pg(min, max): only on these versions of PostgreSQL")
    config.addinivalue_line("markers", "short(version): in the short suite on this version only")
    config.addinivalue_line("markers", "alone: measures milliseconds at full size: not side by side")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # clean up as after Ctrl-C


def pytest_generate_tests(metafunc):
    if "pg_version" not in metafunc.fixturenames:
        return
    config = metafunc.config
    versions = ALL if config.getoption("--all-versions") else ALWAYS
    short = metafunc.definition.get_closest_marker("short")
    if short and versions is ALWAYS:
        versions = short.args
    if config.getoption("--pg"):
        versions = [int(word) for word in config.getoption("--pg").split(",")]
    marker = metafunc.definition.get_closest_marker("pg")
    limits = marker.kwargs if marker else {}
    chosen = [v for v in versions if limits.get("min", 0) <= v <= limits.get("max", 99)]
    metafunc.parametrize("pg_version", chosen, ids=[f"pg{v}" for v in chosen], scope="session")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item):
    """A test that hangs fails; it does not take the whole run with it."""
    limit = item.config.getoption("--limit")

    def give_up(_signal, _frame):
        raise TimeoutError(f"the test took over {limit} s")

    signal.signal(signal.SIGALRM, give_up)
    signal.alarm(limit)
    yield
    signal.alarm(0)


def leftovers(root):
    """(pid, command) of the processes of this run that still live, but for this one."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            marked = f"{MARK}={root}\0".encode() in (entry / "environ").read_bytes()
            inside = (str(os.readlink(entry / "cwd")) + "/").startswith(f"{root}/")
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
        except (OSError, UnicodeDecodeError):
            continue
        if command and (marked or inside):
            found.append((int(entry.name), command))
    return found


def parent_folder():
    """Where the run's folder goes: into memory if there is plenty, as a new cluster has a thousand
    files, and the tests make hundreds of clusters; else /tmp. $PGDECK_TEST_PARENT decides."""
    if "PGDECK_TEST_PARENT" in os.environ:
        return os.environ["PGDECK_TEST_PARENT"]
    available = re.search(r"MemAvailable: *(\d+) kB", Path("/proc/meminfo").read_text())
    try:
        memory = os.statvfs("/dev/shm")
    except OSError:
        return "/tmp"
    is_fit = (os.access("/dev/shm", os.W_OK) and not memory.f_flag & os.ST_NOEXEC
              and min(int(available[1]) << 10, memory.f_bavail * memory.f_frsize) > MEMORY_NEEDED)
    return "/dev/shm" if is_fit else "/tmp"


@pytest.fixture(scope="session")
def root(request):
    """The folder of this run; the user postgres can enter it."""
    path = Path(tempfile.mkdtemp(prefix="pgdeck-test-", dir=parent_folder()))
    path.chmod(0o755)
    keeper = subprocess.Popen([Path(__file__).with_name("keeper.sh"), path],
                              stdin=subprocess.PIPE, start_new_session=True)
    os.environ[MARK] = str(path)
    yield path
    del os.environ[MARK]
    remains = leftovers(path)
    for pid, _command in remains:
        os.kill(pid, signal.SIGKILL)
    keep = request.config.getoption("--keep")
    if not keep:
        shutil.rmtree(path)
    else:
        path = path.rename(f"{path}-kept")
        print(f"\nkept: {path}")
    keeper.stdin.close()
    keeper.wait(30)
    assert not remains, f"left running by the tests: {remains}"


@pytest.fixture
def tmp_path(root, request):
    """Instead of pytest's own, which only root can enter."""
    name = re.sub(r"\W+", "-", request.node.name)[:30]
    path = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=root))
    path.chmod(0o755)
    yield path
    if not request.config.getoption("--keep"):
        shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def server_bin(root):
    """server_bin(18): the folder of that version's programs; skips the test if there is none."""
    staged = {}

    def stage(version):
        folder = find_bin(version)
        if folder is None:
            pytest.skip(f"no PostgreSQL {version} here: tools/fetch-postgres {version}")
        if CACHE not in folder.parents or os.geteuid() != 0:
            return folder
        # The clone may be where the user postgres cannot go, such as /root.
        copy = root / f"postgres-{version}"
        subprocess.run(["cp", "-a", "--reflink=auto", folder.parent, copy], check=True)
        return copy / "bin"

    def get(version):
        if version not in staged:
            staged[version] = stage(version)
        return staged[version]

    return get


@pytest.fixture(scope="session")
def template(root, server_bin):
    """template(18): a data directory of that version to copy, which takes a tenth of an initdb."""
    made = {}

    def get(version):
        if version not in made:
            folder = root / f"template-{version}"
            made[version] = Server.new(version, server_bin(version), folder).data
        return made[version]

    return get


def server_factory(root, server_bin, template=None):
    """(make, servers): make(version, **settings) starts a new private server. With template the
    first of a version is copied from there; no two have the same system identifier."""
    servers = []

    def make(version, **settings):
        bin_folder = server_bin(version)
        folder = Path(tempfile.mkdtemp(prefix=f"pg{version}-", dir=root))
        folder.rmdir()
        is_first = all(one.version != version for one in servers)
        source = template(version) if template and is_first else None
        server = Server.new(version, bin_folder, folder, settings, source)
        servers.append(server)
        return server.start()

    return make, servers


@pytest.fixture(scope="session")
def server(root, server_bin, pg_version):
    """One server per version for the whole run. Tests make databases of their own in it and leave
    its settings and roles as they were; others take fresh_server."""
    make, servers = server_factory(root, server_bin)
    yield make(pg_version)
    for one in servers:
        one.destroy()


@pytest.fixture
def make_server(root, server_bin, template):
    """make_server(15, work_mem="8MB"): new servers for this test only."""
    make, servers = server_factory(root, server_bin, template)
    yield make
    for one in servers:
        one.destroy()


@pytest.fixture(scope="module")
def module_server(root, server_bin, pg_version):
    """A server for the tests of this file only, of each version."""
    make, servers = server_factory(root, server_bin)
    yield make(pg_version)
    for one in servers:
        one.destroy()


@pytest.fixture(scope="module")
def module_pgdeck(root, pg_version, request):
    """As pgdeck, for fixtures that live as long as module_server."""
    yield from run_program(root / f"home-{request.module.__name__}-{pg_version}")


@pytest.fixture
def fresh_server(make_server, pg_version):
    """A server for this test only, of each version."""
    return make_server(pg_version)


def run_program(home):
    path = Path(os.environ.get("PGDECK", SOURCE / "build" / "pgdeck")).resolve()
    assert path.is_file(), f"{path} is not there: make build"
    home.mkdir()
    program = Program(path, home)
    yield program
    program.end()
    found = program.reports()
    assert not found, "\n".join(found)


@pytest.fixture
def pgdeck(tmp_path):
    """pgdeck("plan", path): Result(code, out, err). The program is $PGDECK or build/pgdeck."""
    yield from run_program(tmp_path / "home")


@pytest.fixture(scope="session")
def full_size(request):
    """Whether this is `make test-long`, which takes data of the real size."""
    return request.config.getoption("--full-size")


@pytest.fixture
def deck_dir(tmp_path):
    """deck_dir("saas-control-deck", conninfo): a copy of that deck, for another server."""

    def copy(name="saas-control-deck", conninfo=None):
        target = tmp_path / name
        shutil.copytree(SOURCE / "decks" / name, target)
        if conninfo:
            file = target / "deck.yaml"
            quoted = '"' + conninfo.replace("\\", "\\\\").replace('"', '\\"') + '"'
            text, count = re.subn(r"(?m)^(\s*conninfo:).*$", lambda m: f"{m[1]} {quoted}",
                                  file.read_text())
            assert count > 0, f"{file} has no conninfo to replace"
            file.write_text(text)
        return target

    return copy
