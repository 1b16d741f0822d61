"""Registration: known motions come back, and what cannot be registered is said to be so."""

import tarfile
from pathlib import Path

import nibabel
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from imaged_person import Person, body, grid, image, rigid, wall

from imaging.geometry import Geometry, from_ras
from imaging.plausibility import rotation_deg
from imaging.positioning import between_visits, mirror, mirrored_better, trunk_shell
from imaging.protocol import load_protocol
from imaging.quality import QualityEntry
from imaging.registration import Contrast, register_rigid
from imaging.resampling import resample
from imaging.segmentation.body import body_mask
from imaging.segmentation.wall import anterior_wall
from imaging.transform import RigidTransform, identity
from imaging.volume import Mask, Volume

LIMITS = load_protocol().registration
HERE = grid()
BASELINE = image(Person(), HERE)
WALL = wall(HERE)


def landmark_error_mm(found: RigidTransform, true: RigidTransform) -> tuple[float, float]:
    miss = np.linalg.norm(found @ WALL.points_mm - true @ WALL.points_mm, axis=1)
    return float(miss.mean()), float(miss.max())


GRIDS = {
    "the same grid": grid(),
    "an oblique grid of finer pixels": grid((2, 2, 5), (156, 108, 28), oblique_deg=12),
    "a grid whose rows and slices run backwards": grid(flips=(-1, 1, -1)),
}


@pytest.mark.parametrize("there", GRIDS.values(), ids=GRIDS.keys())
def test_a_known_motion_between_visits_comes_back(there: Geometry) -> None:
    motion = rigid((3, -2, 4), (6, -5, 9))
    result = register_rigid(BASELINE, image(Person(), there, motion), WALL, LIMITS)
    mean, worst = landmark_error_mm(result.moving_from_fixed, motion)
    assert result.success, result.reason
    assert mean <= 1.0
    assert worst <= 3.0


@pytest.mark.parametrize("there", GRIDS.values(), ids=GRIDS.keys())
def test_a_breath_hold_between_two_contrasts_comes_back(there: Geometry) -> None:
    motion = rigid((1, -1, 1.5), (1.5, -3, 5))
    t1 = image(Person(), there, motion, t1=True)
    result = register_rigid(BASELINE, t1, WALL, LIMITS, Contrast.CROSS)
    mean, worst = landmark_error_mm(result.moving_from_fixed, motion)
    assert mean <= LIMITS.error_mean_max_mm
    assert worst <= LIMITS.error_max_max_mm


def test_an_image_registered_to_itself_does_not_move() -> None:
    for contrast in Contrast:
        result = register_rigid(BASELINE, BASELINE, WALL, LIMITS, contrast)
        assert result.success
        assert landmark_error_mm(result.moving_from_fixed, identity())[1] < 0.01


def test_a_patient_laid_anew_is_found_from_the_bodies() -> None:
    motion = rigid((2, 1, -3), (25, -20, 45))
    there = grid(centre_mm=(20, -10, 40))
    visit = image(Person(), there, motion)
    start = between_visits(BASELINE, body(HERE), visit, body(there, motion)).moving_from_fixed
    result = register_rigid(BASELINE, visit, WALL, LIMITS, start=start)
    assert result.success, result.reason
    assert landmark_error_mm(result.moving_from_fixed, motion)[0] <= 1.0


@pytest.mark.parametrize("trunk", [None, (trunk_shell(body(HERE)),) * 2], ids=["wall", "trunk"])
def test_the_same_bits_come_out_at_any_number_of_threads(
    trunk: tuple[Mask, Mask] | None,
) -> None:
    visit = image(Person(), HERE, rigid((3, -2, 4), (6, -5, 9)))
    before = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    found = set()
    try:
        for threads in (1, 2, 4):
            sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(threads)
            result = register_rigid(BASELINE, visit, WALL, LIMITS, trunk=trunk)
            assert sitk.ProcessObject.GetGlobalDefaultNumberOfThreads() == threads
            found.add(result.moving_from_fixed.matrix.tobytes())
    finally:
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(before)
    assert len(found) == 1


def test_noise_and_blank_images_are_found_out() -> None:
    rng = np.random.default_rng(3)
    noise = Volume(rng.rayleigh(20, HERE.shape).astype(np.float32), HERE)
    blank = Volume(np.zeros(HERE.shape, np.float32), HERE)
    for moving in (noise, blank):
        result = register_rigid(BASELINE, moving, WALL, LIMITS)
        assert not result.success
        assert result.reason


