# SPDX-License-Identifier: MIT
"""What other drivers than libpq's do: the same through the pool as straight at the server.
drivers/README.md says what each program does."""

import fcntl
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from cluster import SOURCE
from test_pool import PASSWORD, logins, make_pool  # noqa: F401 (fixtures)
from test_pool_tls import authority, tls_keys, tls_server  # noqa: F401 (fixtures)

FOLDER = SOURCE / "tests/server/drivers"
CACHE = Path(os.environ.get("PGDECK_CACHE", SOURCE / ".cache"))
JAR = "/usr/share/java/postgresql.jar"


@pytest.fixture(scope="session")
def node_folder():
    """Where the node drivers of drivers/package.json are installed, pinned by its lock file."""
    folder = CACHE / "drivers"
    folder.mkdir(parents=True, exist_ok=True)
    locked = (FOLDER / "package-lock.json").read_bytes()
    done = folder / "node_modules/.done"
    with open(folder / "lock", "w", encoding="utf-8") as lock:  # tests run side by side
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists() or done.read_bytes() != locked:
            for name in ("package.json", "package-lock.json"):
                shutil.copy(FOLDER / name, folder)
            subprocess.run(["npm", "ci", "--silent", "--ignore-scripts", "--no-audit", "--no-fund",
                            "--cache", folder / "npm"], cwd=folder, check=True)
            done.write_bytes(locked)
    return folder


def java(_request, where, _folder):
    url = f"jdbc:postgresql://{where['host']}:{where['port']}/{where['dbname']}"
    words = [url, where["user"], where["password"]]
    words += [where["sslrootcert"]] if "sslrootcert" in where else []
    return ["java", "-cp", JAR, FOLDER / "JdbcSteps.java", *words], {}


def go(_request, _where, folder):
    return ["go", "run", FOLDER / "libpq_go_steps.go"], {
        "GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOCACHE": str(folder / "go"),
        "GOFLAGS": "-buildvcs=false"}


def node(name):
    def command(request, _where, _folder):
        return ["node", FOLDER / name], {
            "PGDECK_NODE_FOLDER": str(request.getfixturevalue("node_folder"))}
    return command


DRIVERS = {
    "psycopg2": lambda *_: (["/usr/bin/python3", FOLDER / "psycopg2_steps.py"], {}),
    "asyncpg": lambda *_: (["/usr/bin/python3", FOLDER / "asyncpg_steps.py"], {}),
    "node-pg": node("node_pg_steps.mjs"),
    "postgres.js": node("postgres_js_steps.mjs"),
    "DBD-Pg": lambda *_: (["perl", FOLDER / "dbd_pg_steps.pl"], {}),
    "pgjdbc": java,
    "lib-pq": go,
}
HEAVY = ("pgjdbc", "lib-pq")  # a JDK, a Go compiler: make test-long


def pytest_generate_tests(metafunc):
    if "driver" in metafunc.fixturenames:
        config = metafunc.config
        names = [n for n in DRIVERS if n not in HEAVY or config.getoption("--full-size")]
        metafunc.parametrize("driver", names)


class Driver:
    def __init__(self, request, name, folder):
        self.request, self.name, self.folder = request, name, folder

    def start(self, port, **more):
        where = {"host": "127.0.0.1", "port": port, "user": "alice", "password": PASSWORD,
                 "dbname": "app", **more}
        command, env = DRIVERS[self.name](self.request, where, self.folder)
        env = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "LC_ALL": "C.UTF-8",
               "PGDECK_DRIVER": json.dumps(where), **env,
               **{k: v for k, v in os.environ.items() if k.startswith("PGDECK_TEST")}}
        return subprocess.Popen(command, env=env, text=True, cwd=self.folder,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE)

    def end(self, process):
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, f"{self.name}: {err}\n{out}"
        return out

    def run(self, port, **more):
        return self.end(self.start(port, **more))


@pytest.fixture
def steps(request, driver, tmp_path):
    return Driver(request, driver, tmp_path)


@pytest.mark.pg(max=15)
def test_the_same_as_without_the_pool(steps, make_pool, logins):
    """In each mode, alone, and four at a time over five servers."""
    direct = steps.run(logins.port)
    assert len(direct) > 200, direct  # it did something
    for mode in ("session", "transaction"):
        pool = make_pool(mode=mode, max=3)
        assert steps.run(pool.port) == direct, mode
    pool = make_pool(mode="transaction", max=5)
    several = [steps.start(pool.port) for _ in range(4)]
    assert [steps.end(process) for process in several] == [direct] * 4


@pytest.mark.pg(max=15)
def test_tls_and_scram(steps, make_pool, tls_server, authority):
    """TLS with verify-full and SCRAM, to the pool and from it to the server."""
    root = str(authority.path("ca.crt"))
    direct = steps.run(tls_server.port, sslrootcert=root)
    pool = make_pool({"app": {"host": "localhost", "sslmode": "verify-full", "sslrootcert": root,
                              "max": 3}}, tls_keys(authority))
    assert steps.run(pool.port, sslrootcert=root) == direct
