"""A real browser on a real Streamlit process, for tests of what a person sees."""

import os
import socket
import subprocess
import sys
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


@contextmanager
def streamlit_running(script, **environment):
    """Start a script that serves on $PORT as a process of its own; yield its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    known = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}", "PORT": str(port)}
    process = subprocess.Popen(
        [sys.executable, str(script)],
        cwd=ROOT, env=known | environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        _wait_until_healthy(process, f"http://127.0.0.1:{port}/_stcore/health")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.communicate(timeout=20)


def _wait_until_healthy(process, url, patience_s=60):
    end = time.monotonic() + patience_s
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(process.communicate()[0].decode())
        try:
            with urllib.request.urlopen(url, timeout=2):  # noqa: S310  (our own server)
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    raise TimeoutError(url)


@contextmanager
def watched_page(chromium, address, *, size=(1366, 768), **options):
    """Yield a page of a fresh browser profile; afterwards nothing went wrong or to another host.

    Requests to other hosts are stopped, and fail the test.
    """
    context = chromium.new_context(viewport={"width": size[0], "height": size[1]}, **options)
    context.set_default_timeout(20_000)
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
