"""The structured report holds every number of assessment.json, as codes others can read."""

import json
import subprocess
from pathlib import Path
from typing import get_args

import pydicom
import pytest
from dicom_results import (
    T1,
    random_outlines,
    record_of,
    series_in,
    visit_dict,
    write_series,
)
from pydicom.sr._concepts_dict import concepts as standard
from pydicom.sr.coding import Code
from test_dicom_segmentation import BIN, complaints

from imaging.series import Role
from surveillance.exports import contract
from surveillance.exports.dicom import concepts
from surveillance.exports.dicom.groups import Reported
from surveillance.exports.dicom.instance import save_instance
from surveillance.exports.dicom.segmentation import segmentation
from surveillance.exports.dicom.source import source_of
from surveillance.exports.dicom.structured_report import structured_report

DSRDUMP = "/usr/bin/dsrdump"
"""By its path: with a venv active a Python package's script could answer to the name."""
NOT_MEASUREMENTS = ("quality", "registration.visit_from_baseline", "days_since_baseline")
"""Checks' values stand in their sentences; a matrix is no measurement; the days are the context."""


def written(folder, visit, with_t1=True, with_t2=True):
    """Write a report of one visit that follows a baseline; return its file."""
    write_series(folder / "t2")
    write_series(folder / "t1", number=2, **T1)
    t2, t1 = series_in(folder / "t2"), series_in(folder / "t1", Role.T1W_FS)
    baseline = visit_dict(folder="FIRST")
    record = record_of(baseline, visit)
    source = source_of(t2)
    outlined = segmentation(source, random_outlines(t2.geometry), record, record.visits[1])
    report = structured_report(
        Reported(
            record, record.visits[1], source if with_t2 else None,
            source_of(t1) if with_t1 else None, outlined if with_t2 else None,
        )
    )  # fmt: skip
    save_instance(report, folder / "measurements.dcm")
    return folder / "measurements.dcm"


def items(ds, group=None):
    """Yield every content item with the finding of the group it is in."""
    for item in ds.get("ContentSequence", ()):
        found = group
        for inner in item.get("ContentSequence", ()):
            if concept(inner) == "Finding":
                found = inner.ConceptCodeSequence[0].CodeMeaning
        yield found, item
        yield from items(item, found)


def concept(item):
    return item.ConceptNameCodeSequence[0].CodeMeaning if "ConceptNameCodeSequence" in item else ""


def number(item):
    return float(item.MeasuredValueSequence[0].FloatingPointValue)


def unit(item):
    return item.MeasuredValueSequence[0].MeasurementUnitsCodeSequence[0].CodeValue


def leaves(block, path=""):
    """Yield path and value of every number of a visit as JSON holds it."""
    if isinstance(block, dict):
        for name, value in block.items():
            yield from leaves(value, f"{path}.{name}" if path else name)
    elif isinstance(block, list):
        for place, value in enumerate(block):
            yield from leaves(value, f"{path}.{place}")
    elif isinstance(block, float | int) and not isinstance(block, bool):
        yield path, block


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """The report of a visit in which every field is filled, and that visit."""
    visit = visit_dict()
    return written(tmp_path_factory.mktemp("sr"), visit), visit


def test_every_number_of_the_contract_is_there_and_none_is_changed(report):
    file, visit = report
    there = {round(number(i), 6) for _, i in items(pydicom.dcmread(file)) if i.ValueType == "NUM"
             and "FloatingPointValue" in i.MeasuredValueSequence[0]}  # fmt: skip
    upper_and_lower = {
        "graft.volume_ci95_ml": visit["graft"]["volume_ml"],
        "graft.subvoxel_volume_ci95_ml": visit["graft"]["subvoxel_volume_ml"],
        "t2.ratio_ci95": visit["t2"]["graft_to_muscle_ratio"],
        "t1.ratio_ci95": visit["t1"]["graft_to_muscle_ratio"],
    }
    left_out = []
    for path, value in leaves(visit):
        centred = next((v for k, v in upper_and_lower.items() if path.startswith(k)), None)
        expected = value if centred is None else abs(value - centred)
        points = "centroid_lps_mm" in path and not path.startswith("graft")  # SCOORD3D, below
        if not path.startswith(NOT_MEASUREMENTS) and not points:
            left_out += [] if round(expected, 6) in there else [path]
    assert left_out == []


