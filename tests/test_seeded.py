"""Wherever in a graft a reader clicks, the graft is outlined; a doubtful part is said to be one."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_graft import LIMITS, PLATE, SURE, at, dice, ellipsoid, geometry, image, moved, muscles

from imaging.geometry import Geometry
from imaging.insertion import Spot
from imaging.segmentation.graft import segment_graft
from imaging.segmentation.masks import Muscles
from imaging.transform import identity
from imaging.volume import Mask
from surveillance.validation.phantom import ELLIPSOID, Phantom, Picture, picture

WHOLE = ellipsoid((112, 26, 12), (22, 6, 32))
"""44 x 12 x 64 mm: 18 mL."""
SPOT = ellipsoid((106, 26, 12), (6, 6, 8))
CORE = ellipsoid((106, 26, 12), (8, 3, 14))
BESIDE = ((120, 26, 12), (112, 26, 6), (126, 26, 14), (98, 26, 10))
INSIDE = (106, 26, 12)


@pytest.mark.parametrize(
    ("graft", "part", "level"),
    [
        (180, SPOT, 540),  # a focus of three times the graft
        (150, SPOT, 300),
        (160, SPOT, 240),
        (200, SPOT, 1000),  # fluid
        (250, CORE, 100),  # a core like muscle
        (250, CORE, 70),
        (250, CORE, 30),
    ],
)
def test_a_seed_in_a_focus_a_pocket_or_a_dark_core_gives_what_a_seed_beside_it_gives(
    graft, part, level
):
    made = image((WHOLE, graft), (part, level))
    inside = segment_graft(made, None, muscles(), LIMITS, stroke_mm=(at(*INSIDE),))
    assert dice(inside, WHOLE) > 0.9
    for place in BESIDE:
        beside = segment_graft(made, None, muscles(), LIMITS, stroke_mm=(at(*place),))
        assert beside.mask is not None
        assert dice(inside, beside.mask.array) > 0.95


@settings(max_examples=8, deadline=None, derandomize=True)
@given(st.integers(0, 10_000))
def test_any_voxel_of_a_graft_with_two_foci_gives_the_graft(number):
    other = ellipsoid((120, 25, 16), (4, 4, 8))
    made = image((WHOLE, 170), (SPOT, 510), (other, 300))
    inner = np.argwhere(ellipsoid((112, 26, 12), (20, 4.5, 26)))
    seed = at(*inner[number % len(inner)])
    graft = segment_graft(made, None, muscles(), LIMITS, stroke_mm=(seed,))
    assert dice(graft, WHOLE) > 0.9


def phantom_with_focus(diameter_mm: float, contrast: float) -> tuple[Phantom, Picture]:
    spot = Spot((2.0, 3.0), diameter_mm, contrast * 1.8)
    phantom = Phantom(ELLIPSOID, 42.0, 16.0, 66.0, t2_ratio=1.8, spots=(spot,))
    affine = np.diag([1.2, 1.2, 5.0, 1.0])
    affine[:3, :3] = np.array([[1, 0.08, 0], [-0.08, 1, 0.05], [0, -0.05, 1]]) @ affine[:3, :3]
    affine[:3, 3] = (-70.0, -105.0, -50.0)
    return phantom, picture(phantom, Geometry(affine, (124, 60, 22)), identity(), 25.0, 3)


@pytest.mark.parametrize(("diameter_mm", "contrast"), [(15.0, 3.0), (8.0, 1.65)])
def test_an_analytic_graft_is_found_from_its_focus_and_from_beside_it(diameter_mm, contrast):
    phantom, made = phantom_with_focus(diameter_mm, contrast)
    truth = made.share >= 0.5
    where = Muscles(Mask(np.ones_like(truth), made.t2.geometry), made.left, made.right,
                    np.zeros((0, 3)), 1.0)  # fmt: skip
    for left, up in ((2.0, 3.0), (-12.0, -10.0), (10.0, 18.0)):
        x, z = phantom.place_mm(replace(phantom.spots[0], position_mm=(left, up)))
        y = float(phantom.middle_y(np.array([x]), np.array([z]))[0])
        graft = segment_graft(made.t2, None, where, LIMITS, stroke_mm=((x, y, z),))
        assert dice(graft, truth) > 0.9


def test_a_spot_in_oedema_of_both_sides_is_kept_but_not_believed():
    other = ellipsoid((48, 26, 12), (22, 6, 32))
    made = image((WHOLE, 200), (other, 200), (SPOT, 700))
    graft = segment_graft(made, None, muscles(), LIMITS, stroke_mm=(at(*INSIDE),))
    assert graft.confidence < SURE


def test_a_spot_that_is_a_small_part_of_the_baselines_graft_is_not_believed():
    """Only a focus is seen where 18 mL lay: the rest may be resorbed, or look like muscle."""
    prior = moved(WHOLE, (0, 0, 0))
    made = image((SPOT, 400))
    graft = segment_graft(made, None, muscles(), LIMITS, prior=prior, stroke_mm=(at(*INSIDE),))
    assert dice(graft, SPOT) > 0.8
    assert graft.confidence < SURE
    assert any("larger region" in reason for reason in graft.reasons)
    alone = segment_graft(made, None, muscles(), LIMITS, stroke_mm=(at(*INSIDE),))
    assert not any("larger region" in reason for reason in alone.reasons)


def test_a_bright_region_round_a_spot_that_is_a_small_part_of_the_baselines_graft_is_no_more_sure():
    prior = moved(WHOLE, (0, 0, 0))
    made = image((ellipsoid((106, 26, 12), (12, 5, 16)), 200), (SPOT, 700))
    graft = segment_graft(made, None, muscles(), LIMITS, prior=prior, stroke_mm=(at(*INSIDE),))
    assert graft.confidence < SURE
    assert any("larger region" in reason for reason in graft.reasons)


def test_a_reader_is_believed_beside_a_right_muscle_that_a_coil_makes_as_bright_as_the_graft():
    coil = np.where(np.arange(160) < 80, 2.2, 1.0)[:, None, None]
    plain = image((PLATE, 220))
    made = replace(plain, array=(plain.array * coil).astype(np.float32))
    pointed = segment_graft(made, None, muscles(), LIMITS, stroke_mm=(at(112, 26, 12),))
    alone = segment_graft(made, None, muscles(), LIMITS)
    assert alone.confidence < SURE <= pointed.confidence
    assert dice(pointed, PLATE) > 0.9


@pytest.mark.parametrize(("confidence", "sure"), [(0.0, 0.6), (0.5, 0.8), (1.0, 1.0)])
def test_unsure_muscles_cost_a_pointed_graft_four_tenths_at_most(confidence, sure):
    made = image((PLATE, 400))
    graft = segment_graft(made, None, muscles(confidence), LIMITS, stroke_mm=(at(112, 26, 12),))
    assert LIMITS.graft_seed_muscle_min == 0.6
    assert graft.confidence == pytest.approx(sure, abs=0.02)


def test_a_graft_that_kept_its_size_is_no_part_of_itself():
    prior = moved(PLATE, (1, 0, 0))
    seed = (at(112, 26, 12),)
    graft = segment_graft(image((PLATE, 200)), None, muscles(), LIMITS, prior, seed)
    assert graft.confidence >= SURE
    assert geometry().same_grid(graft.mask.geometry)
