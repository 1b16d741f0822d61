"""A station joins cases and reads; a read stays what it was when a subject is assessed anew."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
import streamlit as st
from abdomen import abdomen
from browser_station import image_people
from typer.testing import CliRunner

from imaging.errors import InputError, UsageError
from imaging.guidance import Guidance
from imaging.protocol import load_protocol
from imaging.series import Role
from readers import accounts, assigning, masks, reading, sessions, worklist
from readers.account_policy import AccountPolicy
from readers.actor import SYSTEM
from readers.actor import Role as Duty
from readers.errors import OrderError
from surveillance.batch import Request, run
from surveillance.cases.anatomy import muscles, outlined, prepared
from surveillance.cases.outlining import edited, seeded
from surveillance.cli import app
from surveillance.configuration import Configuration, Storage
from surveillance.demonstration import furnish
from surveillance.errors import CaseFilesError, CaseImportError
from surveillance.exports.contract import AssessmentRecord
from surveillance.station import import_results, open_station, register
from surveillance.ui.drawings import annotations_of, marks_of
from surveillance.ui.lightbox import BASELINE_SPACE, Hung, hang, nothing_drawn
from surveillance.ui.running import running_station
from surveillance.ui.server import configured_app
from surveillance.ui.viewer import Annotation, AnnotationKind, Layer, Plane

PROTOCOL = load_protocol()
CHEAP = AccountPolicy(argon2_time=1, argon2_memory_kib=8, argon2_lanes=1)


class Silent:
    def begin(self, subjects):
        pass

    def finished_one(self, subject):
        pass


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    folder = tmp_path_factory.mktemp("images")
    image_people(folder, {"P01": 2, "P02": 2})
    # P02 has a T1W without fat suppression at baseline, and no T2W-FS at day 28.
    shutil.copy(folder / "P02/BASELINE/t1w_fs.nii.gz", folder / "P02/BASELINE/t1w.nii.gz")
    (folder / "P02/D28/t2w_fs.nii.gz").unlink()
    return folder


@pytest.fixture(scope="module")
def results(images, tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    run(Request((images,), folder, PROTOCOL, (), Guidance(), 1, debug=True), Silent())
    return folder


@pytest.fixture(scope="module")
def station(images, results, tmp_path_factory):
    """A furnished station; P01 is read by both readers, P02 by nobody yet."""
    storage = Storage(data=tmp_path_factory.mktemp("station") / "data")
    made = open_station(Configuration(storage=storage, accounts=CHEAP), PROTOCOL)
    import_results(made, results, (images,))
    yield made
    made.store.close()


@pytest.fixture(scope="module")
def logins(station):
    return {login.name: login for login in furnish(station)}


@pytest.fixture(scope="module")
def reader(station, logins):
    return sessions.sign_in(station.store, "reader-1", logins["reader-1"].password).actor


@pytest.fixture(scope="module")
def item(station, reader):
    (only,) = worklist.of_reader(station.store, reader)
    return only


def test_a_demonstration_has_an_account_for_every_duty_and_a_case_left_to_assign(station, logins):
    assert {login.role for login in logins.values()} == set(Duty)
    assert len({login.password for login in logins.values()}) == 5
    assert {p.case_id for p in assigning.progress(station.store, SYSTEM)} == {"P01"}
    assert furnish(station) == ()
    assert not any(a.password_temporary for a in accounts.every(station.store, SYSTEM))


def test_starting_again_registers_nothing_twice(station, results, images):
    before = len(station.library.versions("P01"))
    import_results(station, results, (images,))
    assert len(station.library.versions("P01")) == before


def test_what_a_reader_is_shown_are_the_images_the_read_is_bound_to(station, reader, item):
    read = reading.open_read(station.store, reader, item.id, "BASELINE")
    source = worklist.image_source(station.store, reader, item.id, "BASELINE", "BASELINE")
    shown = station.library.showing(source.case_id, source.visit, read.images)
    assert shown.label == "BASELINE"
    assert shown.volume(Role.T2W_FS, corrected=False).geometry.same_grid(abdomen()[0].geometry)


def test_a_subject_assessed_again_is_another_version_and_the_read_stays_on_its_own(
    station, reader, item
):
    read = reading.open_read(station.store, reader, item.id, "BASELINE")
    case = station.library.newest("P01")
    bound = case.visit("BASELINE").stored
    other = bound.t2w_fs.model_copy(update={"muscle_median": 1.0})
    changed = bound.model_copy(update={"t2w_fs": other})
    visits = (changed, *case.manifest.visits[1:])
    manifest = case.manifest.model_copy(update={"visits": visits})
    register(station, replace(case, manifest=manifest, version=manifest.version))
    again = reading.load(station.store, reader, read.id)
    assert again.newer_version
    assert again.images == read.images
    found = station.library.showing("P01", "BASELINE", again.images)
    assert found.muscle_median(Role.T2W_FS) != 1.0
    with pytest.raises(CaseFilesError, match="P01"):
        station.library.showing("P01", "BASELINE", {"t2w_fs": "0" * 64})


def test_the_machine_is_hidden_until_the_lock_with_its_values_and_its_outline(
    station, reader, item
):
    read = reading.open_read(station.store, reader, item.id, "BASELINE")
    with pytest.raises(OrderError):
        reading.machine_values(station.store, reader, read.id)
    assert masks.versions(station.store, reader, read.id) == ()


def test_results_without_their_images_are_refused_by_name(station, results, images):
    with pytest.raises(CaseImportError, match="P01"):
        import_results(station, results, (images / "P02",))


def test_a_visit_without_t2w_fs_is_looked_at_and_cannot_be_outlined(station):
    case = station.library.newest("P02")
    first, second = case.visits
    assert set(first.stored.images) == {"t2w_fs", "t1w_fs", "t1w"}
    assert set(second.stored.images) == {"t1w_fs"}
    assert second.volume(Role.T1W_FS) is not None
    assert second.volume(Role.T2W_FS) is second.on_baseline(Role.T1W_FS) is second.grid is None
    assert prepared(second) is muscles(second) is None
    for impossible in (
        lambda: seeded(second, ((30.0, -64.0, 21.0),)),
        lambda: edited(case, {"D28": first.graft.mask}),
    ):
        with pytest.raises(CaseFilesError, match="no readable T2W-FS"):
            impossible()
    again = edited(case, {}).model_copy(update={"fingerprint": case.record.fingerprint})
    assert AssessmentRecord.model_validate_json(again.model_dump_json()) == case.record
    assert [v.visit for v in edited(case, {}, until="BASELINE").visits] == ["BASELINE"]
    box = hang([Hung(visit, visit.label, {}) for visit in case.visits])
    assert "D28/T1W-FS/native" in box.sheets


def test_a_series_that_could_not_be_read_is_kept_as_such_and_says_so(station):
    visit = station.library.newest("P02").visits[0]
    (supporting,) = visit.stored.supporting
    lost = visit.stored.model_copy(
        update={"supporting": (supporting.model_copy(update={"voxels": None}),)}
    )
    assert set(lost.images) == {"t2w_fs", "t1w_fs"}
    (series,) = outlined(replace(visit, stored=lost)).visit.supporting
    with pytest.raises(InputError, match="could not be read"):
        series.load()


def test_a_folder_that_holds_no_results_is_refused_before_anything_is_made(tmp_path):
    options = ["app", "--results", str(tmp_path / "none"), "--data", str(tmp_path / "data")]
    with pytest.raises(UsageError, match="no results"):
        CliRunner().invoke(app, options, catch_exceptions=False)
    assert not (tmp_path / "data").exists()


def test_the_script_alone_says_who_has_to_run_it(monkeypatch):
    monkeypatch.setattr("surveillance.ui.running._PROCESS.station", None)
    with pytest.raises(RuntimeError, match="server"):
        running_station()


def test_an_application_of_a_configuration_file_is_one_a_process(tmp_path, monkeypatch):
    config = tmp_path / "graftsite.toml"
    config.write_text('[storage]\ndata = "data"\n')
    monkeypatch.setenv("GRAFTSITE_CONFIG", str(config))
    assert isinstance(configured_app(), st.App)
    assert running_station().library.subjects == ()
    running_station().store.close()


def hung(station, **masks_of):
    case = station.library.newest("P01")
    return [Hung(visit, visit.label, masks_of.get(visit.label, {})) for visit in case.visits]


def test_every_visit_hangs_as_acquired_and_registered_in_the_baselines_space(station):
    drawn = station.library.newest("P01").visit("D28").graft.mask
    box = hang(hung(station, D28={Layer.GRAFT: drawn}))
    assert {p.key for p in box.pictures} == {
        "BASELINE/T2W-FS/native", "BASELINE/T1W-FS/native", "BASELINE/T1W-FS/baseline",
        "D28/T2W-FS/native", "D28/T2W-FS/baseline", "D28/T1W-FS/native", "D28/T1W-FS/baseline",
    }  # fmt: skip
    assert {p.space for p in box.pictures} == {BASELINE_SPACE}
    assert [len(p.layers) for p in box.pictures if p.visit == "D28"] == [1, 1, 0, 1]
    again = hang(hung(station, D28={Layer.GRAFT: drawn}))
    carried = [p.layers[0].mask for b in (box, again) for p in b.pictures if p.layers]
    assert len({id(mask) for mask in carried}) == 2  # as drawn, and carried once


def test_a_visit_that_could_not_be_registered_hangs_in_a_space_of_its_own(station):
    case = station.library.newest("P01")
    stored = case.visit("D28").stored
    failed = stored.preparation.registration.model_copy(update={"success": False})
    alone = stored.model_copy(
        update={"preparation": stored.preparation.model_copy(update={"registration": failed})}
    )
    box = hang([Hung(replace(case.visit("D28"), stored=alone), "D28", {})])
    assert {p.key: p.space for p in box.pictures} == {
        "D28/T2W-FS/native": "D28/T2W-FS",
        "D28/T1W-FS/native": "D28/T1W-FS",
    }


def test_nothing_drawn_is_one_empty_mask_for_each_grid(station):
    case, memory = station.library.newest("P01"), station.library.newest("P01").shelf.memory
    grid = case.visit("D28").grid
    assert nothing_drawn(memory, grid) is nothing_drawn(memory, grid)
    assert nothing_drawn(memory, grid).is_empty
    other = replace(grid, frame_of_reference="1.2.3")
    assert nothing_drawn(memory, other).geometry.same_grid(other)


@pytest.mark.parametrize(
    ("kind", "points", "value", "unit"),
    [
        (AnnotationKind.LENGTH, ((0.0, 0.0, 21.0), (30.0, 40.0, 21.0)), 50.0, "mm"),
        (AnnotationKind.ELLIPSE, ((10.0, 10.0, 21.0), (30.0, 20.0, 21.0)), 157.08, "mm2"),
        (AnnotationKind.VALUE, ((30.0, -64.0, 21.0),), None, "1"),
        (AnnotationKind.FOCUS, ((30.0, -64.0, 21.0),), None, None),
    ],
)
@pytest.mark.parametrize("picture", ["D28/T2W-FS/native", "D28/T2W-FS/baseline"])
def test_a_drawing_becomes_a_mark_on_the_image_as_acquired_and_comes_back(
    station, kind, points, value, unit, picture
):
    box = hang(hung(station))
    drawn = Annotation("m1", kind, picture, Plane.AXIAL, 4, points)
    (mark,) = marks_of((drawn,), box.sheets, "D28")
    assert (mark.series, mark.visit, mark.plane, mark.unit) == ("t2w_fs", "", "axial", unit)
    assert mark.slice_index in (3, 4)
    if value is not None:
        assert mark.value == pytest.approx(value, rel=1e-3)
    (back,) = annotations_of((mark,), box.native(), "D28")
    assert (back.id, back.kind, back.picture) == ("m1", kind, "D28/T2W-FS/native")
    motion = np.eye(4) if picture.endswith("native") else None
    if motion is not None:
        assert np.allclose(sorted(back.points_mm), sorted(points), atol=0.01)


def test_a_mark_on_an_earlier_visit_keeps_its_place_and_one_that_hangs_nowhere_is_left_out(station):
    box = hang(hung(station))
    drawn = Annotation("m1", AnnotationKind.FOCUS, "BASELINE/T1W-FS/native", Plane.AXIAL, 4,
                       ((30.0, -64.0, 21.0),))  # fmt: skip
    (mark,) = marks_of((drawn,), box.sheets, "D28")
    assert (mark.visit, mark.series) == ("BASELINE", "t1w_fs")
    (back,) = annotations_of((mark,), box.native(), "D28")
    assert back.picture == "BASELINE/T1W-FS/native"
    gone = replace(mark, series="dixon"), replace(mark, visit="M12")
    assert annotations_of(gone, box.native(), "D28") == ()
