"""What the browser sends is believed only as far as it can be checked."""

import base64
import json
import zlib
from dataclasses import replace

import numpy as np
import pytest
from viewer_scenes import axial

from imaging.errors import GeometryError, InputError, MaskError
from imaging.transform import RigidTransform
from imaging.volume import Mask, Volume
from surveillance.ui.viewer import (
    Annotation,
    AnnotationKind,
    Hanging,
    Layer,
    MaskLayer,
    Picture,
    Plane,
    Tool,
    WindowPreset,
    measured,
)
from surveillance.ui.viewer.bits import packed
from surveillance.ui.viewer.contract import Messenger
from surveillance.ui.viewer.message import annotations_of, edited_of, seed_of
from surveillance.ui.viewer.tokens import TokenOffice
from surveillance.ui.viewer.voxels import served_mask

GRID = axial((6, 5, 4), (1.0, 2.0, 5.0))
EMPTY = Mask(np.zeros(GRID.shape, bool), GRID)
PICTURE = Picture(
    Volume(np.arange(120.0, dtype=np.float32).reshape(GRID.shape), GRID),
    "Month 6", "T2W-FS", "baseline",
    muscle_median=50.0,
    layers=(MaskLayer(Layer.GRAFT, EMPTY, editable=True), MaskLayer(Layer.RECTUS_LEFT, EMPTY)),
)  # fmt: skip
HANGING = Hanging("case", (PICTURE,), "Month 6")
KEY = PICTURE.key


def drawn(array):
    return base64.b64encode(zlib.compress(packed(Mask(array, GRID)))).decode()


def edit(**changes):
    message = {"picture": KEY, "layer": "graft", "deflated": drawn(np.ones(GRID.shape, bool))}
    return {**message, **changes}


def annotation(**changes):
    message = {
        "id": "a1", "kind": "length", "picture": KEY, "plane": "axial", "slice": 2,
        "points": [[0, 0, 0], [2, 0, 0]],
    }  # fmt: skip
    return {**message, **changes}


def test_an_edited_mask_arrives_on_its_pictures_own_grid():
    array = np.zeros(GRID.shape, bool)
    array[1:4, 2, 3] = True
    edited = edited_of(edit(deflated=drawn(array)), HANGING)
    assert (edited.picture, edited.layer) == (KEY, Layer.GRAFT)
    assert (edited.mask.array == array).all()
    assert edited.mask.geometry is GRID


def test_a_large_mask_is_collected_with_its_receipt():
    served = served_mask(EMPTY)  # a token holds it in life
    receipt = served.receive(zlib.compress(packed(EMPTY)))
    message = {"picture": KEY, "layer": "graft", "receipt": receipt}
    assert edited_of(message, HANGING).mask.is_empty
    with pytest.raises(MaskError):
        edited_of(message, HANGING)


@pytest.mark.parametrize(
    "message",
    [
        edit(deflated=None),
        edit(deflated="§§"),
        edit(deflated=base64.b64encode(zlib.compress(bytes(999))).decode()),
        edit(deflated=base64.b64encode(b"noise").decode()),
    ],
)
def test_a_forged_mask_is_refused(message):
    with pytest.raises(MaskError):
        edited_of(message, HANGING)


@pytest.mark.parametrize(
    "message",
    [
        None, 7, [], "edit",
        edit(picture="Baseline/T2W-FS/native"),
        edit(picture={"$ne": None}),
        edit(layer="rectus_left"),  # hangs, but not to be edited
        edit(layer="rectus_right"),
        edit(layer=None),
    ],
)  # fmt: skip
def test_an_edit_of_what_may_not_be_edited_is_refused(message):
    with pytest.raises(InputError) as refused:
        edited_of(message, HANGING)
    assert refused.value.code == "viewer_message"


def test_a_seed_is_a_click_or_a_stroke():
    assert seed_of({"picture": KEY, "points": [[1, 2, 3.5]]}, HANGING).points_mm == ((1, 2, 3.5),)
    assert len(seed_of({"picture": KEY, "points": [[0, 0, 0]] * 9}, HANGING).points_mm) == 9


