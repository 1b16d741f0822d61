"""`graftsite export cdisc`: SDTM datasets, read back by other software, and docs/cdisc.md.

Expected orders and cores are SDTMIG 3.4's, written down here by hand.
"""

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import odmlib
import pandas as pd
import pyreadstat
import pytest
import xmlschema
from dicom_results import record_of, visit_dict
from hypothesis import given
from hypothesis import strategies as st
from odmlib.dataset_json_1_1 import model as dataset_json_model
from reading_room import BASELINE, LARGER, MARK, NODULAR, STABLE

from readers import adjudication
from surveillance.exports.cdisc.datasets import pieces, plain_text, qualifier_label
from surveillance.exports.cdisc.export import Request, export, visits_of
from surveillance.exports.cdisc.observation import plain_number
from surveillance.exports.cdisc.standard import CHANGES, change_tests, codelist, domain, sdtm_tests
from surveillance.exports.contract import VisitBlock
from surveillance.locked_reads import LockedReads

DOCS = (Path(__file__).parents[1] / "docs" / "cdisc.md").read_text("utf-8")
SCHEMA = Path(odmlib.__file__).parent / "schemas/define/2.1/define2-1-0.xsd"
DEF = "{http://www.cdisc.org/ns/def/v2.1}"
ODM = "{http://www.cdisc.org/ns/odm/v1.3}"
STANDARD = {
    "TU": """STUDYID! DOMAIN! USUBJID! TUSEQ! TUGRPID TUREFID TUSPID TULNKID! TULNKGRP TUTESTCD!
        TUTEST! TUORRES! TUSTRESC! TUNAM TULOC! TULAT TUDIR TUPORTOT TUMETHOD! TULOBXFL! TUBLFL
        TUEVAL! TUEVALID TUACPTFL VISITNUM! VISIT VISITDY TAETORD EPOCH TUDTC! TUDY""",
    "TR": """STUDYID! DOMAIN! USUBJID! TRSEQ! TRGRPID TRREFID TRSPID TRLNKID! TRLNKGRP TRTESTCD!
        TRTEST! TRORRES! TRORRESU! TRSTRESC! TRSTRESN! TRSTRESU! TRSTAT TRREASND TRNAM TRMETHOD!
        TRLOBXFL! TRBLFL TREVAL! TREVALID TRACPTFL VISITNUM! VISIT VISITDY TAETORD EPOCH TRDTC!
        TRDY""",
    "RS": """STUDYID! DOMAIN! USUBJID! RSSEQ! RSGRPID RSREFID RSSPID RSLNKID RSLNKGRP RSTESTCD!
        RSTEST! RSCAT! RSSCAT RSORRES! RSORRESU RSSTRESC! RSSTRESN RSSTRESU RSSTAT RSREASND RSNAM
        RSMETHOD RSLOBXFL RSBLFL RSDRVFL RSEVAL RSEVALID RSACPTFL VISITNUM! VISIT VISITDY TAETORD
        EPOCH RSDTC! RSDY""",
    "SUPPTR": "STUDYID! RDOMAIN! USUBJID! IDVAR! IDVARVAL! QNAM! QLABEL! QVAL! QORIG! QEVAL!",
    "RELREC": "STUDYID! RDOMAIN! USUBJID! IDVAR! IDVARVAL! RELTYPE! RELID!",
}
"""All variables of the guide in its order; required and expected ones with an exclamation mark."""


def write(folder, *records):
    for record in records:
        subject = folder / "subjects" / record.subject
        subject.mkdir(parents=True)
        (subject / "assessment.json").write_text(record.model_dump_json())
    run = {
        "program_version": "0.1.0",
        "protocol": {"id": "NCT07276568"},
        "input_fingerprint": "ef" * 32,
        "ended": "2026-08-05T12:11:10+02:00",
    }
    (folder / "run.json").write_text(json.dumps(run))
    return folder


