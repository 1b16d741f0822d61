"""A reading station as its users meet it: `graftsite app` as a process, people at a browser."""

import os
import re
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.parse import parse_qs, urlsplit
from urllib.request import urlopen

import nibabel as nib
import numpy as np
from abdomen import PIXEL_MM, abdomen
from axe_playwright_python.sync_playwright import Axe
from browser import watched_page
from playwright.sync_api import expect

from imaging.geometry import to_ras

expect.set_options(timeout=120_000)

GRAFTSITE = Path(sys.executable).with_name("graftsite")
VISITS = ("BASELINE", "D28", "M3", "M6", "M12")
WAIT_MS = 120_000
ABDOMEN_PIXELS, ABDOMEN_MIDDLE_MM = (192, 130), (0.0, -PIXEL_MM / 2)
SHOTS = os.environ.get("GRAFTSITE_SCREENSHOTS")

BASELINE = dict(zip("tuorcgavewqj", "114101141114", strict=True))
FOLLOW_UP = BASELINE | dict(zip("lsbnmx", "112202", strict=True))
"""Question key to option key: everything as it should be."""


def image_people(folder, people):
    """Write NIfTI images of subjects, by name, with so many visits; the graft never changes."""
    t2, t1, _, _ = abdomen(graft=True)
    for name, visits in people.items():
        for visit in VISITS[:visits]:
            for volume, role in ((t2, "t2w_fs"), (t1, "t1w_fs")):
                path = folder / name / visit / f"{role}.nii.gz"
                path.parent.mkdir(parents=True, exist_ok=True)
                affine = to_ras(volume.geometry.affine)
                nib.save(nib.Nifti1Image(np.asarray(volume.array), affine), path)


@dataclass(frozen=True)
class Running:
    """A station that runs, and the passwords it printed."""

    url: str
    passwords: dict[str, str]
    data: Path
    printed: Path


@contextmanager
def running(data, *options, port=None):
    """Start a station and stop it; every page answers when this yields."""
    port = port or free_port()
    printed = data.parent / f"{data.name}-{port}.txt"
    with printed.open("wb") as out:
        command = [GRAFTSITE, "app", "--data", data, "--port", str(port), *options]
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for(lambda: process.poll() is not None or answers(f"{url}/_stcore/health"), 240)
        text = printed.read_text("utf-8", errors="replace")
        assert process.poll() is None, text
        yield Running(url, dict(re.findall(r"^ +([\w-]+) +(\w{16}) ", text, re.M)), data, printed)
    finally:
        process.terminate()
        process.wait(30)


def free_port():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


def answers(url):
    try:
        return urlopen(url, timeout=5).status == 200  # noqa: S310  # our own loopback
    except (URLError, ConnectionError, TimeoutError):
        return False


def wait_for(condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.1)


@contextmanager
def seated(chromium, station, name, **window):
    """Yield a person at a fresh browser; afterwards nothing went wrong or to another host."""
    with watched_page(chromium, station.url, locale="en-GB", **window) as page:
        page.context.set_default_timeout(WAIT_MS)
        person = Person(page, station, name)
        try:
            yield person
        except BaseException as error:
            person.shot(f"failed-{name}")
            error.add_note(f"{name} saw: {person.seen()}")
            raise


