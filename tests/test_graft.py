"""The graft is found where it is, is not invented where it is not, and doubt is said."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from outlined import chaos, chaos_outlines, muscles_of
from scipy import ndimage

from imaging.errors import GeometryError, SeedError
from imaging.geometry import Geometry
from imaging.insertion import STILL, Plate, background, draw_motion, insert
from imaging.protocol import load_protocol
from imaging.segmentation.found import Found, unless_unseen, with_rest
from imaging.segmentation.graft import segment_graft
from imaging.segmentation.masks import Graft, Muscles, Source
from imaging.segmentation.scene import scene
from imaging.segmentation.seed import Stroke
from imaging.segmentation.vessels import vessels
from imaging.volume import Mask, Volume

PROTOCOL = load_protocol()
LIMITS = PROTOCOL.segmentation
SURE = PROTOCOL.quality.confidence_min
SPACING = (1.0, 1.0, 4.0)
SHAPE = (160, 60, 24)
Array = NDArray[np.float32]


def geometry() -> Geometry:
    affine = np.diag([*SPACING, 1.0])
    affine[:3, 3] = (-80.0, -100.0, 0.0)
    return Geometry(affine, SHAPE)


def ellipsoid(centre: tuple[float, ...], radii: tuple[float, ...]) -> NDArray[np.bool_]:
    grid = np.indices(SHAPE, dtype=float)
    terms = [
        ((g - c) * s / r) ** 2 for g, c, r, s in zip(grid, centre, radii, SPACING, strict=True)
    ]
    return np.asarray(sum(terms) <= 1.0)


def slab(x0: int, x1: int) -> NDArray[np.bool_]:
    mask = np.zeros(SHAPE, dtype=np.bool_)
    mask[x0:x1, 20:32, 1:-1] = True
    return mask


LEFT, RIGHT = slab(86, 146), slab(14, 74)
PLATE = ellipsoid((112, 26, 12), (16, 4, 24))
"""32 x 8 x 48 mm in the left muscle: 6.4 mL."""
WIDE = ellipsoid((112, 26, 12), (22, 5, 30))
SMALL = ellipsoid((112, 26, 12), (12, 4, 18))
TWO_PARTS = ellipsoid((100, 26, 12), (9, 4, 24)), ellipsoid((128, 26, 12), (9, 4, 24))
"""10 mm of muscle between them."""


def muscles(confidence: float = 1.0) -> Muscles:
    body = np.ones(SHAPE, dtype=np.bool_)
    body[:, :3] = False
    midline = geometry().to_world([(80, 26, k) for k in range(1, SHAPE[2] - 1)])
    return Muscles(
        Mask(body, geometry()), Mask(LEFT, geometry()), Mask(RIGHT, geometry()), midline, confidence
    )


def image(*parts: tuple[NDArray[np.bool_], float], noise: float = 5.0) -> Volume:
    """Muscle 100, fat 60, air 0, bowel 600 behind, then `parts`, blurred like a scanner would."""
    array = np.full(SHAPE, 60.0)
    array[:, :3] = 0.0
    array[:, 38:] = 600.0
    array[LEFT | RIGHT] = 100.0
    for where, level in parts:
        array[where] = level
    blurred = ndimage.gaussian_filter(array, (0.5, 0.5, 0))
    rng = np.random.default_rng(7)
    return Volume((blurred + noise * rng.standard_normal(SHAPE)).astype(np.float32), geometry())


def dice(graft: Graft, truth: NDArray[np.bool_]) -> float:
    assert graft.mask is not None
    return 2 * float((graft.mask.array & truth).sum()) / float(graft.mask.array.sum() + truth.sum())


def moved(mask: NDArray[np.bool_], by: tuple[int, int, int]) -> Mask:
    return Mask(np.roll(mask, by, (0, 1, 2)), geometry())


@pytest.mark.parametrize("level", [200.0, 400.0, 900.0])
def test_a_bright_plate_is_found_at_its_half_maximum(level: float) -> None:
    graft = segment_graft(image((PLATE, level)), None, muscles(), LIMITS)
    assert graft.source is Source.AUTOMATIC
    assert graft.confidence >= SURE
    assert dice(graft, PLATE) > 0.9
    assert graft.mask is not None
    assert graft.mask.voxels == pytest.approx(PLATE.sum(), rel=0.1)


def test_normal_muscle_gives_no_graft_and_says_so_surely() -> None:
    graft = segment_graft(image(), None, muscles(), LIMITS)
    assert not graft.present
    assert graft.confidence >= SURE
    assert graft.reasons


def test_an_answer_is_never_surer_than_the_muscles_it_stands_on() -> None:
    for picture in (image(), image((PLATE, 300.0))):
        graft = segment_graft(picture, None, muscles(0.3), LIMITS)
        assert graft.confidence <= 0.3
        assert any("rectus" in reason for reason in graft.reasons)


def test_oedema_of_both_sides_is_no_sure_graft() -> None:
    other = ellipsoid((48, 26, 12), (16, 4, 24))
    graft = segment_graft(image((PLATE, 200.0), (other, 200.0)), None, muscles(), LIMITS)
    assert graft.confidence < SURE


def test_a_bowel_loop_that_pushes_into_the_wall_is_no_sure_graft() -> None:
    loop = ellipsoid((112, 38, 12), (14, 10, 30))
    graft = segment_graft(image((loop, 600.0)), None, muscles(), LIMITS)
    assert graft.confidence < SURE or not graft.present


def test_an_epigastric_vessel_is_no_graft_and_does_not_join_one() -> None:
    x, y, _ = np.indices(SHAPE)
    vessel = ((x - 112) ** 2 + (y - 29) ** 2 <= 4) & LEFT
    alone = segment_graft(image((vessel, 500.0)), None, muscles(), LIMITS)
    assert not alone.present
    beside = ((x - 112) ** 2 + (y - 31) ** 2 <= 3) & LEFT
    both = segment_graft(image((beside, 500.0), (PLATE, 300.0)), None, muscles(), LIMITS)
    assert dice(both, PLATE) > 0.85


def test_a_vessel_runs_on_through_the_slices_and_a_nodule_does_not() -> None:
    x, y, z = np.indices(SHAPE)
    tube = (x - 112) ** 2 + (y - 29) ** 2 <= 4
    ball = (x - 100) ** 2 + (y - 26) ** 2 + (4 * (z - 12)) ** 2 <= 16
    ratio = np.where(tube | ball, 4.0, np.where(PLATE, 1.5, 1.0)).astype(np.float32)
    found = vessels(ratio, SPACING, LIMITS)
    assert found[tube].all()
    assert not found[ball].any()


def test_a_graft_that_grew_beyond_its_old_place_is_outlined_whole() -> None:
    small = ellipsoid((112, 26, 12), (11, 3, 16))
    focus = ellipsoid((106, 26, 12), (3, 3, 6))
    picture = image((PLATE, 145.0), (focus, 260.0), noise=4.0)
    graft = segment_graft(picture, None, muscles(), LIMITS, prior=moved(small, (0, 0, 0)))
    assert dice(graft, PLATE) > 0.85


def test_a_tendinous_intersection_of_the_right_muscle_does_not_brighten_the_left() -> None:
    tendon = RIGHT.copy()
    tendon[:, :, :12] = tendon[:, :, 13:] = False
    graft = segment_graft(image((PLATE, 250.0), (tendon, 55.0)), None, muscles(), LIMITS)
    assert dice(graft, PLATE) > 0.9


def test_a_muscle_mask_two_pixels_too_deep_makes_no_sure_graft_of_normal_muscle() -> None:
    deep = muscles()
    shifted = replace(
        deep, rectus_left=moved(LEFT, (0, 4, 0)), rectus_right=moved(RIGHT, (0, 4, 0))
    )
    graft = segment_graft(image(), None, shifted, LIMITS)
    assert graft.confidence < SURE or not graft.present


def test_a_graft_that_fills_its_muscle_is_not_called_absent_with_confidence() -> None:
    graft = segment_graft(image((LEFT, 250.0)), None, muscles(), LIMITS)
    assert graft.present or graft.confidence < SURE


def test_the_baseline_place_finds_a_graft_that_faded_and_shrank() -> None:
    small = ellipsoid((112, 26, 12), (14, 3.5, 20))
    graft = segment_graft(
        image((small, 160.0)), None, muscles(), LIMITS, prior=moved(PLATE, (3, 1, 0))
    )
    assert dice(graft, small) > 0.85
    assert graft.confidence >= SURE


def test_t1_shows_what_t2_cannot() -> None:
    t1 = image((PLATE, 150.0), noise=4.0)
    graft = segment_graft(image(), t1, muscles(), LIMITS, prior=moved(PLATE, (2, 0, 0)))
    assert dice(graft, PLATE) > 0.85


def test_fat_that_appears_inside_the_old_outline_stays_part_of_the_graft() -> None:
    focus = ellipsoid((118, 26, 12), (7, 4, 8)) & PLATE
    t2 = image((PLATE, 180.0), (focus, 70.0))
    t1 = image((PLATE, 120.0), (focus, 35.0), noise=4.0)
    graft = segment_graft(t2, t1, muscles(), LIMITS, prior=moved(PLATE, (0, 0, 0)))
    assert graft.mask is not None
    assert (graft.mask.array & focus).sum() > 0.6 * focus.sum()


def test_a_plate_of_two_pixels_is_less_sure_than_one_of_eight_and_says_why() -> None:
    thin = ellipsoid((112, 26.5, 12), (20, 1.0, 30))
    sure, doubtful = (
        segment_graft(image((plate, 400.0)), None, muscles(), LIMITS) for plate in (PLATE, thin)
    )
    assert doubtful.confidence < sure.confidence
    assert any("pixels thick" in reason for reason in doubtful.reasons)


def test_sides_that_differ_more_than_a_graft_would_give_no_sure_answer() -> None:
    for picture in (image((LEFT, 130.0)), image((LEFT, 70.0))):
        assert segment_graft(picture, None, muscles(), LIMITS).confidence < SURE


def test_an_isointense_graft_keeps_the_baseline_outline_as_a_guess() -> None:
    prior = moved(PLATE, (0, 0, 0))
    graft = segment_graft(image(), image(noise=4.0), muscles(), LIMITS, prior=prior)
    assert graft.confidence < SURE
    assert dice(graft, PLATE) == 1.0
    assert "invisible" in graft.reasons[0]
    assert graft.mask is not None
    assert graft.range_ml == (0.0, pytest.approx(1.5 * graft.mask.voxel_volume_ml))


def test_a_seed_gives_the_outline_and_says_that_a_person_helped() -> None:
    seed = tuple(geometry().to_world((112, 26, 12)).tolist())
    graft = segment_graft(image((PLATE, 180.0)), None, muscles(), LIMITS, stroke_mm=(seed,))
    assert graft.source is Source.SEEDED
    assert dice(graft, PLATE) > 0.9
    assert graft.confidence >= SURE


def test_a_seed_where_nothing_differs_gives_no_outline_but_the_baseline_guess() -> None:
    seed = tuple(geometry().to_world((112, 26, 12)).tolist())
    graft = segment_graft(image(), None, muscles(), LIMITS, stroke_mm=(seed,))
    assert graft.confidence < SURE
    prior = moved(PLATE, (0, 0, 0))
    carried = segment_graft(image(), None, muscles(), LIMITS, prior=prior, stroke_mm=(seed,))
    assert carried.confidence < SURE


def test_without_muscle_nothing_is_said() -> None:
    none = replace(muscles(), rectus_left=Mask(np.zeros(SHAPE, np.bool_), geometry()))
    little = np.zeros(SHAPE, dtype=np.bool_)
    little[100:104, 24:28, 10:12] = True
    few = replace(muscles(), rectus_left=Mask(little, geometry()))
    for each in (none, few):
        graft = segment_graft(image((PLATE, 300.0)), None, each, LIMITS)
        assert not graft.present
        assert graft.confidence == 0.0
        assert graft.reasons


def test_another_grid_is_refused() -> None:
    t1 = Volume(np.ones((4, 4, 4), np.float32), Geometry(np.eye(4), (4, 4, 4)))
    with pytest.raises(GeometryError):
        segment_graft(image(), t1, muscles(), LIMITS)


def test_axes_stored_the_other_way_give_the_same_graft() -> None:
    picture, where = image((PLATE, 300.0)), muscles()
    straight = segment_graft(picture, None, where, LIMITS)
    affine = geometry().affine.copy()
    affine[:3, 3] = geometry().to_world((SHAPE[0] - 1, 0, 0))
    affine[:3, 0] *= -1
    turned = Geometry(affine, SHAPE)

    def flip(mask: Mask) -> Mask:
        return Mask(mask.array[::-1].copy(), turned)

    other = replace(
        where, body=flip(where.body), rectus_left=flip(where.rectus_left),
        rectus_right=flip(where.rectus_right),
    )  # fmt: skip
    back = segment_graft(Volume(picture.array[::-1].copy(), turned), None, other, LIMITS)
    assert straight.mask is not None
    assert back.mask is not None
    assert np.array_equal(back.mask.array[::-1], straight.mask.array)
    assert back.confidence == straight.confidence


@pytest.mark.parametrize("case", [1, 2, 3, 5, 8])
def test_a_real_abdomen_without_graft_gives_no_sure_graft(real_data: Path, case: int) -> None:
    volume = chaos(real_data, case)
    outlined = muscles_of(volume, *chaos_outlines(case, volume.geometry))
    graft = segment_graft(volume, None, outlined, LIMITS)
    assert not graft.present or graft.confidence < SURE


@pytest.mark.parametrize("ratio", [2.0, 4.0])
def test_a_plate_inserted_into_a_real_rectus_is_found(real_data: Path, ratio: float) -> None:
    volume = chaos(real_data, 8)
    scene = background(volume, *chaos_outlines(8, volume.geometry))
    made = insert(scene, Plate(40, 7, 60, ratio), draw_motion(0, (0, 0, 0), STILL))
    assert made.right is not None
    outlined = muscles_of(made.t2, made.left, made.right)
    graft = segment_graft(made.t2, None, outlined, LIMITS)
    assert dice(graft, made.graft.array) > 0.85
    assert graft.mask is not None
    assert graft.mask.voxel_volume_ml == pytest.approx(made.volume_ml, rel=0.2)


def at(*index: float) -> tuple[float, float, float]:
    x, y, z = geometry().to_world(index).tolist()
    return x, y, z


def test_a_stroke_gives_both_parts_of_a_graft_that_a_click_gives_half_of() -> None:
    picture = image((TWO_PARTS[0], 180.0), (TWO_PARTS[1], 180.0))
    both = TWO_PARTS[0] | TWO_PARTS[1]
    click, stroke = (at(100, 26, 12),), (at(100, 26, 12), at(128, 26, 12))
    half = segment_graft(picture, None, muscles(), LIMITS, stroke_mm=click)
    whole = segment_graft(picture, None, muscles(), LIMITS, stroke_mm=stroke)
    assert dice(half, both) < 0.8
    assert dice(whole, both) > 0.85
    assert whole.source is Source.SEEDED


def test_a_stroke_that_leaves_the_muscle_is_refused_with_the_point_that_does() -> None:
    inside, bowel = at(112, 26, 12), (30.0, -55.0, 48.0)
    with pytest.raises(SeedError, match=r"30\.0, -55\.0, 48\.0"):
        segment_graft(image((PLATE, 180.0)), None, muscles(), LIMITS, stroke_mm=(inside, bowel))


def test_a_settled_graft_little_brighter_than_muscle_is_not_given_up_for_its_bright_focus() -> None:
    """Of 108 on 100 a voxel says nothing beside its noise; the baseline's place as a whole does."""
    focus = ellipsoid((112, 26, 12), (6, 4, 10))
    faint = image((WIDE, 108.0), (focus, 400.0), noise=9.0)
    graft = segment_graft(faint, None, muscles(), LIMITS, Mask(WIDE, geometry()))
    assert dice(graft, WIDE) > 0.7
    assert graft.confidence < SURE


