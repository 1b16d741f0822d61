"""Deformation: known bulges come back, and what is no deformation is not made one."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from imaged_person import Person, grid, image, points_of, wall
from outlined import chaos, chaos_outlines
from scipy import ndimage
from test_registration import _series

from imaging.bspline import VectorField
from imaging.deformation import (
    Deformation,
    WallDeformation,
    WallImage,
    deform_wall,
    doubt,
)
from imaging.geometry import Geometry
from imaging.insertion import STILL, Plate, background, draw_motion, insert
from imaging.landmarks import LandmarkErrors
from imaging.protocol import load_protocol
from imaging.segmentation.body import body_mask
from imaging.segmentation.wall import anterior_wall
from imaging.transform import RigidTransform, identity
from imaging.volume import Mask, Volume

PROTOCOL = load_protocol()
HERE = grid(spacing_mm=(2.0, 2.0, 5.0), shape=(150, 60, 24), centre_mm=(0, -55, 0))
CENTRE = np.array([35.0, -68.0, 0.0])
WIDTH_MM = 24.0


def graft() -> Mask:
    points = np.moveaxis(points_of(HERE), 0, -1) - CENTRE
    return Mask(((points / (18, 4, 22)) ** 2).sum(axis=-1) <= 1, HERE)


def radial(points: np.ndarray, share: float) -> np.ndarray:
    """u = share · r · exp(-r²/2w²), away from the graft's centre (negative: towards it)."""
    r = points - CENTRE
    return share * r * np.exp(-(r**2).sum(axis=-1, keepdims=True) / (2 * WIDTH_MM**2))


def radial_jacobian(points: np.ndarray, share: float) -> np.ndarray:
    """R(r) = r + share · r · e(r): the volume ratio of a ball's shell is R' · (R/r)²."""
    square = ((points - CENTRE) ** 2).sum(axis=-1)
    e = np.exp(-square / (2 * WIDTH_MM**2))
    return (1 + share * e * (1 - square / WIDTH_MM**2)) * (1 + share * e) ** 2


def expanded(person: Person, share: float) -> Volume:
    """The person whose tissue at x lies at x + u(x) now, imaged without resampling anything."""
    here = np.moveaxis(points_of(HERE), 0, -1)
    then = here.copy()
    for _ in range(60):
        then = here - radial(then, share)
    signal = person.signal(np.moveaxis(then, -1, 0))
    rng = np.random.default_rng(11)
    noisy = np.hypot(signal + rng.normal(0, 4, signal.shape), rng.normal(0, 4, signal.shape))
    return Volume(noisy.astype(np.float32), HERE)


PERSON = Person()
BEFORE = WallImage(image(PERSON, HERE), wall(HERE), graft())


@cache
def deformed(share: float) -> WallDeformation:
    later = WallImage(expanded(PERSON, share), wall(HERE), graft())
    return deform_wall(BEFORE, later, identity(), PROTOCOL)


def test_a_radial_expansion_comes_back_with_its_jacobian() -> None:
    found = deformed(0.35)
    moved = found.visit_from_baseline
    assert moved is not None, found.log_jacobian.reason
    points = Mask(wall(HERE).array & ~graft().array, HERE).points_mm
    near = points[np.abs((points - CENTRE) / (28, 14, 32)).max(axis=1) <= 1]
    missed = np.linalg.norm(moved @ near - near - radial(near, 0.35), axis=1)
    # 5.1 mm at most; in smooth tissue nothing shows what slides along its layers.
    assert missed.mean() < 1.5
    true, log_ratio = np.log(radial_jacobian(near, 0.35)), np.log(moved.jacobian(near))
    assert np.abs(log_ratio).mean() == pytest.approx(np.abs(true).mean(), rel=0.1)
    assert np.corrcoef(true, log_ratio)[0, 1] > 0.9
    assert found.landmark_error_mm.value is not None
    assert found.landmark_error_mm.value < 0.5


def test_an_expansion_is_a_sign_and_a_contraction_is_not() -> None:
    pushed, pulled, limit = deformed(0.35), deformed(-0.2), PROTOCOL.morphology
    assert pushed.log_jacobian.value is not None and pushed.displacement_mm.value is not None
    assert pushed.log_jacobian.value > limit.log_jacobian_min
    assert pushed.displacement_mm.value > limit.displacement_min_mm
    assert pulled.displacement_mm.value is not None
    assert pulled.displacement_mm.value < 0.5


