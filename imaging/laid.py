"""Laid: one endpoint series with the masks on its grid, cut to what is measured of it."""

from __future__ import annotations

from dataclasses import dataclass

from imaging.geometry import Geometry
from imaging.images import Contrasted
from imaging.measurements.region import block, bounding_box
from imaging.resampling import carry, resample
from imaging.segmentation.masks import Muscles
from imaging.transform import RigidTransform
from imaging.volume import Mask, Volume


@dataclass(frozen=True, slots=True, eq=False)
class Laid:
    """A block of one series round muscles and graft, and the masks in that block.

    `whole` is the series it was cut from; `graft` is None when there is none.
    """

    whole: Contrasted
    raw: Volume
    corrected: Volume
    muscles: Muscles
    graft: Mask | None

    @property
    def region(self) -> Mask:
        """The graft, or the left rectus when there is none."""
        return self.muscles.rectus_left if self.graft is None else self.graft


def lay(
    whole: Contrasted,
    muscles: Muscles,
    graft: Mask | None,
    onto_from_t2: RigidTransform,
    rim_mm: float,
) -> Laid:
    """Carry masks from the T2W-FS grid to a series, and cut out what they need and a rim.

    Without muscles or graft nothing can be measured, and the block is the whole image.
    """
    box = _box(muscles, graft, whole.raw.geometry, onto_from_t2, rim_mm)
    grid = whole.raw.geometry.crop(box)
    return Laid(
        whole,
        Volume(whole.raw.array[box], grid),
        Volume(whole.corrected.array[box], grid),
        carry(muscles, grid, onto_from_t2),
        None if graft is None else resample(graft, grid, onto_from_t2.inverse),
    )


def _box(
    muscles: Muscles,
    graft: Mask | None,
    onto: Geometry,
    onto_from_t2: RigidTransform,
    rim_mm: float,
) -> tuple[slice, slice, slice]:
    grid = muscles.body.geometry
    inside = muscles.rectus_left.array | muscles.rectus_right.array
    used = Mask(inside if graft is None else inside | graft.array, grid)
    if used.is_empty:
        return slice(0, onto.shape[0]), slice(0, onto.shape[1]), slice(0, onto.shape[2])
    corners = onto_from_t2 @ grid.crop(bounding_box(used)).corners_mm
    return block(onto, corners, rim_mm + max(onto.spacing_mm))
