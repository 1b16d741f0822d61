"""A graft put into an image has the volume, place and brightness it was given, and no other."""

import json
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from imaging.errors import GeometryError, MaskError
from imaging.geometry import Geometry, to_ras
from imaging.insertion import STILL, Plate, Spot, Wobble, background, draw_motion, insert
from imaging.insertion.outline_file import load_outlines
from imaging.insertion.sheet import sheet_of
from imaging.segmentation.axial import to_axial
from imaging.volume import Mask, Volume

SPACING, SHAPE = (1.2, 1.2, 5.0), (140, 70, 20)
MUSCLE, FAT, BOWEL, NOISE = 100.0, 60.0, 500.0, 4.0
UNMOVED = draw_motion(0, (0, 0, 0), STILL)
MOVED = draw_motion(5, (0, -30, 45), Wobble(shift_mm=(9.0, 6.0, 12.0)))


def geometry(shape=SHAPE) -> Geometry:
    affine = np.diag([*SPACING, 1.0])
    affine[:3, 3] = (-SPACING[0] * shape[0] / 2, -70.0, 0.0)
    return Geometry(affine, shape)


def layers(curved: bool = False):
    """Indices, and the depth of every voxel below the front of the muscle, in voxels."""
    x, y, z = np.indices(SHAPE)
    bend = 12 * ((x - 70) / 70.0) ** 2 if curved else 0.0
    return x, y - 25 - bend, z


def outlines(curved: bool = False) -> tuple[Mask, Mask]:
    x, deep, _ = layers(curved)
    inside = (deep >= 0) & (deep < 8)
    sides = (inside & (x >= 76) & (x < 128), inside & (x >= 12) & (x < 64))
    left, right = (Mask(side, geometry()) for side in sides)
    return left, right


def image(curved: bool = False, noise: float = NOISE, muscle: float = MUSCLE) -> Volume:
    _, deep, _ = layers(curved)
    left, right = outlines(curved)
    array = np.where(deep > -22, FAT, 0.0)
    array[deep > 12] = BOWEL
    array[left.array | right.array] = muscle
    rng = np.random.default_rng(5)
    noisy = np.abs(array + noise * rng.standard_normal(SHAPE))
    return Volume(noisy.astype(np.float32), geometry())


@pytest.fixture(scope="module")
def scene():
    return background(image(), *outlines())


def test_a_sheet_is_where_and_as_thick_as_the_muscle():
    sheet = sheet_of(outlines()[0])
    u, w = (np.array([p]) for p in sheet.place_mm(0.5, 0.5))
    assert u[0] == pytest.approx(101.5 * SPACING[0], abs=1.5)
    assert sheet.at(sheet.thickness_mm, u, w)[0] == pytest.approx(8 * SPACING[1], abs=0.1)
    assert sheet.at(sheet.middle_mm, u, w)[0] == pytest.approx(28.5 * SPACING[1], abs=0.1)


def test_slices_left_out_between_two_are_filled():
    left = outlines()[0].array.copy()
    left[:, :, 5:9] = False
    whole, gaps = sheet_of(outlines()[0]), sheet_of(Mask(left, geometry()))
    assert gaps.height_mm == whole.height_mm


@pytest.mark.parametrize("curved", [False, True])
def test_the_volume_is_that_of_the_ellipsoid_however_the_muscle_bends(curved):
    bent = background(image(curved), *outlines(curved))
    made = insert(bent, Plate(30, 8, 40, 3.0, irregularity=0.0), UNMOVED)
    assert made.volume_ml == pytest.approx(np.pi / 6 * 30 * 8 * 40 / 1000, rel=0.01)


def test_a_moved_graft_keeps_its_volume_and_goes_where_its_tissue_goes(scene):
    plate = Plate(30, 8, 40, 3.0)
    still, moved = insert(scene, plate, UNMOVED), insert(scene, plate, MOVED)
    assert moved.volume_ml == pytest.approx(still.volume_ml, rel=0.01)
    centre = moved.laid.place_mm(0, 0)
    seen = MOVED.visit_from_body @ scene.axial.to_world(centre / np.array(SPACING))
    assert np.linalg.norm(moved.centroid_mm - seen) < 1.0


def test_without_a_graft_an_unmoved_visit_is_the_image_itself(scene):
    made = insert(scene, None, UNMOVED)
    assert np.array_equal(made.t2.array, image().array)
    assert made.volume_ml == 0
    assert made.centroid_mm is None
    assert made.graft.is_empty


