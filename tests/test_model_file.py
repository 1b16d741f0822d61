"""Model file: a site's network finds the muscles where it says, or is refused with the reason."""

from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from abdomen import abdomen
from onnx import helper
from onnx_models import SPACING, by_place, by_value, halved, written

from imaging.errors import ConfigurationError
from imaging.geometry import Geometry
from imaging.protocol import load_protocol
from imaging.segmentation.model_file import model_file
from imaging.segmentation.segmenter import segmenter_named
from imaging.segmentation.windows import blended
from imaging.volume import Mask, Volume

CLASSES = (0.0, 0.5), (1.0, 0.0), (-1.0, 0.0)
SIDES = by_value(*CLASSES)
"""What is bright is left, what is dark right, and the rest nothing."""
STIFF = by_value(*CLASSES, wants=(1, 2, 16, 32, 64))


def coded() -> Volume:
    """A block of 100 on the patient's left, of -100 on the right, of 0 round them."""
    array = np.zeros((60, 30, 12), np.float32)
    array[35:50, 8:20, 2:10], array[10:25, 8:20, 2:10] = 100.0, -100.0
    array[:, 28:] = 0.01  # something, so that there is a body
    affine = np.diag([2.0, 2.0, 5.0, 1.0])
    affine[:3, 3] = (-59.0, -20.0, 0.0)
    return Volume(array, Geometry(affine, array.shape))


def body_of(image: Volume) -> Mask:
    return Mask(np.ones(image.array.shape, dtype=bool), image.geometry)


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    return 2 * float((one & other).sum()) / float(one.sum() + other.sum())


def test_the_muscles_lie_where_the_network_sees_them(tmp_path: Path) -> None:
    """On a grid of other voxels: brighter than 150 on T1W-FS, on the patient's own side."""
    t2, t1, *_ = abdomen()
    bright = float((150 - t1.array.mean()) / t1.array.std())
    found = model_file(written(tmp_path / "place.onnx", by_place(bright))).muscles(t2, t1)
    x = t2.geometry.to_world(np.moveaxis(np.indices(t2.geometry.shape), 0, -1))[..., 0]
    seen = (t1.array > 150) & found.body.array
    assert overlap(found.rectus_left.array, seen & (x > 0)) > 0.9
    assert overlap(found.rectus_right.array, seen & (x < 0)) > 0.9
    assert np.abs(found.linea_alba_mm[:, 0]).max() < 2.0


def test_a_network_is_believed_no_more_than_its_metadata_allow(tmp_path: Path) -> None:
    image = coded()
    for allowed, told in (("0.4", {}), ("0.9", {"confidence_max": "0.9"})):
        name = written(tmp_path / f"{allowed}.onnx", SIDES, told=SPACING | told)
        found = model_file(name).muscles(image, None, body_of(image))
        assert found.confidence <= float(allowed)
        assert f"up to {allowed}" in found.reasons[0]


def test_a_network_that_is_half_sure_says_so(tmp_path: Path) -> None:
    """Of two classes with nearly the same answer neither has more than about a half."""
    torn = by_value((0.0, -9.0), (0.01, 0.0), (-0.01, 0.0))
    name = written(tmp_path / "torn.onnx", torn, told=SPACING | {"confidence_max": "1"})
    image = coded()
    found = model_file(name).muscles(image, None, body_of(image))
    assert found.confidence == pytest.approx(0.5, abs=0.02)


def test_a_network_of_fixed_size_is_led_over_the_image(tmp_path: Path) -> None:
    image = coded()
    told = {"spacing_mm": "5 2 2"}
    free = model_file(written(tmp_path / "free.onnx", SIDES, told=told))
    small = written(
        tmp_path / "small.onnx", SIDES, takes=(1, 2, 8, 16, 16), gives=(1, 3, 8, 16, 16), told=told
    )
    one, two = (m.muscles(image, None, body_of(image)) for m in (free, model_file(small)))
    assert np.array_equal(one.rectus_left.array, two.rectus_left.array)
    assert np.array_equal(one.rectus_left.array, image.array > 50)
    assert np.array_equal(one.rectus_right.array, image.array < -50)


def test_an_image_is_padded_to_the_multiple_that_a_network_wants(tmp_path: Path) -> None:
    image = coded()  # 12 x 30 x 60, so 16 x 32 x 64
    told = {"spacing_mm": "5 2 2", "multiple_of": "16 32 64"}
    name = written(tmp_path / "stiff.onnx", STIFF, told=told)
    found = model_file(name).muscles(image, None, body_of(image))
    assert np.array_equal(found.rectus_left.array, image.array > 50)