def test_where_the_baselines_place_is_muscle_again_a_focus_is_not_made_the_whole() -> None:
    focus = ellipsoid((112, 26, 12), (6, 4, 10))
    alone = image((focus, 400.0), noise=9.0)
    graft = segment_graft(alone, None, muscles(), LIMITS, Mask(WIDE, geometry()))
    assert dice(graft, focus) > 0.8
    assert graft.confidence < SURE


@pytest.mark.parametrize("helped", [False, True])
def test_at_a_faint_contrast_a_smaller_graft_is_not_drawn_for_that_cannot_be_seen(
    helped: bool,
) -> None:
    """Some 4 spreads above muscle: what lies outside the half maximum may be graft as well."""
    faint, clear = (image((SMALL, level), noise=9.0) for level in (115.0, 300.0))
    before, stroke = Mask(WIDE, geometry()), (at(112, 26, 12),) if helped else ()
    small_ml = Mask(SMALL, geometry()).voxel_volume_ml
    guess = segment_graft(faint, None, muscles(), LIMITS, before, stroke)
    assert dice(guess, WIDE) == 1.0
    assert guess.confidence < SURE
    assert "cannot be seen" in guess.reasons[0]
    assert guess.range_ml is not None
    low, high = guess.range_ml
    assert low < small_ml < high
    seen = segment_graft(clear, None, muscles(), LIMITS, before, stroke)
    assert dice(seen, SMALL) > 0.85
    assert seen.range_ml is None


