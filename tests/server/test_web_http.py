# SPDX-License-Identifier: MIT
"""The dashboard's HTTP server against clients that are up to no good. web_board serves documents
from files; the server is the one of pgdeck watch."""

import http.client
import resource
import socket
import ssl
import subprocess
import time
import warnings
from contextlib import ExitStack
from pathlib import Path

import pytest

from web_documents import calm, write

TOKEN = "0123456789abcdef-token"
MANY, MANY_FULL = 1500, 10000
LIMIT_S = 10  # server.c


@pytest.fixture
def web_board(pgdeck, tmp_path):
    """web_board(*arguments): (process, its first line) with documents of a calm deck."""
    folder = tmp_path / "board"
    folder.mkdir()
    write(folder, calm(time.time()))
    program = Path(pgdeck.path).parent / "tests" / "web" / "web_board"
    processes = []

    def start(*arguments):
        process = subprocess.Popen([program, folder, *arguments], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, text=True)
        processes.append(process)
        return process, process.stdout.readline().strip()

    yield start
    for process in processes:
        process.stdin.close()
        assert process.wait(10) in (0, 22, 64), "it did not end in order"


@pytest.fixture
def port(web_board):
    _process, url = web_board()
    return int(url.rstrip("/").rpartition(":")[2])


def ask(port, path="/data/overview", method="GET", connection=None, **headers):
    """(status, headers, body)"""
    connection = connection or http.client.HTTPConnection("127.0.0.1", port, timeout=15)
    connection.request(method, path, headers={k.replace("_", "-"): v for k, v in headers.items()})
    response = connection.getresponse()
    return response.status, response.headers, response.read()