def test_an_empty_region_and_an_image_of_somewhere_else_are_refused_with_a_reason() -> None:
    empty = Mask(np.zeros(HERE.shape, bool), HERE)
    away = grid(centre_mm=(0, 0, 400))
    nothing = register_rigid(BASELINE, BASELINE, empty, LIMITS)
    elsewhere = register_rigid(BASELINE, image(Person(), away), WALL, LIMITS)
    for result in (nothing, elsewhere):
        assert not result.success
        assert result.reason
        assert result.similarity is None


def test_a_motion_larger_than_the_protocol_allows_is_refused() -> None:
    visit = image(Person(), HERE, rigid((0, 0, 6), (0, 0, 12)))
    turned = LIMITS.model_copy(update={"rotation_max_deg": 3.0})
    shifted = LIMITS.model_copy(update={"shift_max_mm": 5.0})
    gone = LIMITS.model_copy(update={"overlap_min": 0.999})
    assert "turned" in str(register_rigid(BASELINE, visit, WALL, turned).reason)
    assert "moved the wall" in str(register_rigid(BASELINE, visit, WALL, shifted).reason)
    start = register_rigid(BASELINE, visit, WALL, gone)
    assert not start.success


def test_the_angle_of_a_rotation_is_in_degrees() -> None:
    assert rotation_deg(rigid((0, 0, 30), (1, 2, 3))) == pytest.approx(30)
    assert rotation_deg(identity()) == 0


def mirrored(one: Volume, one_body: Mask, other: Volume, other_body: Mask) -> QualityEntry | None:
    plain = between_visits(one, one_body, other, other_body)
    return mirrored_better(one, one_body, other, other_body, plain, LIMITS)


def test_a_mirrored_follow_up_is_found_and_a_normal_one_is_not() -> None:
    motion = rigid((2, -1, 3), (5, -4, 8))
    visit, there = image(Person(), HERE, motion), body(HERE, motion)
    assert mirrored(BASELINE, body(HERE), visit, there) is None
    entry = mirrored(BASELINE, body(HERE), mirror(visit), mirror(there))
    assert entry is not None
    assert entry.code == "LATERALITY_MIRRORED"
    assert len(entry.endpoints) == 3


class Column(Person):
    """A person who looks the same at every height."""

    def signal(self, points: np.ndarray, t1: bool = False) -> np.ndarray:
        x, y, z = points
        return super().signal(np.stack([x, y, 0 * z]), t1)


class Breathing(Person):
    """Wall and trunk moved by `rigid`; deeper, all lies 15 mm lower, as after a breath."""

    def signal(self, points: np.ndarray, t1: bool = False) -> np.ndarray:
        x, y, z = points
        radius = np.hypot(x / 140, (y + 0.02 * x) / 90)
        spine = (np.abs(x) < 35) & (y > 0)
        return super().signal(np.stack([x, y, np.where((radius < 0.6) & ~spine, z + 15, z)]), t1)


class Unsuppressed(Person):
    """Subcutaneous fat that is not suppressed at two places: there up to 3.5 times as bright."""

    def signal(self, points: np.ndarray, t1: bool = False) -> np.ndarray:
        x, y, z = points
        depth = 90 * (1 - np.hypot(x / 140, (y + 0.02 * x) / 90))
        failing = np.exp(-(((x - 80) / 70) ** 2) - ((z - 50) / 50) ** 2)
        failing += np.exp(-(((x + 90) / 60) ** 2) - ((z + 60) / 40) ** 2)
        return super().signal(points, t1) + 200 * failing * ((depth > 0) & (depth < 14))


def noisy(volume: Volume, seed: int) -> Volume:
    rng = np.random.default_rng(seed)
    noise = rng.normal(0, 4, volume.array.shape)
    return Volume(np.abs(volume.array + noise).astype(np.float32), volume.geometry)