def test_an_interval_is_the_standards_range_above_and_below_in_the_numbers_unit(report):
    file, visit = report
    (volume,) = [i for g, i in items(pydicom.dcmread(file)) if concept(i) == "Volume of Mesh"]
    ranges = {concept(i): i for i in volume.ContentSequence if i.ValueType == "NUM"}
    low, high = visit["graft"]["volume_ci95_ml"]
    upper = ranges["+, range of upper measurement uncertainty"]
    lower = ranges["-, range of lower measurement uncertainty"]
    assert number(volume) + number(upper) == pytest.approx(high)
    assert number(volume) - number(lower) == pytest.approx(low)
    assert unit(upper) == unit(lower) == unit(volume) == "mL"
    parameters = [
        i.TextValue for _, i in items(pydicom.dcmread(file)) if "Parameters" in concept(i)
    ]
    assert any("95 % confidence interval" in text for text in parameters)


def test_units_are_those_of_the_numbers_names(report):
    units = {
        concept(i): unit(i) for _, i in items(pydicom.dcmread(report[0])) if i.ValueType == "NUM"
    }
    assert units["Surface Area of Mesh"] == "mm2"
    assert units["Maximum 3D Diameter of a Mesh"] == "mm"
    assert units["Change of volume, percent"] == "%"
    assert units["Doubling time of the volume"] == "d"
    assert units["Signal relative to reference muscle, T2W-FS"] == "{ratio}"


def test_derived_values_say_how_they_came_about(report):
    plain = [
        concept(i) for g, i in items(pydicom.dcmread(report[0]))
        if i.ValueType == "NUM" and i.RelationshipType == "CONTAINS"
        and "Derivation" not in [concept(inner) for inner in i.get("ContentSequence", ())]
    ]  # fmt: skip
    assert plain == []


def test_a_focus_is_a_point_in_the_frame_of_reference_of_its_images(report):
    file, visit = report
    points = [i for _, i in items(pydicom.dcmread(file)) if i.ValueType == "SCOORD3D"]
    found = {tuple(i.GraphicData) for i in points}
    for block in (visit["t2"]["nodules"], visit["t1"]["foci"]):
        assert tuple(block[0]["centroid_lps_mm"]) in found
    assert {i.GraphicType for i in points} == {"POINT"}
    assert len({i.ReferencedFrameOfReferenceUID for i in points}) == 1


def test_groups_refer_to_their_segments_and_images(report):
    ds = pydicom.dcmread(report[0])
    segments = {
        group: i.ReferencedSOPSequence[0].ReferencedSegmentNumber
        for group, i in items(ds) if concept(i) == "Referenced Segment"
    }  # fmt: skip
    assert segments["Graft material"] == 1
    t1_images = [
        i for group, i in items(ds)
        if group == "Signal of the graft, T1W-FS" and i.ValueType == "IMAGE"
    ]  # fmt: skip
    assert len(t1_images) == 4
    evidence = [
        reference.ReferencedSOPInstanceUID
        for study in ds.CurrentRequestedProcedureEvidenceSequence
        for series in study.ReferencedSeriesSequence
        for reference in series.ReferencedSOPSequence
    ]
    assert len(evidence) == 4 + 4 + 1


def test_findings_are_coded_and_carry_their_reasons(tmp_path):
    visit = visit_dict()
    visit["findings"]["fat_absence"] = {
        "status": "indeterminate",
        "reasons": ["too thin <b>", "x" * 9000],
    }
    visit["surveillance_flag"] = {"level": None, "reasons": []}
    ds = pydicom.dcmread(written(tmp_path, visit))
    codes = {concept(i): i for _, i in items(ds) if i.ValueType == "CODE"}
    fat = codes["Absence of abnormal fat deposition"]
    assert fat.ConceptCodeSequence[0].CodeMeaning == "Indeterminate"
    first, second = (i.TextValue for i in fat.ContentSequence)
    assert first == "too thin <b>"
    assert len(second) == 1024
    assert codes["Surveillance flag"].ConceptCodeSequence[0].CodeMeaning == "Indeterminate"
    assert complaints(tmp_path / "measurements.dcm") == []


def test_what_makes_the_numbers_unsure_stands_beside_the_findings(tmp_path):
    visit = visit_dict()
    visit["quality"] = [{"code": "X", "severity": "error", "message": "needs a reader"}]
    ds = pydicom.dcmread(written(tmp_path, visit))
    group = "Endpoints and surveillance flag of the visit"
    said = [i.TextValue for g, i in items(ds) if g == group and concept(i) == "Comment"]
    assert "needs a reader" in said


