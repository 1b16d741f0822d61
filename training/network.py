"""Network: a small U-Net (Ronneberger et al., MICCAI 2015) that labels one unrolled slice."""

from __future__ import annotations

import keras
from keras import layers

WIDTHS = (8, 16, 32, 48)


def network(columns: int, depths: int, channels: int) -> keras.Model:
    """Return the model: (columns, depths, channels) to the shares of rectus and of graft."""
    seen = keras.Input((columns, depths, channels))
    at, kept = seen, []
    for width in WIDTHS[:-1]:
        at = _convolved(_convolved(at, width), width)
        kept.append(at)
        at = layers.MaxPooling2D(2)(at)
    at = _convolved(_convolved(at, WIDTHS[-1]), WIDTHS[-1])
    for width, beside in zip(WIDTHS[-2::-1], reversed(kept), strict=True):
        at = layers.UpSampling2D(2, interpolation="nearest")(at)
        at = layers.Concatenate()([at, beside])
        at = _convolved(_convolved(at, width), width)
    return keras.Model(seen, layers.Conv2D(2, 1, activation="sigmoid")(at))


def _convolved(at: keras.KerasTensor, width: int) -> keras.KerasTensor:
    at = layers.Conv2D(width, 3, padding="same", use_bias=False)(at)
    return layers.ReLU()(layers.BatchNormalization()(at))
