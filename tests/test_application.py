"""A trial subject from assignment to adjudication, as people do it, in a real browser."""

import csv
import io
import re
import shutil
import sqlite3
import zipfile
from contextlib import ExitStack, closing
from dataclasses import replace

import pytest
from browser_station import BASELINE, FOLLOW_UP, Person, image_people, running, seated
from playwright.sync_api import expect

from readers import accounts, assigning, cases, sessions
from readers.actor import SYSTEM, Role
from readers.paradigm import load_paradigm
from readers.passwords import random_password
from readers.store import open_store

GRAFT_MM = (30.0, -64.0)
"""The middle of the graft in the slice that the viewer opens at, LPS x and y."""


@pytest.fixture(scope="module")
def station(tmp_path_factory):
    """P01 is given to both readers by the demonstration, P02 waits for the coordinator."""
    folder = tmp_path_factory.mktemp("station")
    image_people(folder / "images", {"P01": 1, "P02": 5})
    with running(folder / "data", "--demo", "--images", folder / "images") as started:
        yield started


def choose(page, label, *options):
    page.get_by_role("combobox", name=re.compile(re.escape(label))).click()
    for option in options:
        page.get_by_role("option", name=option).click()
    page.keyboard.press("Escape")


def outline(person, words):
    """Wait until the form tells the measure of the reader's own outline."""
    note = person.form.locator(".note", has_text=words)
    note.wait_for()
    return float(re.search(r"([\d.]+) mL", note.inner_text()).group(1))


def seed(person):
    person.page.locator(".viewer").focus()
    person.page.keyboard.press("d")
    person.page.mouse.click(*person.at(GRAFT_MM))
    return outline(person, "from a seed")


def paint(person):
    person.page.locator(".viewer").focus()
    person.page.keyboard.press("1")  # drawn on the image as acquired
    person.page.wait_for_selector(".viewer[data-layout=one][data-ready=true][data-masks=here]")
    person.page.keyboard.press("b")
    x, y = person.at(GRAFT_MM)
    person.page.mouse.move(x - 20, y)
    person.page.mouse.down()
    person.page.mouse.move(x + 20, y, steps=5)
    person.page.mouse.up()
    return outline(person, "edited")


def read_everything(person, *, at_m6=None, helped=False):
    """Read and sign what the worklist offers, with a seed and an edit where `helped`."""
    visits = []
    while person.something_waits():
        visit = person.open_next().visit
        if helped and visit == "BASELINE":
            assert seed(person) > 1.0
            person.shot("reading-seed")
        if helped and visit == "M3":
            assert paint(person) > 0.1
        given = BASELINE if visit == "BASELINE" else FOLLOW_UP
        person.answer(given | ((at_m6 or {}) if visit == "M6" else {}))
        person.shot(f"reading-{person.name}-{visit}")
        person.lock()
        person.shot(f"locked-{person.name}-{visit}")
        person.to_worklist()
        visits.append(visit)
    return visits


def decide_a_third_way(adjudicator):
    page = adjudicator.arrive().page
    page.get_by_role("button", name="Decide").click()
    page.wait_for_selector(".viewer[data-ready=true]")
    adjudicator.shot("dispute")
    assert "reader" not in page.get_by_test_id("stTable").first.inner_text()
    page.get_by_role("radiogroup").get_by_text("A third reading").click()
    adjudicator.answer({"b": "1", "n": "1"}, saved="Not signed yet")
    page.get_by_label("Reason").fill("The graft is smaller than at baseline.")
    adjudicator.prove()
    page.get_by_role("button", name="Sign the decision").click()
    expect(page.get_by_text("No visit waits for a decision")).to_be_visible()


