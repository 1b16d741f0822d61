"""Training: made walls are what they are said to be, and the shipped network reads new ones."""

from importlib.resources import files

import numpy as np

from imaging.segmentation.inference import session
from training.samples import COLUMNS, DEPTHS, channels, sample

UNSEEN = range(9_000_000, 9_000_060)
"""Training took seeds below 504,000."""


def test_the_same_seed_gives_the_same_wall_and_another_seed_another():
    one, again, other = sample(7), sample(7), sample(8)
    for ours, theirs in zip(one, again, strict=True):
        assert np.array_equal(ours, theirs)
    assert not np.array_equal(one.seen, other.seen)


def test_a_graft_lies_in_the_rectus_and_every_share_is_one():
    for seed in UNSEEN[:20]:
        made = sample(seed)
        assert made.seen.shape == (COLUMNS, DEPTHS, 6)
        assert np.abs(made.seen).max() <= 3
        assert (made.graft <= made.rectus).all()
        assert made.graft.min() >= 0
        assert made.rectus.max() == 1


def test_half_of_the_walls_have_no_t1w_fs():
    without = [not sample(seed).seen[..., 3:].any() for seed in UNSEEN]
    assert 0.3 < np.mean(without) < 0.7


def test_the_shipped_network_sees_the_rectus_in_walls_it_never_saw():
    weights = files("imaging").joinpath("segmentation", "weights", "wall.onnx").read_bytes()
    made = [sample(seed) for seed in UNSEEN]
    seen = channels(np.stack([each.seen for each in made]).astype(np.float32))
    (found,) = session(weights).run(None, {"seen": np.moveaxis(seen, -1, 1)})
    dice = [
        2 * np.minimum(share, each.rectus).sum() / (share.sum() + each.rectus.sum())
        for share, each in zip(found[:, 0], made, strict=True)
    ]
    # Reached: 0.82 and 0.60; made walls are more varied than people.
    assert np.median(dice) > 0.75
    assert np.percentile(dice, 10) > 0.5
