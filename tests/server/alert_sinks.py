# SPDX-License-Identifier: MIT
"""What alerts are sent to in tests: a webhook, a mail server, a real Alertmanager."""

import json
import socket
import socketserver
import subprocess
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def until(condition, what, seconds=40):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


class Webhook:
    """Keeps what is posted to it; answers with status, after delay seconds."""

    def __init__(self):
        self.bodies, self.headers, self.status, self.delay = [], [], 200, 0
        sink = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                time.sleep(sink.delay)
                sink.headers.append((self.path, dict(self.headers)))
                sink.bodies.append(json.loads(body))
                self.send_response(sink.status)
                self.send_header("Content-Length", "3")
                self.end_headers()
                self.wfile.write(b"\x1bno" if sink.status != 200 else b"yes")

            def log_message(self, *_arguments):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def events(self):
        return [(alert["event"], alert["name"]) for body in self.bodies for alert in body["alerts"]]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Mail:
    """The part of SMTP that a client needs; keeps (sender, recipients, message)."""

    def __init__(self):
        self.mails = []
        sink = self

        class Handler(socketserver.StreamRequestHandler):
            def say(self, line):
                self.wfile.write(line.encode() + b"\r\n")

            def take(self):
                lines = []
                while (line := self.rfile.readline()) not in (b".\r\n", b""):
                    lines.append(line[1:] if line.startswith(b".") else line)
                return b"".join(lines)

            def handle(self):
                sender, recipients = None, []
                self.say("220 sink")
                while line := self.rfile.readline().decode().strip():
                    verb = line[:4].upper()
                    if verb == "MAIL":
                        sender = line[10:].split()[0]
                    elif verb == "RCPT":
                        recipients.append(line[8:].split()[0])
                    elif verb == "DATA":
                        self.say("354 go on")
                        sink.mails.append((sender, recipients, self.take()))
                    elif verb == "QUIT":
                        self.say("221 bye")
                        return
                    self.say("250 fine")

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"smtp://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Alertmanager:
    """Debian's prometheus-alertmanager, which tells a webhook of ours what it would tell people."""

    def __init__(self, folder, webhook):
        self.url = f"http://127.0.0.1:{free_port()}"
        config = folder / "alertmanager.yml"
        config.write_text(
            "route: {receiver: sink, group_by: ['...'], group_wait: 0s, group_interval: 1s,\n"
            "        repeat_interval: 1h}\n"
            f"receivers: [{{name: sink, webhook_configs: [{{url: '{webhook.url}'}}]}}]\n")
        self.log = open(folder / "alertmanager.log", "wb")
        self.process = subprocess.Popen(
            ["prometheus-alertmanager", f"--config.file={config}",
             f"--storage.path={folder / 'alertmanager'}", "--cluster.listen-address=",
             f"--web.listen-address={self.url[7:]}"], stdout=self.log, stderr=self.log)
        until(self.is_ready, "prometheus-alertmanager does not come up")

    def is_ready(self):
        assert self.process.poll() is None, "prometheus-alertmanager ended"
        try:
            return urllib.request.urlopen(f"{self.url}/-/ready", timeout=5).status == 200
        except OSError:
            return False

    def alerts(self):
        with urllib.request.urlopen(f"{self.url}/api/v2/alerts", timeout=5) as answer:
            return json.load(answer)

    def close(self):
        self.process.terminate()
        self.process.wait(20)
        self.log.close()