def test_a_number_that_is_null_is_left_out_and_the_reason_stands_in_its_group(tmp_path):
    visit = visit_dict()
    visit["graft"] |= {"volume_ml": None, "volume_ci95_ml": None, "present": False}
    visit["muscle"]["thickness_left_mm"] = None
    visit["t2"] |= {"pattern": None, "mass_like": None, "nodules": []}
    visit["t1"] = contract.T1Block().model_dump()
    visit["change"], visit["registration"] = None, None
    visit["quality"] = [
        {"code": "NOT_MEASURED", "severity": "info", "message": message}
        for message in (
            "graft.volume_ml, muscle.thickness_left_mm: the mask is empty: really",
            "t1: no images",
        )
    ]
    ds = pydicom.dcmread(written(tmp_path, visit))
    said = {(group, i.TextValue) for group, i in items(ds) if concept(i) == "Comment"}
    assert ("Graft material", "graft.volume_ml: the mask is empty: really") in said
    assert ("Abdominal wall muscle", "muscle.thickness_left_mm: the mask is empty: really") in said
    assert ("Signal of the graft, T1W-FS", "t1: no images") in said
    names = [concept(i) for group, i in items(ds) if group == "Graft material"]
    assert "Volume of Mesh" not in names
    assert complaints(tmp_path / "measurements.dcm") == []


@pytest.mark.parametrize(("with_t1", "with_t2"), [(True, True), (False, True), (True, False)])
def test_dciodvfy_and_dsrdump_have_no_error_to_tell(tmp_path, with_t1, with_t2):
    file = written(tmp_path, visit_dict(days_since_baseline=None), with_t1, with_t2)
    assert complaints(file) == []
    done = subprocess.run([DSRDUMP, file], capture_output=True, text=True, check=True)
    assert [line for line in done.stderr.splitlines() if line.startswith("E:")] == []
    assert "Morphological stability of the graft" in done.stdout


def test_dcmqi_reads_the_measurements_of_the_segment(report, tmp_path):
    file, visit = report
    arguments = ["--inputDICOM", file, "--outputMetadata", tmp_path / "read.json"]
    subprocess.run([BIN / "tid1500reader", *arguments], check=True, capture_output=True)
    groups = json.loads((tmp_path / "read.json").read_text())["Measurements"]
    (graft,) = [g for g in groups if g["Finding"]["CodeValue"] == "246345001"]
    assert graft["ReferencedSegment"] == 1
    values = {m["quantity"]["CodeMeaning"]: float(m["value"]) for m in graft["measurementItems"]}
    assert values["Volume of Mesh"] == visit["graft"]["volume_ml"]


def test_two_time_points_of_a_subject_are_told_apart(report):
    texts = {concept(i): i.get("TextValue") for _, i in items(pydicom.dcmread(report[0]))}
    assert texts["Time Point"] == "BASELINE"
    (order,) = {
        number_or_text(i)
        for _, i in items(pydicom.dcmread(report[0]))
        if concept(i) == "Time Point Order"
    }
    assert order == 2


def number_or_text(item):
    return float(item.MeasuredValueSequence[0].NumericValue)


def all_codes():
    """Yield every code of the module, those in dictionaries and tuples too."""
    for value in vars(concepts).values():
        held = value.values() if isinstance(value, dict) else [value]
        for one in held:
            several = isinstance(one, tuple) and not isinstance(one, Code)
            yield from (c for c in (one if several else [one]) if isinstance(c, Code))


def test_codes_of_the_standard_are_in_the_standard_with_that_meaning():
    for code in {c for c in all_codes() if c.scheme_designator not in (concepts.SCHEME, "UCUM")}:
        meanings = standard_meanings(code)
        # SNOMED CT's full names end in their kind, which PS3.16 leaves away.
        assert code.meaning in {m for full in meanings for m in (full, full.split(" (")[0])}, code


def standard_meanings(code):
    found = (
        held[code.value][0]
        for held in standard[code.scheme_designator].values()
        if code.value in held
    )
    return set(found)


def test_private_codes_fit_dicom_and_are_documented():
    page = (Path(__file__).parents[1] / "docs" / "dicom_codes.md").read_text(encoding="utf-8")
    private = [c for c in all_codes() if c.scheme_designator == concepts.SCHEME]
    assert len({c.value for c in private}) == len({c.meaning for c in private}) == len(set(private))
    for code in private:
        assert len(code.value) <= 16, code
        assert len(code.meaning) <= 64, code
        assert f"| {code.value} | {code.meaning} |" in page, code


@pytest.mark.parametrize(
    ("block", "field", "codes"),
    [
        (contract.T2Block, "pattern", concepts.PATTERNS),
        (contract.T1Block, "fat", concepts.FAT_ANSWERS),
        (contract.GraftBlock, "source", concepts.SOURCES),
        (contract.FindingBlock, "status", concepts.STATUSES),
        (contract.FlagBlock, "level", concepts.LEVELS),
    ],
)
def test_every_answer_of_the_contract_has_a_code(block, field, codes):
    annotation = block.model_fields[field].annotation
    answers = {a for a in get_args(annotation) if isinstance(a, str)} or {
        a for inner in get_args(annotation) for a in get_args(inner)
    }
    assert answers == set(codes)
