"""The store of results: what is committed is whole, what is not does not exist."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from batches import committed, do_all, save_manifest, save_visit

from imaging.errors import UsageError
from imaging.protocol import load_protocol
from surveillance.batching.manifest import load_manifest
from surveillance.batching.unit import Order, ordered
from surveillance.errors import ResultsError
from surveillance.results import commit as commits
from surveillance.results.place import STALE_S, existing, open_place, prepared
from surveillance.results.summary import check, status
from surveillance.results.table import cohort_rows, is_fresh, refresh, schema


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Three subjects of two sites, two of them called 001."""
    folder = tmp_path_factory.mktemp("store")
    rows = []
    for number, (site, subject) in enumerate((("A", "001"), ("B", "001"), ("B", "002"))):
        save_visit(folder / site / subject, seed=number)
        rows.append((site, subject, f"{site}/{subject}"))
    save_visit(folder / "B" / "002", "M3", seed=5)
    order = Order(str(folder / "store"), load_protocol())
    do_all(load_manifest(save_manifest(folder / "m.csv", rows), "A"), order)
    return open_place(order.store)


@pytest.fixture
def place(made, tmp_path):
    """A copy of the store that a test may damage."""
    for entry in made.entries(""):
        target = tmp_path / "copy" / entry.name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(made.read(entry.name))
    return open_place(str(tmp_path / "copy"))


def amended(place, **changes):
    """Commit again what holds for site A's 001, with its row changed."""
    number, commit = commits.latest(place, "A", "001")
    row = {**commit.rows[0], **changes}
    commits.save(place, commit.model_copy(update={"rows": (row,)}), number + 1)


def test_the_table_is_one_dataset_by_site_and_visit_with_the_numbers_of_the_records(made):
    folder = json.loads(made.read("cohort.json"))["table"]
    names = [e.name.removeprefix(f"{folder}/") for e in made.entries("cohort")]
    assert names == [
        "site=A/visit=BASELINE/part-0.parquet",
        "site=B/visit=BASELINE/part-0.parquet",
        "site=B/visit=M3/part-0.parquet",
    ]
    # As anyone reads it: pyarrow, no JSON, one site.
    partitioning = ds.partitioning(
        pa.schema([("site", pa.string()), ("visit", pa.string())]), flavor="hive"
    )
    table = pq.read_table(
        f"{made.root}/{folder}", partitioning=partitioning, filters=[("site", "=", "B")]
    )
    number, commit = commits.latest(made, "B", "002")
    record = json.loads(made.read(f"{commit.folder}/assessment.json"))
    m3 = next(row for row in table.to_pylist() if row["visit"] == "M3")
    assert m3["volume_ml"] == record["visits"][1]["graft"]["volume_ml"]
    assert (m3["subject"], m3["key"], number) == ("002", record["fingerprint"], 1)


def test_rows_come_in_order_and_an_arm_is_nowhere(made):
    rows = cohort_rows(made)
    assert rows.schema.names == schema().names
    assert not {"arm", "dose_level"} & set(rows.schema.names)
    assert rows.select(["site", "subject", "label"]).to_pylist() == [
        {"site": "A", "subject": "001", "label": "BASELINE"},
        {"site": "B", "subject": "001", "label": "BASELINE"},
        {"site": "B", "subject": "002", "label": "BASELINE"},
        {"site": "B", "subject": "002", "label": "M3"},
    ]


def test_a_commit_that_the_table_does_not_know_counts_at_once(place):
    refresh(place)
    amended(place, flag="red")
    assert not is_fresh(place)
    assert [one.subject for one in check(place, "red").flagged] == ["001"]
    refresh(place)
    assert is_fresh(place)
    assert [one.site for one in check(place, "red").flagged] == ["A"]


def test_the_last_two_tables_stay_for_those_who_read_and_older_ones_go(place):
    for flag in ("red", "amber", "green"):
        amended(place, flag=flag)
        refresh(place)
    assert len({entry.name.split("/")[1] for entry in place.entries("cohort")}) == 2


@pytest.mark.parametrize("lost", ["", "site=B"])
def test_a_table_that_another_process_took_for_an_old_one_is_not_believed_and_made_again(
    place, lost
):
    refresh(place)
    rows = cohort_rows(place)
    for entry in place.entries(f"{json.loads(place.read('cohort.json'))['table']}/{lost}"):
        place.remove(entry.name)
    assert not is_fresh(place)
    assert cohort_rows(place) == rows
    refresh(place)
    assert is_fresh(place)
    assert cohort_rows(place) == rows


def test_the_highest_number_holds_whatever_the_clock_says(place):
    number, commit = commits.latest(place, "A", "001")
    earlier = commit.committed.replace(year=1999)
    commits.save(place, commit.model_copy(update={"key": "k2", "committed": earlier}), number + 1)
    assert commits.latest(place, "A", "001")[1].key == "k2"