def change_mind_and_correct(reader):
    """On the last visit that was read: a second answer, then a correction, each with its reason."""
    page = reader.page
    page.get_by_role("button", name="Look again").first.click()
    for name, about, answer in (
        ("Second answer…", "A second answer stands", {"j": "5"}),
        ("Correct…", "A correction replaces", {"j": "3"}),
    ):
        page.get_by_role("button", name=name).click()
        expect(page.get_by_text(about)).to_be_visible()
        reader.reading()
        reader.answer(answer, saved="Not signed yet")
        end_session(reader)  # what was not signed is found again
        reader.arrive()
        page.get_by_role("button", name="Look again").first.click()
        page.get_by_role("button", name=name).click()
        reader.reading()
        expect(reader.form.locator(".status.held")).to_have_text("Not signed yet")
        expect(reader.row("j").locator(".answer")).to_contain_text(answer["j"])
        reader.form.locator(".line").first.focus()
        page.keyboard.press("Control+Enter")
        page.get_by_role("dialog").get_by_label("Reason").fill(f"{name} for a test")
        reader.prove(page.get_by_role("dialog"))
        page.get_by_role("button", name="Sign", exact=True).click()
        page.get_by_role("dialog").wait_for(state="hidden")
    page.get_by_text("Signatures").click()
    expect(page.get_by_text("Second answer, after the program's values")).to_be_visible()
    expect(page.get_by_text("Reason: Correct… for a test")).to_be_visible()


def exported(coordinator):
    """Return the export's CSV of reads as lines of cells."""
    page = coordinator.page
    page.locator(".st-key-bar").get_by_text("Export").click()
    page.get_by_role("button", name="Make the export").click()
    archive = zipfile.ZipFile(io.BytesIO(coordinator.download("Download")))
    return list(csv.DictReader(io.StringIO(archive.read("reads.csv").decode("utf-8"))))


def reported(coordinator, subject):
    """Return the PDF report of a subject, made on the page that is open."""
    page = coordinator.page
    choose(page, "Subject", subject)
    page.get_by_role("button", name="Make the report").click()
    return coordinator.download("PDF")


@pytest.mark.parametrize(
    ("size", "scheme"), [((1366, 768), "light"), ((1920, 1080), "dark")], ids=["small", "large"]
)
def test_a_read_fits_the_screen_and_everybody_can_use_it(chromium, station, size, scheme):
    window = {"size": size, "color_scheme": scheme}
    with seated(chromium, station, "reader-1", **window) as reader:
        page = reader.page
        page.goto(station.url)
        assert reader.violations() == []
        reader.arrive().open_next()
        reader.shot(f"reading-{scheme}-{size[0]}")
        assert reader.violations() == []
        beyond = "() => document.documentElement.scrollHeight - window.innerHeight"
        assert page.evaluate(beyond) <= 0
        for part in (".form", ".viewer"):
            box = page.locator(part).bounding_box()
            assert box["y"] + box["height"] <= size[1]


def test_the_application_speaks_chinese_when_it_is_asked_to(chromium, station):
    with seated(chromium, station, "reader-1") as reader:
        page = reader.page
        page.goto(station.url)
        page.get_by_role("link", name="中文").click()
        expect(page.get_by_role("button", name="登录")).to_be_visible()
        reader.arrive().open_next()
        expect(reader.form).to_contain_text("图像质量")
        reader.shot("reading-chinese")
        page.get_by_role("link", name="English").click()
        reader.reading()
        expect(reader.form).to_contain_text("Image quality")


def test_nobody_gets_in_without_a_session_nor_sees_another_readers_case(chromium, station):
    with seated(chromium, station, "reader-2") as reader:
        page = reader.page
        page.goto(f"{station.url}/reading?case=1&visit=BASELINE")
        expect(page.get_by_label("Password")).to_be_visible()
        assert page.request.get(f"{station.url}/_stcore/host-config").status == 401
        reader.sign_in("not the password")
        expect(page.get_by_role("alert")).to_contain_text("wrong")
        reader.arrive()
        for case in ("1", "999", "x", "1%27--"):
            page.goto(f"{station.url}/reading?case={case}&visit=BASELINE")
            expect(page.get_by_test_id("stAlert")).to_be_visible()
            assert page.locator(".viewer").count() == 0
        page.goto(f"{station.url}/progress")
        page.wait_for_selector(".st-key-bar")
        assert page.get_by_role("button", name="Assign").count() == 0


