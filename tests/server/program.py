# SPDX-License-Identifier: MIT
"""Runs pgdeck as a user would: a program with arguments, an exit code and two streams."""

import os
import signal
import subprocess
from dataclasses import dataclass


@dataclass
class Result:
    code: int
    out: str
    err: str


SANITIZERS = ("ASAN", "LSAN", "TSAN", "UBSAN")


class Program:
    """pgdeck with its own home and state folder, without the PG* variables of whoever tests."""

    def __init__(self, path, home):
        self.path = path
        self.home = home
        self.running = []

    def environment(self, more):
        env = {name: value for name, value in os.environ.items()
               if not name.startswith(("PG", "XDG_")) or name.startswith("PGDECK_TEST")}
        env.update(HOME=str(self.home), XDG_STATE_HOME=str(self.home / "state"),
                   PGDECK_STATE_DIR=str(self.home / "state" / "pgdeck"), LC_ALL="C.UTF-8")
        for name in SANITIZERS:
            given = os.environ.get(f"{name}_OPTIONS", "print_stacktrace=1")
            env[f"{name}_OPTIONS"] = f"{given}:log_path={self.home}/{name}"
        env.update(more or {})
        return env

    def reports(self):
        """What the sanitizers that it is built with have found."""
        return [file.read_text(errors="replace") for name in SANITIZERS
                for file in sorted(self.home.glob(f"{name}.*"))]

    def __call__(self, *args, env=None, text=None, timeout=60, expect=None, cwd=None):
        """Result of one run. With expect, any other exit code fails the test and shows why."""
        process = self.start(*args, env=env, cwd=cwd)
        try:
            out, err = process.communicate(text, timeout=timeout)
        except subprocess.TimeoutExpired:
            self.kill(process)
            out, err = process.communicate()
            raise AssertionError(f"pgdeck {args}: over {timeout} s\n{out}\n{err}") from None
        self.running.remove(process)
        result = Result(process.returncode, out, err)
        if expect is not None and result.code != expect:
            raise AssertionError(f"pgdeck {args}: {result.code}, not {expect}\n{out}\n{err}")
        return result

    def start(self, *args, env=None, cwd=None):
        """The running process, for tests that signal or kill it. Ended with the test. The daemons
        may be root's where the tests are."""
        more = ["--allow-root"] if args[:1] in (("pool",), ("watch",)) else []
        process = subprocess.Popen(
            [self.path, *map(str, args), *more], env=self.environment(env), cwd=cwd or self.home,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            start_new_session=True)
        self.running.append(process)
        return process

    def kill(self, process):
        """The process and what it started in its group."""
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait(10)

    def end(self):
        for process in self.running:
            self.kill(process)
            process.communicate()
        self.running.clear()