def test_the_rigid_motion_is_no_part_of_the_deformation() -> None:
    matrix = np.eye(4)
    matrix[:3, 3] = (6.0, -4.0, 5.0)
    motion = RigidTransform(matrix)
    later = image(PERSON, HERE, motion, noise=5.0)
    found = deform_wall(BEFORE, WallImage(later, wall(HERE), None), motion, PROTOCOL)
    assert found.displacement_mm.value == pytest.approx(0.0, abs=0.5)
    assert found.log_jacobian.value == pytest.approx(0.0, abs=0.04)


def test_the_same_bits_come_out_at_any_number_of_threads() -> None:
    later = WallImage(expanded(PERSON, 0.35), wall(HERE), graft())
    before = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    found = set()
    try:
        for threads in (1, 2, 4):
            sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(threads)
            moved = deform_wall(BEFORE, later, identity(), PROTOCOL).visit_from_baseline
            assert moved is not None
            found.add(moved.field.coefficients.tobytes())
    finally:
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(before)
    assert len(found) == 1


def test_noise_is_no_deformation() -> None:
    rng = np.random.default_rng(5)
    one, other = (Volume(rng.rayleigh(60, HERE.shape).astype(np.float32), HERE) for _ in range(2))
    found = deform_wall(
        WallImage(one, wall(HERE), graft()),
        WallImage(other, wall(HERE), None),
        identity(),
        PROTOCOL,
    )
    assert found.visit_from_baseline is None
    assert found.log_jacobian.reason is not None


def test_blank_images_have_no_edges_to_judge_by() -> None:
    blank = WallImage(Volume(np.zeros(HERE.shape, np.float32), HERE), wall(HERE), graft())
    found = deform_wall(blank, blank, identity(), PROTOCOL)
    assert found.visit_from_baseline is None
    assert found.landmark_error_mm.reason is not None


def test_without_a_graft_at_baseline_or_a_wall_round_it_there_is_nothing_to_look_at() -> None:
    empty = Mask(np.zeros(HERE.shape, bool), HERE)
    for before, why in (
        (replace(BEFORE, graft=None), "no graft was found at baseline"),
        (replace(BEFORE, graft=empty), "no graft was found at baseline"),
        (replace(BEFORE, wall=empty), "no anterior wall"),
    ):
        found = deform_wall(before, BEFORE, identity(), PROTOCOL)
        assert found.visit_from_baseline is None
        assert why in (found.displacement_mm.reason or "")


def test_a_map_that_turns_tissue_inside_out_has_a_negative_jacobian() -> None:
    control = Geometry(np.diag([10.0, 10.0, 10.0, 1.0]), (6, 6, 6))
    places = control.to_world(np.moveaxis(np.indices(control.shape), 0, -1))
    inside_out = np.moveaxis(places * np.array([-2.0, 0.0, 0.0]), -1, 0)
    moved = Deformation(identity(), VectorField(control, inside_out))
    assert moved.jacobian(np.array([[25.0, 25.0, 25.0]])) == pytest.approx([-1.0])


GOOD = LandmarkErrors(np.full(20, 0.3), 20, 0.95)


@pytest.mark.parametrize(
    ("missed_mm", "edges", "folded", "why"),
    [
        (0.3, GOOD, 0.002, "folds tissue in 0.2 %"),
        (2.5, GOOD, 0.0, "differs by 2.5 mm"),
        (0.3, LandmarkErrors(np.full(8, 0.3), 20, 0.9), 0.0, "40 % of the wall's edges"),
        (0.3, LandmarkErrors(np.full(20, 0.3), 20, 0.2), 0.0, "agree to 0.20"),
        (0.3, LandmarkErrors(np.full(20, 2.4), 20, 0.9), 0.0, "lie 2.4 mm off"),
        (0.3, GOOD, 0.0, None),
    ],
)
def test_a_bad_deformation_is_found_out(
    missed_mm: float, edges: LandmarkErrors, folded: float, why: str | None
) -> None:
    reason = doubt(np.full(10, missed_mm), edges, folded, PROTOCOL)
    assert (reason is None) if why is None else (reason is not None and why in reason)


