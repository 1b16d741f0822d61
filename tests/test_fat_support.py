"""Fat in the graft, from the images on: what a visit's further T1W images add to T1W-FS."""

from dataclasses import replace

import numpy as np
import pytest
from abdomen import abdomen
from test_assessment import PROTOCOL, series, visit

from imaging.assessment import assess
from imaging.measurements.fat import FatAnswer
from imaging.series import Role
from imaging.visit import Subject, VisitName
from imaging.volume import Volume

MUSCLE_T1 = 200.0


@pytest.fixture(scope="module")
def scene():
    """The abdomen with a graft like muscle on T1W-FS, and where the graft and a part of it lie."""
    t2, t1, *_ = abdomen(graft=True)
    index = np.moveaxis(np.indices(t2.geometry.shape), 0, -1)
    x, _, z = np.moveaxis(t2.geometry.to_world(index), -1, 0)
    graft = (t2.array > 500) & (t1.array > 75) & (np.abs(x - 30) < 21) & (np.abs(z - 21) < 17)
    part = graft & (np.abs(x - 30) < 9) & (np.abs(z - 21) < 10)
    return t2, t1, graft, part


def like(volume, levels, seed):
    """`volume` with regions set to levels, under its noise."""
    array = volume.array.copy()
    rng = np.random.default_rng(seed)
    for where, level in levels:
        array[where] = level + rng.normal(0, 4, int(where.sum()))
    return Volume(array.astype(np.float32), volume.geometry)


def fat_of(scene, in_fs, *supporting, **said):
    t2, t1, graft, part = scene
    suppressed = like(t1, ((graft, MUSCLE_T1), (part, in_fs)), 1)
    first = visit(VisitName.BASELINE, 0, series(t2, Role.T2W_FS),
                  series(suppressed, Role.T1W_FS, **said))  # fmt: skip
    more = tuple(series(volume, role) for role, volume in supporting)
    (only,) = assess(Subject("P01", (replace(first, supporting=more),)), PROTOCOL).visits
    return only.anatomy.t1.fat


def test_a_dark_part_alone_is_possibly_fat(scene):
    assert fat_of(scene, 80.0).answer is FatAnswer.POSSIBLE


def test_a_part_bright_without_and_dark_with_suppression_is_macroscopic_fat(scene):
    _, t1, graft, part = scene
    plain = like(t1, ((graft, MUSCLE_T1), (part, 500.0)), 2)
    found = fat_of(scene, 80.0, (Role.T1W, plain))
    assert found.answer is FatAnswer.CONFIRMED_MACROSCOPIC


def test_a_part_that_loses_signal_out_of_phase_is_microscopic_fat(scene):
    _, t1, graft, part = scene
    together = like(t1, ((graft, MUSCLE_T1),), 3)
    opposed = like(t1, ((graft, 0.7 * MUSCLE_T1),), 4)
    found = fat_of(scene, MUSCLE_T1, (Role.DIXON_IN_PHASE, together),
                   (Role.DIXON_OPPOSED_PHASE, opposed))  # fmt: skip
    assert found.answer is FatAnswer.CONFIRMED_MICROSCOPIC
    assert part.any()


@pytest.mark.parametrize(
    ("fraction", "answer"), [(0.3, FatAnswer.CONFIRMED_MICROSCOPIC), (0.0, FatAnswer.NONE)]
)
def test_a_dixon_fat_image_says_how_much_there_is(scene, fraction, answer):
    """Fat is 5 % of muscle, and of the graft as given; water 200 in both."""
    _, t1, graft, _ = scene
    muscle = 0.05 * MUSCLE_T1 / 0.95
    fat = Volume(np.full(t1.array.shape, muscle, np.float32), t1.geometry)
    fat = like(fat, ((graft, MUSCLE_T1 * fraction / (1 - fraction)),), 5)
    assert fat_of(scene, MUSCLE_T1, (Role.DIXON_FAT, fat), dixon="WATER").answer is answer
