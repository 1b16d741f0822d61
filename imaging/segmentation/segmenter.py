"""Segmenter: whoever finds the muscles and the graft, the program itself or a site's own model.

A site's model is an ONNX file, or a Python entry point of the group `graftsite.segmenters`; the
protocol names the one to use (`segmenter`), so that its choice is part of the protocol's hash. What
it gives is checked before it is believed. See docs/segmentation.md.
"""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from typing import Protocol as Interface

import numpy as np

from imaging.errors import ConfigurationError, MaskError
from imaging.segmentation.graft import segment_graft
from imaging.segmentation.masks import Graft, Muscles
from imaging.segmentation.model_file import PREFIX, ModelFile, model_file
from imaging.segmentation.muscles import segment_muscles
from imaging.segmentation.seed import Stroke, check_stroke
from imaging.segmentation_limits import SegmentationLimits
from imaging.volume import Mask, Volume

GROUP = "graftsite.segmenters"
BUILT_IN = "built-in"


class Segmenter(Interface):
    """Finds muscles and graft on T2W-FS; deterministic, and empty where it finds nothing."""

    def muscles(
        self,
        t2: Volume,
        t1: Volume | None,
        limits: SegmentationLimits,
        body: Mask | None = None,
    ) -> Muscles:
        """Return both rectus compartments, see `imaging.segmentation.muscles.segment_muscles`."""

    def graft(
        self,
        t2: Volume,
        t1: Volume | None,
        muscles: Muscles,
        limits: SegmentationLimits,
        prior: Mask | None = None,
        stroke_mm: Stroke = (),
    ) -> Graft:
        """Return the graft of one visit, see `imaging.segmentation.graft.segment_graft`."""


class BuiltIn:
    """The program's own segmentation. A site's model may inherit what it does no better."""

    def muscles(
        self,
        t2: Volume,
        t1: Volume | None,
        limits: SegmentationLimits,
        body: Mask | None = None,
    ) -> Muscles:
        """Return both rectus compartments."""
        return segment_muscles(t2, t1, limits, body)

    def graft(
        self,
        t2: Volume,
        t1: Volume | None,
        muscles: Muscles,
        limits: SegmentationLimits,
        prior: Mask | None = None,
        stroke_mm: Stroke = (),
    ) -> Graft:
        """Return the graft of one visit."""
        return segment_graft(t2, t1, muscles, limits, prior, stroke_mm)


class FromFile(BuiltIn):
    """A model file's muscles, and the graft that the program itself finds in them."""

    def __init__(self, model: ModelFile) -> None:
        self._model = model

    def muscles(
        self,
        t2: Volume,
        t1: Volume | None,
        limits: SegmentationLimits,
        body: Mask | None = None,
    ) -> Muscles:
        """Return both rectus compartments."""
        del limits  # a network has none
        return self._model.muscles(t2, t1, body)


class Checked:
    """Another segmenter, what it gives held to the contract.

    Both methods raise MaskError for masks on another grid than T2W-FS, sides that overlap or are
    swapped, and a confidence outside 0 to 1; `graft` raises SeedError as the built-in one does.
    """

    def __init__(self, name: str, model: Segmenter) -> None:
        self._name, self._model = name, model

    def muscles(
        self,
        t2: Volume,
        t1: Volume | None,
        limits: SegmentationLimits,
        body: Mask | None = None,
    ) -> Muscles:
        """Return both rectus compartments."""
        found = self._model.muscles(t2, t1, limits, body)
        self._check(t2, found.confidence, (found.body, found.rectus_left, found.rectus_right))
        left, right = found.rectus_left, found.rectus_right
        if (left.array & right.array).any() or _swapped(left, right):
            raise MaskError("segmenter_sides", name=self._name)
        return found

    def graft(
        self,
        t2: Volume,
        t1: Volume | None,
        muscles: Muscles,
        limits: SegmentationLimits,
        prior: Mask | None = None,
        stroke_mm: Stroke = (),
    ) -> Graft:
        """Return the graft of one visit."""
        check_stroke(stroke_mm, t2, muscles, limits)
        found = self._model.graft(t2, t1, muscles, limits, prior, stroke_mm)
        self._check(t2, found.confidence, () if found.mask is None else (found.mask,))
        return found

    def _check(self, t2: Volume, confidence: float, masks: tuple[Mask, ...]) -> None:
        if not all(mask.geometry.same_grid(t2.geometry) for mask in masks):
            raise MaskError("segmenter_grid", name=self._name)
        if not 0.0 <= confidence <= 1.0:
            raise MaskError("segmenter_confidence", name=self._name, confidence=confidence)


def _swapped(left: Mask, right: Mask) -> bool:
    """Whether the patient's left muscle lies to the right of the other one (LPS: x grows left)."""
    if left.is_empty or right.is_empty:
        return False
    return bool(np.mean(left.points_mm[:, 0]) <= np.mean(right.points_mm[:, 0]))


def segmenter_named(name: str) -> Segmenter:
    """Return the segmenter that a protocol names.

    Raises
    ------
    ConfigurationError
        No installed package offers it, it cannot be loaded, or a file is no such model.
    """
    if name == BUILT_IN:
        return BuiltIn()
    if name.startswith(PREFIX):
        return Checked(name.partition("@")[0], FromFile(model_file(name)))
    offered = entry_points(group=GROUP)
    for entry in offered.select(name=name):
        return Checked(name, _loaded(entry))
    known = ", ".join(sorted({BUILT_IN, *offered.names}))
    raise ConfigurationError("segmenter_unknown", name=name, known=known)


def _loaded(entry: EntryPoint) -> Segmenter:
    try:
        made: Segmenter = entry.load()()
    except (ImportError, AttributeError) as error:
        raise ConfigurationError(
            "segmenter_not_loaded", name=entry.name, package=entry.value, detail=str(error)
        ) from error
    return made