@pytest.mark.parametrize(
    "points",
    [
        None, [], "here", [[0, 0]], [[0, 0, "0"]], [[0, 0, True]], [None], [[0, 0, float("nan")]],
        [[0, 0, float("inf")]], [[0, 0, 0]] * 2001,
    ],
)  # fmt: skip
def test_a_seed_of_another_form_is_refused(points):
    with pytest.raises(InputError) as refused:
        seed_of({"picture": KEY, "points": points}, HANGING)
    assert refused.value.code == "viewer_message"


def test_a_point_outside_the_image_is_refused_and_the_visit_named():
    with pytest.raises(InputError, match="Month 6") as refused:
        seed_of({"picture": KEY, "points": [[0, 0, 99]]}, HANGING)
    assert refused.value.code == "viewer_point_outside"


@pytest.mark.parametrize(
    ("believe", "message", "tool"),
    [
        (seed_of, {"picture": KEY, "points": [[0, 0, 0]]}, Tool.SEED),
        (edited_of, edit(), Tool.EDIT),
        (annotations_of, {"items": [annotation()]}, Tool.MEASURE),
        (annotations_of, {"items": [annotation(kind="focus", points=[[0, 0, 0]])]}, Tool.MARK),
    ],
)
def test_a_locked_read_takes_nothing(believe, message, tool):
    believe(message, HANGING)
    locked = replace(HANGING, tools=HANGING.tools - {tool})
    with pytest.raises(InputError, match="tool"):
        believe(message, locked)


def test_annotations_come_back_as_they_were_drawn():
    (found,) = annotations_of({"items": [annotation()]}, HANGING)
    points = ((0.0, 0.0, 0.0), (2.0, 0.0, 0.0))
    assert found == Annotation("a1", AnnotationKind.LENGTH, KEY, Plane.AXIAL, 2, points)
    assert annotations_of({"items": []}, HANGING) == ()


@pytest.mark.parametrize(
    "items",
    [
        None, {}, [7], [annotation(kind="rectangle")], [annotation(plane="oblique")],
        [annotation(slice=0)], [annotation(slice=7)], [annotation(slice=1.0)],
        [annotation(slice=True)], [annotation(id="")], [annotation(id="x" * 41)],
        [annotation(id=3)], [annotation(points=[[0, 0, 0]])], [annotation(picture="?")],
        [annotation(), annotation()],
        [annotation(id=str(n)) for n in range(501)],
    ],
)  # fmt: skip
def test_annotations_of_another_form_are_refused(items):
    with pytest.raises(InputError) as refused:
        annotations_of({"items": items}, HANGING)
    assert refused.value.code == "viewer_message"


def place(kind, *points, plane=Plane.AXIAL):
    return Annotation("a", kind, KEY, plane, 1, points)


def test_a_length_is_the_distance_in_the_patient():
    line = place(AnnotationKind.LENGTH, (0.0, 0.0, 0.0), (3.0, 4.0, 0.0))
    assert measured(line, PICTURE).length_mm == 5
    assert measured(line, PICTURE).mean is None


def test_a_value_is_that_of_the_voxel_and_its_multiple_of_muscle():
    point = tuple(GRID.to_world((2, 3, 1)))
    value = measured(place(AnnotationKind.VALUE, point), PICTURE)
    assert value.mean == 2 * 20 + 3 * 4 + 1
    assert value.ratio == value.mean / 50
    assert value.sd is None


def test_an_ellipse_counts_voxels_whose_centres_lie_inside():
    corners = [tuple(GRID.to_world(index)) for index in ((1, 1, 2), (3, 3, 2))]
    found = measured(place(AnnotationKind.ELLIPSE, *corners), PICTURE)
    plus = np.array([2 * 20 + 2 * 4 + 2 + d for d in (-20, -4, 0, 4, 20)])
    assert found.mean == plus.mean()
    assert found.sd == pytest.approx(plus.std())
    assert found.ratio_sd == pytest.approx(plus.std() / 50)
    assert found.area_mm2 == pytest.approx(np.pi * 1 * 2)


