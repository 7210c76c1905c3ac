# SPDX-License-Identifier: MIT
"""Headless Chromium by selenium, that can reach 127.0.0.1 and nothing else: for the tests of the
dashboard, its measurements (tests/perf/dashboard) and its pictures (tools/dashboard-pictures)."""

import base64
import shutil
import tempfile
from contextlib import contextmanager

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

ARGUMENTS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
             "--disable-background-networking", "--disable-component-update", "--disable-sync",
             "--disable-dev-shm-usage", "--hide-scrollbars", "--no-proxy-server", "--lang=en",
             "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost")
WIDE, PHONE = (1280, 900), (390, 844)
WAIT_S = 20


class Browser:
    def __init__(self, driver):
        self.driver = driver

    def look(self, size=WIDE, dark=False):
        """The size of the window (a phone's below 700), and light or dark."""
        width, height = size
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 700})
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]})

    def open(self, url):
        self.driver.get("about:blank")  # so that a change behind # is a page of its own, too
        self.driver.get(url)

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def find(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def text(self, selector="body"):
        return self.run("return document.querySelector(arguments[0])?.textContent ?? ''", selector)

    def wait(self, script, what, *arguments):
        """Until the script returns something; returns it."""
        return WebDriverWait(self.driver, WAIT_S, 0.1).until(
            lambda _driver: self.run(script, *arguments), f"no {what}; the page: {self.text()[:2000]}")

    def wait_for_panels(self, *names):
        for name in names:
            self.wait("return document.getElementById(arguments[0])?.hidden === false",
                      f"panel {name}", name)

    def console(self):
        """What was logged since the last call."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def picture(self, path):
        """Of the whole page, however long."""
        shot = self.driver.execute_cdp_cmd("Page.captureScreenshot", {
            "format": "png", "captureBeyondViewport": True, "optimizeForSpeed": False})
        path.write_bytes(base64.b64decode(shot["data"]))


@contextmanager
def open_browser():
    profile = tempfile.mkdtemp(prefix="pgdeck-chromium-")
    options = webdriver.ChromeOptions()
    for argument in (*ARGUMENTS, f"--user-data-dir={profile}"):
        options.add_argument(argument)
    options.binary_location = shutil.which("chromium")
    options.accept_insecure_certs = True
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(service=Service(shutil.which("chromedriver")), options=options)
    try:
        yield Browser(driver)
    finally:
        driver.quit()
        shutil.rmtree(profile, ignore_errors=True)