def visits():
    """A baseline, a D28 with everything, and a D40 without graft that nobody scheduled."""
    first = visit_dict(visit="BASELINE", folder="BASELINE", study_date="2026-03-02", change=None,
                       change_from_nadir=None, registration=None, deformation=None,
                       days_since_baseline=0)  # fmt: skip
    second = visit_dict(visit="D28", folder="D28", study_date="2026-03-30", days_since_baseline=28)
    third = visit_dict(visit="UNSCHEDULED", folder="UNSCHEDULED", study_date=None)
    third["graft"] |= {"present": False, "volume_ml": None, "volume_ci95_ml": None}
    third["t2"] |= {"pattern": None, "nodules": []}
    third["t1"] |= {"isointense": None, "fat": None}
    third["surveillance_flag"] = {"level": None, "reasons": ["no graft to judge"]}
    third["quality"] = [
        {"code": "NOT_MEASURED", "severity": "info", "message": "t2.pattern, t2.level: too faint"}
    ]
    third["findings"]["fat_absence"]["reasons"] = ["é" * 3 + " word" * 60]
    return first, second, third


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    records = (record_of(*visits()), record_of(visits()[0], subject="S02"))
    return write(tmp_path_factory.mktemp("results"), *records)


@pytest.fixture(scope="module")
def exported(results, tmp_path_factory):
    folder = tmp_path_factory.mktemp("sdtm")
    export(Request(results, folder))
    return folder


def table(folder, name):
    frame, _ = pyreadstat.read_xport(folder / f"{name}.xpt")
    return frame


def one(frame, **values):
    for name, value in values.items():
        frame = frame[frame[name] == value]
    assert len(frame) == 1, (values, len(frame))
    return frame.iloc[0]


@pytest.mark.parametrize("name", STANDARD)
def test_variables_stand_in_the_guide_s_order_and_none_that_it_demands_is_missing(name):
    guide = [word.rstrip("!") for word in STANDARD[name].split()]
    demanded = [word[:-1] for word in STANDARD[name].split() if word.endswith("!")]
    ours = [variable.name for variable in domain(name).variables]
    assert ours == [word for word in guide if word in ours]
    assert [word for word in demanded if word not in ours] == []
    core = {v.name: v.core for v in domain(name).variables}
    assert [n for n in ours if (core[n] in {"Req", "Exp"}) != (n in demanded)] == []


@pytest.mark.parametrize("name", ["tu", "tr", "rs", "supptu", "supptr", "supprs", "relrec"])
def test_an_xpt_comes_back_as_it_was_meant_within_the_limits_of_version_5(exported, name):
    frame, meta = pyreadstat.read_xport(exported / f"{name}.xpt")
    described = domain(name.upper())
    assert meta.table_name == name.upper()
    assert meta.file_label == described.label
    assert meta.column_names == [v.name for v in described.variables]
    assert meta.column_labels == [v.label for v in described.variables]
    assert all(len(n) <= 8 and n.isascii() for n in meta.column_names)
    assert all(len(label) <= 40 for label in (*meta.column_labels, meta.file_label))
    for variable in described.variables:
        values = frame[variable.name]
        if variable.type in {"text", "date"}:
            assert values.str.len().max() <= 200
            assert values.str.fullmatch(r"[ -~]*").all()
        if variable.core == "Req":
            assert (values.astype(str) != "").all(), variable.name
    keys = list(described.keys)
    assert not frame.duplicated(keys).any(), "keys identify a record"