def test_an_object_that_was_altered_or_lost_is_refused_by_name(place):
    (commit,) = [c for c in committed(place).values() if c.subject == "002"]
    name = "M3/graft.nii.gz"
    place.write(f"{commit.folder}/{name}", b"other")
    with pytest.raises(ResultsError, match=r"M3/graft.nii.gz .* not what was written"):
        commits.fetch(place, commit, name)
    place.remove(f"{commit.folder}/{name}")
    place.remove(f"{commit.folder}/{name}")  # once more is no error
    with pytest.raises(ResultsError, match=r"M3/graft.nii.gz"):
        commits.fetch(place, commit, name)


@pytest.mark.parametrize("name", ["commits/A/001/000001.json", "cohort.json", "aside/A/x.json"])
def test_a_damaged_record_is_refused_and_never_read_as_nothing(place, name):
    place.write(name, b'{"half')
    with pytest.raises(ResultsError, match=name):
        status(place)


def test_a_folder_where_a_file_should_be_is_unreadable(place):
    place.write("commits/A/001/000002.json/x", b"")
    with pytest.raises(ResultsError, match="cannot be read"):
        place.read("commits/A/001/000002.json")


def test_half_files_of_killed_processes_are_no_files_and_go_after_an_hour(place, tmp_path):
    old, new = (tmp_path / "copy" / "commits" / f".partial-{n}.json" for n in ("old", "new"))
    for file in (old, new):
        file.write_text("{")
    os.utime(old, (0, new.stat().st_mtime - 2 * STALE_S))
    prepared(str(tmp_path / "copy"))
    assert (old.exists(), new.exists()) == (False, True)
    assert not [e for e in place.entries("commits") if "partial" in e.name]


def test_the_check_counts_flags_of_the_last_judged_visit_and_what_was_set_aside(place):
    number, commit = commits.latest(place, "B", "002")
    rows = ({**commit.rows[0], "flag": "red"}, {**commit.rows[1], "flag": None})
    commits.save(place, commit.model_copy(update={"rows": rows}), number + 1)
    amended(place, flag="amber", graft_present=None)
    found = check(place, "amber")
    assert [(f.site, f.subject, f.visit, f.flag) for f in found.flagged] == [
        ("A", "001", "BASELINE", "amber"),
        ("B", "002", "BASELINE", "red"),
    ]
    assert (found.flags["amber"], found.flags["red"], found.unseen) == (1, 1, 1)
    assert [f.flag for f in check(place, "red").flagged] == ["red"]


def test_the_command_line_tells_a_scheduler_by_its_exit_code(place, command):
    said = command("check", place.root, expect=0)
    assert json.loads(said.out)["subjects"] == 3
    amended(place, flag="red")
    command("check", place.root, "--fail-on", "red", expect=6)
    amended(place, flag="amber")
    command("check", place.root, "--fail-on", "red", expect=0)
    command("check", place.root, "--fail-on", "amber", expect=6)


def test_who_was_not_assessed_is_no_success_of_a_check(place, command):
    place.write(
        "aside/A/X.json",
        b'{"site":"A","subject":"X","stamp":"s","tries":2,"code":"c","message":"no image"}',
    )
    assert json.loads(command("check", place.root, expect=3).out)["set_aside"][0]["subject"] == "X"
    said = command("status", place.root, expect=0).out
    assert "3 subjects with 4 visits" in said
    assert "A X failed, try 2: no image" in said
    assert "does not know of all commits" in said  # a copied store has other times
    assert json.loads(command("status", place.root, "--json", expect=0).out)["costs"]["cpu_s"] > 0
    for entry in place.entries("commits"):
        place.remove(entry.name)
    command("check", place.root, expect=4)


def test_an_address_that_is_none_is_refused(command, tmp_path):
    with pytest.raises(UsageError, match="no address"):
        open_place("gopher://x/y")
    with pytest.raises(UsageError, match="password") as caught:
        open_place("s3://key:secret@bucket/x")
    assert "secret" not in str(caught.value)
    with pytest.raises(UsageError, match="holds no results"):
        existing(str(tmp_path))
    command("status", tmp_path / "gone", expect=2)


def test_an_order_means_the_same_in_another_folder(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    order = Order("store", load_protocol())
    assert ordered(order).store == str(tmp_path / "store")
    assert ordered(replace(order, store="s3://b/c")).store == "s3://b/c"


def test_the_query_of_the_documentation_runs_as_it_stands(made, monkeypatch):
    page = (Path(__file__).parents[1] / "docs" / "batch.md").read_text(encoding="utf-8")
    code = page.partition("```python\n")[2].partition("```")[0]
    monkeypatch.chdir(Path(made.root).parent)
    (Path(made.root).parent / "STORE").symlink_to(made.root)
    said = {}
    exec(code, said)  # noqa: S102 - our own documentation
    assert said["rows"].count_rows() == 4
    assert {"site", "visit", *schema().names} == set(said["rows"].schema.names)