class Person:
    """One person at one browser window."""

    def __init__(self, page, station, name):
        self.page, self.station, self.name = page, station, name

    def sign_in(self, password=None):
        self.page.goto(self.station.url)
        self.page.fill("input[name=name]", self.name)
        self.page.fill("input[name=password]", password or self.station.passwords[self.name])
        self.page.click("form button")
        return self

    def arrive(self):
        self.sign_in()
        self.page.wait_for_selector(".st-key-bar")
        return self

    def open_next(self):
        """Open the visit that the worklist offers."""
        self.page.locator(".st-key-next button").click()
        self.reading()
        return self

    def reading(self):
        self.page.wait_for_selector(".form .questions")
        self.page.wait_for_selector(".viewer[data-ready=true]")

    @property
    def form(self):
        return self.page.locator(".form")

    def row(self, key):
        letter = self.page.locator(f'.line kbd:text-is("{key.upper()}")')
        return self.form.locator(".question", has=letter)

    def answer(self, given, saved=None):
        """Answer questions by the keyboard alone; `saved` is what the form then says."""
        self.form.locator(".line").first.focus()
        for key, option in given.items():
            self.row(key).wait_for()
            self.page.keyboard.press(key)
            self.row(key).and_(self.form.locator(".open")).wait_for()
            self.page.keyboard.press(option)
            self.row(key).locator(".answer:not(.none)").wait_for()
        if saved is None:
            self.saved()
        else:
            self.form.locator(".status", has_text=saved).wait_for()
        return self

    def seen(self):
        """Return what a failed test tells of the page: its words, and what the form has said."""
        form = self.form.locator(".status")
        if self.page.is_closed():
            return "a closed page"
        said = [(s.get_attribute("class"), s.inner_text()) for s in form.all()]
        return f"{said} {self.page.locator('body').inner_text()[:400]!r}"

    def saved(self):
        self.form.locator(".status.saved").wait_for()
        self.page.wait_for_function(
            """() => [...document.querySelectorAll('*')]
                .map((n) => n.shadowRoot?.querySelector('.form')).some(Boolean)
                && !Object.keys(sessionStorage).some((k) => k.startsWith('graftsite-read-'))"""
        )

    def prove(self, where=None):
        """Type the password that a signature asks for."""
        field = (where or self.page).get_by_label("Password", exact=True)
        field.fill(self.station.passwords[self.name])

    def lock(self):
        self.page.keyboard.press("Control+Enter")
        self.page.wait_for_selector("[role=dialog]")
        self.prove(self.page.get_by_role("dialog"))
        self.page.get_by_role("button", name="Sign", exact=True).click()
        self.page.wait_for_selector(".st-key-next-visit")
        return self

    def to_worklist(self):
        self.page.locator(".st-key-bar").get_by_text("Worklist").click()
        return self

    def something_waits(self):
        """Whether the worklist, when it is drawn, offers a visit."""
        next_one = self.page.locator(".st-key-next")
        next_one.or_(self.page.get_by_text("Nothing is waiting")).first.wait_for()
        self.settled()
        return next_one.count() > 0

    def settled(self):
        """Wait until the page is drawn whole."""
        self.page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")
        return self

    def download(self, button):
        """Press a button that gives a file, once it stands still; return the file's content."""
        pressed = self.page.get_by_role("button", name=button)
        pressed.wait_for()
        self.settled()
        with self.page.expect_download() as given:
            pressed.click()
        return Path(given.value.path()).read_bytes()

    @property
    def visit(self):
        return parse_qs(urlsplit(self.page.url).query)["visit"][0]

    def at(self, point_mm):
        """Return where a point of the T2W-FS lies on the screen, when one picture is fitted."""
        box = self.page.locator(".pane:not([hidden])").first.bounding_box()
        size = [n * mm for n, mm in zip(ABDOMEN_PIXELS, (PIXEL_MM, PIXEL_MM), strict=True)]
        scale = min(box["width"] / size[0], box["height"] / size[1])
        x, y = (p - m for p, m in zip(point_mm, ABDOMEN_MIDDLE_MM, strict=True))
        return box["x"] + box["width"] / 2 + x * scale, box["y"] + box["height"] / 2 + y * scale

    def shot(self, name):
        if SHOTS:
            Path(SHOTS).mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=Path(SHOTS) / f"{name}.png")

    def violations(self):
        """Serious accessibility violations in what the project itself draws."""
        found = Axe().run(self.page).response["violations"]
        return [
            f"{rule['id']}: {node['html'][:120]}"
            for rule in found
            if rule["impact"] in ("serious", "critical")
            for node in rule["nodes"]
            if ours(node)
        ]


def ours(node):
    """What is in a component of ours, in our own markup, or on our own sign-in page."""
    in_shadow = any(isinstance(target, list) for target in node["target"])
    return in_shadow or any(
        word in node["html"] for word in ('class="person"', 'class="what"', "<main")
    )
