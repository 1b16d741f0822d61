"""The simulated subject: its truth is what its voxels show."""

from dataclasses import replace
from math import pi

import numpy as np
import pytest

from imaging.geometry import Geometry
from imaging.simulation import (
    GraftState,
    Nodule,
    Scanner,
    Scenario,
    SimulatedSubject,
    VisitPlan,
    simulate,
)
from imaging.simulation.acquisition import Palette, sample
from imaging.simulation.motion import Pose, rotation
from imaging.simulation.scenario import Coil
from imaging.simulation.wall import GRAFT, place_graft
from imaging.simulation.warp import Array
from imaging.transform import RigidTransform
from imaging.visit import VisitName

TINY = Scanner(
    matrix=(128, 96), pixel_mm=2.4, slices=14, slice_spacing_mm=7.0, t1_slices=14, t1_slice_mm=7.0
)
NODULE = Nodule((4.0, 3.0), 9.0)
PLATE = GraftState(8.0, 40.0, 50.0, lateral_mm=33.0, level_mm=40.0)


def scenario(**values: object) -> Scenario:
    plans = (
        VisitPlan(VisitName.BASELINE, 0, replace(PLATE, fluid_fraction=0.3)),
        VisitPlan(VisitName.M3, 91, replace(PLATE, nodules=(NODULE,)), has_t1w=True),
    )
    return replace(Scenario("T", plans, scanner=TINY, stature=0.85, seed=5), **values)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def subject() -> SimulatedSubject:
    return simulate(scenario())


def test_the_same_scenario_gives_the_same_voxels(subject: SimulatedSubject) -> None:
    again = simulate(scenario())
    for one, two in zip(subject.visits, again.visits, strict=True):
        assert np.array_equal(one.t2w_fs.array, two.t2w_fs.array)
        assert one.t1w_fs is not None
        assert two.t1w_fs is not None
        assert np.array_equal(one.t1w_fs.array, two.t1w_fs.array)


def test_another_seed_gives_another_person(subject: SimulatedSubject) -> None:
    other = simulate(scenario(seed=6, visits=scenario().visits[:1]))
    assert not np.array_equal(other.visits[0].t2w_fs.array, subject.visits[0].t2w_fs.array)


def test_the_graft_lies_inside_the_left_rectus_on_the_patients_left(
    subject: SimulatedSubject,
) -> None:
    for visit in subject.visits:
        truth = visit.truth
        inside = truth.graft.array & truth.rectus_left.array
        assert inside.sum() >= 0.97 * truth.graft.array.sum()
        left, right = truth.rectus_left.centroid_mm, truth.rectus_right.centroid_mm
        assert left is not None
        assert right is not None
        assert left[0] > truth.linea_alba_lps_mm[:, 0].mean() > right[0]
        assert not (truth.rectus_left.array & truth.rectus_right.array).any()


def test_the_integrated_volume_is_the_designed_one(subject: SimulatedSubject) -> None:
    assert subject.visits[0].truth.volume_ml == pytest.approx(8.0, rel=0.06)


def test_the_graft_is_found_again_through_the_wall_motion() -> None:
    plans = tuple(replace(p, graft=PLATE) for p in scenario().visits)
    first, second = simulate(scenario(visits=plans)).visits
    moved = second.truth.visit_from_baseline @ np.array(first.truth.centroid_lps_mm)
    assert np.abs(moved - second.truth.centroid_lps_mm).max() < 0.5


def test_a_nodule_is_at_its_stated_place_and_brighter_than_the_graft(
    subject: SimulatedSubject,
) -> None:
    visit = subject.visits[1]
    (nodule,) = visit.truth.nodules
    assert nodule.volume_ml == pytest.approx(pi / 6 * 9.0**3 / 1000)
    i, j, k = np.rint(visit.t2w_fs.geometry.to_index(nodule.centroid_lps_mm)).astype(int)
    graft = visit.t2w_fs.array[visit.truth.graft.array]
    assert visit.t2w_fs.array[i, j, k] > 1.5 * np.median(graft)


