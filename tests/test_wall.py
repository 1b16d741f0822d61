"""The wall in front of the abdomen, unrolled, with its two surfaces."""

from itertools import pairwise, product

import numpy as np
import pytest
from abdomen import FAT_MM, GAP_MM, RECTUS_MM, WIDTH_MM, abdomen
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from imaging.geometry import Geometry
from imaging.protocol import load_protocol
from imaging.segmentation.body import body_mask
from imaging.segmentation.fan import centred, spread
from imaging.segmentation.paths import cheapest
from imaging.segmentation.sheath import find_sheath
from imaging.segmentation.wall import anterior_wall
from imaging.volume import Mask, Volume

LIMITS = load_protocol().segmentation


@given(arrays(np.float32, (1, 4, 3, 2), elements=st.integers(0, 9).map(float)))
def test_the_path_found_is_the_cheapest_of_all(cost):
    def price(states):
        own = sum(cost[0, c, a, b] for c, (a, b) in enumerate(states))
        steps = pairwise(states)
        return own + sum(1.5 * abs(a - c) + 0.5 * abs(b - d) for (a, b), (c, d) in steps)

    def allowed(states):
        steps = pairwise(states)
        return all(abs(a - c) <= 1 for (a, _), (c, _) in steps)

    every = product(product(range(3), range(2)), repeat=4)
    best = min(price(states) for states in every if allowed(states))
    first, second = cheapest(cost.copy(), (1, 1), (1.5, 0.5))
    found = list(zip(first[0].tolist(), second[0].tolist(), strict=True))
    assert allowed(found)
    assert price(found) == pytest.approx(best)


def test_the_wall_reaches_as_deep_and_as_far_as_asked_and_leaves_fluid_out():
    t2, _, left, right = abdomen()
    wall = anterior_wall(t2, body_mask(t2), depth_mm=35.0, half_width_mm=60.0)
    assert np.abs(wall.points_mm[:, 0]).max() < 62
    assert (t2.array[wall.array] > 600).mean() < 0.01
    near = np.abs(t2.geometry.to_world(np.argwhere(left.array | right.array))[:, 0]) < 40
    inside = wall.array[left.array | right.array][near]
    assert inside.mean() > 0.9


def test_no_body_has_no_wall():
    grid = Geometry(np.eye(4), (20, 20, 3))
    nothing = Mask(np.zeros(grid.shape, np.bool_), grid)
    assert anterior_wall(Volume(np.zeros(grid.shape, np.float32), grid), nothing).is_empty


def unrolled_abdomen(graft: bool):
    t2, t1, *_ = abdomen(graft)
    body = body_mask(t2).array
    fan = centred(spread(t2.array, body, t2.geometry.spacing_mm), t2.array, body)
    return fan, find_sheath(fan, fan.unrolled(t2.array), fan.unrolled(t1.array), LIMITS)


def test_the_fan_starts_from_the_midline_and_follows_the_skin():
    t2, *_ = abdomen()
    fan, _ = unrolled_abdomen(False)
    middle = (t2.geometry.shape[0] - 1) / 2 * t2.geometry.spacing_mm[0]
    assert fan.centre_mm[:, 0] == pytest.approx(middle, abs=3.0)
    surface = fan.unrolled(t2.array)[:, :, 6]
    assert (surface > 50).mean() > 0.99


def test_both_surfaces_of_the_belly_are_found_within_a_pixel():
    fan, sheath = unrolled_abdomen(False)
    belly = (np.abs(fan.along_mm) > 18) & (np.abs(fan.along_mm) < 40)
    assert np.abs(sheath.front_mm[:, belly] - FAT_MM).mean() < 1.5
    assert np.abs(sheath.thickness_mm[:, belly] - RECTUS_MM).mean() < 1.5


def test_a_graft_swells_the_muscle_and_stays_inside_it():
    fan, sheath = unrolled_abdomen(True)
    column = int(np.argmin(np.abs(fan.along_mm - 30)))
    assert sheath.thickness_mm[3, column] == pytest.approx(RECTUS_MM + 10, abs=3.0)
    assert GAP_MM < fan.along_mm[column] < GAP_MM + WIDTH_MM
