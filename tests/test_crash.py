"""Killed at any instant (SIGKILL), a store is consistent and the next run ends with the same bytes.

`make crash` kills 200 times and more; here a few times, at instants of a fixed seed.
"""

import os
import random
import shutil
from pathlib import Path

import pytest
from batches import committed, do_all, records_of, save_manifest, save_visit
from crashing import Aim, seconds_of

from imaging.guidance import Guidance
from imaging.protocol import load_protocol
from surveillance import batch
from surveillance.batching.manifest import load_manifest
from surveillance.batching.unit import Order
from surveillance.exports.contract import AssessmentRecord
from surveillance.results.place import open_place
from surveillance.results.publishing import Cost, publish
from surveillance.results.table import cohort_rows, is_fresh, refresh

CRASHES = int(os.environ.get("GRAFTSITE_CRASHES", "4"))
SUBJECTS = 4
SEED = 20260105


@pytest.fixture(scope="module")
def rng():
    return random.Random(SEED)  # noqa: S311 - instants, not secrets


@pytest.fixture(scope="module")
def manifest(tmp_path_factory):
    folder = tmp_path_factory.mktemp("crash")
    rows = [("A", f"P{number}", f"in/P{number}") for number in range(SUBJECTS)]
    for number in range(SUBJECTS):
        save_visit(folder / "in" / f"P{number}", seed=number)
    return save_manifest(folder / "m.csv", rows)


def whole_batch(manifest, store):
    do_all(load_manifest(manifest, "A"), Order(store, load_protocol()))


def whole_assess(images, output):
    class Silent:
        def begin(self, subjects):
            pass

        def finished_one(self, subject):
            pass

    batch.run(
        batch.Request((images,), output, load_protocol(), (), Guidance(), 1, debug=True), Silent()
    )


def left(done):
    """Return the share of the work that is left, so that most kills meet a process at work."""
    return 1 - len(done) / (SUBJECTS + 1)


def many_publications(folder, store):
    """Publish one subject again and again, and the table after each: nothing but writing."""
    record = AssessmentRecord.model_validate_json((folder / "assessment.json").read_bytes())
    place = open_place(store)
    for number in range(5):
        publish(place, "A", f"{number:064d}", folder, record, Cost(1.0, 1.0, 1.0))
        refresh(place)


@pytest.fixture(scope="module")
def alone(manifest, tmp_path_factory):
    """A batch that nobody disturbed: its store, and how long it took."""
    store = str(tmp_path_factory.mktemp("alone"))
    return open_place(store), seconds_of(whole_batch, manifest, store)


def test_a_batch_killed_at_any_instant_leaves_whole_subjects_and_goes_on(
    manifest, alone, rng, tmp_path
):
    expected, aim = records_of(alone[0]), Aim(rng, alone[1])
    store, killed, found = tmp_path / "store", 0, {}
    while killed < CRASHES:
        killed += aim.kills(left(found), whole_batch, manifest, str(store))
        found = records_of(open_place(str(store)))  # every object is as committed
        assert found.items() <= expected.items()
        assert cohort_rows(open_place(str(store))).num_rows == len(found)
        if len(found) == SUBJECTS:
            shutil.rmtree(store)
            found = {}
    whole_batch(manifest, str(store))
    assert records_of(open_place(str(store))) == expected
    assert is_fresh(open_place(str(store)))


def test_an_assessment_killed_at_any_instant_leaves_whole_files_and_goes_on(
    manifest, alone, rng, tmp_path
):
    images, expected = manifest.parent / "in", records_of(alone[0])
    output, killed, done, aim = tmp_path / "out", 0, [], Aim(rng, alone[1])
    while killed < CRASHES:
        killed += aim.kills(left(done), whole_assess, images, output)
        done = list(output.glob("subjects/*/assessment.json"))
        for file in done:
            assert file.read_bytes() == expected[file.parent.name]
            assert len(list(file.parent.glob("*/*.nii.gz"))) == 3
        if len(done) == SUBJECTS:
            shutil.rmtree(output)
            done = []
    whole_assess(images, output)
    files = output.glob("subjects/*/assessment.json")
    assert {file.parent.name: file.read_bytes() for file in files} == expected


def test_writes_to_a_store_killed_at_any_instant_leave_the_commit_before(alone, rng, tmp_path):
    folder, store = tmp_path / "P0", str(tmp_path / "store")
    commit = committed(alone[0])["P0"]
    for name in commit.files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(alone[0].read(f"{commit.folder}/{name}"))
    aim = Aim(rng, seconds_of(many_publications, folder, str(tmp_path / "whole")))
    number = killed = 0
    while killed < CRASHES:
        killed += aim.kills(1, many_publications, folder, store)
        for file in Path(store).rglob("cohort.json"):
            assert file.read_bytes().endswith(b"}\n")
        held = committed(open_place(store))
        assert len(list(Path(store).glob("commits/A/P0/*.json"))) >= number
        number = len(list(Path(store).glob("commits/A/P0/*.json")))
        assert cohort_rows(open_place(store)).num_rows == len(held)
    assert number > 0