def test_two_tabs_of_one_reader_lose_nothing(chromium, station):
    with seated(chromium, station, "reader-1") as reader:
        reader.arrive().open_next()
        second = Person(reader.page.context.new_page(), station, "reader-1")
        second.page.goto(reader.page.url)
        second.reading()
        reader.answer({"t": "1", "u": "1"})
        second.form.locator(".line").first.focus()
        second.page.keyboard.type("t2")
        expect(second.page.get_by_text("changed in another tab")).to_be_visible()
        second.page.get_by_role("button", name="Those of this tab").click()
        expect(second.row("t")).to_contain_text("with limits")
        second.answer({"u": "2"})
        reader.page.reload()
        reader.reading()
        expect(reader.row("t")).to_contain_text("with limits")
        expect(reader.row("u")).to_contain_text("with limits")


def test_an_expired_session_loses_nothing_that_was_typed(chromium, station):
    typed = "<b onmouseover=alert(1)>bold</b> & 'quoted'; DROP TABLE read;--"
    with seated(chromium, station, "reader-2") as reader:
        reader.arrive().open_next()
        end_session(reader)
        reader.form.locator(".line").first.focus()
        reader.page.keyboard.press("z")
        reader.page.keyboard.press("Control+A")
        reader.page.keyboard.type(typed)
        expect(reader.page.get_by_text("Nothing is lost")).to_be_visible()
        password = reader.page.get_by_label("Password", exact=True)
        password.fill(station.passwords["reader-2"])
        reader.page.get_by_role("button", name="Sign in").click()
        reader.reading()
        expect(reader.row("z")).to_contain_text(typed)
        reader.saved()
        reader.page.reload()
        expect(reader.page.get_by_label("Password")).to_be_visible()
        reader.sign_in()
        reader.open_next()
        expect(reader.row("z").locator(".answer")).to_have_text(typed)
        assert reader.row("z").locator("b").count() == 0


def test_an_answer_or_a_signature_that_is_lost_on_its_way_is_sent_again(chromium, station):
    lost, losing = [], []
    with seated(chromium, station, "reader-2") as reader:

        def between(socket):
            server = socket.connect_to_server()
            socket.on_message(lambda m: lost.append(losing.pop()) if losing else server.send(m))

        reader.page.route_web_socket(re.compile("_stcore/stream"), between)
        reader.arrive().open_next()
        losing.append("this one")
        reader.answer({"t": "1"})
        assert lost == ["this one"]
        losing.append("this one too")
        reader.page.keyboard.press("Control+Enter")
        expect(reader.row("o")).to_have_class(re.compile("error"))
        assert lost == ["this one", "this one too"]
        reader.page.reload()
        reader.reading()
        expect(reader.row("t").locator(".answer")).to_have_text("Evaluable")


def test_a_question_that_opens_late_does_not_take_the_answer_to_another(chromium, station):
    kept, holding = [], []
    with seated(chromium, station, "reader-2") as reader:

        def between(socket):
            server = socket.connect_to_server()
            server.on_message(lambda m: kept.append((socket, m)) if holding else socket.send(m))

        reader.page.route_web_socket(re.compile("_stcore/stream"), between)
        reader.arrive().open_next()
        holding.append("until the reader has gone on")
        reader.form.locator(".line").first.focus()
        reader.page.keyboard.type("t2u")
        reader.page.wait_for_timeout(2_000)
        holding.clear()
        for socket, message in kept:
            socket.send(message)
        reader.row("y").wait_for()
        reader.page.keyboard.press("1")
        expect(reader.row("u").locator(".answer")).to_have_text("Evaluable")
        expect(reader.row("y").locator(".answer")).to_have_class(re.compile("none"))
        reader.answer({"t": "1"})


