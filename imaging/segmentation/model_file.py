"""Model file: a site's own network, an ONNX file, that finds the muscles.

The protocol names the file and its SHA-256, so that the protocol's hash stands for the model.
What the file must take and give is told in docs/segmentation.md.
"""

from __future__ import annotations

import hashlib
import re
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imaging.errors import ConfigurationError
from imaging.geometry import FloatArray, Geometry
from imaging.messages import text
from imaging.resampling import resample
from imaging.segmentation.axial import axial_geometry, to_axial
from imaging.segmentation.body import body_mask
from imaging.segmentation.inference import FAILURES, answer, session
from imaging.segmentation.masks import Muscles
from imaging.segmentation.windows import blended
from imaging.transform import identity
from imaging.volume import Mask, Volume

PREFIX = "onnx:"
_NAME = re.compile(r"onnx:(?P<file>/.+)@sha256:(?P<sha256>[0-9a-f]{64})")
_UNPROVEN = "0.4"
"""Below any sensible `quality.confidence_min`: a reader is asked for until a site has proven it."""
_LEFT, _RIGHT, _GRAFT = 1, 2, 3
"""Channels of the answer after the background; the graft, if the model knows it, lies left."""


class ModelFile:
    """The muscles as an ONNX network sees them.

    Parameters
    ----------
    name
        File name, for errors.
    network
        A session of ONNX Runtime.

    Raises
    ------
    ConfigurationError
        It takes or gives another number of axes or channels than it must, or does not say at
        what spacing it was trained.
    """

    def __init__(self, name: str, network: Any) -> None:
        self._name, self._network = name, network
        taken, given = network.get_inputs(), network.get_outputs()
        shapes = [list(each.shape) for each in (*taken, *given)]
        if (len(taken), len(given)) != (1, 1) or [len(shape) for shape in shapes] != [5, 5]:
            raise _other_shape(name, taken, given)
        (_, channels, *size), (_, classes, *_) = shapes
        if channels not in (1, 2) or classes not in (3, 4):
            raise _other_shape(name, taken, given)
        self._input, self._channels, self._classes = taken[0].name, channels, classes
        self._size = [n if isinstance(n, int) else None for n in size]
        z, y, x = self._told("spacing_mm", (0.1, 20.0))
        self._spacing_mm = x, y, z
        self._multiple = [int(n) for n in self._told("multiple_of", (1, 512), "1 1 1")]
        (self._believed,) = self._told("confidence_max", (0.0, 1.0), _UNPROVEN)

    def muscles(self, t2: Volume, t1: Volume | None, body: Mask | None = None) -> Muscles:
        """Return both compartments on the grid of `t2`.

        As sure as the network says it is, but no surer than its metadata allow: networks say 0.99
        of what they have never seen.

        Raises
        ------
        ConfigurationError
            The network fails on the image.
        """
        body = body or body_mask(t2)
        if body.is_empty:
            return _nothing(body, text("segmentation.muscle_no_body"))
        share = self._shares(t2, t1)
        label = share.argmax(axis=0)
        left, right = (
            Mask(found & body.array, t2.geometry)
            for found in ((label == _LEFT) | (label == _GRAFT), label == _RIGHT)
        )
        if left.is_empty or right.is_empty:
            return _nothing(body, text("segmentation.model_no_muscle", name=self._name))
        said = float(share.max(axis=0)[left.array | right.array].mean())
        reason = text(
            "segmentation.model_sure", name=self._name, confidence=said, limit=self._believed
        )
        sure = min(said, self._believed)
        return Muscles(body, left, right, _linea_alba_mm(left, right), sure, (reason,))

    def _shares(self, t2: Volume, t1: Volume | None) -> NDArray[np.float32]:
        """(classes, i, j, k) on the grid of `t2`: the softmax of what the network answers."""
        grid = _grid(t2.geometry, self._spacing_mm)
        seen = np.stack([_standardised(image, grid) for image in (t2, t1)[: self._channels]])
        shape, size = seen.shape[1:], self._size
        whole = [-(-n // step) * step for n, step in zip(shape, self._multiple, strict=True)]
        window = [w if fixed is None else fixed for fixed, w in zip(size, whole, strict=True)]
        logits = blended(seen, (window[0], window[1], window[2]), self._classes, self._answer)
        odds = np.exp(logits - logits.max(axis=0))
        share = np.moveaxis(odds / odds.sum(axis=0), (1, 2, 3), (3, 2, 1))
        back = partial(resample, onto=t2.geometry, moving_from_fixed=identity())
        return np.stack([back(Volume(np.ascontiguousarray(each), grid)).array for each in share])

    def _answer(self, seen: NDArray[np.float32]) -> NDArray[np.float32]:
        try:
            found = answer(self._network, {self._input: seen[None].astype(np.float32)})
        except FAILURES as error:
            raise ConfigurationError(
                "segmenter_model_failed", name=self._name, detail=str(error)
            ) from error
        if found.shape != (1, self._classes, *seen.shape[1:]):
            raise _other_shape(self._name, self._network.get_inputs(), [found])
        return np.asarray(found[0], np.float32)

    def _told(self, key: str, within: tuple[float, float], usual: str = "") -> list[float]:
        """Return numbers of the model's metadata, as many as `usual` has, else three."""
        told = self._network.get_modelmeta().custom_metadata_map.get(key, usual)
        try:
            values = [float(word) for word in told.split()]
        except ValueError:
            values = []
        wanted = len(usual.split()) or 3
        if len(values) != wanted or not all(within[0] <= v <= within[1] for v in values):
            raise ConfigurationError(
                "segmenter_model_told", name=self._name, key=key, told=told, count=wanted
            )
        return values


@cache
def model_file(name: str) -> ModelFile:
    """Return the model of `onnx:/PATH.onnx@sha256:HEX`.

    Raises
    ------
    ConfigurationError
        Another form of name, a file that cannot be read, has changed, or is no such model.
    """
    parts = _NAME.fullmatch(name)
    if parts is None:
        raise ConfigurationError("segmenter_model_name", name=name)
    file = Path(parts["file"])
    try:
        content = file.read_bytes()
    except OSError as error:
        raise ConfigurationError(
            "segmenter_model_unreadable", name=file.name, detail=error.strerror
        ) from error
    found = hashlib.sha256(content).hexdigest()
    if found != parts["sha256"]:
        raise ConfigurationError("segmenter_model_changed", name=file.name, found=found)
    try:
        return ModelFile(file.name, session(content))
    except FAILURES as error:
        raise ConfigurationError(
            "segmenter_model_failed", name=file.name, detail=str(error)
        ) from error


def _other_shape(name: str, taken: Any, given: Any) -> ConfigurationError:
    takes, gives = (
        ", ".join(str(tuple(each.shape)) for each in arrays) for arrays in (taken, given)
    )
    return ConfigurationError("segmenter_model_shape", name=name, takes=takes, gives=gives)


def _nothing(body: Mask, reason: str) -> Muscles:
    none = Mask(np.zeros(body.geometry.shape, dtype=np.bool_), body.geometry)
    return Muscles(body, none, none, np.empty((0, 3)), 0.0, (reason,))


def _grid(geometry: Geometry, wanted: tuple[float, float, float]) -> Geometry:
    """Return the grid over the same field of view whose axes run to Left, Posterior, Superior."""
    axial = axial_geometry(geometry)
    lengths = [(n - 1) * mm for n, mm in zip(axial.shape, axial.spacing_mm, strict=True)]
    x, y, z = (int(np.ceil(mm / step)) + 1 for mm, step in zip(lengths, wanted, strict=True))
    affine = axial.affine.copy()
    affine[:3, :3] = axial.directions * np.array(wanted)
    return Geometry(affine, (x, y, z), geometry.frame_of_reference)


def _standardised(image: Volume | None, grid: Geometry) -> NDArray[np.float32]:
    """(z, y, x): mean 0 and standard deviation 1 over the grid; 0 without an image."""
    if image is None:
        return np.zeros(grid.shape[::-1], np.float32)
    array = resample(image, grid, identity()).array.T
    return np.asarray((array - array.mean()) / max(float(array.std()), 1e-6), np.float32)


def _linea_alba_mm(left: Mask, right: Mask) -> FloatArray:
    """(n, 3): half way between the muscles' inner ends, in the slices that show both."""
    geometry = left.geometry
    sides = [to_axial(side.array, geometry) for side in (left, right)]
    points = []
    for k in np.flatnonzero(sides[0].any(axis=(0, 1)) & sides[1].any(axis=(0, 1))):
        x, y = np.nonzero(sides[0][:, :, k])
        other_x, other_y = np.nonzero(sides[1][:, :, k])
        inner, other = x.min(), other_x.max()
        depth = (y[x == inner].mean() + other_y[other_x == other].mean()) / 2
        points.append(((inner + other) / 2, depth, k))
    return axial_geometry(geometry).to_world(np.array(points).reshape(-1, 3))
