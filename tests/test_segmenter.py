"""Segmenter: one contract for the built-in segmentation and for every model that a site brings."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from abdomen import abdomen
from onnx_models import by_place, written

from imaging.errors import ConfigurationError, MaskError, SeedError
from imaging.geometry import Geometry
from imaging.protocol import load_protocol
from imaging.segmentation.masks import Graft, Muscles, Source
from imaging.segmentation.segmenter import BUILT_IN, BuiltIn, Checked, Segmenter, segmenter_named
from imaging.volume import Mask, Volume

LIMITS = load_protocol().segmentation
MODEL = '''
"""A model as a site would write it: muscle is what T1W-FS shows brighter than 150, fluid is not."""
import numpy as np
from imaging.segmentation.body import body_mask
from imaging.segmentation.masks import Graft, Muscles, Source
from imaging.volume import Mask

class Bright:
    def muscles(self, t2, t1, limits, body=None):
        grid = t2.geometry
        bright = np.zeros(grid.shape, bool) if t1 is None else t1.array > 150
        x = grid.to_world(np.moveaxis(np.indices(grid.shape), 0, -1))[..., 0]
        left, right = (Mask(bright & side, grid) for side in (x > 0, x < 0))
        alba = np.empty((0, 3))
        return Muscles(body or body_mask(t2), left, right, alba, 0.3, ("made for a test",))

    def graft(self, t2, t1, muscles, limits, prior=None, stroke_mm=()):
        return Graft(None, Source.AUTOMATIC, 0.0, ("made for a test",))
'''


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package of a site, installed as far as Python's entry points can tell."""
    (tmp_path / "bright_model.py").write_text(MODEL)
    info = tmp_path / "bright_model-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: bright-model\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[graftsite.segmenters]\nbright = bright_model:Bright\nbroken = bright_model:Missing\n"
    )
    monkeypatch.syspath_prepend(tmp_path)


@pytest.fixture(params=[BUILT_IN, "bright", "model file"])
def segmenter(request: pytest.FixtureRequest, tmp_path: Path) -> Segmenter:
    request.getfixturevalue("site")
    if request.param == "model file":
        return segmenter_named(written(tmp_path / "bright.onnx", by_place(1.5)))
    return segmenter_named(request.param)


def mirrored(image: Volume) -> Volume:
    """The same voxels at the same places, the first axis stored from the other end."""
    affine = image.geometry.affine.copy()
    affine[:3, 3] += affine[:3, 0] * (image.array.shape[0] - 1)
    affine[:3, 0] *= -1
    return Volume(np.ascontiguousarray(image.array[::-1]), replace(image.geometry, affine=affine))


def test_masks_lie_on_the_grid_of_t2(segmenter):
    t2, t1, *_ = abdomen(graft=True)
    found = segmenter.muscles(t2, t1, LIMITS)
    for mask in (found.body, found.rectus_left, found.rectus_right):
        assert mask.geometry.same_grid(t2.geometry)
    graft = segmenter.graft(t2, t1, found, LIMITS)
    assert graft.mask is None or graft.mask.geometry.same_grid(t2.geometry)
    assert 0 <= found.confidence <= 1
    assert 0 <= graft.confidence <= 1


def test_left_is_the_patients_left_whichever_way_voxels_are_stored(segmenter):
    t2, t1, *_ = abdomen()
    for images in ((t2, t1), (mirrored(t2), mirrored(t1))):
        found = segmenter.muscles(*images, LIMITS)
        assert (
            found.rectus_left.points_mm[:, 0].min() > 0 > found.rectus_right.points_mm[:, 0].max()
        )


def test_the_same_image_gives_the_same_bits(segmenter):
    t2, t1, *_ = abdomen(graft=True)
    one, other = (segmenter.muscles(t2, t1, LIMITS) for _ in range(2))
    assert np.array_equal(one.rectus_left.array, other.rectus_left.array)
    assert one.confidence == other.confidence


def test_an_image_of_nothing_has_no_muscle_and_no_sure_graft(segmenter):
    grid = Geometry(np.diag([1.5, 1.5, 6, 1]), (30, 30, 4))
    nothing = Volume(np.zeros(grid.shape, np.float32), grid)
    found = segmenter.muscles(nothing, None, LIMITS)
    assert found.rectus_left.is_empty
    assert found.rectus_right.is_empty
    graft = segmenter.graft(nothing, None, found, LIMITS)
    assert (graft.present, graft.confidence) == (False, 0.0)
    assert found.reasons
    assert graft.reasons


def test_a_seed_in_the_right_muscle_is_refused(segmenter):
    t2, t1, _, right = abdomen(graft=True)
    found = segmenter.muscles(t2, t1, LIMITS)
    with pytest.raises(SeedError):
        segmenter.graft(t2, t1, found, LIMITS, stroke_mm=(tuple(right.points_mm[5]),))


def test_the_protocol_s_own_segmenter_is_the_built_in_one():
    assert isinstance(segmenter_named(load_protocol().segmenter), BuiltIn)


@pytest.mark.usefixtures("site")
def test_a_segmenter_nobody_offers_is_refused_with_those_that_are():
    with pytest.raises(ConfigurationError) as refused:
        segmenter_named("birght")
    assert refused.value.code == "segmenter_unknown"
    assert "bright, broken, built-in" in str(refused.value)


@pytest.mark.usefixtures("site")
def test_a_segmenter_that_does_not_load_is_refused_with_its_package():
    with pytest.raises(ConfigurationError) as refused:
        segmenter_named("broken")
    assert refused.value.code == "segmenter_not_loaded"
    assert "bright_model:Missing" in str(refused.value)


class Wrong(BuiltIn):
    """Gives the muscles and the graft it was made with."""

    def __init__(self, found: Muscles, graft: Graft) -> None:
        self._found, self._graft = found, graft

    def muscles(self, *_: object) -> Muscles:
        return self._found

    def graft(self, *_: object) -> Graft:
        return self._graft


def test_masks_swapped_off_the_grid_or_impossibly_sure_are_refused():
    t2, t1, left, right = abdomen()
    grid = replace(t2.geometry, affine=np.diag([2.0, 2.0, 6.0, 1.0]))
    fine = BuiltIn().muscles(t2, t1, LIMITS)
    away = Graft(Mask(left.array, grid), Source.AUTOMATIC, 0.5)
    bad = {
        "segmenter_sides": replace(fine, rectus_left=right, rectus_right=left),
        "segmenter_confidence": replace(fine, confidence=1.5),
        "segmenter_grid": replace(fine, rectus_left=away.mask),
    }
    for code, found in bad.items():
        with pytest.raises(MaskError) as refused:
            Checked("wrong", Wrong(found, away)).muscles(t2, t1, LIMITS)
        assert refused.value.code == code
    with pytest.raises(MaskError) as refused:
        Checked("wrong", Wrong(fine, away)).graft(t2, t1, fine, LIMITS)
    assert refused.value.code == "segmenter_grid"