@pytest.mark.parametrize("name", ["tu", "tr", "rs", "supptu", "supptr", "supprs", "relrec"])
def test_the_json_has_the_published_structure_and_the_xpt_s_content(exported, name):
    """Dataset-JSON 1.1: attributes, columns and rows as CDISC describes them."""
    content = json.loads((exported / f"{name}.json").read_text("utf-8"))
    attributes = {
        "datasetJSONCreationDateTime", "datasetJSONVersion", "fileOID", "dbLastModifiedDateTime",
        "originator", "sourceSystem", "studyOID", "metaDataVersionOID", "metaDataRef",
        "itemGroupOID", "records", "name", "label", "columns", "rows",
    }  # fmt: skip
    assert set(content) == attributes
    assert re.fullmatch(r"1\.1(\.\d+)?", content["datasetJSONVersion"])
    assert content["datasetJSONCreationDateTime"] == "2026-08-05T10:11:10Z"
    assert set(content["sourceSystem"]) == {"name", "version"}
    assert content["records"] == len(content["rows"])
    required, optional = {"itemOID", "name", "label", "dataType"}, {"length", "keySequence"}
    kinds = {"string": str, "integer": int, "double": (int, float), "date": str}
    for place, column in enumerate(content["columns"]):
        assert required <= set(column) <= required | optional
        values = [row[place] for row in content["rows"] if row[place] is not None]
        assert all(isinstance(value, kinds[column["dataType"]]) for value in values)
        assert all(value != "" for value in values), "an empty text is null"
        if "length" in column:
            assert column["length"] == max([1, *map(len, values)])
    keys = sorted(c["keySequence"] for c in content["columns"] if "keySequence" in c)
    assert keys == list(range(1, len(keys) + 1))
    assert all(len(row) == len(content["columns"]) for row in content["rows"])
    names = [column["name"] for column in content["columns"]]
    other = pd.DataFrame(content["rows"], columns=names)
    frame = table(exported, name)
    for column in names:
        ours, theirs = other[column], frame[column]
        if theirs.dtype.kind == "f":
            pd.testing.assert_series_equal(
                ours.astype(float), theirs, check_names=False, rtol=1e-15
            )
        else:
            assert ours.fillna("").tolist() == theirs.fillna("").tolist()


def test_odmlib_s_model_of_dataset_json_takes_the_file(exported):
    content = json.loads((exported / "tr.json").read_text("utf-8"))
    kinds = {c["dataType"] for c in content["columns"]}
    assert kinds <= {"string", "integer", "double", "date"}
    column = next(c for c in content["columns"] if c["name"] == "TRSTRESN")
    assert dataset_json_model.Column(**column).dataType == "double"


def test_define_xml_is_valid_by_cdisc_s_own_schema(exported, tmp_path):
    schema = xmlschema.XMLSchema(str(SCHEMA))
    assert list(map(str, schema.iter_errors(str(exported / "define.xml")))) == []
    broken = (exported / "define.xml").read_text("utf-8").replace('DataType="text"', "", 1)
    (tmp_path / "broken.xml").write_text(broken)
    assert list(schema.iter_errors(str(tmp_path / "broken.xml"))) != [], "the schema bites"


def test_every_reference_in_define_xml_has_its_definition_and_each_file_its_leaf(exported):
    root = ET.parse(exported / "define.xml").getroot()  # noqa: S314  (our own file)
    defined = [e.get("OID") or e.get("ID") for e in root.iter() if e.get("OID") or e.get("ID")]
    assert len(defined) == len(set(defined))
    references = {
        value
        for e in root.iter()
        for name, value in e.attrib.items()
        if name.rpartition("}")[2] in {"ItemOID", "CodeListOID", "MethodOID", "CommentOID",
                        "ValueListOID", "WhereClauseOID", "StandardOID", "ArchiveLocationID"}
    }  # fmt: skip
    assert references <= set(defined)
    unused = {d for d in defined if d.startswith(("IT.", "CL.", "COM.", "MT.", "VL.", "WC."))}
    assert unused <= references
    leaves = {e.get("{http://www.w3.org/1999/xlink}href") for e in root.iter(f"{DEF}leaf")}
    assert leaves == {path.name for path in exported.glob("*.xpt")}
    for group in root.iter(f"{ODM}ItemGroupDef"):
        content = json.loads((exported / f"{group.get('Name').lower()}.json").read_text())
        assert [r.get("ItemOID") for r in group.iter(f"{ODM}ItemRef")] == [
            column["itemOID"] for column in content["columns"]
        ]