def talk(port, data, timeout=15):
    """What the server answers to these bytes until it closes the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as connection:
        try:
            connection.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass
        answer = b""
        try:
            while more := connection.recv(65536):
                answer += more
        except ConnectionResetError:
            pass
        return answer


def test_pages_and_documents(port):
    status, headers, body = ask(port, "/")
    assert status == 200 and body.startswith(b"<!doctype html>")
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "http" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    status, headers, body = ask(port)
    assert status == 200 and headers["Content-Type"] == "application/json" and b"pro1" in body
    assert ask(port, If_None_Match=headers["ETag"])[::2] == (304, b"")
    assert ask(port, method="HEAD")[::2] == (200, b"")
    assert ask(port, "/metrics")[2].endswith(b"pgdeck_up 1\n")
    assert ask(port, "/data/query/0f3a")[0] == 200
    assert ask(port, "/data/nothing")[::2] == (204, b"")
    assert ask(port, "/main.js")[1]["Content-Type"].startswith("text/javascript")


def test_a_connection_is_kept_and_documents_change(web_board, tmp_path):
    process, url = web_board()
    port = int(url.rstrip("/").rpartition(":")[2])
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=15)
    first = ask(port, connection=connection)
    used = connection.sock
    assert used is not None and ask(port, connection=connection)[0] == 200
    assert connection.sock is used
    (tmp_path / "board" / "overview.json").write_text('{"new": true}')
    process.stdin.write("\n")
    process.stdin.flush()
    assert process.stdout.readline() == "read\n"
    status, _headers, body = ask(port, connection=connection, If_None_Match=first[1]["ETag"])
    assert (status, body) == (200, b'{"new": true}')


def test_only_reading(port):
    for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND"):
        status, headers, _body = ask(port, "/data/overview", method)
        assert (status, headers["Allow"]) == (405, "GET, HEAD"), method
    answer = talk(port, b"CONNECT example.org:443 HTTP/1.1\r\nHost: localhost\r\n"
                        b"Connection: close\r\n\r\n")
    assert b" 200 " not in answer.partition(b"\r\n")[0]


def test_other_names_are_refused(port):
    for host in ("attacker.example", f"attacker.example:{port}", "127.0.0.1.attacker.example", ""):
        assert ask(port, Host=host)[0] == 421, host
        assert ask(port, "/", Host=host)[0] == 421, host
    for host in ("localhost", f"127.0.0.1:{port}", "[::1]:99"):
        assert ask(port, Host=host)[0] == 200, host
    assert talk(port, b"GET / HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 400")
    assert b" 421 " in talk(port, b"GET / HTTP/1.0\r\n\r\n")


@pytest.mark.parametrize("path", [
    "/../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/..%2f..%2fetc/passwd", "//etc/passwd",
    "/data/../../etc/passwd", "/data/%2e%2e/overview", "/data/overview%00.js", "/web/assets/main.js",
    "/index.html", "/data/metrics", "/data/", "/assets/", "/main.js/", "/%", "/%zz", "/data/ä",
    "/" + "a" * 3000])
def test_paths_lead_nowhere_else(port, path):
    line = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
    answer = talk(port, line)
    status = int(answer.split()[1])
    assert b"root:" not in answer
    # A NUL ends the path: that is the document itself.
    assert status == (200 if "%00" in path else 404), answer[:200]


def test_large_heads(port):
    for head in (b"X: " + b"a" * 40000, b"\r\n".join(b"X%d: a" % i for i in range(5000)),
                 b"Cookie: " + b"a=b; " * 9000):
        answer = talk(port, b"GET / HTTP/1.1\r\nHost: localhost\r\n" + head + b"\r\n\r\n")
        assert answer == b"" or answer.split()[1] in (b"413", b"414", b"431"), answer[:100]
    long_line = talk(port, b"GET /" + b"a" * 200000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert long_line == b"" or long_line.split()[1] in (b"413", b"414", b"431")
    assert ask(port)[0] == 200


GARBAGE = {
    "zeros": b"\x00" * 5000 + b"\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\xff" * 300,
    "no path": b"GET\r\n\r\n",
    "version": b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n",
    "empty lines": b"\r\n\r\n\r\n\r\n" * 100,
    "negative": b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
    "overflow": b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + b"9" * 40 + b"\r\n\r\n",
    "chunks": b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "two hosts": b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: attacker.example\r\n\r\n",
}


@pytest.mark.parametrize("kind", GARBAGE)
def test_garbage(port, kind):
    with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
        connection.sendall(GARBAGE[kind])
        try:
            assert not connection.recv(65536).startswith(b"HTTP/1.1 2") or kind == "two hosts"
        except (TimeoutError, ConnectionResetError):
            pass
        assert ask(port)[0] == 200
    assert ask(port)[0] == 200


def test_bodies_are_not_waited_for(port):
    began = time.monotonic()
    answer = talk(port, b"POST /data/overview HTTP/1.1\r\nHost: localhost\r\n"
                        b"Content-Length: 1000000000\r\n\r\nslow")
    assert answer.startswith(b"HTTP/1.1 405")
    answer = talk(port, b"GET /data/overview HTTP/1.1\r\nHost: localhost\r\n"
                        b"Content-Length: 1000000000\r\n\r\nslow")
    assert answer.startswith(b"HTTP/1.1 200")
    assert time.monotonic() - began < LIMIT_S / 2


def test_slow_heads_are_cut_off_and_hold_up_nobody(port):
    """One byte now and then would keep a connection open for ever by a limit of idleness."""
    with ExitStack() as stack:
        slow = [stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=1))
                for _ in range(20)]
        for one in slow:
            one.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ")
        began = time.monotonic()
        open_ones = set(slow)
        while open_ones and time.monotonic() - began < LIMIT_S + 15:
            for one in list(open_ones):
                try:
                    one.send(b"a")
                except OSError:
                    open_ones.discard(one)
            asked = time.monotonic()
            assert ask(port)[0] == 200
            assert time.monotonic() - asked < 2
            time.sleep(0.5)
        assert not open_ones, "a slow client was never cut off"
        assert time.monotonic() - began > LIMIT_S - 5


def test_many_connections(port, full_size):
    """More than the server holds: those that only connect go, somebody who asks is answered."""
    wanted = MANY_FULL if full_size else MANY
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, wanted + 500), hard))
    reader = http.client.HTTPConnection("127.0.0.1", port, timeout=15)
    assert ask(port, connection=reader)[0] == 200
    kept = reader.sock
    try:
        with ExitStack() as stack:
            for i in range(wanted):
                one = stack.enter_context(socket.socket())
                one.settimeout(15)
                one.connect(("127.0.0.1", port))
                if i % 2:
                    one.sendall(b"GET / HT")
                if i % 250 == 249:
                    began = time.monotonic()
                    assert ask(port)[0] == 200
                    assert ask(port, connection=reader)[0] == 200
                    assert time.monotonic() - began < 2
            assert reader.sock is kept, "who is served was cut off for those who only connect"
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_many_at_once(port):
    """Pipelined requests are answered one by one, in their order."""
    request = b"GET /data/alerts HTTP/1.1\r\nHost: localhost\r\n\r\n"
    last = b"GET /nothing HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    answer = talk(port, request * 50 + last)
    assert answer.count(b"HTTP/1.1 200 OK") == 50
    assert answer.count(b"HTTP/1.1 404") == 1 and answer.rindex(b"404") > answer.rindex(b"200 OK")


@pytest.mark.parametrize("listen", ["0.0.0.0:0", "[::]:0"])
def test_open_to_others_only_with_token_and_tls(web_board, listen):
    process, line = web_board(listen)
    assert "needs a token and TLS" in line and process.wait(10) == 22
    process, line = web_board(listen, TOKEN)
    assert "needs a token and TLS" in line and process.wait(10) == 22


def test_arguments_that_cannot_be(web_board):
    for listen in ("127.0.0.1", "127.0.0.1:", ":1", "127.0.0.1:99999", "127.0.0.1:x"):
        process, line = web_board(listen)
        assert "is not an address and a port" in line and process.wait(10) == 64
    process, line = web_board("127.0.0.1:0", "short")
    assert "shorter than" in line and process.wait(10) == 22


def test_token_and_tls(web_board, tmp_path):
    certificate, key = tmp_path / "server.crt", tmp_path / "server.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
                    "-keyout", key, "-out", certificate], check=True, capture_output=True)
    _process, url = web_board("0.0.0.0:0", TOKEN, certificate, key)
    assert url.startswith("https://0.0.0.0:")
    port = int(url.rstrip("/").rpartition(":")[2])
    trusted = ssl.create_default_context(cafile=certificate)

    def get(path, **headers):
        connection = http.client.HTTPSConnection("localhost", port, timeout=15, context=trusted)
        return ask(port, path, connection=connection, **headers)

    assert get("/")[0] == 200  # the page holds nothing of anybody
    for path in ("/data/overview", "/data/nothing", "/metrics"):
        status, headers, body = get(path)
        assert (status, headers["WWW-Authenticate"]) == (401, "Bearer") and b"pro1" not in body
    assert get("/data/overview", Authorization="Bearer " + TOKEN[:-1])[0] == 401
    assert get("/data/overview", Authorization="Bearer " + TOKEN)[0] == 200
    assert get("/metrics", Authorization="Bearer " + TOKEN)[0] == 200
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, ConnectionError)):
        with socket.create_connection(("localhost", port)) as plain:
            old.wrap_socket(plain).recv(1)
    assert b"200" not in talk(port, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
