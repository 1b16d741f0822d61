"""A trial subject from assignment to adjudication, as people do it, in a real browser."""

import io
import re
import zipfile
from urllib.parse import parse_qs, urlsplit

import pytest
from browser_station import BASELINE, CHROMIUM, FOLLOW_UP, VISITS, Person, image_people, running
from playwright.sync_api import expect, sync_playwright

DARK_AND_LARGE = {"color_scheme": "dark", "viewport": {"width": 1920, "height": 1080}}
GRAFT_LPS_MM = (30.0, -64.0, 21.0)


@pytest.fixture(scope="module")
def chromium():
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed (apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def station(tmp_path_factory):
    """P01 is given to both readers by the demonstration, P02 waits for the coordinator."""
    folder = tmp_path_factory.mktemp("station")
    image_people(folder / "images", {"P01": 1, "P02": 5})
    with running(folder / "data", "--demo", "--images", folder / "images") as started:
        yield started


def seed_in_graft(person):
    """Click with the seed tool on the brightest place of the left wall, and wait for an outline."""
    page = person.page
    page.locator(".viewer").focus()
    page.keyboard.press("d")
    box = page.locator(".pane.active, .pane").first.bounding_box()
    return box


def test_a_trial_subject_is_read_adjudicated_and_exported(chromium, station):
    coordinator = Person(chromium, station, "coordinator").arrive()
    page = coordinator.page
    for label, names in (("Cases", ["P02"]), ("Readers (at most 2)", ["reader-1", "reader-2"])):
        page.get_by_role("combobox", name=re.compile(re.escape(label))).click()
        for name in names:
            page.get_by_role("option", name=name).click()
        page.keyboard.press("Escape")
    page.get_by_role("button", name="Assign").click()
    expect(page.get_by_text("Every case has its readers")).to_be_visible()
    coordinator.shot("coordinator")
    read_all(Person(chromium, station, "reader-1").arrive(), at_m6={"b": "3"})
