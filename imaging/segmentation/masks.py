"""Muscles and Graft: what segmentation gives, with how sure it is and why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from imaging.geometry import FloatArray
from imaging.volume import Mask


class Source(StrEnum):
    """Who drew the graft."""

    AUTOMATIC = "automatic"
    SEEDED = "seeded"
    EDITED = "edited"


@dataclass(frozen=True, slots=True, eq=False)
class Muscles:
    """The rectus compartments on the T2W-FS grid.

    Parameters
    ----------
    body
        The patient, skin included.
    rectus_left, rectus_right
        Whole compartment inside the sheath, graft included; patient's left and right.
    linea_alba_mm
        (n, 3) LPS, one point per slice in which the midline was found, ordered by slice.
    confidence
        0 to 1, that both compartments are where they are said to be.
    reasons
        Sentences that say what lowered the confidence; empty when nothing did.
    """

    body: Mask
    rectus_left: Mask
    rectus_right: Mask
    linea_alba_mm: FloatArray
    confidence: float
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Graft:
    """The graft on the T2W-FS grid; `mask` is None when none was found.

    `confidence` is 0 to 1: that the answer, present or absent, and the outline are right.
    `range_ml` are the least and greatest volume that a guess stands for, None when it is none.
    """

    mask: Mask | None
    source: Source
    confidence: float
    reasons: tuple[str, ...] = ()
    range_ml: tuple[float, float] | None = None

    @property
    def present(self) -> bool:
        """Whether a graft was found."""
        return self.mask is not None