def test_every_term_that_is_written_stands_in_its_codelist(exported):
    root = ET.parse(exported / "define.xml").getroot()  # noqa: S314  (our own file)
    lists = {
        one.get("OID"): {item.get("CodedValue"): item for item in one if item.get("CodedValue")}
        for one in root.iter(f"{ODM}CodeList")
    }
    for name in ("TU", "TR", "RS"):
        for variable in domain(name).variables:
            if variable.codelist:
                found = set(table(exported, name.lower())[variable.name]) - {""}
                assert found <= set(lists[f"CL.{variable.codelist}"])
                known = codelist(variable.codelist)
                for value in found if known.code else ():
                    extended = lists[f"CL.{variable.codelist}"][value].get(f"{DEF}ExtendedValue")
                    assert (extended == "Yes") == (value not in known.terms)
    assert lists["CL.EVAL"]["ALGORITHM"].get(f"{DEF}ExtendedValue") == "Yes"
    assert lists["CL.TRTESTCD"]["VOLUME"].find(f".//{ODM}TranslatedText").text == "Volume"


def test_a_measurement_carries_unit_images_evaluator_and_its_interval(exported):
    tr, supp = table(exported, "tr"), table(exported, "supptr")
    volume = one(tr, USUBJID="NCT07276568-S01", VISIT="D28", TRTESTCD="VOLUME")
    visit = visits()[1]
    assert pytest.approx(visit["graft"]["volume_ml"], rel=1e-9) == volume.TRSTRESN
    assert (volume.TRORRES, volume.TRORRESU) == (volume.TRSTRESC, "mL")
    assert visit["series"]["t2w_fs"]["series_uid"] == volume.TRREFID
    assert (volume.TREVAL, volume.TREVALID) == ("ALGORITHM", "GRAFTSITE")
    assert (volume.TRNAM, volume.TRMETHOD) == ("graftsite 0.1.0", "MRI")
    assert (volume.VISITNUM, volume.TRDTC) == (2, "2026-03-30")
    assert volume.TRACPTFL == "", "the program's value is never the accepted one"
    limits = supp[(supp.USUBJID == volume.USUBJID) & (f"{volume.TRSEQ:g}" == supp.IDVARVAL)]
    low, high = visit["graft"]["volume_ci95_ml"]
    said = dict(zip(limits.QNAM, map(float, limits.QVAL), strict=True))
    assert said == pytest.approx({"TRCIHI": high, "TRCILO": low}, rel=1e-8), "nine digits"
    signal = one(tr, USUBJID="NCT07276568-S01", VISIT="D28", TRTESTCD="T1RATIO")
    assert visit["series"]["t1w_fs"]["series_uid"] == signal.TRREFID


def test_what_could_not_be_measured_is_not_done_for_the_reason_the_record_gives(exported):
    tr = table(exported, "tr")
    last = tr[tr.VISIT == "UNSCHEDULED"]
    for code, reason in (
        ("T2PATTRN", "too faint"),
        ("VOLUME", "no graft was seen"),
        ("FAT", "???"),
    ):
        row = one(last, TRTESTCD=code, TRLNKID="M-GRAFT")
        assert (row.TRORRES, row.TRSTRESC, row.TRSTAT) == ("", "", "NOT DONE")
        assert pd.isna(row.TRSTRESN)
        assert row.TRORRESU == ""
        if code != "FAT":
            assert reason == row.TRREASND
    assert one(last, TRTESTCD="GRFTSEEN").TRORRES == "N", "not seen is a result"
    assert one(last, TRTESTCD="T1ISO").TRORRES == "INDETERMINATE", "undecidable is a result"
    done = tr[tr.TRSTAT == ""]
    assert (done.TRORRES != "").all()
    assert (tr[tr.TRSTAT != ""].TRREASND != "").all()
    assert one(table(exported, "rs"), VISIT="UNSCHEDULED", RSTESTCD="SURVFLAG").RSREASND == (
        "no graft to judge"
    )


def test_a_long_reason_goes_on_in_the_qualifiers_and_nothing_of_it_is_lost(exported):
    tr, supp = table(exported, "tr"), table(exported, "supptr")
    fat = one(tr, VISIT="UNSCHEDULED", TRTESTCD="FAT")
    rest = supp[(supp.QNAM.str.startswith("TRREASN")) & (f"{fat.TRSEQ:g}" == supp.IDVARVAL)]
    whole = " ".join([fat.TRREASND, *rest.QVAL])
    assert whole == "eee" + " word" * 60
    assert len(fat.TRREASND) <= 200
    assert rest.QLABEL.tolist() == ["Reason Not Done, Continued 1"]


