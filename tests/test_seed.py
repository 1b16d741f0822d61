"""A seed is taken where a graft can be, and refused elsewhere with the reason."""

from dataclasses import replace

import numpy as np
import pytest
from test_graft import LIMITS, image, muscles

from imaging.errors import SeedError
from imaging.segmentation.seed import check_seed, linea_alba_x_mm

GOOD = (30.0, -74.0, 48.0)


@pytest.mark.parametrize(
    ("seed", "code"),
    [
        ((500.0, 0.0, 0.0), "seed_outside_image"),
        ((float("nan"), -74.0, 48.0), "seed_outside_image"),
        ((30.0, -99.0, 48.0), "seed_outside_body"),
        ((-40.0, -74.0, 48.0), "seed_right_side"),
        ((-3.0, -74.0, 48.0), "seed_right_side"),
        ((30.0, -55.0, 48.0), "seed_behind_wall"),
        ((30.0, -92.0, 48.0), "seed_not_in_muscle"),
    ],
)
def test_a_seed_where_no_graft_can_be_is_refused(
    seed: tuple[float, float, float], code: str
) -> None:
    with pytest.raises(SeedError) as refused:
        check_seed(seed, image(), muscles(), LIMITS)
    assert refused.value.code == code


def test_a_seed_in_the_left_muscle_or_just_beside_it_is_taken() -> None:
    check_seed(GOOD, image(), muscles(), LIMITS)
    check_seed((30.0, -82.0, 48.0), image(), muscles(), LIMITS)


def test_doubtful_muscles_give_the_reader_more_room() -> None:
    beside = (30.0, -60.0, 48.0)
    with pytest.raises(SeedError):
        check_seed(beside, image(), muscles(1.0), LIMITS)
    check_seed(beside, image(), muscles(0.4), LIMITS)


def test_the_linea_alba_is_carried_on_above_and_below_and_unknown_without_points() -> None:
    where = muscles()
    assert linea_alba_x_mm(where, 48.0) == pytest.approx(0.0)
    assert linea_alba_x_mm(where, 1e4) == pytest.approx(0.0)
    none = replace(where, linea_alba_mm=np.empty((0, 3)))
    assert linea_alba_x_mm(none, 48.0) is None