@pytest.mark.parametrize("with_trunk", [True, False])
def test_a_place_along_the_body_that_nothing_shows_is_not_claimed(with_trunk: bool) -> None:
    first = noisy(image(Column(), HERE, noise=0), 1)
    second = noisy(image(Column(), HERE, rigid((0, 0, 2), (3, -2, 0)), noise=0), 2)
    trunk = (trunk_shell(body(HERE)),) * 2 if with_trunk else None
    result = register_rigid(first, second, WALL, LIMITS, trunk=trunk)
    assert not result.success
    assert "along the body" in str(result.reason)


def test_the_trunk_holds_the_wall_when_the_viscera_have_moved_on() -> None:
    motion = rigid((2, 1, -3), (5, -4, 14))
    visit, there = image(Breathing(), HERE, motion), body(HERE, motion)
    start = between_visits(BASELINE, body(HERE), visit, there).moving_from_fixed
    trunk = trunk_shell(body(HERE)), trunk_shell(there)
    result = register_rigid(BASELINE, visit, WALL, LIMITS, start=start, trunk=trunk)
    assert result.success, result.reason
    mean, worst = landmark_error_mm(result.moving_from_fixed, motion)
    assert mean <= LIMITS.error_mean_max_mm
    assert worst <= LIMITS.error_max_max_mm


def test_fat_that_is_suppressed_at_one_visit_only_does_not_draw_the_patient_after_it() -> None:
    """With the brightness itself compared, the answer is 4 mm off and passes for sure."""
    motion = rigid((2, 1, -3), (5, -4, 14))
    visit, there = image(Unsuppressed(), HERE, motion), body(HERE, motion)
    start = between_visits(BASELINE, body(HERE), visit, there).moving_from_fixed
    trunk = trunk_shell(body(HERE)), trunk_shell(there)
    result = register_rigid(BASELINE, visit, WALL, LIMITS, start=start, trunk=trunk)
    assert result.success, result.reason
    assert landmark_error_mm(result.moving_from_fixed, motion)[0] <= 1.0


def test_the_shell_of_a_trunk_has_the_spine_and_the_skin_but_no_viscera() -> None:
    shell = trunk_shell(body(HERE))
    index = np.rint(shell.geometry.to_index([(0, -85, 0), (0, 60, 0), (70, 20, 0), (-60, -20, 0)]))
    assert shell.array[tuple(index.astype(int).T)].tolist() == [True, True, False, False]
    assert trunk_shell(Mask(np.zeros(HERE.shape, bool), HERE)).is_empty


def test_without_a_body_there_is_no_start_but_the_headers() -> None:
    empty = Mask(np.zeros(HERE.shape, bool), HERE)
    placement = between_visits(BASELINE, empty, BASELINE, empty)
    assert (placement.moving_from_fixed.matrix == np.eye(4)).all()
    assert placement.similarity == 0


# --- real scanners ------------------------------------------------------------------------


def _series(archive: Path, folder: Path) -> Volume:
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    slices = [pydicom.dcmread(f) for f in sorted(folder.rglob("*.dcm"))]
    row, column = np.array(slices[0].ImageOrientationPatient, float).reshape(2, 3)
    normal = np.cross(row, column)
    slices.sort(key=lambda s: float(normal @ np.array(s.ImagePositionPatient, float)))
    first, last = (np.array(slices[n].ImagePositionPatient, float) for n in (0, -1))
    down, across = map(float, slices[0].PixelSpacing)
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1] = row * across, column * down
    affine[:3, 2], affine[:3, 3] = (last - first) / (len(slices) - 1), first
    array = np.stack([s.pixel_array.T for s in slices], axis=-1)
    return Volume(array.astype(np.float32), Geometry(affine, array.shape))


def _front_half(volume: Volume) -> Mask:
    bright = volume.array > 0.3 * np.percentile(volume.array, 90)
    y = volume.geometry.to_world(np.indices(volume.geometry.shape).reshape(3, -1).T)[:, 1]
    front = y.reshape(volume.geometry.shape) < np.median(y)
    return Mask(bright & front, volume.geometry)