def test_an_answer_that_the_store_cannot_take_is_sent_again_when_it_can(chromium, station):
    with seated(chromium, station, "reader-2") as reader:
        reader.arrive().open_next()
        with closing(sqlite3.connect(station.data / "reads.sqlite", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            reader.answer({"u": "1"}, saved="cannot be used now")
            other.execute("ROLLBACK")
        reader.saved()
        reader.page.reload()
        reader.reading()
        expect(reader.row("u").locator(".answer")).to_have_text("Evaluable")
        expect(reader.form.locator(".status.saved")).to_be_visible()


def end_session(person):
    cookies = {c["name"]: c["value"] for c in person.page.context.cookies()}
    store = open_store(f"sqlite:///{person.station.data / 'reads.sqlite'}")
    sessions.sign_out(store, cookies["graftsite_session"])
    store.close()


FORGED = {
    "certainly": {"graft_seen": "certainly"},
    "drop": {"drop": "table"},
    "2000000": {"comment": "x" * 2_000_000},
    "diameter_mm": {"foci": [{"diameter_mm": 1e9}]},
}
"""What the refusal names, and what a forged message of the form holds."""


def test_forged_messages_are_refused_and_nothing_is_stored(chromium, station):
    with seated(chromium, station, "reader-2") as reader:
        reader.arrive().open_next()
        kept = reader.form.locator(".answer").all_inner_texts()
        number, revision = draft(reader)
        for said, forged in FORGED.items():
            # What a tab had not saved is sent when it comes back: here, what it never had.
            reader.page.evaluate(
                "([name, held]) => sessionStorage.setItem(name, JSON.stringify(held))",
                [f"graftsite-read-{number}", {"revision": revision, "answers": forged}],
            )
            reader.page.reload()
            expect(reader.form.locator(".status.failed")).to_contain_text(said)
        reader.page.evaluate("sessionStorage.clear()")
        reader.page.reload()
        reader.reading()
        assert reader.form.locator(".answer").all_inner_texts() == kept


def draft(person):
    """Return id and revision of the one draft that is open to a person."""
    with closing(sqlite3.connect(person.station.data / "reads.sqlite")) as database:
        return database.execute(
            "SELECT draft.read_id, draft.revision FROM draft"
            " JOIN read ON read.id = draft.read_id"
            " JOIN assignment ON assignment.id = read.assignment_id"
            " JOIN account ON account.id = assignment.reader_id"
            " LEFT JOIN signed ON signed.read_id = read.id"
            " WHERE account.name = ? AND signed.id IS NULL",
            (person.name,),
        ).fetchone()


@pytest.fixture()
def ten_readers(station):
    """Ten readers, two a case, all on the images of P01; return their passwords."""
    store = open_store(f"sqlite:///{station.data / 'reads.sqlite'}")
    coordinator = next(a.actor for a in accounts.every(store, SYSTEM) if a.name == "coordinator")
    known = next(c for c in cases.every(store, SYSTEM) if c.case_id == "P01")
    passwords = {}
    for number in range(5):
        pair = [f"t{2 * number}", f"t{2 * number + 1}"]
        for name in pair:
            once = accounts.create(store, SYSTEM, name, name, Role.READER)
            actor = next(a.actor for a in accounts.every(store, SYSTEM) if a.name == name)
            passwords[name] = random_password()
            accounts.change_password(store, actor, once, passwords[name])
        subjects = station.data / "subjects"
        shutil.copy(subjects / "P01.json", subjects / f"T{number}.json")
        cases.register(store, SYSTEM, f"T{number}", known.visits)
        assigning.assign(store, coordinator, f"T{number}", pair, load_paradigm())
    yield passwords
    store.close()


def test_ten_readers_at_once_lose_no_answer(chromium, station, ten_readers):
    everyone = replace(station, passwords={**station.passwords, **ten_readers})
    with ExitStack() as room:
        readers = [
            room.enter_context(seated(chromium, everyone, name)).arrive().open_next()
            for name in ten_readers
        ]
        some = dict(list(BASELINE.items())[:5])
        for key, option in some.items():
            for reader in readers:
                # Everybody answers before anybody waits, so that ten saves come together.
                reader.row(key).wait_for()
                reader.form.locator(".line").first.focus()
                reader.page.keyboard.press(key)
                reader.page.keyboard.press(option)
        for reader in readers:
            reader.saved()
            reader.page.reload()
        for reader in readers:
            reader.reading()
            for key in some:
                expect(reader.row(key).locator(".answer")).not_to_have_class(re.compile("none"))


def test_a_trial_subject_is_read_adjudicated_and_exported(chromium, station):
    with seated(chromium, station, "coordinator") as coordinator:
        page = coordinator.arrive().page
        choose(page, "Cases", "P02")
        choose(page, "Readers", "reader-1", "reader-2")
        page.get_by_role("button", name="Assign").click()
        expect(page.get_by_text("Every case has its readers")).to_be_visible()
    with seated(chromium, station, "reader-1") as reader:
        assert len(read_everything(reader.arrive(), helped=True)) == 6
        change_mind_and_correct(reader)
    with seated(chromium, station, "reader-2") as reader:
        assert len(read_everything(reader.arrive(), at_m6={"b": "3", "n": "3"})) == 6
    with seated(chromium, station, "adjudicator") as adjudicator:
        decide_a_third_way(adjudicator)
    with seated(chromium, station, "coordinator") as coordinator:
        page = coordinator.arrive().page
        row = page.get_by_role("row", name="Both together").filter(has_text="adjudicated")
        assert row.inner_text().split()[2:] == ["agreed"] * 3 + ["adjudicated", "agreed"]
        coordinator.shot("coordinator-progress")
        page.locator(".st-key-bar").get_by_text("Agreement").click()
        share = page.get_by_role("row", name="Shape").first
        expect(share).to_contain_text("0.83")
        coordinator.shot("coordinator-agreement")
        reads = exported(coordinator)
        assert reported(coordinator, "P02").startswith(b"%PDF")
    assert len(reads) == 14  # twelve visits, a second answer and a correction
    m6 = {read["reader"]: read for read in reads if read["visit"] == "M6"}
    assert m6["reader-1"]["answer.size_versus_baseline"] == "stable"
    assert m6["reader-2"]["answer.size_versus_baseline"] == "larger"


def test_people_are_made_asked_and_answer(chromium, station):
    with seated(chromium, station, "administrator") as administrator:
        page = administrator.arrive().page
        page.get_by_label("Sign-in name").fill("new-reader")
        page.get_by_label("Name in signatures").fill("New Reader")
        page.get_by_role("button", name="Create").click()
        expect(page.get_by_text("One-time password of new-reader")).to_be_visible()
        password = page.get_by_test_id("stCode").inner_text().strip()
        page.locator(".st-key-bar").get_by_text("Audit log").click()
        expect(page.get_by_text("audit verify")).to_be_visible()
    with seated(chromium, station, "new-reader") as new:
        new.sign_in(password)
        for name, value in (
            ("old", password),
            ("new", "a long password"),
            ("again", "a long password"),
        ):
            new.page.fill(f"input[name={name}]", value)
        new.page.click("form button")
        expect(new.page.get_by_text("Nothing is waiting to be read")).to_be_visible()
    with seated(chromium, station, "coordinator") as coordinator:
        page = coordinator.arrive().page
        page.locator(".st-key-bar").get_by_text("Queries").click()
        page.get_by_label("Question").fill("Is <b>this</b> the left side?")
        page.get_by_role("button", name="Ask").click()
        expect(page.get_by_text("Is <b>this</b> the left side?")).to_be_visible()
    asked = ""
    for name in ("reader-1", "reader-2"):
        with seated(chromium, station, name) as reader:
            page = reader.arrive().page
            reader.something_waits()
            page.wait_for_timeout(2_000)  # below what waits, if at all
            if page.get_by_label("Your answer").count():
                asked = name
                page.get_by_label("Your answer").fill("It is.")
                page.get_by_role("button", name="Send").click()
                expect(page.get_by_text("It is.")).to_be_visible()
    assert asked.startswith("reader")
    with seated(chromium, station, "coordinator") as coordinator:
        page = coordinator.arrive().page
        page.locator(".st-key-bar").get_by_text("Queries").click()
        page.get_by_label("With what result").fill("Settled.")
        page.get_by_role("button", name="Close").click()
        expect(page.get_by_text("closed")).to_be_visible()