def test_a_baseline_has_no_change_and_no_registration_and_is_flagged(exported):
    tr = table(exported, "tr")
    first = tr[tr.VISIT == "BASELINE"]
    change = {test.code for c in CHANGES for test in change_tests(*c)}
    assert set(first.TRTESTCD) & (change | {"REGSUCC", "WALLSUCC"}) == set()
    assert set(first[first.TRSTAT == ""].TRBLFL) == {"Y"}
    assert set(tr[tr.VISIT == "D28"].TRTESTCD) > change
    assert set(tr[tr.VISIT == "D28"].TRBLFL) == {""}


def test_a_visit_that_nobody_scheduled_is_numbered_behind_the_one_before_it(exported):
    numbers = table(exported, "tr").groupby("VISIT").VISITNUM.unique()
    assert {visit: list(n) for visit, n in numbers.items()} == {
        "BASELINE": [1.0], "D28": [2.0], "UNSCHEDULED": [pytest.approx(2.01)],
    }  # fmt: skip
    early = visit_dict(visit="UNSCHEDULED", folder="UNSCHEDULED")
    assert visits_of(record_of(early))["UNSCHEDULED"].number == 0.01


def test_results_rest_on_what_is_identified_and_answers_on_results(exported):
    tu, tr, rs = (table(exported, name) for name in ("tu", "tr", "rs"))
    for subject in ("NCT07276568-S01", "NCT07276568-S02"):
        mine = [frame[subject == frame.USUBJID] for frame in (tu, tr, rs)]
        assert set(mine[1].TRLNKID) <= set(mine[0].TULNKID)
        assert set(mine[2].RSLNKGRP) <= set(mine[1].TRLNKGRP)
        for frame, name in zip(mine, ("TU", "TR", "RS"), strict=True):
            assert frame[f"{name}SEQ"].tolist() == list(range(1, len(frame) + 1))
    graft = one(tu, USUBJID="NCT07276568-S01", TULNKID="M-GRAFT")
    assert (graft.TUORRES, graft.TULAT, graft.VISIT) == ("LOCATION OF INTEREST", "LEFT", "BASELINE")
    focus = one(tu, USUBJID="NCT07276568-S01", TULNKID="M-D28-T2F1")
    assert (focus.TUTESTCD, focus.TUORRES) == ("LESIDENT", "NEW")
    related = table(exported, "relrec")
    assert related.groupby("RELID").IDVAR.agg(list).to_dict() == {
        "TRRS": ["TRLNKGRP", "RSLNKGRP"], "TUTR": ["TULNKID", "TRLNKID"],
    }  # fmt: skip


def test_every_field_of_a_visit_is_a_test_or_is_named_as_left_out():
    """A field that the contract gains must find its place here, or a reason."""
    left_out = {"visit", "folder", "study_date", "days_since_baseline", "series", "quality",
                "notes", "detection_limits", "findings", "surveillance_flag", "t2.nodules",
                "t1.foci",
                "registration.visit_from_baseline", "change.reference",
                "change_from_nadir.reference"}  # fmt: skip
    groups = (sdtm_tests("program"), *(change_tests(*change) for change in CHANGES))
    paths = {re.sub(r"\.\d$", "", t.path) for group in groups for t in group}
    paths |= {t.interval for t in sdtm_tests("program") if t.interval}
    assert set(_fields(VisitBlock)) - left_out == paths


_WHOLE = {"series", "quality", "findings", "surveillance_flag", "nodules", "foci"}


