"""overlay.png: the slice with most graft, plain and with the outlines drawn on it.

Shown as radiologists look at it: the patient's left on the right of the screen, front up.
The grey scale runs from 0 to a fixed multiple of reference muscle, so that visits compare by eye.
Outline colours are the Okabe-Ito palette's, told apart by colour-blind readers.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from imaging.volume import Mask, Volume
from surveillance.exports.axial_view import outline, view_round
from surveillance.exports.writing import write_with

GRAFT, RECTUS_LEFT, RECTUS_RIGHT = (230, 159, 0), (86, 180, 233), (0, 158, 115)
WHITE_AT_MUSCLE_RATIO = 4.0


def save_overlay(
    t2: Volume,
    graft: Mask | None,
    rectus_left: Mask,
    rectus_right: Mask,
    muscle_median: float | None,
    path: Path,
) -> None:
    """Write the picture of one visit; without muscle the window ends at the 99th percentile.

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    either = rectus_left.array | rectus_right.array
    shown = graft.array if graft else either
    view = view_round(either | shown, t2.geometry, most=shown)
    white = muscle_median * WHITE_AT_MUSCLE_RATIO if muscle_median else _bright(t2.array)
    picture = as_grey(view.shown(t2.array) / white)
    drawn = picture.copy()
    masks = ((rectus_right, RECTUS_RIGHT), (rectus_left, RECTUS_LEFT), (graft, GRAFT))
    for mask, colour in masks:
        if mask is not None:
            drawn[outline(view.region(mask.array))] = colour
    image = labelled(np.concatenate([picture, drawn], axis=1))
    write_with(path, lambda temporary: image.save(temporary, format="PNG"))


def as_grey(share_of_white: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return RGB pixels; what is above 1 is white."""
    grey = (np.clip(share_of_white, 0, 1) * 255).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


def _bright(array: NDArray[np.float32]) -> float:
    return max(float(np.percentile(array, 99)), 1.0)


def labelled(picture: NDArray[np.uint8]) -> Image.Image:
    """Put the patient's side letters on the left and right edges."""
    image = Image.fromarray(picture)
    draw = ImageDraw.Draw(image)
    middle = image.height // 2
    draw.text((4, middle), "R", fill=(255, 255, 255))
    draw.text((image.width - 12, middle), "L", fill=(255, 255, 255))
    return image