@pytest.mark.parametrize(
    ("one", "other", "contrast"),
    [
        ("vibe_pre_flip2", "vibe_pre_flip20", Contrast.CROSS),
        ("twist_27", "twist_40", Contrast.SAME),
        ("twist_27", "twist_62", Contrast.SAME),
    ],
)
def test_series_of_one_examination_on_one_grid_register_to_the_identity(
    real_data: Path, tmp_path: Path, one: str, other: str, contrast: Contrast
) -> None:
    folder = real_data / "prostatex_0218"
    fixed = _series(folder / f"{one}.dcm.tar.xz", tmp_path / one)
    moving = _series(folder / f"{other}.dcm.tar.xz", tmp_path / other)
    region = _front_half(fixed)
    result = register_rigid(fixed, moving, region, LIMITS, contrast)
    moved = np.linalg.norm(result.moving_from_fixed @ region.points_mm - region.points_mm, axis=1)
    # One voxel: the patient is not held by a clamp between two acquisitions.
    assert moved.max() < max(fixed.geometry.spacing_mm)


def _nifti(path: Path) -> Volume:
    stored = nibabel.load(path)
    array = np.asarray(stored.dataobj, dtype=np.float32)
    return Volume(array, Geometry(from_ras(stored.affine), array.shape))


@pytest.mark.parametrize(("one", "other"), [(3, 2), (8, 3)])
def test_two_different_real_patients_do_not_pass_for_one(
    real_data: Path, one: int, other: int
) -> None:
    first, second = (_nifti(real_data / "chaos_t2spir" / f"image_{n}.nii.gz") for n in (one, other))
    bodies = body_mask(first), body_mask(second)
    start = between_visits(first, bodies[0], second, bodies[1]).moving_from_fixed
    region = anterior_wall(first, bodies[0])
    trunk = trunk_shell(bodies[0]), trunk_shell(bodies[1])
    for given in (None, trunk):
        result = register_rigid(first, second, region, LIMITS, start=start, trunk=given)
        assert not result.success
        assert result.reason
    assert mirrored(first, bodies[0], second, bodies[1]) is None


def _published(path: Path) -> RigidTransform:
    """An ITK affine: maps a point of the common space to the study's."""
    lines = dict(line.split(": ") for line in path.read_text().splitlines() if ": " in line)
    numbers = np.array(lines["Parameters"].split(), float)
    centre = np.array(lines["FixedParameters"].split(), float)
    matrix = np.eye(4)
    matrix[:3, :3] = numbers[:9].reshape(3, 3)
    matrix[:3, 3] = numbers[9:] + centre - matrix[:3, :3] @ centre
    return RigidTransform(matrix)


def _ncc(fixed: Volume, moving: Volume, region: Mask, motion: RigidTransform) -> float:
    carried = resample(moving, fixed.geometry, motion)
    inside = region.array & (carried.array > 0)
    return float(np.corrcoef(fixed.array[inside], carried.array[inside])[0, 1])


def _rotation_only(affine: RigidTransform, region: Mask) -> RigidTransform:
    left, _, right = np.linalg.svd(affine.matrix[:3, :3])
    centre = region.points_mm.mean(axis=0)
    matrix = np.eye(4)
    matrix[:3, :3] = left @ right
    matrix[:3, 3] = affine @ centre - matrix[:3, :3] @ centre
    return RigidTransform(matrix)


@pytest.mark.parametrize("case", ["longitudinal_ms_p01", "longitudinal_ms_p12"])
def test_two_real_examinations_months_apart_agree_with_the_published_affine(
    real_data: Path, case: str
) -> None:
    folder = real_data / case
    one, other = (_nifti(folder / f"study{n}_FLAIR.nii.gz") for n in (1, 2))
    one_from_common, other_from_common = (
        _published(folder / f"study{n}_FLAIR_to_common_space.txt") for n in (1, 2)
    )
    published = other_from_common.after(one_from_common.inverse)
    common = _nifti(folder / "brainmask.nii.gz")
    mask = Mask(common.array > 0, common.geometry)
    brain = resample(mask, one.geometry, one_from_common.inverse)
    result = register_rigid(one, other, brain, LIMITS)
    assert result.success, result.reason
    found = _ncc(one, other, brain, result.moving_from_fixed)
    assert _ncc(one, other, brain, identity()) < 0.5
    assert found > 0.9
    # The published affine also scales; the motion nearest to it is what a rigid one can reach.
    assert found >= _ncc(one, other, brain, _rotation_only(published, brain)) - 0.005
    points = brain.points_mm[::100]
    miss = np.linalg.norm(result.moving_from_fixed @ points - published @ points, axis=1)
    # The published affine also scales: one voxel of the thicker slices, at most.
    assert miss.max() < max(*one.geometry.spacing_mm, *other.geometry.spacing_mm)
