"""Reports: what they say, what they look like on paper and to a screen reader, what is hidden."""

import csv
import io
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from axe_playwright_python.sync_playwright import Axe
from dicom_results import record_of, visit_dict
from PIL import Image
from pypdf import PdfReader
from reading_room import BASELINE as READ_BASELINE
from reading_room import LARGER, STABLE

from imaging.protocol import load_protocol
from imaging.schedule import due_days
from surveillance.batch import Request as Assess
from surveillance.batch import run
from surveillance.cohort import Allocation, cohort_of, load_allocations
from surveillance.errors import ReportError
from surveillance.exports.cohort_rows import save_rows
from surveillance.guidance import parse_guidance
from surveillance.locked_reads import LockedReads
from surveillance.render import fonts
from surveillance.render.cohort_page import cohort_document
from surveillance.render.page import Look, Paper
from surveillance.render.retelling import retold
from surveillance.render.subject_page import subject_document
from surveillance.render.wording import CHARACTERS_MAX, Wording, legible
from surveillance.report import Pictures, deciding, missing_visits, subject_report, visit_report
from surveillance.reporting import Request, report_subjects
from surveillance.summary import Reporter
from surveillance.trends import trends_of

PROTOCOL = load_protocol()
SAMPLE = Path(__file__).parents[1] / "sample_dicom" / "subjects" / "S02"
DUE_DAYS = due_days(PROTOCOL.visits)
NO_PICTURES = Pictures(reason="the images were not given (--images)")
SHA256 = PROTOCOL.sha256
FINDINGS = ("morphological_stability", "signal_characteristics", "fat_absence")


def visit(name, days, **changes):
    """A visit without nodules, of known volume 10 mL [8, 12.5]; its reasons are the catalogue's."""
    values = visit_dict()
    values |= {"visit": name, "folder": name, "days_since_baseline": days, "notes": []}
    values["quality"] = []
    values["graft"] |= {"volume_ml": 10.0, "volume_ci95_ml": [8.0, 12.5], "present": True}
    values["t2"] |= {"nodules": [], "high_signal_fraction": 0.5}
    values["findings"] = {
        each: {"status": "favorable", "reasons": ["no sign of fat"]} for each in FINDINGS
    }
    values["surveillance_flag"] = {
        "level": "green",
        "reasons": ["no MRI sign above the stated detection limits"],
    }
    if name == "BASELINE":
        values |= {"change": None, "change_from_nadir": None, "deformation": None}
    else:
        for change in ("change", "change_from_nadir"):
            values[change] |= {"reference": "baseline", "volume_percent": 50.0,
                               "volume_repeatability_percent": [-40.0, 60.0]}  # fmt: skip
    for key, value in changes.items():
        values[key] = value if not isinstance(value, dict) else values[key] | value
    return values


def record(*visits, subject="S01"):
    made = record_of(*visits, subject=subject)
    protocol = made.protocol.model_copy(update={"sha256": SHA256})
    return made.model_copy(update={"protocol": protocol})


def report(*visits, subject="S01", reads=None):
    return subject_report(record(*visits, subject=subject), PROTOCOL, NO_PICTURES, reads)


def printed(made, language="en", paper=Paper.A4):
    document = subject_document(made, Look(language, paper))
    return document, pdf_text(document.pdf)


def pdf_text(pdf):

    pages = PdfReader(io.BytesIO(pdf)).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split())


def page_images(pdf, folder, dpi=50):
    (folder / "report.pdf").write_bytes(pdf)
    subprocess.run(
        [shutil.which("pdftoppm"), "-r", str(dpi), "-png", "report.pdf", "page"],
        cwd=folder,
        check=True,
    )
    pages = []
    for file in sorted(folder.glob("page*.png")):
        with Image.open(file) as page:
            pages.append(np.asarray(page.convert("RGB")).astype(int))
    return pages


THREE = (visit("BASELINE", 0), visit("D28", 28), visit("M3", 91))


@pytest.fixture(scope="module")
def three():
    return printed(report(*THREE))


