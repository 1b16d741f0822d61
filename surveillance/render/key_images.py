"""Key images: the same slice of every visit in baseline space, as PNG files.

Grey runs from 0 to a fixed multiple of each image's reference muscle, so that visits compare by
eye. Outlines differ by colour (Okabe-Ito) and by line, so that they survive a greyscale print:
graft whole, left rectus dashed, right rectus dotted.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from matplotlib import colormaps
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from imaging.geometry import Geometry
from imaging.resampling import coverage, resample
from imaging.series import Role
from imaging.transform import RigidTransform
from imaging.volume import Mask, Volume
from surveillance.cases.anatomy import muscles
from surveillance.cases.case import Case, CaseVisit
from surveillance.exports.axial_view import PIXEL_MM, AxialView, outline, view_round
from surveillance.exports.contract import VisitBlock
from surveillance.exports.overlay import (
    GRAFT,
    RECTUS_LEFT,
    RECTUS_RIGHT,
    WHITE_AT_MUSCLE_RATIO,
    as_grey,
    labelled,
)
from surveillance.report import KeyImage, Level, Pictures

WHITE_AT_T1_MUSCLE_RATIO = 2.5
CHANGE_SHOWN = 2.0
"""The change map's colours run over ± this ratio to muscle."""
CHANGE_COLOURS = "cividis"
"""Its lightness grows evenly: it reads in greyscale and for the colour-blind."""
WINDOW_MARGIN_MM, CHANGE_MARGIN_MM = 15.0, 6.0
"""Shown round left rectus and graft: of the picture, and of the change map's colours."""
_DASH, _DOT = (10, 6), (4, 2)
"""(period, drawn) along the picture's diagonal, pixels."""

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class _Laid:
    """One visit on one grid: the baseline's, or its own where the two cannot be registered."""

    label: str
    in_baseline_space: bool
    grid: Geometry
    t2: Volume | None
    t1: Volume | None
    graft: Mask | None
    left: Mask | None
    right: Mask | None


def key_images(case: Case) -> Pictures:
    """Return the pictures of all visits that have a readable T2W-FS.

    Levels are the slice with most graft over all visits, and the slice of each visit's largest
    focus where that is another one.
    """
    laid = [found for visit in case.visits if (found := _laid(visit)) is not None]
    common = [one for one in laid if one.in_baseline_space]
    reference = next((one for one in common if one.label == "BASELINE"), None)
    view = _common_view(common) if common else None
    levels = _levels(case, view)
    return Pictures(
        tuple(
            Level(focus_of, tuple(_key_image(one, _view_of(one, view, k), reference)
                                  for one in laid if focus_of is None or one.in_baseline_space))
            for focus_of, k in levels
        )
    )  # fmt: skip


def _laid(visit: CaseVisit) -> _Laid | None:
    grid, baseline = visit.grid, visit.case.baseline
    if grid is None:
        return None
    found, graft = muscles(visit), visit.graft.mask
    left, right = (found.rectus_left, found.rectus_right) if found else (None, None)
    onto = None if baseline is None else baseline.grid
    if onto is None or visit.visit_from_baseline is None:
        t2 = _ratio(visit.volume(Role.T2W_FS), visit, Role.T2W_FS)
        t1 = _ratio(_on_own_t2(visit, grid), visit, Role.T1W_FS)
        return _Laid(visit.label, False, grid, t2, t1, graft, left, right)
    t2 = _ratio(visit.on_baseline(Role.T2W_FS), visit, Role.T2W_FS)
    t1 = _ratio(visit.on_baseline(Role.T1W_FS), visit, Role.T1W_FS)
    carried = (None if mask is None else visit.mask_on_baseline(mask)
               for mask in (graft, left, right))  # fmt: skip
    return _Laid(visit.label, True, onto, t2, t1, *carried)


def _on_own_t2(visit: CaseVisit, grid: Geometry) -> Volume | None:
    volume, motion = visit.volume(Role.T1W_FS), visit.t1_from_t2
    if volume is None or motion is None:
        return None
    return _seen(resample(volume, grid, motion), volume.geometry, motion)


def _seen(carried: Volume, field_of_view: Geometry, motion: RigidTransform) -> Volume:
    seen = coverage(carried.geometry, field_of_view, motion)
    return Volume(np.where(seen.array, carried.array, np.float32("nan")), carried.geometry)


def _ratio(volume: Volume | None, visit: CaseVisit, role: Role) -> Volume | None:
    """Return intensities over reference muscle; without muscle, over the wall's usual share."""
    if volume is None:
        return None
    median = visit.muscle_median(role)
    if median is None:
        # Nothing compares: the 99th percentile is shown white, as in overlay.png.
        white = WHITE_AT_MUSCLE_RATIO if role is Role.T2W_FS else WHITE_AT_T1_MUSCLE_RATIO
        median = max(float(np.nanpercentile(volume.array, 99)), 1.0) / white
    return Volume(volume.array / np.float32(median), volume.geometry)


def _common_view(laid: Iterable[_Laid]) -> AxialView:
    together = list(laid)
    grid = together[0].grid
    grafts = np.zeros(grid.shape)
    region = np.zeros(grid.shape, dtype=np.bool_)
    for one in together:
        for mask in (one.graft, one.left):
            region |= False if mask is None else mask.array
        grafts += 0 if one.graft is None else one.graft.array
    k_axis, _ = grid.axis_toward(2)
    everywhere = np.broadcast_to(region.any(axis=k_axis, keepdims=True), grid.shape)
    most = grafts if grafts.any() else region
    return view_round(everywhere, grid, most, WINDOW_MARGIN_MM)


