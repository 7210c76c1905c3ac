# SPDX-License-Identifier: MIT
"""What pgdeck pool measures, on its console and at /metrics, and a listener that takes anything."""

import re
import socket
import subprocess
import time

import psycopg
import pytest

from cluster import free_port, wait_for
from test_pool import logins, make_pool  # noqa: F401 (fixtures)


@pytest.fixture
def measured(make_pool):  # noqa: F811
    pool = make_pool(pooler={"metrics_port": free_port()}, max=2)
    return pool


def ask(pool, request, timeout=10, cut=None):
    with socket.create_connection(("127.0.0.1", pool.pooler["metrics_port"]), timeout) as peer:
        answer = b""
        try:
            peer.sendall(request)
            if cut:
                peer.shutdown(socket.SHUT_WR)
            while part := peer.recv(65536):
                answer += part
        except OSError:  # reset: it was refused before it was read
            pass
        return answer


def metrics(pool):
    answer = ask(pool, b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
    head, body = answer.split(b"\r\n\r\n", 1)
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert f"Content-Length: {len(body)}\r\n".encode() in head
    values = {}
    kinds = set()
    for line in body.decode().splitlines():
        if line.startswith("# TYPE "):
            name = line.split()[2]
            assert name not in kinds
            kinds.add(name)
        elif not line.startswith("#"):
            name, labels, value = re.fullmatch(r"(\w+)\{(.*)\} (\S+)", line).groups()
            found = dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', labels))
            assert re.sub(r"_(bucket|sum|count)$", "", name) in kinds or name in kinds
            rest = tuple(found.get(key, "") for key in ("user", "sqlstate", "le", "quantile"))
            if "fingerprint" in found:
                rest += (found["fingerprint"],)
            assert (name, *rest) not in values
            values[(name, *rest)] = float(value)
    return values


def test_what_is_measured(measured):
    pool = measured
    with pool.connect() as one:
        for _ in range(20):
            one.execute("SELECT 1")
        one.execute("SELECT pg_sleep(0.3)")
        for _ in range(3):
            with pytest.raises(psycopg.errors.DivisionByZero):
                one.execute("SELECT 1 / 0")
        with pytest.raises(psycopg.errors.UndefinedTable):
            one.execute("SELECT * FROM nowhere")
        one.execute("BEGIN")
        one.execute("SELECT 1")
        time.sleep(0.2)
        one.execute("COMMIT")
        with one.pipeline():
            for number in range(10):
                one.execute("SELECT %s::int", (number,))
        now = metrics(pool)
        alice = ("alice", "", "", "")
        assert now[("pgdeck_pool_clients", *alice)] == 1
        assert now[("pgdeck_pool_servers_max", *alice)] == 2
        assert now[("pgdeck_pool_queries_total", *alice)] == 20 + 1 + 4 + 3 + 10
        assert now[("pgdeck_pool_received_bytes_total", *alice)] > 20 * len("SELECT 1")
        assert now[("pgdeck_pool_errors_total", "alice", "22012", "", "")] == 3
        assert now[("pgdeck_pool_errors_total", "alice", "42P01", "", "")] == 1
        assert ("pgdeck_pool_errors_total", "bob", "22012", "", "") not in now
        # Each answer counted once: 28 simple queries, and the pipeline's groups.
        count = now[("pgdeck_pool_query_seconds_count", *alice)]
        assert 28 < count <= 28 + 10
        below = [value for key, value in now.items()
                 if key[0] == "pgdeck_pool_query_seconds_bucket" and key[1] == "alice"]
        assert below == sorted(below) and below[-1] == count
        assert count - now[("pgdeck_pool_query_seconds_bucket", "alice", "", "0.25", "")] == 1
        assert 0.3 <= now[("pgdeck_pool_query_quantile_seconds", "alice", "", "", "1")] < 0.45
        assert now[("pgdeck_pool_query_quantile_seconds", "alice", "", "", "0.5")] < 0.05
        assert 0.3 <= now[("pgdeck_pool_query_seconds_sum", *alice)] < 1
        # The transaction that idled is a long one, but no long query.
        assert now[("pgdeck_pool_transaction_seconds_count", *alice)] - now[
            ("pgdeck_pool_transaction_seconds_bucket", "alice", "", "0.1", "")] == 2
        assert count - now[("pgdeck_pool_query_seconds_bucket", "alice", "", "0.1", "")] == 1
        row, = [row for row in pool.show("LATENCY") if row["user"] == "alice"]
        assert int(row["count"]) == count
        assert 300_000 <= int(row["query_max_us"]) < 450_000
        assert int(row["query_p50_us"]) <= int(row["query_p95_us"]) <= int(row["query_max_us"])
        assert row["target"] == ""
        errors = {row["sqlstate"]: row["count"] for row in pool.show("ERRORS")}
        assert errors == {"22012": "3", "42P01": "1"}


def test_queries_are_told_apart(measured):
    """Texts that differ in constants only are one; prepared and plain ones, too."""
    pool = measured
    with pool.connect() as one:
        for number in range(30):
            one.execute(f"SELECT {number}, 'x{number}', /* {number} */ $tag${number}$tag$")
            one.execute("SELECT %s::int + 1", (number,), prepare=number % 2 == 0)
            one.execute(f"SELECT  1 WHERE 5 IN ({', '.join(map(str, range(number + 1)))})")
        one.execute("SELECT pg_sleep(0.3)")
        for _ in range(4):
            with pytest.raises(psycopg.errors.DivisionByZero):
                one.execute("SELECT 1 / (%s::int - 1)", (1,))
        with pytest.raises(psycopg.errors.UndefinedTable):
            one.execute("SELECT 1 FROM missing")
        one.execute("BEGIN")
        one.execute("SELECT repeat('x', 1000000)")
        time.sleep(0.1)
        one.execute("COMMIT")
    rows = {row["query"]: row for row in pool.show("QUERIES")}
    assert "SELECT ?" not in pool.log_text()
    plain = rows["SELECT ?"]
    assert plain["count"] == "30" and plain["errors"] == ""
    assert rows["SELECT ?::int + ?"]["count"] == "30"
    assert rows["SELECT ? WHERE ? IN (?)"]["count"] == "30"
    assert rows["SELECT ? / (?::int - ?)"]["errors"] == "22012:4"
    assert rows["SELECT ? FROM missing"]["errors"] == "42P01:1"
    slow = rows["SELECT pg_sleep(?)"]
    assert 290_000 <= int(slow["query_p95_us"]) <= int(slow["query_max_us"]) < 900_000
    assert int(rows["SELECT repeat(?)"]["received"]) > 1_000_000
    assert int(rows["BEGIN"]["xact_p95_us"]) >= 95_000  # of the whole transaction
    assert len({row["fingerprint"] for row in rows.values()}) == len(rows)
    now = metrics(pool)
    key = ("alice", "", "", "", plain["fingerprint"])
    assert now[("pgdeck_pool_fingerprint_queries_total", *key)] == 30
    body = ask(pool, b"GET /metrics HTTP/1.0\r\n\r\n").split(b"\r\n\r\n", 1)[1]
    linted = subprocess.run(["promtool", "check", "metrics"], input=body, capture_output=True)
    assert linted.returncode == 0, linted.stderr.decode()
    failed, = [row for row in rows.values() if row["errors"] == "22012:4"]
    assert now[("pgdeck_pool_fingerprint_errors_total", "alice", "22012", "", "",
                failed["fingerprint"])] == 4
    assert now[("pgdeck_pool_fingerprint_query_quantile_seconds", "alice", "", "", "0.95",
                slow["fingerprint"])] >= 0.29


def test_queries_have_a_bound(measured):
    pool = measured
    with pool.connect() as one:
        for number in range(300):
            one.execute(f"SELECT 1 AS a{number}")
        for _ in range(40):  # what comes often gets a place, although all are taken
            one.execute("SELECT 'often'")
    rows = {row["query"]: row for row in pool.show("QUERIES")}
    assert len(rows) == 65
    assert int(rows["SELECT ?"]["count"]) >= 30
    assert sum(int(row["count"]) for row in rows.values()) == 340
    assert rows["other"]["fingerprint"] == "other"


def test_waiting_is_measured(make_pool):  # noqa: F811
    pool = make_pool(max=1)
    with pool.connect() as one, pool.connect() as two:
        one.execute("BEGIN")
        two.pgconn.send_query(b"SELECT 1")
        time.sleep(0.3)
        one.execute("COMMIT")
        assert two.pgconn.get_result().get_value(0, 0) == b"1"
        assert two.pgconn.get_result() is None
        row, = [row for row in pool.show("LATENCY") if row["user"] == "alice"]
        assert 290_000 <= int(row["wait_max_us"]) < 600_000
        assert int(row["query_max_us"]) < 290_000


HOSTILE = [
    (b"", b""), (b"\r\n\r\n", b"400"), (b"GET\r\n\r\n", b"400"), (b"GET /metrics\r\n\r\n", b"400"),
    (b"GET  HTTP/1.1\r\n\r\n", b"404"), (b"GET /metrics HTTP/2.0\r\n\r\n", b"400"),
    (b"GET /metrics HTTP/1.1 x\r\n\r\n", b"400"), (b"POST /metrics HTTP/1.1\r\n\r\n", b"405"),
    (b"GET / HTTP/1.1\r\n\r\n", b"404"), (b"GET /../etc/passwd HTTP/1.1\r\n\r\n", b"404"),
    (b"GET /metrics/ HTTP/1.0\r\n\r\n", b"404"), (b"GET /metrics%00 HTTP/1.1\r\n\r\n", b"404"),
    (b"GET /metrics HTTP/1.1\r\nX: " + b"y" * 100_000, b"431"),
    (b"GET /" + b"x" * 100_000, b"431"), (b"\0" * 100_000, b"431"), (b"\xff" * 5000, b"431"),
    (b"\x16\x03\x01\x02\x00" + b"x" * 5000, b"431"),
    (b"GET /metrics HTTP/1.1\r\n\r\n" * 50, b"200"),
    (b"POST /metrics HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nGET /\r\n0\r\n\r\n", b"405"),
]


def test_the_listener_survives_anything(measured):
    pool = measured
    with pool.connect() as one:
        for request, status in HOSTILE:
            answer = ask(pool, request, cut=True)
            assert answer.count(b"HTTP/1.1 ") <= 1
            if len(request) < 4000:  # else it may be reset before it is read
                assert answer[9:12] == status, request
            assert one.execute("SELECT 1").fetchone() == (1,)
        # Slow ones and silent ones are closed, and are not many; others are served again after.
        address = ("127.0.0.1", pool.pooler["metrics_port"])
        peers = [socket.create_connection(address, 10) for _ in range(100)]
        for peer in peers[:50]:
            try:
                peer.sendall(b"GET /met")
            except OSError:
                pass
        assert one.execute("SELECT 1").fetchone() == (1,)

        def is_served():
            try:
                return metrics(pool)
            except (OSError, ValueError):
                return None

        wait_for(is_served, 15, "the metrics again")
        for peer in peers:
            peer.close()
    with open(f"/proc/{pool.process.pid}/status") as status:
        resident = int(re.search(r"VmRSS:\s+(\d+)", status.read())[1])
    assert resident < 100_000


def test_a_reader_that_stops(measured):
    """What it does not take at once is kept for it."""
    with socket.socket() as peer:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
        peer.connect(("127.0.0.1", measured.pooler["metrics_port"]))
        peer.sendall(b"GET /metrics HTTP/1.1\r\n\r\n")
        time.sleep(0.5)
        answer = b""
        while part := peer.recv(1000):
            answer += part
        length = int(re.search(rb"Content-Length: (\d+)", answer)[1])
        assert len(answer.split(b"\r\n\r\n", 1)[1]) == length


def test_not_to_everybody(pgdeck, tmp_path):
    file = tmp_path / "pool.yaml"
    file.write_text(f"pooler: {{port: {free_port()}, socket_folder: {tmp_path}, "
                    f"metrics_port: {free_port()}, metrics_listen: 0.0.0.0}}\n"
                    "databases: {app: {users: [alice]}}\n"
                    "users: {alice: {password_env: HOME}}\n")
    done = pgdeck("pool", "--config", file, timeout=20)
    assert done.code != 0 and "metrics are not served on 0.0.0.0" in done.err
