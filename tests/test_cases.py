"""A case is what was assessed, stays what it was, and is measured again as it was assessed."""

import shutil
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from imaging.errors import GeometryError, MaskError, SeedError
from imaging.protocol import load_protocol
from imaging.series import Role
from imaging.volume import Mask
from surveillance.cases.arrays import Arrays
from surveillance.cases.library import Library, assessed_subjects, imaged_subjects
from surveillance.cases.memory import Memory
from surveillance.cases.outlining import edited, seeded
from surveillance.cli import app
from surveillance.errors import CaseFilesError, CaseImportError
from surveillance.exports.contract import AssessmentRecord

PROTOCOL = load_protocol()
IMAGES = Path(__file__).parents[1] / "sample_dicom" / "subjects" / "S06"
PLENTY = 10**9


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    done = CliRunner().invoke(app, ["assess", str(IMAGES), "-o", str(folder), "--quiet"])
    assert done.exit_code == 0, done.output
    return folder


@pytest.fixture(scope="module")
def parts(results):
    """The subject's images, its record, and the folder of its masks."""
    subject = imaged_subjects((IMAGES,), PROTOCOL)["S06"]
    return subject, assessed_subjects(results)["S06"], results / "subjects" / "S06"


@pytest.fixture(scope="module")
def library(parts, tmp_path_factory):
    made = Library(tmp_path_factory.mktemp("data"), Memory(PLENTY))
    made.add(*parts, PROTOCOL)
    return made


@pytest.fixture(scope="module")
def case(library):
    return library.newest("S06")


def written(record):
    """As it is in assessment.json, digits that are not written left out."""
    return AssessmentRecord.model_validate_json(record.model_dump_json())


def test_the_images_and_masks_of_a_case_are_those_of_the_scanner_and_the_results(case, parts):
    subject, record, _ = parts
    for visit, scanned, block in zip(case.visits, subject.visits, record.visits, strict=True):
        raw = visit.volume(Role.T2W_FS, corrected=False)
        assert np.array_equal(raw.array, scanned.t2w_fs.load().array)
        assert raw.geometry.same_grid(scanned.t2w_fs.geometry)
        assert visit.graft.mask.voxel_volume_ml == pytest.approx(block.graft.voxel_volume_ml)
        assert visit.graft.confidence == pytest.approx(block.graft.confidence)


def test_a_case_measured_again_without_a_change_gives_the_assessment_it_came_from(case, parts):
    again = written(edited(case, {}))
    assert again.model_copy(update={"fingerprint": parts[1].fingerprint}) == parts[1]


def test_an_edited_outline_changes_its_numbers_and_says_so_and_leaves_the_other_visit(case):
    last = case.visits[-1]
    smaller = last.graft.mask.array.copy()
    smaller[:, :, np.flatnonzero(smaller.any(axis=(0, 1)))[-1]] = False
    mask = Mask(smaller, last.grid)
    edited_record = written(edited(case, {last.label: mask}))
    before, after = case.record.visits, edited_record.visits
    assert [v.graft.source for v in after] == ["automatic", "edited"]
    assert after[0] == before[0]
    assert after[1].graft.voxel_volume_ml == pytest.approx(mask.voxel_volume_ml)
    assert after[1].graft.volume_ml < before[1].graft.volume_ml
    assert after[1].change.volume_percent < before[1].change.volume_percent
    assert after[1].graft.confidence == 1.0


@pytest.mark.parametrize(
    ("wrong", "error"), [("empty", MaskError), ("mirrored", MaskError), ("grid", GeometryError)]
)
def test_an_edit_that_can_be_no_graft_is_refused(case, wrong, error):
    visit = case.visits[-1]
    mask = visit.graft.mask
    made = {
        "empty": lambda: Mask(np.zeros_like(mask.array), mask.geometry),
        "mirrored": lambda: Mask(mask.array[::-1].copy(), mask.geometry),
        "grid": lambda: Mask(mask.array, replace(mask.geometry, frame_of_reference="1.2.3")),
    }[wrong]()
    with pytest.raises(error):
        edited(case, {visit.label: made})


def test_a_click_in_the_graft_outlines_it_again(case):
    visit = case.visits[0]
    found = seeded(visit, (tuple(visit.graft.mask.centroid_mm),))
    overlap = np.count_nonzero(found.mask.array & visit.graft.mask.array)
    assert 2 * overlap / (found.mask.voxels + visit.graft.mask.voxels) > 0.9
    assert found.source == "seeded"


def test_a_click_on_the_other_side_is_refused_with_the_reason(case):
    visit = case.visits[0]
    x, y, z = visit.graft.mask.centroid_mm
    with pytest.raises(SeedError, match="patient's right"):
        seeded(visit, ((-x, y, z),))


def test_a_follow_up_in_the_baselines_space_lies_on_its_grid_and_says_where_it_saw_nothing(case):
    baseline, later = case.visits[0], case.visits[1]
    carried = later.on_baseline(Role.T2W_FS)
    assert carried.geometry.same_grid(baseline.grid)
    centre = baseline.graft.mask.centroid_mm
    index = tuple(np.rint(baseline.grid.to_index(centre)).astype(int))
    there = tuple(np.rint(later.grid.to_index(later.visit_from_baseline @ centre)).astype(int))
    seen = later.volume(Role.T2W_FS).array[there]
    assert carried.array[index] == pytest.approx(seen, rel=0.5)
    assert np.isnan(carried.array).any()
    assert baseline.on_baseline(Role.T2W_FS) is baseline.volume(Role.T2W_FS)
    assert later.on_baseline(Role.T1W_FS).geometry.same_grid(baseline.grid)
    assert later.mask_on_baseline(later.graft.mask).geometry.same_grid(baseline.grid)


