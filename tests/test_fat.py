"""Fat: both fields on grafts with known ratios, and what supporting images add."""

import numpy as np
import pytest
from cases import EMPTY, GRID, PROTOCOL, RIGHT, box, image, reference_of

from imaging.errors import GeometryError
from imaging.geometry import Geometry
from imaging.measurement import Measurement, measured, missing
from imaging.measurements.fat import Fat, FatAnswer, measure_fat
from imaging.measurements.supporting import SupportingImages
from imaging.volume import Mask, Volume

GRAFT = box((12, 41), (-7, 8), (-12, 12))
PART = box((20, 27), (-2, 3), (-4, 4))
"""8 x 6 x 10 mm, 0.48 mL... of which a focus needs 5 mm and 0.1 mL."""
GOOD = measured(0.3)


def of(
    parts: dict[float, Mask],
    epsilon: Measurement = GOOD,
    supporting: SupportingImages | None = None,
    graft: Mask = GRAFT,
    noise: float = 4.0,
) -> Fat:
    t1 = image(parts, noise=noise)
    return measure_fat(
        t1, graft, reference_of(t1), epsilon, supporting or SupportingImages(), PROTOCOL
    )


def test_a_graft_like_muscle_is_isointense_and_shows_no_fat() -> None:
    found = of({1.0: GRAFT})
    assert (found.isointense, found.answer) == (True, FatAnswer.NONE)


@pytest.mark.parametrize(
    ("ratio", "answer"), [(0.87, True), (1.18, True), (0.82, False), (1.36, False)]
)
def test_isointense_is_decided_at_the_limits(ratio: float, answer: bool) -> None:
    assert of({ratio: GRAFT}, noise=1.0).isointense is answer


@pytest.mark.parametrize("ratio", [0.85, 1.20])
def test_an_interval_across_a_limit_is_undecided(ratio: float) -> None:
    found = of({ratio: GRAFT})
    assert (found.isointense, found.answer) == (None, None)
    assert found.isointense_reason == "the confidence interval of the ratio straddles a limit"


def test_a_graft_brighter_by_no_more_than_shading_may_add_is_undecided() -> None:
    """1.27 / 1.20 is 6 %; 1.96 times the systematic error of 5 % is 10 %."""
    found = of({1.27: GRAFT}, noise=1.0)
    assert found.ratio.ci95 is not None
    assert found.ratio.ci95[0] > 1.2
    assert (found.isointense, found.answer) == (None, None)
    assert found.isointense_reason is not None
    assert "no more than shading" in found.isointense_reason


def test_a_dark_graft_is_possibly_fat() -> None:
    assert of({0.6: GRAFT}).answer is FatAnswer.POSSIBLE


def test_a_bright_graft_with_good_suppression_is_not_fat() -> None:
    found = of({1.6: GRAFT})
    assert (found.isointense, found.answer) == (False, FatAnswer.BRIGHT_NOT_FAT)


@pytest.mark.parametrize("epsilon", [measured(0.8), measured(1.4), missing("no fat seen")])
def test_without_fat_suppression_the_image_alone_says_nothing_about_fat(
    epsilon: Measurement,
) -> None:
    found = of({1.6: GRAFT}, epsilon)
    assert (found.isointense, found.answer) == (False, None)


def test_a_dark_part_of_an_isointense_graft_is_not_isointense() -> None:
    found = of({1.0: GRAFT, 0.5: PART})
    assert (found.isointense, found.answer) == (False, FatAnswer.POSSIBLE)
    (focus,) = found.foci
    assert focus.volume_ml == pytest.approx(PART.voxel_volume_ml, rel=0.02)
    assert focus.ratio == pytest.approx(0.5, abs=0.02)


def test_a_bright_part_of_an_isointense_graft_is_not_fat() -> None:
    found = of({1.0: GRAFT, 1.8: PART})
    assert (found.isointense, found.answer) == (False, FatAnswer.BRIGHT_NOT_FAT)


def test_a_dark_and_a_bright_part_are_possibly_fat() -> None:
    found = of({1.0: GRAFT, 0.5: PART, 1.8: box((32, 38), (-2, 3), (-4, 4))})
    assert len(found.foci) == 2
    assert found.answer is FatAnswer.POSSIBLE


def test_a_part_too_small_to_count_changes_nothing() -> None:
    # 4 x 4 x 6 mm: 5 mm across a corner but 0.096 mL.
    found = of({1.0: GRAFT, 0.5: box((20, 23), (-1, 2), (-2, 2))})
    assert (found.isointense, found.foci) == (True, ())


def test_a_dark_rim_two_pixels_wide_is_undecided() -> None:
    found = of({1.0: GRAFT, 0.4: box((12, 41), (-7, -6), (-12, 12))})
    assert (found.isointense, found.answer) == (None, None)
    assert found.isointense_reason is not None
    assert "rim" in found.isointense_reason


