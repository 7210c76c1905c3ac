# SPDX-License-Identifier: MIT
"""The dashboard's page in Chromium, with the network closed: documents come from web_board."""

import json
import subprocess
import time
from pathlib import Path

import pytest

from browser import PHONE, WIDE, open_browser
from web_documents import HOSTILE, calm, hostile, write

PANELS = ("environments", "alerts-panel", "load", "queries-panel", "blocking", "pools-panel",
          "partitions-panel", "forecasts-panel", "log-panel", "drift", "health")
WEIGHT_MAX = 250_000
FIRST_PAINT_MS = 300 * 10  # make bench holds it to 300
TOKEN = "0123456789abcdef-token"


@pytest.fixture(scope="module")
def browser(root):
    with open_browser() as one:
        yield one


class Board:
    """The program web_board on a folder of documents."""

    def __init__(self, program, folder):
        self.program, self.folder, self.process = program, folder, None

    def start(self, *arguments):
        self.process = subprocess.Popen([self.program, self.folder, *arguments], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        url = self.process.stdout.readline().strip()
        assert url.startswith("http"), url
        return url.replace("0.0.0.0", "localhost")

    def put(self, name, document):
        (self.folder / f"{name}.json").write_text(json.dumps(document))
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "read\n"

    def stop(self):
        self.process.stdin.close()
        assert self.process.wait(10) == 0


@pytest.fixture
def board(pgdeck, tmp_path):
    """board(documents, *arguments): (a running Board, its URL)"""
    program = Path(pgdeck.path).parent / "tests" / "web" / "web_board"
    boards = []

    def start(documents, *arguments):
        folder = tmp_path / f"board{len(boards)}"
        folder.mkdir()
        write(folder, documents)
        boards.append(Board(program, folder))
        return boards[-1], boards[-1].start(*arguments)

    yield start
    for one in boards:
        if one.process.returncode is None:
            one.stop()


def settle(browser, url):
    """The first page, all of it; what the page before it said is not its fault."""
    browser.open("about:blank")
    browser.console()
    browser.open(url)
    browser.wait_for_panels(*PANELS)
    browser.wait("return document.querySelector('#load canvas') !== null", "chart")


def check_harmless(browser):
    assert browser.run("return window.hacked") is None
    assert browser.run("return document.querySelectorAll('script').length") == 2
    assert browser.run("return document.querySelectorAll('img').length") == 1
    assert browser.console() == []


def check_requests(browser, url):
    """Nothing but the server itself was asked for anything."""
    asked = browser.run("return performance.getEntriesByType('resource').map((one) => one.name)")
    assert asked and all(name.startswith(url) for name in asked)


def test_hostile_names_on_every_page(browser, board):
    _board, url = board(hostile(time.time()))
    browser.look(WIDE)
    browser.console()
    settle(browser, url)
    for panel in (*PANELS, "state"):
        text = browser.text(f"#{panel}")
        assert panel == "state" or "<script>window.hacked=1</script>" in text, panel
        assert "\u202e" not in text and (panel == "state" or "⟨U+202E⟩" in text), panel
        assert "undefined" not in text and "NaN" not in text and "[object" not in text, text
    assert "2 databases cannot be reached, 2 open alerts" in browser.text("#state")
    check_harmless(browser)

    links = len(browser.find(".queries a"))
    assert links == 5
    for i in range(links):
        browser.find(".queries a")[i].click()
        browser.wait("return document.querySelectorAll('main canvas').length === 2", "charts")
        for part in ("Index advice", "Plans", "Seen at work"):
            assert part in browser.text("main")
        browser.find("summary")[0].click()
        assert HOSTILE[:60] in browser.text("details[open]")
        assert HOSTILE[:40] in browser.text("main pre")
        check_harmless(browser)
        browser.find(".back a")[0].click()
        browser.wait_for_panels(*PANELS)
    for i in range(3):
        browser.find(".environment h3 a")[i].click()
        browser.wait("return document.querySelectorAll('main canvas').length === 5", "its targets")
        assert HOSTILE[:40] in browser.text("main h1")
        check_harmless(browser)
        browser.find(".back a")[0].click()
        browser.wait_for_panels(*PANELS)
    for button in browser.find("button"):
        button.click()
    browser.run("location.hash = '#/query/\"><img src=x onerror=window.hacked=1>'")
    browser.wait_for_panels(*PANELS)
    browser.run("location.hash = '#/query/nothing'")
    browser.wait("return document.body.textContent.includes('not among those')", "explanation")
    check_harmless(browser)
    check_requests(browser, url)


def test_calm_page_says_so(browser, board):
    _board, url = board(calm(time.time()))
    browser.look(WIDE)
    settle(browser, url)
    assert browser.text("#state") == "Everything is all right"
    for words in ("data, WAL: 2.79 GB of 46.6 GB free", "load 1.3", "No alert is open.",
                  "Nobody waits for a lock.", "as the deck wants them"):
        assert words in browser.text("main")
    assert browser.console() == []


def test_nothing_known_yet(browser, board):
    """No document is there: the page waits, without an error and without empty boxes."""
    running, url = board({})
    browser.look(WIDE)
    browser.open(url)
    browser.wait("return document.getElementById('live').textContent === 'live'", "connection")
    assert browser.run("return [...document.querySelectorAll('.panel')].every((p) => p.hidden)")
    assert browser.console() == []
    running.put("overview", calm(time.time())["overview"])
    browser.wait_for_panels("environments")


def test_weight_and_first_paint(browser, board):
    _board, url = board(calm(time.time()))
    browser.look(WIDE)
    settle(browser, url)
    entries = browser.run("return [...performance.getEntriesByType('navigation'),"
                          " ...performance.getEntriesByType('resource')].map((one) => one.toJSON())")
    assert len(entries) > 15
    assert sum(entry["transferSize"] for entry in entries) <= WEIGHT_MAX
    paint = browser.wait("return performance.getEntriesByName('first-contentful-paint')[0]"
                         "?.startTime", "first paint")
    assert paint < FIRST_PAINT_MS


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("documents", [calm, hostile])
def test_phone_and_dark(browser, board, documents, dark):
    _board, url = board(documents(time.time()))
    browser.look(PHONE, dark)
    settle(browser, url)
    for address in ("#/", "#/query/0f3a", "#/environment/e1"):
        browser.run("location.hash = arguments[0]", address)
        browser.wait("return document.querySelector('main canvas') !== null", "chart")
        assert browser.run("return document.documentElement.scrollWidth") == PHONE[0]
        wider = browser.run("return [...document.querySelectorAll('main *')].filter((one) =>"
                            " one.getBoundingClientRect().right > innerWidth + 1)"
                            ".map((one) => one.outerHTML.slice(0, 200))")
        assert wider == []
        if "query" in address:  # the pool's p95 since it runs, and the estimate of before
            marks = browser.run("return [...document.querySelectorAll('.legend li')].map("
                                "(one) => one.firstElementChild.nextSibling.textContent)")
            assert marks == ["mean", "p95", "p95 (estimate)", "calls in 5 min"]
    light = browser.run("""
        const parts = (property) => getComputedStyle(document.body)[property].match(/\\d+/g);
        const sum = (property) => parts(property).slice(0, 3).reduce((a, b) => a + Number(b), 0);
        return [sum("backgroundColor"), sum("color")];""")
    assert (light[0] < 150 and light[1] > 600) if dark else (light[0] > 700 and light[1] < 200)


def test_live_without_reload(browser, board):
    documents = calm(time.time())
    running, url = board(documents)
    browser.look(WIDE)
    settle(browser, url)
    browser.run("window.same = true")
    overview = documents["overview"]
    overview["environments"][2]["databases"][0].update(
        is_reachable=False, error="connection refused", since=time.time() - 5)
    running.put("overview", overview)
    browser.wait("return document.getElementById('state').textContent ==="
                 " '1 database cannot be reached'", "news")
    assert "connection refused" in browser.text("#environments")
    running.put("alerts", {"alerts": [{"level": "critical", "name": "connections", "server": "main",
                                       "since": time.time(), "message": "195 of 200 connections",
                                       "fix_sql": "SELECT pg_terminate_backend(1)"}]})
    browser.wait("return document.querySelector('.alert pre')?.textContent", "mending SQL")
    assert browser.run("return window.same")


def test_server_that_goes_and_comes(browser, board):
    running, url = board(calm(time.time()))
    browser.look(WIDE)
    settle(browser, url)
    running.stop()
    browser.wait("return !document.getElementById('banner').hidden", "banner")
    assert "does not answer" in browser.text("#banner")
    assert "production" in browser.text("#environments")
    running.start(url.split("//")[1].rstrip("/"))
    browser.wait("return document.getElementById('banner').hidden", "end of the banner")
    browser.console()


def test_token(browser, board, tmp_path):
    certificate, key = tmp_path / "server.crt", tmp_path / "server.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                    "-subj", "/CN=localhost", "-keyout", key, "-out", certificate],
                   check=True, capture_output=True)
    _board, url = board(calm(time.time()), "0.0.0.0:0", TOKEN, certificate, key)
    browser.look(WIDE)
    browser.open(url)
    browser.wait("return document.getElementById('token') !== null", "question for the token")
    assert "saascontrol" not in browser.text()
    browser.find("#token")[0].send_keys(TOKEN + "\n")
    browser.wait_for_panels(*PANELS)
    browser.run("sessionStorage.clear()")
    browser.open(f"{url}#token={TOKEN}")
    browser.wait_for_panels(*PANELS)
    assert TOKEN not in browser.driver.current_url
    browser.console()