def test_a_graft_that_a_network_knows_is_part_of_the_left_muscle(tmp_path: Path) -> None:
    knowing = by_value((0.0, 0.5), (0.0, -9.0), (-1.0, 0.0), (1.0, 0.0))
    name = written(
        tmp_path / "four.onnx", knowing, gives=(1, 4, "z", "y", "x"), told={"spacing_mm": "5 2 2"}
    )
    image = coded()
    found = model_file(name).muscles(image, None, body_of(image))
    assert np.array_equal(found.rectus_left.array, image.array > 50)


def test_a_network_that_sees_no_muscle_gives_none_and_says_so(tmp_path: Path) -> None:
    t2, t1, *_ = abdomen()
    found = model_file(written(tmp_path / "blind.onnx", by_place(99.0))).muscles(t2, t1)
    assert (found.rectus_left.is_empty, found.confidence) == (True, 0.0)
    assert "sees no rectus muscle" in found.reasons[0]


def test_windows_give_back_what_a_network_copies() -> None:
    rng = np.random.default_rng(3)
    for shape in ((5, 9, 11), (8, 8, 8), (3, 30, 17)):
        image = rng.normal(size=(2, *shape)).astype(np.float32)
        copied = blended(image, (4, 8, 8), 2, lambda seen: seen)
        assert copied == pytest.approx(image, abs=1e-5)


def refused(name: str) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as caught:
        segmenter_named(name)
    return caught.value


def test_a_name_without_place_or_hash_is_refused() -> None:
    for name in ("onnx:model.onnx", "onnx:/model.onnx@sha256:12", "onnx:m.onnx@sha256:" + "a" * 64):
        assert refused(name).code == "segmenter_model_name"


def test_a_file_that_is_missing_changed_or_no_model_is_refused(tmp_path: Path) -> None:
    name = written(tmp_path / "fine.onnx", SIDES)
    assert segmenter_named(name)
    assert refused(name.replace("fine", "gone")).code == "segmenter_model_unreadable"
    assert refused(name[:-1] + ("0" if name[-1] != "0" else "1")).code == "segmenter_model_changed"
    file = tmp_path / "text.onnx"
    file.write_text("no model")
    text = f"onnx:{file}@sha256:{sha256(b'no model').hexdigest()}"
    assert refused(text).code == "segmenter_model_failed"
    assert str(tmp_path) not in str(refused(text))


def test_a_network_of_another_shape_is_refused(tmp_path: Path) -> None:
    two = written(
        tmp_path / "two.onnx", by_value((0.0, 0.5), (1.0, 0.0)), gives=(1, 2, "z", "y", "x")
    )
    assert refused(two).code == "segmenter_model_shape"
    same = [helper.make_node("Identity", ["seen"], ["classes"])], []
    flat = written(tmp_path / "flat.onnx", same, takes=("n",), gives=("n",))
    assert refused(flat).code == "segmenter_model_shape"


def test_an_answer_of_another_size_is_refused_by_name(tmp_path: Path) -> None:
    gives = (1, 3, "a", "b", "c")
    small = model_file(written(tmp_path / "small.onnx", halved(SIDES), gives=gives))
    image = coded()
    with pytest.raises(ConfigurationError) as caught:
        small.muscles(image, None, body_of(image))
    assert caught.value.code == "segmenter_model_shape"
    assert "small.onnx" in str(caught.value)


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"spacing_mm": "5 2"},
        {"spacing_mm": "five 2 2"},
        {"spacing_mm": "0 2 2"},
        SPACING | {"multiple_of": "0 1 1"},
        SPACING | {"confidence_max": "1.5"},
    ],
)
def test_a_network_that_does_not_say_its_spacing_is_refused(
    tmp_path: Path, told: dict[str, str]
) -> None:
    assert refused(written(tmp_path / "mute.onnx", SIDES, told=told)).code == "segmenter_model_told"


def test_a_network_that_fails_on_an_image_is_named(tmp_path: Path) -> None:
    t2, t1, *_ = abdomen()
    network = segmenter_named(written(tmp_path / "stiff.onnx", STIFF))
    with pytest.raises(ConfigurationError) as caught:
        network.muscles(t2, t1, load_protocol().segmentation)
    assert caught.value.code == "segmenter_model_failed"
    assert "stiff.onnx" in str(caught.value)
