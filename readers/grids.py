"""Grids: a geometry as JSON values, exact to the last bit."""

from __future__ import annotations

from typing import Any

from imaging.geometry import Geometry


def plain_grid(grid: Geometry) -> dict[str, object]:
    """Return shape, affine (rows, LPS mm) and frame of reference; Python writes floats exactly."""
    return {
        "shape": list(grid.shape),
        "affine_lps_mm": grid.affine.tolist(),
        "frame_of_reference": grid.frame_of_reference,
    }


def grid_from_plain(raw: Any) -> Geometry:
    """Return the geometry that `plain_grid` described."""
    i, j, k = raw["shape"]
    return Geometry(raw["affine_lps_mm"], (i, j, k), raw["frame_of_reference"])