@pytest.fixture(scope="module")
def assessed(tmp_path_factory):
    """A real assessment of two visits of the sample, and its reports."""

    folder = tmp_path_factory.mktemp("report")
    images = folder / "images"
    images.mkdir()
    for each in sorted(SAMPLE.iterdir()):
        if each.name in ("visit1", "visit3"):
            shutil.copytree(each, images / each.name)
    out = folder / "out"
    request = Assess((images,), out, PROTOCOL, (), parse_guidance((), ()), jobs=1, debug=True)
    with Reporter(quiet=True) as reporter:
        run(request, reporter)
    done = list(report_subjects(Request(out, (images,), PROTOCOL, Look())))
    assert [(d.subject, d.no_pictures) for d in done] == [("S02", None)]
    return out / "subjects" / "S02"


def test_page_one_answers_and_later_pages_give_the_evidence(three):
    document, said = three

    first = " ".join(PdfReader(io.BytesIO(document.pdf)).pages[0].extract_text().split())
    assert "GREEN" in first
    assert first.count("favourable") == 9  # three endpoints at three visits
    for heading in ("Key images", "Trends", "Detection limits", "All reasons", "Image quality"):
        assert heading not in first or first.count(heading) == first.count("“All reasons”")
        assert heading in said
    assert SHA256[:40] in said.replace(" ", "")


def test_the_pdf_is_tagged_has_a_language_and_embeds_every_font(three):

    pdf = PdfReader(io.BytesIO(three[0].pdf))
    root = pdf.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "en"
    assert "/StructTreeRoot" in root
    fonts = set()
    for page in pdf.pages:
        for font in page["/Resources"].get("/Font", {}).values():
            (inner,) = font.get_object()["/DescendantFonts"]
            descriptor = inner.get_object()["/FontDescriptor"]
            fonts.add(font.get_object()["/BaseFont"])
            assert {"/FontFile2", "/FontFile3"} & set(descriptor)
    assert all("Report" in name for name in fonts), fonts


@pytest.mark.parametrize(("paper", "size"), [(Paper.A4, (595, 842)), (Paper.LETTER, (612, 792))])
def test_paper_is_a4_or_letter(paper, size):

    pdf = PdfReader(io.BytesIO(printed(report(THREE[0]), paper=paper)[0].pdf))
    box = pdf.pages[0].mediabox
    assert (round(float(box.width)), round(float(box.height))) == size


def test_the_same_report_is_the_same_bytes(three):
    again = subject_document(report(*THREE), Look())
    assert again.html == three[0].html
    assert again.pdf == three[0].pdf


def test_html_needs_no_other_file(three):
    addresses = re.findall(r'(?:src|href)="([^"]{0,20})|url\(([^)]{0,20})', three[0].html)
    assert addresses
    assert all("".join(a).startswith("data:") for a in addresses)


def test_a_subject_without_baseline_says_so():
    made = report(visit("D28", None, days_since_baseline=None, change=None, change_from_nadir=None))
    said = printed(made)[1]
    assert "No baseline was assessed" in said
    assert "Only one visit was assessed" in said
    assert missing_visits(made.record) == ("BASELINE",)


def test_no_graft_failed_gates_and_unsure_outlines_are_said():
    nothing = {"present": False, "volume_ml": None, "volume_ci95_ml": None}
    gate = {"code": "NEEDS_READER", "severity": "error", "message": "Needs a reader: <b>why</b>",
            "value": 0.2, "threshold": 0.5, "protocol_key": "quality.confidence_min"}  # fmt: skip
    said = printed(report(THREE[0], visit("D28", 28, graft=nothing, quality=[gate])))[1]
    assert "Day 28: no graft was found" in said
    assert "Day 28: needs a reader" in said
    assert "✗ failed Needs a reader: <b>why</b>" in said


def test_a_subject_without_any_visit_is_still_a_report():
    assert "there is no answer" in printed(report())[1]


def test_text_from_outside_is_escaped_and_cut():
    long = "<script>alert(1)</script>\x00\x1b[31m" + "x" * 10_000
    series = {"t2w_fs": {"series_uid": "1.2", "description": long, "role_evidence": []},
              "t1w_fs": None}  # fmt: skip
    html = subject_document(report(visit("BASELINE", 0, series=series)), Look()).html
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert "\x00" not in html
    assert "\x1b" not in html
    assert "x" * CHARACTERS_MAX not in html
    assert len(legible(long)) == CHARACTERS_MAX