def test_far_from_the_graft_the_baseline_image_is_untouched(scene):
    made = insert(scene, Plate(30, 8, 40, 3.0), UNMOVED)
    changed = np.argwhere(np.abs(made.t2.array - image().array) > 1e-2)
    low, high = changed.min(axis=0) * SPACING, changed.max(axis=0) * SPACING
    assert high[0] - low[0] < 30 * 1.2 + 20
    assert high[2] - low[2] <= 40 * 1.2 + 20


def test_the_graft_is_as_bright_as_it_was_told_to_be_next_to_its_muscle():
    """The coil makes muscle twice as bright on one side: the graft goes with it."""
    shading = np.linspace(1.0, 2.0, SHAPE[0])[:, None, None]
    shaded = Volume((image().array * shading).astype(np.float32), geometry())
    made = insert(background(shaded, *outlines()), Plate(34, 9, 50, 2.5), UNMOVED)
    core = made.share > 0.99
    expected = (2.5 * MUSCLE * shading * np.ones(SHAPE))[core]
    assert np.median(made.t2.array[core] / expected) == pytest.approx(1.0, abs=0.03)
    lateral = np.argwhere(core)[:, 0] > 105
    assert np.median((made.t2.array[core] / expected)[lateral]) == pytest.approx(1.0, abs=0.05)


def test_a_graft_pushes_muscle_aside_and_the_wall_outward(scene):
    made = insert(scene, Plate(30, 10, 40, 3.0, displaced=1.0), UNMOVED)
    before = outlines()[0].voxels
    assert made.left.voxels == pytest.approx(before + made.graft.voxels, rel=0.02)
    replaced = insert(scene, Plate(30, 6, 40, 3.0, displaced=0.0), UNMOVED)
    assert replaced.left.voxels == before


def test_a_spot_wider_than_the_graft_is_there_in_full(scene):
    """What stands out of the plate, 5.7 mm thick there, are two caps of the ball."""
    bare = Plate(40, 6, 50, 2.0, irregularity=0.0)
    spotted = replace(bare, spots=(Spot((5, -5), 12, 5.0),))
    without, made = (insert(scene, plate, UNMOVED) for plate in (bare, spotted))
    half = 3 * np.sqrt(1 - (5 / 20) ** 2 - (5 / 25) ** 2)
    caps_ml = 2 * np.pi * (6 - half) ** 2 * (3 * 6 - (6 - half)) / 3 / 1000
    assert made.volume_ml - without.volume_ml == pytest.approx(caps_ml, rel=0.1)
    assert made.t2.array.max() > 4.5 * MUSCLE


def test_t1_shows_the_graft_with_its_own_ratio():
    both = background(image(), *outlines(), t1=image(muscle=200.0))
    made = insert(both, Plate(34, 9, 50, 3.0, t1_ratio=0.6), UNMOVED)
    core = made.share > 0.99
    assert np.median(made.t1.array[core]) == pytest.approx(0.6 * 200, rel=0.03)
    assert np.median(made.t2.array[core]) == pytest.approx(3.0 * MUSCLE, rel=0.03)


def test_tissue_is_seen_where_the_warp_says():
    """A bright dot in the muscle, followed to a moved and bent visit."""
    dotted = image(noise=0.0).array.copy()
    dotted[100:103, 28:31, 10] = 2000.0
    marked = background(Volume(dotted, geometry()), *outlines())
    tissue = np.array([[101, 29, 10]]) * np.array(SPACING)
    made = insert(marked, None, MOVED)
    expected = made.warp.seen_mm(tissue)[0]
    weight = np.clip(made.t2.array / np.median(made.t2.array[made.left.array]) - 6, 0, None)
    weight[:, 45:] = 0
    index = np.argwhere(weight > 0)
    seen = geometry().to_world((index * weight[weight > 0][:, None]).sum(0) / weight.sum())
    assert np.linalg.norm(seen - expected) < 1.5
    assert np.linalg.norm(expected - geometry().to_world([101, 29, 10])) > 3


def test_noise_lost_in_interpolation_is_given_back():
    pure = Volume(
        (300 + 20 * np.random.default_rng(1).standard_normal(SHAPE)).astype(np.float32), geometry()
    )
    shifted = Wobble((4.0, 3.0, 6.0), (1.0, 1.0, 1.0), 0.0, 0.0, 0.0, 0.0, 0.0)
    made = insert(background(pure, *outlines()), None, draw_motion(2, (0, 0, 0), shifted))
    middle = made.t2.array[25:-25, 15:-15, 5:-5]
    assert middle.std() == pytest.approx(20, rel=0.06)


