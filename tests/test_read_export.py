import csv
import io
import json

from reading_room import BASELINE, FOCUS, LARGER, MARK, NODULAR, STABLE
from test_adjudication import decide, disputed

from readers import assigning, audit_view, cases, reading, signing
from readers.form import load_form
from readers.read_export import export_reads
from readers.signing import Given


def table(files, name):
    return list(csv.DictReader(io.StringIO(files[name])))


def test_every_signed_answer_is_a_row_and_only_one_of_each_read_counts(room):
    reads = disputed(room)
    room.correct("reader1", reads["reader1"], LARGER, reason="took M3")
    reading.machine_values(room.store, room.reader2, reads["reader2"].id)
    signing.change_mind(
        room.store, room.reader2, reads["reader2"].id, Given(STABLE), room.pen("reader2", "why")
    )
    files = export_reads(room.store)
    rows = table(files, "reads.csv")
    assert [(r["reader"], r["visit"], r["kind"], r["counts"]) for r in rows] == [
        ("reader1", "BASELINE", "first", "true"),
        ("reader1", "D28", "first", "false"),
        ("reader2", "BASELINE", "first", "true"),
        ("reader2", "D28", "first", "true"),
        ("reader1", "D28", "correction", "true"),
        ("reader2", "D28", "after_machine", "false"),
    ]
    corrected = rows[4]
    assert corrected["reason"] == "took M3"
    assert corrected["endpoint.morphological_stability"] == "adverse"
    assert corrected["answer.mass_effect"] == "none"
    assert rows[5]["machine_seen"] == "true"


def test_foci_nodes_and_marks_are_tables_of_their_own(sqlite_room):
    sqlite_room.case(labels=("BASELINE", "D28"))
    sqlite_room.assign()
    sqlite_room.lock("reader1", BASELINE)
    nodes = [{"region": "iliac", "short_axis_mm": 7.0, "since": "new"}]
    sqlite_room.lock("reader1", NODULAR | {"nodes": nodes}, marks=[MARK])
    files = export_reads(sqlite_room.store)
    (focus,) = table(files, "foci.csv")
    assert {k: focus[k] for k in FOCUS} == {k: str(v) for k, v in FOCUS.items()} | {"slice": "4.0"}
    assert (focus["case_id"], focus["visit"], focus["row"]) == ("S01", "D28", "1")
    (node,) = table(files, "nodes.csv")
    assert node["short_axis_mm"] == "7.0"
    (mark,) = table(files, "marks.csv")
    assert json.loads(mark["points_lps_mm"]) == MARK["points_lps_mm"]
    assert (mark["visit"], mark["image_visit"]) == ("D28", "D28")


def test_a_mark_on_an_earlier_visit_is_exported_with_both_visits(sqlite_room):
    sqlite_room.case(labels=("BASELINE", "D28"))
    sqlite_room.assign()
    sqlite_room.lock("reader1", BASELINE)
    sqlite_room.lock("reader1", NODULAR, marks=[MARK | {"visit": "BASELINE"}])
    (mark,) = table(export_reads(sqlite_room.store), "marks.csv")
    assert (mark["visit"], mark["image_visit"]) == ("D28", "BASELINE")


def test_decisions_are_exported_with_their_reason(sqlite_room):
    disputed(sqlite_room)
    decide(sqlite_room, "first", reason="seen on three slices")
    (decision,) = table(export_reads(sqlite_room.store), "decisions.csv")
    assert decision["reason"] == "seen on three slices"
    assert decision["signer"] == "Judge"
    assert json.loads(decision["differing"]) == ["morphological_stability"]


def test_the_dictionary_explains_every_column_of_every_file(sqlite_room):
    disputed(sqlite_room)
    files = export_reads(sqlite_room.store)
    explained = {(r["file"], r["column"]) for r in table(files, "dictionary.csv")}
    keys = {"case_id", "visit", "reader", "is_reread", "signed_version", "row"}
    for name in ("reads.csv", "foci.csv", "nodes.csv", "marks.csv"):
        header = files[name].splitlines()[0].split(",")
        own = [c for c in header if name == "reads.csv" or c not in keys]
        assert {(name, column) for column in own} <= explained
    size = next(r for r in table(files, "dictionary.csv") if r["column"] == "answer.diameter_mm")
    assert (size["unit"], size["allowed"], size["meaning_zh"]) == ("mm", "1 to 300", "最大径")


def test_json_and_csv_say_the_same(sqlite_room):
    disputed(sqlite_room)
    files = export_reads(sqlite_room.store)
    whole = json.loads(files["reads.json"])
    for record, row in zip(whole["reads"], table(files, "reads.csv"), strict=True):
        for question in load_form("1").questions:
            value = record["answers"].get(question.id, "")
            if question.kind != "table":
                told = ";".join(value) if isinstance(value, list) else str(value)
                assert row[f"answer.{question.id}"] == told


def test_neither_arm_nor_dose_nor_a_draft_is_exported(sqlite_room):
    disputed(sqlite_room)
    cases.set_allocation(sqlite_room.store, sqlite_room.coordinator, "S01", "high-arm", "1.7e8")
    sqlite_room.case("S02", ("BASELINE",))
    sqlite_room.assign("S02")
    sqlite_room.draft("reader1", {"comment": "only a draft"})
    everything = "".join(export_reads(sqlite_room.store).values())
    assert "high-arm" not in everything
    assert "only a draft" not in everything


def test_what_a_withdrawn_reader_signed_is_exported_and_does_not_count(sqlite_room):
    disputed(sqlite_room)
    assigning.withdraw(sqlite_room.store, sqlite_room.coordinator, 1, "knew the patient")
    rows = table(export_reads(sqlite_room.store), "reads.csv")
    assert {r["reader"] for r in rows if r["counts"] == "true"} == {"reader2"}
    assert len(rows) == 4


def test_hostile_texts_come_back_from_csv_and_json_as_they_were(sqlite_room):
    text = '=1+1,"quoted"\r\n<b>; DROP TABLE'
    sqlite_room.case(labels=("BASELINE",))
    sqlite_room.assign()
    sqlite_room.lock("reader1", BASELINE | {"comment": text})
    files = export_reads(sqlite_room.store)
    row = next(csv.DictReader(io.StringIO(files["reads.csv"], newline="")))
    assert row["answer.comment"] == text
    assert json.loads(files["reads.json"])["reads"][0]["answers"]["comment"] == text


def test_an_empty_store_is_exported_with_its_columns(sqlite_room):
    files = export_reads(sqlite_room.store)
    assert table(files, "reads.csv") == []
    assert files["reads.csv"].startswith("case_id,visit,reader")
    assert json.loads(files["reads.json"]) == {"reads": [], "decisions": []}


def test_an_export_is_told_in_the_audit_trail(sqlite_room):
    export_reads(sqlite_room.store)
    newest = audit_view.entries(sqlite_room.store, sqlite_room.admin)[0]
    assert (newest.action, newest.actor) == ("reads.exported", "system")
