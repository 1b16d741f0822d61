"""ViewerEvents: what the reader did in the viewer, checked before a page sees it."""

from __future__ import annotations

from dataclasses import dataclass

from imaging.errors import InputError
from imaging.volume import Mask
from surveillance.ui.viewer.annotation import Annotation, Point
from surveillance.ui.viewer.hanging import Layer


@dataclass(frozen=True, slots=True)
class Seed:
    """Where the reader says the graft is: one LPS point of a click, more of a stroke."""

    picture: str
    points_mm: tuple[Point, ...]


@dataclass(frozen=True, slots=True, eq=False)
class EditedMask:
    """A whole mask as the reader left it, bit for bit on its picture's own grid."""

    picture: str
    layer: Layer
    mask: Mask


@dataclass(frozen=True, slots=True, eq=False)
class ViewerEvents:
    """What happened since the last run of the script.

    Parameters
    ----------
    seed, edited
        Seen in one run only. Answer `seed` with a new mask in the next hanging, and `edited`
        with the saved mask: the viewer says "saved" when the hanging's mask equals its own.
    annotations
        All drawings of the case as they now stand; None while the reader has changed none.
    refused
        Why a message of the browser was not believed (a forged or mis-sized mask, a point
        outside the image); show its text. None when all was well.
    """

    seed: Seed | None = None
    edited: EditedMask | None = None
    annotations: tuple[Annotation, ...] | None = None
    refused: InputError | None = None