def test_axes_stored_the_other_way_give_the_same_picture(scene):
    affine = geometry().affine.copy()
    affine[:3, 3] = geometry().to_world((SHAPE[0] - 1, 0, 0))
    affine[:3, 0] *= -1
    turned = Geometry(affine, SHAPE)

    def flip(given):
        return type(given)(given.array[::-1].copy(), turned)

    plate = Plate(30, 8, 40, 3.0)
    one = insert(scene, plate, UNMOVED)
    other = insert(background(flip(image()), *map(flip, outlines())), plate, UNMOVED)
    assert np.allclose(other.t2.array[::-1], one.t2.array, atol=1e-3)
    assert np.array_equal(
        to_axial(other.graft.array, turned), to_axial(one.graft.array, geometry())
    )


def test_the_same_seed_gives_the_same_bytes(scene):
    one, other = (insert(scene, Plate(30, 8, 40, 3.0), draw_motion(3, (0, -30, 45))) for _ in "ab")
    assert one.t2.array.tobytes() == other.t2.array.tobytes()


def test_an_outline_on_another_grid_is_refused():
    small = Mask(np.ones((4, 4, 4), np.bool_), Geometry(np.eye(4), (4, 4, 4)))
    with pytest.raises(GeometryError) as refused:
        background(image(), small)
    assert refused.value.code == "outline_grid"


def test_an_outline_of_the_right_muscle_is_refused():
    left, right = outlines()
    for given in ((right, left), (right, None)):
        with pytest.raises(MaskError) as refused:
            background(image(), *given)
        assert refused.value.code == "outline_not_left"


def test_an_outline_of_one_slice_is_refused():
    one = outlines()[0].array.copy()
    one[:, :, 1:] = False
    with pytest.raises(MaskError, match="over 1 slices"):
        background(image(), Mask(one, geometry()))


def polygon(x0, x1, y0, y1):
    return {"seen": "clear", "polygon": [[x0, y0], [x1, y0], [x1, y1], [x0, y1]]}


def test_a_polygon_fills_what_it_encloses_and_slices_between_are_interpolated(tmp_path: Path):
    file = tmp_path / "outline.json"
    # Borders half way between voxel centres: columns 20 to 29, rows 10 to 14; 4 wider above.
    slices = {
        "3": {"left": polygon(19.5, 29.5, 9.5, 14.5)},
        "5": {"left": polygon(19.5, 33.5, 9.5, 14.5)},
    }
    file.write_text(json.dumps({"slices": slices}))
    left, right = load_outlines(file, geometry())
    assert right is None
    assert left.array[:, :, 3].sum() == 10 * 5
    assert left.array[:, :, 5].sum() == 14 * 5
    assert left.array[:, :, 4].sum() == pytest.approx(12 * 5, rel=0.1)  # corners are rounded
    assert not left.array[:, :, 6].any()


def save(array, path: Path, affine=None) -> Path:
    nib.save(nib.Nifti1Image(array, to_ras(geometry().affine) if affine is None else affine), path)
    return path


def test_a_label_image_gives_both_sides(tmp_path: Path):
    left, right = outlines()
    labels = (left.array + 2 * right.array).astype(np.uint8)
    found = load_outlines(save(labels, tmp_path / "labels.nii.gz"), geometry())
    assert np.array_equal(found[0].array, left.array)
    assert np.array_equal(found[1].array, right.array)


@pytest.mark.parametrize(
    ("labels", "code"),
    [(np.full(SHAPE, 3, np.uint8), "outline_labels"), (np.zeros(SHAPE, np.uint8), "outline_empty")],
)
def test_a_label_image_of_something_else_is_refused(tmp_path: Path, labels, code):
    with pytest.raises(MaskError) as refused:
        load_outlines(save(labels, tmp_path / "labels.nii.gz"), geometry())
    assert refused.value.code == code


def test_a_label_image_on_another_grid_is_refused(tmp_path: Path):
    file = save(np.ones(SHAPE, np.uint8), tmp_path / "labels.nii.gz", np.eye(4))
    with pytest.raises(GeometryError):
        load_outlines(file, geometry())


@pytest.mark.parametrize("name", ["outline.json", "outline.nii.gz"])
def test_an_outline_file_that_cannot_be_read_is_refused(tmp_path: Path, name: str):
    file = tmp_path / name
    file.write_text("nothing of the kind")
    with pytest.raises(MaskError) as refused:
        load_outlines(file, geometry())
    assert refused.value.code == "mask_unreadable"


def test_a_polygon_beyond_the_last_slice_is_refused(tmp_path: Path):
    file = tmp_path / "outline.json"
    file.write_text(json.dumps({"slices": {"99": {"left": polygon(1, 9, 1, 9)}}}))
    with pytest.raises(GeometryError):
        load_outlines(file, geometry())