@pytest.mark.parametrize("other", ["twist_40", "twist_62"])
def test_two_real_acquisitions_of_one_wall_are_not_deformed(
    real_data: Path, tmp_path: Path, other: str
) -> None:
    folder = real_data / "prostatex_0218"
    one, two = (
        _series(folder / f"{name}.dcm.tar.xz", tmp_path / name) for name in ("twist_27", other)
    )
    body = body_mask(one)
    region = anterior_wall(one, body)
    points = region.points_mm
    middle = points[np.linalg.norm(points - points.mean(axis=0), axis=1).argmin()]
    away = np.linalg.norm((region.points_mm - middle) / (18, 8, 18), axis=1)
    inside = np.zeros(region.geometry.shape, bool)
    inside[tuple(np.argwhere(region.array)[away <= 1].T)] = True
    plate = Mask(inside, region.geometry)
    found = deform_wall(
        WallImage(one, region, plate), WallImage(two, region, None), identity(), PROTOCOL
    )
    assert found.log_jacobian.value is not None, found.log_jacobian.reason
    assert found.log_jacobian.value < 0.05
    assert abs(found.displacement_mm.value or 0.0) < 1.0


def with_plate(
    person: Volume, case: int, size_mm: tuple[float, float, float], ratio: float
) -> tuple[Volume, Mask]:
    """Put a plate in the place of muscle, so that nothing makes way for it; also its mask."""
    scene = background(person, *chaos_outlines(case, person.geometry))
    plate = Plate(*size_mm, ratio, displaced=0.0)
    made = insert(scene, plate, draw_motion(0, (0, 0, 0), STILL))
    return made.t2, made.graft


@pytest.mark.parametrize("case", [2, 8])
def test_a_graft_that_resorbs_in_a_real_wall_deforms_nothing(real_data: Path, case: int) -> None:
    person = chaos(real_data, case)
    region = anterior_wall(person, body_mask(person))
    full, full_mask = with_plate(person, case, (40, 6, 50), 2.5)
    left, left_mask = with_plate(person, case, (28, 3, 34), 1.6)
    before = WallImage(_noisy(full, 1), region, full_mask)
    for later, outline in ((left, left_mask), (left, None), (person, None)):
        found = deform_wall(
            before, WallImage(_noisy(later, 2), region, outline), identity(), PROTOCOL
        )
        assert found.log_jacobian.value is not None, found.log_jacobian.reason
        assert found.log_jacobian.value < 0.05
        assert (found.displacement_mm.value or 0.0) < 1.0


@pytest.mark.parametrize("case", [2, 8])
def test_a_bulge_put_into_a_real_wall_comes_back(real_data: Path, case: int) -> None:
    """5 mm forward over the muscle's middle, fading with a width of 24 mm."""
    person = chaos(real_data, case)
    grid_ = person.geometry
    plain, outline = with_plate(person, case, (40, 6, 50), 2.0)
    middle = outline.centroid_mm
    assert middle is not None

    def bulge(points: np.ndarray) -> np.ndarray:
        height = 5.0 * np.exp(-(((points - middle) / WIDTH_MM) ** 2).sum(axis=-1))
        return height[..., None] * np.array([0.0, -1.0, 0.0])

    here = grid_.to_world(np.moveaxis(np.indices(grid_.shape), 0, -1).reshape(-1, 3))
    then = here
    for _ in range(30):
        then = here - bulge(then)
    index = grid_.to_index(then).T
    pushed, grown = (
        ndimage.map_coordinates(part, index, order=1, mode="nearest").reshape(grid_.shape)
        for part in (plain.array, outline.array.astype(np.float32))
    )
    region = anterior_wall(person, body_mask(person))
    before = WallImage(_noisy(plain, 1), region, outline)
    later = WallImage(_noisy(Volume(pushed, grid_), 2), region, Mask(grown > 0.5, grid_))
    moved = deform_wall(before, later, identity(), PROTOCOL).visit_from_baseline
    assert moved is not None
    away = np.linalg.norm((region.points_mm - middle) / (30, 12, 30), axis=1)
    near = region.points_mm[(away > 0.9) & (away <= 1.2)]
    assert np.linalg.norm(moved @ near - near - bulge(near), axis=1).mean() < 0.7


def _noisy(volume: Volume, seed: int) -> Volume:
    """A tenth of the wall's median, on top of the noise the image has."""
    rng = np.random.default_rng(seed)
    sd = 0.1 * float(np.median(volume.array[volume.array > 0]))
    noise = rng.normal(0, sd, (2, *volume.array.shape))
    return Volume(np.hypot(volume.array + noise[0], noise[1]).astype(np.float32), volume.geometry)