def _fields(model, prefix=""):
    for name, field in model.model_fields.items():
        inner = [a for a in (field.annotation, *getattr(field.annotation, "__args__", ()))
                 if isinstance(a, type) and hasattr(a, "model_fields")]  # fmt: skip
        if inner and name not in _WHOLE:
            yield from _fields(inner[0], f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def test_names_of_tests_fit_and_mean_one_thing_each():
    groups = ["program", "focus", "reader", "reader_focus", "reader_node", "endpoint"]
    every = [t for g in groups for t in sdtm_tests(g)]
    every += [t for change in CHANGES for t in change_tests(*change)]
    for test in every:
        assert re.fullmatch(r"[A-Z][A-Z0-9]{0,7}", test.code)
        assert len(test.test) <= 40
    assert len({(t.code, t.test) for t in every}) == len({t.code for t in every})
    known = codelist("UNIT")
    assert {t.unit for t in every if t.unit} <= {*known.terms, *known.own}


def test_readers_speak_beside_the_program_once_all_have_locked(results, sqlite_room, tmp_path):
    room = sqlite_room
    room.case(labels=("BASELINE", "D28"))
    room.assign()
    room.lock("reader1", BASELINE | {"diameter_mm": 31.0})
    export(Request(results, tmp_path / "early", reads=LockedReads(room.store)))
    assert set(table(tmp_path / "early", "rs").RSEVALID) == {"GRAFTSITE"}
    room.lock("reader2", BASELINE | {"isointense": "not_evaluable"})
    room.lock("reader1", STABLE)
    room.lock("reader2", LARGER, acknowledged=())
    export(Request(results, tmp_path / "late", reads=LockedReads(room.store)))
    tr, rs = (table(tmp_path / "late", name) for name in ("tr", "rs"))
    size = one(tr, TREVALID="RADIOLOGIST 1", TRTESTCD="LDIAM")
    assert (size.TRSTRESN, size.TRORRESU, size.TRLNKID) == (31.0, "mm", "R1-GRAFT")
    assert size.TREVAL == "INDEPENDENT ASSESSOR"
    blind = one(tr, TREVALID="RADIOLOGIST 2", VISIT="BASELINE", TRTESTCD="T1ISO")
    assert (blind.TRSTAT, blind.TRREASND) == ("NOT DONE", "NOT EVALUABLE")
    changed = one(rs, RSEVALID="RADIOLOGIST 2", VISIT="D28", RSTESTCD="MORPHSTB")
    assert changed.RSORRES == "ADVERSE"
    assert set(rs[rs.VISIT == "D28"].RSACPTFL) == {""}, "nobody has decided yet"
    assert not any("reader1" in file.read_text("latin-1").lower() for file in
                   (tmp_path / "late").iterdir()), "no name leaves the store"  # fmt: skip
    items = adjudication.open_items(room.store, room.judge)
    (dispute,) = (item for item in items if item.visit == "D28")
    pen = room.pen("judge", "larger on two slices")
    pair = adjudication.view(room.store, room.judge, dispute.id)
    adverse = pair.first.endpoints["morphological_stability"] == "adverse"
    choice = "first" if adverse else "second"  # which reader it is, is hidden
    adjudication.decide(room.store, room.judge, dispute.id, choice, pen, None)
    export(Request(results, tmp_path / "decided", reads=LockedReads(room.store)))
    rs = table(tmp_path / "decided", "rs")
    accepted = rs[(rs.RSACPTFL == "Y") & (rs.VISIT == "D28")]
    assert set(zip(accepted.RSEVAL, accepted.RSEVALID, strict=True)) == {("ADJUDICATOR",) * 2}
    assert one(accepted, RSTESTCD="MORPHSTB").RSORRES == "ADVERSE"


def test_a_reader_s_focus_is_identified_and_measured(results, sqlite_room, tmp_path):
    room = sqlite_room
    room.case(labels=("BASELINE", "D28"))
    room.assign()
    for reader in ("reader1", "reader2"):
        room.lock(reader, BASELINE)
    room.lock("reader1", NODULAR, marks=[MARK])
    room.lock("reader2", NODULAR, marks=[MARK])
    export(Request(results, tmp_path, reads=LockedReads(room.store)))
    focus = one(table(tmp_path, "tu"), TULNKID="R1-D28-F1")
    assert (focus.TUTESTCD, focus.TUORRES, focus.TUACPTFL) == ("LESIDENT", "NEW", "Y")
    size = one(table(tmp_path, "tr"), TRLNKID="R1-D28-F1", TRTESTCD="LDIAM")
    assert (size.TRSTRESN, size.TRORRESU) == (6.0, "mm")


def test_the_same_input_gives_the_same_bytes_and_no_time_but_the_assessment_s(
    results, exported, tmp_path
):
    export(Request(results, tmp_path))
    for file in sorted(exported.iterdir()):
        assert (tmp_path / file.name).read_bytes() == file.read_bytes(), file.name
    content = (exported / "tr.xpt").read_bytes()
    assert content.count(b"05AUG26:10:11:10") == 4
    assert len(re.findall(rb"\d\d[A-Z]{3}\d\d:\d\d:\d\d:\d\d", content)) == 4


def test_the_command_names_what_it_wrote_and_refuses_what_it_cannot_read(
    results, tmp_path, command
):
    said = command(
        "export", "cdisc", results, "--to", tmp_path / "sdtm", "--subject", "S02", expect=0
    )
    assert "RS: 4 records" in said.out
    assert set(table(tmp_path / "sdtm", "tu").USUBJID) == {"NCT07276568-S02"}
    said = command("export", "cdisc", results, "--to", tmp_path, "--subject", "S9", expect=2)
    assert "S9" in said.err
    unfinished = write(tmp_path / "unfinished", record_of(visits()[0]))
    (unfinished / "run.json").unlink()
    said = command("export", "cdisc", unfinished, "--to", tmp_path / "none", expect=2)
    assert "has no run.json" in said.err
    assert not (tmp_path / "none").exists()


@given(st.floats(allow_nan=False, allow_infinity=False, width=32))
def test_a_number_is_written_without_an_exponent_in_nine_digits(value):
    written = plain_number(value)
    assert re.fullmatch(r"-?\d+(\.\d+)?", written)
    assert float(written) == float(f"{value:.9g}")
    assert written != "-0"


@given(st.text(max_size=700))
def test_pieces_of_a_text_fit_and_make_it_whole_again(text):
    found = pieces(text)
    assert all(0 < len(piece) <= 200 and piece.isascii() for piece in found)
    assert "".join(found).replace(" ", "") == plain_text(text).replace(" ", "")


def test_a_qualifier_without_a_name_is_a_mistake_of_ours():
    assert qualifier_label("RSRSN07") == "Reasons for the Result, Part 07"
    with pytest.raises(KeyError, match="TRNONE"):
        qualifier_label("TRNONE")


def rows_of(heading):
    """Return the table that follows a heading or the table's own header, as tuples of cells."""
    part = DOCS[DOCS.index(heading) :]
    lines = part[part.index("|") :].split("\n\n")[0].splitlines()
    return [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines[2:]]


@pytest.mark.parametrize("name", ["TU", "TR", "RS", "SUPPTU", "RELREC"])
def test_the_page_says_of_every_variable_where_it_comes_from(name):
    described = domain(name)
    assert rows_of(f"\n### {name}") == [
        (v.name, v.label, v.core, v.origin, v.source) for v in described.variables
    ]


def test_the_page_names_every_test_and_qualifier():
    program = [*sdtm_tests("program"), *(t for change in CHANGES for t in change_tests(*change))]
    said = rows_of("\n| TRTESTCD | TRTEST | unit | region")
    assert [(row[0], row[1], row[2], row[4]) for row in said[: len(program)]] == [
        (t.code, t.test, t.unit or "", t.path) for t in program
    ]
    assert [row[0] for row in said[len(program) :]] == [t.code for t in sdtm_tests("focus")]
    readers = [t for g in ("reader", "reader_focus", "reader_node") for t in sdtm_tests(g)]
    assert [row[:3] for row in rows_of("| TRTESTCD | TRTEST | unit | question")] == [
        (t.code, t.test, t.unit or "") for t in readers
    ]
    assert [row[:2] for row in rows_of("\n| RSTESTCD | RSTEST")] == [
        (t.code, t.test) for t in sdtm_tests("endpoint")
    ]
    assert rows_of("\n| QNAM | QLABEL") == [
        (t.code, t.test, t.source) for t in sdtm_tests("qualifier")
    ]
