"""Time the registrations of one subject of five visits on one core: 4 T2W-T2W, 5 T1W-T2W."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from scipy import ndimage

from imaging.geometry import Geometry
from imaging.normalization import correct_bias
from imaging.positioning import between_visits, trunk_shell
from imaging.protocol import load_protocol
from imaging.registration import Contrast, register_rigid
from imaging.segmentation.body import body_mask
from imaging.segmentation.wall import anterior_wall
from imaging.volume import Volume


def trunk(shape: tuple[int, int, int], spacing_mm: tuple[float, float, float], t1: bool) -> Volume:
    """Return an elliptic trunk with smooth contents; the cost does not depend on them."""
    affine = np.diag([*spacing_mm, 1.0])
    affine[:3, 3] = -affine[:3, :3] @ ((np.array(shape) - 1) / 2)
    i, j, _ = np.indices(shape, sparse=True)
    x, y = affine[0, 0] * i + affine[0, 3], affine[1, 1] * j + affine[1, 3]
    rng = np.random.default_rng(1)
    blobs = ndimage.zoom(rng.normal(100, 40, (20, 16, 12)), np.array(shape) / (20, 16, 12), order=1)
    inside = np.hypot(x / 150, y / 100) < 1
    signal = np.where(inside, (300 - blobs) if t1 else blobs, 0) + rng.normal(0, 3, shape)
    return Volume(np.abs(signal).astype(np.float32), Geometry(affine, shape))


def measure() -> dict[str, float]:
    """Return CPU seconds of each step, and of the nine registrations of five visits."""
    t2 = trunk((320, 320, 40), (1.2, 1.2, 5.0), t1=False)
    t1 = trunk((320, 260, 72), (1.2, 1.2, 3.0), t1=True)
    limits = load_protocol().registration
    body = body_mask(t2)
    region = anterior_wall(t2, body)
    shells = trunk_shell(body), trunk_shell(body)
    result: dict[str, float] = {}

    def timed(name: str, action: Callable[[], object]) -> None:
        start = time.process_time()
        action()
        result[name] = time.process_time() - start

    timed("between_visits_cpu_s", lambda: between_visits(t2, body, t2, body))
    timed("t2_to_t2_cpu_s", lambda: register_rigid(t2, t2, region, limits, trunk=shells))
    timed("t1_to_t2_cpu_s", lambda: register_rigid(t2, t1, region, limits, Contrast.CROSS))
    timed("correct_bias_cpu_s", lambda: correct_bias(t2, body))
    between = result["between_visits_cpu_s"] + result["t2_to_t2_cpu_s"]
    result["five_visits_cpu_s"] = 4 * between + 5 * result["t1_to_t2_cpu_s"]
    return result
