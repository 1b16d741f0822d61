"""Intensity: what is compared when one visit is laid on another is borders, not brightness."""

import numpy as np
from imaged_person import Person, grid, image, points_of, wall

from imaging.intensity import compressed, local_contrast
from imaging.volume import Mask, Volume

HERE = grid()
IMAGE = image(Person(), HERE, noise=0)
WALL = wall(HERE)


def agreement(one: Volume, other: Volume) -> float:
    return float(np.corrcoef(one.array[WALL.array], other.array[WALL.array])[0, 1])


def test_brightness_that_rises_threefold_over_the_body_leaves_no_trace() -> None:
    x, _, z = points_of(HERE)
    rising = np.exp(x / 250 + z / 130).astype(np.float32)
    other = Volume(IMAGE.array * rising, HERE)
    assert agreement(local_contrast(IMAGE, WALL), local_contrast(other, WALL)) > 0.98
    assert agreement(compressed(IMAGE, WALL), compressed(other, WALL)) < 0.9


def test_another_unit_of_intensity_changes_nothing() -> None:
    other = Volume(IMAGE.array * np.float32(4.0), HERE)
    for alike in (compressed, local_contrast):
        np.testing.assert_allclose(
            alike(IMAGE, WALL).array, alike(other, WALL).array, rtol=0, atol=1e-5
        )


def test_a_flat_image_has_no_contrast_and_faint_noise_little() -> None:
    flat = Volume(np.full(HERE.shape, 100, np.float32), HERE)
    assert not local_contrast(flat, WALL).array.any()
    noise = np.random.default_rng(3).normal(0, 1, HERE.shape).astype(np.float32)
    faint = local_contrast(Volume(flat.array + noise, HERE), WALL)
    assert float(np.abs(faint.array).max()) < 0.5


def test_without_a_region_brightness_is_compared_with_next_to_nothing() -> None:
    nowhere = Mask(np.zeros(HERE.shape, bool), HERE)
    inside = compressed(IMAGE, nowhere).array[WALL.array]
    np.testing.assert_allclose(inside, 1.0, atol=1e-6)