def test_the_same_array_is_one_object_for_all_who_look(library, case):
    again = library.newest("S06")
    assert again.visits[0].volume(Role.T2W_FS) is case.visits[0].volume(Role.T2W_FS)
    assert not case.visits[0].volume(Role.T2W_FS).array.flags.writeable


def test_importing_twice_changes_nothing_and_another_assessment_is_another_version(
    library, case, parts
):
    subject, record, masks = parts
    assert library.add(subject, record, masks, PROTOCOL).version == case.version
    other = library.add(
        subject, record.model_copy(update={"fingerprint": "0" * 64}), masks, PROTOCOL
    )
    assert library.versions("S06") == (case.version, other.version)
    assert library.open(case.version).record.fingerprint == record.fingerprint


def test_nothing_in_the_data_folder_names_a_person_or_a_file(library, case):
    text = library._manifest(case.version).read_text(encoding="utf-8")
    assert "IM0001" not in text
    assert str(IMAGES.parent) not in text
    series = case.visits[0].series(Role.T2W_FS).info
    assert (series.source, series.identity.patient, series.identity.birth) == ("", None, None)


@pytest.mark.parametrize("what", ["protocol", "images", "muscles"])
def test_results_that_are_not_of_these_images_are_refused(parts, what, tmp_path):
    subject, record, masks = parts
    protocol = PROTOCOL
    if what == "protocol":
        protocol = PROTOCOL.model_copy(update={"sha256": "0" * 64})
    elif what == "images":
        subject = replace(subject, visits=subject.visits[:1])
    else:
        masks = shutil.copytree(masks, tmp_path / "masks")
        folder = masks / "BASELINE"
        shutil.copy(folder / "rectus_right.nii.gz", folder / "rectus_left.nii.gz")
    with pytest.raises(CaseImportError):
        Library(tmp_path / "data", Memory(PLENTY)).add(subject, record, masks, protocol)


def test_a_damaged_record_or_case_is_said_and_never_shown(library, case, tmp_path):
    folder = tmp_path / "subjects" / "S06"
    folder.mkdir(parents=True)
    (folder / "assessment.json").write_text("{}")
    with pytest.raises(CaseImportError, match="S06"):
        assessed_subjects(tmp_path)
    copied = Library(shutil.copytree(library._folder, tmp_path / "data"), Memory(PLENTY))
    (tmp_path / "data" / "subjects" / "S06.json").write_text("[]")
    with pytest.raises(CaseFilesError):
        copied.newest("S06")
    manifest = tmp_path / "data" / "cases" / f"{case.version}.json"
    manifest.write_text(manifest.read_text().replace("S06", "S04"))
    with pytest.raises(CaseFilesError, match="changed or damaged"):
        copied.open(case.version)


@pytest.mark.parametrize("version", ["0" * 64, "../subjects/S06"])
def test_a_version_that_is_not_there_is_not_found(library, version):
    with pytest.raises(CaseFilesError):
        library.open(version)


def test_a_subject_or_visit_that_is_not_there_is_not_found(library, case):
    with pytest.raises(CaseFilesError, match="S99"):
        library.newest("S99")
    with pytest.raises(CaseFilesError, match="BASELINE"):
        case.visit("M99")
    with pytest.raises(CaseFilesError):
        edited(case, {"M99": case.visits[0].graft.mask})


@pytest.mark.parametrize("dtype", ["float32", "bool", "float64", "uint8"])
def test_an_array_comes_back_as_it_was_and_only_to_be_read(tmp_path, dtype):
    array = np.arange(24).reshape(2, 3, 4).astype(dtype)
    arrays = Arrays(tmp_path)
    back = arrays.load(arrays.save(array))
    assert back.dtype == array.dtype
    assert np.array_equal(back, array)
    assert not back.flags.writeable


def test_a_damaged_array_is_never_given_out(tmp_path):
    arrays = Arrays(tmp_path)
    one, other = arrays.save(np.zeros(3)), arrays.save(np.ones(3))
    shutil.copy(arrays._path(one), arrays._path(other))
    with pytest.raises(CaseFilesError, match="changed or damaged"):
        arrays.load(other)
    arrays._path(one).write_bytes(b"cut")
    with pytest.raises(CaseFilesError):
        arrays.load(one)


def test_memory_keeps_to_its_bound_and_forgets_what_was_longest_not_asked_for():
    memory, made = Memory(100), []

    def get(key):
        return memory.get(key, lambda: made.append(key) or key, lambda _: 40)

    for key in ("a", "b", "a", "c", "a", "b"):
        assert get(key) == key
    assert made == ["a", "b", "c", "b"]
    assert memory.held_bytes <= 100


def test_two_threads_make_one_value():
    memory, made, values = Memory(100), [], []

    def slow():
        made.append(1)
        time.sleep(0.1)
        return object()

    threads = [
        threading.Thread(target=lambda: values.append(memory.get("k", slow, lambda _: 1)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1
    assert len(set(map(id, values))) == 1


def test_what_could_not_be_made_is_said_to_everyone_and_not_kept():
    memory = Memory(100)

    def broken():
        raise CaseFilesError("case_unreadable", version="x")

    for _ in range(2):
        with pytest.raises(CaseFilesError):
            memory.get("k", broken, lambda _: 1)
    assert memory.get("k", lambda: 5, lambda _: 1) == 5
