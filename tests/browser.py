"""A real browser on a real Streamlit process, for tests of what a person sees."""

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def chromium():
    """Yield Debian's Chromium, drawing by software; skip where there is none, under CI fail."""
    if not CHROMIUM.exists():
        reason = "Chromium is not installed (apt-get install chromium)"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        browser.close()


class StreamlitProcess:
    """A script that serves on $PORT, as a process of its own; `address` stays over a restart."""

    def __init__(self, script, **environment):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.script = script
        self.address = f"http://127.0.0.1:{port}"
        self.environment = {
            **os.environ,
            "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}",
            "PORT": str(port),
            **environment,
        }
        self.output = tempfile.TemporaryFile()  # noqa: SIM115  (closed by stop)
        self.start()

    def start(self, patience_s=240):
        self.process = subprocess.Popen(
            [sys.executable, str(self.script)],
            cwd=ROOT, env=self.environment, stdout=self.output, stderr=subprocess.STDOUT,
        )  # fmt: skip
        end = time.monotonic() + patience_s
        while not self._healthy():
            if self.process.poll() is not None or time.monotonic() > end:
                self.output.seek(0)
                raise RuntimeError(self.output.read().decode())
            time.sleep(0.1)

    def _healthy(self):
        try:
            with urllib.request.urlopen(f"{self.address}/_stcore/health", timeout=2):  # noqa: S310
                return True
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False

    def kill(self):
        """End it in the middle of whatever it does."""
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=60)
        self.output.close()


@contextmanager
def streamlit_running(script, **environment):
    """Yield the address of a script that serves while the block runs."""
    process = StreamlitProcess(script, **environment)
    try:
        yield process.address
    finally:
        process.stop()


@contextmanager
def watched_page(chromium, address, *, size=(1366, 768), **options):
    """Yield a page of a fresh browser profile; afterwards nothing went wrong or to another host.

    Requests to other hosts are stopped, and fail the test.
    """
    context = chromium.new_context(viewport={"width": size[0], "height": size[1]}, **options)
    context.set_default_timeout(60_000)
    trouble = []

    def guard(route):
        if route.request.url.startswith(address):
            route.continue_()
        else:
            trouble.append(f"asked {route.request.url}")
            route.abort()

    context.route(lambda url: not url.startswith(("data:", "blob:")), guard)
    page = context.new_page()
    page.on("pageerror", lambda error: trouble.append(f"page error: {error}"))
    try:
        yield page
    finally:
        context.close()
    assert trouble == []