FAINT, CLEAR = 3.0, 8.0
"""Contrast to noise."""
NOWHERE, INSIDE, BESIDE = (), (at(112, 26, 12),), (at(135, 26, 12),)
NODULE = ellipsoid((112, 26, 12), (8, 4, 9))
"""A quarter of PLATE's length in every slice that it lies in."""


def test_a_bright_nodule_is_not_taken_for_the_settled_graft_round_it() -> None:
    settled = image((PLATE, 140.0), (NODULE, 500.0), noise=12.0)
    graft = segment_graft(settled, None, muscles(), LIMITS, Mask(PLATE, geometry()))
    assert dice(graft, PLATE) > 0.85
    assert graft.confidence < SURE


@pytest.mark.parametrize(
    ("rest", "found", "stroke", "added"),
    [
        pytest.param(140.0, NODULE, NOWHERE, True, id="still there"),
        pytest.param(140.0, NODULE, INSIDE, True, id="pointed at in the old place"),
        pytest.param(140.0, NODULE, BESIDE, False, id="pointed at beside it"),
        pytest.param(100.0, NODULE, NOWHERE, False, id="muscle again"),
        pytest.param(140.0, PLATE, NOWHERE, False, id="found whole"),
        pytest.param(140.0, np.zeros_like(PLATE), NOWHERE, False, id="nothing found"),
    ],
)
def test_the_rest_of_the_old_outline_is_added_where_it_still_stands_out(
    rest: float, found: NDArray[np.bool_], stroke: Stroke, added: bool
) -> None:
    place = scene(image((PLATE, rest)), None, muscles(), Mask(PLATE, geometry()), LIMITS)
    assert place is not None
    assert place.prior is not None
    what = Found(found[place.box], 0.9, (), CLEAR)
    shown = with_rest(place, what, place.prior, place.marked(stroke))
    assert np.array_equal(shown.region, (found | PLATE if added else found)[place.box])
    assert (shown.confidence < SURE) is added
    assert (shown.range_ml is not None) is added
    assert any("still stands out" in reason for reason in shown.reasons) is added


