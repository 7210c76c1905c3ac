# SPDX-License-Identifier: MIT
"""A private PostgreSQL server for tests: own data directory, own socket folder, a free loopback
port. As root it runs as the user postgres. Nothing here touches a process it did not start."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import psycopg

SOURCE = Path(__file__).resolve().parents[2]
CACHE = Path(os.environ.get("PGDECK_CACHE", SOURCE / ".cache")) / "postgres"
DEBIAN = Path("/usr/lib/postgresql")
CLIENT_BIN = DEBIAN / "15" / "bin"  # psql, pg_dump, pgbench: Debian's, whatever the server is
START_TIMEOUT_S = 60
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "fsync": "off",
    "max_connections": "60",
    "shared_buffers": "64MB",
    # Files below the data directory: a server that was killed leaves nothing in /dev/shm.
    "dynamic_shared_memory_type": "mmap",
    "logging_collector": "off",
}


def find_bin(version):
    """The folder with this major version's server programs, or None."""
    for folder in (DEBIAN / str(version) / "bin", CACHE / str(version) / "bin"):
        if (folder / "postgres").is_file():
            return folder
    return None


def as_server_user():
    """Arguments for subprocess: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    entry = pwd.getpwnam("postgres")
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(condition, timeout_s, what):
    """Polls until condition() is true; its value is returned."""
    deadline = time.monotonic() + timeout_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {timeout_s} s")
        time.sleep(0.02)


def quote_conninfo(value):
    escaped = str(value).replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


class Server:
    """folder is made by new(), belongs to the server's user and goes away with destroy()."""

    def __init__(self, version, bin_folder, folder):
        self.version = version
        self.bin = Path(bin_folder)
        self.folder = Path(folder)
        self.data = self.folder / "data"
        self.log = self.folder / "log"
        self.host = str(self.folder)  # of the socket
        self.port = None
        self.arguments = []  # more of them, for the start
        self.process = None

    @classmethod
    def new(cls, version, bin_folder, folder, settings=None, template=None):
        """template: the data directory of a server that never ran, to be copied (it then has the
        same system identifier) instead of an initdb."""
        server = cls(version, bin_folder, folder)
        server.folder.mkdir()
        server.log.touch()
        user = as_server_user()
        if user:
            os.chown(server.folder, user["user"], user["group"])
            os.chown(server.log, user["user"], user["group"])
        if template:
            subprocess.run(["cp", "-a", "--reflink=auto", template, server.data], check=True)
        else:
            server.run("initdb", "-D", server.data, "-U", "postgres", "-A", "trust", "-E", "UTF8",
                       "--locale=C.UTF-8", "--no-sync")
        server.configure(**{**SETTINGS, "unix_socket_directories": server.host,
                            **(settings or {})})
        return server

    def run(self, program, *args):
        """One of the server's own programs, as the server's user."""
        done = subprocess.run([self.bin / program, *args], capture_output=True, text=True,
                              cwd=self.folder, timeout=300, **as_server_user())
        if done.returncode != 0:
            raise RuntimeError(f"{program}: {done.stderr or done.stdout}")
        return done.stdout

    def configure(self, **settings):
        """Adds to postgresql.conf; read at the next start or reload."""
        with open(self.data / "postgresql.conf", "a", encoding="utf-8") as file:
            for name, value in settings.items():
                escaped = str(value).replace("'", "''")
                file.write(f"{name} = '{escaped}'\n")

    def pid(self):
        """Of the postmaster, whoever started it (pgdeck restarts servers too); None: not there."""
        if self.process is not None:
            self.process.poll()  # our own child, if it has ended, is a zombie until asked for
        try:
            pid = int((self.data / "postmaster.pid").read_text().split()[0])
            return pid if os.readlink(f"/proc/{pid}/cwd") == str(self.data) else None
        except (OSError, IndexError, ValueError):
            return None

    def is_ready(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"PostgreSQL {self.version} did not start:\n{self.log_text()}")
        try:
            psycopg.connect(self.conninfo(), connect_timeout=5).close()
            return True
        except psycopg.OperationalError:
            return False

    def start(self):
        if self.port is None:
            self.port = free_port()
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [self.bin / "postgres", "-D", self.data, "-p", str(self.port), *self.arguments],
                cwd=self.folder,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                **as_server_user())
        wait_for(self.is_ready, START_TIMEOUT_S, f"start of PostgreSQL {self.version}")
        return self

    def stop(self, how=signal.SIGINT):
        """SIGTERM smart, SIGINT fast, SIGQUIT immediate."""
        if self.pid() is not None:
            os.kill(self.pid(), how)
            wait_for(lambda: self.pid() is None, START_TIMEOUT_S, "stop of PostgreSQL")

    def restart(self):
        self.stop()
        return self.start()

    def reload(self):
        os.kill(self.pid(), signal.SIGHUP)

    def follow(self, primary, **settings):
        """Becomes a hot standby of primary, which is stopped to be copied."""
        self.stop()
        primary.stop()
        shutil.rmtree(self.data)
        subprocess.run(["cp", "-a", primary.data, self.data], check=True)
        primary.start()
        self.configure(unix_socket_directories=self.host, primary_conninfo=primary.conninfo(),
                       **settings)
        signal_file = self.data / "standby.signal"
        signal_file.touch()
        owner = self.data.stat()
        os.chown(signal_file, owner.st_uid, owner.st_gid)
        self.start()
        wait_for(lambda: self.value("SELECT count(*) FROM pg_stat_wal_receiver") == 1, 20, "stream")

    def kill9(self):
        """As the kernel would when it is out of memory: the postmaster and all its children."""
        family = [self.pid(), *self.children()]
        for pid in family:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        wait_for(lambda: self.pid() is None, START_TIMEOUT_S, "end of the postmaster")
        for pid in family:  # the zombie too: a server that starts would take it for its postmaster
            wait_for(lambda: self.pid() is None and not os.path.exists(f"/proc/{pid}"), 10,
                     f"end of process {pid}")

    def children(self):
        pid = self.pid()
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def destroy(self):
        self.stop()
        self.remove_shared_memory()
        shutil.rmtree(self.folder)

    def remove_shared_memory(self):
        """A killed server leaves one System V segment: its key and id are in postmaster.pid."""
        pid_file = self.data / "postmaster.pid"
        lines = pid_file.read_text().splitlines() if pid_file.exists() else []
        if len(lines) > 6 and lines[6].split():
            subprocess.run(["ipcrm", "-m", lines[6].split()[1]], check=False,
                           stderr=subprocess.DEVNULL)

    def log_text(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def conninfo(self, dbname="postgres", user="postgres", **more):
        """Through the socket; with host="127.0.0.1" through TCP."""
        words = {"host": self.host, "port": self.port, "user": user, "dbname": dbname, **more}
        return " ".join(f"{name}={quote_conninfo(value)}" for name, value in words.items())

    def connect(self, dbname="postgres", **more):
        """A psycopg connection that commits each statement by itself."""
        return psycopg.connect(self.conninfo(dbname, **more), autocommit=True)

    def query(self, sql, *values, dbname="postgres"):
        """All rows of one statement."""
        with self.connect(dbname) as connection:
            cursor = connection.execute(sql, values or None)
            return cursor.fetchall() if cursor.description else []

    def value(self, sql, *values, dbname="postgres"):
        """The first column of the first row."""
        return self.query(sql, *values, dbname=dbname)[0][0]

    def settle_statistics(self):
        """Before 15 a collector gathers them, and they are read with a delay."""
        if self.version < 15:
            time.sleep(1.2)

    def client(self, program, *args, dbname="postgres", text=None, timeout=120):
        """A client program of Debian's: psql, pg_dump, pgbench ...; its standard output."""
        env = {**os.environ, "PGHOST": self.host, "PGPORT": str(self.port),
               "PGUSER": "postgres", "PGDATABASE": dbname}
        done = subprocess.run([CLIENT_BIN / program, *args], input=text, capture_output=True,
                              text=True, env=env, timeout=timeout, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{program}: {done.stderr}")
        return done.stdout

    def psql(self, *args, dbname="postgres", text=None):
        """psql, unaligned, stopped by the first error. psql("-c", SQL), psql(text=SQL) ..."""
        return self.client("psql", "-XAtq", "-v", "ON_ERROR_STOP=1", *map(str, args),
                           dbname=dbname, text=text)
