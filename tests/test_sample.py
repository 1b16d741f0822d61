"""`graftsite assess sample_dicom`: findings agree with the truth, or say why they do not."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from pydicom import dcmread

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "sample_dicom"
GRAFTSITE = Path(sys.executable).with_name("graftsite")
TRUTHS = sorted((SAMPLE / "truth").glob("*.json"))
ENDPOINTS = ("morphological_stability", "signal_characteristics", "fat_absence")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    out = tmp_path_factory.mktemp("sample")
    done = subprocess.run(
        [GRAFTSITE, "assess", SAMPLE, "--output", out, "--jobs", "2"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return out, done.stdout


@pytest.fixture(scope="module")
def visits(run):
    """(truth, result) of every committed visit, matched by trial subject and place in time."""
    records = [json.loads(p.read_text()) for p in run[0].glob("subjects/*/assessment.json")]
    pairs = {}
    for path in TRUTHS:
        truth = json.loads(path.read_text())
        record = _record_of(truth, records)
        for true in truth["visits"]:
            found = [v for v in record["visits"] if v["visit"] == true["visit"]]
            pairs[truth["subject"], true["visit"]] = (true, found[0])
    return pairs


def _record_of(truth, records):
    """The record made from a subject's files: what has no trial ID goes by a pseudonym."""
    series = {
        dcmread(path, specific_tags=["SeriesInstanceUID"]).SeriesInstanceUID
        for path in (SAMPLE / "subjects" / truth["subject"]).rglob("*")
        if path.is_file()
    }
    used = [{v["series"]["t2w_fs"]["series_uid"] for v in r["visits"]} for r in records]
    return next(r for r, uids in zip(records, used, strict=True) if uids <= series)


def test_every_committed_subject_has_its_visits(visits):
    assert len(visits) == sum(len(json.loads(p.read_text())["visits"]) for p in TRUTHS)


def test_no_finding_is_sure_and_wrong(visits):
    """Adverse called favourable, or the reverse; indeterminate is honest, a wrong answer is not."""
    wrong = [
        (*key, endpoint, expected, found["findings"][endpoint]["status"])
        for key, (truth, found) in visits.items()
        for endpoint, expected in truth["expected"].items()
        if {expected, found["findings"][endpoint]["status"]} == {"favorable", "adverse"}
    ]
    assert wrong == []


def test_every_undecided_finding_says_why(visits):
    silent = [
        (*key, endpoint)
        for key, (_, found) in visits.items()
        for endpoint in ENDPOINTS
        if not found["findings"][endpoint]["reasons"]
    ]
    assert silent == []


def test_an_outline_the_program_is_sure_of_has_the_true_volume_within_its_interval(visits):
    outside = []
    for key, (truth, found) in visits.items():
        graft = found["graft"]
        if graft["present"] and graft["confidence"] >= 0.5:
            low, high = graft["volume_ci95_ml"]
            if not low <= truth["volume_ml"] <= high:
                outside.append((*key, truth["volume_ml"], low, high))
    assert outside == []


def test_a_registration_that_is_used_is_right_to_five_mm_in_the_wall(visits):
    """AAPM TG-132: 5 mm at worst, at points of the linea alba."""
    for key, (truth, found) in visits.items():
        registration = found["registration"]
        if registration and registration["success"]:
            baseline, _ = visits[key[0], "BASELINE"]
            for point in baseline["linea_alba_lps_mm"]:
                apart = [
                    a - b
                    for a, b in zip(
                        _carried(registration["visit_from_baseline"], point),
                        _carried(truth["visit_from_baseline"], point),
                        strict=True,
                    )
                ]
                assert sum(a * a for a in apart) ** 0.5 <= 5.0, key


def _carried(matrix, point):
    return [sum(m * p for m, p in zip(row, (*point, 1), strict=True)) for row in matrix[:3]]


def test_the_readme_shows_what_the_program_prints(run):
    """Cell by cell: column widths depend on which other subjects are in the table."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    excerpt = re.search(r"prints\n\n```\n(.*?)```", readme, re.DOTALL).group(1)
    printed = [_cells(line) for line in run[1].splitlines()]
    shown = [_cells(line) for line in excerpt.splitlines()]
    assert len(shown) == 4
    assert [line for line in shown if line not in printed] == []


def _cells(line):
    return [cell.strip() for cell in re.split("[│┃]", line.strip("│┃\n"))]


def test_the_readme_names_commands_and_files_that_exist():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    targets = re.findall(r"make (\w+)", readme)
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    known = {"demo", "test", "install", "bench"}
    assert known <= set(targets)
    assert all(re.search(rf"^{t}:", makefile, re.MULTILINE) for t in known)
    for link in re.findall(r"\]\(([^)]+)\)", readme):
        assert (ROOT / link).exists(), link
    for command in re.findall(r"^graftsite (\w+)", readme, re.MULTILINE):
        subprocess.run([GRAFTSITE, command, "--help"], check=True, capture_output=True)