def test_a_dark_rim_one_pixel_wide_changes_nothing() -> None:
    assert of({1.0: GRAFT, 0.4: box((12, 41), (-7, -7), (-12, 12))}).isointense is True


def test_too_little_tissue_for_an_interval_is_undecided() -> None:
    found = of({}, graft=box((20, 21), (0, 1), (0, 0)))
    assert found.isointense is None
    assert found.isointense_reason == "too little tissue for a confidence interval"


@pytest.mark.parametrize(("epsilon", "percent"), [(0.3, 21.4), (0.7, 50.0), (1.3, 50.0)])
def test_the_smallest_fat_fraction_that_could_be_seen(epsilon: float, percent: float) -> None:
    fraction = of({}, measured(epsilon)).minimum_detectable_fraction.value
    assert fraction is not None
    assert 100 * fraction == pytest.approx(percent, abs=0.1)


def test_fat_as_bright_as_muscle_is_invisible() -> None:
    assert of({}, measured(1.0)).minimum_detectable_fraction.reason is not None
    assert of({}, measured(0.9)).minimum_detectable_fraction.value is None


def test_without_subcutaneous_fat_the_reason_is_kept() -> None:
    assert of({}, missing("no fat seen")).minimum_detectable_fraction.reason == "no fat seen"


def test_an_empty_graft_gives_reasons() -> None:
    found = of({}, graft=EMPTY)
    assert (found.isointense, found.answer, found.foci) == (None, None, ())
    assert found.ratio.reason == found.isointense_reason == "the mask is empty"


def test_muscle_without_signal_gives_reasons() -> None:
    found = of({0.0: RIGHT}, noise=0.0)
    assert found.ratio.reason == "the reference muscle has no signal"


def test_a_part_bright_without_and_dark_with_suppression_is_fat() -> None:
    found = of({1.0: GRAFT, 0.5: PART}, supporting=SupportingImages(t1w=image({2.0: PART})))
    assert found.answer is FatAnswer.CONFIRMED_MACROSCOPIC


def test_a_part_dark_in_both_is_only_possibly_fat() -> None:
    found = of({1.0: GRAFT, 0.5: PART}, supporting=SupportingImages(t1w=image({0.5: PART})))
    assert found.answer is FatAnswer.POSSIBLE


def test_a_graft_bright_in_both_is_blood() -> None:
    found = of({1.6: GRAFT}, supporting=SupportingImages(t1w=image({1.7: GRAFT})))
    assert found.answer is FatAnswer.BRIGHT_NOT_FAT


def test_signal_loss_out_of_phase_is_microscopic_fat() -> None:
    phases = SupportingImages(in_phase=image({1.0: GRAFT}), opposed_phase=image({0.8: GRAFT}))
    assert of({1.0: GRAFT}, supporting=phases).answer is FatAnswer.CONFIRMED_MICROSCOPIC


def test_a_loss_of_16_percent_is_within_the_limit() -> None:
    phases = SupportingImages(
        in_phase=image(noise=0.1), opposed_phase=image({0.84: GRAFT}, noise=0.1)
    )
    assert of({1.0: GRAFT}, supporting=phases).answer is FatAnswer.NONE


def test_a_phase_image_scaled_as_a_whole_is_no_signal_loss() -> None:
    phases = SupportingImages(in_phase=image(), opposed_phase=image(level=0.5))
    assert of({1.0: GRAFT}, supporting=phases).answer is FatAnswer.NONE


@pytest.mark.parametrize(
    ("fat", "answer"), [(0.25, FatAnswer.CONFIRMED_MICROSCOPIC), (0.05, FatAnswer.NONE)]
)
def test_a_fat_fraction_ten_points_above_muscle_is_microscopic_fat(
    fat: float, answer: FatAnswer
) -> None:
    # Muscle: fat 5, water 100; graft: fat as given, water 100.
    tissue = np.full(GRID.shape, 5.0)
    tissue[GRAFT.array] = 100 * fat
    dixon = SupportingImages(water=image(noise=0.0), fat=Volume(tissue, GRID))
    assert of({1.0: GRAFT}, supporting=dixon).answer is answer


def test_black_supporting_images_confirm_nothing() -> None:
    black = Volume(np.zeros(GRID.shape), GRID)
    everything = SupportingImages(black, black, black, black, black)
    assert of({1.0: GRAFT}, supporting=everything).answer is FatAnswer.NONE


def test_a_supporting_image_on_another_grid_is_refused() -> None:
    stray = Volume(np.ones((2, 2, 2)), Geometry(np.eye(4), (2, 2, 2)))
    with pytest.raises(GeometryError, match="in_phase"):
        of({}, supporting=SupportingImages(in_phase=stray))