def test_only_reasons_beyond_their_limits_stand_on_page_one():
    reasons = (
        "centroid moved 1 mm, limit 5 mm: within the limit [a.b]",
        "volume: beyond the limit",
    )
    assert deciding(reasons) == reasons[1:]
    assert deciding(reasons[:1]) == reasons[:1]


def test_the_volume_band_is_the_baseline_volume_times_its_repeatability():
    volume = trends_of(record(*THREE).visits, PROTOCOL)[0]
    assert [(p.days, p.value, p.ci95) for p in volume.points] == [
        (day, 10.0, (8.0, 12.5)) for day in (0.0, 28.0, 91.0)
    ]
    (band,) = volume.bands
    assert band.name == "baseline"
    assert band.edges == ((28.0, 6.0, 16.0), (91.0, 6.0, 16.0))


def test_no_focus_is_zero_and_no_t2_is_no_number():
    blind = visit("D28", 28, t2={"high_signal_fraction": None})
    focus = trends_of(record(THREE[0], blind).visits, PROTOCOL)[3]
    assert [point.value for point in focus.points] == [0.0, None]


def test_limits_of_an_amber_visit_are_said_as_those_of_a_green_one_are():
    """Who must look again wants to know what the images could not show."""
    fat = "fat below 12 % would not have been seen"
    amber = {"level": "amber", "reasons": ["possible fat"]}
    said = printed(report(visit("BASELINE", 0, surveillance_flag=amber, detection_limits=[fat])))[1]
    assert fat in said
    older = visit("BASELINE", 0, surveillance_flag=amber, detection_limits=[])
    assert "A focus below 3 mm would not have been seen" in printed(report(older))[1]


def test_another_protocol_draws_no_isointense_band():
    other = record_of(*THREE)
    made = subject_report(other, PROTOCOL, NO_PICTURES, None)
    assert made.trends[2].bands == ()
    assert "isointense band is not drawn" in printed(made)[1]


def test_a_visit_report_knows_nothing_of_later_visits():
    adverse = {"level": "red", "reasons": ["confirmed fat"]}
    made = visit_report(report(*THREE[:2], visit("M3", 91, surveillance_flag=adverse)), "D28")
    assert [v.folder for v in made.visits] == ["D28"]
    assert [p.visit for p in made.trends[0].points] == ["BASELINE", "D28"]
    said = printed(made)[1]
    assert "RED" not in said
    assert "confirmed fat" not in said


def test_a_sentence_of_the_results_is_said_again_in_chinese_with_its_numbers():
    sentence = (
        "deformation of the wall round the graft was not measured: the deformation of the wall "
        "found forwards and backwards differs by 2.3 mm on average (at most 2.0 mm)"
    )
    said = retold(sentence, "zh")
    assert said == "移植物周围腹壁的形变 未测得：正反求得的腹壁形变平均相差 2.3 mm（至多 2.0 mm）"
    assert retold("A sentence that nobody has ever written.", "zh") is None
    unknown = Wording("zh").retell("A sentence that nobody <has> written. [a.b]")
    assert unknown.startswith('<span lang="en">A sentence that nobody &lt;has&gt; written.</span>')


def test_a_chinese_report_is_chinese_and_marked_so():
    document, said = printed(report(*THREE), "zh")
    assert '<html lang="zh-Hans">' in document.html
    assert "关键图像" in said
    assert "在所述检出限之上未见 MRI 征象" in said
    assert "favourable" not in said


def test_reads_stay_hidden_until_both_are_locked(sqlite_room):
    room = sqlite_room
    room.case(labels=("BASELINE", "D28"))
    room.assign()
    room.lock("reader1", READ_BASELINE)
    assert LockedReads(room.store).of("S01", ["BASELINE"])["BASELINE"].said == ()
    room.lock("reader2", READ_BASELINE)
    room.lock("reader1", STABLE)
    room.lock("reader2", LARGER, acknowledged=())
    reads = LockedReads(room.store).of("S01", ["BASELINE", "D28"])
    assert reads["BASELINE"].basis == "agreed"
    assert [s.signer for s in reads["BASELINE"].said] == ["Reader1", "Reader2"]
    assert reads["D28"].disputed
    said = printed(report(*THREE[:2], reads=reads))[1]
    assert "Both readers agree" in said
    assert "The readers differ" in said
    assert reads["BASELINE"].said[0].sha256[:16] in said


