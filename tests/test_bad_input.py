"""What is no graft, and help that cannot be right, from the images on as `assess` takes them."""

import nibabel as nib
import numpy as np
import pytest
from abdomen import abdomen
from test_assessment import PROTOCOL, series, statuses, visit

from imaging.assessment import assess
from imaging.concurrency import Inline
from imaging.errors import MaskError, SeedError
from imaging.findings.evidence import Status
from imaging.geometry import to_ras
from imaging.guidance import Guidance
from imaging.outlines import outline_graft
from imaging.preparation import prepare_visits
from imaging.series import Role
from imaging.visit import Subject, VisitName
from imaging.volume import Volume
from surveillance.exports.record import record_of

SURE = PROTOCOL.quality.confidence_min


def places(grid):
    index = np.moveaxis(np.indices(grid.shape), 0, -1)
    return np.moveaxis(grid.to_world(index), -1, 0)


def oedema(grid, sides):
    """2.6 times muscle in the middle of the right rectus; fluid is dark on T1W-FS."""
    x, _, z = places(grid)
    region = sides[1].array & (((x + 30) / 20) ** 2 + ((z - 21) / 18) ** 2 <= 1)
    return region, 2.6 * 130, 100.0


def bowel_loop(grid, sides):
    """A loop of 30 mm whose front lies in the back of the left wall."""
    x, y, z = places(grid)
    back = y[sides[0].array & (np.abs(x - 30) < 2)].max()
    region = (x - 30) ** 2 + (y - back - 12) ** 2 <= 15**2
    return region & (np.abs(z - 21) < 24), 900.0, 60.0


def epigastric_vessel(grid, sides):
    """4 mm wide, along the left rectus through every slice."""
    x, y, _ = places(grid)
    middle = y[sides[0].array & (np.abs(x - 32) < 2)].mean()
    return (x - 32) ** 2 + (y - middle) ** 2 <= 2.1**2, 700.0, 200.0


def nothing(grid, _):
    return np.zeros(grid.shape, np.bool_), 0.0, 0.0


@pytest.mark.parametrize("made", [nothing, oedema, bowel_loop, epigastric_vessel])
def test_what_is_no_graft_is_not_taken_for_one_and_no_endpoint_is_made_up(made):
    t2, t1, *sides = abdomen(graft=False)
    region, in_t2, in_t1 = made(t2.geometry, sides)
    t2, t1 = (
        Volume(np.where(region, level, image.array).astype(np.float32), image.geometry)
        for image, level in ((t2, in_t2), (t1, in_t1))
    )
    first = visit(VisitName.BASELINE, 0, series(t2, Role.T2W_FS), series(t1, Role.T1W_FS))
    assessment = assess(Subject("P01", (first,)), PROTOCOL)
    (only,) = assessment.visits
    graft = only.anatomy.graft
    assert not graft.present or (made is not nothing and graft.confidence < SURE)
    assert set(statuses(only).values()) == {Status.INDETERMINATE}
    block = record_of(assessment, "f").visits[0].graft
    if not graft.present:
        assert block.present is False
        assert (block.volume_ml, block.subvoxel_volume_ml) == (None, None)


@pytest.fixture(scope="module")
def prepared():
    """The baseline of the abdomen with a graft, from its images to its muscles."""
    t2, t1, *_ = abdomen(graft=True)
    first = visit(VisitName.BASELINE, 0, series(t2, Role.T2W_FS), series(t1, Role.T1W_FS))
    (only,) = prepare_visits((first,), PROTOCOL, Inline())
    found, _ = only.result()
    assert found is not None
    return found


def outlined(prepared, **guidance):
    return outline_graft(
        "BASELINE", prepared.images, prepared.muscles, None, Guidance(**guidance), PROTOCOL
    )


@pytest.mark.parametrize(
    ("seed", "code"),
    [
        ((-30.0, -69.0, 21.0), "seed_right_side"),
        ((0.0, -300.0, 21.0), "seed_outside_image"),
        ((120.0, -88.0, 21.0), "seed_outside_body"),
        ((30.0, -35.0, 21.0), "seed_behind_wall"),
        ((88.0, -45.0, 21.0), "seed_not_in_muscle"),
    ],
)
def test_a_seed_where_no_graft_can_be_is_refused_with_the_reason(prepared, seed, code):
    with pytest.raises(SeedError) as refused:
        outlined(prepared, seeds={"BASELINE": (seed,)})
    assert refused.value.code == code


def drawn(prepared):
    """The program's own outline, as if a reader had drawn it."""
    graft = outlined(prepared)
    assert graft.mask is not None
    return graft.mask


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda array, affine: (array, affine + np.eye(4)[:, [3, 3, 3, 0]] * 3), "mask_grid"),
        (lambda array, affine: (array[:, :-1], affine), "mask_shape"),
        (lambda array, affine: (np.zeros_like(array), affine), "mask_empty"),
        (lambda array, affine: (array + np.roll(array, 3, 0), affine), "mask_not_binary"),
        (lambda array, affine: (array[::-1], affine), "mask_right_side"),
        (lambda array, affine: (array, affine @ mirror(array)), "mask_flipped"),
    ],
    ids=["another grid", "another shape", "empty", "not binary", "voxels mirrored", "flipped axes"],
)
def test_a_mask_that_does_not_fit_its_visit_is_refused(prepared, tmp_path, change, code):
    mask = drawn(prepared)
    array, affine = change(mask.array.astype(np.uint8), to_ras(mask.geometry.affine))
    file = tmp_path / "drawn.nii.gz"
    nib.save(nib.Nifti1Image(np.ascontiguousarray(array), affine), file)
    with pytest.raises(MaskError) as refused:
        outlined(prepared, masks={"BASELINE": file})
    assert refused.value.code == code


def mirror(array):
    """The same corner seen from the other end of the first axis."""
    turned = np.eye(4)
    turned[0, 0], turned[0, 3] = -1, array.shape[0] - 1
    return turned