def test_the_injectate_is_bright_at_baseline_and_gone_later(subject: SimulatedSubject) -> None:
    ratios = []
    for visit in subject.visits:
        muscle = visit.truth.rectus_right.array
        graft = visit.truth.graft.array
        image = visit.t2w_fs.array
        ratios.append(float(np.median(image[graft]) / np.median(image[muscle])))
    assert ratios[0] > 2.0 > ratios[1]


def test_fat_suppression_darkens_the_fat_but_not_the_muscle(subject: SimulatedSubject) -> None:
    visit = subject.visits[1]
    assert visit.t1w is not None
    assert visit.t1w_fs is not None
    assert visit.t1w.geometry.same_grid(visit.t1w_fs.geometry)
    muscle = visit.t1w_fs.array > np.percentile(visit.t1w_fs.array, 90)
    plain, suppressed = (v.array / np.median(v.array[muscle]) for v in (visit.t1w, visit.t1w_fs))
    fat = plain > 1.5
    assert np.median(suppressed[fat]) < 0.5 * np.median(plain[fat])


def test_a_visit_without_graft_has_an_empty_mask_and_no_ratio() -> None:
    (visit,) = simulate(
        scenario(visits=(VisitPlan(VisitName.BASELINE, 0, None, has_t1w_fs=False),))
    ).visits
    assert visit.truth.graft.is_empty
    assert visit.truth.t2_ratio is None
    assert visit.truth.centroid_lps_mm is None
    assert visit.t1w_fs is None


def test_a_child_is_smaller_than_an_adult() -> None:
    plans = scenario().visits[:1]
    ages = ("adult", "child")
    adult, child = (simulate(scenario(age_group=a, visits=plans, stature=1.0)) for a in ages)
    volumes = [s.visits[0].truth.rectus_right.voxel_volume_ml for s in (adult, child)]
    assert volumes[1] < 0.6 * volumes[0]


def test_a_surface_coil_makes_the_front_brighter_than_a_body_coil_does() -> None:
    plans = scenario().visits[:1]
    shares = []
    for coil in (Coil.SURFACE, Coil.BODY):
        visit = simulate(scenario(visits=plans, scanner=replace(TINY, coil=coil))).visits[0]
        assert visit.t1w_fs is not None
        image = visit.t1w_fs.array
        shares.append(image[:, :48].sum() / image[:, 48:].sum())
    assert shares[0] > 1.3 * shares[1]


class _Ball:
    """A body of nothing but the graft's ellipsoid, in plain coordinates."""

    class wall:  # noqa: N801
        class body:  # noqa: N801
            fat = fat_back = half_width = half_depth = 100.0

            @staticmethod
            def muscle_texture(x: Array, _y: Array, _z: Array) -> Array:
                return 0 * x

            organ_texture = muscle_texture

    def __init__(self, state: GraftState) -> None:
        self.graft = place_graft(state, 1)

    def paint(self, x: Array, y: Array, z: Array) -> tuple[np.ndarray, np.ndarray]:
        labels = self.graft.labels(x, z, y, self.graft.half_thickness(x, z))
        return labels, np.zeros_like(labels)


@pytest.mark.parametrize("volume_ml", [3.0, 6.0, 45.0])
def test_supersampling_an_unwarped_ellipsoid_gives_its_analytic_volume(volume_ml: float) -> None:
    state = GraftState(volume_ml, 40.0, 50.0, 0.0, 0.0, irregularity=0.0)
    semi = (state.width_mm / 2, state.height_mm / 2, state.thickness_mm / 2)
    assert 4 / 3 * pi * np.prod(semi) / 1000 == pytest.approx(volume_ml)
    affine = np.diag([1.2, 1.2, 4.0, 1.0])
    affine[:3, 3] = [-35.7, -35.1, -38.3]
    grid = Geometry(affine, (60, 60, 20))
    empty = np.zeros(GRAFT + 24, np.float32)
    # Two degrees, as any acquisition has: a plate along the grid would alias with the samples.
    turn = np.eye(4)
    turn[:3, :3] = rotation(np.array([2.0, 0.0, 2.0]))
    pose = Pose(RigidTransform(turn), 0.0, 1.0)
    content = sample(_Ball(state), pose, grid, Palette(empty, empty, empty))  # type: ignore[arg-type]
    assert content.graft.sum() * grid.voxel_volume_ml == pytest.approx(volume_ml, rel=0.01)
