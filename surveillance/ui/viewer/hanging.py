"""Hanging: which pictures are on the light box, as a page gives them to the viewer.

Only voxels, grids and the labels given here reach the browser: no header, name, UID or date,
unless a page writes one into a label.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from imaging.errors import GeometryError, InputError
from imaging.geometry import FloatArray
from imaging.transform import RigidTransform, identity
from imaging.volume import Mask, Volume
from surveillance.ui.viewer.annotation import Annotation


class Layer(StrEnum):
    """The masks a picture can carry."""

    GRAFT = "graft"
    RECTUS_LEFT = "rectus_left"
    RECTUS_RIGHT = "rectus_right"


class Tool(StrEnum):
    """What a reader may do beyond looking; a page withholds what a role or a lock forbids."""

    MEASURE = "measure"  # length, ellipse, pixel value
    MARK = "mark"  # a focus on the image
    SEED = "seed"  # a click or a stroke, answered by a new segmentation
    EDIT = "edit"  # brush, eraser, fill, interpolate, smooth


class Layout(StrEnum):
    """How the pictures first hang; the reader changes it at will."""

    ONE = "one"
    TWO = "two"
    FOUR = "four"


@dataclass(frozen=True, slots=True, eq=False)
class MaskLayer:
    """A mask shown over a picture, on that picture's grid; `editable` ones take the brush."""

    layer: Layer
    mask: Mask
    editable: bool = False


@dataclass(frozen=True, slots=True)
class WindowPreset:
    """A grey scale from `low` (black) to `high` (white), in multiples of reference muscle."""

    label: str
    low: float
    high: float


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """One volume on the light box.

    Parameters
    ----------
    volume
        Intensities and grid. NaN means outside the field of view and is drawn as background.
    visit, series
        Labels the reader sees, and what tells pictures apart: pictures with the same `series`
        share their window, pictures with the same `visit` stand in one column.
    space
        Pictures of one space share scrolling, zoom, pan and crosshair by millimetres. A registered
        visit lies in the baseline's space; one that could not be registered in its own.
    native
        The grid is the one the series was acquired on: one-up shows it and masks are edited there.
        False for an image resampled on the baseline's grid, which two-up, four-up, fade and the
        change map show.
    space_from_picture
        Maps a point of this picture to `space`; None where both are the same. It lets the native
        grid of a registered visit scroll along with the baseline.
    muscle_median
        Median of reference muscle in this volume, None when unknown: windows and ratios then
        count in multiples of a quarter of the 99th percentile, and no ratio is shown.
    layers
        Masks on this grid.

    Raises
    ------
    GeometryError
        A mask lies on another grid.
    """

    volume: Volume
    visit: str
    series: str
    space: str
    native: bool = True
    space_from_picture: RigidTransform | None = None
    muscle_median: float | None = None
    layers: tuple[MaskLayer, ...] = ()

    def __post_init__(self) -> None:
        for layer in self.layers:
            if not layer.mask.geometry.same_grid(self.volume.geometry):
                raise GeometryError(
                    "grids_differ",
                    mask=layer.mask.geometry.shape,
                    image=self.volume.geometry.shape,
                )

    @property
    def space_from_index(self) -> FloatArray:
        """(4, 4): maps a voxel index to its place in `space`, mm."""
        motion = self.space_from_picture or identity()
        return np.asarray(motion.matrix @ self.volume.geometry.affine)

    @property
    def key(self) -> str:
        """Name of the picture within its hanging, stable between reruns."""
        return f"{self.visit}/{self.series}/{'native' if self.native else self.space}"


@dataclass(frozen=True, slots=True, eq=False)
class Hanging:
    """All pictures of one reading task.

    Parameters
    ----------
    case
        Opaque name of the task (never a subject's name): what was drawn in one task is kept apart
        from another's by it.
    pictures
        In order of time; the time strip shows one per visit.
    visit
        Visit that is read: shown alone in one-up, on the right of two-up and four-up.
    compared_with
        Visit it stands beside, usually the baseline; None for none.
    annotations
        Measurements and marks of this reader, drawn at mount. Later ones come back in
        `ViewerEvents`; a change of this field alone does not redraw them.
    tools
        What the reader may do.
    layout
        The first layout.

    Raises
    ------
    InputError
        No picture, two with one key, or no picture of `visit` or `compared_with`.
    """

    case: str
    pictures: tuple[Picture, ...]
    visit: str
    compared_with: str | None = None
    annotations: tuple[Annotation, ...] = ()
    tools: frozenset[Tool] = frozenset(Tool)
    layout: Layout = Layout.ONE

    def __post_init__(self) -> None:
        keys = [picture.key for picture in self.pictures]
        twice = sorted({key for key in keys if keys.count(key) > 1})
        if twice:
            raise InputError("viewer_picture_twice", picture=twice[0])
        visits = {picture.visit for picture in self.pictures}
        for visit in {self.visit, self.compared_with or self.visit}:
            if visit not in visits:
                raise InputError("viewer_no_picture", visit=visit)

    def picture(self, key: str) -> Picture | None:
        """Return the picture named `key`, None when there is none."""
        return next((p for p in self.pictures if p.key == key), None)