def test_an_ellipse_in_a_coronal_plane_lies_in_that_plane():
    corners = [tuple(GRID.to_world(index)) for index in ((0, 2, 0), (4, 2, 2))]
    found = measured(place(AnnotationKind.ELLIPSE, *corners, plane=Plane.CORONAL), PICTURE)
    assert found.mean == 2 * 20 + 2 * 4 + 1
    assert found.area_mm2 == pytest.approx(np.pi * 2 * 5)


def test_an_ellipse_without_width_has_no_mean():
    corner = tuple(GRID.to_world((1, 1, 2)))
    assert measured(place(AnnotationKind.ELLIPSE, corner, corner), PICTURE).mean is None


def test_without_muscle_there_is_no_ratio_and_without_image_no_value():
    bare = replace(PICTURE, muscle_median=None)
    point = place(AnnotationKind.VALUE, tuple(GRID.to_world((0, 0, 0))))
    assert measured(point, bare).ratio is None
    unseen = replace(PICTURE, volume=Volume(np.full(GRID.shape, np.nan, np.float32), GRID))
    assert measured(point, unseen).mean is None


def test_a_mask_on_another_grid_cannot_hang():
    other = axial((6, 5, 4), (1.0, 2.0, 4.0))
    with pytest.raises(GeometryError):
        replace(PICTURE, layers=(MaskLayer(Layer.GRAFT, Mask(EMPTY.array, other)),))


def test_a_picture_hangs_once_and_a_visit_without_picture_not_at_all():
    with pytest.raises(InputError, match="Month 6/T2W-FS/native"):
        Hanging("case", (PICTURE, PICTURE), "Month 6")
    with pytest.raises(InputError, match="Day 28"):
        Hanging("case", (PICTURE,), "Day 28")
    with pytest.raises(InputError, match="Baseline"):
        Hanging("case", (PICTURE,), "Month 6", "Baseline")


def described(hanging, office=None):
    messenger = Messenger(office or TokenOffice(), "session", "browser")
    return messenger.describe(hanging, (WindowPreset("Standard", 0, 3),), {"help": "Keys"})


def test_the_browser_is_told_the_same_on_every_rerun():
    office = TokenOffice()
    assert described(HANGING, office) == described(HANGING, office)
    json.dumps(described(HANGING))


def test_the_browser_is_told_where_a_registered_picture_lies_in_the_shared_space():
    motion = np.eye(4)
    motion[:3, 3] = (5, 0, -10)
    moved = replace(PICTURE, space_from_picture=RigidTransform(motion))
    (told,) = described(replace(HANGING, pictures=(moved,)))["pictures"]
    shared = np.array(told["spaceFromIndex"]).reshape(4, 4) @ [1, 2, 3, 1]
    assert shared[:3] == pytest.approx(GRID.to_world((1, 2, 3)) + np.array([5, 0, -10]))
    own = np.array(told["affine"]).reshape(4, 4)
    assert own == pytest.approx(GRID.affine)


def test_without_muscle_the_unit_is_a_quarter_of_what_is_bright():
    bare = replace(PICTURE, muscle_median=None)
    (told,) = described(replace(HANGING, pictures=(bare,)))["pictures"]
    assert told["unit"] == pytest.approx(np.percentile(PICTURE.volume.array, 99) / 4)
    assert told["hasMuscle"] is False


def test_the_browser_is_told_nothing_but_grids_labels_and_urls():
    """A frame of reference is a DICOM UID: it names an examination."""
    grid = replace(GRID, frame_of_reference="1.2.840.99.77")
    named = replace(PICTURE, volume=Volume(PICTURE.volume.array, grid))
    assert "1.2.840" not in json.dumps(described(replace(HANGING, pictures=(named,))))