def test_a_graft_that_shrank_in_plain_sight_is_not_given_its_old_outline() -> None:
    """The blur round it is brighter than muscle too."""
    shrunk = image((SMALL, 300.0))
    array = ndimage.gaussian_filter(np.asarray(shrunk.array), (0.6, 0.6, 0.4))
    found = segment_graft(
        Volume(array, geometry()), None, muscles(), LIMITS, Mask(PLATE, geometry())
    )
    assert found.range_ml is None
    assert dice(found, SMALL) > 0.85


LARGE = ellipsoid((112, 26, 12), (24, 5, 33))


@pytest.mark.parametrize(
    ("found", "contrast", "stroke", "kept"),
    [
        pytest.param(SMALL, FAINT, NOWHERE, False, id="smaller and faint"),
        pytest.param(SMALL, CLEAR, NOWHERE, True, id="smaller and clear"),
        pytest.param(LARGE, FAINT, NOWHERE, True, id="larger by far"),
        pytest.param(PLATE, FAINT, NOWHERE, True, id="the same"),
        pytest.param(SMALL, FAINT, INSIDE, False, id="pointed at in the old place"),
        pytest.param(SMALL, FAINT, BESIDE, True, id="pointed at beside it"),
        pytest.param(SMALL, None, NOWHERE, True, id="not seen by contrast at all"),
    ],
)
def test_what_was_found_gives_way_to_the_baselines_outline_only_where_change_cannot_be_seen(
    found: NDArray[np.bool_], contrast: float | None, stroke: Stroke, kept: bool
) -> None:
    """Dice of SMALL with PLATE: 2 * 864 / (864 + 1536) = 0.72; LARGE is 2.6 times PLATE."""
    place = scene(image(), None, muscles(), Mask(PLATE, geometry()), LIMITS)
    assert place is not None
    assert place.prior is not None
    what = Found(found[place.box], 0.9, (), contrast)
    shown = unless_unseen(place, what, place.prior, place.marked(stroke))
    assert np.array_equal(shown.region, found[place.box] if kept else place.prior)
    assert (shown.confidence == 0.9) is kept


def test_a_focus_that_sticks_out_of_a_faint_grafts_old_outline_is_drawn() -> None:
    focus = ellipsoid((133, 26, 12), (5, 4, 8))
    place = scene(image((focus, 300.0)), None, muscles(), Mask(PLATE, geometry()), LIMITS)
    assert place is not None
    assert place.prior is not None
    what = Found((SMALL | focus)[place.box], 0.9, (), FAINT)
    shown = unless_unseen(place, what, place.prior, place.marked(NOWHERE)).region
    sticking_out = (focus & ~PLATE)[place.box]
    assert shown[place.prior].all()
    assert shown[sticking_out].mean() > 0.9
    assert not shown[~(place.prior | sticking_out)].any()
