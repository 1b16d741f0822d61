"""Fit: let the network learn from the parts of a folder."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from training.network import network
from training.samples import COLUMNS, DEPTHS, channels
from training.tissue import Array
from training.variation import varied

BATCH, RATE, CHANNELS = 16, 2e-3, 10
_GRAFT_WEIGHT = 3.0


def batches(folder: Path, seed: int) -> Iterator[tuple[Array, Array]]:
    """Yield batches without end, every sample once a round."""
    rng = np.random.default_rng(seed)
    parts = [np.load(file) for file in sorted(folder.glob("part_*.npz"))]
    seen = np.concatenate([part["seen"] for part in parts])
    wanted = np.stack(
        [np.concatenate([part[key] for part in parts]) for key in ("rectus", "graft")], axis=-1
    )
    while True:
        order = rng.permutation(len(seen))
        for first in range(0, len(order) - BATCH + 1, BATCH):
            at = order[first : first + BATCH]
            pairs = [
                varied(rng, seen[n].astype(np.float32), wanted[n].astype(np.float32) / 255)
                for n in at
            ]
            x, y = (np.stack(each).astype(np.float32) for each in zip(*pairs, strict=True))
            yield channels(x), y


def loss(wanted: tf.Tensor, found: tf.Tensor) -> tf.Tensor:
    """Cross entropy, the graft weighing more, and half of one minus the soft Dice."""
    weight = 1 + _GRAFT_WEIGHT * wanted[..., 1:2]
    entropy = keras.losses.binary_crossentropy(wanted[..., None], found[..., None])
    both = tf.reduce_sum(wanted * found, axis=(1, 2))
    total = tf.reduce_sum(wanted + found, axis=(1, 2))
    dice = (2 * both + 20) / (total + 20)
    return tf.reduce_mean(weight * entropy) + 0.5 * tf.reduce_mean(1 - dice)


def fit(folder: Path, net: Path, steps: int, start: Path | None) -> None:
    """Train for so many steps, from `start` where it is given, and save the network."""
    keras.utils.set_random_seed(1)
    model = network(COLUMNS, DEPTHS, CHANNELS)
    if start is not None:
        model.set_weights(keras.models.load_model(start, compile=False).get_weights())
    rate = keras.optimizers.schedules.CosineDecay(RATE, steps, alpha=0.01)
    model.compile(optimizer=keras.optimizers.Adam(rate), loss=loss)
    for step, (seen, wanted) in enumerate(batches(folder, seed=0)):
        if step == steps:
            break
        model.train_on_batch(seen, wanted)
    model.save(net)


if __name__ == "__main__":
    begin = Path(sys.argv[4]) if len(sys.argv) > 4 else None
    fit(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), begin)