def test_key_images_stand_in_baseline_space_side_by_side(assessed, tmp_path):
    html = (assessed / "report.html").read_text("utf-8")
    shown = re.findall(r'alt="(T[12]W-FS of [^"]+|Map of[^"]+)"', html)
    assert [s for s in shown if "Baseline" in s and "no outlines" in s]
    assert len(shown) == 7  # three of two visits, and one map
    assert "not in baseline space" not in html
    pixels = page_images((assessed / "report.pdf").read_bytes(), tmp_path, dpi=100)[1]
    orange = np.abs(pixels - (230, 159, 0)).sum(axis=2) < 60
    _, columns = np.nonzero(orange)
    dark = (pixels.sum(axis=2) < 90).mean()
    assert dark > 0.1  # pictures are there
    middle = pixels.shape[1] * 0.57  # between the two columns of pictures
    width = [np.ptp(side) for side in (columns[columns < middle], columns[columns > middle])]
    assert width[0] > 30
    assert width[1] > 1.2 * width[0]  # the graft has grown: longest 53 mm, then 73 mm


def test_every_visit_has_its_own_pdf_for_the_archive(assessed):
    for label in ("BASELINE", "M6"):
        assert (assessed / label / "report.pdf").read_bytes().startswith(b"%PDF-")


def test_a_report_reads_in_greyscale(assessed):
    """Flags differ by sign and word, so the letters alone tell them apart."""
    said = pdf_text((assessed / "report.pdf").read_bytes())
    assert "○ GREEN" in said
    assert "△ AMBER" in said


def test_axe_finds_no_violation(assessed, three, cohort, chromium, tmp_path):
    """Subject and cohort, in English and Chinese."""
    pages = {
        "three": three[0],
        "chinese": subject_document(report(*THREE), Look("zh")),
        **{f"cohort_{language}": cohort_document(cohort[1], DUE_DAYS, None, Look(language))
           for language in ("en", "zh")},
    }  # fmt: skip
    for name, document in pages.items():
        (tmp_path / f"{name}.html").write_text(document.html, "utf-8")
    page = chromium.new_page()
    for file in (assessed / "report.html", *sorted(tmp_path.glob("*.html"))):
        page.goto(file.as_uri())
        found = Axe().run(page).response["violations"]
        assert [(v["id"], [n["html"][:120] for n in v["nodes"][:3]]) for v in found] == []
    page.close()


def test_lanes_mark_a_missing_visit_on_the_day_the_protocol_says(cohort):
    """S02 has no D28: one cross, drawn where the protocol puts it, moves with the protocol."""
    at_home = DUE_DAYS
    later = due_days(PROTOCOL.visits.model_copy(update={"d28_day": 60}))
    assert at_home == {"BASELINE": 0, "D28": 28, "M3": 91, "M6": 182, "M12": 365}
    assert later["D28"] == 60
    pages = [cohort_document(cohort[1], days, None, Look()).html for days in (at_home, later)]
    assert pages[0] != pages[1]


def test_missing_letters_and_a_missing_pango_say_what_to_install(monkeypatch):
    """No package is removed: the places they are looked for in are others."""
    monkeypatch.setattr(fonts, "_CJK_FOLDERS", ("/nowhere",))
    with pytest.raises(ReportError, match="fonts-noto-cjk"):
        fonts.fonts_of.__wrapped__("zh")
    missing = "import sys\nfrom ctypes import util\nutil.find_library = lambda name: None\n" + (
        "import cffi\n"
        "def none(self, name, flags=0): raise OSError('cannot load library ' + name)\n"
        "cffi.FFI.dlopen = none\n"
        "from surveillance.errors import ReportError\n"
        "from surveillance.render.page import _pdf\n"
        "try:\n    _pdf('<p>')\nexcept ReportError as error:\n    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", missing], capture_output=True, text=True, check=False
    )
    assert "libpango-1.0-0" in done.stdout, done.stderr