def _view_of(one: _Laid, common: AxialView | None, k: int | None) -> AxialView:
    if one.in_baseline_space and common is not None:
        return common if k is None else common.at(k)
    return _common_view([one])


def _levels(case: Case, view: AxialView | None) -> list[tuple[str | None, int | None]]:
    levels: list[tuple[str | None, int | None]] = [(None, None)]
    if view is None:
        return levels
    taken = {view.k}
    blocks = {block.folder: block for block in case.record.visits}
    for visit in case.visits:
        k = _focus_level(blocks[visit.label], visit, view)
        if k is not None and k not in taken:
            taken.add(k)
            levels.append((visit.label, k))
    return levels


def _focus_level(block: VisitBlock, visit: CaseVisit, view: AxialView) -> int | None:
    """Return the slice of a visit's largest focus; None without one or without registration."""
    motion = visit.visit_from_baseline
    largest = max(block.t2.nodules, key=lambda n: n.diameter_mm, default=None)
    if largest is None or largest.centroid_lps_mm is None or motion is None:
        return None
    place = view.geometry.to_index(motion.inverse @ np.array(largest.centroid_lps_mm))
    k = round(float(place[view.k_axis]))
    return k if 0 <= k < view.geometry.shape[view.k_axis] else None


def _key_image(one: _Laid, view: AxialView, baseline: _Laid | None) -> KeyImage:
    t2 = None if one.t2 is None else _grey(one.t2, view, WHITE_AT_MUSCLE_RATIO)
    t1 = None if one.t1 is None else _grey(one.t1, view, WHITE_AT_T1_MUSCLE_RATIO)
    compares = one.in_baseline_space and baseline is not None and one is not baseline
    change = _change(one, baseline, view) if compares and baseline is not None else None
    size = (1, 1) if t2 is None else t2.shape[:2]
    return KeyImage(
        visit=one.label,
        in_baseline_space=one.in_baseline_space,
        t2_plain=None if t2 is None else _png(t2),
        t2=None if t2 is None else _png(_outlined(t2, one, view)),
        t1=None if t1 is None else _png(_outlined(t1, one, view)),
        change=None if change is None else _png(change),
        size_mm=(size[1] * PIXEL_MM, size[0] * PIXEL_MM),
    )


def _grey(ratio: Volume, view: AxialView, white: float) -> Pixels:
    # Outside the field of view is black, as a scanner leaves it.
    return as_grey(np.nan_to_num(view.shown(ratio.array)) / white)


def _outlined(picture: Pixels, one: _Laid, view: AxialView) -> Pixels:
    drawn = picture.copy()
    lines = ((one.right, RECTUS_RIGHT, _DOT), (one.left, RECTUS_LEFT, _DASH),
             (one.graft, GRAFT, None))  # fmt: skip
    for mask, colour, dash in lines:
        if mask is not None:
            drawn[_line(view.region(mask.array), dash)] = colour
    return drawn


def _line(region: NDArray[np.bool_], dash: tuple[int, int] | None) -> NDArray[np.bool_]:
    ring = outline(region)
    if dash is None:
        return ring
    period, drawn = dash
    row, column = np.indices(ring.shape)
    return np.asarray(ring & ((row + column) % period < drawn))


def _change(one: _Laid, baseline: _Laid, view: AxialView) -> Pixels | None:
    if one.t2 is None or baseline.t2 is None:
        return None
    change = view.shown(one.t2.array - baseline.t2.array)
    colours = colormaps[CHANGE_COLOURS](np.clip(0.5 + change / (2 * CHANGE_SHOWN), 0, 1))
    picture = _grey(one.t2, view, WHITE_AT_MUSCLE_RATIO)
    near = ~np.isnan(change) & _near(view, one.graft, baseline.graft, one.left, baseline.left)
    picture[near] = (colours[near][..., :3] * 255).astype(np.uint8)
    if baseline.graft is not None:
        picture[_line(view.region(baseline.graft.array), _DASH)] = 0
    if one.graft is not None:
        picture[outline(view.region(one.graft.array))] = 255
    return picture


def _near(view: AxialView, *masks: Mask | None) -> NDArray[np.bool_]:
    regions = [view.region(mask.array) for mask in masks if mask is not None]
    if not regions:
        return np.asarray(False)
    away = ndimage.distance_transform_edt(~np.logical_or.reduce(regions), sampling=PIXEL_MM)
    return np.asarray(away <= CHANGE_MARGIN_MM)


def _png(picture: Pixels) -> bytes:
    held = io.BytesIO()
    labelled(picture).save(held, format="PNG", optimize=True)
    return held.getvalue()


def colour_bar() -> bytes:
    """Return the change map's colours from fall to rise as a PNG of 256 x 1 pixels."""
    colours = colormaps[CHANGE_COLOURS](np.linspace(0, 1, 256))[None, :, :3]
    held = io.BytesIO()
    Image.fromarray((colours * 255).astype(np.uint8)).save(held, format="PNG")
    return held.getvalue()