@pytest.fixture()
def cohort():
    grown = visit("M3", 91, change_from_nadir={"volume_percent": 180.0},
                  surveillance_flag={"level": "red", "reasons": ["confirmed fat"]})  # fmt: skip
    records = {
        "S01": record(*THREE[:2], subject="S01"),
        "S02": record(THREE[0], grown, subject="S02"),
    }
    return records, cohort_of(records, {"S02": Allocation("acute", "high"), "S09": Allocation()})


def test_a_cohort_holds_every_subject_and_says_who_is_missing(cohort):
    _, made = cohort
    assert [(m.subject, m.allocation.arm) for m in made.members] == [
        ("S02", "acute"),
        ("S01", "not_stated"),
    ]
    assert made.unassessed == ("S09",)
    assert made.members[0].missing == ("D28",)
    assert made.members[0].worst_rise.volume_change_from_nadir_percent == 180.0


def test_rows_are_the_same_in_csv_and_parquet(cohort, tmp_path):
    rows = cohort[1].rows
    save_rows(rows, tmp_path / "c.csv", tmp_path / "c.parquet")
    with (tmp_path / "c.csv").open(encoding="utf-8") as file:
        told = list(csv.DictReader(file))
    held = pq.read_table(tmp_path / "c.parquet").to_pylist()
    assert [r["subject"] for r in told] == [r["subject"] for r in held] == ["S02"] * 2 + ["S01"] * 2
    assert [r["volume_change_percent"] for r in held] == [None, 50.0, None, 50.0]
    assert [r["volume_change_percent"] for r in told] == ["", "50.0", "", "50.0"]


def test_the_command_writes_the_cohort_report(cohort, tmp_path, command):
    for name, each in cohort[0].items():
        folder = tmp_path / "out" / "subjects" / name
        folder.mkdir(parents=True)
        (folder / "assessment.json").write_text(each.model_dump_json())
    table = tmp_path / "subjects.csv"
    table.write_text("subject,arm,dose_level\nS02,acute,high\n", "utf-8")
    said = command("report", tmp_path / "out", "--cohort", "--subjects", table, expect=0)
    assert "cohort of 2" in said.out
    text = pdf_text((tmp_path / "out" / "cohort_report.pdf").read_bytes())
    for words in ("Acute liver failure", "■ RED", "+180 %", "S02 Acute liver failure Day 28"):
        assert words in text


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("subject,arm\nS01,acute\n", "line 1: no column dose_level"),
        ("subject,arm,dose_level\nS01,,high\n", "line 2: an empty cell"),
        ("subject,arm,dose_level\nS01,a,b\nS01,a,b\n", "line 3: the subject stands twice"),
    ],
)
def test_a_faulty_subjects_table_is_refused_with_its_line(tmp_path, content, said):
    (tmp_path / "t.csv").write_text(content, "utf-8")
    with pytest.raises(ReportError, match=said):
        load_allocations(tmp_path / "t.csv")
    with pytest.raises(ReportError, match="FileNotFoundError"):
        load_allocations(tmp_path / "none.csv")


def test_the_command_says_what_is_not_there(tmp_path, command):
    assert "holds no results" in command("report", tmp_path, expect=2).err
    folder = tmp_path / "subjects" / "S01"
    folder.mkdir(parents=True)
    (folder / "assessment.json").write_text(record(*THREE).model_dump_json())
    assert "No subject S9" in command("report", tmp_path, "--subject", "S9", expect=2).err
    assert "No visit M6" in command("report", tmp_path, "--visit", "M6", expect=2).err
    nowhere = tmp_path / "none"
    assert "does not exist" in command("report", tmp_path, "--images", nowhere, expect=2).err
    said = command("report", tmp_path, "--visit", "d28", expect=0)
    assert "the images were not given" in said.err
    assert (folder / "D28" / "report.pdf").exists()
    assert not (folder / "report.pdf").exists()
    assert json.loads((folder / "assessment.json").read_text())["subject"] == "S01"
